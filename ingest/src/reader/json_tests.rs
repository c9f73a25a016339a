//! What JSON becomes, and what is refused.

use super::*;

fn read(text: &str) -> Result<Document, ReadError> {
    read_json(text.as_bytes(), &Limits::default())
}

/// The rows of a grid as texts with their addresses, the header first.
fn shown(grid: &Grid) -> Vec<Vec<String>> {
    let show = |cell: &Cell| match cell.row {
        0 => cell.text.to_string(),
        _ => format!("{}@{}", cell.text, grid.address(cell.row, cell.start)),
    };
    grid.rows.iter().map(|row| grid.cells_of(row).iter().map(show).collect()).collect()
}

#[test]
fn lists_under_keys_of_one_depth_are_one_table_and_values_keep_their_place() {
    let text =
        "{\"年度\": {\n \"甲\": [{\"name\":\"东区\", \"value\":12.50}],\n \"乙\": [{\"name\":\"西区\",\"value\":0}]}}";
    let document = read(text).expect("reads");
    assert_eq!(document.grids.len(), 1);
    assert_eq!(
        shown(&document.grids[0]),
        [
            vec!["$1", "$2", "name", "value"],
            vec!["年度@2:8", "甲@2:8", "东区@2:17", "12.50@2:30"],
            vec!["年度@3:8", "乙@3:8", "西区@3:17", "0@3:29"],
        ]
    );
    assert_eq!(document.grids[0].cells_of(&document.grids[0].rows[1])[3].kind, CellKind::Number);
}

#[test]
fn nested_objects_are_joined_and_lists_of_values_are_numbered() {
    let document = read(r#"{"features":[{"properties":{"site":"一","pm":null},"at":[101.7,26.5]}]}"#).expect("reads");
    let header: Vec<String> = shown(&document.grids[0]).remove(0);
    assert_eq!(header, ["$1", "properties.site", "properties.pm", "at.1", "at.2"]);
    let document = read(r#"{"东区":{"支出":[56843,70000]}}"#).expect("reads");
    assert_eq!(shown(&document.grids[0])[0], ["$1", "$2", "1", "2"]);
}

#[test]
fn what_is_empty_is_named() {
    let document = read("{\n\"第一批\": [{\"a\":1}],\n\"第二批\": {}, \"第三批\": []}").expect("reads");
    assert_eq!(document.warnings, ["line 3: 第二批 is empty", "line 3: 第三批 is empty"]);
}

#[test]
fn a_mark_of_byte_order_is_no_part_of_the_text() {
    let document = read_json("\u{FEFF}[{\"a\":1}]".as_bytes(), &Limits::default()).expect("reads");
    assert_eq!(document.encoding.as_deref(), Some("utf-8-bom"));
    assert_eq!(shown(&document.grids[0])[1], ["1@1:7"]);
}

#[test]
fn text_that_is_no_json_is_refused_with_its_place() {
    for (text, line, reason) in [
        ("{\"a\": [1, 2", 1, "the text ends inside a value"),
        ("{\"a\": 1,\n}", 2, "the text is no JSON here"),
        ("{} {}", 1, "the text is no JSON here"),
        ("{\"a\": 01}", 1, "the text is no JSON here"),
        ("{\"a\": 1,\n\"a\": 2}", 2, "its key stands before in the same object"),
    ] {
        match read(text) {
            Err(ReadError::DamagedJson { line: found, reason: why, .. }) => {
                assert_eq!((found, why), (line, reason), "{text}")
            }
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn lines_of_json_are_one_list() {
    let document = read("{\"a\":1}\n\n{\"a\":2,\"b\":\"东区\"}\n").expect("reads");
    assert_eq!(shown(&document.grids[0]), [vec!["a", "b"], vec!["1@1:6"], vec!["2@3:6", "东区@3:13"]]);
    let Err(ReadError::DamagedJson { line, column, .. }) = read("{\"a\":1}\n{\"a\":\n{\"a\":3}\n") else {
        panic!("a broken line was read")
    };
    assert_eq!(line, 2, "{column}");
    assert!(matches!(read("{\"a\":1}\ngarbage"), Err(ReadError::DamagedJson { line: 2, .. })));
}

#[test]
fn faults_inside_values_have_their_place_in_the_file() {
    let text = "[{\"区\":\"甲\"},\n {\"区\":\"a\\ud800b\"}]";
    let Err(ReadError::DamagedJson { line, .. }) = read(text) else { panic!("a lone surrogate was read") };
    assert_eq!(line, 2);
    for text in ["[{\"a\":1e999}]".to_owned(), "[{\"a\":NaN}]".to_owned()] {
        assert!(matches!(read(&text), Err(ReadError::DamagedJson { line: 1, .. })), "{text}");
    }
    let long = format!("[{{\"a\":{}}}]", "9".repeat(1_000_000));
    assert!(matches!(read(&long), Err(ReadError::TooLarge { .. })));
}

#[test]
fn lists_and_objects_have_limits() {
    let limits = Limits { json_items: 1_000, ..Limits::default() };
    let list = format!("[{}]", vec!["{}"; 2_000].join(","));
    assert!(matches!(read_json(list.as_bytes(), &limits), Err(ReadError::TooLarge { .. })));
    let keys: Vec<String> = (0..100_000).map(|key| format!("\"k{key}\":1")).collect();
    assert!(matches!(read(&format!("{{{}}}", keys.join(","))), Err(ReadError::TooLarge { .. })));
}

#[test]
fn a_collection_of_features_is_a_table_of_them() {
    let text = r#"{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"Point",
        "coordinates":[101.7,26.5]},"properties":{"id":"1","pm25":12.50}}]}"#;
    let document = read(text).expect("reads");
    let grid = document.grids.iter().find(|grid| grid.rows.len() == 2 && grid.text(&grid.rows[0], 1) == "$1");
    let rows = shown(grid.expect("the features"));
    assert_eq!(
        rows[0],
        [
            "$1",
            "type",
            "geometry.type",
            "geometry.coordinates.1",
            "geometry.coordinates.2",
            "properties.id",
            "properties.pm25"
        ]
    );
    assert_eq!(rows[1][6], "12.50@2:67");
}

#[test]
fn nesting_has_a_limit() {
    let deep = |levels: usize| format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels));
    assert!(read(&deep(20)).is_ok());
    assert!(matches!(read(&deep(60)), Err(ReadError::TooLarge { .. })));
    // Beyond its own bound, the parser refuses before we count.
    assert!(read(&deep(100_000)).is_err());
}

#[test]
fn places_are_found_beyond_the_first_mark() {
    let text = format!("[{}]", (0..3000).map(|row| format!("{{\"区\":{row}}}")).collect::<Vec<_>>().join(","));
    let document = read(&text).expect("reads");
    let grid = &document.grids[0];
    let last = grid.cells.last().expect("a cell");
    let characters: Vec<char> = text.chars().collect();
    let start = last.start as usize - 1;
    assert_eq!(characters[start..start + 4].iter().collect::<String>(), "2999");
}
