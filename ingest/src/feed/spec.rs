//! A feed as written in TOML.
//!
//! Nothing here is checked beyond its shape; [`super::resolve`] does that. An unknown key is an error.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use gongkai_catalog::Label;
use serde::Deserialize;

use super::part::{LinePart, PlacePart, TimePart, ValuePart};

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

/// A text above the header.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaptionSpec {
    /// Regular expression over the cell's text without blanks; its named groups are captures.
    pub pattern: String,
    /// Whether a table without it is another table.
    #[serde(default)]
    pub required: bool,
    /// Where it is sought: above the header of the table, or, when it is not there, on any sheet of the document.
    #[serde(default)]
    pub within: CaptionScope,
    /// Whether it may stand in a row or column that the sheet hides.
    #[serde(default)]
    pub hidden: bool,
}

/// Where a caption is sought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaptionScope {
    /// Above the header of the table itself.
    #[default]
    Table,
    /// There, else among the first rows of the other visible sheets.
    Document,
    /// In the path of the file below its inbox: for what a department says with folders and names only.
    Path,
    /// In the name of the table's sheet.
    Sheet,
}

/// The unit line.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitSpec {
    /// Regular expression with the group `unit`.
    pub pattern: String,
    /// Dimension that the unit must have.
    pub dimension: String,
}

/// The unit of each figure.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitBySpec {
    /// References: the first that is there.
    pub captures: Vec<String>,
    /// The first case whose pattern matches it.
    pub cases: Vec<CaseSpec>,
    /// The unit where none does.
    pub otherwise: String,
}

/// What a pattern runs over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextScope {
    /// One line.
    #[default]
    Line,
    /// One page; pages end at form feeds.
    Page,
    /// From each match of `from` to the next of `to`, over the ends of pages; else to the end of the text.
    Block,
    /// The whole text.
    File,
}

/// Prose, and tables in plain text.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextSpec {
    /// What the patterns run over.
    #[serde(default)]
    pub scope: TextScope,
    /// Only pages (or texts) that hold a match of this.
    pub title: Option<String>,
    /// What a block begins with.
    pub from: Option<String>,
    /// What begins after a block.
    pub to: Option<String>,
    /// Lines that match this have to be part of a record.
    pub must: Option<String>,
    /// Patterns of records; where two could begin at one place, the first holds.
    pub record: Vec<TextRecordSpec>,
}

/// One form of a record.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextRecordSpec {
    /// Regular expression; its named groups are the cells.
    pub pattern: String,
}

/// Rows that head those below them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SectionSpec {
    /// Role of the column that holds the heading.
    pub label: String,
    /// Regular expression over its text without blanks; its named groups are `section.NAME`.
    pub pattern: String,
}

/// A row that says what its figures mean.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowSpec {
    /// Regular expression over the names of the lines down to the record, without blanks and numbering, joined by `/`; without
    /// `[line]` over the subject's text without blanks. Its named groups are `row.NAME`.
    pub label: String,
    /// Table columns that have this value in the record's rows.
    #[serde(default)]
    pub set: BTreeMap<String, String>,
    /// Whether such rows are another feed's.
    #[serde(default)]
    pub leave: bool,
}

/// What becomes of records that no row rule matches.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RowsSpec {
    /// Set aside, or left to other feeds.
    pub others: OthersSpec,
}

/// What becomes of other records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OthersSpec {
    /// They are set aside.
    #[default]
    SetAside,
    /// Another feed reads them.
    Leave,
}

/// Which blank cells take the text above them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FillDown {
    /// Those inside a vertical merge.
    Merged,
    /// All.
    Blank,
}

/// A column that says what a record is about.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelColumnSpec {
    /// Name by which other parts of the feed refer to it.
    pub role: String,
    /// Regular expression over the header without blanks.
    pub header: Option<String>,
    /// Regular expression over a hidden marker cell above the header, for machine columns; such a column is optional.
    pub marker: Option<String>,
    /// Table column that takes its text, if one does.
    pub column: Option<String>,
    /// Whether the column may be one that the sheet hides.
    #[serde(default)]
    pub may_be_hidden: bool,
    /// Whether a record without it is set aside; a table column that is never null needs this.
    #[serde(default)]
    pub must_be_filled: bool,
    /// Regular expression over its text without blanks: other rows belong to other feeds.
    pub only: Option<String>,
    /// Regular expression over its text without blanks; its named groups are `ROLE.NAME`.
    pub pattern: Option<String>,
    /// Regular expression that the text of the first record has to match, for tables without a header.
    pub must_match: Option<String>,
    /// Which blank cells take the text above them.
    pub fill_down: Option<FillDown>,
    /// Whether blank cells inside a horizontal merge take its text.
    #[serde(default)]
    pub fill_right: bool,
    /// What parts the records that one cell lists.
    pub split: Option<String>,
    /// Whether a table without the column is still the feed's.
    #[serde(default)]
    pub optional: bool,
    /// Whether the missing markers of `[value]` hold for it.
    #[serde(default)]
    pub missing: bool,
    /// Forms in which its dates are written, where it fills a column of dates.
    #[serde(default)]
    pub date_formats: Vec<String>,
}

