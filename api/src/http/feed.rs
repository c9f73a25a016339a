//! Atom feeds (RFC 4287) of what was released, corrected and taken back.
//!
//! Whoever used a figure learns from a feed that it was corrected or withdrawn, and why: a withdrawal is an entry of
//! its own, and the entry of the release that it takes back says so from then on. An entry's id never changes, and a
//! feed is a function of the releases: its time is that of its newest entry, so equal states give equal bytes.
//!
//! Links are references from the root of the site (`/datasets/…`), which readers resolve against the address that they
//! fetched the feed from. This program does not know under which address the world sees it. It never takes one from
//! the `Host` header: that is the caller's word, and a cache would hand it on to others. Nor is there an `xml:base`:
//! `/` would itself be resolved against that address and say nothing, and readers that do not resolve it lose the host.
//!
//! Each language has an address of its own, and `Accept-Language` is not looked at, so caches keep the two apart.
//! Datasets that are not for everybody do not occur.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::io;

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, SecondsFormat, Utc};
use gongkai_catalog::{Audience, Catalog, Dataset};
use gongkai_warehouse::release::Kind;
use gongkai_warehouse::{ReleaseRecord, Snapshot};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use serde::Deserialize;
use utoipa::IntoParams;

use super::caching::NotModified;
use super::error::Problems;
use super::{ApiError, App, caching};
use crate::page::Language;

/// Newest entries that a feed has.
const MOST_ENTRIES: usize = 100;

/// Namespace of Atom.
const ATOM: &str = "http://www.w3.org/2005/Atom";

/// Media type of a feed.
const MEDIA_TYPE: &str = "application/atom+xml; charset=utf-8";

/// In which language.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct FeedQuery {
    /// `en`, else Chinese.
    lang: Option<String>,
}

/// A kind of release in words.
pub fn kind_name(kind: &str, language: Language) -> &str {
    match Kind::ALL.into_iter().find(|known| known.name() == kind) {
        Some(Kind::Initial) => language.pick("初次发布", "First release"),
        Some(Kind::Update) => language.pick("新增", "Addition"),
        Some(Kind::Correction) => language.pick("更正", "Correction"),
        Some(Kind::Supplement) => language.pick("补充", "Supplement"),
        Some(Kind::Clarification) => language.pick("说明", "Clarification"),
        Some(Kind::Withdrawal) => language.pick("撤回", "Withdrawal"),
        None => kind,
    }
}

/// Where the difference to the release before is told; none where there is none or one of the two was taken back.
pub fn difference_href(release: &ReleaseRecord, is_withdrawn: impl Fn(u64) -> bool) -> Option<String> {
    let from = release.supersedes.filter(|_| !release.is_withdrawal())?;
    let is_told = !is_withdrawn(from) && !is_withdrawn(release.number);
    is_told.then(|| format!("/api/v1/datasets/{}/diff?from={from}&to={}", release.dataset, release.number))
}

/// Releases, corrections and withdrawals of all datasets: the newest 100, as an Atom feed.
#[utoipa::path(get, path = "/feed.atom", operation_id = "get_feed", tag = "releases", params(FeedQuery),
    responses((status = 200, description = "The feed.", content_type = "application/atom+xml"),
              NotModified, Problems))]
pub async fn get_feed(
    State(app): State<App>,
    headers: HeaderMap,
    query: Result<Query<FeedQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(query) = query?;
    answer(&app, &headers, None, &query).await
}

/// Releases, corrections and withdrawals of one dataset: the newest 100, as an Atom feed.
#[utoipa::path(get, path = "/datasets/{id}/feed.atom", operation_id = "get_dataset_feed", tag = "releases",
    params(("id" = String, Path, description = "Dataset id", example = "debt_limit_balance_final"), FeedQuery),
    responses((status = 200, description = "The feed.", content_type = "application/atom+xml"),
              NotModified, Problems))]
