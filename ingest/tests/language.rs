//! What the declaration language can say, each part over a small file of its own.

mod common;

use common::{decimal, integer, row_where, suite, text};
use gongkai_catalog::Catalog;
use gongkai_ingest::report::Reason;
use gongkai_ingest::{Feeds, Limits, Outcome, Shaped, embedded_declarations, ingest_bytes};

/// A table of plain figures that the feeds below fill.
const TABLE: &str = r#"
label = { zh = "试验", en = "Trial" }
description = { zh = "试验用表", en = "A table for trials" }
grain = { zh = "一行", en = "one row" }
key = ["geo_id", "measure", "data_date", "source_row", "source_column"]
sort = ["source_row", "source_column"]
column = [
    { name = "geo_id", visibility = "public" },
    { name = "measure", visibility = "public" },
    { name = "averaging", visibility = "public", nullable = true },
    { name = "data_date", visibility = "public", nullable = true },
    { name = "hour_label", visibility = "public", nullable = true },
    { name = "exit_year", visibility = "public", nullable = true },
    { name = "is_hidden", visibility = "public", nullable = true },
    { name = "value", visibility = "public", nullable = true },
    { name = "unit", visibility = "public", nullable = true },
    { name = "raw_text", visibility = "public", nullable = true },
    { name = "value_state", visibility = "public", nullable = true },
]
"#;

const VALUE: &str = r#"
[value]
missing = ["NA", "-"]
[value.columns]
value = "number"
unit = "unit"
raw_text = "raw"
value_state = "state"
"#;

/// The declarations with one feed more, which has the trial's table to itself.
fn with_feed(feed: &str) -> Result<(Catalog, Feeds), Box<dyn std::error::Error>> {
    let mut declarations = embedded_declarations();
    let dataset = declarations.text("datasets/environment_monitoring/air_city_hourly.toml")?;
    let dataset = dataset.split("[[chart]]").next().unwrap_or_default();
    let dataset = dataset.replace("air_hourly", "trial").replace("[\"data_month\"]", "[\"measure\"]");
    declarations.insert("datasets/environment_monitoring/trial.toml", dataset.as_bytes());
    declarations.insert("tables/environment/trial.toml", TABLE.as_bytes());
    let head = "label = { zh = \"试验\", en = \"Trial\" }\ndataset = \"trial\"\nsource_public = true\n";
    declarations.insert("feeds/environment_monitoring/trial.toml", format!("{head}{feed}").as_bytes());
    let catalog = Catalog::load(declarations.clone())?;
    let feeds = Feeds::load(&declarations, &catalog)?;
    Ok((catalog, feeds))
}

fn shaped_at(feed: &str, path: &str, content: &str) -> Shaped {
    let (catalog, feeds) = with_feed(feed).unwrap_or_else(|error| panic!("{error}"));
    match ingest_bytes(content.as_bytes(), path, &feeds, &catalog, &Limits::default()) {
        Outcome::Matched { shaped, .. } => {
            let rows = shaped.into_iter().find(|rows| rows.report.feed == "trial").expect("the trial's rows");
            assert!(rows.report.is_balanced());
            rows
        }
        other => panic!("not matched: {other:?}"),
    }
}

fn shaped(feed: &str, content: &str) -> Shaped {
    shaped_at(feed, "trial.csv", content)
}

fn values(rows: &Shaped) -> Vec<(String, String, Option<String>)> {
    let value = |row| decimal(&rows.batch, "value", row).map(|value| value.trimmed().to_string());
    let text = |column, row| text(&rows.batch, column, row).expect("a text");
    (0..rows.batch.num_rows()).map(|row| (text("geo_id", row), text("measure", row), value(row))).collect()
}

fn told(rows: &[(&str, &str, Option<&str>)]) -> Vec<(String, String, Option<String>)> {
    rows.iter().map(|(id, measure, value)| (id.to_string(), measure.to_string(), value.map(str::to_owned))).collect()
}

