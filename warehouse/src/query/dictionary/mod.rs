//! The tables that are made in memory: schema `catalog` from snapshot and declarations, `ref` from code lists,
//! and for local operators `staging` from the ledger.
//!
//! `information_schema` says the same of both in the words of the standard. Each is declared once as a [`View`], columns with types and comments in both languages beside the code
//! that fills them, and the data dictionary (`catalog.table`, `catalog.column`) is made from the same
//! declarations. Only what the caller may see gets in.

mod datasets;
mod disclosure;
mod findings;
pub(super) mod lists;
mod reference;
mod staging;
pub(super) mod standard;
mod tables;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::{DateTime, FixedOffset, NaiveDate, Utc};
use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Int64Array, RecordBatch, StringViewArray, TimestampMicrosecondArray,
};
use datafusion::arrow::datatypes::{DataType, Date32Type, Field, Schema, SchemaRef, TimeUnit};
use datafusion::common::Result;
use gongkai_catalog::{Audience, Catalog};

use super::functions::Functions;
use super::released_table::{LABEL_EN, LABEL_ZH};
use crate::derived::Derived;
use crate::schema::ZONE;
use crate::{ReleaseRecord, Snapshot, Staging};

/// Time in China, all year.
const BEIJING: FixedOffset = match FixedOffset::east_opt(8 * 3600) {
    Some(offset) => offset,
    None => panic!("eight hours are an offset"),
};

/// What a view is made from.
pub(super) struct Sources<'a> {
    /// Declarations.
    pub catalog: &'a Catalog,
    /// Derived tables.
    pub derived: &'a BTreeMap<String, Derived>,
    /// Functions.
    pub functions: &'a Functions,
    /// Releases.
    pub snapshot: &'a Snapshot,
    /// What the inbox held; none for everybody but local operators.
    pub staging: Option<&'a Staging>,
    /// The moment that the question is about.
    pub at: DateTime<Utc>,
}

impl<'a> Sources<'a> {
    /// Whether everybody may see a dataset.
    fn shows(&self, dataset: &str) -> bool {
        self.catalog.datasets.get(dataset).is_some_and(|dataset| dataset.audience == Audience::Public)
    }

    /// The views that the caller may see.
    pub fn views(&self) -> impl Iterator<Item = &'static View> + use<> {
        let staged: &'static [View] = if self.staging.is_some() { staging::VIEWS } else { &[] };
        views().chain(staged)
    }

    /// The day of that moment, in China.
    fn today(&self) -> NaiveDate {
        self.at.with_timezone(&BEIJING).date_naive()
    }

    /// Releases that everybody may see, with their positions in the snapshot.
    fn releases(&self) -> impl Iterator<Item = (usize, &'a ReleaseRecord)> {
        self.snapshot.releases.iter().enumerate().filter(|(_, release)| self.shows(&release.dataset))
    }
}

/// Type of a view's column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Bigint,
    Boolean,
    Date,
    Timestamp,
}

impl Kind {
    fn arrow(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8View,
            Self::Bigint => DataType::Int64,
            Self::Boolean => DataType::Boolean,
            Self::Date => DataType::Date32,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some(ZONE.into())),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Bigint => "bigint",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
        }
    }
}

/// A column of a view.
pub struct ViewColumn {
    /// Name in SQL.
    pub name: &'static str,
    kind: Kind,
    /// What it says, in Chinese.
    pub zh: &'static str,
    /// What it says, in English.
    pub en: &'static str,
}

impl ViewColumn {
    /// Type, in the words of the dictionary.
    pub fn type_name(&self) -> &'static str {
        self.kind.name()
    }
}

const fn column(name: &'static str, kind: Kind, zh: &'static str, en: &'static str) -> ViewColumn {
    ViewColumn { name, kind, zh, en }
}

/// A table made in memory.
pub struct View {
    /// Schema that it is in.
    pub schema: &'static str,
    /// Name within the schema.
    pub name: &'static str,
    /// What it holds, in Chinese.
    pub zh: &'static str,
    /// What it holds, in English.
    pub en: &'static str,
    /// Columns in their order.
    pub columns: &'static [ViewColumn],
    fill: fn(&Sources<'_>) -> Vec<ArrayRef>,
}

impl View {
    /// What it holds, in both languages.
    pub(in crate::query) fn title(&self) -> String {
        format!("{} / {}", self.zh, self.en)
    }

    /// Columns with their comments.
    pub(in crate::query) fn arrow_schema(&self) -> SchemaRef {
        let fields = self.columns.iter().map(|column| {
            let metadata = HashMap::from([
                ("comment".to_owned(), format!("{} / {}", column.zh, column.en)),
                (LABEL_ZH.to_owned(), column.zh.to_owned()),
                (LABEL_EN.to_owned(), column.en.to_owned()),
            ]);
            Field::new(column.name, column.kind.arrow(), true).with_metadata(metadata)
        });
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    /// All rows.
    pub(in crate::query) fn batch(&self, sources: &Sources<'_>) -> Result<RecordBatch> {
        let arrays = (self.fill)(sources);
        Ok(RecordBatch::try_new(self.arrow_schema(), arrays)?)
    }
}

/// Every view that everybody may see.
pub(super) fn views() -> impl Iterator<Item = &'static View> {
    [datasets::VIEWS, disclosure::VIEWS, findings::VIEWS, tables::VIEWS, reference::VIEWS, standard::VIEWS]
        .into_iter()
        .flatten()
}

/// The views that everybody may see, but for those whose contents the standard of SQL defines.
pub fn described_views() -> impl Iterator<Item = &'static View> {
    views().filter(|view| view.schema != "information_schema")
}

/// Whether the releases alone decide the rows of a view. Others depend on the moment that is asked about, or on the inbox.
pub(super) fn is_decided_by_releases(schema: &str, name: &str) -> bool {
    schema != crate::staging::SCHEMA
        && !matches!((schema, name), ("catalog", "clock" | "item_coverage") | ("ref", "period"))
}

fn text<T: AsRef<str>>(values: impl IntoIterator<Item = Option<T>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<StringViewArray>())
}

fn bigint(values: impl IntoIterator<Item = Option<u64>>) -> ArrayRef {
    let values = values.into_iter().map(|value| value.and_then(|value| i64::try_from(value).ok()));
    Arc::new(values.collect::<Int64Array>())
}

fn boolean(values: impl IntoIterator<Item = bool>) -> ArrayRef {
    Arc::new(values.into_iter().map(Some).collect::<BooleanArray>())
}

fn date(values: impl IntoIterator<Item = Option<NaiveDate>>) -> ArrayRef {
    Arc::new(values.into_iter().map(|day| day.map(Date32Type::from_naive_date)).collect::<Date32Array>())
}

fn timestamp(values: impl IntoIterator<Item = Option<DateTime<Utc>>>) -> ArrayRef {
    let values = values.into_iter().map(|time| time.map(|time| time.timestamp_micros()));
    Arc::new(values.collect::<TimestampMicrosecondArray>().with_timezone(ZONE))
}
