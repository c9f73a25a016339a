//! Templates and the two languages.

use std::sync::OnceLock;

use axum::http::{HeaderMap, header};
use axum::response::Html;
use include_dir::{Dir, include_dir};
use minijinja::{Environment, UndefinedBehavior, Value, context};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::http::ApiError;

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

    fn code(self) -> &'static str {
        match self {
            Self::Zh => "zh",
            Self::En => "en",
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

fn environment() -> &'static Environment<'static> {
    static ENVIRONMENT: OnceLock<Environment<'static>> = OnceLock::new();
    ENVIRONMENT.get_or_init(|| {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        environment
            .set_loader(|name| Ok(TEMPLATES.get_file(name).and_then(|file| file.contents_utf8()).map(str::to_owned)));
        environment.add_filter("urlencode", |text: String| utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string());
        environment.add_filter("grouped", |value: Value| group_digits(&value.to_string()));
        environment
    })
}

/// Renders a page in a language. `lang` and `t(zh, en)` are there in every template.
pub(super) fn render(name: &str, language: Language, values: Value) -> Result<Html<String>, ApiError> {
    let choose = Value::from_function(move |zh: String, en: String| if language == Language::Zh { zh } else { en });
    let values = context! { lang => language.code(), t => choose, ..values };
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