/// A column that holds figures.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValueColumnSpec {
    /// Regular expression over the levels of the header without blanks, joined by `/`.
    pub header: String,
    /// Table columns that have this value in the rows of this column.
    pub set: BTreeMap<String, String>,
    /// Unit of the column, or a reference to it as printed, where the table has no unit line.
    pub unit: Option<String>,
    /// Whether several columns may match, told apart by what the header captures.
    #[serde(default)]
    pub many: bool,
    /// Which blank cells take the figure above them.
    pub fill_down: Option<FillDown>,
    /// What is added to the figure to give the number: 100 where a change in per cent stands for an index.
    pub add: Option<String>,
    /// Whether the column only says again what the column with the same settings says. It gives no rows; where the
    /// two differ, the report names the place.
    #[serde(default)]
    pub confirms: bool,
    /// Whether a table without it is another table.
    #[serde(default)]
    pub required: bool,
}

/// What in the body is no record.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BodySpec {
    /// Rows whose label matches one of these are not records.
    pub skip: Vec<String>,
    /// The first row with a cell that matches one of these ends the body.
    pub end: Vec<String>,
    /// What hidden rows of the body are.
    pub hidden_rows: HiddenRowsSpec,
    /// Table column that says whether the row is hidden.
    pub hidden_column: Option<String>,
}

/// What hidden rows of the body are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HiddenRowsSpec {
    /// Not data; each is reported with its place.
    #[default]
    SetAside,
    /// Data like the others.
    Keep,
}

/// The moment of a record.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeSpec {
    /// Role of the date's column; exactly one of `date` and `parts`.
    pub date: Option<String>,
    /// Roles and references that make up the date, joined by one blank.
    #[serde(default)]
    pub parts: Vec<String>,
    /// Forms in which the date is written, tried in order. A form with a time of day gives an instant.
    pub date_formats: Vec<String>,
    /// Role of, or reference to, the hour, whose label names its end.
    pub hour_ending: Option<String>,
    /// Role of, or reference to, the hour, whose label names its beginning.
    pub hour_beginning: Option<String>,
    /// What a date without an hour or a time of day is.
    #[serde(default)]
    pub period: PeriodSpec,
    /// Which day of a month or a year its date is.
    #[serde(default)]
    pub period_day: PeriodDaySpec,
    /// Table columns and what they take.
    pub columns: BTreeMap<String, TimePart>,
}

/// Which day of a month or a year its date is: figures of a state at the end, such as balances, have regions as of that day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeriodDaySpec {
    /// Its first day.
    #[default]
    First,
    /// Its last day.
    Last,
}

/// What a date without a time of day is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeriodSpec {
    /// A month.
    #[default]
    Month,
    /// A day.
    Day,
    /// A year.
    Year,
}

/// How rows stand below one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HierarchySpec {
    /// Labels are indented by blanks.
    Indentation,
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

