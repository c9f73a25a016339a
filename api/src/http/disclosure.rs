//! The tiered disclosure catalogues: what each region has to publish, and whether it is there.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use chrono::{FixedOffset, NaiveDate};
use gongkai_catalog::disclosure::{DisclosureItem, DisclosureRegion, LegalBasis, RegionItem};
use gongkai_warehouse::Snapshot;
use gongkai_warehouse::disclosure::{CoverageCounts, count, coverage};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caching::NotModified;
use super::dataset::Text;
use super::error::Problems;
use super::record::PageToken;
use super::{ApiError, App, caching};

/// How many items are in which state.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CoverageRecord {
    /// Items that are for everybody.
    pub public: u64,
    /// Covered by a release of published figures.
    pub covered: u64,
    /// Covered by synthetic figures only, which do not count.
    pub synthetic: u64,
    /// A dataset is linked and holds nothing for the region.
    pub missing: u64,
    /// No dataset is linked yet.
    pub unlinked: u64,
    /// Items for the people concerned only.
    pub not_public: u64,
    /// Covered items among those for everybody, in per cent with one decimal.
    pub share_pct: Option<String>,
}

impl From<CoverageCounts> for CoverageRecord {
    fn from(counts: CoverageCounts) -> Self {
        Self {
            public: counts.public,
            covered: counts.covered,
            synthetic: counts.synthetic,
            missing: counts.missing,
            unlinked: counts.unlinked,
            not_public: counts.not_public,
            share_pct: counts.share_pct(),
        }
    }
}

/// A region's catalogue in a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CatalogSummary {
    /// Code of the region.
    pub region_code: String,
    /// Name of the region.
    pub name: String,
    /// `city`, `county` or `township`.
    pub tier: String,
    /// Items.
    pub items: usize,
    /// How they stand.
    pub coverage: CoverageRecord,
}

/// The catalogues of an instance.
#[derive(Debug, Serialize, ToSchema)]
pub struct CatalogList {
    /// Title.
    pub label: Text,
    /// Version.
    pub version: String,
    /// The document that it follows.
    pub basis: String,
    /// One for each region, in the order of the catalogue.
    pub catalogs: Vec<CatalogSummary>,
}

/// An item of a region.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ItemRecord {
    /// Code, stable for life.
    pub code: String,
    /// Number of the version.
    pub version_no: u32,
    /// First day on which this version holds.
    pub valid_from: NaiveDate,
    /// First day on which it does not.
    pub valid_to: Option<NaiveDate>,
    /// Why it is another version than the one before.
    pub reason: Option<Text>,
    /// Why the region has it otherwise than others of its tier.
    pub local_reason: Option<Text>,
    /// `proactive` or `on_request`.
    pub mode: String,
    /// Class of article 20 of the regulation on open government information.
    pub oga_class: Option<u8>,
    /// Duties of the work plan that it fulfils.
    pub obligations: Vec<String>,
    /// Whether a person has yet to say what the deadline's text means.
    pub needs_review: bool,
    /// First level.
    pub level1: Text,
    /// Second level.
    pub label: Text,
    /// What has to be in it.
    pub content: Vec<String>,
    /// Deadline as written.
    pub deadline_text: String,
    /// Deadline as a rule.
    #[schema(value_type = Option<Object>)]
    pub deadline_rule: Option<serde_json::Value>,
    /// What it follows from.
    pub legal_basis: Vec<String>,
    /// Office whose duty it is.
    pub publisher: Text,
    /// Where it is published.
    pub channels: Vec<String>,
    /// `public` or `specific`.
    pub audience: String,
    /// The audience in words, where it is not everybody.
    pub audience_text: Option<String>,
    /// Datasets that fulfil it.
    pub datasets: Vec<String>,
    /// `covered`, `synthetic`, `missing`, `unlinked` or `not_public`.
    pub state: String,
    /// Current releases with rows for the region.
    pub releases: Vec<String>,
}

