//! Reference lists: codes, limits and days that figures refer to, each a CSV file with a TOML file that says what it means.
//!
//! `lists/{name}.toml` names the columns, their types and the key; `lists/{name}.csv` holds the rows. SQL shows them as
//! `ref.{name}`. A list is checked as a whole when it is read: every value has its column's type, an empty field is a missing
//! value and allowed only where the column says so, and no two rows have the same key.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::Deserialize;

use crate::declaration::Declarations;
use crate::{CatalogError, ColumnType, Exact, Label};

/// A column of a list.
#[derive(Debug, Clone)]
pub struct ListColumn {
    /// Name in SQL and in the file.
    pub name: String,
    /// Type: text, integer, decimal, date or boolean.
    pub column_type: ColumnType,
    /// What it says.
    pub label: Label,
    /// Whether a row may leave it out.
    pub is_nullable: bool,
    /// Whether it is part of the key.
    pub is_key: bool,
}

/// A reference list.
#[derive(Debug, Clone)]
pub struct List {
    /// Name in SQL, within schema `ref`.
    pub name: String,
    /// Title.
    pub label: Label,
    /// What it holds, when it is valid and what it leaves out.
    pub description: Label,
    /// Key columns.
    pub key: Vec<String>,
    /// Columns in order.
    pub columns: Vec<ListColumn>,
    /// Rows in the order of the file: one text for each column, none where it is missing.
    pub rows: Vec<Vec<Option<String>>>,
}

