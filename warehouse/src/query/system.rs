//! The system catalogue of PostgreSQL, for clients that look at a server before they ask it anything: `pg_catalog` and the
//! functions that go with it.
//!
//! A statement that speaks of it is planned in a session of its own, which knows names, columns and comments and no rows: what
//! it answers is the same for every release. Statements of clients are rewritten where the engine does not know their syntax
//! (`datafusion_pg_catalog`). The limits on texts, trees and plans are those of every statement, with the functions of the
//! system catalogue added to the list.
//!
//! Invariant: no row of a table of ours can be read here. A statement that joins both is refused, not answered with nothing.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int32Array, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef};
use datafusion::catalog::{
    CatalogProvider, MemTable, MemoryCatalogProvider, MemoryCatalogProviderList, MemorySchemaProvider, SchemaProvider,
    Session, TableProvider,
};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::{SessionState, SessionStateBuilder, SessionStateDefaults};
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarUDF, TableType, Volatility, create_udf};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion::sql::sqlparser::ast::Statement;
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};
use datafusion_pg_catalog::pg_catalog::context::EmptyContextProvider;
use datafusion_pg_catalog::setup_pg_catalog;
use datafusion_pg_catalog::sql::PostgresCompatibilityParser;

use super::error::QueryError;
use super::functions::Functions;
use super::names::CATALOG;
use super::scan::ScannedStatement;

/// What the server calls itself; clients read the number at the beginning to choose their questions.
pub const VERSION: &str = concat!("PostgreSQL 16.6 (Gongkai ", env!("CARGO_PKG_VERSION"), ")");

/// Functions of the engine that questions about the catalogue use beside those that everybody has.
const SCALAR: &[&str] = &["array_to_string", "make_array", "array_element", "regexp_match", "concat_ws"];

/// Functions that only the system catalogue has and whose names do not begin with `pg_`.
const CALLED: &[&str] = &[
    "array_lower",
    "array_upper",
    "col_description",
    "current_catalog",
    "current_database",
    "current_schema",
    "current_schemas",
    "current_setting",
    "format_type",
    "has_any_column_privilege",
    "has_database_privilege",
    "has_schema_privilege",
    "has_table_privilege",
    "obj_description",
    "quote_ident",
    "session_user",
    "shobj_description",
    "version",
];

/// Words that mean the system catalogue wherever they stand unquoted.
const WORDS: &[&str] = &["current_user", "session_user", "regclass", "regnamespace", "regproc", "regtype"];

/// Whether a statement speaks of the system catalogue.
pub(super) fn is_about(statement: &ScannedStatement) -> bool {
    let Ok(tokens) = Tokenizer::new(&GenericDialect, statement.text()).tokenize() else {
        return false;
    };
    let mut tokens = tokens.iter().filter(|token| !matches!(token, Token::Whitespace(_))).peekable();
    while let Some(token) = tokens.next() {
        let Token::Word(word) = token else { continue };
        let name = word.value.to_lowercase();
        let is_called = tokens.peek() == Some(&&Token::LParen);
        if name.starts_with("pg_")
            || (word.quote_style.is_none() && WORDS.contains(&name.as_str()))
            || (is_called && CALLED.contains(&name.as_str()))
        {
            return true;
        }
    }
    false
}

/// A table of ours as catalogues of other protocols show it.
#[derive(Debug, Clone)]
pub struct ShownTable {
    /// Schema in SQL.
    pub schema: String,
    /// Name in SQL.
    pub name: String,
    /// Columns with comments in their metadata.
    pub columns: SchemaRef,
    /// What it holds.
    pub comment: String,
    /// Whether its rows are stored.
    pub is_stored: bool,
}

/// The session that knows the system catalogue.
pub(super) struct System {
    context: SessionContext,
    functions: Functions,
    parser: PostgresCompatibilityParser,
}

impl std::fmt::Debug for System {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("System").finish_non_exhaustive()
    }
}

