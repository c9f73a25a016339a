//! The tables of `pg_catalog` that speak of our tables: schemas, tables with the keys' indexes, columns, constraints, comments.
//!
//! The crate numbers schemas and tables in the order in which it meets them, and that order is one of a hash map: two processes
//! give two numbers to one table. Clients ask for a number in one statement and use it in the next, which another process may
//! answer. So its rows are taken once and numbered anew, by sorted names.
//!
//! Invariant: numbers follow from the names of schemas and tables alone. Those of kinds lie apart, because clients look a comment
//! up by number without saying of what kind.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int16Array, Int32Array, ListArray, RecordBatch, StringArray, UInt32Array,
    new_null_array,
};
use datafusion::arrow::compute::{concat_batches, take_record_batch};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Int16Type, Int32Type, Schema};
use datafusion::catalog::{MemTable, TableProvider};
use datafusion::common::{Result, ScalarValue};
use datafusion::prelude::SessionContext;

use super::ShownTable;
use crate::query::released_table::{LABEL_ZH, UNIT};

/// Number of `pg_catalog` itself; rows that come with the crate refer to it.
const SYSTEM_SCHEMA: i32 = 11;
const FIRST_SCHEMA: i32 = 16_400;
const FIRST_TABLE: i32 = 17_000;
const FIRST_INDEX: i32 = 20_000;
const FIRST_CONSTRAINT: i32 = 23_000;
/// `btree` in `pg_am`.
const BTREE: i32 = 403;
/// The usual order of texts in `pg_opclass`.
const TEXT_OPS: i32 = 3_126;

/// A key as constraints and indexes show it.
#[derive(Debug, Clone)]
pub(super) struct Key {
    /// Number of the schema.
    namespace: i32,
    /// Schema and table.
    table: (String, String),
    /// Number of the table.
    relation: i32,
    /// Number of the index.
    index: i32,
    /// Number of the constraint.
    constraint: i32,
    /// Columns by name, in the key's order.
    columns: Vec<String>,
    /// Positions of the same columns in the table, from 1.
    positions: Vec<i16>,
}

impl Key {
    fn name(&self) -> String {
        format!("{}_key", self.table.1)
    }
}

/// What our tables are, under their numbers.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    /// Comment by table and column; column 0 is the table.
    comments: BTreeMap<(i32, i32), String>,
    /// Numbers of tables by schema and name.
    relations: HashMap<(String, String), i32>,
    /// Number of `pg_class` itself.
    class: i32,
    /// Digits of decimals by table and column, as the system catalogue writes them.
    digits: HashMap<(i32, i16), i32>,
    keys: Vec<Key>,
}

impl Numbers {
    /// The comment of a table, or of a column by its position.
    pub fn comment(&self, table: i32, column: i32) -> Option<String> {
        self.comments.get(&(table, column)).cloned()
    }

    /// The number of a table.
    pub fn relation(&self, schema: String, name: String) -> Option<i32> {
        self.relations.get(&(schema, name)).copied()
    }

    /// A constraint as it is declared.
    pub fn constraint(&self, number: i32) -> Option<String> {
        let key = self.keys.iter().find(|key| key.constraint == number)?;
        Some(format!("UNIQUE ({})", key.columns.join(", ")))
    }

    /// An index as it is declared; or one of its columns, from 1.
    pub fn index(&self, number: i32, column: usize) -> Option<String> {
        let key = self.keys.iter().find(|key| key.index == number)?;
        if column > 0 {
            return key.columns.get(column - 1).cloned();
        }
        let (schema, table) = &key.table;
        Some(format!("CREATE UNIQUE INDEX {} ON {schema}.{table} USING btree ({})", key.name(), key.columns.join(", ")))
    }

