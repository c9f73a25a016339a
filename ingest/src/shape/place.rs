//! Places of records: codes found from the name, the row above, and the date.
//!
//! Names decide. The form's machine code is evidence: where it contradicts, the report says so and the name
//! stands. A name that no code fits keeps its row, with a null code and an id made of the row above.

use std::collections::HashMap;

use chrono::NaiveDate;
use gongkai_catalog::{RegionList, Tier};

use super::text::{indentation, trimmed};
use crate::feed::PlaceRule;

/// A place as the columns take it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub id: String,
    pub code: Option<String>,
    /// Code of the region above that the feed names.
    pub above: Option<String>,
    pub name: String,
    /// `area`, `own` or `lower`.
    pub scope: &'static str,
    pub parent_path: String,
    pub is_leaf: bool,
    pub line_kind: &'static str,
}

/// Places of a flat list, each name and date looked up once.
pub(crate) struct FlatPlaces<'a> {
    regions: &'a RegionList,
    rule: &'a PlaceRule,
    seen: HashMap<(String, Vec<String>, NaiveDate), u32>,
    pub places: Vec<Place>,
}

impl<'a> FlatPlaces<'a> {
    pub fn new(regions: &'a RegionList, rule: &'a PlaceRule) -> Self {
        Self { regions, rule, seen: HashMap::new(), places: Vec::new() }
    }

    /// Index in `places` of a name on a date, below the regions that `above` names from the highest down.
    pub fn index(&mut self, label: &str, above: &[&str], date: NaiveDate) -> u32 {
        let name = trimmed(label);
        let above: Vec<String> = above.iter().map(|name| trimmed(name).to_owned()).collect();
        let key = (name.to_owned(), above, date);
        if let Some(index) = self.seen.get(&key) {
            return *index;
        }
        let (sought, scope) = self.rule.part_of(name).unwrap_or((name, "area"));
        let within = self.within(&key.1, date);
        let code = self
            .regions
            .resolve(self.rule.official(sought), date, &self.rule.tiers, within.as_deref())
            .map(|region| region.region_code.clone());
        let index = self.places.len() as u32;
        self.places.push(Place {
            id: match (&code, &within) {
                (Some(code), _) => code.clone(),
                (None, Some(within)) => format!("{within}/{sought}"),
                (None, None) => sought.to_owned(),
            },
            code,
            above: within,
            name: name.to_owned(),
            scope,
            parent_path: String::new(),
            is_leaf: true,
            line_kind: "detail",
        });
        self.seen.insert(key, index);
        index
    }

    /// Index in `places` of a code on a date: the region that has it. Of a code that does not hold on that day the name decides:
    /// 542400 in 2018 is 那曲地区, which was 那曲市 by then. Where that means no region either, the code stands as printed.
    pub fn index_of_code(&mut self, code: &str, date: NaiveDate) -> u32 {
        let key = (code.to_owned(), Vec::new(), date);
        if let Some(index) = self.seen.get(&key) {
            return *index;
        }
        let padded = padded_code(code).unwrap_or_else(|| code.to_owned());
        let nearest = self.regions.nearest_by_code(&padded, date);
        let region = match nearest {
            Some(region) if !region.holds_on(date) => {
                let province = padded.get(..2).map(|digits| format!("{digits}0000"));
                self.regions.resolve(&region.name, date, &self.rule.tiers, province.as_deref())
            }
            held => held,
        };
        let index = self.places.len() as u32;
        self.places.push(Place {
            id: region.map_or_else(|| code.to_owned(), |region| region.region_code.clone()),
            code: region.map(|region| region.region_code.clone()),
            above: None,
            name: region.or(nearest).map_or_else(|| code.to_owned(), |region| region.name.clone()),
            scope: "area",
            parent_path: String::new(),
            is_leaf: true,
            line_kind: "detail",
        });
        self.seen.insert(key, index);
        index
    }

