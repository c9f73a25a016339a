//! A feed as written in TOML.
//!
//! Nothing here is checked beyond its shape; [`super::resolve`] does that. An unknown key is an error.
//!
//! [`FeedSpec`] names all parts; each part of a feed has a module of its own.

mod body;
mod caption;
mod line;
mod place;
mod text;
mod time;
mod value;

use std::collections::BTreeMap;

use gongkai_catalog::Label;
use serde::Deserialize;

pub use body::{
    BodySpec, FillDown, HiddenRowsSpec, LabelColumnSpec, OthersSpec, RowSpec, RowsSpec, SectionSpec, ValueColumnSpec,
};
pub use caption::{CaptionScope, CaptionSpec, UnitSpec};
pub use line::{LineSpec, UnnumberedSpec};
pub use place::PlaceSpec;
pub use text::{TextScope, TextSpec};
pub use time::{PeriodDaySpec, PeriodSpec, TimeSpec};
pub use value::{BlankSpec, ByDateSpec, ByLabelSpec, ByPrintedSpec, CaseSpec, UnitBySpec, ValueSpec};

/// One file under `feeds/{publisher}/{feed}.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeedSpec {
    /// Title for readers.
    pub label: Label,
    /// Dataset that the rows belong to; its table follows.
    pub dataset: String,
    /// Formats that the department publishes: `csv`, `json`, `xls`, `xlsx`.
    pub formats: Vec<String>,
    /// Whether the file itself may be given to everybody.
    pub source_public: bool,
    /// How the header is found.
    #[serde(default)]
    pub header: HeaderSpec,
    /// Texts above the header, by id.
    #[serde(default)]
    pub caption: BTreeMap<String, CaptionSpec>,
    /// The unit line, where one unit holds for the table.
    pub unit: Option<UnitSpec>,
    /// The unit of each figure, where labels or headers tell it.
    pub unit_by: Option<UnitBySpec>,
    /// Prose, and tables in plain text: patterns whose named groups become the columns of a grid.
    pub text: Option<TextSpec>,
    /// Columns that say what a record is about.
    pub label_column: Vec<LabelColumnSpec>,
    /// Columns that hold figures. Without any, each record is one row.
    #[serde(default)]
    pub value_column: Vec<ValueColumnSpec>,
    /// Role of the column without which a row is no record, where neither a place, a line nor a moment says so.
    pub subject: Option<String>,
    /// What in the body is no record.
    #[serde(default)]
    pub body: BodySpec,
    /// Rows that head those below them.
    pub section: Option<SectionSpec>,
    /// Rows that say what their figures mean.
    #[serde(default)]
    pub row: Vec<RowSpec>,
    /// What becomes of records that none of `row` matches.
    #[serde(default)]
    pub rows: RowsSpec,
    /// The moment of a record, where it has one.
    pub time: Option<TimeSpec>,
    /// The place of a record, where it has one.
    pub place: Option<PlaceSpec>,
    /// The line of a classified table, where rows stand below one another by their class codes.
    pub line: Option<LineSpec>,
    /// Columns filled by the value cell.
    #[serde(default)]
    pub value: ValueSpec,
    /// Columns filled by text found in captions, headers and labels: the first reference that is there.
    #[serde(default)]
    pub printed: BTreeMap<String, Vec<String>>,
    /// Columns with one value in every row.
    #[serde(default)]
    pub constants: BTreeMap<String, String>,
    /// Columns that this kind of file says nothing of: null in every row.
    #[serde(default)]
    pub empty: Vec<String>,
    /// Columns filled by references joined by `/`; null where one of them is absent.
    #[serde(default)]
    pub joined: BTreeMap<String, Vec<String>>,
    /// Columns whose value changes on declared dates.
    #[serde(default)]
    pub by_date: Vec<ByDateSpec>,
    /// Columns whose value follows from what a label says.
    #[serde(default)]
    pub by_label: Vec<ByLabelSpec>,
    /// Columns whose value follows from what a caption or a header says.
    #[serde(default)]
    pub by_printed: Vec<ByPrintedSpec>,
}

/// Where a header may stand.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HeaderSpec {
    /// Rows of the header.
    pub depth: u32,
    /// Visible rows from the top among which it begins.
    pub search_rows: usize,
    /// Names of the columns by their position, for tables without a header.
    pub names: Vec<String>,
    /// Whether further tables of the same header may stand below.
    pub repeats: bool,
    /// Whether the header has just `depth` rows, although some of them hold numbers.
    pub exact: bool,
}

impl Default for HeaderSpec {
    fn default() -> Self {
        Self { depth: 1, search_rows: 1, names: Vec::new(), repeats: false, exact: false }
    }
}

/// One text, or a list of them.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "OneOrManyAsWritten")]
pub struct OneOrMany(pub Vec<String>);

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrManyAsWritten {
    One(String),
    Many(Vec<String>),
}

impl From<OneOrManyAsWritten> for OneOrMany {
    fn from(written: OneOrManyAsWritten) -> Self {
        match written {
            OneOrManyAsWritten::One(text) => Self(vec![text]),
            OneOrManyAsWritten::Many(texts) => Self(texts),
        }
    }
}
