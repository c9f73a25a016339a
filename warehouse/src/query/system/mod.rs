//! The system catalogue of PostgreSQL, for clients that look at a server before they ask it anything: `pg_catalog` and the
//! functions that go with it.
//!
//! A statement that speaks of it is planned in a session of its own, which knows names, columns and comments and no rows: what
//! it answers is the same for every release. Statements of clients are rewritten where the engine does not know their syntax
//! (`datafusion_pg_catalog`, and `rewrite`; `types` for one that is recursive). Numbers of tables are ours (`numbers`), and so
//! are some functions (`functions`). The limits on texts, trees and plans are those of every statement, with the functions of the
//! system catalogue added to the list.
//!
//! Invariant: no row of a table of ours can be read here. A statement that joins both is refused, not answered with nothing.
//! `information_schema` has its rows: they follow from declarations alone.

mod functions;
mod numbers;
mod rewrite;
pub(super) mod types;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int32Type, SchemaRef};
use datafusion::catalog::{
    CatalogProvider, MemTable, MemoryCatalogProvider, MemoryCatalogProviderList, MemorySchemaProvider, SchemaProvider,
    Session, TableProvider,
};
use datafusion::common::{Result, plan_err};
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::{FunctionRegistry, SessionState, SessionStateBuilder, SessionStateDefaults};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion::sql::sqlparser::ast::Statement;
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};
use datafusion_pg_catalog::pg_catalog::context::EmptyContextProvider;
use datafusion_pg_catalog::setup_pg_catalog;
use datafusion_pg_catalog::sql::PostgresCompatibilityParser;

use self::numbers::Numbers;
use super::capped;
use super::error::QueryError;
use super::functions::Functions;
use super::names::CATALOG;
use super::scan::ScannedStatement;
use super::search_path::SearchPath;

/// What the server calls itself; clients read the number at the beginning to choose their questions.
pub const VERSION: &str = concat!("PostgreSQL 16.6 (Gongkai ", env!("CARGO_PKG_VERSION"), ")");

/// Key of a field's metadata that says which number of the system catalogue its values are, as the crates have it.
pub const OID_ALIAS: &str = "pg.oid_alias";

/// Functions of the engine that questions about the catalogue use beside those that everybody has, which stay as they are.
const SCALAR: &[&str] = &["array_position"];

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
    "getdatabaseencoding",
    "has_any_column_privilege",
    "has_database_privilege",
    "has_schema_privilege",
    "has_table_privilege",
    "obj_description",
    "parse_ident",
    "quote_ident",
    "session_user",
    "set_config",
    "shobj_description",
    "to_regtype",
    "version",
];

/// Words that mean the system catalogue wherever they stand unquoted.
const WORDS: &[&str] = &["current_user", "session_user", "regclass", "regnamespace", "regproc", "regtype"];

/// Whether a statement speaks of the system catalogue.
pub(super) fn is_about(statement: &ScannedStatement) -> bool {
    speaks_of(statement.text())
}

/// Whether a text within the limits of statements speaks of the system catalogue.
pub fn speaks_of(text: &str) -> bool {
    let Ok(tokens) = Tokenizer::new(&GenericDialect, text).tokenize() else {
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
    /// Columns that are different for each row of a release; none where that is not declared.
    pub key: Vec<String>,
    /// The rows, where they follow from declarations alone.
    pub rows: Option<RecordBatch>,
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
        for table in &tables {
            if catalog.schema(&table.schema).is_none() {
                let schema = Arc::new(MemorySchemaProvider::new());
                catalog.register_schema(&table.schema, schema).map_err(internal)?;
            }
            let schema = catalog.schema(&table.schema);
            let named: Arc<dyn TableProvider> = match &table.rows {
                Some(rows) => Arc::new(MemTable::try_new(rows.schema(), vec![vec![rows.clone()]]).map_err(internal)?),
                None => Arc::new(NamedTable { columns: Arc::clone(&table.columns), is_stored: table.is_stored }),
            };
            if let Some(schema) = schema {
                schema.register_table(table.name.clone(), named).map_err(internal)?;
            }
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
            .with_analyzer_rule(capped::rule())
            .build();
        let context = SessionContext::new_with_state(state);
        setup_pg_catalog(&context, CATALOG, EmptyContextProvider).map_err(|error| internal(*error))?;
        let (numbers, own) = Numbers::take(&context, &tables).await.map_err(internal)?;
        let types = types(&context).await.map_err(internal)?;
        if let Some(inner) = catalog.schema("pg_catalog") {
            catalog.register_schema("pg_catalog", Arc::new(Numbered { inner, own })).map_err(internal)?;
        }
        for function in functions::all(&Arc::new(numbers), types) {
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

    /// A fresh session for who looks for names along a path, of which `there` exist.
    pub fn state_along(&self, path: &SearchPath, there: &[String]) -> Result<SessionState> {
        let mut state = self.state();
        for function in functions::along(path, there) {
            state.register_udf(Arc::new(function))?;
        }
        Ok(state)
    }

    /// Parses a statement and rewrites what the engine does not know; `there` are the schemas of the path that exist.
    pub fn parse(&self, statement: &ScannedStatement, there: &[String]) -> Result<Statement, QueryError> {
        let text = types::instead(statement.text()).unwrap_or_else(|| rewrite::fragments(statement.text(), there));
        let mut statements = self.parser.parse(&text).map_err(|error| QueryError::syntax(error.to_string()))?;
        statements.iter_mut().for_each(rewrite::tree);
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

/// Numbers of types by their names in `pg_type`.
async fn types(context: &SessionContext) -> Result<HashMap<String, i32>> {
    let mut types = HashMap::new();
    for batch in context.table("pg_catalog.pg_type").await?.select_columns(&["oid", "typname"])?.collect().await? {
        let names = cast(batch.column(1), &DataType::Utf8)?;
        let (numbers, names) = (batch.column(0).as_primitive::<Int32Type>(), names.as_string::<i32>());
        types.extend(names.iter().flatten().map(str::to_owned).zip(numbers.values().iter().copied()));
    }
    Ok(types)
}

/// `pg_catalog` with our own tables in the place of some.
#[derive(Debug)]
struct Numbered {
    inner: Arc<dyn SchemaProvider>,
    own: BTreeMap<&'static str, Arc<dyn TableProvider>>,
}

#[async_trait]
impl SchemaProvider for Numbered {
    fn table_names(&self) -> Vec<String> {
        self.inner.table_names()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        match self.own.get(name.to_ascii_lowercase().as_str()) {
            Some(own) => Ok(Some(Arc::clone(own))),
            None => self.inner.table(name).await,
        }
    }

    fn table_exist(&self, name: &str) -> bool {
        self.inner.table_exist(name)
    }
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
        "jit" => "off",
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