    /// Takes the rows of the crate, numbers them anew and adds keys and comments.
    ///
    /// Gives the tables that take the place of the crate's, by name.
    pub async fn take(
        context: &SessionContext,
        shown: &[ShownTable],
    ) -> Result<(Self, BTreeMap<&'static str, Arc<dyn TableProvider>>)> {
        let namespaces = rows(context, "pg_namespace").await?;
        let classes = rows(context, "pg_class").await?;
        let attributes = rows(context, "pg_attribute").await?;
        let constraints = rows(context, "pg_constraint").await?;
        let indexes = rows(context, "pg_index").await?;

        let mut found = Self::default();
        let old = old_schemas(&namespaces)?;
        let (namespaces, schemas) = numbered_schemas(&namespaces)?;
        let (classes, tables) = numbered_tables(&classes, &old, &schemas)?;
        for table in tables.values() {
            found.relations.insert((table.schema.clone(), table.name.clone()), table.number);
            if table.schema == "pg_catalog" && table.name == "pg_class" {
                found.class = table.number;
            }
        }
        found.describe(shown, &tables, &schemas);
        let classes = found.with_indexes(&classes)?;
        let attributes = found.numbered_columns(&attributes, &tables)?;

        let mut all: BTreeMap<&'static str, Arc<dyn TableProvider>> = BTreeMap::new();
        for (name, batch) in [
            ("pg_namespace", namespaces),
            ("pg_class", classes),
            ("pg_attribute", attributes),
            ("pg_constraint", found.constraints(&constraints)?),
            ("pg_index", found.indexes(&indexes)?),
            ("pg_description", found.descriptions()?),
        ] {
            all.insert(name, Arc::new(MemTable::try_new(batch.schema(), vec![vec![batch]])?));
        }
        Ok((found, all))
    }

    /// Notes comments, digits and keys of our tables.
    fn describe(&mut self, shown: &[ShownTable], tables: &BTreeMap<i32, Table>, schemas: &HashMap<String, i32>) {
        let numbers: HashMap<(&str, &str), i32> =
            tables.values().map(|table| ((table.schema.as_str(), table.name.as_str()), table.number)).collect();
        for table in shown {
            let Some(&number) = numbers.get(&(table.schema.as_str(), table.name.as_str())) else { continue };
            self.comments.insert((number, 0), table.comment.clone());
            for (position, field) in (1_i16..).zip(table.columns.fields()) {
                if let Some(comment) = described(field) {
                    self.comments.insert((number, i32::from(position)), comment);
                }
                if let DataType::Decimal128(precision, scale) = field.data_type() {
                    let digits = ((i32::from(*precision) << 16) | i32::from(*scale)) + 4;
                    self.digits.insert((number, position), digits);
                }
            }
            let position = |name: &String| table.columns.index_of(name).ok().and_then(|at| i16::try_from(at + 1).ok());
            let positions: Option<Vec<i16>> = table.key.iter().map(position).collect();
            let (Some(positions), Some(&namespace)) = (positions, schemas.get(&table.schema)) else { continue };
            if !positions.is_empty() {
                let at = self.keys.len() as i32;
                self.keys.push(Key {
                    namespace,
                    table: (table.schema.clone(), table.name.clone()),
                    relation: number,
                    index: FIRST_INDEX + at,
                    constraint: FIRST_CONSTRAINT + at,
                    columns: table.key.clone(),
                    positions,
                });
            }
        }
    }

    /// The rows of `pg_class` with one for the index of each key.
    fn with_indexes(&self, classes: &RecordBatch) -> Result<RecordBatch> {
        let numbers = numbers_in(classes, "oid")?;
        let keyed: HashMap<i32, &Key> = self.keys.iter().map(|key| (key.relation, key)).collect();
        let has_index: BooleanArray = numbers.values().iter().map(|number| Some(keyed.contains_key(number))).collect();
        let rows = (0_u32..).zip(numbers.values());
        let (places, keys): (Vec<u32>, Vec<&Key>) =
            rows.filter_map(|(place, number)| keyed.get(number).map(|key| (place, *key))).unzip();
        let no_text = || new_null_array(&DataType::Utf8, numbers.len());
        let tables = with_columns(
            classes,
            vec![("relhasindex", Arc::new(has_index) as ArrayRef), ("relacl", no_text()), ("reloptions", no_text())],
        )?;
        let count = keys.len();
        let natts: Int16Array = keys.iter().map(|key| Some(key.columns.len() as i16)).collect();
        let indexes = with_columns(
            &take_record_batch(&tables, &UInt32Array::from(places))?,
            vec![
                ("oid", numbers_of(keys.iter().map(|key| key.index))),
                ("relname", texts_of(keys.iter().map(|key| key.name()))),
                ("reltype", numbers_of(std::iter::repeat_n(0, count))),
                ("relam", numbers_of(std::iter::repeat_n(BTREE, count))),
                ("relhasindex", Arc::new(BooleanArray::from(vec![false; count])) as ArrayRef),
                ("relkind", texts_of(std::iter::repeat_n("i".to_owned(), count))),
                ("relnatts", Arc::new(natts) as ArrayRef),
            ],
        )?;
        Ok(concat_batches(&tables.schema(), [&tables, &indexes])?)
    }

