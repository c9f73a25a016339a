//! Numbers here are the examples of the standards, made-up ones, or a service's own; none is a person's.

use super::*;
use crate::read_document;

const IDENTITY: &str = "11010519491231002X";
const CARD: &str = "6217003610000000007";
const MOBILE: &str = "13800138000";

fn scan_text(text: &str) -> Vec<Finding> {
    let limits = Limits::default();
    let document = read_document(text.as_bytes(), &limits).expect("is there");
    scan(&document, text.as_bytes(), &Declared::default(), &limits)
}

/// Kinds found in one cell below a header, those that block first.
fn found(header: &str, cell: &str) -> (Vec<Kind>, Vec<Kind>) {
    let findings = scan_text(&format!("地区,{header}\n米易县,\"{cell}\"\n"));
    let of = |severity| findings.iter().filter(|f| f.severity == severity).map(|f| f.kind).collect();
    (of(Severity::Block), of(Severity::Warn))
}

fn blocks(header: &str, cell: &str) -> Vec<Kind> {
    found(header, cell).0
}

#[test]
fn the_vector_of_the_masking_gate_blocks_on_three_numbers_and_keeps_the_hotline() {
    // domain/10-vectors.md V24
    let text = "户主 张三丰 440524188001010014 6217003610000000007 13800138000 举报电话12317";
    assert_eq!(found("备注", text), (vec![Kind::Identity, Kind::Account, Kind::Mobile], vec![]));
    assert_eq!(found("备注", "举报电话12317，监督电话0812-3333333"), (vec![], vec![]));
}

#[test]
fn disguises_are_seen_through() {
    // reliability.md F29
    for cell in [
        "110105 19491231 002X",
        "１１０１０５１９４９１２３１００２Ｘ",
        "本人身份证11010519491231002x，已核",
        "1101 0519 4912 3100 2X",
        "110105-19491231-002X",
        "1101051949\u{200B}1231002X",
    ] {
        assert_eq!(blocks("备注", cell), [Kind::Identity], "{cell}");
    }
    for cell in [
        "138 0013 8000",
        "138-0013-8000",
        "+86 13800138000",
        "+8613800138000",
        "１３８００１３８０００",
        "13800138000.0",
    ] {
        assert_eq!(blocks("备注", cell), [Kind::Mobile], "{cell}");
    }
    for cell in ["6217 0036 1000 0000 007", "4111111111111111"] {
        assert_eq!(blocks("备注", cell), [Kind::Account], "{cell}");
    }
}

#[test]
fn what_only_looks_like_personal_data_is_left_alone() {
    // reliability.md F30
    for (header, cell) in [
        ("统一社会信用代码", "91350100M000100Y43"),
        ("备注", "91350100M000100Y43"),
        ("项目编码", "51042120190001"),
        ("文件", "P020190315384726551234.xls"),
        ("文件", "https://example.org/art/13800138000.html"),
        ("金额", "13800138000.55"),
        ("说明", "合计13800138000元"),
        ("日期", "2019-02-01 00:00:00"),
        ("年度", "2018 2019 2020 2021 2022"),
        ("序列", "A6217003610000000007"),
    ] {
        assert_eq!(found(header, cell), (vec![], vec![]), "{header}: {cell}");
    }
    // An order number that passes Luhn without an issuer's prefix, and counters of eleven digits.
    assert_eq!(found("订单号", "1000000000000008"), (vec![], vec![Kind::Account]));
    assert_eq!(found("访问量", "13800138000"), (vec![], vec![Kind::Mobile]));
}

#[test]
fn a_pattern_without_a_check_character_needs_words() {
    assert_eq!(found("备注", "440524188001010013"), (vec![], vec![Kind::Identity]));
    assert_eq!(blocks("身份证号", "440524188001010013"), [Kind::Identity]);
    assert_eq!(blocks("备注", "身份证440524188001010013"), [Kind::Identity]);
    assert_eq!(found("备注", "440524800101001"), (vec![], vec![]));
    assert_eq!(blocks("证件号码", "440524800101001"), [Kind::Identity]);
    assert_eq!(found("备注", "1234567890123456"), (vec![], vec![Kind::Account]));
    // Rural passbooks fail Luhn.
    assert_eq!(blocks("一卡通账号", "1234567890123456"), [Kind::Account]);
    assert_eq!(blocks("账号", "510421000123"), [Kind::Account]);
}