impl List {
    /// Position of a column.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// Values of a column, in the order of rows.
    ///
    /// # Errors
    ///
    /// The list has no such column.
    pub fn values(&self, name: &'static str) -> Result<impl Iterator<Item = Option<&str>>, CatalogError> {
        let position = self.position(name).ok_or_else(|| CatalogError::Unknown {
            file: toml_path(&self.name),
            key: "column".into(),
            kind: "column",
            found: name.to_owned(),
            declared_in: "the same file".into(),
        })?;
        Ok(self.rows.iter().map(move |row| row[position].as_deref()))
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ListSpec {
    label: Label,
    description: Label,
    key: Vec<String>,
    column: Vec<ColumnSpec>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnSpec {
    name: String,
    #[serde(rename = "type")]
    column_type: String,
    label: Label,
    #[serde(default)]
    nullable: bool,
}

fn toml_path(name: &str) -> String {
    format!("lists/{name}.toml")
}

fn csv_path(name: &str) -> String {
    format!("lists/{name}.csv")
}

/// Reads every list of a set of declarations.
pub(crate) fn load(declarations: &Declarations) -> Result<BTreeMap<String, List>, CatalogError> {
    let names =
        declarations.paths("lists/", ".toml").filter_map(|path| path.strip_prefix("lists/")?.strip_suffix(".toml"));
    names.map(|name| Ok((name.to_owned(), read(declarations, name)?))).collect()
}

fn read(declarations: &Declarations, name: &str) -> Result<List, CatalogError> {
    let file = toml_path(name);
    let spec: ListSpec = declarations.toml(&file)?;
    let mut columns = Vec::with_capacity(spec.column.len());
    for column in spec.column {
        let column_type = column.column_type.parse().ok().filter(|found| is_listed(*found));
        columns.push(ListColumn {
            column_type: column_type.ok_or_else(|| CatalogError::Value {
                file: file.clone(),
                key: format!("column {}.type", column.name),
                found: column.column_type.clone(),
                expected: "text, integer, decimal(p,s), date or boolean".into(),
            })?,
            is_key: spec.key.contains(&column.name),
            name: column.name,
            label: column.label,
            is_nullable: column.nullable,
        });
    }
    if let Some(missing) = spec.key.iter().find(|key| !columns.iter().any(|column| column.name == **key)) {
        return Err(CatalogError::Unknown {
            file,
            key: "key".into(),
            kind: "column",
            found: missing.clone(),
            declared_in: "the same file".into(),
        });
    }
    let rows = read_rows(declarations, name, &columns)?;
    Ok(List { name: name.to_owned(), label: spec.label, description: spec.description, key: spec.key, columns, rows })
}

fn is_listed(column_type: ColumnType) -> bool {
    !matches!(column_type, ColumnType::Bigint | ColumnType::Timestamp)
}

fn read_rows(
    declarations: &Declarations,
    name: &str,
    columns: &[ListColumn],
) -> Result<Vec<Vec<Option<String>>>, CatalogError> {
    let file = csv_path(name);
    let wrong = |key: String, found: &str, expected: String| CatalogError::Value {
        file: file.clone(),
        key,
        found: found.to_owned(),
        expected,
    };
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let text = declarations.text(&file)?;
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut rows = Vec::new();
    let mut keys = BTreeSet::new();
    for (index, record) in reader.records().enumerate() {
        let line = index + 1;
        let record =
            record.map_err(|error| wrong(format!("line {line}"), &error.to_string(), "a line of CSV".into()))?;
        if index == 0 {
            if !record.iter().eq(names.iter().copied()) {
                let found = record.iter().collect::<Vec<_>>().join(",");
                return Err(wrong("line 1".into(), &found, names.join(",")));
            }
            continue;
        }
        if record.len() != columns.len() {
            let (found, expected) = (record.len(), columns.len());
            return Err(CatalogError::CsvWidth { file, line, found, expected });
        }
        let mut row = Vec::with_capacity(columns.len());
        for (column, value) in columns.iter().zip(&record) {
            if let Some(expected) = unfit(column, value) {
                return Err(wrong(format!("line {line} {}", column.name), value, expected));
            }
            row.push((!value.is_empty()).then(|| value.to_owned()));
        }
        let key: Vec<_> =
            row.iter().zip(columns).filter(|(_, column)| column.is_key).map(|(value, _)| value.clone()).collect();
        if !keys.insert(key.clone()) {
            let found = key.into_iter().map(Option::unwrap_or_default).collect::<Vec<_>>().join(",");
            return Err(wrong(format!("line {line} key"), &found, "a key that no line before has".into()));
        }
        rows.push(row);
    }
    Ok(rows)
}

/// What would have been accepted, where a value does not fit its column.
fn unfit(column: &ListColumn, value: &str) -> Option<String> {
    if value.is_empty() {
        return (!column.is_nullable).then(|| format!("a value of type {}", column.column_type));
    }
    let is_fit = match column.column_type {
        ColumnType::Integer => value.parse::<i32>().is_ok(),
        ColumnType::Decimal { scale, .. } => {
            value.parse::<Exact>().is_ok_and(|number| i16::from(number.scale()) <= i16::from(scale))
        }
        ColumnType::Date => value.parse::<NaiveDate>().is_ok(),
        ColumnType::Boolean => matches!(value, "true" | "false"),
        ColumnType::Text | ColumnType::Bigint | ColumnType::Timestamp => true,
    };
    let example = match column.column_type {
        ColumnType::Date => " such as 2019-10-31",
        ColumnType::Boolean => ": true or false",
        _ => "",
    };
    (!is_fit).then(|| format!("a value of type {}{example}", column.column_type))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOML: &str = r#"
label = { zh = "数", en = "Numbers" }
description = { zh = "数", en = "Numbers" }
key = ["code"]
column = [
  { name = "code", type = "text", label = { zh = "码", en = "Code" } },
  { name = "limit", type = "decimal(9,2)", label = { zh = "限", en = "Limit" }, nullable = true },
  { name = "from", type = "date", label = { zh = "起", en = "From" }, nullable = true },
]
"#;

    fn list(csv: &str) -> Result<List, String> {
        let mut declarations = Declarations::default();
        declarations.insert("lists/number.toml", TOML.as_bytes());
        declarations.insert("lists/number.csv", csv.as_bytes());
        let mut lists = load(&declarations).map_err(|error| error.to_string())?;
        Ok(lists.remove("number").expect("the list"))
    }

    #[test]
    fn quoted_fields_and_missing_values_are_read() {
        let list = list("code,limit,from\n\"a,b\",1.50,2019-01-01\nc,,\n").expect("loads");
        assert_eq!(list.rows[0][0].as_deref(), Some("a,b"));
        assert_eq!(list.rows[1], [Some("c".to_owned()), None, None]);
        assert_eq!(list.values("limit").expect("there").collect::<Vec<_>>(), [Some("1.50"), None]);
    }

    #[test]
    fn what_does_not_fit_its_column_is_refused_with_its_place() {
        let error = |csv: &str| list(csv).expect_err("refused");
        assert!(error("code,limit,from\na,1.505,\n").contains("line 2 limit"), "three decimals");
        assert!(error("code,limit,from\na,1,20190101\n").contains("such as 2019-10-31"));
        assert!(error("code,limit,from\n,1,\n").contains("line 2 code"));
        assert!(error("code,limit\na,1\n").contains("line 1"));
        assert!(error("code,limit,from\na,1,\na,2,\n").contains("line 3 key"));
        assert!(error("code,limit,from\na,1\n").contains("found 2 fields, expected 3"));
    }
}