impl System {
    /// Builds the session. It takes a fraction of a second and is done once in a process.
    pub async fn new(
        mut config: SessionConfig,
        runtime: Arc<RuntimeEnv>,
        functions: &Functions,
        tables: Vec<ShownTable>,
    ) -> Result<Self, QueryError> {
        // Numbers in questions about the catalogue are counted, not measured.
        config.options_mut().sql_parser.parse_float_as_decimal = false;
        let internal = |error: datafusion::common::DataFusionError| QueryError::internal(error);
        let catalog = Arc::new(MemoryCatalogProvider::new());
        let mut comments = Comments::default();
        for table in tables {
            if catalog.schema(&table.schema).is_none() {
                let schema = Arc::new(MemorySchemaProvider::new());
                catalog.register_schema(&table.schema, schema).map_err(internal)?;
            }
            let schema = catalog.schema(&table.schema);
            let named = Arc::new(NamedTable { columns: Arc::clone(&table.columns), is_stored: table.is_stored });
            if let Some(schema) = schema {
                schema.register_table(table.name.clone(), named).map_err(internal)?;
            }
            comments.named.insert((table.schema.clone(), table.name.clone()), (table.comment, table.columns));
        }
        let list = MemoryCatalogProviderList::new();
        datafusion::catalog::CatalogProviderList::register_catalog(
            &list,
            CATALOG.to_owned(),
            Arc::clone(&catalog) as _,
        );
        let extra = SessionStateDefaults::default_scalar_functions().into_iter();
        let extra = extra.filter(|function| SCALAR.contains(&function.name()));
        let state = SessionStateBuilder::new()
            .with_config(config)
            .with_runtime_env(runtime)
            .with_catalog_list(Arc::new(list))
            .with_scalar_functions(functions.scalar.iter().cloned().chain(extra).collect())
            .with_aggregate_functions(functions.aggregate.clone())
            .with_window_functions(functions.window.clone())
            .with_expr_planners(SessionStateDefaults::default_expr_planners())
            .build();
        let context = SessionContext::new_with_state(state);
        setup_pg_catalog(&context, CATALOG, EmptyContextProvider).map_err(|error| internal(*error))?;
        comments.number(&context).await.map_err(internal)?;
        let comments = Arc::new(comments);
        if let Some(inner) = catalog.schema("pg_catalog") {
            let described = Described { inner, descriptions: comments.table().map_err(internal)? };
            catalog.register_schema("pg_catalog", Arc::new(described)).map_err(internal)?;
        }
        for function in added_functions(&comments) {
            context.register_udf(function);
        }
        let functions = functions.with_all_of(&context.state());
        Ok(Self { context, functions, parser: PostgresCompatibilityParser::new() })
    }

    /// The functions that may stand in a statement here.
    pub fn functions(&self) -> &Functions {
        &self.functions
    }

    /// A fresh session.
    pub fn state(&self) -> SessionState {
        self.context.state()
    }

    /// Parses a statement and rewrites what the engine does not know.
    pub fn parse(&self, statement: &ScannedStatement) -> Result<Statement, QueryError> {
        // The engine has no arrays made of subqueries.
        let text = statement.text().replace("array(select 'toast.'", "NULLIF('', (select 'toast.'");
        let mut statements = self.parser.parse(&text).map_err(|error| QueryError::syntax(error.to_string()))?;
        match (statements.pop(), statements.is_empty()) {
            (Some(statement), true) => Ok(statement),
            _ => Err(QueryError::not_allowed("a second statement")),
        }
    }
}

/// A table that has columns and, here, no rows.
#[derive(Debug)]
pub(super) struct NamedTable {
    columns: SchemaRef,
    is_stored: bool,
}

#[async_trait]
impl TableProvider for NamedTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.columns)
    }

    fn table_type(&self) -> TableType {
        if self.is_stored { TableType::Base } else { TableType::View }
    }

    async fn scan(
        &self,
        _: &dyn Session,
        _: Option<&Vec<usize>>,
        _: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        plan_err!("a statement about the system catalogue cannot read tables")
    }
}

/// What tables and columns are, under the numbers that the system catalogue gives them.
#[derive(Debug, Default)]
struct Comments {
    /// Comment and columns of each table, by schema and name.
    named: BTreeMap<(String, String), (String, SchemaRef)>,
    /// Comment by table and column; column 0 is the table.
    numbered: HashMap<(i32, i32), String>,
    /// Number of `pg_class` itself.
    class: i32,
}

