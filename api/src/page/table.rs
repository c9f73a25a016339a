//! Rows as a page shows them: figures lead to their cell.

use gongkai_warehouse::{Snapshot, export};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use crate::http::dataset::{DatasetRecord, Text};
use crate::http::provenance::FIGURES;
use crate::http::{ApiError, sql};

/// Columns that say where a row comes from rather than what it says; previews leave them out.
const ASIDE: [&str; 18] = [
    "region_id",
    "geo_id",
    "geo_kind",
    "published_value",
    "published_unit",
    "published_scale",
    "published_table_no",
    "raw_text",
    "value_state",
    "conversion",
    "parent_path",
    "source_sha256",
    "source_sheet",
    "source_row",
    "source_column",
    "source_cell",
    "release_id",
    "row_no",
];

/// Columns that a reader looks for first, in this order; the figures follow them.
const LEADING: [&str; 15] = [
    "region_name",
    "geo_name",
    "province_name",
    "line_name",
    "class_code",
    "fund_name",
    "scope",
    "as_of_year",
    "fiscal_year",
    "data_month",
    "obs_time",
    "stage",
    "debt_kind",
    "population",
    "measure",
];

/// A heading.
#[derive(Debug, Serialize)]
pub struct Heading {
    name: String,
    label: Option<Text>,
    is_number: bool,
}

/// One value and where it leads.
#[derive(Debug, Serialize)]
pub struct CellView {
    text: Option<String>,
    href: Option<String>,
    is_figure: bool,
}

/// Rows under their headings.
#[derive(Debug, Default, Serialize)]
pub struct Table {
    /// Headings.
    pub columns: Vec<Heading>,
    /// Rows.
    pub rows: Vec<Vec<CellView>>,
}

impl Table {
    /// An answer with all of its columns. Figures lead to their cell where the rows name release and row.
    pub fn of(answered: &sql::Answered, snapshot: &Snapshot, language: &str) -> Result<Self, ApiError> {
        let rows = values(answered)?;
        let position = |name: &str| answered.columns.iter().position(|column| column.name == name);
        let origin = position("release_id").zip(position("row_no"));
        let columns = answered.columns.iter().zip(answered.schema.fields()).map(|(column, field)| Heading {
            name: column.name.clone(),
            label: None,
            is_number: matches!(
                export::cell_kind(field.data_type()),
                export::Cell::Integer | export::Cell::Decimal | export::Cell::Float
            ),
        });
        let columns: Vec<Heading> = columns.collect();
        let rows = rows
            .into_iter()
            .map(|row| {
                let release = origin.and_then(|(release, _)| row[release].clone());
                let number = origin.and_then(|(_, number)| row[number].clone());
                let table = release.as_ref().and_then(|id| snapshot.releases.iter().find(|known| known.id() == *id));
                let cells = row.into_iter().zip(&columns).map(|(text, heading)| {
                    let is_figure = FIGURES.contains(&heading.name.as_str());
                    let place = release.as_ref().zip(number.as_ref()).zip(table).filter(|_| is_figure);
                    let href = place.map(|((release, number), known)| {
                        address(&known.table, release, number, &heading.name, language)
                    });
                    CellView { text, href, is_figure }
                });
                cells.collect()
            })
            .collect();
        Ok(Self { columns, rows })
    }

    /// The same for a dataset's preview: with headings in words, and without the columns of origin.
    pub fn preview(
        answered: &sql::Answered,
        record: &DatasetRecord,
        snapshot: &Snapshot,
        language: &str,
    ) -> Result<Self, ApiError> {
        let mut table = Self::of(answered, snapshot, language)?;
        for heading in &mut table.columns {
            let declared = record.columns.iter().find(|column| column.name == heading.name);
            heading.label = declared.map(|column| column.label.clone());
        }
        let rank = |name: &str| {
            let leading = LEADING.iter().position(|leading| *leading == name);
            let figure = FIGURES.contains(&name).then_some(LEADING.len());
            leading.or(figure).unwrap_or(LEADING.len() + 1)
        };
        let mut order: Vec<usize> =
            (0..table.columns.len()).filter(|index| !ASIDE.contains(&table.columns[*index].name.as_str())).collect();
        order.sort_by_key(|index| rank(&table.columns[*index].name));
        let pick = |taken: &mut Vec<Option<Heading>>| order.iter().filter_map(|index| taken[*index].take()).collect();
        let columns = pick(&mut table.columns.into_iter().map(Some).collect());
        let rows = table.rows.into_iter().map(|row| {
            let mut taken: Vec<Option<CellView>> = row.into_iter().map(Some).collect();
            order.iter().filter_map(|index| taken[*index].take()).collect()
        });
        Ok(Self { columns, rows: rows.collect() })
    }
}

/// Address of the page that shows a figure's cell.
pub fn address(table: &str, release: &str, row: &str, column: &str, language: &str) -> String {
    let release = utf8_percent_encode(release, NON_ALPHANUMERIC);
    format!("/provenance?table={table}&release={release}&row={row}&column={column}&lang={language}")
}

/// The rows of an answer as texts.
pub fn values(answered: &sql::Answered) -> Result<Vec<Vec<Option<String>>>, ApiError> {
    let rows: Vec<Vec<serde_json::Value>> = serde_json::from_slice(&export::to_rows(&answered.collected.batches)?)
        .map_err(|error| ApiError::internal(&error))?;
    let text = |value: serde_json::Value| match value {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(text),
        other => Some(other.to_string()),
    };
    Ok(rows.into_iter().map(|row| row.into_iter().map(text).collect()).collect())
}
