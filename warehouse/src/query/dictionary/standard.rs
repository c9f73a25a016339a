//! `information_schema`: the dictionary in the words of the SQL standard, for tools that ask for it.
//!
//! It says of tables, columns and keys what `catalog.table` and `catalog.column` say, and of functions what their documentation
//! says. Beyond the standard, tables and columns have a `comment` in both languages, and routines a description and a syntax.

use std::sync::Arc;

use datafusion::logical_expr::{Documentation, Signature, Volatility};

use super::Kind::{Bigint, Text};
use super::tables::{ColumnRow, column_rows};
use super::{ArrayRef, Sources, View, bigint, column, text};
use crate::query::names::CATALOG;

/// Name of the schema.
pub(in crate::query) const SCHEMA: &str = "information_schema";

pub(super) const VIEWS: &[View] = &[
    View {
        schema: SCHEMA,
        name: "schemata",
        zh: "模式",
        en: "Schemas",
        columns: &[
            column("catalog_name", Text, "目录", "Catalogue"),
            column("schema_name", Text, "模式", "Schema"),
            column("schema_owner", Text, "所有者", "Owner"),
        ],
        fill: schemata,
    },
    View {
        schema: SCHEMA,
        name: "tables",
        zh: "数据表（标准）",
        en: "Tables, as the standard has them",
        columns: &[
            column("table_catalog", Text, "目录", "Catalogue"),
            column("table_schema", Text, "模式", "Schema"),
            column("table_name", Text, "表名", "Name"),
            column(
                "table_type",
                Text,
                "BASE TABLE 或 VIEW",
                "BASE TABLE for stored rows, VIEW for what is made from them",
            ),
            column("is_insertable_into", Text, "是否可写，恒为 NO", "Whether rows can be added; always NO"),
            column("comment", Text, "说明", "What it holds, in both languages"),
        ],
        fill: tables,
    },
    View {
        schema: SCHEMA,
        name: "columns",
        zh: "数据列（标准）",
        en: "Columns, as the standard has them",
        columns: &[
            column("table_catalog", Text, "目录", "Catalogue"),
            column("table_schema", Text, "模式", "Schema"),
            column("table_name", Text, "表名", "Table"),
            column("column_name", Text, "列名", "Name"),
            column("ordinal_position", Bigint, "次序，从 1 起", "Position, from 1"),
            column("column_default", Text, "默认值，恒为空", "Default; always missing"),
            column("is_nullable", Text, "是否可空：YES 或 NO", "Whether it may be missing: YES or NO"),
            column("data_type", Text, "类型", "Type, in the words of the standard"),
            column("character_maximum_length", Bigint, "最大长度，恒为空", "Longest text; always missing"),
            column("numeric_precision", Bigint, "有效位数", "Digits of a decimal"),
            column("numeric_scale", Bigint, "小数位数", "Digits after the point of a decimal"),
            column("udt_schema", Text, "类型所在的模式，恒为 pg_catalog", "Schema of the type; always pg_catalog"),
            column("udt_name", Text, "类型在 pg_type 中的名称", "Name of the type in pg_type"),
            column("is_identity", Text, "是否自增，恒为 NO", "Whether it numbers itself; always NO"),
            column(
                "is_generated",
                Text,
                "是否由其他列算出，恒为 NEVER",
                "Whether it is made of other columns; always NEVER",
            ),
            column("unit", Text, "单位标识", "Unit, id"),
            column("comment", Text, "说明，含单位", "What it means, in both languages, with the unit"),
        ],
        fill: columns,
    },
    View {
        schema: SCHEMA,
        name: "table_constraints",
        zh: "约束（标准）",
        en: "Constraints, as the standard has them",
        columns: &[
            column("constraint_catalog", Text, "目录", "Catalogue"),
            column("constraint_schema", Text, "模式", "Schema"),
            column("constraint_name", Text, "约束名", "Name"),
            column("table_schema", Text, "表所在的模式", "Schema of the table"),
            column("table_name", Text, "表名", "Table"),
            column("constraint_type", Text, "类型，恒为 UNIQUE", "Kind; always UNIQUE, within a release"),
        ],
        fill: constraints,
    },
    View {
        schema: SCHEMA,
        name: "key_column_usage",
        zh: "键列（标准）",
        en: "Columns of keys, as the standard has them",
        columns: &[
            column("constraint_catalog", Text, "目录", "Catalogue"),
            column("constraint_schema", Text, "模式", "Schema"),
            column("constraint_name", Text, "约束名", "Constraint"),
            column("table_schema", Text, "表所在的模式", "Schema of the table"),
            column("table_name", Text, "表名", "Table"),
            column("column_name", Text, "列名", "Column"),
            column("ordinal_position", Bigint, "键内的次序，从 1 起", "Position in the key, from 1"),
        ],
        fill: key_columns,
    },
    View {
        schema: SCHEMA,
        name: "referential_constraints",
        zh: "外键（标准），恒为空",
        en: "References between tables, as the standard has them; always empty",
        columns: &[
            column("constraint_catalog", Text, "目录", "Catalogue"),
            column("constraint_schema", Text, "模式", "Schema"),
            column("constraint_name", Text, "约束名", "Constraint"),
            column("unique_constraint_catalog", Text, "被引用约束的目录", "Catalogue of the key that is referred to"),
            column("unique_constraint_schema", Text, "被引用约束的模式", "Schema of the key that is referred to"),
            column("unique_constraint_name", Text, "被引用的约束名", "Key that is referred to"),
            column("match_option", Text, "匹配方式", "How missing values match"),
            column("update_rule", Text, "更新规则", "What a change does"),
            column("delete_rule", Text, "删除规则", "What a removal does"),
        ],
        fill: |_| (0..9).map(|_| nothing(0)).collect(),
    },
    View {
        schema: SCHEMA,
        name: "character_sets",
        zh: "字符集（标准）",
        en: "Character sets, as the standard has them",
        columns: &[
            column("character_set_catalog", Text, "目录，恒为空", "Catalogue; always missing"),
            column("character_set_schema", Text, "模式，恒为空", "Schema; always missing"),
            column("character_set_name", Text, "字符集", "Name"),
            column("character_repertoire", Text, "字符范围", "Characters that it has"),
        ],
        fill: |_| vec![nothing(1), nothing(1), repeat("UTF8", 1), repeat("UCS", 1)],
    },
    View {
        schema: SCHEMA,
        name: "routines",
        zh: "函数（标准）",
        en: "Functions, as the standard has them",
        columns: &[
            column("routine_catalog", Text, "目录", "Catalogue"),
            column("routine_schema", Text, "模式", "Schema"),
            column("routine_name", Text, "函数名", "Name"),
            column("routine_type", Text, "FUNCTION", "FUNCTION"),
            column("function_type", Text, "SCALAR、AGGREGATE 或 WINDOW", "SCALAR, AGGREGATE or WINDOW"),
            column(
                "is_deterministic",
                Text,
                "同样的参数是否总得同样的结果：YES 或 NO",
                "Whether the same arguments always give the same: YES or NO",
            ),
            column("description", Text, "说明", "What it answers"),
            column("syntax_example", Text, "写法", "A call as it is written"),
        ],
        fill: routines,
    },
    View {
        schema: SCHEMA,
        name: "parameters",
        zh: "函数参数（标准）",
        en: "Arguments of functions, as the standard has them",
        columns: &[
            column("specific_schema", Text, "模式", "Schema"),
            column("specific_name", Text, "函数名", "Function"),
            column("ordinal_position", Bigint, "次序，从 1 起", "Position, from 1"),
            column("parameter_mode", Text, "恒为 IN", "Always IN"),
            column("parameter_name", Text, "参数名", "Name"),
            column("description", Text, "说明", "What it means"),
        ],
        fill: parameters,
    },
];

