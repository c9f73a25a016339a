//! `<file>.source.toml`: where a file came from and when the public could first read it.
//!
//! A publication date is taken only with its evidence. Without one it stays unknown, and nothing downstream
//! invents it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDate};
use gongkai_catalog::Label;
use serde::{Deserialize, Serialize};

use super::SourceError;

/// What a side file's name ends in.
pub const SIDE_FILE_SUFFIX: &str = ".source.toml";

/// What is known of a file beyond its bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SideFile {
    /// Where the file, or its figures, come from.
    pub origin: Option<Label>,
    /// When the public could first read it: a date, or a moment in RFC 3339.
    pub published_at: Option<String>,
    /// How that is known: an address, a document number.
    pub evidence: Option<String>,
    /// Whether the figures were made up, for a demonstration.
    #[serde(default)]
    pub is_synthetic: bool,
    /// Anything else for readers.
    pub note: Option<Label>,
}

/// Path of the side file that belongs to `path`.
pub fn side_file_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(SIDE_FILE_SUFFIX);
    PathBuf::from(name)
}

/// Reads the side file of `path`, `None` where there is none.
///
/// # Errors
///
/// The side file cannot be read, has an unknown key, or a publication date without evidence or in no known form.
pub fn read_side_file(path: &Path) -> Result<Option<SideFile>, SourceError> {
    let path = side_file_path(path);
    match std::fs::symlink_metadata(&path) {
        // A name that is too long for the ending of a side file has none.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidFilename) => return Ok(None),
        Err(source) => return Err(SourceError::Unreadable { path, source }),
        Ok(kind) if !kind.is_file() => return Err(SourceError::NotRegular { path }),
        Ok(_) => {}
    }
    let text =
        std::fs::read_to_string(&path).map_err(|source| SourceError::Unreadable { path: path.clone(), source })?;
    parse(&path, &text).map(Some)
}

fn parse(path: &Path, text: &str) -> Result<SideFile, SourceError> {
    let side: SideFile = toml::from_str(text)
        .map_err(|source| SourceError::SideFile { path: path.to_owned(), source: Box::new(source) })?;
    let wrong = |key, found: &str, expected| {
        Err(SourceError::SideFileValue { path: path.to_owned(), key, found: found.to_owned(), expected })
    };
    if let Some(moment) = &side.published_at {
        if moment.parse::<NaiveDate>().is_err() && DateTime::parse_from_rfc3339(moment).is_err() {
            return wrong("published_at", moment, "a date such as 2021-08-13, or a moment in RFC 3339");
        }
        if side.evidence.as_deref().unwrap_or_default().trim().is_empty() {
            return wrong("evidence", "", "how the publication date is known");
        }
    }
    Ok(side)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_publication_date_needs_evidence() {
        let path = Path::new("a.csv.source.toml");
        assert!(parse(path, "published_at = \"2021-08-13\"").is_err());
        assert!(parse(path, "published_at = \"in summer\"\nevidence = \"x\"").is_err());
        let side = parse(path, "published_at = \"2021-08-13T09:00:00+08:00\"\nevidence = \"the department's page\"");
        assert!(side.is_ok());
        assert!(!side.expect("a side file").is_synthetic);
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let error = parse(Path::new("a.csv.source.toml"), "publisher = \"x\"").expect_err("unknown key");
        assert!(error.to_string().contains("publisher"), "{error}");
    }

    #[test]
    fn no_side_file_is_no_error() {
        assert_eq!(read_side_file(Path::new("no/such/file.csv")).expect("absent"), None);
    }
}
