//! From text to a syntax tree that is one query and of bearable size once everything is written out.
//!
//! Limits on text do not bound what a planner makes of it: 26 lines of common table expressions that each
//! name the one before twice are 67 million relations, and `CUBE` of 24 columns is 16 million grouping sets.
//! Both are counted here, on the tree.

use std::collections::HashMap;
use std::ops::ControlFlow;

use datafusion::config::Dialect;
use datafusion::execution::SessionState;
use datafusion::sql::parser::Statement as EngineStatement;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, GroupByExpr, GroupByWithModifier, Ident, ObjectName, ObjectNamePart, Query, Select, SetExpr,
    Statement, TableFactor, UnaryOperator, Value, Visit, VisitMut, Visitor, VisitorMut,
};

use super::error::{Dimension, QueryError};
use super::functions::Functions;
use super::scan::{ScannedStatement, TextLimits};
use super::translate;

/// A statement that may be planned.
#[derive(Debug)]
pub(super) struct ParsedStatement {
    /// The query, without `EXPLAIN`.
    pub query: EngineStatement,
    /// Whether the plan was asked for instead of the rows.
    pub is_explain: bool,
}

/// Parses and checks.
pub(super) fn parse(
    scanned: &ScannedStatement,
    state: &SessionState,
    functions: &Functions,
) -> Result<ParsedStatement, QueryError> {
    let statement = state.sql_to_statement(scanned.text(), &Dialect::Generic).map_err(translate::planning)?;
    let mut parsed = match statement {
        EngineStatement::Explain(explain) if explain.options.analyze => {
            return Err(QueryError::not_allowed("EXPLAIN ANALYZE"));
        }
        EngineStatement::Explain(explain) => ParsedStatement { query: *explain.statement, is_explain: true },
        query => ParsedStatement { query, is_explain: false },
    };
    match &mut parsed.query {
        EngineStatement::Statement(statement) => match statement.as_mut() {
            Statement::Query(query) => {
                check(query, functions, scanned.limits())?;
                let _: ControlFlow<()> = VisitMut::visit(query, &mut Quantified);
            }
            other => return Err(QueryError::not_allowed(first_word(&other.to_string()))),
        },
        other => return Err(QueryError::not_allowed(first_word(&other.to_string()))),
    }
    Ok(parsed)
}

/// `x <> ALL (list)` and `NOT x = ANY (list)` as `(x = ANY (list)) = FALSE`, which is the same. For the first the engine takes
/// functions that are not listed, and of what it negates it asks the type, which a list in a text has not yet.
struct Quantified;

impl VisitorMut for Quantified {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let nothing = || Box::new(Expr::value(Value::Null));
        let (left, right) = match expr {
            Expr::AllOp { left, compare_op: BinaryOperator::NotEq, right } => (left, right),
            Expr::UnaryOp { op: UnaryOperator::Not, expr } => match in_brackets(expr) {
                Expr::AnyOp { left, compare_op: BinaryOperator::Eq, right, .. } => (left, right),
                _ => return ControlFlow::Continue(()),
            },
            _ => return ControlFlow::Continue(()),
        };
        if matches!(right.as_ref(), Expr::Subquery(_)) {
            return ControlFlow::Continue(());
        }
        let (left, right) = (std::mem::replace(left, nothing()), std::mem::replace(right, nothing()));
        let any = Expr::AnyOp { left, compare_op: BinaryOperator::Eq, right, is_some: false };
        let no = Expr::value(Value::Boolean(false));
        let equal =
            Expr::BinaryOp { left: Box::new(Expr::Nested(Box::new(any))), op: BinaryOperator::Eq, right: Box::new(no) };
        *expr = Expr::Nested(Box::new(equal));
        ControlFlow::Continue(())
    }
}

/// What stands in brackets.
fn in_brackets(expr: &mut Expr) -> &mut Expr {
    match expr {
        Expr::Nested(inner) => in_brackets(inner),
        other => other,
    }
}