fn repeat(value: &str, count: usize) -> ArrayRef {
    text(std::iter::repeat_n(Some(value), count))
}

fn nothing(count: usize) -> ArrayRef {
    text(std::iter::repeat_n(None::<&str>, count))
}

fn schemata(from: &Sources<'_>) -> Vec<ArrayRef> {
    let mut schemas = vec!["open"];
    for view in from.views() {
        if !schemas.contains(&view.schema) {
            schemas.push(view.schema);
        }
    }
    vec![repeat(CATALOG, schemas.len()), text(schemas.iter().map(Some)), repeat("gongkai", schemas.len())]
}

/// A table as the standard sees it.
struct TableRow<'a> {
    schema: &'a str,
    name: &'a str,
    is_stored: bool,
    comment: String,
}

fn table_rows<'a>(from: &Sources<'a>) -> Vec<TableRow<'a>> {
    let released = from.catalog.tables.values().map(|table| TableRow {
        schema: "open",
        name: &table.name,
        is_stored: true,
        comment: format!("{} / {}", table.description.zh, table.description.en),
    });
    let derived = from.derived.values().map(|table| TableRow {
        schema: &table.schema,
        name: &table.name,
        is_stored: false,
        comment: format!("{} / {}", table.description.zh, table.description.en),
    });
    let made = from.views().map(|view| TableRow {
        schema: view.schema,
        name: view.name,
        is_stored: false,
        comment: format!("{} / {}", view.zh, view.en),
    });
    let lists = from.catalog.lists.values().map(|list| TableRow {
        schema: "ref",
        name: &list.name,
        is_stored: true,
        comment: format!("{} / {}", list.description.zh, list.description.en),
    });
    released.chain(derived).chain(made).chain(lists).collect()
}

