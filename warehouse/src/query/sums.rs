//! Warns of sums that count the same money more than once.
//!
//! Published tables hold totals beside what makes them up, a limit beside a balance, and one figure under several stages. The
//! declarations say what a column may be added up over ([`SumRule`]). A sum over it that neither filters nor groups by the
//! columns that keep those apart is answered as asked, with a warning beside the answer.
//!
//! The check looks at names of columns in the plan. It can warn of a sum that is right for a reason that it does not see; it
//! never refuses anything.

use std::collections::BTreeSet;

use datafusion::common::Result;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::{Expr, LogicalPlan};
use gongkai_catalog::{Catalog, Label, SumRule};

use super::released_table::ReleasedTable;

/// Aggregates that add rows up.
const ADDING: [&str; 2] = ["sum", "avg"];

/// A warning for each sum and each rule that it does not keep to, each once.
pub(super) fn warnings(plan: &LogicalPlan, catalog: &Catalog) -> Result<Vec<Label>> {
    let mut found = Vec::new();
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::Aggregate(aggregate) = node {
            let below = Below::of(&aggregate.input)?;
            let mut kept = below.kept.clone();
            aggregate.group_expr.iter().for_each(|key| names_of(key, &mut kept));
            for added in aggregate.aggr_expr.iter().flat_map(added_columns) {
                for (table, rule) in below.rules(&added, catalog) {
                    let warning = warn(table, rule, &kept).filter(|warning| !found.contains(warning));
                    found.extend(warning);
                }
            }
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(found)
}

/// What stands below an aggregate.
#[derive(Default)]
struct Below {
    /// Released tables.
    tables: BTreeSet<String>,
    /// Columns that filters, joins and inner groups keep apart.
    kept: BTreeSet<String>,
    /// Names that were given to columns, with the columns that they are made of.
    aliases: Vec<(String, BTreeSet<String>)>,
}

impl Below {
    fn of(plan: &LogicalPlan) -> Result<Self> {
        let mut below = Self::default();
        plan.apply(|node| {
            match node {
                LogicalPlan::TableScan(scan) => {
                    let provider = source_as_provider(&scan.source)?;
                    let table =
                        (provider.as_ref() as &dyn datafusion::catalog::TableProvider).downcast_ref::<ReleasedTable>();
                    below.tables.extend(table.map(|table| table.name().to_owned()));
                    scan.filters.iter().for_each(|filter| names_of(filter, &mut below.kept));
                }
                LogicalPlan::Filter(filter) => names_of(&filter.predicate, &mut below.kept),
                LogicalPlan::Join(join) => {
                    for (left, right) in &join.on {
                        names_of(left, &mut below.kept);
                        names_of(right, &mut below.kept);
                    }
                    join.filter.iter().for_each(|filter| names_of(filter, &mut below.kept));
                }
                LogicalPlan::Aggregate(aggregate) => {
                    aggregate.group_expr.iter().for_each(|key| names_of(key, &mut below.kept));
                }
                LogicalPlan::Projection(projection) => {
                    for expression in &projection.expr {
                        if let Expr::Alias(alias) = expression {
                            let mut columns = BTreeSet::new();
                            amounts_of(&alias.expr, &mut columns);
                            below.aliases.push((alias.name.clone(), columns));
                        }
                    }
                }
                _ => {}
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(below)
    }

    /// Rules of the tables below for a column that is added up, under whatever name.
    fn rules<'a>(&'a self, added: &str, catalog: &'a Catalog) -> Vec<(&'a str, &'a SumRule)> {
        let mut names = BTreeSet::from([added.to_owned()]);
        // Aliases stand from the top down, so that one pass follows them all.
        for (alias, columns) in &self.aliases {
            if names.contains(alias) {
                names.extend(columns.iter().cloned());
            }
        }
        let tables = self.tables.iter().filter_map(|name| catalog.tables.get(name));
        let rules = tables.flat_map(|table| table.sums.iter().map(move |rule| (table.name.as_str(), rule)));
        rules.filter(|(_, rule)| names.contains(&rule.column)).collect()
    }
}

fn names_of(expression: &Expr, names: &mut BTreeSet<String>) {
    names.extend(expression.column_refs().into_iter().map(|column| column.name.clone()));
}

/// Columns whose values an expression gives on, not those that it only compares: a count of rows by
/// `sum(CASE WHEN amount > 0 THEN 1 ELSE 0 END)` adds no amounts up.
fn amounts_of(expression: &Expr, names: &mut BTreeSet<String>) {
    match expression {
        Expr::Column(column) => {
            names.insert(column.name.clone());
        }
        Expr::Case(case) => {
            case.when_then_expr.iter().for_each(|(_, then)| amounts_of(then, names));
            case.else_expr.iter().for_each(|otherwise| amounts_of(otherwise, names));
        }
        Expr::BinaryExpr(binary) if binary.op.is_numerical_operators() => {
            amounts_of(&binary.left, names);
            amounts_of(&binary.right, names);
        }
        Expr::BinaryExpr(_) => {}
        Expr::Cast(cast) => amounts_of(&cast.expr, names),
        Expr::Alias(alias) => amounts_of(&alias.expr, names),
        Expr::Negative(inner) => amounts_of(inner, names),
        Expr::ScalarFunction(call) => call.args.iter().for_each(|argument| amounts_of(argument, names)),
        _ => {}
    }
}

/// Columns that an aggregate adds up.
fn added_columns(expression: &Expr) -> Vec<String> {
    let mut columns = BTreeSet::new();
    let visited = expression.apply(|part| {
        if let Expr::AggregateFunction(call) = part
            && ADDING.contains(&call.func.name())
        {
            call.params.args.iter().for_each(|argument| amounts_of(argument, &mut columns));
        }
        Ok(TreeNodeRecursion::Continue)
    });
    debug_assert!(visited.is_ok(), "the visitor does not fail");
    columns.into_iter().collect()
}

/// The warning of a rule that is not kept to.
fn warn(table: &str, rule: &SumRule, kept: &BTreeSet<String>) -> Option<Label> {
    let open: Vec<&str> = rule.within.iter().filter(|column| !kept.contains(*column)).map(String::as_str).collect();
    let has_levels = rule.levels.is_empty() || rule.levels.iter().any(|column| kept.contains(column));
    if open.is_empty() && has_levels {
        return None;
    }
    let column = &rule.column;
    let mut zh = Vec::new();
    let mut en = Vec::new();
    if !has_levels {
        zh.push("合计行与其分行".to_owned());
        en.push("totals and the rows that make them up".to_owned());
    }
    if !open.is_empty() {
        let names = open.join(", ");
        zh.push(format!("{names} 不同的行"));
        en.push(format!("rows that differ in {names}"));
    }
    let (zh, en) = (zh.join("以及"), en.join(", and "));
    let additive = rule.additive.as_ref();
    let hint_zh = additive.map_or_else(String::new, |name| format!("；可相加的行在 {name} 表中"));
    let hint_en = additive.map_or_else(String::new, |name| format!("; table {name} has the rows that add up"));
    Some(Label {
        zh: format!("{table}.{column} 的和把{zh}加在一起，同一金额可能计算多次{hint_zh}。"),
        en: format!("The sum of {table}.{column} adds up {en}: the same money may count more than once{hint_en}."),
    })
}