/// The place of a record.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaceSpec {
    /// Role of the label's column; exactly one of `label`, `printed`, `fixed` and `code`.
    pub label: Option<String>,
    /// Captures that hold the name, where one place holds for the table: the first that is there.
    #[serde(default)]
    pub printed: Vec<String>,
    /// The name, where the feed is about one place.
    pub fixed: Option<String>,
    /// References to the code, where the file has no names: the first that is there.
    #[serde(default)]
    pub code: Vec<String>,
    /// References to the region that stands above all rows, where the table has no row for it; goes with `hierarchy`.
    #[serde(default)]
    pub root: Vec<String>,
    /// Tiers that a name is sought in, in order.
    pub tiers: Vec<String>,
    /// References to the year at whose end names are looked up, the first that is there; exactly one of `[time]`, `year`,
    /// `year_label` and `year_is`.
    #[serde(default)]
    pub year: OneOrMany,
    /// Role of the column that holds it.
    pub year_label: Option<String>,
    /// That year, where the feed is about one.
    pub year_is: Option<i32>,
    /// Code of the region that names are sought below.
    pub within: Option<String>,
    /// Roles of the columns that name the regions above, the highest first.
    #[serde(default)]
    pub within_labels: Vec<String>,
    /// References to the names of the regions above, the highest first, where they hold for the table.
    #[serde(default)]
    pub within_printed: Vec<String>,
    /// How rows stand below one another; a flat list where absent.
    pub hierarchy: Option<HierarchySpec>,
    /// What the label of a region's own level ends in.
    pub own_suffix: Option<String>,
    /// What stands before the suffix when the region is not named: `自治区` in `自治区本级`.
    #[serde(default)]
    pub own_generic: Vec<String>,
    /// What the label of all levels below a region ends in: `区县合计`.
    #[serde(default)]
    pub lower_suffixes: Vec<String>,
    /// Official names of places that are printed under another one.
    #[serde(default)]
    pub aliases: BTreeMap<String, String>,
    /// Role of a machine code that is compared with the code that was found.
    pub evidence: Option<String>,
    /// Table columns and what they take.
    pub columns: BTreeMap<String, PlacePart>,
}

/// What an empty value cell is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlankSpec {
    /// A figure that is missing.
    #[default]
    Missing,
    /// No figure at all: the row of the table has none of that kind.
    NoRow,
}

/// Columns filled by the value cell.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ValueSpec {
    /// Texts that mean "no value", besides an empty cell.
    pub missing: Vec<String>,
    /// What an empty cell is.
    pub blank: BlankSpec,
    /// Table columns and what they take.
    pub columns: BTreeMap<String, ValuePart>,
}

/// A column whose value changes on declared dates.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByDateSpec {
    /// The table column.
    pub column: String,
    /// Where the rule is written.
    pub basis: Label,
    /// Values in order of time; only the last is without an end.
    pub spans: Vec<SpanSpec>,
}

/// One value and its last day.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpanSpec {
    /// The value.
    pub value: String,
    /// Last day on which it holds.
    pub until: Option<NaiveDate>,
}

/// A column whose value follows from a label.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByLabelSpec {
    /// The table column.
    pub column: String,
    /// Role of the label; `line.path` for the path of the line.
    pub role: String,
    /// The first case whose pattern matches the label without blanks.
    pub cases: Vec<CaseSpec>,
    /// The value where none does; null without one.
    pub otherwise: Option<String>,
}

/// A column whose value follows from captions and headers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByPrintedSpec {
    /// The table column.
    pub column: String,
    /// Captures: the first that is there.
    pub captures: Vec<String>,
    /// The first case whose pattern matches it.
    pub cases: Vec<CaseSpec>,
    /// The value where none does; null without one.
    pub otherwise: Option<String>,
}

/// One pattern and its value.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseSpec {
    /// Regular expression over the label without blanks.
    pub pattern: String,
    /// The value; `${name}` stands for a group of the pattern.
    pub value: String,
}

/// What a line without numbering is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnnumberedSpec {
    /// Its indentation tells.
    #[default]
    ByIndentation,
    /// It stands below the numbered line before it.
    Below,
}

/// Lines of a classified table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineSpec {
    /// Role of the column of class codes. Without one, what stands below what is told by numbering and indentation.
    pub code: Option<String>,
    /// Roles of the columns that make up the code together: 类, 款, 项.
    #[serde(default)]
    pub codes: Vec<String>,
    /// Codes by the name without blanks and numbering, where the table prints none; of several the one below the last line of
    /// the first level.
    #[serde(default)]
    pub code_of: BTreeMap<String, Vec<String>>,
    /// Role of the column of numbers, where the numbering stands in a column of its own.
    pub number: Option<String>,
    /// What a line without numbering is, where others have one.
    #[serde(default)]
    pub unnumbered: UnnumberedSpec,
    /// Role of the column of names.
    pub name: String,
    /// Digits of the codes of each level, from the top: 3, 5, 7 for 类, 款, 项. Goes with `code`.
    #[serde(default)]
    pub digits: Vec<usize>,
    /// Codes that begin so are below the line.
    #[serde(default)]
    pub below: Vec<String>,
    /// Regular expression over names of lines without a code that are totals; others without one are below the line.
    pub total: String,
    /// Regular expression over the numbering before a name, which is taken away.
    pub numbering: String,
    /// Regular expression over the line's path: the other lines belong to other feeds.
    pub only: Option<String>,
    /// Table columns and what they take.
    pub columns: BTreeMap<String, LinePart>,
}