fn tables(from: &Sources<'_>) -> Vec<ArrayRef> {
    let all = table_rows(from);
    vec![
        repeat(CATALOG, all.len()),
        text(all.iter().map(|row| Some(row.schema))),
        text(all.iter().map(|row| Some(row.name))),
        text(all.iter().map(|row| Some(if row.is_stored { "BASE TABLE" } else { "VIEW" }))),
        repeat("NO", all.len()),
        text(all.iter().map(|row| Some(&row.comment))),
    ]
}

/// The standard's name of a type, and the digits of a decimal.
fn standard_type(type_name: &str) -> (&str, Option<(u64, u64)>) {
    if let Some(digits) = type_name.strip_prefix("decimal(").and_then(|rest| rest.strip_suffix(')')) {
        let digits = digits.split_once(',').and_then(|(all, scale)| Some((all.parse().ok()?, scale.parse().ok()?)));
        return ("numeric", digits);
    }
    match type_name {
        "timestamp" => ("timestamp with time zone", None),
        other => (other, None),
    }
}

/// The name that `pg_type` has for a type of the standard.
fn system_type(standard: &str) -> &str {
    match standard {
        "bigint" => "int8",
        "integer" => "int4",
        "smallint" => "int2",
        "double precision" | "double" => "float8",
        "real" => "float4",
        "boolean" => "bool",
        "timestamp with time zone" => "timestamptz",
        other => other,
    }
}

fn columns(from: &Sources<'_>) -> Vec<ArrayRef> {
    let all = column_rows(from, true);
    let symbol = |unit: &str| from.catalog.units.get(unit).map(|unit| unit.symbol.as_str());
    let comment = |row: &ColumnRow<'_>| {
        let unit = row.unit.and_then(symbol).map(|symbol| format!(" [{symbol}]")).unwrap_or_default();
        format!("{} / {}{unit}", row.comment.0, row.comment.1)
    };
    let digits = |row: &ColumnRow<'_>| standard_type(&row.type_name).1;
    vec![
        repeat(CATALOG, all.len()),
        text(all.iter().map(|row| Some(row.schema))),
        text(all.iter().map(|row| Some(row.table))),
        text(all.iter().map(|row| Some(row.name))),
        bigint(all.iter().map(|row| Some(row.position as u64))),
        nothing(all.len()),
        text(all.iter().map(|row| Some(if row.is_nullable { "YES" } else { "NO" }))),
        text(all.iter().map(|row| Some(standard_type(&row.type_name).0))),
        bigint(all.iter().map(|_| None)),
        bigint(all.iter().map(|row| digits(row).map(|digits| digits.0))),
        bigint(all.iter().map(|row| digits(row).map(|digits| digits.1))),
        repeat("pg_catalog", all.len()),
        text(all.iter().map(|row| Some(system_type(standard_type(&row.type_name).0)))),
        repeat("NO", all.len()),
        repeat("NEVER", all.len()),
        text(all.iter().map(|row| row.unit)),
        text(all.iter().map(|row| Some(comment(row)))),
    ]
}