/// The first word of a text.
pub(super) fn first_word(text: &str) -> String {
    text.split_whitespace().next().unwrap_or_default().to_owned()
}

/// Checks the size and the parts of a query.
pub(super) fn check(query: &Query, functions: &Functions, limits: &TextLimits) -> Result<(), QueryError> {
    let mut checker = Checker { functions, limits, frames: Vec::new() };
    match Visit::visit(query, &mut checker) {
        ControlFlow::Break(error) => Err(*error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

/// The queries around the current node, the outermost first.
struct Checker<'a> {
    functions: &'a Functions,
    limits: &'a TextLimits,
    frames: Vec<Frame>,
}

/// A query whose parts are being visited.
#[derive(Default)]
struct Frame {
    /// Relations seen so far, common table expressions at their own count.
    relations: usize,
    /// Counts of the common table expressions defined so far.
    defined: HashMap<String, usize>,
    /// Address of each definition's query in the tree, and its name.
    definitions: Vec<(*const Query, String)>,
}

fn name_of(ident: &Ident) -> String {
    if ident.quote_style.is_some() { ident.value.clone() } else { ident.value.to_lowercase() }
}

type Flow = ControlFlow<Box<QueryError>>;

fn stop(error: QueryError) -> Flow {
    ControlFlow::Break(Box::new(error))
}

fn within(dimension: Dimension, found: usize, limit: usize) -> Flow {
    if found > limit { stop(QueryError::TooComplex { dimension, found, limit }) } else { ControlFlow::Continue(()) }
}

impl Checker<'_> {
    fn count(&mut self, relations: usize) -> Flow {
        if let Some(frame) = self.frames.last_mut() {
            frame.relations = frame.relations.saturating_add(relations);
            return within(Dimension::Relations, frame.relations, self.limits.relations);
        }
        ControlFlow::Continue(())
    }

    fn defined(&self, name: &ObjectName) -> Option<usize> {
        let [ObjectNamePart::Identifier(ident)] = name.0.as_slice() else {
            return None;
        };
        let name = name_of(ident);
        self.frames.iter().rev().find_map(|frame| frame.defined.get(&name).copied())
    }
}

impl Visitor for Checker<'_> {
    type Break = Box<QueryError>;

    fn pre_visit_query(&mut self, query: &Query) -> Flow {
        let refused = [
            (query.with.as_ref().is_some_and(|with| with.recursive), "WITH RECURSIVE"),
            (!query.locks.is_empty(), "a locking clause"),
            (!query.pipe_operators.is_empty(), "a pipe operator"),
            (query.settings.is_some(), "SETTINGS"),
            (query.format_clause.is_some(), "FORMAT"),
            (query.for_clause.is_some(), "a FOR clause"),
        ];
        if let Some((_, found)) = refused.iter().find(|(is_there, _)| *is_there) {
            return stop(QueryError::not_allowed(found));
        }
        if let Err(error) = check_body(&query.body) {
            return stop(error);
        }
        let definitions = query.with.iter().flat_map(|with| &with.cte_tables);
        let definitions = definitions.map(|cte| (&*cte.query as *const Query, name_of(&cte.alias.name))).collect();
        self.frames.push(Frame { definitions, ..Frame::default() });
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &Query) -> Flow {
        let Some(frame) = self.frames.pop() else {
            return ControlFlow::Continue(());
        };
        if let Some(parent) = self.frames.last_mut()
            && let Some((_, name)) = parent.definitions.iter().find(|(address, _)| std::ptr::eq(*address, query))
        {
            let name = name.clone();
            parent.defined.insert(name, frame.relations);
            return ControlFlow::Continue(());
        }
        self.count(frame.relations)
    }

    fn pre_visit_select(&mut self, select: &Select) -> Flow {
        let refused = [(select.into.is_some(), "SELECT INTO"), (!select.connect_by.is_empty(), "CONNECT BY")];
        if let Some((_, found)) = refused.iter().find(|(is_there, _)| *is_there) {
            return stop(QueryError::not_allowed(found));
        }
        within(Dimension::GroupingSets, grouping_sets(&select.group_by), self.limits.grouping_sets)
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> Flow {
        // An expression without relations, such as SELECT 1, is still planned again at every reference.
        let relations = self.defined(relation).map_or(1, |relations| relations.max(1));
        self.count(relations)
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> Flow {
        match factor {
            TableFactor::Table { name, args: Some(_), .. } | TableFactor::Function { name, .. } => {
                stop(QueryError::FunctionNotAllowed { name: super::error::excerpt(&name.to_string()) })
            }
            TableFactor::Table { .. }
            | TableFactor::Derived { .. }
            | TableFactor::NestedJoin { .. }
            | TableFactor::UNNEST { .. } => ControlFlow::Continue(()),
            _ => stop(QueryError::not_allowed("this kind of FROM item")),
        }
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> Flow {
        match expr {
            Expr::Function(function) => {
                let name = function.name.to_string();
                let is_listed = match function.name.0.as_slice() {
                    [ObjectNamePart::Identifier(ident)] => self.functions.has(&name_of(ident)),
                    _ => false,
                };
                if is_listed || is_unnest(&name) {
                    ControlFlow::Continue(())
                } else {
                    stop(QueryError::FunctionNotAllowed { name: super::error::excerpt(&name) })
                }
            }
            Expr::Cube(_) | Expr::Rollup(_) | Expr::GroupingSets(_) => {
                within(Dimension::GroupingSets, sets_of(expr), self.limits.grouping_sets)
            }
            _ => ControlFlow::Continue(()),
        }
    }
}

/// `unnest` is syntax to the planner, not a function of the registry.
fn is_unnest(name: &str) -> bool {
    name.eq_ignore_ascii_case("unnest")
}

fn check_body(body: &SetExpr) -> Result<(), QueryError> {
    match body {
        SetExpr::Insert(statement)
        | SetExpr::Update(statement)
        | SetExpr::Delete(statement)
        | SetExpr::Merge(statement) => Err(QueryError::not_allowed(first_word(&statement.to_string()))),
        SetExpr::SetOperation { left, right, .. } => check_body(left).and_then(|()| check_body(right)),
        SetExpr::Select(_) | SetExpr::Query(_) | SetExpr::Values(_) | SetExpr::Table(_) => Ok(()),
    }
}

fn power_of_two(exponent: usize) -> usize {
    u32::try_from(exponent).ok().and_then(|exponent| 1_usize.checked_shl(exponent)).unwrap_or(usize::MAX)
}

fn grouping_sets(group_by: &GroupByExpr) -> usize {
    let (expressions, modifiers): (&[Expr], _) = match group_by {
        GroupByExpr::All(modifiers) => (&[], modifiers),
        GroupByExpr::Expressions(expressions, modifiers) => (expressions, modifiers),
    };
    let written = expressions.iter().map(sets_of).fold(1, usize::saturating_mul);
    let modified = modifiers.iter().map(|modifier| match modifier {
        GroupByWithModifier::Rollup | GroupByWithModifier::Totals => expressions.len() + 1,
        GroupByWithModifier::Cube => power_of_two(expressions.len()),
        GroupByWithModifier::GroupingSets(expression) => sets_of(expression),
    });
    modified.fold(written, usize::saturating_mul)
}

fn sets_of(expression: &Expr) -> usize {
    match expression {
        Expr::Cube(columns) => power_of_two(columns.len()),
        Expr::Rollup(columns) => columns.len() + 1,
        Expr::GroupingSets(sets) => {
            sets.iter().map(|set| set.iter().map(sets_of).fold(1, usize::saturating_mul)).fold(0, usize::saturating_add)
        }
        _ => 1,
    }
}