    /// The lowest region above that is known; a prefecture whose name is not known does not hide its county.
    fn within(&self, above: &[String], date: NaiveDate) -> Option<String> {
        above.iter().fold(self.rule.within.clone(), |within, name| {
            let tiers = [Tier::Province, Tier::City];
            let found = self.regions.resolve(self.rule.official(name), date, &tiers, within.as_deref());
            found.map(|region| region.region_code.clone()).or(within)
        })
    }
}

/// One row that stands above others.
struct Open {
    indentation: u32,
    index: usize,
    tier: Option<Tier>,
}

/// Places of an indented list, one for each label in the order of the rows.
///
/// A `root` is the region above all of them, where the list has no row for it.
pub(crate) fn read_hierarchy(
    regions: &RegionList,
    rule: &PlaceRule,
    root: Option<&str>,
    labels: &[&str],
    date: NaiveDate,
) -> (Vec<Place>, Vec<String>) {
    let mut notes = Vec::new();
    let indentations: Vec<u32> = labels.iter().map(|label| indentation(label)).collect();
    let is_flat = indentations.windows(2).all(|pair| pair[0] == pair[1]);
    if is_flat && labels.len() > 1 {
        notes.push("labels are not indented: what stands below what was told by their codes".to_owned());
    }
    let mut reader = Hierarchy { regions, rule, date, open: Vec::new(), places: Vec::new(), root: None };
    if let Some(root) = root.map(trimmed).filter(|root| !root.is_empty()) {
        // The region above may be of a tier that no row is of.
        let tiers = [Tier::Nation, Tier::Province, Tier::City, Tier::County];
        let found = regions.resolve(rule.official(root), date, &tiers, rule.within.as_deref());
        let (code, tier) = found.map(|region| (region.region_code.clone(), region.tier)).unzip();
        let first = labels.first().map(|label| trimmed(label)).unwrap_or_default();
        // The list may begin with the region itself.
        if reader.resolve(first).map(|(code, _)| code) != code || code.is_none() {
            reader.root = Some((code, tier, root.to_owned()));
            reader.add_root();
        }
    }
    let is_rooted = reader.root.is_some();
    for (index, label) in labels.iter().enumerate() {
        if is_flat {
            reader.close_unrelated(trimmed(label));
        } else {
            reader.open.retain(|open| open.indentation < indentations[index] + u32::from(is_rooted));
        }
        reader.add(trimmed(label), indentations[index] + u32::from(is_rooted));
    }
    if is_rooted {
        reader.places.remove(0);
    }
    (reader.places, notes)
}

struct Hierarchy<'a> {
    regions: &'a RegionList,
    rule: &'a PlaceRule,
    date: NaiveDate,
    open: Vec<Open>,
    places: Vec<Place>,
    /// Code, tier and name of the region above all rows, which is no row itself.
    root: Option<(Option<String>, Option<Tier>, String)>,
}

/// What a label means below the rows that are open.
struct Meaning {
    code: Option<String>,
    tier: Option<Tier>,
    scope: &'static str,
    /// Whether it is the own level, or all lower ones, of the row right above.
    is_of_parent: bool,
    /// The part of the label that names a region.
    stem: String,
}

