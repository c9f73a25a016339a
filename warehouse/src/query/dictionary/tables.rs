//! The data dictionary: `catalog.table` and `catalog.column`, over declared tables and over the views themselves.

use gongkai_catalog::{Column, SumRule};

use super::Kind::{Bigint, Boolean, Text};
use super::{ArrayRef, Sources, View, bigint, boolean, column, standard, text};

pub(super) const VIEWS: &[View] = &[
    View {
        schema: "catalog",
        name: "table",
        zh: "数据表",
        en: "Tables",
        columns: &[
            column("schema_name", Text, "模式", "Schema"),
            column("table_name", Text, "表名", "Name"),
            column("domain", Text, "主题领域", "Subject area"),
            column("label_zh", Text, "中文名称", "Title in Chinese"),
            column("label_en", Text, "英文名称", "Title in English"),
            column("comment_zh", Text, "中文说明", "What it holds, in Chinese"),
            column("comment_en", Text, "英文说明", "What it holds, in English"),
            column("grain_zh", Text, "每行的含义", "What one row is, in Chinese"),
            column("grain_en", Text, "每行的含义（英文）", "What one row is, in English"),
            column("key_columns", Text, "业务键，以逗号分隔", "Business key, separated by commas"),
            column("sort_columns", Text, "文件内的排序，以逗号分隔", "Order of rows in each file, separated by commas"),
        ],
        fill: tables,
    },
    View {
        schema: "catalog",
        name: "column",
        zh: "数据列",
        en: "Columns",
        columns: &[
            column("schema_name", Text, "模式", "Schema"),
            column("table_name", Text, "表名", "Table"),
            column("position", Bigint, "次序，从 1 起", "Position, from 1"),
            column("column_name", Text, "列名", "Name"),
            column("type_name", Text, "类型", "Type"),
            column("unit", Text, "单位标识", "Unit, id"),
            column("unit_symbol", Text, "单位符号", "Symbol of the unit"),
            column("label_zh", Text, "中文名称", "Heading in Chinese"),
            column("label_en", Text, "英文名称", "Heading in English"),
            column("comment_zh", Text, "中文说明", "What it means, in Chinese"),
            column("comment_en", Text, "英文说明", "What it means, in English"),
            column("is_nullable", Boolean, "是否可空", "Whether new rows may leave it out"),
            column("is_key", Boolean, "是否业务键", "Whether it is part of the business key"),
            column(
                "sum_within",
                Text,
                "求和时每列只可有一个值，以逗号分隔；空为没有声明",
                "Columns of which a sum may span one value only, separated by commas; empty where nothing is declared",
            ),
            column(
                "sum_levels",
                Text,
                "区分合计与分项的列，求和时须限定其一",
                "Columns that tell totals from their parts: a sum filters or groups by one of them",
            ),
            column("sum_table", Text, "可相加行所在的表", "Table that has the rows that add up"),
        ],
        fill: columns,
    },
];

/// A row of `catalog.table`.
#[derive(Default)]
struct TableRow<'a> {
    schema: &'a str,
    name: &'a str,
    domain: Option<&'a str>,
    label: (&'a str, &'a str),
    comment: Option<(&'a str, &'a str)>,
    grain: Option<(&'a str, &'a str)>,
    key: Option<String>,
    sort: Option<String>,
}

fn tables(from: &Sources<'_>) -> Vec<ArrayRef> {
    let declared = from.catalog.tables.values().map(|table| TableRow {
        schema: "open",
        name: &table.name,
        domain: Some(&table.domain),
        label: (&table.label.zh, &table.label.en),
        comment: Some((&table.description.zh, &table.description.en)),
        grain: Some((&table.grain.zh, &table.grain.en)),
        key: Some(table.key.join(",")),
        sort: Some(table.sort.join(",")),
    });
    let derived = from.derived.values().map(|table| TableRow {
        schema: &table.schema,
        name: &table.name,
        domain: Some(&table.domain),
        label: (&table.label.zh, &table.label.en),
        comment: Some((&table.description.zh, &table.description.en)),
        grain: Some((&table.grain.zh, &table.grain.en)),
        key: Some(table.key.join(",")),
        sort: None,
    });
    let lists = from.catalog.lists.values().map(|list| TableRow {
        schema: "ref",
        name: &list.name,
        label: (&list.label.zh, &list.label.en),
        comment: Some((&list.description.zh, &list.description.en)),
        key: Some(list.key.join(",")),
        ..TableRow::default()
    });
    let made = from.views().filter(|view| view.schema != standard::SCHEMA).map(|view| TableRow {
        schema: view.schema,
        name: view.name,
        label: (view.zh, view.en),
        ..TableRow::default()
    });
    let all: Vec<TableRow<'_>> = declared.chain(derived).chain(made).chain(lists).collect();
    vec![
        text(all.iter().map(|row| Some(row.schema))),
        text(all.iter().map(|row| Some(row.name))),
        text(all.iter().map(|row| row.domain)),
        text(all.iter().map(|row| Some(row.label.0))),
        text(all.iter().map(|row| Some(row.label.1))),
        text(all.iter().map(|row| row.comment.map(|comment| comment.0))),
        text(all.iter().map(|row| row.comment.map(|comment| comment.1))),
        text(all.iter().map(|row| row.grain.map(|grain| grain.0))),
        text(all.iter().map(|row| row.grain.map(|grain| grain.1))),
        text(all.iter().map(|row| row.key.as_ref())),
        text(all.iter().map(|row| row.sort.as_ref())),
    ]
}

