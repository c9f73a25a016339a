//! What pages become, and what is refused.

use super::*;
use crate::reader::{Grid, Merge};

fn read(page: &str) -> Result<Document, ReadError> {
    read_html(page.as_bytes(), &Limits::default())
}

/// The grids of a page as addresses with their texts.
fn shown(page: &str) -> Vec<Vec<String>> {
    let show = |grid: &Grid| {
        grid.cells.iter().map(|cell| format!("{} {}", grid.address(cell.row, cell.start), cell.text)).collect()
    };
    read(page).expect("reads").grids.iter().map(show).collect()
}

#[test]
fn spans_are_merged_ranges_and_push_the_cells_after_them() {
    let page = "<table><tr><th rowspan=2>地区</th><th colspan='2'>2024年</th></tr><tr><td>限额</td><td>余额</td></tr>\
                <tr><td>东区<td>1<td>2</table>";
    let document = read(page).expect("reads");
    let grid = &document.grids[0];
    assert_eq!(grid.sheet.as_deref(), Some("table 1"));
    let cells: Vec<String> =
        grid.cells.iter().map(|cell| format!("{} {}", grid.address(cell.row, cell.start), cell.text)).collect();
    assert_eq!(cells, ["A1 地区", "B1 2024年", "B2 限额", "C2 余额", "A3 东区", "B3 1", "C3 2"]);
    assert_eq!(
        grid.merges,
        [Merge { top: 1, left: 1, bottom: 2, right: 1 }, Merge { top: 1, left: 2, bottom: 1, right: 3 }]
    );
    assert_eq!(grid.rows.iter().map(|row| row.number).collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn spans_end_with_their_group_of_rows() {
    let page = "<table><thead><tr><td rowspan=9>甲<td>乙</thead><tbody><tr><td rowspan=0>丙<td>丁<tr><td>戊</table>";
    let document = read(page).expect("reads");
    assert_eq!(shown(page)[0], ["A1 甲", "B1 乙", "A2 丙", "B2 丁", "B3 戊"]);
    assert_eq!(document.grids[0].merges, [Merge { top: 2, left: 1, bottom: 3, right: 1 }]);
}

#[test]
fn a_table_in_a_cell_is_one_of_its_own() {
    let page = "<table><tr><td>前<table><tr><td>内<td>外</td></tr></table>后</td><td>旁</td></tr></table>";
    assert_eq!(shown(page)[..2], [vec!["A1 前 后", "B1 旁"], vec!["A1 内", "B1 外"]]);
    let sheets: Vec<_> = read(page).expect("reads").grids.into_iter().map(|grid| grid.sheet).collect();
    assert_eq!(sheets, [Some("table 1".into()), Some("table 2".into()), None]);
}

#[test]
fn a_table_of_one_cell_in_a_cell_is_text_of_it() {
    let page =
        "<table><tr><td>八、其他</td><td><table><tr><td>11.4</td></tr></table></td></tr></table><table><tr><td>独";
    let grids = shown(page);
    assert_eq!(grids[..2], [vec!["A1 八、其他", "B1 11.4"], vec!["A1 独"]]);
    assert_eq!(read(page).expect("reads").grids[1].sheet.as_deref(), Some("table 3"));
}

#[test]
fn lines_within_a_cell_are_one_text() {
    let page =
        "<table><tr><td><p>2025年</p>\n<p>预计数</p></td><td>一<br>二</td><td>&nbsp;</td><td><b>三</b>四</td></table>";
    assert_eq!(shown(page)[0], ["A1 2025年 预计数", "B1 一 二", "D1 三四"]);
}

#[test]
fn what_stands_before_a_table_is_its_preface() {
    let page = "<p>正文</p>\n<table><tr><td>1</td></tr></table>\n<p>附件2</p><p>2025年<b>收支</b>总表</p><p>单位：亿元</p>\
                <table><caption>续</caption><tr><td>2</td></tr></table>";
    let document = read(page).expect("reads");
    let preface = |grid: &Grid| -> Vec<String> {
        grid.preface.iter().map(|line| format!("{} {}", Grid::preface_address(line), line.text)).collect()
    };
    assert_eq!(preface(&document.grids[0]), ["1:4 正文"]);
    assert_eq!(preface(&document.grids[1]), ["3:4 附件2", "3:14 2025年收支总表", "3:37 单位：亿元", "3:62 续"]);
    let many = format!("{}<table><tr><td>1</table>", "<p>行</p>".repeat(40));
    assert_eq!(read(&many).expect("reads").grids[0].preface.len(), 12);
}

#[test]
fn the_text_of_the_page_has_its_lines_and_characters() {
    let page = "<html><head><title>公报</title><style>p {}</style></head>\n<body>\n <p> 全年<span>收入</span>12.3亿元，\n增长\
                </p><ul><li>一<li>二</ul>三<br/>四<script>var a = '<p>';</script></body></html>";
    let text = shown(page).pop().expect("lines");
    assert_eq!(text, ["1:20 公报", "3:6 全年收入12.3亿元， 增长", "4:15 一", "4:20 二", "4:26 三", "4:32 四"]);
}

#[test]
fn end_tags_in_the_wrong_place_end_no_cell() {
    let page = "<p><font><table><tr><td>甲</font></p></div></td><td>乙</span></td></tr></table></font>后";
    let grids = shown(page);
    assert_eq!(grids[0], ["A1 甲", "B1 乙"]);
    assert!(grids[1].last().expect("a line").ends_with('后'));
}

#[test]
fn rows_and_cells_without_a_table_are_text() {
    assert_eq!(shown("<tr><td>甲</td></tr>"), [["1:9 甲"]]);
    assert_eq!(shown("<table>甲<tr><td>乙</table>")[0], ["A1 乙"]);
}

#[test]
fn preformatted_lines_stay_apart() {
    assert_eq!(shown("<pre>甲 1\n乙  2\n</pre>"), [["1:6 甲 1", "2:1 乙 2"]]);
}

#[test]
fn the_bytes_decide_the_encoding_not_the_page() {
    let page = "<meta charset=gb2312><table><tr><td>攀枝花市财政局</td></tr></table>";
    let document = read(page).expect("reads");
    assert_eq!(document.encoding.as_deref(), Some("utf-8"));
    assert_eq!(document.warnings, ["the page says that it is gb2312; it is utf-8"]);
    let says_utf8 = page.replace("gb2312", "utf-8");
    let gb = encoding_rs::GB18030.encode(&says_utf8).0.into_owned();
    let document = read_html(&gb, &Limits::default()).expect("reads");
    assert_eq!((document.encoding.as_deref(), &*document.grids[0].cells[0].text), (Some("gb18030"), "攀枝花市财政局"));
    assert_eq!(document.warnings.len(), 1);
    let says_big5 = "<meta http-equiv='Content-Type' content='text/html; charset=Big5'><p>臺北縣市一氧化碳濃度</p>";
    let big5 = encoding_rs::BIG5.encode(says_big5).0.into_owned();
    let document = read_html(&big5, &Limits::default()).expect("reads");
    assert_eq!((document.encoding.as_deref(), document.warnings.len()), (Some("big5"), 0));
    assert_eq!(&*document.grids[0].cells[0].text, "臺北縣市一氧化碳濃度");
}

#[test]
fn limits_are_kept() {
    let refused = |page: &str| match read(page) {
        Err(ReadError::TooLarge { what, .. }) => what,
        other => panic!("read: {other:?}"),
    };
    assert!(refused("<table><tr><td rowspan=65534 colspan=1000>1</table>").contains("rows that one cell spans"));
    assert!(refused("<table><tr><td colspan=99999999999>1</table>").contains("columns that one cell spans"));
    let cells = "<td rowspan=1000 colspan=20>1".repeat(100);
    let rows = format!("<table>{}</table>", format!("<tr>{cells}").repeat(11));
    assert!(refused(&rows).contains("columns") || refused(&rows).contains("cells that the tables span"));
    assert_eq!(refused(&"<table><tr><td>".repeat(5_000)), "levels of open elements");
    assert_eq!(refused(&"<table></table>".repeat(101)), "tables");
    assert_eq!(refused(&"<div>".repeat(300)), "levels of open elements");
    let small = Limits { html_bytes: 10, ..Limits::default() };
    assert!(matches!(read_html(b"<table></table>", &small), Err(ReadError::TooLarge { .. })));
}
