//! A check as written: a header of TOML in SQL comments, then one query.
//!
//! What several checks reckon alike stands once, as common table expressions in `checks/shared/{name}.sql`, and takes the place of
//! `{shared.name}` in their queries.

use std::collections::BTreeMap;

use gongkai_catalog::{Declarations, Exact, Label};
use serde::Deserialize;

use super::outcome::{Outcome, Relation, Tolerance};

/// Why a check does not load.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The header is not what it should be.
    #[error("{file}: header: {reason}; expected TOML in lines that begin with -- and then the query")]
    Header {
        /// The file.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// A value of the header.
    #[error("{file}: {key}: found {found:?}, expected {expected}")]
    Value {
        /// The file.
        file: String,
        /// Key of the header.
        key: &'static str,
        /// What was found.
        found: String,
        /// What would have been accepted.
        expected: String,
    },
}

/// A check, ready to run.
#[derive(Debug, Clone)]
pub struct Check {
    /// Id: the name of its file.
    pub id: String,
    /// Domain: the folder.
    pub domain: String,
    /// What it tests.
    pub title: Label,
    /// Tables that it reads; for a check of every table, that one table.
    pub tables: Vec<String>,
    /// Law, standard or section that it follows.
    pub basis: Label,
    /// What an identity beyond tolerance is.
    pub severity: Outcome,
    /// How the sides stand to each other.
    pub relation: Relation,
    /// How much they may differ.
    pub tolerance: Tolerance,
    /// Everything that it can come to.
    pub outcomes: Vec<Outcome>,
    /// Whether an ERROR holds a release back where the instance asks for that.
    pub is_blocking: bool,
    /// Name of the left side.
    pub lhs: Label,
    /// Name of the right side.
    pub rhs: Label,
    /// Numbers that the query takes as `$1`, `$2`, …, in the order of their names.
    pub parameters: BTreeMap<String, Exact>,
    /// The query.
    pub sql: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    id: String,
    title: Label,
    tables: Vec<String>,
    basis: Label,
    severity: String,
    #[serde(default = "equal")]
    relation: Relation,
    tolerance: Tolerance,
    outcomes: Vec<String>,
    blocking: bool,
    lhs: Label,
    rhs: Label,
    #[serde(default)]
    parameters: BTreeMap<String, String>,
}

fn equal() -> Relation {
    Relation::Equal
}

/// Name that stands for every table in a header.
const EVERY_TABLE: &str = "*";

/// Folder of what checks share.
const SHARED: &str = "checks/shared/";

/// What checks share, by name.
fn shared(declarations: &Declarations) -> Result<BTreeMap<&str, String>, CheckError> {
    let files = declarations.paths(SHARED, ".sql");
    let named = files.filter_map(|file| Some((file, file.strip_prefix(SHARED)?.strip_suffix(".sql")?)));
    let read = |(file, name): (&str, _)| {
        let text = declarations
            .text(file)
            .map_err(|error| CheckError::Header { file: file.to_owned(), reason: error.to_string() })?;
        Ok((name, crate::derived::split(text).1))
    };
    named.map(read).collect()
}

/// A query with what it shares in its place.
fn with_shared(file: &str, sql: &str, shared: &BTreeMap<&str, String>) -> Result<String, CheckError> {
    let mut whole = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some((before, after)) = rest.split_once("{shared.") {
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        let text = shared.get(name).ok_or_else(|| CheckError::Value {
            file: file.to_owned(),
            key: "{shared.…}",
            found: name.to_owned(),
            expected: format!("one of {SHARED}: {}", shared.keys().copied().collect::<Vec<_>>().join(", ")),
        })?;
        whole.extend([before, text.trim()]);
        rest = after;
    }
    whole.push_str(rest);
    Ok(whole)
}