/// Items of one field.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FieldRecord {
    /// Number of the field.
    pub number: String,
    /// Title.
    pub label: Text,
    /// How its items stand.
    pub coverage: CoverageRecord,
    /// Its items.
    pub items: Vec<ItemRecord>,
}

/// A region's catalogue.
#[derive(Debug, Serialize, ToSchema)]
pub struct CatalogRecord {
    /// What lists show.
    #[serde(flatten)]
    pub summary: CatalogSummary,
    /// Version.
    pub version: String,
    /// The document that it follows.
    pub basis: String,
    /// Fields in the order of their numbers.
    pub fields: Vec<FieldRecord>,
}

/// A page of items.
#[derive(Debug, Serialize, ToSchema)]
pub struct ItemPage {
    /// Items in the order of their codes.
    pub items: Vec<ItemRecord>,
    /// Items in all.
    pub total: usize,
    /// Token of the next page, where there is one.
    pub next_page_token: Option<String>,
}

/// How the items of a region stand.
#[derive(Debug, Serialize, ToSchema)]
pub struct CoverageReport {
    /// Code of the region.
    pub region_code: String,
    /// All items.
    pub total: CoverageRecord,
    /// By field: number, title, counts.
    pub fields: Vec<FieldCoverage>,
}

/// How the items of a field stand.
#[derive(Debug, Serialize, ToSchema)]
pub struct FieldCoverage {
    /// Number of the field.
    pub number: String,
    /// Title.
    pub label: Text,
    /// Counts.
    pub coverage: CoverageRecord,
}

/// An item that two regions do not have alike. Codes are without the region.
#[derive(Debug, Serialize, ToSchema)]
pub struct ItemDifference {
    /// `{field}-{code}`.
    pub code: String,
    /// Second level.
    pub label: Text,
    /// State in the first region; none where it has no such item.
    pub state: Option<String>,
    /// State in the second region.
    pub other_state: Option<String>,
    /// `tier`: the tiers have different duties; `local`: one region has it otherwise, with a reason; `version`: the duty changed between
    /// the two days; `published`: both have it, and only one has published.
    pub why: String,
    /// The reason of the region that has it otherwise.
    pub reason: Option<Text>,
    /// Terms that the two state otherwise.
    pub changed: Vec<TermChange>,
}

/// A term of an item that two regions state otherwise.
#[derive(Debug, Serialize, ToSchema)]
pub struct TermChange {
    /// `deadline_text`, `content`, `channels`, `publisher` or `audience`.
    pub term: String,
    /// In the first region.
    pub value: String,
    /// In the second.
    pub other_value: String,
}

/// What two catalogues do not have alike.
#[derive(Debug, Serialize, ToSchema)]
pub struct CatalogDiff {
    /// The first region.
    pub region_code: String,
    /// The second region.
    pub with: String,
    /// Day of the first catalogue.
    pub on: NaiveDate,
    /// Day of the second.
    pub with_on: NaiveDate,
    /// Items that only one has, or that stand differently.
    pub differences: Vec<ItemDifference>,
}

fn follower<'a>(app: &'a App, code: &str) -> Result<&'a DisclosureRegion, ApiError> {
    app.catalog().disclosure.region(code).ok_or_else(|| ApiError::not_found("catalogue of a region", code))
}

/// Today in China, or the day of the snapshot's `as_of`.
pub fn today(app: &App, snapshot: &Snapshot) -> NaiveDate {
    let now = snapshot.as_of.unwrap_or_else(|| app.instance.clock.now());
    let beijing = FixedOffset::east_opt(8 * 3600).map(|offset| now.with_timezone(&offset).date_naive());
    beijing.unwrap_or_else(|| now.date_naive())
}