#[test]
fn a_number_that_lost_digits_is_damaged_and_not_clean() {
    assert_eq!(found("备注", "1.10105E+17"), (vec![], vec![Kind::DamagedNumber]));
    assert_eq!(blocks("身份证号", "1.10105E+17"), [Kind::DamagedNumber]);
    assert_eq!(blocks("银行卡号", "6.217E+18"), [Kind::DamagedNumber]);
}

#[test]
fn figures_that_a_feed_reads_are_searched_for_identity_numbers_only() {
    let text = format!("地区,指标\n东区,{MOBILE}\n西区,{CARD}\n仁和区,{IDENTITY}\n");
    let limits = Limits::default();
    let document = read_document(text.as_bytes(), &limits).expect("is there");
    let declared = Declared { figures: BTreeSet::from([(0, 2)]), ..Declared::default() };
    let kinds: Vec<Kind> =
        scan(&document, text.as_bytes(), &declared, &limits).into_iter().map(|finding| finding.kind).collect();
    assert_eq!(kinds, [Kind::Identity]);
}

#[test]
fn names_block_by_their_column() {
    let kinds = |text: &str| {
        let findings = scan_text(text);
        findings.iter().map(|f| (f.severity, f.kind, f.count)).collect::<Vec<_>>()
    };
    let (block, warn) = (Severity::Block, Severity::Warn);
    assert_eq!(kinds("户主姓名,金额\n张三丰,500\n欧阳无忌,600\n"), [(block, Kind::Name, 2)]);
    assert_eq!(kinds("姓名,职务\n张三丰,科长\n"), [(warn, Kind::Name, 1)]);
    assert_eq!(kinds("姓名,出生日期\n张三丰,1949-12-31\n"), [(block, Kind::Name, 1), (block, Kind::Birth, 1)]);
    assert_eq!(kinds("姓名,电话\n张三丰,13800138000\n"), [(block, Kind::Mobile, 1), (block, Kind::Name, 1)]);
    // Decision 27, masked names, and counts of persons.
    assert_eq!(kinds("项目名称,责任人,受益贫困户数\n产业路,张三丰,120\n"), []);
    assert_eq!(kinds("户主姓名,金额\n张*丰,500\n"), []);
    assert_eq!(kinds("帮扶责任人,单位\n张三丰,财政局\n"), [(block, Kind::Name, 1)]);
    assert_eq!(kinds("致贫原因,户数\n因病,12\n因残,10\n"), [(warn, Kind::Health, 2)]);
    assert_eq!(kinds("户主,致贫原因\n张三丰,因病\n"), [(block, Kind::Name, 1), (block, Kind::Health, 1)]);
}

#[test]
fn columns_of_officials_are_named_by_a_declaration() {
    let text = "姓名,电话\n张三丰,0812-3333333\n";
    let limits = Limits::default();
    let document = read_document(text.as_bytes(), &limits).expect("is there");
    let declared = Declared { names: BTreeSet::from([(0, 1)]), ..Declared::default() };
    let findings = scan(&document, text.as_bytes(), &declared, &limits);
    assert!(findings.iter().all(|finding| finding.kind == Kind::Landline), "{findings:?}");
}

#[test]
fn a_finding_tells_the_place_and_never_the_value() {
    let mut text = String::from("户主姓名,身份证号,手机\n");
    for _ in 0..30 {
        text.push_str(&format!("张三丰,{IDENTITY},{MOBILE}\n"));
    }
    let findings = scan_text(&text);
    let identity = findings.iter().find(|finding| finding.kind == Kind::Identity).expect("is there");
    assert_eq!((identity.count, identity.addresses.len()), (30, 20));
    assert_eq!((identity.column.as_deref(), identity.addresses[0].as_str()), (Some("身份证号"), "2:5"));
    assert_eq!(identity.to_string(), "identity number, column 身份证号, at 2:5 and 29 more");
    let told = format!("{findings:?} {}", serde_json::to_string(&findings).expect("is there"));
    for value in [IDENTITY, MOBILE, "张三丰", "1949", "8000"] {
        assert!(!told.contains(value), "{value}");
    }
}

#[test]
fn the_name_of_the_file_is_searched() {
    let limits = Limits::default();
    let document = read_document(b"a,b\n1,2\n", &limits).expect("is there");
    let document = Document { path: format!("2019/{MOBILE}.csv"), ..document };
    let findings = scan(&document, b"", &Declared::default(), &limits);
    assert_eq!((findings[0].kind, &findings[0].part), (Kind::Mobile, &Part::FileName));
}