/// Every check of a set of declarations, in the order of ids; a check of every table is one for each.
pub fn load(
    declarations: &Declarations,
    tables: &BTreeMap<String, gongkai_catalog::Table>,
) -> Result<Vec<Check>, CheckError> {
    let mut checks = Vec::new();
    let shared = shared(declarations)?;
    for file in declarations.paths("checks/", ".sql").filter(|file| !file.starts_with(SHARED)) {
        let text = declarations
            .text(file)
            .map_err(|error| CheckError::Header { file: file.to_owned(), reason: error.to_string() })?;
        let mut check = parse(file, text)?;
        check.sql = with_shared(file, &check.sql, &shared)?;
        if check.tables == [EVERY_TABLE] {
            checks.extend(tables.values().map(|table| for_table(&check, table)));
            continue;
        }
        if let Some(unknown) = check.tables.iter().find(|table| !tables.contains_key(*table)) {
            return Err(CheckError::Value {
                file: file.to_owned(),
                key: "tables",
                found: unknown.clone(),
                expected: "tables of tables/, or \"*\" for each of them".into(),
            });
        }
        checks.push(check);
    }
    checks.sort_by(|a, b| (&a.id, &a.tables).cmp(&(&b.id, &b.tables)));
    Ok(checks)
}

/// A check of every table, for one: `{table}` is its name, `{key}` the columns of its business key, and `{same}` whether a row has the
/// key of the row before it in their order.
fn for_table(check: &Check, table: &gongkai_catalog::Table) -> Check {
    let key = table.key.join(", ");
    let same = table.key.iter().map(|column| {
        format!("({column} IS NOT DISTINCT FROM lag({column}) OVER (PARTITION BY release_id ORDER BY {key}))")
    });
    let same = same.collect::<Vec<_>>().join(" AND ");
    let sql = check.sql.replace("{table}", &table.name).replace("{key}", &key).replace("{same}", &same);
    Check { tables: vec![table.name.clone()], sql, ..check.clone() }
}

fn parse(file: &str, text: &str) -> Result<Check, CheckError> {
    let (toml, sql) = crate::derived::split(text);
    let wrong = |reason: String| CheckError::Header { file: file.to_owned(), reason };
    let header: Header = toml::from_str(&toml).map_err(|error| wrong(error.message().to_owned()))?;
    let (domain, id) = file
        .strip_prefix("checks/")
        .and_then(|rest| rest.strip_suffix(".sql"))
        .and_then(|rest| rest.split_once('/'))
        .ok_or_else(|| wrong("the path is not checks/{domain}/{id}.sql".into()))?;
    if header.id != id {
        let expected = format!("{id:?}, the name of the file");
        return Err(CheckError::Value { file: file.to_owned(), key: "id", found: header.id, expected });
    }
    let parameters = header
        .parameters
        .into_iter()
        .map(|(name, text)| match text.parse::<Exact>() {
            Ok(number) => Ok((name, number)),
            Err(_) => Err(CheckError::Value {
                file: file.to_owned(),
                key: "parameters",
                found: text,
                expected: "decimal numbers in quotes".into(),
            }),
        })
        .collect::<Result<_, _>>()?;
    let outcomes = header.outcomes.iter().map(|name| outcome(file, "outcomes", name)).collect::<Result<_, _>>()?;
    Ok(Check {
        severity: outcome(file, "severity", &header.severity)?,
        id: header.id,
        domain: domain.to_owned(),
        title: header.title,
        tables: header.tables,
        basis: header.basis,
        relation: header.relation,
        tolerance: header.tolerance,
        outcomes,
        is_blocking: header.blocking,
        lhs: header.lhs,
        rhs: header.rhs,
        parameters,
        sql,
    })
}

fn outcome(file: &str, key: &'static str, name: &str) -> Result<Outcome, CheckError> {
    [Outcome::Pass, Outcome::Skip, Outcome::Info, Outcome::WarnRounding, Outcome::Warn, Outcome::Error]
        .into_iter()
        .find(|outcome| outcome.name() == name)
        .ok_or_else(|| CheckError::Value {
            file: file.to_owned(),
            key,
            found: name.to_owned(),
            expected: "PASS, SKIP, INFO, WARN_ROUNDING, WARN or ERROR".into(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_checks_share_takes_its_place_and_an_unknown_name_is_refused() {
        let shared = BTreeMap::from([("total", "total AS (SELECT 1 AS n)\n".to_owned())]);
        let sql = with_shared("checks/debt/X.sql", "WITH {shared.total} SELECT n FROM total", &shared).expect("there");
        assert_eq!(sql, "WITH total AS (SELECT 1 AS n) SELECT n FROM total");
        let error = with_shared("checks/debt/X.sql", "WITH {shared.totals} SELECT 1", &shared).expect_err("refused");
        let expected = "checks/debt/X.sql: {shared.…}: found \"totals\", expected one of checks/shared/: total";
        assert_eq!(error.to_string(), expected);
    }
}
