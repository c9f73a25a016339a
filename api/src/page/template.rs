//! Templates and the two languages.

use std::sync::OnceLock;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::response::Html;
use gongkai_warehouse::lake::pointer;
use include_dir::{Dir, include_dir};
use minijinja::{Environment, UndefinedBehavior, Value, context};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use super::serde;
use crate::http::{ApiError, App};

static TEMPLATES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates");
/// Style sheets.
pub(super) static ASSETS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/assets");

/// Language of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Chinese.
    Zh,
    /// English.
    En,
}

impl Language {
    /// What the address asks for, else what the browser prefers, else Chinese.
    pub fn of(asked: Option<&str>, headers: &HeaderMap) -> Self {
        match asked {
            Some("en") => return Self::En,
            Some("zh") => return Self::Zh,
            _ => {}
        }
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let first = accepted.split(',').map(str::trim).find(|tag| tag.starts_with("zh") || tag.starts_with("en"));
        if first.is_some_and(|tag| tag.starts_with("en")) { Self::En } else { Self::Zh }
    }

    /// `zh` or `en`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Zh => "zh",
            Self::En => "en",
        }
    }

    /// The one of two texts that is in this language.
    pub fn pick<T>(self, zh: T, en: T) -> T {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }
}

/// Digits in groups of three: `123456.70` → `123,456.70`.
fn group_digits(text: &str) -> String {
    let (sign, unsigned) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (whole, fraction) = unsigned.split_once('.').map_or((unsigned, None), |(whole, rest)| (whole, Some(rest)));
    if whole.len() < 4 || !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.to_owned();
    }
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    match fraction {
        Some(fraction) => format!("{sign}{grouped}.{fraction}"),
        None => format!("{sign}{grouped}"),
    }
}

/// A length for readers: `870 KB`, `2.4 MB`.
fn in_bytes(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{} KB", (bytes + 500) / 1_000),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

fn environment() -> &'static Environment<'static> {
    static ENVIRONMENT: OnceLock<Environment<'static>> = OnceLock::new();
    ENVIRONMENT.get_or_init(|| {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        environment
            .set_loader(|name| Ok(TEMPLATES.get_file(name).and_then(|file| file.contents_utf8()).map(str::to_owned)));
        environment.add_filter("urlencode", |text: String| utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string());
        environment.add_filter("bytes", |bytes: u64| in_bytes(bytes));
        environment.add_filter("grouped", |value: Value| group_digits(&value.to_string()));
        environment
    })
}

/// The signed state of the publication log, in the footer of every page: who keeps a page, or prints it, holds the log to
/// its root.
#[derive(Debug, Clone, Serialize)]
struct LogHead {
    /// Leaves.
    size: u64,
    /// Root over them in base64.
    root: String,
}

impl LogHead {
    /// None before the first publication, and where the pointer cannot be read: the page itself then says why.
    async fn read(app: &App) -> Option<Self> {
        let current = pointer::read(app.store()).await.ok()?.current;
        let checkpoint = current.checkpoint().ok()??;
        Some(Self { size: checkpoint.size, root: checkpoint.root.to_string() })
    }
}

/// Who asks for a page: in which language, and where; and the state of the log when they asked.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// Language of the page.
    pub language: Language,
    /// The same address in the other language.
    other: String,
    log: Option<LogHead>,
}

impl FromRequestParts<App> for Visitor {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        let log = LogHead::read(app).await;
        let pairs: Vec<&str> =
            parts.uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()).collect();
        let (asked, kept): (Vec<&str>, Vec<&str>) = pairs.into_iter().partition(|pair| pair.starts_with("lang="));
        let language = Language::of(asked.first().map(|pair| &pair["lang=".len()..]), &parts.headers);
        let query = kept.into_iter().chain([language.pick("lang=en", "lang=zh")]).collect::<Vec<_>>().join("&");
        Ok(Self { language, other: format!("{}?{query}", parts.uri.path()), log })
    }
}

/// Renders a page. `lang`, `other`, `log` and `t(zh, en)` are there in every template.
pub(super) fn render(name: &str, visitor: &Visitor, values: Value) -> Result<Html<String>, ApiError> {
    let language = visitor.language;
    let choose = Value::from_function(move |zh: String, en: String| language.pick(zh, en));
    let (other, log) = (visitor.other.clone(), serde(&visitor.log));
    let values = context! { lang => language.code(), other, log, t => choose, ..values };
    environment()
        .get_template(name)
        .and_then(|template| template.render(values))
        .map(Html)
        .map_err(|error| ApiError::internal(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_and_nothing_else_is() {
        assert_eq!(group_digits("370340000000.00"), "370,340,000,000.00");
        assert_eq!(group_digits("-1234"), "-1,234");
        for text in ["12.5", "510", "2022/FINAL", "abc"] {
            assert_eq!(group_digits(text), text);
        }
    }

    #[test]
    fn every_template_parses() {
        for file in TEMPLATES.files() {
            let name = file.path().display().to_string();
            assert!(environment().get_template(&name).is_ok(), "{name}");
        }
    }
}
