//! What is a table of fields and what is lines, and what lines become.

use super::*;

fn read(text: &str) -> Document {
    read_text(text.as_bytes(), &Limits::default()).expect("reads")
}

fn lines(text: &str) -> Vec<String> {
    let document = read(text);
    assert_eq!(document.format, Format::Text, "{text:?}");
    let grid = &document.grids[0];
    grid.cells.iter().map(|cell| format!("{} {}", grid.address(cell.row, cell.start), cell.text)).collect()
}

#[test]
fn lines_keep_their_blanks_and_their_number() {
    assert_eq!(
        lines("债务情况\r\n\r\n  成都市 3881 1246\r攀枝花市 240 154\n"),
        ["1:1 债务情况", "3:1   成都市 3881 1246", "4:1 攀枝花市 240 154"]
    );
}

#[test]
fn form_feeds_end_pages() {
    let document = read("封面\n\x0C第一页\n表\n\x0C\x0C末页甲\x0C乙\n");
    let grid = &document.grids[0];
    let pages: Vec<Vec<&str>> =
        grid.page_rows().map(|rows| grid.rows[rows].iter().map(|row| grid.text(row, 1)).collect()).collect();
    assert_eq!(pages, [vec!["封面"], vec!["第一页", "表"], vec![], vec!["末页甲"], vec!["乙"]]);
    assert_eq!((grid.cells[1].row, grid.cells[1].start), (2, 2));
    assert_eq!((grid.cells[4].row, grid.cells[4].start), (4, 7));
}

#[test]
fn numbers_with_commas_are_no_fields() {
    let text = "表六：2018 年分地区收入；金额单位：万元。\n全省合计 82,228,060\n南京市 16,146,176\n无锡市 7,313,080\n";
    assert_eq!(lines(text).len(), 4);
    assert_eq!(lines("南京市 16,146,176\n徐州市 15,373,041\n").len(), 2);
}

#[test]
fn fields_make_a_table() {
    for text in [
        "a,b\n1,2\n",
        "a,b",
        "100,200,300\n400,500,600\n",
        "城市\t值\n甲\t1\n",
        "sep=;\na\n",
        "2019年收支表\n科目,数\n税收,1\n非税,2\n",
        "a,b\n1,\"x\n",
        "a,b,c\n1\n1,2,3,4\n1,2\n1,2,3,4,5\n1,2,3,4,5,6\n",
        "a,b\n1,\"行一\n行二\n行三\n行四\"\n2,c\n",
    ] {
        let format = read_text(text.as_bytes(), &Limits::default()).map(|document| document.format);
        assert!(matches!(format, Ok(Format::Csv) | Err(ReadError::UnclosedQuote { .. })), "{text:?}: {format:?}");
    }
    for text in ["template:\n  name: 附件2\n  key: a, b\n", "一行\n", "甲：1，乙：2\n丙：3，丁：4\n"] {
        assert_eq!(read(text).format, Format::Text, "{text:?}");
    }
}

#[test]
fn long_lines_are_refused() {
    let text = "字".repeat(400_000);
    assert!(matches!(read_text(text.as_bytes(), &Limits::default()), Err(ReadError::TooLarge { .. })));
}