impl Hierarchy<'_> {
    /// Opens the region above all rows.
    fn add_root(&mut self) {
        let Some((code, tier, name)) = self.root.clone() else { return };
        self.open.push(Open { indentation: 0, index: 0, tier });
        self.places.push(Place {
            id: code.clone().unwrap_or_else(|| name.clone()),
            code,
            above: None,
            name,
            scope: "area",
            parent_path: String::new(),
            is_leaf: false,
            line_kind: "total",
        });
    }

    fn add(&mut self, name: &str, indentation: u32) {
        let meaning = self.read_label(name);
        let parent = self.open.last().map(|open| open.index);
        let id = match (&meaning.code, parent) {
            (Some(code), _) => code.clone(),
            (None, Some(parent)) if meaning.is_of_parent => self.places[parent].id.clone(),
            (None, Some(parent)) => format!("{}/{}", self.places[parent].id, meaning.stem),
            (None, None) => meaning.stem.clone(),
        };
        let parent_path = match parent {
            Some(parent) if self.places[parent].parent_path.is_empty() => self.places[parent].name.clone(),
            Some(parent) => format!("{}/{}", self.places[parent].parent_path, self.places[parent].name),
            None => String::new(),
        };
        if let Some(parent) = parent {
            self.places[parent].is_leaf = false;
            if parent > 0 {
                self.places[parent].line_kind = "subtotal";
            }
        }
        let index = self.places.len();
        let line_kind = if index == 0 { "total" } else { "detail" };
        self.places.push(Place {
            id,
            code: meaning.code,
            above: parent.and_then(|parent| self.places[parent].code.clone()),
            name: name.to_owned(),
            scope: meaning.scope,
            parent_path,
            is_leaf: true,
            line_kind,
        });
        if meaning.scope == "area" {
            self.open.push(Open { indentation, index, tier: meaning.tier });
        }
    }

    fn read_label(&self, name: &str) -> Meaning {
        let Some((stem, scope)) = self.rule.part_of(name) else {
            let (code, tier) = self.resolve(name).unzip();
            return Meaning { code, tier, scope: "area", is_of_parent: false, stem: name.to_owned() };
        };
        if let Some(parent) = self.open.last() {
            let parent_place = &self.places[parent.index];
            let is_generic = self.rule.own_generic.iter().any(|generic| generic == stem);
            if is_generic || stem == parent_place.name || self.means(stem, parent) {
                let (code, tier) = (parent_place.code.clone(), parent.tier);
                return Meaning { code, tier, scope, is_of_parent: true, stem: stem.to_owned() };
            }
        }
        let (code, tier) = self.resolve(stem).unzip();
        Meaning { code, tier, scope, is_of_parent: false, stem: stem.to_owned() }
    }

    /// Whether a name is another form of an open row's.
    fn means(&self, name: &str, open: &Open) -> bool {
        let (Some(tier), Some(code)) = (open.tier, &self.places[open.index].code) else { return false };
        // Within itself: a region is the only one of its tier there.
        self.regions.resolve(name, self.date, &[tier], Some(code)).is_some_and(|region| region.region_code == *code)
    }

    /// The region that a name means below the nearest open row that has a code.
    fn resolve(&self, name: &str) -> Option<(String, Tier)> {
        let above =
            self.open.iter().rev().find_map(|open| Some((self.places[open.index].code.as_deref()?, open.tier?)));
        let tiers: Vec<Tier> =
            self.rule.tiers.iter().copied().filter(|tier| above.is_none_or(|(_, above)| *tier > above)).collect();
        let region = self.regions.resolve(self.rule.official(name), self.date, &tiers, above.map(|(code, _)| code))?;
        Some((region.region_code.clone(), region.tier))
    }

    /// For lists without indentation: closes rows until the label is found below the last open one.
    fn close_unrelated(&mut self, name: &str) {
        let stem = self.rule.part_of(name).map(|(stem, _)| stem);
        while self.open.len() > 1 {
            let is_own =
                stem.is_some_and(|stem| stem.is_empty() || self.open.last().is_some_and(|open| self.means(stem, open)));
            if is_own || self.resolve(stem.unwrap_or(name)).is_some() {
                return;
            }
            self.open.pop();
        }
    }
}

/// The six digits that a machine code stands for, and whether it names an own level.
///
/// The forms write `46`, `4601` and `460105` for areas and `4600`, `460100` for own levels.
pub(crate) fn padded_code(machine: &str) -> Option<String> {
    let plain = trimmed(machine);
    // Exports write codes as decimals: `130631.0`.
    let digits = plain.strip_suffix(".0").unwrap_or(plain);
    let is_code = matches!(digits.len(), 2 | 4 | 6) && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_code.then(|| format!("{digits:0<6}"))
}

#[cfg(test)]
#[path = "place_tests.rs"]
mod tests;