fn summary(app: &App, snapshot: &Snapshot, region: &DisclosureRegion) -> CatalogSummary {
    let today = today(app, snapshot);
    CatalogSummary {
        region_code: region.region_code.clone(),
        name: region.name.clone(),
        tier: region.tier.name().to_owned(),
        items: region.items_on(today).count(),
        coverage: count(app.catalog(), snapshot, region, today).into(),
    }
}

fn item_record(app: &App, snapshot: &Snapshot, region: &DisclosureRegion, own: &RegionItem) -> ItemRecord {
    let item = &own.item;
    let found = coverage(app.catalog(), snapshot, region, item);
    ItemRecord {
        code: own.code(region),
        version_no: item.version_no,
        valid_from: item.valid_from,
        valid_to: item.valid_to,
        reason: item.reason.as_ref().map(Text::from),
        local_reason: own.local_reason.as_ref().map(Text::from),
        mode: item.mode.name().to_owned(),
        oga_class: item.oga_class,
        obligations: item.obligations.clone(),
        needs_review: item.needs_review,
        level1: (&item.level1).into(),
        label: (&item.label).into(),
        content: item.content.clone(),
        deadline_text: item.deadline_text.clone(),
        deadline_rule: item.rule.as_ref().and_then(|rule| serde_json::to_value(rule).ok()),
        legal_basis: item.legal_basis.iter().map(LegalBasis::citation).collect(),
        publisher: (&item.publisher).into(),
        channels: item.channels.clone(),
        audience: item.audience.name().to_owned(),
        audience_text: item.audience_text.clone(),
        datasets: item.datasets.iter().map(|link| link.dataset.clone()).collect(),
        state: found.state.name().to_owned(),
        releases: found.releases.iter().map(|release| release.id()).collect(),
    }
}

/// Every region's catalogue, in the order of the list.
pub fn catalogs(app: &App, snapshot: &Snapshot) -> Vec<CatalogSummary> {
    let today = today(app, snapshot);
    app.catalog().disclosure.regions_on(today).map(|region| summary(app, snapshot, region)).collect()
}

/// The catalogue of one region.
///
/// # Errors
///
/// `not_found` for a region that follows no catalogue.
pub fn catalog(app: &App, snapshot: &Snapshot, code: &str) -> Result<CatalogRecord, ApiError> {
    let region = follower(app, code)?;
    let disclosure = &app.catalog().disclosure;
    let today = today(app, snapshot);
    let fields = disclosure.fields.iter().map(|field| {
        let own = region.items_on(today).filter(|own| own.field == field.number);
        let mut counts = CoverageCounts::default();
        let items: Vec<ItemRecord> = own
            .map(|own| {
                counts.add(coverage(app.catalog(), snapshot, region, &own.item).state);
                item_record(app, snapshot, region, own)
            })
            .collect();
        FieldRecord { number: field.number.clone(), label: (&field.label).into(), coverage: counts.into(), items }
    });
    Ok(CatalogRecord {
        summary: summary(app, snapshot, region),
        version: disclosure.version.clone(),
        basis: disclosure.basis.clone(),
        fields: fields.filter(|field| !field.items.is_empty()).collect(),
    })
}

/// Two catalogues to be compared: of two regions, of two days, or both.
#[derive(Debug, Clone, Copy)]
pub struct Compared<'a> {
    /// Code of the first region.
    pub code: &'a str,
    /// Code of the second; the same where two days are compared.
    pub with: &'a str,
    /// Day of the first; today where absent.
    pub on: Option<NaiveDate>,
    /// Day of the second; today where absent.
    pub with_on: Option<NaiveDate>,
}

