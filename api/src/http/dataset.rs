//! The catalogue: datasets, what their columns mean, and what is current.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use gongkai_catalog::{Audience, Catalog, Column, Dataset, SumRule};
use gongkai_warehouse::{ReleaseRecord, Snapshot, export};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caching::NotModified;
use super::error::Problems;
use super::{ApiError, App, caching};

/// A text in both languages.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Text {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

impl From<&gongkai_catalog::Label> for Text {
    fn from(label: &gongkai_catalog::Label) -> Self {
        Self { zh: label.zh.clone(), en: label.en.clone() }
    }
}

/// A named thing that a dataset refers to.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Reference {
    /// Identifier.
    pub id: String,
    /// Name.
    pub label: Text,
}

/// A dataset in a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DatasetSummary {
    /// Identifier.
    pub id: String,
    /// Title.
    pub title: Text,
    /// What it holds.
    pub description: Text,
    /// Publishing office.
    pub publisher: Reference,
    /// Subjects.
    pub themes: Vec<Reference>,
    /// Region described; `000000` is the whole country.
    pub region_code: String,
    /// Table of its rows.
    pub table: String,
    /// How often a new period is published.
    pub cycle: Text,
    /// Current partitions.
    pub partitions: usize,
    /// Rows in them.
    pub rows: u64,
    /// Latest publication among them.
    pub published_at: Option<String>,
    /// Whether some current figures are synthetic samples.
    pub is_synthetic: bool,
}

/// A column, as the dictionary has it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ColumnRecord {
    /// Name in SQL and in files.
    pub name: String,
    /// Type.
    #[serde(rename = "type")]
    pub column_type: String,
    /// Unit id, where every value has the same one.
    pub unit: Option<String>,
    /// Heading.
    pub label: Text,
    /// Meaning.
    pub description: Text,
    /// Whether it may be missing.
    pub is_nullable: bool,
    /// Whether it is part of the business key.
    pub is_key: bool,
    /// What it may be added up over, where that is declared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sum: Option<SumRecord>,
}

impl From<&Column> for ColumnRecord {
    fn from(column: &Column) -> Self {
        Self {
            name: column.name.clone(),
            column_type: column.column_type.to_string(),
            unit: column.unit.clone(),
            label: (&column.label).into(),
            description: (&column.description).into(),
            is_nullable: column.is_nullable,
            is_key: column.is_key,
            sum: None,
        }
    }
}

/// What a column may be added up over.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SumRecord {
    /// Columns of which a sum spans one value only: each is filtered or grouped by.
    pub within: Vec<String>,
    /// Columns that tell totals from what makes them up: one of them is filtered or grouped by.
    pub levels: Vec<String>,
    /// Table that has the rows that add up.
    pub table: Option<String>,
}

impl From<&SumRule> for SumRecord {
    fn from(rule: &SumRule) -> Self {
        Self { within: rule.within.clone(), levels: rule.levels.clone(), table: rule.additive.clone() }
    }
}

/// A file of a release.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FileRecord {
    /// Name.
    pub name: String,
    /// Media type.
    pub media_type: String,
    /// Length.
    pub bytes: u64,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
    /// Where to fetch it.
    pub href: String,
}

/// A release, as lists and datasets name it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReleaseSummary {
    /// `{dataset}.{number}`.
    pub id: String,
    /// Number within the dataset.
    pub number: u64,
    /// Values of the partition columns, joined by `/`.
    pub partition: String,
    /// `initial`, `update`, `correction`, `supplement`, `clarification` or `withdrawal`.
    pub kind: String,
    /// When the public could first read it.
    pub published_at: Option<String>,
    /// When this warehouse recorded it.
    pub recorded_at: String,
    /// Number of the release it replaces.
    pub supersedes: Option<u64>,
    /// Numbers of the releases that it takes back: of a withdrawal only.
    pub withdraws: Vec<u64>,
    /// The release that took it back. Its files and rows are given out no more.
    pub withdrawn_by: Option<String>,
    /// Why it was made.
    pub reason: String,
    /// Whether it holds for its partition now.
    pub is_current: bool,
    /// Whether its figures are synthetic samples.
    pub is_synthetic: bool,
    /// Rows.
    pub rows: u64,
    /// Digest of its manifest.
    pub manifest_sha256: String,
    /// Its place in the publication log.
    pub log_index: u64,
    /// Files, the manifest among them.
    pub files: Vec<FileRecord>,
}

