//! The same rows in every format.

use std::sync::Arc;

use ::arrow::array::{ArrayRef, Decimal128Array, Int32Array, StringArray, StringViewArray, TimestampMicrosecondArray};

use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use proptest::prelude::*;

use super::*;
use crate::schema::ZONE;

fn sample() -> RecordBatch {
    let amounts = Decimal128Array::from(vec![Some(99_999_999_999_999_999_999_i128), Some(-5), None, Some(0)])
        .with_precision_and_scale(20, 2)
        .expect("fits");
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("name", Arc::new(StringArray::from(vec![Some("海南省"), Some("=1+1"), Some(""), None]))),
        ("amount_yuan", Arc::new(amounts)),
        ("year", Arc::new(Int32Array::from(vec![Some(2022), None, Some(0), Some(-1)]))),
        // 2019-02-01T00:00:00+08:00
        (
            "obs_time",
            Arc::new(
                TimestampMicrosecondArray::from(vec![Some(1_548_950_400_000_000), None, None, None])
                    .with_timezone(ZONE),
            ),
        ),
    ];
    RecordBatch::try_from_iter(columns).expect("one length")
}

fn text_of(name: &str) -> String {
    let batch = sample();
    let bytes = to_bytes(format(name).expect("declared"), &batch.schema(), &[batch], ExportOptions::default());
    String::from_utf8(bytes.expect("writes")).expect("text")
}

#[test]
fn csv_keeps_missing_empty_and_zero_apart_and_guards_formulas() {
    let expected = "name,amount_yuan,year,obs_time\n\
        海南省,999999999999999999.99,2022,2019-02-01T00:00:00+08:00\n\
        \"'=1+1\",-0.05,,\n\
        \"\",,0,\n\
        ,0.00,-1,\n";
    assert_eq!(text_of("csv"), expected);
}

#[test]
fn csv_begins_with_a_mark_when_asked() {
    let batch = sample();
    let bytes = to_bytes(&csv::FORMAT, &batch.schema(), &[batch], ExportOptions { with_bom: true }).expect("writes");
    assert_eq!(&bytes[..3], [0xEF, 0xBB, 0xBF]);
}

#[test]
fn json_writes_money_as_strings() {
    let rows: serde_json::Value = serde_json::from_str(&text_of("json")).expect("json");
    assert_eq!(rows[0]["amount_yuan"], "999999999999999999.99");
    assert_eq!(rows[0]["year"], 2022);
    assert!(rows[2]["amount_yuan"].is_null());
    assert_eq!(rows[3]["amount_yuan"], "0.00");
    assert_eq!(text_of("ndjson").lines().count(), 4);
}

#[test]
fn an_answer_without_rows_is_an_empty_array() {
    let batch = sample().slice(0, 0);
    let bytes = to_bytes(&json::FORMAT, &batch.schema(), &[batch], ExportOptions::default()).expect("writes");
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&bytes).expect("json"), serde_json::json!([]));
}

#[test]
fn parquet_reads_back_equal() {
    let batch = sample();
    let bytes = to_bytes(&parquet::FORMAT, &batch.schema(), std::slice::from_ref(&batch), ExportOptions::default());
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes.expect("writes")));
    let back: Vec<RecordBatch> =
        reader.and_then(|r| r.build()).expect("opens").collect::<Result<_, _>>().expect("reads");
    assert_eq!(back, [batch]);
}

#[test]
fn the_same_rows_give_the_same_bytes_however_they_are_cut() {
    let batch = sample();
    let cut = [batch.slice(0, 1), batch.slice(1, 3)];
    for format in &FORMATS {
        let once = to_bytes(format, &batch.schema(), std::slice::from_ref(&batch), ExportOptions::default());
        let again = to_bytes(format, &batch.schema(), std::slice::from_ref(&batch), ExportOptions::default());
        assert_eq!(once.as_ref().expect("writes"), again.as_ref().expect("writes"), "{}", format.name);
        if format.name != "arrow" {
            let pieces = to_bytes(format, &batch.schema(), &cut, ExportOptions::default());
            assert_eq!(once.expect("writes"), pieces.expect("writes"), "{}", format.name);
        }
    }
}