impl Comments {
    /// Asks the catalogue for its numbers. It is the first question, so that numbers do not depend on what is asked later.
    async fn number(&mut self, context: &SessionContext) -> Result<()> {
        let sql = "SELECT c.oid, n.nspname, c.relname FROM pg_catalog.pg_class c \
                   JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace";
        // The order of the first look at pg_class decides the numbers.
        let first = context.table("pg_catalog.pg_class").await?;
        first.collect().await?;
        let plan = context.state().create_logical_plan(sql).await?;
        for batch in datafusion::dataframe::DataFrame::new(context.state(), plan).collect().await? {
            let numbers = batch.column(0).as_primitive::<Int32Type>();
            for row in 0..batch.num_rows() {
                let schema = ScalarValue::try_from_array(batch.column(1), row)?.to_string();
                let name = ScalarValue::try_from_array(batch.column(2), row)?.to_string();
                if schema == "pg_catalog" && name == "pg_class" {
                    self.class = numbers.value(row);
                }
                let Some((comment, columns)) = self.named.get(&(schema, name)) else { continue };
                self.numbered.insert((numbers.value(row), 0), comment.clone());
                for (index, field) in columns.fields().iter().enumerate() {
                    if let Some(comment) = field.metadata().get("comment") {
                        self.numbered.insert((numbers.value(row), index as i32 + 1), comment.clone());
                    }
                }
            }
        }
        Ok(())
    }

    /// The rows of `pg_description`.
    fn table(&self) -> Result<Arc<dyn TableProvider>> {
        let schema = Arc::new(Schema::new(vec![
            Field::new("objoid", DataType::Int32, false),
            Field::new("classoid", DataType::Int32, false),
            Field::new("objsubid", DataType::Int32, false),
            Field::new("description", DataType::Utf8, false),
        ]));
        let mut rows: Vec<(&(i32, i32), &String)> = self.numbered.iter().collect();
        rows.sort();
        let batch = RecordBatch::try_new(
            Arc::clone(&schema),
            vec![
                Arc::new(rows.iter().map(|(key, _)| Some(key.0)).collect::<Int32Array>()),
                Arc::new(rows.iter().map(|_| Some(self.class)).collect::<Int32Array>()),
                Arc::new(rows.iter().map(|(key, _)| Some(key.1)).collect::<Int32Array>()),
                Arc::new(rows.iter().map(|(_, comment)| Some(comment.as_str())).collect::<StringArray>()),
            ],
        )?;
        Ok(Arc::new(MemTable::try_new(schema, vec![vec![batch]])?))
    }
}

/// `pg_catalog` with the comments of our tables.
#[derive(Debug)]
struct Described {
    inner: Arc<dyn SchemaProvider>,
    descriptions: Arc<dyn TableProvider>,
}

#[async_trait]
impl SchemaProvider for Described {
    fn table_names(&self) -> Vec<String> {
        self.inner.table_names()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        if name.eq_ignore_ascii_case("pg_description") {
            return Ok(Some(Arc::clone(&self.descriptions)));
        }
        self.inner.table(name).await
    }

    fn table_exist(&self, name: &str) -> bool {
        self.inner.table_exist(name)
    }
}

/// A function that answers text for each row of its arguments.
fn of_rows(
    name: &str,
    arguments: Vec<DataType>,
    answer: impl Fn(&[ArrayRef], usize) -> Option<String> + Send + Sync + 'static,
) -> ScalarUDF {
    let evaluate = move |args: &[ColumnarValue]| {
        let arrays = ColumnarValue::values_to_arrays(args)?;
        let rows = arrays.first().map_or(1, |array| array.len());
        let answers: StringArray = (0..rows).map(|row| answer(&arrays, row)).collect();
        Ok(ColumnarValue::Array(Arc::new(answers) as ArrayRef))
    };
    create_udf(name, arguments, DataType::Utf8, Volatility::Stable, Arc::new(evaluate))
}

