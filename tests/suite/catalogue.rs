//! The tiered catalogue: duties of the work plan that items fulfil, regions that follow, and what they have otherwise.

use std::collections::{BTreeMap, BTreeSet};

use gongkai_catalog::disclosure::ItemMode;
use gongkai_catalog::{Catalog, Declarations, Tier};
use gongkai_ingest::{Limits, read_document};
use gongkai_warehouse::catalogue_sheet;

/// The work plan's duties O-001 to O-068 but those that are no disclosure (036, 043, 048, 059, 067) and the optional 046.
#[test]
fn every_duty_of_the_work_plan_has_an_item() {
    let catalog = Catalog::load(Declarations::embedded()).expect("loads");
    let items = catalog.disclosure.fields.iter().flat_map(|field| &field.items);
    let named: BTreeSet<&str> = items.flat_map(|item| item.obligations.iter().map(String::as_str)).collect();
    let left_out = [36, 43, 46, 48, 59, 67];
    let missing: Vec<String> = (1..=68)
        .filter(|number| !left_out.contains(number))
        .map(|number| format!("O-{number:03}"))
        .filter(|id| !named.contains(id.as_str()))
        .collect();
    assert_eq!(missing, Vec::<String>::new());
}

/// 60 townships until the mergers, 49 after them.
#[test]
fn every_township_follows_while_it_is_there() {
    let catalog = Catalog::load(Declarations::embedded()).expect("loads");
    let count = |day: &str, tier: Tier| {
        let regions = catalog.disclosure.regions_on(day.parse().expect("a day"));
        regions.filter(|region| region.tier == tier).count()
    };
    assert_eq!((count("2019-07-01", Tier::City), count("2019-07-01", Tier::County)), (1, 5));
    assert_eq!(count("2019-07-01", Tier::Township), 60);
    assert_eq!(count("2020-07-01", Tier::Township), 49);
}

/// A county of another city is a region of the list and a file of its own; nothing else. 会理县 is a county until 2023.
#[test]
fn a_county_of_another_city_is_added_by_declarations() {
    let mut declarations = Declarations::embedded();
    let regions = declarations.text("disclosure/regions.toml").expect("there").to_owned();
    let regions = regions.replace("within = [\"510400\"]", "within = [\"510400\"]\nregion = [\"513425\"]");
    declarations.insert("disclosure/regions.toml", regions.as_bytes());
    declarations.insert(
        "disclosure/local/513425.toml",
        r#"region = "513425"
[[change]]
item = "04-0303"
reason = { zh = "州财政按季汇总", en = "the prefecture's finance office collects by quarter" }
deadline_text = "每季度（首月15日前）"
[[change]]
item = "26-0101"
omit = true
reason = { zh = "没有县属公共企事业单位", en = "the county has no public enterprise" }
[[item]]
field = "14"
code = "0190"
label = { zh = "易地扶贫搬迁安置点", en = "Resettlement sites" }
local_reason = { zh = "县内有大型安置点", en = "the county has a large resettlement site" }
tiers = ["county"]
content = ["安置点", "户数"]
deadline_text = "自信息形成或变更之日起20个工作日内"
legal_basis = [{ title = "《中华人民共和国政府信息公开条例》", article = "第二十六条" }]
channels = ["政府网站"]
audience = "public"
"#
        .as_bytes(),
    );
    let catalog = Catalog::load(declarations).expect("loads");
    let day = "2022-01-01".parse().expect("a day");
    let items = |code: &str| -> BTreeMap<String, String> {
        let region = catalog.disclosure.region(code).unwrap_or_else(|| panic!("{code} follows"));
        region.items_on(day).map(|own| (own.short_code(), own.item.deadline_text.clone())).collect()
    };
    let (other, miyi) = (items("513425"), items("510421"));
    assert_eq!(other.len(), miyi.len());
    assert_eq!(other["04-0303"], "每季度（首月15日前）");
    assert_eq!(miyi["04-0303"], "每月15日前");
    assert!(!other.contains_key("26-0101") && other.contains_key("14-0190") && !miyi.contains_key("14-0190"));
}