pub async fn get_dataset_feed(
    State(app): State<App>,
    headers: HeaderMap,
    id: Result<Path<String>, PathRejection>,
    query: Result<Query<FeedQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let (Path(id), Query(query)) = (id?, query?);
    let (dataset, _) = app.dataset(&id)?;
    answer(&app, &headers, Some(dataset), &query).await
}

async fn answer(
    app: &App,
    headers: &HeaderMap,
    dataset: Option<&Dataset>,
    query: &FeedQuery,
) -> Result<Response, ApiError> {
    let language = if query.lang.as_deref() == Some("en") { Language::En } else { Language::Zh };
    let snapshot = app.snapshot().await?;
    let tag = caching::tag(&snapshot, &["feed", dataset.map_or("", |dataset| dataset.id.as_str()), language.code()]);
    let feed = Feed { catalog: app.catalog(), snapshot: &snapshot, dataset, language };
    let body = feed.to_xml().map_err(|error| ApiError::internal(&error))?;
    Ok(caching::respond(headers, &tag, || ([(header::CONTENT_TYPE, MEDIA_TYPE)], body).into_response()))
}

type Xml = Writer<Vec<u8>>;

/// The text without what XML 1.0 has no way to write; the writer escapes the rest.
fn writable(text: &str) -> Cow<'_, str> {
    let is_writable = |character: char| match character {
        '\t' | '\n' | '\r' => true,
        '\u{FFFE}' | '\u{FFFF}' => false,
        _ => character >= ' ',
    };
    if text.chars().all(is_writable) {
        return Cow::Borrowed(text);
    }
    let replaced = text.chars().map(|found| if is_writable(found) { found } else { char::REPLACEMENT_CHARACTER });
    Cow::Owned(replaced.collect())
}

/// An element that holds a text.
fn put_text(xml: &mut Xml, name: &str, text: &str) -> io::Result<()> {
    xml.create_element(name).write_text_content(BytesText::new(&writable(text)))?;
    Ok(())
}

/// An element that holds nothing but attributes.
fn put_empty(xml: &mut Xml, name: &str, attributes: &[(&str, &str)]) -> io::Result<()> {
    let attributes = attributes.iter().map(|(name, value)| (*name, writable(value)));
    xml.create_element(name).with_attributes(attributes).write_empty()?;
    Ok(())
}

fn put_author(xml: &mut Xml, name: &str) -> io::Result<()> {
    xml.create_element("author").write_inner_content(|xml| put_text(xml, "name", name))?;
    Ok(())
}

fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// A feed before it is written.
struct Feed<'a> {
    catalog: &'a Catalog,
    snapshot: &'a Snapshot,
    /// All datasets where there is none.
    dataset: Option<&'a Dataset>,
    language: Language,
}