/// A column of a key: schema, table, column, position in the key.
fn keys<'a>(from: &Sources<'a>) -> Vec<(&'a str, &'a str, &'a str, u64)> {
    let position = |index: usize| index as u64 + 1;
    let released = from.catalog.tables.values().flat_map(|table| {
        table.key.iter().enumerate().map(|(index, key)| ("open", table.name.as_str(), key.as_str(), position(index)))
    });
    let derived = from.derived.values().flat_map(|table| {
        let (schema, name) = (table.schema.as_str(), table.name.as_str());
        table.key.iter().enumerate().map(move |(index, key)| (schema, name, key.as_str(), position(index)))
    });
    let lists = from.catalog.lists.values().flat_map(|list| {
        list.key.iter().enumerate().map(|(index, key)| ("ref", list.name.as_str(), key.as_str(), position(index)))
    });
    released.chain(derived).chain(lists).collect()
}

fn constraints(from: &Sources<'_>) -> Vec<ArrayRef> {
    let first: Vec<_> = keys(from).into_iter().filter(|key| key.3 == 1).collect();
    vec![
        repeat(CATALOG, first.len()),
        text(first.iter().map(|key| Some(key.0))),
        text(first.iter().map(|key| Some(format!("{}_key", key.1)))),
        text(first.iter().map(|key| Some(key.0))),
        text(first.iter().map(|key| Some(key.1))),
        repeat("UNIQUE", first.len()),
    ]
}

fn key_columns(from: &Sources<'_>) -> Vec<ArrayRef> {
    let all = keys(from);
    vec![
        repeat(CATALOG, all.len()),
        text(all.iter().map(|key| Some(key.0))),
        text(all.iter().map(|key| Some(format!("{}_key", key.1)))),
        text(all.iter().map(|key| Some(key.0))),
        text(all.iter().map(|key| Some(key.1))),
        text(all.iter().map(|key| Some(key.2))),
        bigint(all.iter().map(|key| Some(key.3))),
    ]
}

/// A function with what it says of itself.
struct Routine<'a> {
    name: &'a str,
    kind: &'static str,
    is_deterministic: bool,
    documentation: Option<&'a Documentation>,
}

fn routine<'a>(
    name: &'a str,
    kind: &'static str,
    signature: &Signature,
    documentation: Option<&'a Documentation>,
) -> Routine<'a> {
    Routine { name, kind, is_deterministic: signature.volatility == Volatility::Immutable, documentation }
}

fn all_routines<'a>(from: &Sources<'a>) -> Vec<Routine<'a>> {
    let functions = from.functions;
    let scalar = functions.scalar.iter().map(Arc::as_ref);
    let aggregate = functions.aggregate.iter().map(Arc::as_ref);
    let window = functions.window.iter().map(Arc::as_ref);
    let mut all: Vec<Routine<'a>> = scalar
        .map(|function| routine(function.name(), "SCALAR", function.signature(), function.documentation()))
        .chain(
            aggregate
                .map(|function| routine(function.name(), "AGGREGATE", function.signature(), function.documentation())),
        )
        .chain(
            window.map(|function| routine(function.name(), "WINDOW", function.signature(), function.documentation())),
        )
        .collect();
    all.sort_by_key(|routine| (routine.name, routine.kind));
    all
}

fn routines(from: &Sources<'_>) -> Vec<ArrayRef> {
    let all = all_routines(from);
    vec![
        repeat(CATALOG, all.len()),
        repeat("open", all.len()),
        text(all.iter().map(|routine| Some(routine.name))),
        repeat("FUNCTION", all.len()),
        text(all.iter().map(|routine| Some(routine.kind))),
        text(all.iter().map(|routine| Some(if routine.is_deterministic { "YES" } else { "NO" }))),
        text(all.iter().map(|routine| routine.documentation.map(|words| words.description.trim()))),
        text(all.iter().map(|routine| routine.documentation.map(|words| words.syntax_example.trim()))),
    ]
}

fn parameters(from: &Sources<'_>) -> Vec<ArrayRef> {
    let routines = all_routines(from);
    let all: Vec<(&str, u64, &str, &str)> = routines
        .iter()
        .flat_map(|routine| {
            let arguments = routine.documentation.and_then(|words| words.arguments.as_ref()).into_iter().flatten();
            arguments
                .enumerate()
                .map(|(index, (name, meaning))| (routine.name, index as u64 + 1, name.as_str(), meaning.trim()))
        })
        .collect();
    vec![
        repeat("open", all.len()),
        text(all.iter().map(|argument| Some(argument.0))),
        bigint(all.iter().map(|argument| Some(argument.1))),
        repeat("IN", all.len()),
        text(all.iter().map(|argument| Some(argument.2))),
        text(all.iter().map(|argument| Some(argument.3))),
    ]
}
