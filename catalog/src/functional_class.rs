//! The functional classification of expenditure (支出功能分类) by fiscal year.
//!
//! A code keeps its meaning over renames: 21305 was 扶贫 until 2020 and is 巩固脱贫衔接乡村振兴 since. What a table prints is
//! kept as printed; this list says which names belong together. It holds every 类, and the 款 and 项 of the departments served;
//! it is not the national list, and a code that is not in it is nothing wrong.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::CatalogError;
use crate::declaration::Declarations;

const FILE: &str = "codes/functional_classes.csv";
const HEADER: &str = "code,name,level,parent_code,budget_kind,first_year,last_year,source";

/// Which of the four budgets a class belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BudgetKind {
    /// 一般公共预算.
    General,
    /// 政府性基金预算.
    Fund,
    /// 国有资本经营预算.
    StateCapital,
    /// 社会保险基金预算.
    SocialInsurance,
}

/// One code under one name for a span of fiscal years.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FunctionalClass {
    /// Three digits for a 类, five for a 款, seven for a 项.
    pub code: String,
    /// Name in those years.
    pub name: String,
    /// Level: 1 类, 2 款, 3 项.
    pub level: u8,
    /// Code above; none for a 类.
    pub parent_code: Option<String>,
    /// The budget.
    pub budget_kind: BudgetKind,
    /// First fiscal year; none for "before our sources begin".
    pub first_year: Option<i32>,
    /// Last fiscal year; none while it holds.
    pub last_year: Option<i32>,
    /// Where it was read.
    pub source: String,
}

impl FunctionalClass {
    /// Whether the name holds in a fiscal year.
    pub fn holds_in(&self, year: i32) -> bool {
        self.first_year.is_none_or(|first| first <= year) && self.last_year.is_none_or(|last| year <= last)
    }
}

/// The list, by code.
#[derive(Debug, Default)]
pub struct FunctionalClasses {
    by_code: BTreeMap<String, Vec<FunctionalClass>>,
}

impl FunctionalClasses {
    /// Every entry, in the order of codes and years.
    pub fn iter(&self) -> impl Iterator<Item = &FunctionalClass> {
        self.by_code.values().flatten()
    }

    /// The entry of a code in a fiscal year.
    pub fn in_year(&self, code: &str, year: i32) -> Option<&FunctionalClass> {
        self.by_code.get(code)?.iter().find(|class| class.holds_in(year))
    }

    /// Every name of a code, the oldest first.
    pub fn names(&self, code: &str) -> impl Iterator<Item = &str> {
        self.by_code.get(code).into_iter().flatten().map(|class| class.name.as_str())
    }

    /// Whether a name is one of a code's, in whatever year; 支出 at its end does not count.
    pub fn is_name_of(&self, name: &str, code: &str) -> bool {
        let plain = |name: &str| -> String {
            let name: String = name.chars().filter(|character| !character.is_whitespace()).collect();
            name.strip_suffix("支出").map_or(name.clone(), str::to_owned)
        };
        let sought = plain(name);
        self.names(code).any(|known| plain(known) == sought)
    }
}

/// Reads the list; a set of declarations without it has none.
pub(crate) fn load(declarations: &Declarations) -> Result<FunctionalClasses, CatalogError> {
    if declarations.paths(FILE, "").next().is_none() {
        return Ok(FunctionalClasses::default());
    }
    let wrong = |key: String, found: &str, expected: &str| CatalogError::Value {
        file: FILE.into(),
        key,
        found: found.to_owned(),
        expected: expected.into(),
    };
    let mut lines = declarations.text(FILE)?.lines();
    let header = lines.next().unwrap_or_default();
    if header != HEADER {
        return Err(wrong("line 1".into(), header, HEADER));
    }
    let mut by_code: BTreeMap<String, Vec<FunctionalClass>> = BTreeMap::new();
    for (index, line) in lines.enumerate() {
        let number = index + 2;
        let fields: Vec<&str> = line.split(',').collect();
        let [code, name, level, parent, kind, first, last, source] = fields[..] else {
            let (found, expected) = (fields.len(), HEADER.split(',').count());
            return Err(CatalogError::CsvWidth { file: FILE.into(), line: number, found, expected });
        };
        let budget_kind = match kind {
            "general" => BudgetKind::General,
            "fund" => BudgetKind::Fund,
            "state_capital" => BudgetKind::StateCapital,
            "social_insurance" => BudgetKind::SocialInsurance,
            other => {
                let expected = "general, fund, state_capital or social_insurance";
                return Err(wrong(format!("line {number} budget_kind"), other, expected));
            }
        };
        let year = |key: &str, text: &str| match text {
            "" => Ok(None),
            text => {
                let expected = "a year, or nothing";
                text.parse::<i32>().map(Some).map_err(|_| wrong(format!("line {number} {key}"), text, expected))
            }
        };
        let digits = match level {
            "1" => 3,
            "2" => 5,
            "3" => 7,
            other => return Err(wrong(format!("line {number} level"), other, "1, 2 or 3")),
        };
        if code.len() != digits || !code.starts_with(parent) {
            let expected = "three, five or seven digits for levels 1, 2 and 3, beginning with parent_code";
            return Err(wrong(format!("line {number} code"), code, expected));
        }
        by_code.entry(code.to_owned()).or_default().push(FunctionalClass {
            code: code.to_owned(),
            name: name.to_owned(),
            level: (digits as u8 - 1) / 2,
            parent_code: (!parent.is_empty()).then(|| parent.to_owned()),
            budget_kind,
            first_year: year("first_year", first)?,
            last_year: year("last_year", last)?,
            source: source.to_owned(),
        });
    }
    Ok(FunctionalClasses { by_code })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes() -> FunctionalClasses {
        load(&Declarations::embedded()).expect("the embedded list")
    }

    #[test]
    fn a_code_has_the_name_of_the_fiscal_year() {
        let classes = classes();
        let name = |code: &str, year: i32| classes.in_year(code, year).map(|class| class.name.as_str());
        assert_eq!(name("21305", 2019), Some("扶贫"));
        assert_eq!(name("21305", 2021), Some("巩固脱贫衔接乡村振兴"));
        assert_eq!(name("207", 2018), Some("文化体育与传媒支出"));
        assert_eq!(name("207", 2019), Some("文化旅游体育与传媒支出"));
        assert_eq!((name("224", 2018), name("224", 2019)), (None, Some("灾害防治及应急管理支出")));
        assert_eq!((name("234", 2020).is_some(), name("234", 2021)), (true, None));
    }

    #[test]
    fn an_old_name_is_still_the_codes() {
        let classes = classes();
        assert!(classes.is_name_of("农林水事务", "213") && classes.is_name_of("农林水支出", "213"));
        assert!(!classes.is_name_of("农林水支出", "214"));
    }

    #[test]
    fn every_class_stands_below_one_of_the_list_and_never_has_two_names_in_a_year() {
        let classes = classes();
        for class in classes.iter() {
            assert!(
                class.parent_code.as_deref().is_none_or(|parent| classes.by_code.contains_key(parent)),
                "{class:?}"
            );
            for year in 2007..2031 {
                let names = classes.by_code[&class.code].iter().filter(|other| other.holds_in(year)).count();
                assert!(names <= 1, "{} in {year}", class.code);
            }
        }
        // 201 to 234 without 218, 225, 226, 228.
        assert_eq!(classes.by_code.keys().filter(|code| code.len() == 3).count(), 30);
    }
}