/// One column a station; the row says what is measured.
#[test]
fn columns_of_one_kind_are_told_apart_by_their_headers_and_rows_by_their_labels() {
    let feed = format!(
        r#"
formats = ["csv"]
empty = ["exit_year", "is_hidden"]
[[label_column]]
role = "date"
header = "^日$"
[[label_column]]
role = "hour"
header = "^时$"
[[label_column]]
role = "type"
header = "^类$"
pattern = "^(?P<measure>[A-Z0-9.]+?)(_(?P<averaging>24h))?$"
[time]
date = "date"
date_formats = ["%Y%m%d"]
hour_ending = "hour"
[time.columns]
data_date = "date"
hour_label = "hour"
[printed]
geo_id = ["header.station"]
averaging = ["type.averaging"]
[[by_printed]]
column = "measure"
captures = ["type.measure"]
cases = [{{ pattern = "^PM2\\.5$", value = "PM25" }}]
otherwise = "other"
[unit_by]
captures = ["type"]
cases = [{{ pattern = "^CO", value = "mg_m3" }}]
otherwise = "ug_m3"
[[value_column]]
header = "^(?P<station>\\d{{4}}A)$"
many = true
set = {{}}
{VALUE}"#
    );
    let rows = shaped(&feed, "日,时,类,1888A,1889A\n20180101,0,PM2.5_24h,35,\n20180101,1,CO,1.2,x\n");
    assert_eq!(
        values(&rows),
        told(&[
            ("1888A", "PM25", Some("35")),
            ("1889A", "PM25", None),
            ("1888A", "other", Some("1.2")),
            ("1889A", "other", None)
        ])
    );
    let batch = &rows.batch;
    let unit = |row| text(batch, "unit", row).expect("a unit");
    assert_eq!((unit(0), unit(2)), ("ug_m3".to_owned(), "mg_m3".to_owned()));
    assert_eq!(text(batch, "averaging", 0).as_deref(), Some("24h"));
    assert_eq!(text(batch, "averaging", 2), None);
    assert_eq!(integer(batch, "hour_label", 0), 24);
    assert_eq!(rows.report.set_aside.len(), 1, "the letter in a number column");
}

/// The same file the other way round: the header says when and what.
#[test]
fn moments_may_stand_in_the_header_and_a_bad_one_costs_its_cells_alone() {
    let feed = format!(
        r#"
formats = ["csv"]
subject = "station"
empty = ["exit_year", "is_hidden", "averaging"]
[header]
depth = 3
exact = true
[[label_column]]
role = "station"
header = "^日/时/类$"
column = "geo_id"
must_be_filled = true
[time]
parts = ["header.date"]
date_formats = ["%Y%m%d"]
hour_ending = "header.hour"
[time.columns]
data_date = "date"
hour_label = "hour"
[printed]
measure = ["header.type"]
[[value_column]]
header = "^(?P<date>\\d{{8}})/(?P<hour>\\d+)/(?P<type>[A-Z].*)$"
many = true
set = {{}}
unit = "ug_m3"
{VALUE}"#
    );
    let rows = shaped(&feed, "日,20180101,20180101\n时,7,25\n类,SO2,SO2\n1888A,35,36\n1889A,NA,37\n");
    assert_eq!(values(&rows), told(&[("1888A", "SO2", Some("35")), ("1889A", "SO2", None)]));
    assert_eq!(integer(&rows.batch, "hour_label", 0), 7);
    let aside: Vec<_> = rows.report.set_aside.iter().map(|fault| (fault.reason, fault.address.as_str())).collect();
    assert_eq!(aside, [(Reason::BadHour, "4:10"), (Reason::BadHour, "5:10")]);
}

#[test]
fn a_table_without_a_header_a_list_in_a_cell_and_a_record_without_figures() {
    let feed = r#"
formats = ["csv"]
subject = "name"
empty = ["averaging", "data_date", "hour_label", "is_hidden", "value", "unit", "raw_text", "value_state"]
[header]
names = ["year", "province", "names"]
[[label_column]]
role = "year"
header = "^year$"
column = "exit_year"
must_match = "^20\\d\\d$"
[[label_column]]
role = "province"
header = "^province$"
column = "measure"
must_be_filled = true
[[label_column]]
role = "name"
header = "^names$"
split = "、"
column = "geo_id"
must_be_filled = true
"#;
    let rows = shaped(feed, "2019,江西,修水县、\n二〇年,河北,武邑县、饶阳县、武强县\n");
    assert_eq!(
        values(&rows),
        told(&[("修水县", "江西", None), ("武邑县", "河北", None), ("饶阳县", "河北", None), ("武强县", "河北", None)])
    );
    assert_eq!(rows.report.totals.records_in, 4);
    assert_eq!(integer(&rows.batch, "exit_year", 0), 2019);
    let wrong: Vec<_> = rows.report.set_aside.iter().map(|fault| (fault.reason, fault.address.as_str())).collect();
    assert_eq!(wrong, [(Reason::WrongType, "2:1"); 3]);
}

