//! Names that the rules of [`crate::region_name`] cannot make: former names, usual short forms, slips.
//!
//! One list for every feed. An entry says which code a written name means, from when to when; it is asked only where the
//! official names and their short forms mean nothing, so that it can never hide a region. A name that could mean two
//! regions stands in it twice, and then the region above decides; where that is not known, nothing is guessed.

use std::collections::HashMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::CatalogError;
use crate::declaration::Declarations;
use crate::region::read_date;

const FILE: &str = "codes/region_names.csv";
const HEADER: &str = "name,region_code,kind,valid_from,valid_to,source";

/// Why a name stands in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AliasKind {
    /// A usual short form: 科右前旗, 克州.
    Short,
    /// The name that the region had before: 大同县 for 云州区.
    Former,
    /// A slip seen in a published file: 鄂伦春自治区旗.
    Slip,
    /// Another name of the same region, such as its later one in a table about earlier years.
    Variant,
}

/// One name and the code it means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RegionAlias {
    /// As it is written, without blanks.
    pub name: String,
    /// Code of the region.
    pub region_code: String,
    /// Why it stands here.
    pub kind: AliasKind,
    /// First day on which it means that; none for always.
    pub valid_from: Option<NaiveDate>,
    /// First day on which it does not any more; none for never.
    pub valid_to: Option<NaiveDate>,
    /// Where it was seen, or since when the region has another name.
    pub source: String,
}

impl RegionAlias {
    fn holds_on(&self, date: NaiveDate) -> bool {
        self.valid_from.is_none_or(|from| from <= date) && self.valid_to.is_none_or(|to| date < to)
    }
}

/// The list, by name.
#[derive(Debug, Default)]
pub(crate) struct RegionAliases {
    by_name: HashMap<String, Vec<RegionAlias>>,
}

impl RegionAliases {
    /// Codes that a written name means on a day.
    pub fn codes<'a>(&'a self, name: &str, date: NaiveDate) -> impl Iterator<Item = &'a str> {
        let entries = self.by_name.get(name).into_iter().flatten();
        entries.filter(move |alias| alias.holds_on(date)).map(|alias| alias.region_code.as_str())
    }

    /// Every entry, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &RegionAlias> {
        self.by_name.values().flatten()
    }
}

/// Reads the list; a set of declarations without it has no such names.
pub(crate) fn load(declarations: &Declarations, is_code: impl Fn(&str) -> bool) -> Result<RegionAliases, CatalogError> {
    if declarations.paths(FILE, "").next().is_none() {
        return Ok(RegionAliases::default());
    }
    let mut lines = declarations.text(FILE)?.lines();
    let header = lines.next().unwrap_or_default();
    let wrong = |key: String, found: &str, expected: &str| CatalogError::Value {
        file: FILE.into(),
        key,
        found: found.to_owned(),
        expected: expected.into(),
    };
    if header != HEADER {
        return Err(wrong("line 1".into(), header, HEADER));
    }
    let mut by_name: HashMap<String, Vec<RegionAlias>> = HashMap::new();
    for (index, line) in lines.enumerate() {
        let number = index + 2;
        let fields: Vec<&str> = line.split(',').collect();
        let [name, code, kind, from, to, source] = fields[..] else {
            let (found, expected) = (fields.len(), HEADER.split(',').count());
            return Err(CatalogError::CsvWidth { file: FILE.into(), line: number, found, expected });
        };
        let kind = match kind {
            "short" => AliasKind::Short,
            "former" => AliasKind::Former,
            "slip" => AliasKind::Slip,
            "variant" => AliasKind::Variant,
            other => return Err(wrong(format!("line {number} kind"), other, "short, former, slip or variant")),
        };
        if !is_code(code) {
            return Err(wrong(format!("line {number} region_code"), code, "a code of codes/regions.csv"));
        }
        by_name.entry(name.to_owned()).or_default().push(RegionAlias {
            name: name.to_owned(),
            region_code: code.to_owned(),
            kind,
            valid_from: read_date(FILE, number, "valid_from", from)?,
            valid_to: read_date(FILE, number, "valid_to", to)?,
            source: source.to_owned(),
        });
    }
    Ok(RegionAliases { by_name })
}
