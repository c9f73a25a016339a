//! What asyncpg asks about types that it does not know: every array but `text[]` and `oid[]`.
//!
//! It asks with one recursive statement, which follows arrays, domains, ranges and composites to what they are made of. The
//! engine's recursion is refused here, and no type of an answer is made of more than one other: so the statement is recognised
//! by its beginning, and another one stands for it, with the same columns, for the types asked for and those of their values.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::OID_ALIAS;

/// How the statement begins, in every version that asks of a server as new as this one says it is.
const BEGINNING: &str = "WITH RECURSIVE typeinfo_tree(";
/// What stands before and after the numbers of the types.
const AROUND: (&str, &str) = ("ti.oid = any(", "::oid[])");

/// The numbers of types that a statement asks about, as it writes them: a parameter, or a list in quotes.
fn asked(text: &str) -> Option<String> {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if !words.starts_with(BEGINNING) {
        return None;
    }
    let numbers = words.split_once(AROUND.0)?.1.split_once(AROUND.1)?.0;
    let is_list = |list: &str| list.chars().all(|character| matches!(character, '0'..='9' | ',' | '{' | '}' | ' '));
    let quoted = numbers.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    (numbers == "$1" || quoted.is_some_and(is_list)).then(|| numbers.to_owned())
}

/// Whether a statement asks what types are made of.
pub(in crate::query) fn is_asked(text: &str) -> bool {
    asked(text).is_some()
}

/// The statement that stands for it; none for other statements.
pub(super) fn instead(text: &str) -> Option<String> {
    let numbers = asked(text)?;
    // Whoever hands numbers over may write them in quotes and with blanks.
    let is_one = |alias: &str| {
        format!("array_has(string_to_array(translate({numbers}, '{{}}\" ', ''), ','), CAST({alias}.oid AS TEXT))")
    };
    let (of_type, of_list) = (is_one("t"), is_one("a"));
    Some(format!(
        "SELECT t.oid AS oid, n.nspname AS ns, t.typname AS name, t.typtype AS kind, CAST(NULL AS INTEGER) AS basetype, \
         t.typelem AS elemtype, e.typdelim AS elemdelim, CAST(NULL AS INTEGER) AS range_subtype, \
         CAST(NULL AS TEXT) AS attrtypoids, CAST(NULL AS TEXT) AS attrnames, \
         CASE WHEN {of_type} THEN 0 ELSE 1 END AS depth, CAST(NULL AS TEXT) AS basetype_name, \
         e.typname AS elemtype_name, CAST(NULL AS TEXT) AS range_subtype_name \
         FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace \
         LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND t.typlen = -1 \
         LEFT JOIN (SELECT DISTINCT a.typelem AS number FROM pg_catalog.pg_type a WHERE {of_list}) AS made \
         ON made.number = t.oid \
         WHERE {of_type} OR made.number IS NOT NULL ORDER BY depth DESC"
    ))
}

/// Its parameter, as clients must be told of it: numbers of types, which it hands over without asking about them in turn.
pub(in crate::query) fn parameters() -> SchemaRef {
    let numbers = DataType::List(Arc::new(Field::new_list_field(DataType::UInt32, true)));
    let metadata = HashMap::from([(OID_ALIAS.to_owned(), "oid".to_owned())]);
    Arc::new(Schema::new(vec![Field::new("1", numbers, true).with_metadata(metadata)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_statement_is_recognised_however_it_is_laid_out() {
        let recursive = |numbers: &str| {
            format!(
                "WITH RECURSIVE typeinfo_tree(\n  oid, ns)\nAS (SELECT ti.oid FROM x AS ti\n WHERE\n ti.oid =  any({numbers}::oid[]) UNION ALL …)"
            )
        };
        assert_eq!(asked(&recursive("$1")).as_deref(), Some("$1"));
        assert_eq!(asked(&recursive("'{1007, 1016}'")).as_deref(), Some("'{1007, 1016}'"));
        for other in ["$2", "'{x}'", "'1'') OR (''1'", "(SELECT 1)"] {
            assert_eq!(asked(&recursive(other)), None, "{other}");
        }
        assert_eq!(instead("WITH RECURSIVE n AS (SELECT 1) SELECT * FROM n"), None);
        assert_eq!(instead("SELECT 1"), None);
    }
}