#[test]
fn rows_say_what_their_figures_mean_below_headings_and_others_are_set_aside() {
    let feed = format!(
        r#"
formats = ["csv"]
subject = "label"
empty = ["hour_label", "is_hidden", "data_date", "averaging"]
[caption.title]
pattern = "^(?P<year>20\\d{{2}})年"
within = "path"
[[label_column]]
role = "label"
header = "^项目$"
[section]
label = "label"
pattern = "^(?P<kind>一般|专项)债务$"
[[row]]
label = "^(?P<year>\\d{{4}})年限额$"
set = {{ measure = "limit" }}
[[row]]
label = "^余额"
set = {{ measure = "balance" }}
[printed]
geo_id = ["section.kind"]
exit_year = ["row.year", "title.year"]
[[value_column]]
header = "^金额$"
set = {{}}
unit = "ug_m3"
{VALUE}"#
    );
    let content = "项目,金额\n一般债务,\n2024年限额,10\n余额,8\n专项债务,\n余额数,7\n付息,1\n";
    let rows = shaped_at(&feed, "2025年/debt.csv", content);
    assert_eq!(
        values(&rows),
        told(&[("一般", "limit", Some("10")), ("一般", "balance", Some("8")), ("专项", "balance", Some("7"))])
    );
    let year = |row| integer(&rows.batch, "exit_year", row);
    assert_eq!((year(0), year(1)), (2024, 2025));
    let aside: Vec<_> = rows.report.set_aside.iter().map(|fault| (fault.reason, fault.row)).collect();
    assert_eq!(aside, [(Reason::UnknownRow, 7)]);
    assert_eq!(rows.report.totals.records_in, 4);
}

#[test]
fn blanks_take_the_text_above_only_where_declared_and_tables_may_stand_below_one_another() {
    let feed = format!(
        r#"
formats = ["csv"]
subject = "name"
empty = ["hour_label", "is_hidden", "data_date", "averaging", "exit_year"]
[header]
search_rows = 5
repeats = true
[caption.title]
pattern = "^表(?P<measure>[甲乙])$"
required = true
[[label_column]]
role = "group"
header = "^组$"
fill_down = "blank"
column = "geo_id"
must_be_filled = true
[[label_column]]
role = "name"
header = "^名称$"
[printed]
measure = ["title.measure"]
[[value_column]]
header = "^金额$"
set = {{}}
unit = "ug_m3"
{VALUE}"#
    );
    let content = "表甲,,\n组,名称,金额\nA,x,1\n,y,2\n表乙,,\n组,名称,金额\nB,z,3\n";
    let rows = shaped(&feed, content);
    assert_eq!(values(&rows), told(&[("A", "甲", Some("1")), ("A", "甲", Some("2")), ("B", "乙", Some("3"))]));
    assert_eq!(rows.report.totals.records_in, 3);
}

#[test]
fn of_one_key_the_row_with_a_value_stays() {
    let header = "date,hour,城市,PM2.5,SO2\n";
    let rows = suite().shaped(format!("{header}20190301,1,攀枝花,,3\n20190301,1,攀枝花,35,4\n").as_bytes());
    let of = |measure: &str| {
        let row = row_where(&rows.batch, &[("measure", measure)]);
        decimal(&rows.batch, "value", row).expect("a value").trimmed().to_string()
    };
    assert_eq!((of("PM25"), of("SO2")), ("35".to_owned(), "3".to_owned()));
    let aside: Vec<_> = rows.report.set_aside.iter().map(|fault| (fault.reason, fault.address.as_str())).collect();
    assert_eq!(aside, [(Reason::Conflict, "2:16"), (Reason::Conflict, "3:19")]);
    assert!(rows.report.is_balanced());
}

#[test]
fn references_that_mean_nothing_are_refused_with_what_they_may_be() {
    let feed = r#"
formats = ["csv"]
subject = "name"
[[label_column]]
role = "name"
header = "^名称$"
[printed]
measure = ["title.year"]
"#;
    let error = with_feed(feed).expect_err("a wrong reference").to_string();
    assert!(error.contains("title.year") && error.contains("label_column"), "{error}");
}