    /// The rows of `pg_attribute`, with the digits of decimals.
    fn numbered_columns(&self, attributes: &RecordBatch, tables: &BTreeMap<i32, Table>) -> Result<RecordBatch> {
        let relations = numbers_in(attributes, "attrelid")?;
        let positions = column(attributes, "attnum")?.as_primitive::<Int16Type>().clone();
        let number = |old: &i32| tables.get(old).map_or(0, |table| table.number);
        let relations: Vec<i32> = relations.values().iter().map(number).collect();
        let digits = relations
            .iter()
            .zip(positions.values())
            .map(|(relation, position)| self.digits.get(&(*relation, *position)).copied().unwrap_or(-1));
        let digits = numbers_of(digits);
        let mut order: Vec<u32> = (0..relations.len() as u32).collect();
        order.sort_by_key(|&row| (relations[row as usize], positions.value(row as usize)));
        let batch =
            with_columns(attributes, vec![("attrelid", numbers_of(relations.iter().copied())), ("atttypmod", digits)])?;
        Ok(take_record_batch(&batch, &UInt32Array::from(order))?)
    }

    /// The rows of `pg_constraint`: keys hold within a release, and are unique constraints, as `information_schema` has them.
    fn constraints(&self, declared: &RecordBatch) -> Result<RecordBatch> {
        let keys = &self.keys;
        let count = keys.len();
        let always = |value: bool| Arc::new(BooleanArray::from(vec![value; count])) as ArrayRef;
        let zero = || numbers_of(std::iter::repeat_n(0, count));
        let blank = || texts_of(std::iter::repeat_n(" ".to_owned(), count));
        with_columns(
            &missing(declared, count)?,
            vec![
                ("oid", numbers_of(keys.iter().map(|key| key.constraint))),
                ("conname", texts_of(keys.iter().map(Key::name))),
                ("connamespace", numbers_of(keys.iter().map(|key| key.namespace))),
                ("contype", texts_of(std::iter::repeat_n("u".to_owned(), count))),
                ("condeferrable", always(false)),
                ("condeferred", always(false)),
                ("convalidated", always(true)),
                ("conrelid", numbers_of(keys.iter().map(|key| key.relation))),
                ("contypid", zero()),
                ("conindid", numbers_of(keys.iter().map(|key| key.index))),
                ("conparentid", zero()),
                ("confrelid", zero()),
                ("confupdtype", blank()),
                ("confdeltype", blank()),
                ("confmatchtype", blank()),
                ("conislocal", always(true)),
                ("coninhcount", Arc::new(Int16Array::from(vec![0_i16; count])) as ArrayRef),
                ("connoinherit", always(true)),
                ("conkey", positions_of(keys.iter().map(|key| Some(key.positions.clone())))),
                ("confkey", positions_of(keys.iter().map(|_| None))),
                ("conexclop", list_of(keys.iter().map(|_| None))),
            ],
        )
    }

