//! Prose, and tables in plain text.

use serde::Deserialize;

/// What a pattern runs over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextScope {
    /// One line.
    #[default]
    Line,
    /// One page; pages end at form feeds.
    Page,
    /// From each match of `from` to the next of `to`, over the ends of pages; else to the end of the text.
    Block,
    /// The whole text.
    File,
}

/// Prose, and tables in plain text.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextSpec {
    /// What the patterns run over.
    #[serde(default)]
    pub scope: TextScope,
    /// Only pages (or texts) that hold a match of this.
    pub title: Option<String>,
    /// What a block begins with.
    pub from: Option<String>,
    /// What begins after a block.
    pub to: Option<String>,
    /// Lines that match this have to be part of a record.
    pub must: Option<String>,
    /// Patterns of records; where two could begin at one place, the first holds.
    pub record: Vec<TextRecordSpec>,
}

/// One form of a record.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextRecordSpec {
    /// Regular expression; its named groups are the cells.
    pub pattern: String,
}
