//! The parts of a record that can fill a table column.

use gongkai_catalog::{Column, ColumnType};
use serde::Deserialize;

/// What of a place a column takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlacePart {
    /// Code, or where there is none the id of the region above, a slash, and the printed name.
    Id,
    /// Code; null where the name has none.
    Code,
    /// Code of the region above that `within_labels` or `within_printed` names; null where it has none.
    Above,
    /// Name as printed, without indentation.
    Name,
    /// `area`, `own` or `lower`.
    Scope,
    /// Names of the rows above, joined by `/`.
    ParentPath,
    /// Whether no row stands below.
    IsLeaf,
    /// `total`, `subtotal` or `detail`.
    LineKind,
}

/// What of a moment a column takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimePart {
    /// The moment itself, of dates with a time of day.
    Instant,
    /// End of the hour as an instant.
    EndInstant,
    /// Date of the hour that was measured.
    Date,
    /// Label of the hour's end, 1 to 24.
    Hour,
    /// Month of the date, `YYYY-MM`.
    Month,
    /// Year of the date.
    Year,
}

/// What of a classified line a column takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinePart {
    /// Class code; null where the line has none.
    Code,
    /// Level of the code, from 1; null where the line has none.
    Level,
    /// Codes from the top joined by `/`; `T/` and the name where the line has none.
    Path,
    /// Path of the line above.
    ParentPath,
    /// Whether no line of the table stands below.
    IsLeaf,
    /// `detail`, `subtotal`, `total` or `below`.
    LineKind,
    /// Name without numbering and indentation.
    Name,
}

/// What of a value cell a column takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValuePart {
    /// The figure, in the unit of the table column where that has one.
    Number,
    /// The figure in the published unit.
    Published,
    /// Id of the published unit.
    Unit,
    /// Decimals of the published figure.
    Scale,
    /// Content of the cell.
    Raw,
    /// `value`, `missing`, `below_limit` or `set_aside`.
    State,
    /// `<` where the cell says that the figure lies below its detection limit.
    Qualifier,
    /// The detection limit that such a cell says, in the unit of the figures.
    Limit,
    /// How the number follows from the content.
    Conversion,
    /// Header of the column, levels joined by `/`.
    Header,
}

/// Where a column of an origin comes from; the shared columns of every table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OriginPart {
    /// Sheet; null for text files.
    Sheet,
    /// Row or line.
    Row,
    /// Column or position in the line.
    Column,
}

/// What a part gives, for the check against its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gives {
    Text,
    Integer,
    Decimal,
    Date,
    Timestamp,
    Boolean,
}

impl Gives {
    /// What a column of that type takes.
    pub(super) fn of(column_type: ColumnType) -> Self {
        match column_type {
            ColumnType::Text => Self::Text,
            ColumnType::Integer | ColumnType::Bigint => Self::Integer,
            ColumnType::Decimal { .. } => Self::Decimal,
            ColumnType::Date => Self::Date,
            ColumnType::Timestamp => Self::Timestamp,
            ColumnType::Boolean => Self::Boolean,
        }
    }

    /// Whether a column can take it; `is_total` says that it is never null.
    pub(super) fn fits(self, is_total: bool, column: &Column) -> bool {
        let has_type = match column.column_type {
            ColumnType::Text => self == Self::Text,
            ColumnType::Integer => self == Self::Integer,
            ColumnType::Bigint => false,
            ColumnType::Decimal { .. } => self == Self::Decimal,
            ColumnType::Date => self == Self::Date,
            ColumnType::Timestamp => self == Self::Timestamp,
            ColumnType::Boolean => self == Self::Boolean,
        };
        has_type && (is_total || column.is_nullable)
    }

    pub(super) fn description(self) -> &'static str {
        match self {
            Self::Text => "a text column",
            Self::Integer => "an integer column",
            Self::Decimal => "a nullable decimal column",
            Self::Date => "a date column",
            Self::Timestamp => "a timestamp column",
            Self::Boolean => "a boolean column",
        }
    }
}

impl PlacePart {
    pub(super) fn gives(self) -> (Gives, bool) {
        match self {
            Self::IsLeaf => (Gives::Boolean, true),
            Self::Code | Self::Above => (Gives::Text, false),
            Self::Id | Self::Name | Self::Scope | Self::ParentPath | Self::LineKind => (Gives::Text, true),
        }
    }
}

impl TimePart {
    pub(super) fn gives(self) -> (Gives, bool) {
        match self {
            Self::Instant | Self::EndInstant => (Gives::Timestamp, true),
            Self::Date => (Gives::Date, true),
            Self::Hour => (Gives::Integer, true),
            Self::Month => (Gives::Text, true),
            Self::Year => (Gives::Integer, true),
        }
    }
}

impl LinePart {
    pub(super) fn gives(self) -> (Gives, bool) {
        match self {
            Self::Code => (Gives::Text, false),
            Self::Level => (Gives::Integer, false),
            Self::IsLeaf => (Gives::Boolean, true),
            Self::Path | Self::ParentPath | Self::LineKind | Self::Name => (Gives::Text, true),
        }
    }
}

impl ValuePart {
    pub(super) fn gives(self) -> (Gives, bool) {
        match self {
            Self::Number | Self::Published | Self::Limit => (Gives::Decimal, false),
            Self::Scale => (Gives::Integer, false),
            Self::Conversion | Self::Qualifier => (Gives::Text, false),
            Self::Unit | Self::Raw | Self::State | Self::Header => (Gives::Text, true),
        }
    }
}
