//! What clients write and the engine does not know, in words that it does.
//!
//! Some of it is found in the text: fragments of recorded statements of clients, compared word by word. The rest is found in the
//! syntax tree, wherever it stands. Either way the answer stays what PostgreSQL would say of a server that has no roles, no
//! privileges, no foreign keys and no types of its own.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, Query, SelectItem,
    SetExpr, Statement, Value, VisitMut, VisitorMut,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;

/// Fragments of statements, and what stands for them. One space stands for any white space. The path is that of the session.
const FRAGMENTS: &[(&str, &str)] = &[
    // pgjdbc, keys and indexes: positions in a key. The engine has no composite values, and unnests lists side by side.
    ("(information_schema._pg_expandarray(i.indkey)).n", "unnest(pg_subscripts(i.indkey))"),
    ("information_schema._pg_expandarray(i.indkey) AS KEYS", "unnest(i.indkey) AS KEYS"),
    ("(result.KEYS).x", "result.KEYS"),
    // pgjdbc, order of an index: there is only one.
    ("tmp.I_INDOPTION[tmp.ORDINAL_POSITION - 1] & 1::smallint", "0"),
    // pgjdbc, foreign keys: there are none, and table functions are not available.
    ("pg_catalog.generate_series(1, 32) pos(n)", "(VALUES (1)) AS pos(n)"),
    // pgjdbc, types by name: table functions are not available.
    (
        "( select s.r, (current_schemas(false))[s.r] as nspname from generate_series(1, array_upper(current_schemas(false), 1)) as s(r) )",
        "( {rows of the path} )",
    ),
    // pgjdbc and Npgsql, what reads and writes values of a type: `pg_type` has names of functions there, not numbers.
    ("'pg_catalog.array_in'::regproc", "'array_in'"),
    ("'array_in'::regproc", "'array_in'"),
    ("ON proc.oid = typ.typreceive", "ON proc.proname = typ.typreceive"),
    ("ON elemproc.oid = elemtyp.typreceive", "ON elemproc.proname = elemtyp.typreceive"),
    // psql, a column that was renamed after the version that is answered for.
    ("c.colliculocale", "c.colllocale"),
    // pgjdbc and DBeaver, words that are special here and not in the standard: table functions are not available.
    (
        "pg_catalog.pg_get_keywords()",
        "(VALUES ('analyse'), ('analyze'), ('ilike'), ('isnull'), ('limit'), ('notnull'), ('offset')) AS keywords(word)",
    ),
    // Grafana, schemas of the search path: table functions are not available.
    (
        "SELECT CASE WHEN trim(s[i]) = '\"$user\"' THEN user ELSE trim(s[i]) END FROM generate_series( \
         array_lower(string_to_array(current_setting('search_path'),','),1), \
         array_upper(string_to_array(current_setting('search_path'),','),1) ) as i, \
         string_to_array(current_setting('search_path'),',') s",
        "{names of the path}",
    ),
    // psqlODBC, truth values as text.
    ("i.indisprimary = 't'", "i.indisprimary"),
    // Metabase, comments of columns: a name that is put together is no number to the engine.
    (
        "CAST(CAST(FORMAT('%I.%I', CAST(\"c\".\"table_schema\" AS TEXT), CAST(\"c\".\"table_name\" AS TEXT)) AS REGCLASS) AS OID)",
        "pg_relation_number(\"c\".\"table_schema\", \"c\".\"table_name\")",
    ),
    // pgcli, arguments of the system's own functions: they are kept as text.
    ("COALESCE(proallargtypes::regtype[], proargtypes::regtype[])::text[]", "string_to_array(CAST(NULL AS TEXT), ',')"),
    // Metabase and DataGrip, the type of one character.
    ("::\"char\"", "::text"),
    ("::char", "::text"),
];

