//! Lines of a classified table: what stands below what is told by the class codes.
//!
//! The codes of the budget classification grow by two digits a level, so the lines above are the code's own beginnings,
//! whatever the order of the rows. A line below which nothing is printed is a leaf: a parent without children too.
//! Lines without a code are totals, or receipts and payments below the line.

use std::collections::{BTreeSet, HashMap};

use super::text::{indentation, on_one_line, trimmed, without_blanks};
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

impl Line {
    /// Names from the top, without blanks, joined by `/`: of a line with a code its own.
    pub fn names_path(&self) -> String {
        if self.code.is_some() {
            return without_blanks(&self.name);
        }
        let path = self.path.strip_prefix("T/").unwrap_or(&self.path);
        // What repeats is numbered in its path.
        let parts = path.split('/').map(|part| part.split_once('#').map_or(part, |(name, _)| name));
        parts.collect::<Vec<_>>().join("/")
    }
}

/// The texts that a line is read from.
#[derive(Debug, Clone)]
pub(crate) struct PrintedLine<'a> {
    /// Without blanks; empty where the table has no codes.
    pub code: String,
    /// Its number, where numbers have a column of their own.
    pub number: &'a str,
    /// What tells the lines of one place from another's.
    pub place: u32,
    pub name: &'a str,
    /// Whether any value column of the row is filled.
    pub has_value: bool,
}