/// A dataset in full.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DatasetRecord {
    /// What lists show.
    #[serde(flatten)]
    pub summary: DatasetSummary,
    /// Licence.
    pub licence: Reference,
    /// Search words.
    pub keywords: Vec<String>,
    /// What to know before using a figure.
    pub warnings: Vec<Text>,
    /// Columns.
    pub columns: Vec<ColumnRecord>,
    /// Columns whose values name a partition.
    pub partition_by: Vec<String>,
    /// Current releases, one a partition.
    pub releases: Vec<ReleaseSummary>,
    /// Where the whole dataset can be fetched, by format.
    pub downloads: BTreeMap<String, String>,
    /// How to cite it.
    pub citation: String,
}

/// Filters of the list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct DatasetFilter {
    /// Words to look for in titles, descriptions, keywords and columns.
    q: Option<String>,
    /// Theme id.
    theme: Option<String>,
    /// Publisher id.
    publisher: Option<String>,
    /// Region code.
    region: Option<String>,
    /// Format that the dataset must be available in.
    format: Option<String>,
    /// `id`, `-id`, `published_at` or `-published_at`.
    #[param(pattern = "^(|-?id|-?published_at)$")]
    sort: Option<String>,
}

/// Datasets with counts by theme and publisher.
#[derive(Debug, Serialize, ToSchema)]
pub struct DatasetList {
    /// The datasets that match.
    pub datasets: Vec<DatasetSummary>,
    /// How many match.
    pub total: usize,
    /// How many of these by theme and publisher.
    pub facets: Facets,
}

/// Counts of the datasets that match.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Facets {
    /// By theme id.
    pub themes: BTreeMap<String, usize>,
    /// By publisher id.
    pub publishers: BTreeMap<String, usize>,
}

/// What a dataset is, in short.
pub fn summary(catalog: &Catalog, snapshot: &Snapshot, dataset: &Dataset) -> DatasetSummary {
    let releases = snapshot.current_of_dataset(&dataset.id);
    let reference = |id: &String, label: Option<&gongkai_catalog::Label>| Reference {
        id: id.clone(),
        label: label.map_or_else(|| Text { zh: id.clone(), en: id.clone() }, Text::from),
    };
    DatasetSummary {
        id: dataset.id.clone(),
        title: (&dataset.label).into(),
        description: (&dataset.description).into(),
        publisher: reference(
            &dataset.publisher,
            catalog.publishers.get(&dataset.publisher).map(|office| &office.label),
        ),
        themes: dataset
            .themes
            .iter()
            .map(|theme| reference(theme, catalog.themes.get(theme).map(|theme| &theme.label)))
            .collect(),
        region_code: dataset.region_code.clone(),
        table: dataset.table.clone(),
        cycle: (&dataset.cycle).into(),
        partitions: releases.len(),
        rows: releases.iter().map(|release| release.rows).sum(),
        published_at: releases.iter().map(|release| release.effective_at()).max().map(|time| time.to_rfc3339()),
        is_synthetic: releases.iter().any(|release| release.is_synthetic),
    }
}

/// What a release is, in short.
pub fn release_summary(release: &ReleaseRecord, is_current: bool) -> ReleaseSummary {
    let base = format!("/api/v1/datasets/{}/releases/{}/files", release.dataset, release.number);
    ReleaseSummary {
        id: release.id(),
        number: release.number,
        partition: release.partition.clone(),
        kind: release.kind.clone(),
        published_at: release.published_at.map(|time| time.to_rfc3339()),
        recorded_at: release.recorded_at.to_rfc3339(),
        supersedes: release.supersedes,
        withdraws: release.withdraws.clone(),
        withdrawn_by: None,
        reason: release.reason.clone(),
        is_current,
        is_synthetic: release.is_synthetic,
        rows: release.rows,
        manifest_sha256: release.manifest_sha256.clone(),
        log_index: release.log_index,
        files: release
            .files
            .iter()
            .map(|file| FileRecord {
                name: file.name.clone(),
                media_type: file.media_type.clone(),
                bytes: file.bytes,
                sha256: file.sha256.clone(),
                href: format!("{base}/{}", file.name),
            })
            .collect(),
    }
}

/// Columns that everybody may see.
pub fn columns(table: &gongkai_catalog::Table) -> Vec<ColumnRecord> {
    table
        .public_columns()
        .map(|column| {
            let sum = table.sums.iter().find(|rule| rule.column == column.name).map(SumRecord::from);
            ColumnRecord { sum, ..ColumnRecord::from(column) }
        })
        .collect()
}

fn matches(dataset: &Dataset, filter: &DatasetFilter) -> bool {
    let text = [
        dataset.id.as_str(),
        &dataset.label.zh,
        &dataset.label.en,
        &dataset.description.zh,
        &dataset.description.en,
        &dataset.keywords.join(" "),
    ]
    .join(" ")
    .to_lowercase();
    let has = |wanted: &Option<String>, holds: &dyn Fn(&str) -> bool| {
        wanted.as_deref().filter(|wanted| !wanted.is_empty()).is_none_or(holds)
    };
    has(&filter.q, &|q| q.to_lowercase().split_whitespace().all(|word| text.contains(word)))
        && has(&filter.theme, &|theme| dataset.themes.iter().any(|of| of == theme))
        && has(&filter.publisher, &|publisher| dataset.publisher == publisher)
        && has(&filter.region, &|region| dataset.region_code == region)
        && has(&filter.format, &|format| export::format(format).is_some())
}