/// The text of a statement with its fragments replaced, for a session whose path has these schemas.
pub(super) fn fragments(text: &str, path: &[String]) -> String {
    let mut text = text.to_owned();
    for (fragment, instead) in FRAGMENTS {
        let mut from = 0;
        while let Some((start, end)) = find(&text, fragment, from) {
            let instead =
                instead.replace("{rows of the path}", &rows_of(path)).replace("{names of the path}", &names_of(path));
            text.replace_range(start..end, &instead);
            from = start + instead.len();
        }
    }
    text
}

/// The schemas of a path with their places, as a query.
fn rows_of(path: &[String]) -> String {
    let rows: Vec<String> =
        (1..).zip(path).map(|(place, schema)| format!("SELECT {place} AS r, '{schema}' AS nspname")).collect();
    if rows.is_empty() { "SELECT 0 AS r, '' AS nspname".to_owned() } else { rows.join(" UNION ALL ") }
}

/// The schemas of a path, as literals; one that names nothing where there is none.
fn names_of(path: &[String]) -> String {
    let names: Vec<String> = path.iter().map(|schema| format!("'{schema}'")).collect();
    if names.is_empty() { "''".to_owned() } else { names.join(", ") }
}

/// Where a fragment stands in a text, from a place on.
fn find(text: &str, fragment: &str, from: usize) -> Option<(usize, usize)> {
    (from..text.len()).filter(|&start| text.is_char_boundary(start)).find_map(|start| {
        let end = start + length(&text[start..], fragment)?;
        // `::char` is no beginning of `::character`.
        let is_inside = |character: char| character.is_alphanumeric() || character == '_';
        let is_cut = fragment.ends_with(is_inside) && text[end..].starts_with(is_inside);
        (!is_cut).then_some((start, end))
    })
}

/// How many bytes of the beginning of a text are the fragment: letters in either case, white space of any length or none.
fn length(text: &str, fragment: &str) -> Option<usize> {
    let mut at = 0;
    for wanted in fragment.bytes() {
        if wanted == b' ' {
            at += text[at..].len() - text[at..].trim_start().len();
            continue;
        }
        if !text.as_bytes().get(at)?.eq_ignore_ascii_case(&wanted) {
            return None;
        }
        at += 1;
    }
    Some(at)
}

/// Changes a syntax tree where the engine would refuse it.
pub(super) fn tree(statement: &mut Statement) {
    let _: ControlFlow<()> = VisitMut::visit(statement, &mut Rewriter);
}

struct Rewriter;

