//! What researchers need beside the figures: the dictionary of tables, and the guide to their own tools.

use std::sync::LazyLock;

use axum::extract::{Path, State};
use minijinja::{Value, context};
use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

use super::template::{Language, Visitor, render};
use super::{Page, PageError, serde};
use crate::http::{App, table};

/// The guide as the repository has it; its commands are executed by the tests.
const CLIENTS: [&str; 2] = [include_str!("../../../docs/clients.zh-CN.md"), include_str!("../../../docs/clients.md")];

/// Title and HTML of both. They are the same for everybody, and rendered when somebody asks for the first time.
static GUIDES: LazyLock<[(String, Value); 2]> = LazyLock::new(|| {
    [Language::Zh, Language::En].map(|language| {
        let (title, guide) = to_html(language.pick(CLIENTS[0], CLIENTS[1]), language);
        (title, Value::from_safe_string(guide))
    })
});

pub async fn tables(State(app): State<App>, visitor: Visitor) -> Page {
    let page = async {
        let snapshot = app.snapshot().await?;
        render("tables.html", &visitor, context! { tables => serde(&table::tables(&app, &snapshot)) })
    };
    page.await.map_err(|error| PageError(error, visitor.clone()))
}

pub async fn table(State(app): State<App>, visitor: Visitor, Path(name): Path<String>) -> Page {
    let page = async {
        let snapshot = app.snapshot().await?;
        render("table.html", &visitor, context! { table => serde(&table::table(&app, &snapshot, &name)?) })
    };
    page.await.map_err(|error| PageError(error, visitor.clone()))
}

pub async fn clients(visitor: Visitor) -> Page {
    let [zh, en] = &*GUIDES;
    let (title, guide) = visitor.language.pick(zh, en);
    render("clients.html", &visitor, context! { title => title.clone(), guide => guide.clone() })
        .map_err(|error| PageError(error, visitor))
}

/// Title and HTML of a guide. Its link to the other language is that of the page.
fn to_html(text: &str, language: Language) -> (String, String) {
    let (heading, body) = text.split_once("\n").unwrap_or((text, ""));
    let other = language.pick("English:", "中文：");
    let body: Vec<&str> = body.lines().filter(|line| !line.starts_with(other)).collect();
    let body = body.join("\n");
    let mut is_left_out = false;
    let events = Parser::new_ext(&body, Options::ENABLE_TABLES).flat_map(|event| match event {
        // Wide tables and long commands scroll within the page.
        Event::Start(Tag::Table(_)) => vec![Event::Html(CowStr::from("<div class=\"scroll\" tabindex=\"0\">")), event],
        Event::End(TagEnd::Table) => vec![event, Event::Html(CowStr::from("</div>"))],
        // Files of the repository are not served: of a link to one its text is left.
        Event::Start(Tag::Link { ref dest_url, .. }) if !dest_url.contains("://") => {
            is_left_out = true;
            Vec::new()
        }
        Event::End(TagEnd::Link) if is_left_out => {
            is_left_out = false;
            Vec::new()
        }
        other => vec![other],
    });
    let mut guide = String::new();
    html::push_html(&mut guide, events);
    (heading.trim_start_matches("# ").to_owned(), guide)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_guides_are_pages_of_their_own() {
        for (text, language) in CLIENTS.into_iter().zip([Language::Zh, Language::En]) {
            let (title, guide) = to_html(text, language);
            assert!(!title.starts_with('#') && !title.is_empty(), "{title}");
            assert!(guide.contains("<h2>psql</h2>") && guide.contains("<table>") && guide.contains("<pre>"));
            assert!(!guide.contains(".md"), "a link into the repository");
            assert_eq!(guide.matches("<a ").count(), guide.matches("</a>").count(), "a link that does not end");
        }
    }
}