    /// The rows of `pg_index`.
    fn indexes(&self, declared: &RecordBatch) -> Result<RecordBatch> {
        let keys = &self.keys;
        let count = keys.len();
        let always = |value: bool| Arc::new(BooleanArray::from(vec![value; count])) as ArrayRef;
        let size =
            || Arc::new(keys.iter().map(|key| Some(key.columns.len() as i16)).collect::<Int16Array>()) as ArrayRef;
        let same = |value: i32| list_of(keys.iter().map(move |key| Some(vec![value; key.columns.len()])));
        with_columns(
            &missing(declared, count)?,
            vec![
                ("indexrelid", numbers_of(keys.iter().map(|key| key.index))),
                ("indrelid", numbers_of(keys.iter().map(|key| key.relation))),
                ("indnatts", size()),
                ("indnkeyatts", size()),
                ("indisunique", always(true)),
                ("indnullsnotdistinct", always(false)),
                ("indisprimary", always(false)),
                ("indisexclusion", always(false)),
                ("indimmediate", always(true)),
                ("indisclustered", always(false)),
                ("indisvalid", always(true)),
                ("indcheckxmin", always(false)),
                ("indisready", always(true)),
                ("indislive", always(true)),
                ("indisreplident", always(false)),
                ("indkey", positions_of(keys.iter().map(|key| Some(key.positions.clone())))),
                ("indcollation", same(0)),
                ("indclass", same(TEXT_OPS)),
                // As drivers have it, which take it apart at the blanks; nobody unnests it.
                (
                    "indoption",
                    Arc::new(
                        keys.iter().map(|key| Some(vec!["0"; key.columns.len()].join(" "))).collect::<StringArray>(),
                    ),
                ),
            ],
        )
    }

    /// The rows of `pg_description`.
    fn descriptions(&self) -> Result<RecordBatch> {
        let schema = Arc::new(Schema::new(vec![
            Field::new("objoid", DataType::Int32, false),
            Field::new("classoid", DataType::Int32, false),
            Field::new("objsubid", DataType::Int32, false),
            Field::new("description", DataType::Utf8, false),
        ]));
        let rows = &self.comments;
        let columns = vec![
            numbers_of(rows.keys().map(|key| key.0)),
            numbers_of(rows.keys().map(|_| self.class)),
            numbers_of(rows.keys().map(|key| key.1)),
            texts_of(rows.values().cloned()),
        ];
        Ok(RecordBatch::try_new(schema, columns)?)
    }
}

/// The comment of a column: its heading, what it means in both languages, and its unit.
fn described(field: &Field) -> Option<String> {
    let metadata = field.metadata();
    let comment = metadata.get("comment")?;
    let unit = metadata.get(UNIT).map(|unit| format!(" [{unit}]")).unwrap_or_default();
    Some(match metadata.get(LABEL_ZH).filter(|label| !comment.starts_with(label.as_str())) {
        Some(label) => format!("{label}：{comment}{unit}"),
        None => format!("{comment}{unit}"),
    })
}

/// A table of `pg_class` with its new number.
struct Table {
    schema: String,
    name: String,
    number: i32,
}

/// All rows of a table of the crate.
async fn rows(context: &SessionContext, name: &str) -> Result<RecordBatch> {
    let table = context.table(format!("pg_catalog.{name}")).await?;
    let schema = Arc::clone(table.schema().inner());
    let batches = table.collect().await?;
    let schema = batches.first().map_or(schema, RecordBatch::schema);
    Ok(concat_batches(&schema, &batches)?)
}

fn column(batch: &RecordBatch, name: &str) -> Result<ArrayRef> {
    Ok(Arc::clone(batch.column(batch.schema().index_of(name)?)))
}

fn numbers_in(batch: &RecordBatch, name: &str) -> Result<Int32Array> {
    Ok(column(batch, name)?.as_primitive::<Int32Type>().clone())
}

fn text(array: &ArrayRef, row: usize) -> Result<String> {
    Ok(ScalarValue::try_from_array(array, row)?.to_string())
}

/// Schemas in the order of their names, and the new number of each by name.
fn numbered_schemas(batch: &RecordBatch) -> Result<(RecordBatch, HashMap<String, i32>)> {
    let names = column(batch, "nspname")?;
    let mut order: Vec<(String, u32)> =
        (0..batch.num_rows()).map(|row| Ok((text(&names, row)?, row as u32))).collect::<Result<_>>()?;
    order.sort();
    let number = |at: usize, name: &str| if name == "pg_catalog" { SYSTEM_SCHEMA } else { FIRST_SCHEMA + at as i32 };
    let numbers: Vec<i32> = order.iter().enumerate().map(|(at, (name, _))| number(at, name)).collect();
    let sorted = take_record_batch(batch, &order.iter().map(|(_, row)| Some(*row)).collect::<UInt32Array>())?;
    let sorted = with_columns(&sorted, vec![("oid", numbers_of(numbers.iter().copied()))])?;
    Ok((sorted, order.into_iter().map(|(name, _)| name).zip(numbers).collect()))
}