/// A row of `catalog.column`.
pub(super) struct ColumnRow<'a> {
    pub schema: &'a str,
    pub table: &'a str,
    pub position: usize,
    pub name: &'a str,
    pub type_name: String,
    pub unit: Option<&'a str>,
    label: (&'a str, &'a str),
    pub comment: (&'a str, &'a str),
    pub is_nullable: bool,
    is_key: bool,
    sum: Option<&'a SumRule>,
}

/// A column of a table of schema `open`.
fn column_row<'a>(table: &'a str, index: usize, column: &'a Column) -> ColumnRow<'a> {
    ColumnRow {
        schema: "open",
        table,
        position: index + 1,
        name: &column.name,
        type_name: column.column_type.to_string(),
        unit: column.unit.as_deref(),
        label: (&column.label.zh, &column.label.en),
        comment: (&column.description.zh, &column.description.en),
        is_nullable: column.is_nullable,
        is_key: column.is_key,
        sum: None,
    }
}

/// Every column, those of `information_schema` too where they are asked for.
pub(super) fn column_rows<'a>(from: &Sources<'a>, with_standard: bool) -> Vec<ColumnRow<'a>> {
    let released = from.catalog.tables.values().flat_map(|table| {
        let sum = |name: &str| table.sums.iter().find(|rule| rule.column == name);
        let columns = table.public_columns().enumerate();
        columns
            .map(move |(index, column)| ColumnRow { sum: sum(&column.name), ..column_row(&table.name, index, column) })
    });
    let derived = from.derived.values().flat_map(|table| {
        table
            .columns
            .iter()
            .enumerate()
            .map(|(index, column)| ColumnRow { schema: &table.schema, ..column_row(&table.name, index, column) })
    });
    let lists = from.catalog.lists.values().flat_map(|list| {
        list.columns.iter().enumerate().map(|(index, column)| ColumnRow {
            schema: "ref",
            table: &list.name,
            position: index + 1,
            name: &column.name,
            type_name: column.column_type.to_string(),
            unit: None,
            label: (&column.label.zh, &column.label.en),
            comment: (&column.label.zh, &column.label.en),
            is_nullable: column.is_nullable,
            is_key: column.is_key,
            sum: None,
        })
    });
    let views = from.views().filter(move |view| with_standard || view.schema != standard::SCHEMA);
    let made = views.flat_map(|view| {
        view.columns.iter().enumerate().map(|(index, column)| ColumnRow {
            schema: view.schema,
            table: view.name,
            position: index + 1,
            name: column.name,
            type_name: column.kind.name().to_owned(),
            unit: None,
            label: (column.zh, column.en),
            comment: (column.zh, column.en),
            is_nullable: true,
            is_key: false,
            sum: None,
        })
    });
    released.chain(derived).chain(made).chain(lists).collect()
}

fn columns(from: &Sources<'_>) -> Vec<ArrayRef> {
    let all = column_rows(from, false);
    let symbol = |unit: &str| from.catalog.units.get(unit).map(|unit| unit.symbol.as_str());
    vec![
        text(all.iter().map(|row| Some(row.schema))),
        text(all.iter().map(|row| Some(row.table))),
        bigint(all.iter().map(|row| Some(row.position as u64))),
        text(all.iter().map(|row| Some(row.name))),
        text(all.iter().map(|row| Some(&row.type_name))),
        text(all.iter().map(|row| row.unit)),
        text(all.iter().map(|row| row.unit.and_then(symbol))),
        text(all.iter().map(|row| Some(row.label.0))),
        text(all.iter().map(|row| Some(row.label.1))),
        text(all.iter().map(|row| Some(row.comment.0))),
        text(all.iter().map(|row| Some(row.comment.1))),
        boolean(all.iter().map(|row| row.is_nullable)),
        boolean(all.iter().map(|row| row.is_key)),
        text(all.iter().map(|row| row.sum.map(|rule| rule.within.join(",")))),
        text(all.iter().map(|row| row.sum.map(|rule| rule.levels.join(",")))),
        text(all.iter().map(|row| row.sum.and_then(|rule| rule.additive.as_ref()))),
    ]
}