impl VisitorMut for Rewriter {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        // Options of a relation and those of its overflow: neither exists, and texts and lists are not joined.
        if let Expr::BinaryOp { left, op: BinaryOperator::StringConcat, right } = expr
            && is_list_of_query(right)
        {
            let left = left.as_ref().clone();
            *expr = left;
        }
        // Lists made of subqueries are unknown to the engine. Clients make them of roles, privileges and policies: there are none.
        if is_list_of_query(expr) {
            replace(expr, "string_to_array(CAST(NULL AS TEXT), ',')");
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        match expr {
            // Columns that every table of PostgreSQL has: the transaction that wrote a row, and the table that it is in.
            Expr::CompoundIdentifier(parts)
                if parts
                    .last()
                    .is_some_and(|last| matches!(last.value.to_lowercase().as_str(), "xmin" | "tableoid")) =>
            {
                replace(expr, "0");
            }
            // What SQLAlchemy asks of defaults, sequences and collations of columns: no column has any.
            Expr::Subquery(query) if is_of_columns(&query.to_string()) => replace(expr, "NULL"),
            // The engine wants to see that a subquery gives one value at most.
            Expr::Subquery(query) => {
                search_system(query);
                aggregate(query);
            }
            // Whatever the conditions are, nothing comes out; the engine cannot plan all of them.
            Expr::Case { conditions, else_result, .. }
                if conditions.iter().all(|case| is_null(&case.result))
                    && else_result.as_ref().is_none_or(|result| is_null(result)) =>
            {
                replace(expr, "NULL");
            }
            // Another character that takes the meaning from `%` and `_`: the engine knows only the backslash.
            Expr::Like { pattern, escape_char, .. } | Expr::ILike { pattern, escape_char, .. } => {
                if let Some(Value::SingleQuotedString(escape)) = escape_char.as_ref().map(|escape| &escape.value)
                    && escape != "\\"
                {
                    let text = format!("replace({pattern}, '{}', '\\')", escape.replace('\'', "''"));
                    replace(pattern, &text);
                    *escape_char = None;
                }
            }
            // Rows that are compared: the engine has no rows outside tables.
            Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
                if let (Expr::Tuple(left), Expr::Tuple(right)) = (left.as_ref(), right.as_ref())
                    && left.len() == right.len()
                {
                    let pairs: Vec<String> =
                        left.iter().zip(right).map(|(left, right)| format!("{left} = {right}")).collect();
                    replace(expr, &format!("({})", pairs.join(" AND ")));
                }
            }
            Expr::Function(function) => rewrite_call(function),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// Puts the expression that a text says in the place of another.
fn replace(expr: &mut Expr, text: &str) {
    let parsed = Parser::new(&GenericDialect {}).try_with_sql(text).and_then(|mut parser| parser.parse_expr());
    if let Ok(parsed) = parsed {
        *expr = parsed;
    }
}

fn is_of_columns(query: &str) -> bool {
    query.starts_with("SELECT json_build_object(") || query.contains(" FROM pg_catalog.pg_attrdef WHERE ")
}

fn is_null(expr: &Expr) -> bool {
    matches!(expr, Expr::Value(value) if value.value == Value::Null)
}

/// Names without a schema are looked for in the system catalogue too, as everywhere in PostgreSQL: the crate's subquery for
/// `::regclass` looks into the current schema only.
fn search_system(query: &mut Query) {
    let text = query.to_string();
    if !text.contains("parse_ident(") {
        return;
    }
    let text = text.replace("n.nspname = current_schema()", "n.nspname IN (current_schema(), 'pg_catalog')");
    let parsed = Parser::new(&GenericDialect {}).try_with_sql(&text).and_then(|mut parser| parser.parse_query());
    if let Ok(parsed) = parsed {
        *query = *parsed;
    }
}

fn is_called(function: &Function, name: &str) -> bool {
    function.name.to_string().eq_ignore_ascii_case(name)
}

/// Whether an expression is `ARRAY(SELECT …)`.
fn is_list_of_query(expr: &Expr) -> bool {
    let Expr::Function(function) = expr else { return false };
    is_called(function, "array") && matches!(function.args, FunctionArguments::Subquery(_))
}

/// The expressions that a function is called with.
fn arguments(function: &mut Function) -> Vec<&mut Expr> {
    let FunctionArguments::List(list) = &mut function.args else { return Vec::new() };
    let expressions = list.args.iter_mut().filter_map(|argument| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
        _ => None,
    });
    expressions.collect()
}

fn rewrite_call(function: &mut Function) {
    // The positions of a list, one a row: the engine has them as a list, and unnests it.
    if is_called(function, "generate_subscripts") {
        let text = arguments(function).first().map(|list| format!("unnest(pg_subscripts({list}))"));
        let mut call = Expr::Function(function.clone());
        if let Some(text) = text {
            replace(&mut call, &text);
        }
        if let Expr::Function(call) = call {
            *function = call;
        }
        return;
    }
    // `= ANY($1)` with a list written as a text.
    if ["array_contains", "array_has", "array_position"].iter().any(|name| is_called(function, name))
        && let Some(list) = arguments(function).into_iter().next()
        && matches!(&*list, Expr::Value(value) if matches!(value.value, Value::Placeholder(_)))
    {
        let text = format!("string_to_array(btrim({list}, '{{}}'), ',')");
        replace(list, &text);
    }
}

/// Aggregates that leave a subquery as it is.
const AGGREGATES: &[&str] =
    &["any_value", "array_agg", "bool_and", "bool_or", "count", "first_value", "max", "min", "string_agg", "sum"];

/// Takes the greatest of the values that a subquery gives; of one value that is the value.
fn aggregate(query: &mut Query) {
    if query.limit_clause.is_some() || query.fetch.is_some() || query.order_by.is_some() {
        return;
    }
    let SetExpr::Select(select) = query.body.as_mut() else { return };
    let is_grouped = !matches!(&select.group_by, GroupByExpr::Expressions(columns, _) if columns.is_empty());
    if is_grouped || select.from.is_empty() || select.distinct.is_some() {
        return;
    }
    let [SelectItem::UnnamedExpr(value) | SelectItem::ExprWithAlias { expr: value, .. }] =
        select.projection.as_mut_slice()
    else {
        return;
    };
    let mut inner = &*value;
    while let Expr::Cast { expr, .. } | Expr::Nested(expr) = inner {
        inner = expr.as_ref();
    }
    if matches!(inner, Expr::Function(function) if AGGREGATES.iter().any(|name| is_called(function, name))) {
        return;
    }
    let text = format!("max({value})");
    replace(value, &text);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(text: &str) -> String {
        let mut statements = Parser::parse_sql(&GenericDialect {}, &fragments(text, &[])).expect("a statement");
        let mut statement = statements.pop().expect("one");
        tree(&mut statement);
        statement.to_string()
    }

    #[test]
    fn fragments_are_found_whatever_their_white_space() {
        assert_eq!(
            fragments("a FROM\n pg_catalog.generate_series(1,\t32) pos(n), b", &[]),
            "a FROM\n (VALUES (1)) AS pos(n), b"
        );
        assert_eq!(fragments("x = 'f'::CHAR AND y::character", &[]), "x = 'f'::text AND y::character");
        assert_eq!(fragments("中文", &[]), "中文");
    }

    #[test]
    fn the_path_stands_where_clients_take_it_apart() {
        let of_types = "SELECT ( select s.r, (current_schemas(false))[s.r] as nspname \
             from generate_series(1, array_upper(current_schemas(false), 1)) as s(r) )";
        let path = |schemas: &[&str]| schemas.iter().map(|schema| (*schema).to_owned()).collect::<Vec<_>>();
        assert_eq!(fragments(of_types, &path(&["open"])), "SELECT ( SELECT 1 AS r, 'open' AS nspname )");
        assert_eq!(
            fragments(of_types, &path(&["ref", "open"])),
            "SELECT ( SELECT 1 AS r, 'ref' AS nspname UNION ALL SELECT 2 AS r, 'open' AS nspname )"
        );
        assert_eq!(names_of(&path(&["ref", "open"])), "'ref', 'open'");
        assert_eq!((rows_of(&[]).as_str(), names_of(&[]).as_str()), ("SELECT 0 AS r, '' AS nspname", "''"));
    }

    #[test]
    fn what_the_engine_lacks_is_written_in_what_it_has() {
        for (text, expected) in [
            ("SELECT n.xmin AS s FROM n", "SELECT 0 AS s FROM n"),
            ("SELECT (a, b) = (c, d) FROM t", "SELECT (a = c AND b = d) FROM t"),
            (
                "SELECT (SELECT a = 1 FROM t WHERE t.b = u.b) FROM u",
                "SELECT (SELECT max(a = 1) FROM t WHERE t.b = u.b) FROM u",
            ),
            ("SELECT (SELECT count(*) FROM t) FROM u", "SELECT (SELECT count(*) FROM t) FROM u"),
            ("SELECT a LIKE 'x/_' ESCAPE '/'", "SELECT a LIKE replace('x/_', '/', '\\')"),
            ("SELECT array_has($1, k) FROM t", "SELECT array_has(string_to_array(btrim($1, '{}'), ','), k) FROM t"),
            ("SELECT generate_subscripts(k, 1) FROM t", "SELECT unnest(pg_subscripts(k)) FROM t"),
        ] {
            assert_eq!(rewritten(text), expected, "{text}");
        }
    }
}
