//! Slices as sources come, change and go.

use arrow::array::AsArray;
use arrow::util::display::array_value_to_string;
use gongkai_catalog::{Catalog, Dataset, Declarations};

use super::*;
use crate::lake::part::cut;
use crate::query::tests::warehouse::{DEBT, Row, rows_in};
use crate::store::MemoryStore;

struct Fixture {
    catalog: Catalog,
    store: MemoryStore,
}

impl Fixture {
    fn new() -> Self {
        let catalog = Catalog::load(Declarations::embedded()).expect("the embedded catalogue");
        Self { catalog, store: MemoryStore::new() }
    }

    fn dataset(&self) -> &Dataset {
        &self.catalog.datasets[DEBT]
    }

    fn table(&self) -> &Table {
        &self.catalog.tables[&self.dataset().table]
    }

    /// Stores what a source gives; the changes that it means.
    async fn given(&self, source: &str, rows: &[Row<'_>]) -> Changes {
        let batch = rows_in(part_schema(self.table()), rows);
        let mut changes = Changes::new();
        for part in cut(&batch, self.dataset(), self.table()).expect("parts") {
            let key = SliceKey { dataset: DEBT.to_owned(), partition: part.partition.clone() };
            let stored = part.store(&self.store, &self.table().name, DEBT, source).await.expect("stored");
            changes.entry((key, source.to_owned())).or_default().push(stored);
        }
        changes
    }

    async fn open(&self) -> NormalisedTable<'_> {
        NormalisedTable::open(&self.store, self.table()).await.expect("a table")
    }
}

fn key(partition: &str) -> SliceKey {
    SliceKey { dataset: DEBT.to_owned(), partition: partition.to_owned() }
}

/// `source, address, amount` of a slice's rows, in order.
async fn rows_of(table: &NormalisedTable<'_>, partition: &str) -> Vec<String> {
    let batch = table.read(&key(partition)).await.expect("rows");
    let text = |name: &str, row: usize| {
        let column = batch.column_by_name(name).expect("a column");
        array_value_to_string(column, row).expect("a text")
    };
    let sources = batch.column_by_name("source_sha256").expect("a column").as_string::<i32>();
    (0..batch.num_rows())
        .map(|row| format!("{} {} {}", &sources.value(row)[..1], text("source_cell", row), text("amount_yuan", row)))
        .collect()
}

fn row<'a>(year: &'a str, place: (&'a str, &'a str), amount: &'a str) -> [(&'a str, &'a str); 6] {
    [
        ("as_of_year", year),
        ("stage", "FINAL"),
        ("source_sheet", "Sheet1"),
        ("source_row", place.0),
        ("source_column", place.1),
        ("amount_yuan", amount),
    ]
}

#[tokio::test]
async fn a_source_replaces_its_own_rows_and_no_others() {
    let fixture = Fixture::new();
    let (a, b) = ("a".repeat(64), "b".repeat(64));
    let now = DateTime::UNIX_EPOCH;
    let mut table = fixture.open().await;

    let first: [&[(&str, &str)]; 3] =
        [&row("2021", ("7", "4"), "1.00"), &row("2022", ("8", "27"), "2.00"), &row("2021", ("9", "4"), "3.00")];
    let mut both = fixture.given(&a, &first).await;
    let of_b = fixture.given(&b, &[&row("2021", ("1", "1"), "9.00")]).await;
    both.extend(of_b.clone());
    assert_eq!(table.apply(&both, now).await.expect("a version"), BTreeSet::from([a.clone(), b.clone()]));
    assert_eq!(table.slices().cloned().collect::<Vec<_>>(), [key("2021/FINAL"), key("2022/FINAL")]);
    assert_eq!(rows_of(&table, "2021/FINAL").await, ["a D7 1.00", "a D9 3.00", "b A1 9.00"]);
    assert_eq!(rows_of(&table, "2022/FINAL").await, ["a AA8 2.00"]);

    // The same again makes no version, also for who opens the table anew.
    let version = table.version();
    let mut table = fixture.open().await;
    assert!(table.apply(&fixture.given(&a, &first).await, now).await.expect("nothing").is_empty());
    assert_eq!(table.version(), version);

    // The source is read otherwise: one slice changes, one is given up.
    let mut changes = fixture.given(&a, &[&row("2021", ("7", "4"), "1.50")]).await;
    changes.insert((key("2022/FINAL"), a.clone()), Vec::new());
    assert_eq!(table.apply(&changes, now).await.expect("a version"), BTreeSet::from([a]));
    assert_eq!(table.version(), version + 1);
    assert_eq!(rows_of(&table, "2021/FINAL").await, ["a D7 1.50", "b A1 9.00"]);
    assert_eq!(table.slices().cloned().collect::<Vec<_>>(), [key("2021/FINAL")]);
}

#[tokio::test]
async fn two_feeds_of_one_file_stand_in_the_order_of_the_file() {
    let fixture = Fixture::new();
    let source = "a".repeat(64);
    let mut changes =
        fixture.given(&source, &[&row("2021", ("9", "2"), "3.00"), &row("2021", ("5", "3"), "2.00")]).await;
    let other = fixture.given(&source, &[&row("2021", ("5", "2"), "1.00")]).await;
    for (owner, parts) in other {
        changes.entry(owner).or_default().extend(parts);
    }
    let mut table = fixture.open().await;
    table.apply(&changes, DateTime::UNIX_EPOCH).await.expect("a version");
    assert_eq!(rows_of(&table, "2021/FINAL").await, ["a B5 1.00", "a C5 2.00", "a B9 3.00"]);
}

#[test]
fn a_part_names_its_source() {
    let source = "c".repeat(64);
    assert_eq!(source_of(&format!("dataset/{source}/0.parquet")), Some(source.as_str()));
    assert_eq!(source_of("dataset_id=x/partition=y/part-00000.parquet"), None);
}