/// What two catalogues do not have alike: items of one only, items that say otherwise, and items that stand differently.
///
/// # Errors
///
/// `not_found` for a region that follows no catalogue.
pub fn difference(app: &App, snapshot: &Snapshot, compared: Compared<'_>) -> Result<CatalogDiff, ApiError> {
    let Compared { code, with, .. } = compared;
    let (region, other) = (follower(app, code)?, follower(app, with)?);
    let today = today(app, snapshot);
    let (on, with_on) = (compared.on.unwrap_or(today), compared.with_on.unwrap_or(today));
    let items = |region: &DisclosureRegion, day: NaiveDate| -> BTreeMap<String, RegionItem> {
        region.items_on(day).map(|own| (own.short_code(), own.clone())).collect()
    };
    let (own, others) = (items(region, on), items(other, with_on));
    let state = |region: &DisclosureRegion, own: Option<&RegionItem>| {
        own.map(|own| coverage(app.catalog(), snapshot, region, &own.item).state.name().to_owned())
    };
    let codes: BTreeSet<&String> = own.keys().chain(others.keys()).collect();
    let mut differences = Vec::new();
    for code in codes {
        let (mine, theirs) = (own.get(code), others.get(code));
        let (state, other_state) = (state(region, mine), state(other, theirs));
        let changed = match (mine, theirs) {
            (Some(mine), Some(theirs)) => changed_terms(&mine.item, &theirs.item),
            _ => Vec::new(),
        };
        if state == other_state && changed.is_empty() {
            continue;
        }
        let (why, reason) = why(region, other, code, mine, theirs);
        let Some(label) = mine.or(theirs).map(|own| Text::from(&own.item.label)) else { continue };
        let code = code.clone();
        differences.push(ItemDifference { code, label, state, other_state, why: why.to_owned(), reason, changed });
    }
    Ok(CatalogDiff { region_code: code.to_owned(), with: with.to_owned(), on, with_on, differences })
}

/// What two versions of an item say otherwise.
fn changed_terms(one: &DisclosureItem, other: &DisclosureItem) -> Vec<TermChange> {
    let publisher = |item: &DisclosureItem| item.publisher.zh.clone();
    let terms = [
        ("deadline_text", one.deadline_text.clone(), other.deadline_text.clone()),
        ("content", one.content.join("、"), other.content.join("、")),
        ("channels", one.channels.join("、"), other.channels.join("、")),
        ("publisher", publisher(one), publisher(other)),
        ("audience", one.audience.name().to_owned(), other.audience.name().to_owned()),
    ];
    let differing = terms.into_iter().filter(|(_, one, other)| one != other);
    differing.map(|(term, one, other)| TermChange { term: term.to_owned(), value: one, other_value: other }).collect()
}

/// Why two regions do not have an item alike.
fn why(
    region: &DisclosureRegion,
    other: &DisclosureRegion,
    code: &str,
    mine: Option<&RegionItem>,
    theirs: Option<&RegionItem>,
) -> (&'static str, Option<Text>) {
    let same_terms = mine.zip(theirs).is_none_or(|(mine, theirs)| changed_terms(&mine.item, &theirs.item).is_empty());
    let local = [mine, theirs].into_iter().flatten().find_map(|own| own.local_reason.as_ref());
    let omitted = region.omitted.get(code).or_else(|| other.omitted.get(code));
    match local.or(omitted) {
        Some(reason) => ("local", Some(reason.into())),
        None if region.region_code == other.region_code => {
            let newer = [mine, theirs].into_iter().flatten().max_by_key(|own| own.item.version_no);
            ("version", newer.and_then(|own| own.item.reason.as_ref()).map(Text::from))
        }
        None if mine.is_none() || theirs.is_none() || !same_terms => ("tier", None),
        None => ("published", None),
    }
}

/// A region's catalogue as a workbook in the layout of the standard catalogues.
///
/// # Errors
///
/// `not_found` for a region that follows no catalogue.
pub fn workbook(app: &App, snapshot: &Snapshot, code: &str) -> Result<Vec<u8>, ApiError> {
    let region = follower(app, code)?;
    gongkai_warehouse::catalogue_sheet::workbook(&app.catalog().disclosure, region, today(app, snapshot))
        .map_err(|error| ApiError::internal(&error))
}