fn number(array: &ArrayRef, row: usize) -> Option<i32> {
    let numbers = array.as_primitive_opt::<Int32Type>()?;
    numbers.is_valid(row).then(|| numbers.value(row))
}

fn word(array: &ArrayRef, row: usize) -> Option<String> {
    let words = array.as_string_opt::<i32>()?;
    words.is_valid(row).then(|| words.value(row).to_owned())
}

/// Settings that clients ask for by name.
pub fn setting(name: &str) -> Option<&'static str> {
    Some(match name.to_lowercase().as_str() {
        "application_name" => "",
        "client_encoding" | "server_encoding" => "UTF8",
        "datestyle" => "ISO, YMD",
        "default_transaction_isolation" | "transaction_isolation" => "read committed",
        "default_transaction_read_only" | "transaction_read_only" => "on",
        "extra_float_digits" => "1",
        "integer_datetimes" | "standard_conforming_strings" => "on",
        "intervalstyle" => "postgres",
        "is_superuser" => "off",
        "lc_collate" | "lc_ctype" => "C.UTF-8",
        "max_identifier_length" => "63",
        "max_index_keys" => "32",
        "search_path" => "open",
        "server_version" => "16.6",
        "server_version_num" => "160006",
        "statement_timeout" => "0",
        "timezone" => "Asia/Shanghai",
        _ => return None,
    })
}

/// Functions that the catalogue of the crate lacks.
fn added_functions(comments: &Arc<Comments>) -> Vec<ScalarUDF> {
    let columns = Arc::clone(comments);
    let tables = Arc::clone(comments);
    let any_tables = Arc::clone(comments);
    let nothing = |_: &[ArrayRef], _: usize| None;
    vec![
        of_rows("version", vec![], |_, _| Some(VERSION.to_owned())),
        of_rows("col_description", vec![DataType::Int32, DataType::Int32], move |args, row| {
            columns.numbered.get(&(number(&args[0], row)?, number(&args[1], row)?)).cloned()
        }),
        of_rows("obj_description", vec![DataType::Int32, DataType::Utf8], move |args, row| {
            let is_table = word(&args[1], row).is_some_and(|kind| kind == "pg_class");
            is_table.then(|| tables.numbered.get(&(number(&args[0], row)?, 0)).cloned()).flatten()
        }),
        of_rows("pg_table_comment", vec![DataType::Int32], move |args, row| {
            any_tables.numbered.get(&(number(&args[0], row)?, 0)).cloned()
        }),
        of_rows("shobj_description", vec![DataType::Int32, DataType::Utf8], nothing),
        of_rows("pg_get_viewdef", vec![DataType::Int32], nothing),
        of_rows("pg_get_indexdef", vec![DataType::Int32, DataType::Int32, DataType::Boolean], nothing),
        of_rows("pg_get_function_result", vec![DataType::Int32], nothing),
        of_rows("pg_get_function_arguments", vec![DataType::Int32], nothing),
        of_rows("pg_get_serial_sequence", vec![DataType::Utf8, DataType::Utf8], nothing),
        of_rows("pg_tablespace_location", vec![DataType::Int32], nothing),
        of_rows("current_setting", vec![DataType::Utf8], |args, row| setting(&word(&args[0], row)?).map(str::to_owned)),
        of_rows("pg_size_pretty", vec![DataType::Int64], |args, row| {
            let sizes = args[0].as_primitive_opt::<datafusion::arrow::datatypes::Int64Type>()?;
            sizes.is_valid(row).then(|| format!("{} bytes", sizes.value(row)))
        }),
        create_udf(
            "pg_table_size",
            vec![DataType::Int32],
            DataType::Int64,
            Volatility::Stable,
            Arc::new(|_: &[ColumnarValue]| Ok(ColumnarValue::Scalar(ScalarValue::Int64(None)))),
        ),
        create_udf(
            "pg_is_in_recovery",
            vec![],
            DataType::Boolean,
            Volatility::Stable,
            Arc::new(|_: &[ColumnarValue]| Ok(ColumnarValue::Scalar(ScalarValue::Boolean(Some(false))))),
        ),
    ]
}