/// What goes out as a workbook in the layout of the standard catalogues comes back the same.
#[test]
fn a_workbook_of_the_catalogue_reads_back_as_it_was_written() {
    let catalog = Catalog::load(Declarations::embedded()).expect("loads");
    let day = "2024-01-01".parse().expect("a day");
    for code in ["510400", "510421", "510421100"] {
        let region = catalog.disclosure.region(code).expect("follows");
        let bytes = catalogue_sheet::workbook(&catalog.disclosure, region, day).expect("writes");
        let document = read_document(&bytes, &Limits::default()).expect("reads");
        let sheets = gongkai_ingest::catalogue_sheet::read(&document).expect("a catalogue");
        let read: Vec<_> = sheets
            .iter()
            .flat_map(|sheet| sheet.items.iter().map(|item| (sheet.sheet[..2].to_owned(), item)))
            .collect();
        let written: Vec<_> = region.items_on(day).collect();
        assert_eq!(read.len(), written.len());
        for ((field, read), own) in read.into_iter().zip(written) {
            let item = &own.item;
            assert_eq!((&field, &read.label, &read.content), (&own.field, &item.label.zh, &item.content));
            assert_eq!((&read.deadline_text, &read.publisher), (&item.deadline_text, &item.publisher.zh));
            assert_eq!(
                (&read.channels, &read.audience_text),
                (&item.channels, &item.audience_text),
                "{}",
                own.short_code()
            );
            let tiers: Vec<&str> = item.tiers.iter().map(|tier| tier.name()).collect();
            assert_eq!((read.tiers.clone(), read.on_request), (tiers, item.mode == ItemMode::OnRequest));
            // The same citations, however title, number and article were told apart.
            let cited =
                |parts: [Option<&String>; 3]| parts.into_iter().flatten().cloned().collect::<Vec<_>>().join(" ");
            let mine: Vec<String> = item.legal_basis.iter().map(|basis| basis.citation()).collect();
            let theirs = read
                .legal_basis
                .iter()
                .map(|basis| cited([Some(&basis.title), basis.doc_no.as_ref(), basis.article.as_ref()]));
            assert_eq!(theirs.collect::<Vec<_>>(), mine, "{}", own.short_code());
        }
    }
}

/// A duty that changes is another version of its item: the one before ends where it begins, and stays readable.
#[test]
fn a_duty_that_changes_has_two_versions() {
    let mut declarations = Declarations::embedded();
    let path = "disclosure/items/27_prices.toml";
    let text = declarations.text(path).expect("there").to_owned();
    let second = r#"
[[item]]
code = "0101"
label = { zh = "居民消费价格指数（月度）", en = "Consumer price index, monthly" }
tiers = ["city", "county"]
content = ["总指数", "八大类"]
deadline_text = "每月15日前"
legal_basis = [{ title = "《中华人民共和国统计法》" }]
channels = ["政府网站"]
audience = "public"
valid_from = "2021-01-01"
reason = { zh = "统计局职责调整", en = "the statistics office has other duties" }
"#;
    declarations.insert(path, format!("{text}{second}").as_bytes());
    let catalog = Catalog::load(declarations.clone()).expect("loads");
    let on = |code: &str, day: &str| {
        let day = day.parse().expect("a day");
        let region = catalog.disclosure.region(code).expect("follows");
        let found = region.items_on(day).find(|own| own.short_code() == "27-0101");
        found.map(|own| (own.item.version_no, own.item.deadline_text.clone()))
    };
    assert_eq!(on("510400", "2020-12-31"), Some((1, "每月20日前".into())));
    assert_eq!(on("510400", "2021-01-01"), Some((2, "每月15日前".into())));
    assert_eq!((on("510421", "2020-12-31"), on("510421", "2021-01-01").map(|own| own.0)), (None, Some(2)));
    // Without a reason, or not later than the one before, it is refused.
    for (from, to) in [("reason = {", "# reason = {"), ("2021-01-01", "2019-06-01")] {
        declarations.insert(path, format!("{text}{}", second.replace(from, to)).as_bytes());
        let error = Catalog::load(declarations.clone()).expect_err("refused").to_string();
        assert!(error.contains("0101") && error.contains("reason"), "{error}");
    }
}