/// A region's catalogue as a workbook in the layout of 基层政务公开标准目录, one sheet a field.
#[utoipa::path(get, path = "/catalogs/{region}/items.xlsx", operation_id = "get_catalog_workbook", tag = "catalogs",
    params(("region" = String, Path, description = "Code of a region that follows the catalogue", example = "510400")),
    responses((status = 200, description = "The workbook.",
        content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"), NotModified, Problems))]
pub async fn get_catalog_workbook(
    State(app): State<App>,
    headers: HeaderMap,
    region: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let Path(region) = region?;
    let snapshot = app.snapshot().await?;
    let bytes = workbook(&app, &snapshot, &region)?;
    let tag = caching::tag(&snapshot, &["workbook", &region, &today(&app, &snapshot).to_string()]);
    Ok(caching::respond(&headers, &tag, || {
        let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
        let name = format!("attachment; filename=\"catalog-{region}.xlsx\"");
        ([(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, name)], bytes).into_response()
    }))
}

/// The regions that follow the tiered catalogue, and how their items stand.
#[utoipa::path(get, path = "/catalogs", operation_id = "list_catalogs", tag = "catalogs",
    responses((status = 200, description = "One catalogue for each region.", body = CatalogList), NotModified, Problems))]
pub async fn list_catalogs(State(app): State<App>, headers: HeaderMap) -> Result<Response, ApiError> {
    let snapshot = app.snapshot().await?;
    let tag = caching::tag(&snapshot, &["catalogs", &today(&app, &snapshot).to_string()]);
    Ok(caching::respond(&headers, &tag, || {
        let disclosure = &app.catalog().disclosure;
        let list = CatalogList {
            label: (&disclosure.label).into(),
            version: disclosure.version.clone(),
            basis: disclosure.basis.clone(),
            catalogs: catalogs(&app, &snapshot),
        };
        Json(list).into_response()
    }))
}

/// The catalogue of a region: fields, items, and how each stands.
#[utoipa::path(get, path = "/catalogs/{region}", operation_id = "get_catalog", tag = "catalogs",
    params(("region" = String, Path, description = "Code of a region that follows the catalogue", example = "510400")),
    responses((status = 200, description = "The catalogue.", body = CatalogRecord), NotModified, Problems))]
pub async fn get_catalog(
    State(app): State<App>,
    headers: HeaderMap,
    region: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let Path(region) = region?;
    let snapshot = app.snapshot().await?;
    let record = catalog(&app, &snapshot, &region)?;
    let tag = caching::tag(&snapshot, &["catalog", &region, &today(&app, &snapshot).to_string()]);
    Ok(caching::respond(&headers, &tag, || Json(record).into_response()))
}

/// How an item can stand.
const STATES: [&str; 5] = ["covered", "synthetic", "missing", "unlinked", "not_public"];

/// Which page of items.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ItemQuery {
    /// `covered`, `synthetic`, `missing`, `unlinked` or `not_public`.
    #[param(pattern = "^(|covered|synthetic|missing|unlinked|not_public)$")]
    state: Option<String>,
    /// Number of a field.
    field: Option<String>,
    /// Items on one page, from 1 to 1000; 100 where absent.
    #[param(minimum = 1, maximum = 1000)]
    page_size: Option<usize>,
    /// `next_page_token` of the page before.
    #[param(pattern = "^[0-9a-f]*$")]
    page_token: Option<String>,
}

/// The items of a region, page by page.
#[utoipa::path(get, path = "/catalogs/{region}/items", operation_id = "list_items", tag = "catalogs",
    params(("region" = String, Path, description = "Code of a region that follows the catalogue", example = "510400"), ItemQuery),
    responses((status = 200, description = "A page of items.", body = ItemPage), NotModified, Problems))]