/// Reads the lines of one table.
pub(crate) fn read_lines(rule: &LineRule, texts: &[PrintedLine<'_>]) -> Vec<Line> {
    if rule.codes.is_empty() && rule.code_of.is_empty() {
        return read_outline(rule, texts);
    }
    let codes: Vec<Option<(String, usize)>> = match rule.code_of.is_empty() {
        true => texts.iter().map(|line| read_code(rule, &line.code)).collect(),
        false => codes_by_name(rule, texts),
    };
    let printed: BTreeSet<&str> = codes.iter().flatten().map(|(code, _)| code.as_str()).collect();
    // The next printed code begins with this one exactly when something stands below.
    let has_below = |code: &str| {
        let after = (std::ops::Bound::Excluded(code), std::ops::Bound::Unbounded);
        printed.range::<str, _>(after).next().is_some_and(|next| next.starts_with(code))
    };
    let mut lines: Vec<Line> = codes
        .iter()
        .zip(texts)
        .map(|(code, line)| {
            let name = read_name(rule, line.name);
            let Some((code, level)) = code else {
                let kind = match rule.total.is_match(&without_blanks(&name)) {
                    true => "total",
                    // A name that the feed does not know is a line like the others.
                    false if !rule.code_of.is_empty() => "detail",
                    false => "below",
                };
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
        .collect();
    stand_by_layout(rule, texts, &mut lines);
    lines
}

/// Codes by names. One name may be that of several lines: the one below the last line of the first level is meant.
fn codes_by_name(rule: &LineRule, texts: &[PrintedLine<'_>]) -> Vec<Option<(String, usize)>> {
    let mut above = String::new();
    let mut codes = Vec::with_capacity(texts.len());
    for text in texts {
        let known = rule.code_of.get(&without_blanks(&read_name(rule, text.name)));
        let code = known.and_then(|known| match &known[..] {
            [code] => Some(code),
            several => several.iter().find(|code| !above.is_empty() && code.starts_with(&above)),
        });
        let found = code.and_then(|code| {
            let level = rule.digits.iter().position(|digits| *digits == code.len())?;
            Some((code.clone(), level))
        });
        if let Some((code, 0)) = &found {
            above.clone_from(code);
        }
        codes.push(found);
    }
    codes
}

/// Below the line, and for lines without a code, the print tells what stands below what: it indents the transfers that make up
/// 转移性支出, with codes or without, and sets 年终结转 beside it, although its code begins alike.
fn stand_by_layout(rule: &LineRule, texts: &[PrintedLine<'_>], lines: &mut [Line]) {
    let is_placed = |line: &Line| line.kind == "below";
    let indentations: Vec<u32> = texts.iter().map(|text| indentation(text.name)).collect();
    let is_below =
        |line: &Line| line.code.as_ref().is_some_and(|code| rule.below.iter().any(|of| code.starts_with(of)));
    // Without any indentation the codes alone tell.
    let placed = || lines.iter().zip(&indentations).filter(|(line, _)| is_below(line)).map(|(_, width)| *width);
    let is_indented = placed().min() != placed().max();
    let mut above: Vec<usize> = Vec::new();
    for index in 0..lines.len() {
        if !is_placed(&lines[index]) {
            above.clear();
            continue;
        }
        while above.last().is_some_and(|open| indentations[*open] >= indentations[index]) {
            above.pop();
        }
        let parent = above.last().map(|open| lines[*open].clone()).filter(|parent| parent.code.is_some());
        match (&lines[index].code, parent) {
            (None, Some(parent)) => {
                lines[index].path = format!("{}/{}", parent.path, without_blanks(&lines[index].name));
                lines[index].parent_path = parent.path;
            }
            (Some(code), Some(parent)) if parent.code.as_ref().is_some_and(|of| code.starts_with(of)) => {
                lines[index].parent_path = parent.path;
            }
            (Some(_), _) if is_indented => lines[index].parent_path = String::new(),
            _ => {}
        }
        above.push(index);
    }
    let parents: BTreeSet<String> = lines.iter().map(|line| line.parent_path.clone()).collect();
    for line in lines.iter_mut().filter(|line| is_placed(line)) {
        line.is_leaf = !parents.contains(&line.path);
    }
}

/// A line below which others may stand.
struct Above {
    /// From 1 for 一、 to 4 for (1); none for a line without numbering.
    rank: Option<u8>,
    /// Whether it heads a part of the table, with a numbering of its own.
    is_section: bool,
    /// Whether it is a total, below which only choices stand.
    is_total: bool,
    indentation: u32,
    index: usize,
}

/// The level of a number that stands in a column of its own, below every numbering before a name.
const OWN_COLUMN: u8 = 5;

/// Lines without codes: what stands below what is told by their numbering (一、 （一） 1. （1）), and without one by their
/// indentation. What `其中` begins is a choice of the line above, which does not add up to it.
fn read_outline(rule: &LineRule, texts: &[PrintedLine<'_>]) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::with_capacity(texts.len());
    let mut above: Vec<Above> = Vec::new();
    let mut seen: HashMap<(u32, String), u32> = HashMap::new();
    let mut chosen_below: BTreeSet<Option<usize>> = BTreeSet::new();
    // The numbering after 其中 (其中：1.甲), and the line that it chooses from: 2.乙 is chosen from the same.
    let mut chosen: Option<(Option<usize>, u8)> = None;
    for (position, text) in texts.iter().enumerate() {
        let name = read_name(rule, text.name);
        let bare = without_blanks(text.name);
        let begins_choice = bare.starts_with("其中");
        let number = without_blanks(text.number);
        let is_numbered = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let rank = self::rank(&bare).or(is_numbered.then_some(OWN_COLUMN));
        let goes_on = chosen.filter(|(_, of)| rank == Some(*of));
        let indentation = indentation(text.name);
        let is_total = rule.total.is_match(&without_blanks(&name)) && rank.is_none();
        let is_section = !text.has_value
            && rank.is_none()
            && !is_total
            && texts.get(position + 1).is_some_and(|next| rank_of_first(next.name));
        let closes = |open: &Above| match (open.is_section, rank) {
            (true, _) => is_section,
            _ if is_section || is_total => true,
            _ if goes_on.is_some_and(|(of, _)| of == Some(open.index)) => false,
            // Numbers in a column of their own: what has none heads what follows.
            (_, Some(rank)) if rule.number.is_some() => open.is_total || open.rank.is_some_and(|open| open >= rank),
            (_, None) if rule.number.is_some() => true,
            (_, Some(rank)) => open.rank.is_none_or(|open| open >= rank),
            (_, None) if begins_choice => open.rank.is_none() && open.indentation > indentation,
            (_, None) if open.is_total && !chosen_below.contains(&Some(open.index)) => true,
            (_, None) if rule.stands_below && open.rank.is_some() => false,
            (_, None) => open.indentation >= indentation,
        };
        while above.last().is_some_and(closes) {
            above.pop();
        }
        let parent = above.last().map(|open| open.index);
        if begins_choice {
            chosen_below.insert(parent);
            let rest = bare.trim_start_matches("其中").trim_start_matches(['：', ':']);
            chosen = self::rank(rest).map(|rank| (parent, rank));
        } else if goes_on.is_none() {
            chosen = None;
        }
        let is_choice = parent.is_some() && chosen_below.contains(&parent);
        let parent_path = parent.map(|parent| lines[parent].path.clone()).unwrap_or_default();
        let stem = if parent_path.is_empty() { "T" } else { parent_path.as_str() };
        let mut path = format!("{stem}/{}", without_blanks(&name));
        let times = seen.entry((text.place, path.clone())).or_default();
        *times += 1;
        if *times > 1 {
            path = format!("{path}#{times}");
        }
        if let Some(parent) = parent.filter(|_| !is_choice) {
            lines[parent].is_leaf = false;
            lines[parent].kind = "subtotal";
        }
        let kind = match (is_total, is_choice) {
            (true, _) => "total",
            (_, true) => "of_which",
            _ => "detail",
        };
        let level = Some(above.len() as i32 + 1);
        lines.push(Line { code: None, level, path, parent_path, is_leaf: !is_choice, kind, name });
        if !is_choice {
            above.push(Above { rank, is_section, is_total, indentation, index: position });
        }
    }
    lines
}

/// The level of a numbering.
fn rank(bare: &str) -> Option<u8> {
    let is_open = |character: char| matches!(character, '(' | '（');
    let after_digits = |text: &str, is_digit: fn(char) -> bool| {
        let rest = text.trim_start_matches(is_digit);
        (rest.len() < text.len()).then(|| rest.chars().next()).flatten()
    };
    let chinese: fn(char) -> bool = |character| "一二三四五六七八九十百".contains(character);
    let arabic: fn(char) -> bool = |character| character.is_ascii_digit();
    let first = bare.chars().next()?;
    if is_open(first) {
        let inner = &bare[first.len_utf8()..];
        return match (after_digits(inner, chinese), after_digits(inner, arabic)) {
            (Some(')' | '）'), _) => Some(2),
            (_, Some(')' | '）')) => Some(4),
            _ => None,
        };
    }
    if chinese(first) {
        return matches!(after_digits(bare, chinese), Some('、')).then_some(1);
    }
    matches!(after_digits(bare, arabic), Some('.' | '．' | '、')).then_some(3)
}

fn rank_of_first(name: &str) -> bool {
    without_blanks(name).starts_with("一、")
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
            codes: vec!["code".into()],
            code_of: Default::default(),
            number: None,
            stands_below: false,
            name: "name".into(),
            digits: vec![3, 5, 7],
            below: vec!["230".into()],
            total: Regex::new("(合计|总计)$").expect("a pattern"),
            numbering: Regex::new("^([一二三四五六七八九十]+、|其中：)").expect("a pattern"),
            only: None,
        }
    }

    fn line<'a>(code: &str, number: &'a str, name: &'a str, has_value: bool) -> PrintedLine<'a> {
        PrintedLine { code: code.to_owned(), number, place: 0, name, has_value }
    }

    fn paths(rule: &LineRule, texts: &[(&str, &str)]) -> Vec<String> {
        let printed: Vec<_> = texts.iter().map(|(number, name)| line("", number, name, true)).collect();
        read_lines(rule, &printed).into_iter().map(|line| line.path).collect()
    }

    #[test]
    fn numbers_in_a_column_of_their_own_and_lines_without_numbering_stand_below() {
        let outline = LineRule { codes: Vec::new(), digits: Vec::new(), ..rule() };
        let numbered = LineRule { number: Some("number".into()), ..outline.clone() };
        let texts = [("", "解决历史遗留问题"), ("1", "甲"), ("2", "乙"), ("", "调出资金"), ("", "合计")];
        assert_eq!(
            paths(&numbered, &texts),
            ["T/解决历史遗留问题", "T/解决历史遗留问题/甲", "T/解决历史遗留问题/乙", "T/调出资金", "T/合计"]
        );
        let below = LineRule { stands_below: true, ..outline.clone() };
        let texts = [("", "一、提前下达数"), ("", "古城区"), ("", "永胜县"), ("", "二、预算数"), ("", "古城区")];
        assert_eq!(
            paths(&below, &texts),
            ["T/提前下达数", "T/提前下达数/古城区", "T/提前下达数/永胜县", "T/预算数", "T/预算数/古城区"]
        );
        let texts = [("", "合计"), ("", "其中：1. 应划解"), ("", "2. 本级留存"), ("", "二、其他")];
        let printed: Vec<_> = texts.iter().map(|(number, name)| line("", number, name, true)).collect();
        let kinds: Vec<_> = read_lines(&outline, &printed).into_iter().map(|line| line.kind).collect();
        assert_eq!(kinds, ["total", "of_which", "of_which", "detail"]);
    }

    #[test]
    fn names_have_codes_where_the_feed_knows_them() {
        let of = |name: &str, codes: &[&str]| (name.to_owned(), codes.iter().map(|code| (*code).to_owned()).collect());
        let code_of = [of("机关工资", &["501"]), of("资本性支出", &["503"]), of("设备购置", &["50306", "50404"])];
        let rule = LineRule { codes: Vec::new(), code_of: code_of.into_iter().collect(), digits: vec![3, 5], ..rule() };
        let texts = [("", "一、资本性支出"), ("", "  设备购置"), ("", "机关工资"), ("", "不认识"), ("", "支出合计")];
        assert_eq!(paths(&rule, &texts), ["503", "503/50306", "501", "T/不认识", "T/支出合计"]);
    }

    fn coded(texts: &[(&str, &str)]) -> Vec<Line> {
        let printed: Vec<_> = texts.iter().map(|(code, name)| line(code, "", name, true)).collect();
        read_lines(&rule(), &printed)
    }

    #[test]
    fn numbering_and_indentation_tell_what_stands_below_where_there_are_no_codes() {
        let rule = LineRule { codes: Vec::new(), digits: Vec::new(), ..rule() };
        let texts = [
            ("一般债务", false),
            ("一、上年末余额", true),
            ("二、限额", true),
            ("  其中：新增", true),
            ("     再融资", true),
            ("专项债务", false),
            ("一、上年末余额", true),
            ("   甲", true),
            ("     乙", true),
            ("     乙", true),
            ("合计", true),
            ("  其中：丙", true),
            ("        丁", true),
        ];
        let printed: Vec<_> = texts.iter().map(|(name, has_value)| line("", "", name, *has_value)).collect();
        let lines = read_lines(&rule, &printed);
        let told: Vec<_> = lines.iter().map(|line| (line.path.as_str(), line.is_leaf, line.kind)).collect();
        assert_eq!(
            told,
            [
                ("T/一般债务", false, "subtotal"),
                ("T/一般债务/上年末余额", true, "detail"),
                ("T/一般债务/限额", true, "detail"),
                ("T/一般债务/限额/新增", false, "of_which"),
                ("T/一般债务/限额/再融资", false, "of_which"),
                ("T/专项债务", false, "subtotal"),
                ("T/专项债务/上年末余额", false, "subtotal"),
                ("T/专项债务/上年末余额/甲", false, "subtotal"),
                ("T/专项债务/上年末余额/甲/乙", true, "detail"),
                ("T/专项债务/上年末余额/甲/乙#2", true, "detail"),
                ("T/专项债务/合计", true, "total"),
                ("T/专项债务/合计/丙", false, "of_which"),
                ("T/专项债务/合计/丁", false, "of_which"),
            ]
        );
    }

    #[test]
    fn codes_tell_what_stands_below_in_any_order() {
        let texts = [("213", "一、农林水支出"), ("2130505", "     生产发展"), ("21305.0", "   扶贫"), ("", "支出合计")];
        let lines = coded(&texts);
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
        let lines = coded(&[("219", "援助其他地区支出"), ("220", "自然资源支出"), ("22001", "自然资源事务")]);
        assert_eq!(lines.iter().map(|line| line.is_leaf).collect::<Vec<_>>(), [true, false, true]);
    }

    #[test]
    fn the_print_tells_what_makes_up_a_transfer() {
        let texts = [
            ("201", "一、一般公共服务支出"),
            ("230", "转移性支出"),
            ("23001", "   返还性支出"),
            ("", "   专项转移支付支出"),
            ("2301101", "   地方政府一般债务转贷支出"),
            ("23009", "年终结转"),
        ];
        let lines = coded(&texts);
        let told: Vec<_> =
            lines.iter().map(|line| (line.path.as_str(), line.parent_path.as_str(), line.is_leaf)).collect();
        assert_eq!(
            told,
            [
                ("201", "", true),
                ("230", "", false),
                ("230/23001", "230", true),
                ("230/专项转移支付支出", "230", true),
                ("230/23011/2301101", "230", true),
                ("230/23009", "", true),
            ]
        );
    }

    #[test]
    fn what_is_no_code_stands_below_the_line_under_its_name() {
        let lines = coded(&[("", "上解上级 支出"), ("23008", "调出资金"), ("12", "无")]);
        let told: Vec<_> = lines.iter().map(|line| (line.path.as_str(), line.kind)).collect();
        assert_eq!(told, [("T/上解上级支出", "below"), ("230/23008", "below"), ("T/无", "below")]);
    }
}
