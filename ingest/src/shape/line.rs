//! Lines of a classified table: what stands below what is told by the class codes.
//!
//! The codes of the budget classification grow by two digits a level, so the lines above are the code's own beginnings,
//! whatever the order of the rows. A line below which nothing is printed is a leaf: a parent without children too.
//! Lines without a code are totals, or receipts and payments below the line.

use std::collections::BTreeSet;

use super::text::{on_one_line, trimmed, without_blanks};
use crate::feed::LineRule;

/// A line as the columns take it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub code: Option<String>,
    /// From 1.
    pub level: Option<i32>,
    pub path: String,
    pub parent_path: String,
    pub is_leaf: bool,
    pub kind: &'static str,
    pub name: String,
}

/// Reads the lines of one table from the texts of their code and name columns.
pub(crate) fn read_lines(rule: &LineRule, texts: &[(&str, &str)]) -> Vec<Line> {
    let codes: Vec<Option<(String, usize)>> = texts.iter().map(|(code, _)| read_code(rule, code)).collect();
    let printed: BTreeSet<&str> = codes.iter().flatten().map(|(code, _)| code.as_str()).collect();
    // The next printed code begins with this one exactly when something stands below.
    let has_below = |code: &str| {
        let after = (std::ops::Bound::Excluded(code), std::ops::Bound::Unbounded);
        printed.range::<str, _>(after).next().is_some_and(|next| next.starts_with(code))
    };
    codes
        .iter()
        .zip(texts)
        .map(|(code, (_, name))| {
            let name = read_name(rule, name);
            let Some((code, level)) = code else {
                let kind = if rule.total.is_match(&without_blanks(&name)) { "total" } else { "below" };
                let path = format!("T/{}", without_blanks(&name));
                return Line { code: None, level: None, path, parent_path: String::new(), is_leaf: true, kind, name };
            };
            let above: Vec<&str> = rule.digits[..*level].iter().map(|digits| &code[..*digits]).collect();
            let is_leaf = !has_below(code);
            let kind = match is_leaf {
                _ if rule.below.iter().any(|beginning| code.starts_with(beginning)) => "below",
                true => "detail",
                false => "subtotal",
            };
            Line {
                path: above.iter().copied().chain([code.as_str()]).collect::<Vec<_>>().join("/"),
                parent_path: above.join("/"),
                level: Some(*level as i32 + 1),
                code: Some(code.clone()),
                is_leaf,
                kind,
                name,
            }
        })
        .collect()
}

/// A class code and the index of its level; workbooks write it as a number or as text, exports as `201.0`.
fn read_code(rule: &LineRule, text: &str) -> Option<(String, usize)> {
    let plain = trimmed(text);
    let digits = plain.strip_suffix(".0").unwrap_or(plain);
    let level = rule.digits.iter().position(|length| *length == digits.len())?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| (digits.to_owned(), level))
}

fn read_name(rule: &LineRule, text: &str) -> String {
    let name = on_one_line(text);
    rule.numbering.replace(&name, "").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;

    fn rule() -> LineRule {
        LineRule {
            code: "code".into(),
            name: "name".into(),
            digits: vec![3, 5, 7],
            below: vec!["230".into()],
            total: Regex::new("(合计|总计)$").expect("a pattern"),
            numbering: Regex::new("^[一二三四五六七八九十]+、").expect("a pattern"),
        }
    }

    #[test]
    fn codes_tell_what_stands_below_in_any_order() {
        let texts = [("213", "一、农林水支出"), ("2130505", "     生产发展"), ("21305.0", "   扶贫"), ("", "支出合计")];
        let lines = read_lines(&rule(), &texts);
        let told: Vec<_> = lines.iter().map(|line| (line.path.as_str(), line.level, line.is_leaf, line.kind)).collect();
        assert_eq!(
            told,
            [
                ("213", Some(1), false, "subtotal"),
                ("213/21305/2130505", Some(3), true, "detail"),
                ("213/21305", Some(2), false, "subtotal"),
                ("T/支出合计", None, true, "total"),
            ]
        );
        assert_eq!(lines[1].parent_path, "213/21305");
        assert_eq!(lines[0].name, "农林水支出");
    }

    #[test]
    fn a_parent_without_printed_children_is_a_leaf() {
        let lines =
            read_lines(&rule(), &[("219", "援助其他地区支出"), ("220", "自然资源支出"), ("22001", "自然资源事务")]);
        assert_eq!(lines.iter().map(|line| line.is_leaf).collect::<Vec<_>>(), [true, false, true]);
    }

    #[test]
    fn what_is_no_code_stands_below_the_line_under_its_name() {
        let lines = read_lines(&rule(), &[("", "上解上级 支出"), ("23008", "调出资金"), ("12", "无")]);
        let told: Vec<_> = lines.iter().map(|line| (line.path.as_str(), line.kind)).collect();
        assert_eq!(told, [("T/上解上级支出", "below"), ("230/23008", "below"), ("T/无", "below")]);
    }
}