#[test]
fn what_several_threads_write_is_in_the_order_of_the_rows() {
    let count = 10_001;
    let numbers = Int32Array::from_iter((0..count).map(|row| (row % 7 != 0).then_some(row)));
    let names =
        StringArray::from_iter((0..count).map(|row| (row % 11 != 0).then(|| format!("行{row}, \"{}\"", row % 3))));
    let columns: Vec<(&str, ArrayRef)> = vec![("number", Arc::new(numbers)), ("name", Arc::new(names))];
    let batch = RecordBatch::try_from_iter(columns).expect("one length");
    let pieces: Vec<RecordBatch> =
        (0..batch.num_rows()).step_by(100).map(|from| batch.slice(from, 100.min(batch.num_rows() - from))).collect();
    for name in ["csv", "json", "ndjson"] {
        let format = format(name).expect("declared");
        let written = |batches: &[RecordBatch]| to_bytes(format, &batch.schema(), batches, ExportOptions::default());
        let at_once = written(std::slice::from_ref(&batch)).expect("writes");
        assert!(at_once == written(&pieces).expect("writes"), "{name}");
        // The number behind each 行 is that of a row; every eleventh has no name.
        let text = String::from_utf8(at_once).expect("text");
        let found = text.split('行').skip(1).map(|rest| rest.split(',').next().and_then(|row| row.parse().ok()));
        let expected = (0..count).filter(|row| row % 11 != 0).map(Some);
        assert!(found.eq(expected), "{name}: rows are not in their order");
    }
}

proptest! {
    // Texts that lie as one are looked at as one, and those kept as views each by itself.
    #[test]
    fn texts_are_escaped_alike_however_they_are_kept(
        texts in prop::collection::vec(prop::option::weighted(0.9, prop_oneof![
            "[a-z0-9]{0,6}", "[\u{4e00}-\u{4e0f} ]{0,3}", r#"[=+@"',;\\\n\r\t＝－-]{0,3}[a-z]?"#, any::<String>(),
        ]), 1..6),
        amounts in prop::collection::vec(prop::option::of(-9_999_i128..9_999), 6),
    ) {
        let amounts = Decimal128Array::from(amounts[..texts.len()].to_vec()).with_precision_and_scale(6, 2).expect("fits");
        let kept: [ArrayRef; 2] = [
            Arc::new(StringArray::from(texts.clone())),
            Arc::new(StringViewArray::from_iter(texts.iter().map(Option::as_deref))),
        ];
        for name in ["csv", "json", "ndjson"] {
            let [as_one, as_views] = kept.clone().map(|texts| {
                let columns: [(&str, ArrayRef); 3] = [("a", Arc::clone(&texts)), ("b", Arc::new(amounts.clone())), ("c", texts)];
                let batch = RecordBatch::try_from_iter(columns).expect("one length");
                let bytes = to_bytes(format(name).expect("declared"), &batch.schema(), &[batch], ExportOptions::default());
                String::from_utf8(bytes.expect("writes")).expect("text")
            });
            prop_assert_eq!(&as_one, &as_views, "{}", name);
            let read: Vec<serde_json::Value> = match name {
                "csv" => continue,
                "json" => serde_json::from_str(&as_one).expect("JSON"),
                _ => as_one.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect(),
            };
            let read: Vec<Option<String>> = read.iter().map(|row| row["c"].as_str().map(str::to_owned)).collect();
            prop_assert_eq!(&read, &texts, "{}", name);
        }
    }
}

#[test]
fn names_and_media_types_are_taken_once() {
    for (index, format) in FORMATS.iter().enumerate() {
        for other in &FORMATS[index + 1..] {
            assert!(format.name != other.name && format.media_type != other.media_type, "{} is taken", format.name);
        }
    }
}