pub async fn list_items(
    State(app): State<App>,
    headers: HeaderMap,
    region: Result<Path<String>, PathRejection>,
    query: Result<Query<ItemQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let (Path(code), Query(query)) = (region?, query?);
    let region = follower(&app, &code)?;
    let page_size = query.page_size.unwrap_or(100);
    if !(1..=1000).contains(&page_size) {
        return Err(ApiError::parameter("page_size", &page_size.to_string(), "a number from 1 to 1000"));
    }
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let (state, field) = (given(&query.state), given(&query.field));
    if let Some(state) = state.as_deref().filter(|state| !STATES.contains(state)) {
        return Err(ApiError::parameter("state", state, &STATES.join(", ")));
    }
    let snapshot = app.snapshot().await?;
    let offset = PageToken::offset(query.page_token.as_deref(), snapshot.counter)?;
    let tag = caching::tag(&snapshot, &["items", &code, &format!("{query:?}"), &today(&app, &snapshot).to_string()]);
    Ok(caching::respond(&headers, &tag, || {
        let own = region.items_on(today(&app, &snapshot));
        let found: Vec<ItemRecord> = own
            .filter(|own| field.as_ref().is_none_or(|wanted| *wanted == own.field))
            .map(|own| item_record(&app, &snapshot, region, own))
            .filter(|item| state.as_ref().is_none_or(|wanted| *wanted == item.state))
            .collect();
        let total = found.len();
        let next = (total > offset + page_size)
            .then(|| PageToken { offset: offset + page_size, counter: snapshot.counter }.encode());
        let items = found.into_iter().skip(offset).take(page_size).collect();
        Json(ItemPage { items, total, next_page_token: next }).into_response()
    }))
}

/// How the items of a region stand, in all and by field.
#[utoipa::path(get, path = "/catalogs/{region}/coverage", operation_id = "get_coverage", tag = "catalogs",
    params(("region" = String, Path, description = "Code of a region that follows the catalogue", example = "510400")),
    responses((status = 200, description = "Counts by state.", body = CoverageReport), NotModified, Problems))]
pub async fn get_coverage(
    State(app): State<App>,
    headers: HeaderMap,
    region: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let Path(region) = region?;
    let snapshot = app.snapshot().await?;
    let record = catalog(&app, &snapshot, &region)?;
    let tag = caching::tag(&snapshot, &["coverage", &region, &today(&app, &snapshot).to_string()]);
    Ok(caching::respond(&headers, &tag, || {
        let fields = record.fields.into_iter().map(|field| FieldCoverage {
            number: field.number,
            label: field.label,
            coverage: field.coverage,
        });
        let report = CoverageReport { region_code: region, total: record.summary.coverage, fields: fields.collect() };
        Json(report).into_response()
    }))
}

/// With which region to compare.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct CatalogDiffQuery {
    /// Code of the other region; the same region where it is absent.
    with: Option<String>,
    /// Day of the first catalogue; today where it is absent.
    on: Option<NaiveDate>,
    /// Day of the second.
    with_on: Option<NaiveDate>,
}

/// What two regions' catalogues do not have alike, or one region's on two days.
#[utoipa::path(get, path = "/catalogs/{region}/diff", operation_id = "get_catalog_diff", tag = "catalogs",
    params(("region" = String, Path, description = "Code of a region that follows the catalogue", example = "510400"), CatalogDiffQuery),
    responses((status = 200, description = "Items of one only, and items that stand differently.", body = CatalogDiff), Problems))]
pub async fn get_catalog_diff(
    State(app): State<App>,
    region: Result<Path<String>, PathRejection>,
    query: Result<Query<CatalogDiffQuery>, QueryRejection>,
) -> Result<Json<CatalogDiff>, ApiError> {
    let (Path(region), Query(query)) = (region?, query?);
    let snapshot = app.snapshot().await?;
    let with = query.with.as_deref().unwrap_or(&region);
    let compared = Compared { code: &region, with, on: query.on, with_on: query.with_on };
    Ok(Json(difference(&app, &snapshot, compared)?))
}