/// Lists what the filters leave, in the order asked for.
pub fn find(catalog: &Catalog, snapshot: &Snapshot, filter: &DatasetFilter) -> Result<Vec<DatasetSummary>, ApiError> {
    let mut found: Vec<DatasetSummary> = catalog
        .datasets
        .values()
        .filter(|dataset| dataset.audience == Audience::Public && matches(dataset, filter))
        .map(|dataset| summary(catalog, snapshot, dataset))
        .collect();
    match filter.sort.as_deref().unwrap_or("id") {
        "" | "id" => {}
        "-id" => found.reverse(),
        "published_at" => found.sort_by(|a, b| a.published_at.cmp(&b.published_at)),
        "-published_at" => found.sort_by(|a, b| b.published_at.cmp(&a.published_at)),
        other => return Err(ApiError::parameter("sort", other, "id, -id, published_at or -published_at")),
    }
    Ok(found)
}

impl DatasetFilter {
    /// What the portal's list asks for.
    pub fn of_page(q: Option<String>, theme: Option<String>, publisher: Option<String>, sort: Option<String>) -> Self {
        Self { q, theme, publisher, region: None, format: None, sort }
    }
}

/// Datasets of the catalogue.
#[utoipa::path(get, path = "/datasets", operation_id = "list_datasets", tag = "catalogue", params(DatasetFilter),
    responses((status = 200, description = "The datasets that match.", body = DatasetList), NotModified, Problems))]
pub async fn list_datasets(
    State(app): State<App>,
    headers: HeaderMap,
    filter: Result<Query<DatasetFilter>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(filter) = filter?;
    let snapshot = app.snapshot().await?;
    let datasets = find(app.catalog(), &snapshot, &filter)?;
    let mut facets = Facets::default();
    for dataset in &datasets {
        *facets.publishers.entry(dataset.publisher.id.clone()).or_default() += 1;
        for theme in &dataset.themes {
            *facets.themes.entry(theme.id.clone()).or_default() += 1;
        }
    }
    let tag = caching::tag(&snapshot, &["datasets", &format!("{filter:?}")]);
    Ok(caching::respond(&headers, &tag, || {
        Json(DatasetList { total: datasets.len(), datasets, facets }).into_response()
    }))
}

/// The full record of a dataset.
pub fn record(app: &App, snapshot: &Snapshot, id: &str) -> Result<DatasetRecord, ApiError> {
    let (dataset, table) = app.dataset(id)?;
    let catalog = app.catalog();
    let summary = summary(catalog, snapshot, dataset);
    let licence = catalog.licences.get(&dataset.licence);
    let citation = format!(
        "{}：{}（{}），发布编号 {}，Gongkai",
        summary.publisher.label.zh,
        summary.title.zh,
        summary.published_at.as_deref().map_or("尚未发布", |time| &time[..10]),
        snapshot.current_of_dataset(id).last().map_or_else(|| "无".to_owned(), |release| release.id()),
    );
    Ok(DatasetRecord {
        licence: Reference {
            id: dataset.licence.clone(),
            label: licence.map_or_else(|| Text { zh: String::new(), en: String::new() }, |of| (&of.label).into()),
        },
        keywords: dataset.keywords.clone(),
        warnings: dataset.notes.iter().map(Text::from).collect(),
        columns: columns(table),
        partition_by: dataset.partition_by.clone(),
        releases: snapshot.current_of_dataset(id).into_iter().map(|release| release_summary(release, true)).collect(),
        downloads: export::FORMATS
            .iter()
            .map(|format| (format.name.to_owned(), format!("/api/v1/datasets/{id}/download?format={}", format.name)))
            .collect(),
        citation,
        summary,
    })
}

/// One dataset: its columns, current releases and files.
#[utoipa::path(get, path = "/datasets/{id}", operation_id = "get_dataset", tag = "catalogue",
    params(("id" = String, Path, description = "Dataset id", example = "debt_limit_balance_final")),
    responses((status = 200, description = "The dataset.", body = DatasetRecord), NotModified, Problems))]
pub async fn get_dataset(
    State(app): State<App>,
    headers: HeaderMap,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let Path(id) = id?;
    let snapshot = app.snapshot().await?;
    let record = record(&app, &snapshot, &id)?;
    Ok(caching::respond(&headers, &caching::tag(&snapshot, &["dataset", &id]), || Json(record).into_response()))
}