/// Names of schemas by the numbers that the crate gave them.
fn old_schemas(batch: &RecordBatch) -> Result<HashMap<i32, String>> {
    let (numbers, names) = (numbers_in(batch, "oid")?, column(batch, "nspname")?);
    (0..batch.num_rows()).map(|row| Ok((numbers.value(row), text(&names, row)?))).collect()
}

/// Tables in the order of schema and name, and what each is by its old number.
fn numbered_tables(
    batch: &RecordBatch,
    of_schema: &HashMap<i32, String>,
    schemas: &HashMap<String, i32>,
) -> Result<(RecordBatch, BTreeMap<i32, Table>)> {
    let (names, old, inside) =
        (column(batch, "relname")?, numbers_in(batch, "oid")?, numbers_in(batch, "relnamespace")?);
    let mut order: Vec<(String, String, u32)> = Vec::with_capacity(batch.num_rows());
    for row in 0..batch.num_rows() {
        let schema = of_schema.get(&inside.value(row)).cloned().unwrap_or_default();
        order.push((schema, text(&names, row)?, row as u32));
    }
    order.sort();
    let numbers = FIRST_TABLE..FIRST_TABLE + order.len() as i32;
    let tables = order.iter().zip(numbers.clone()).map(|((schema, name, row), number)| {
        (old.value(*row as usize), Table { schema: schema.clone(), name: name.clone(), number })
    });
    let tables: BTreeMap<i32, Table> = tables.collect();
    let spaces = order.iter().map(|(schema, ..)| schemas.get(schema).copied().unwrap_or_default());
    let sorted = take_record_batch(batch, &order.iter().map(|(.., row)| Some(*row)).collect::<UInt32Array>())?;
    let sorted = with_columns(&sorted, vec![("oid", numbers_of(numbers)), ("relnamespace", numbers_of(spaces))])?;
    Ok((sorted, tables))
}

fn numbers_of(values: impl IntoIterator<Item = i32>) -> ArrayRef {
    Arc::new(values.into_iter().map(Some).collect::<Int32Array>())
}

fn texts_of(values: impl IntoIterator<Item = String>) -> ArrayRef {
    Arc::new(values.into_iter().map(Some).collect::<StringArray>())
}

fn list_of(values: impl IntoIterator<Item = Option<Vec<i32>>>) -> ArrayRef {
    let lists = values.into_iter().map(|list| list.map(|list| list.into_iter().map(Some).collect::<Vec<_>>()));
    Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(lists))
}

fn positions_of(values: impl IntoIterator<Item = Option<Vec<i16>>>) -> ArrayRef {
    let lists = values.into_iter().map(|list| list.map(|list| list.into_iter().map(Some).collect::<Vec<_>>()));
    Arc::new(ListArray::from_iter_primitive::<Int16Type, _, _>(lists))
}

/// Rows of the same columns in which nothing is known yet.
fn missing(declared: &RecordBatch, count: usize) -> Result<RecordBatch> {
    let fields: Vec<FieldRef> =
        declared.schema().fields().iter().map(|field| Arc::new(field.as_ref().clone().with_nullable(true))).collect();
    let columns = fields.iter().map(|field| new_null_array(field.data_type(), count)).collect();
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
}

/// The same rows with some columns replaced, or added at the end.
fn with_columns(batch: &RecordBatch, columns: Vec<(&str, ArrayRef)>) -> Result<RecordBatch> {
    let mut fields: Vec<FieldRef> =
        batch.schema().fields().iter().map(|field| Arc::new(field.as_ref().clone().with_nullable(true))).collect();
    let mut arrays = batch.columns().to_vec();
    for (name, array) in columns {
        match fields.iter().position(|field| field.name() == name) {
            Some(at) => {
                let field = fields[at].as_ref().clone();
                fields[at] = Arc::new(field.with_data_type(array.data_type().clone()));
                arrays[at] = array;
            }
            None => {
                fields.push(Arc::new(Field::new(name, array.data_type().clone(), true)));
                arrays.push(array);
            }
        }
    }
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)
}