impl<'a> Feed<'a> {
    /// Releases with their datasets, the newest first.
    fn entries(&self) -> Vec<(&'a ReleaseRecord, &'a Dataset)> {
        let dataset_of = |release: &'a ReleaseRecord| {
            let dataset = self.catalog.datasets.get(&release.dataset)?;
            let is_asked = self.dataset.is_none_or(|asked| asked.id == dataset.id);
            (dataset.audience == Audience::Public && is_asked).then_some((release, dataset))
        };
        let mut entries: Vec<_> = self.snapshot.releases.iter().filter_map(dataset_of).collect();
        entries.sort_by_key(|(release, _)| Reverse((release.recorded_at, release.log_index)));
        entries.truncate(MOST_ENTRIES);
        entries
    }

    fn label(&self, label: &'a gongkai_catalog::Label) -> &'a str {
        self.language.pick(&label.zh, &label.en)
    }

    fn publisher(&self, dataset: &'a Dataset) -> &'a str {
        self.catalog.publishers.get(&dataset.publisher).map_or(&dataset.publisher, |office| self.label(&office.label))
    }

    fn to_xml(&self) -> io::Result<Vec<u8>> {
        let mut xml: Xml = Writer::new_with_indent(Vec::new(), b' ', 1);
        xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("utf-8"), None)))?;
        xml.create_element("feed")
            .with_attributes([("xmlns", ATOM), ("xml:lang", self.language.pick("zh-CN", "en"))])
            .write_inner_content(|xml| self.put_content(xml))?;
        Ok(xml.into_inner())
    }

    fn put_content(&self, xml: &mut Xml) -> io::Result<()> {
        let entries = self.entries();
        let (id, title, folder) = match self.dataset {
            Some(dataset) => {
                let title = self.language.pick("：发布、更正与撤回", ": releases, corrections and withdrawals");
                let title = format!("{}{title}", self.label(&dataset.label));
                (format!("urn:gongkai:feed:{}", dataset.id), title, format!("/datasets/{}", dataset.id))
            }
            None => {
                let title =
                    self.language.pick("公开：发布、更正与撤回", "Gongkai: releases, corrections and withdrawals");
                ("urn:gongkai:feed".to_owned(), title.to_owned(), String::new())
            }
        };
        let feed_of = |language: Language| format!("{folder}/feed.atom{}", language.pick("", "?lang=en"));
        let other = self.language.pick(Language::En, Language::Zh);
        let (own, translated) = (feed_of(self.language), feed_of(other));
        let page = format!("{}?lang={}", if folder.is_empty() { "/" } else { folder.as_str() }, self.language.code());
        // Before the first release there is no time that would be the same at every request.
        let updated = entries.first().map_or(DateTime::UNIX_EPOCH, |(newest, _)| newest.recorded_at);
        put_text(xml, "id", &id)?;
        put_text(xml, "title", &title)?;
        put_text(xml, "updated", &time(updated))?;
        put_author(xml, self.dataset.map_or("公开 Gongkai", |dataset| self.publisher(dataset)))?;
        put_text(xml, "generator", "Gongkai")?;
        let atom = ("type", "application/atom+xml");
        put_empty(xml, "link", &[("rel", "self"), atom, ("href", &own)])?;
        put_empty(xml, "link", &[("rel", "alternate"), ("type", "text/html"), ("href", &page)])?;
        put_empty(xml, "link", &[("rel", "alternate"), atom, ("hreflang", other.code()), ("href", &translated)])?;
        for (release, dataset) in entries {
            xml.create_element("entry").write_inner_content(|xml| self.put_entry(xml, release, dataset))?;
        }
        Ok(())
    }

    fn put_entry(&self, xml: &mut Xml, release: &'a ReleaseRecord, dataset: &'a Dataset) -> io::Result<()> {
        let language = self.language;
        let kind = kind_name(&release.kind, language);
        let (label, partition, id) = (self.label(&dataset.label), &release.partition, release.id());
        put_text(xml, "id", &format!("urn:gongkai:release:{id}"))?;
        let title = match language {
            Language::Zh => format!("{kind}：{label} {partition}（{id}）"),
            Language::En => format!("{kind}: {label} {partition} ({id})"),
        };
        put_text(xml, "title", &title)?;
        put_text(xml, "updated", &time(release.recorded_at))?;
        if let Some(published_at) = release.published_at {
            put_text(xml, "published", &time(published_at))?;
        }
        put_author(xml, self.publisher(dataset))?;
        let withdrawal = self.snapshot.withdrawal_of(release);
        put_empty(xml, "category", &[("term", &release.kind), ("label", kind)])?;
        if release.is_synthetic {
            put_empty(xml, "category", &[("term", "synthetic"), ("label", language.pick("合成", "synthetic"))])?;
        }
        if withdrawal.is_some() {
            put_empty(xml, "category", &[("term", "withdrawn"), ("label", language.pick("已撤回", "withdrawn"))])?;
        }
        self.put_links(xml, release, withdrawal)?;
        put_text(xml, "summary", &self.summary(release, withdrawal))
    }

    /// Links to the page, to the release as JSON, to what changed, and between a withdrawal and what it takes back.
    fn put_links(&self, xml: &mut Xml, release: &ReleaseRecord, withdrawal: Option<&ReleaseRecord>) -> io::Result<()> {
        let (dataset, number) = (&release.dataset, release.number);
        let page = format!("/datasets/{dataset}?lang={}#release-{number}", self.language.code());
        put_empty(xml, "link", &[("rel", "alternate"), ("type", "text/html"), ("href", &page)])?;
        let mut related = |title: &str, href: &str| {
            let json = ("type", "application/json");
            put_empty(xml, "link", &[("rel", "related"), json, ("title", title), ("href", href)])
        };
        let href_of = |number: u64| format!("/api/v1/datasets/{dataset}/releases/{number}");
        related(&release.id(), &href_of(number))?;
        let is_withdrawn = |number: u64| {
            let takes_back = |other: &ReleaseRecord| other.dataset == *dataset && other.withdraws.contains(&number);
            self.snapshot.releases.iter().any(takes_back)
        };
        if let Some(href) = difference_href(release, is_withdrawn) {
            related(self.language.pick("差异", "Difference"), &href)?;
        }
        for number in withdrawal.map(|withdrawal| withdrawal.number).iter().chain(&release.withdraws) {
            related(&format!("{dataset}.{number}"), &href_of(*number))?;
        }
        Ok(())
    }

    /// Why the release was made; before that, where it was taken back, that and why.
    fn summary<'b>(&self, release: &'b ReleaseRecord, withdrawal: Option<&ReleaseRecord>) -> Cow<'b, str> {
        let Some(withdrawal) = withdrawal else { return Cow::Borrowed(&release.reason) };
        let (by, date, why) = (withdrawal.id(), withdrawal.recorded_at.format("%Y-%m-%d"), &withdrawal.reason);
        Cow::Owned(match self.language {
            Language::Zh => format!("已于 {date} 由 {by} 撤回：{why}\n原发布说明：{}", release.reason),
            Language::En => format!("Withdrawn on {date} by {by}: {why}\nReason of the release: {}", release.reason),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use quick_xml::XmlVersion;
    use quick_xml::events::BytesStart;
    use quick_xml::reader::Reader;
    use serde_json::json;

    const DATASET: &str = "debt_limit_balance_final";

    /// An element as another reader finds it.
    #[derive(Debug, Default, PartialEq, Eq)]
    struct Element {
        name: String,
        attributes: BTreeMap<String, String>,
        text: String,
        children: Vec<Element>,
    }

    impl Element {
        fn begin(start: &BytesStart<'_>) -> Self {
            let attributes = start.attributes().map(|attribute| {
                let attribute = attribute.expect("well-formed");
                let value = attribute.normalized_value(XmlVersion::Explicit1_0).expect("well-formed");
                (attribute.key.into_inner().to_owned(), value.into_owned())
            });
            Self { name: start.name().into_inner().to_owned(), attributes: attributes.collect(), ..Self::default() }
        }

        fn all(&self, name: &str) -> Vec<&Element> {
            self.children.iter().filter(|child| child.name == name).collect()
        }

        fn text(&self, name: &str) -> &str {
            let found = self.all(name);
            assert_eq!(found.len(), 1, "{name} of {}", self.name);
            &found[0].text
        }

        fn attribute(&self, name: &str) -> &str {
            self.attributes.get(name).map_or("", String::as_str)
        }

        fn terms(&self) -> Vec<&str> {
            self.all("category").into_iter().map(|category| category.attribute("term")).collect()
        }

        fn links(&self, relation: &str) -> Vec<&str> {
            let links = self.all("link").into_iter().filter(|link| link.attribute("rel") == relation);
            links.map(|link| link.attribute("href")).collect()
        }
    }

    fn parse(bytes: &[u8]) -> Element {
        let text = std::str::from_utf8(bytes).expect("UTF-8");
        let mut reader = Reader::from_str(text);
        let mut open = vec![Element::default()];
        loop {
            let event = reader.read_event().expect("well-formed");
            match &event {
                Event::Start(start) => open.push(Element::begin(start)),
                Event::Empty(start) => open.last_mut().expect("open").children.push(Element::begin(start)),
                Event::End(_) => {
                    let closed = open.pop().expect("open");
                    open.last_mut().expect("open").children.push(closed);
                }
                Event::Text(found) => open.last_mut().expect("open").text.push_str(&found.xml10_content()),
                Event::GeneralRef(found) => {
                    let written = format!("&{};", found.xml10_content());
                    let read = quick_xml::escape::unescape(&written).expect("a known reference");
                    open.last_mut().expect("open").text.push_str(&read);
                }
                Event::Decl(_) => {}
                Event::Eof => break,
                other => panic!("{other:?} in a feed"),
            }
        }
        let mut root = open.pop().expect("the document");
        assert!(open.is_empty(), "an element is not closed");
        root.children.pop().expect("a root element")
    }

    fn catalog() -> Catalog {
        Catalog::load(gongkai_ingest::embedded_declarations()).expect("loads")
    }

    fn release(number: u64, kind: &str, supersedes: Option<u64>, withdraws: &[u64]) -> ReleaseRecord {
        let record = json!({
            "dataset": DATASET, "number": number, "partition": "2022/FINAL", "table": "debt_stock", "kind": kind,
            "published_at": "2022-08-01T00:00:00Z", "recorded_at": format!("2026-01-0{number}T08:00:00Z"),
            "supersedes": supersedes, "withdraws": withdraws, "reason": format!("reason {number}"),
            "is_synthetic": number == 1, "manifest_sha256": "0", "log_index": number, "rows": 1, "files": [],
        });
        serde_json::from_value(record).expect("a release")
    }

    /// Release 2 corrects release 1, release 3 corrects release 2, release 4 takes 3 back.
    fn snapshot() -> Snapshot {
        let releases = vec![
            release(1, "initial", None, &[]),
            release(2, "correction", Some(1), &[]),
            release(3, "correction", Some(2), &[]),
            release(4, "withdrawal", Some(3), &[3]),
        ];
        Snapshot { releases, ..Snapshot::empty() }
    }

    fn feed(catalog: &Catalog, snapshot: &Snapshot, id: Option<&str>, language: Language) -> Element {
        let dataset = id.map(|id| &catalog.datasets[id]);
        parse(&Feed { catalog, snapshot, dataset, language }.to_xml().expect("writes"))
    }

    #[test]
    fn a_feed_has_what_rfc_4287_asks_for_and_the_newest_entry_first() {
        let catalog = catalog();
        let feed = feed(&catalog, &snapshot(), None, Language::Zh);
        assert_eq!((feed.name.as_str(), feed.attribute("xmlns")), ("feed", ATOM));
        assert_eq!((feed.text("id"), feed.text("updated")), ("urn:gongkai:feed", "2026-01-04T08:00:00Z"));
        assert_eq!(feed.links("self"), ["/feed.atom"]);
        assert_eq!(feed.links("alternate"), ["/?lang=zh", "/feed.atom?lang=en"]);
        let ids: Vec<&str> = feed.all("entry").into_iter().map(|entry| entry.text("id")).collect();
        let expected = [4, 3, 2, 1].map(|number| format!("urn:gongkai:release:{DATASET}.{number}"));
        assert_eq!(ids, expected);
        for entry in feed.all("entry") {
            assert!(!entry.text("title").is_empty() && !entry.all("author")[0].text("name").is_empty());
            assert_eq!((entry.links("alternate").len(), entry.text("published")), (1, "2022-08-01T00:00:00Z"));
        }
    }

    #[test]
    fn a_correction_says_why_and_links_what_changed() {
        let catalog = catalog();
        let feed = feed(&catalog, &snapshot(), Some(DATASET), Language::En);
        let corrected = feed.all("entry")[2];
        let label = &catalog.datasets[DATASET].label.en;
        assert_eq!(corrected.text("title"), format!("Correction: {label} 2022/FINAL ({DATASET}.2)"));
        assert_eq!((corrected.text("summary"), corrected.terms()), ("reason 2", vec!["correction"]));
        let base = format!("/api/v1/datasets/{DATASET}");
        assert_eq!(corrected.links("related"), [format!("{base}/releases/2"), format!("{base}/diff?from=1&to=2")]);
        assert_eq!(corrected.links("alternate"), [format!("/datasets/{DATASET}?lang=en#release-2")]);
        assert_eq!(feed.all("entry")[3].terms(), ["initial", "synthetic"]);
    }

    #[test]
    fn what_was_taken_back_says_so_and_the_withdrawal_has_an_entry_of_its_own() {
        let catalog = catalog();
        let feed = feed(&catalog, &snapshot(), Some(DATASET), Language::Zh);
        let (withdrawal, withdrawn) = (feed.all("entry")[0], feed.all("entry")[1]);
        assert!(withdrawal.text("title").starts_with("撤回："), "{}", withdrawal.text("title"));
        assert_eq!((withdrawal.text("summary"), withdrawal.terms()), ("reason 4", vec!["withdrawal"]));
        let releases = format!("/api/v1/datasets/{DATASET}/releases");
        assert_eq!(withdrawal.links("related"), [format!("{releases}/4"), format!("{releases}/3")]);
        assert_eq!(withdrawn.terms(), ["correction", "withdrawn"]);
        let notice = format!("已于 2026-01-04 由 {DATASET}.4 撤回：reason 4\n原发布说明：reason 3");
        assert_eq!(withdrawn.text("summary"), notice);
        // Neither its rows nor the difference to them are given out.
        assert_eq!(withdrawn.links("related"), [format!("{releases}/3"), format!("{releases}/4")]);
    }

    #[test]
    fn whatever_a_text_holds_it_is_read_back_as_text() {
        let mut catalog = catalog();
        catalog.datasets.get_mut(DATASET).expect("a dataset").label.zh = "<b>债务</b> & \"余额\"".into();
        let mut snapshot = snapshot();
        snapshot.releases[3].reason = "a < b && c > 'd' ]]> \u{1}\u{FFFF}\nend".into();
        let feed = feed(&catalog, &snapshot, Some(DATASET), Language::Zh);
        assert_eq!(feed.text("title"), "<b>债务</b> & \"余额\"：发布、更正与撤回");
        assert_eq!(feed.all("entry")[0].text("summary"), "a < b && c > 'd' ]]> \u{FFFD}\u{FFFD}\nend");
        let mut xml = Writer::new(Vec::new());
        put_empty(&mut xml, "link", &[("title", "<'\"&>\u{0}")]).expect("writes");
        assert_eq!(parse(&xml.into_inner()).attribute("title"), "<'\"&>\u{FFFD}");
    }

    #[test]
    fn what_is_not_for_everybody_does_not_occur() {
        let mut catalog = catalog();
        catalog.datasets.get_mut(DATASET).expect("a dataset").audience = Audience::RegionGroup;
        assert!(feed(&catalog, &snapshot(), None, Language::Zh).all("entry").is_empty());
        let mut unknown = snapshot();
        unknown.releases.iter_mut().for_each(|release| release.dataset = "not_declared".into());
        assert!(feed(&catalog, &unknown, None, Language::Zh).all("entry").is_empty());
    }

    #[test]
    fn a_feed_ends_after_its_newest_entries_and_an_empty_one_is_valid() {
        let catalog = catalog();
        let mut many = snapshot();
        many.releases = (1..=120).map(|number| ReleaseRecord { number, ..release(1, "update", None, &[]) }).collect();
        many.releases.iter_mut().for_each(|release| release.log_index = release.number);
        let feed_of_many = feed(&catalog, &many, None, Language::En);
        assert_eq!(feed_of_many.all("entry").len(), MOST_ENTRIES);
        assert!(feed_of_many.all("entry")[0].text("id").ends_with(".120"));
        let empty = feed(&catalog, &Snapshot::empty(), None, Language::En);
        assert_eq!((empty.text("updated"), empty.all("entry").len()), ("1970-01-01T00:00:00Z", 0));
    }

    #[test]
    fn every_kind_has_a_name_in_both_languages() {
        for kind in Kind::ALL {
            assert_ne!(kind_name(kind.name(), Language::Zh), kind_name(kind.name(), Language::En), "{kind:?}");
        }
        assert_eq!(kind_name("merger", Language::Zh), "merger");
    }
}
