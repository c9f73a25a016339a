//! `search_path`: the schemas in which a name without one is looked for, the first that has it first.
//!
//! As in PostgreSQL a path may name schemas that do not exist; no name is found there. `pg_catalog` is always looked in.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::names::DEFAULT_SCHEMA;

/// Schemas in their order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SearchPath(Vec<String>);

impl Default for SearchPath {
    fn default() -> Self {
        Self(vec![DEFAULT_SCHEMA.to_owned()])
    }
}

impl SearchPath {
    /// A path of these schemas.
    pub fn of(schemas: impl IntoIterator<Item = String>) -> Self {
        Self(schemas.into_iter().collect())
    }

    /// Reads names with commas between them: in lower case unless they stand in quotation marks, in which a mark is doubled.
    ///
    /// None for a text that is no such list.
    pub fn read(text: &str) -> Option<Self> {
        let (mut schemas, mut rest) = (Vec::new(), text.trim());
        if rest.is_empty() {
            return Some(Self(schemas));
        }
        loop {
            let (schema, after) = first_name(rest)?;
            schemas.push(schema);
            let after = after.trim_start();
            match after.strip_prefix(',') {
                Some(more) => rest = more.trim_start(),
                None => return after.is_empty().then_some(Self(schemas)),
            }
        }
    }

    /// Whether names without a schema mean what they mean to those who set no path.
    pub fn is_default(&self) -> bool {
        matches!(self.0.as_slice(), [only] if only == DEFAULT_SCHEMA)
    }

    /// The schemas, in order.
    pub fn schemas(&self) -> &[String] {
        &self.0
    }
}

/// The path as `SET` takes it and `SHOW` gives it.
impl fmt::Display for SearchPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.0.iter().map(|schema| quoted(schema)).collect();
        f.write_str(&names.join(", "))
    }
}

/// The name at the beginning of a text, and what is after it.
fn first_name(text: &str) -> Option<(String, &str)> {
    let Some(mut rest) = text.strip_prefix('"') else {
        let end = text.find(|character: char| character == ',' || character.is_whitespace()).unwrap_or(text.len());
        let (name, after) = text.split_at(end);
        return (!name.is_empty() && !name.contains('"')).then(|| (name.to_lowercase(), after));
    };
    let mut name = String::new();
    loop {
        let (part, after) = rest.split_once('"')?;
        name.push_str(part);
        match after.strip_prefix('"') {
            Some(more) => {
                name.push('"');
                rest = more;
            }
            None => return Some((name, after)),
        }
    }
}

/// A name, in quotation marks where it is not one without them.
pub(super) fn quoted(name: &str) -> String {
    let is_plain = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '_';
    let is_name = name.chars().all(is_plain) && !name.starts_with(|character: char| character.is_ascii_digit());
    if is_name && !name.is_empty() { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_as_postgresql_reads_it_and_written_so_that_it_reads_the_same() {
        for (text, schemas, written) in [
            ("open", vec!["open"], "open"),
            (" Catalog ,OPEN,ref ", vec!["catalog", "open", "ref"], "catalog, open, ref"),
            ("\"$user\", public", vec!["$user", "public"], "\"$user\", public"),
            ("\"A\"\"b\" , \"c,d\"", vec!["A\"b", "c,d"], "\"A\"\"b\", \"c,d\""),
            ("\"\"", vec![""], "\"\""),
            ("  ", vec![], ""),
        ] {
            let path = SearchPath::read(text).expect(text);
            assert_eq!(path.schemas(), schemas, "{text}");
            assert_eq!(path.to_string(), written, "{text}");
            assert_eq!(SearchPath::read(written).as_ref(), Some(&path), "{text}");
        }
        for wrong in [",", "a,", "a,,b", "a b", "\"a", "a\"b", "\"a\"b"] {
            assert_eq!(SearchPath::read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_the_one_schema_of_everybody_is_the_default() {
        assert!(SearchPath::default().is_default());
        assert!(SearchPath::read("OPEN").is_some_and(|path| path.is_default()));
        for other in ["", "open, catalog", "\"OPEN\"", "catalog"] {
            assert!(SearchPath::read(other).is_some_and(|path| !path.is_default()), "{other}");
        }
    }
}
