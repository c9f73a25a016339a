//! Deadlines of disclosure: what 公开时限 says, as a rule, and the day and hour that follow from it.
//!
//! The text of a catalogue is kept as it is printed and read into a [`DeadlineRule`] ([`read`]). What cannot be read with
//! certainty says so and waits for a person; a text is never thrown away. [`due`] reckons from an anchor, with every step that
//! it took, so that anybody can follow it with a calendar.
//!
//! Calendar days and working days are never mixed up: 日 and 天 are calendar days, 工作日 has to be written. Working days are
//! those of the notices known on the due date ([`crate::workday`]). A deadline ends with its day, at 23:59:59 Beijing time.

mod due;
mod reading;

pub use due::{Due, DueError, Step, StepKind, due, due_from_day, due_of_period};
pub use reading::{Reading, read};

use serde::{Deserialize, Serialize};

/// Unit of a span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpanUnit {
    /// Working day of the State Council's calendar (工作日).
    Workday,
    /// Calendar day (日, 天).
    Day,
    /// Hour (小时).
    Hour,
    /// Minute (分钟).
    Minute,
    /// Calendar month (个月).
    Month,
}

/// A span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// How many.
    pub n: u32,
    /// Of what.
    pub unit: SpanUnit,
}

/// Event that a span is counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Anchor {
    /// The information was made, obtained or changed (形成, 变更).
    FormedOrChanged,
    /// An administrative decision was made (作出决定).
    Decision,
    /// The people's congress or its committee approved (批准).
    Approved,
    /// The finance department replied (批复).
    Replied,
    /// Money was allocated (下达).
    Allocated,
    /// A paper came in (收到).
    Received,
    /// A matter was accepted (受理).
    Accepted,
    /// Something happened (发生).
    Event,
    /// A period ended.
    PeriodEnd,
}

impl Anchor {
    /// Its name in rules and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::FormedOrChanged => "formed_or_changed",
            Self::Decision => "decision",
            Self::Approved => "approved",
            Self::Replied => "replied",
            Self::Allocated => "allocated",
            Self::Received => "received",
            Self::Accepted => "accepted",
            Self::Event => "event",
            Self::PeriodEnd => "period_end",
        }
    }
}

/// How often a period comes round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Frequency {
    /// Every hour.
    Hourly,
    /// Every day.
    Daily,
    /// Every week, Monday to Sunday.
    Weekly,
    /// Every month.
    Monthly,
    /// Every quarter.
    Quarterly,
    /// Every half-year.
    Halfyearly,
    /// Every year.
    Yearly,
}

impl Frequency {
    /// Its name in rules and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hourly => "hourly",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
            Self::Quarterly => "quarterly",
            Self::Halfyearly => "halfyearly",
            Self::Yearly => "yearly",
        }
    }
}

/// What becomes of a deadline that falls on a day of rest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Roll {
    /// It stays: what the law says of disclosure knows no other day.
    #[default]
    None,
    /// It moves to the next working day.
    NextWorkday,
}

impl Roll {
    fn stays(&self) -> bool {
        *self == Self::None
    }
}

/// When something is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum DeadlineRule {
    /// So long after an event; the day of the event is day 0.
    Within {
        /// How many.
        n: u32,
        /// Of what.
        unit: SpanUnit,
        /// After what.
        anchor: Anchor,
        /// On a day of rest.
        #[serde(default, skip_serializing_if = "Roll::stays")]
        roll: Roll,
    },
    /// By a day of the year: the last one of that day.
    ByDate {
        /// Month.
        month: u32,
        /// Day.
        day: u32,
        /// Year, where the text names one; else every year.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        year: Option<i32>,
    },
    /// Again and again, so long after the end of each period.
    Recurring {
        /// How often.
        freq: Frequency,
        /// How long after the last day of the period: 15 days after a month is the 15th of the next.
        offset: Span,
        /// Hour of that day until which there is time; the end of the day where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hour: Option<u32>,
        /// On a day of rest.
        #[serde(default, skip_serializing_if = "Roll::stays")]
        roll: Roll,
    },
    /// So long after the observation.
    Realtime {
        /// How many.
        n: u32,
        /// Of what.
        unit: SpanUnit,
    },
    /// On display for at least so long; the first day counts.
    MinDisplay {
        /// How many.
        n: u32,
        /// Of what.
        unit: SpanUnit,
    },
    /// Without delay (及时): after the soft limit it is slow, after the hard one late.
    Prompt {
        /// What is expected.
        soft: Span,
        /// What the regulation allows.
        hard: Span,
        /// After what.
        anchor: Anchor,
    },
    /// Together with another item.
    WithParent {
        /// `{field}-{code}` of that item.
        parent: String,
    },
    /// Stays public without an end; what is looked at is whether it is still there.
    LongTerm,
    /// So long after each change.
    OnChange {
        /// How many.
        n: u32,
        /// Of what.
        unit: SpanUnit,
    },
}

impl DeadlineRule {
    /// Its kind, as in JSON.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Within { .. } => "within",
            Self::ByDate { .. } => "by_date",
            Self::Recurring { .. } => "recurring",
            Self::Realtime { .. } => "realtime",
            Self::MinDisplay { .. } => "min_display",
            Self::Prompt { .. } => "prompt",
            Self::WithParent { .. } => "with_parent",
            Self::LongTerm => "long_term",
            Self::OnChange { .. } => "on_change",
        }
    }

    /// What is wrong with it, where it names a day or an hour that there is not: what was found, and what would be accepted.
    pub fn fault(&self) -> Option<(String, &'static str)> {
        match self {
            // A leap year, so that the 29th of February is a day.
            Self::ByDate { month, day, .. } if chrono::NaiveDate::from_ymd_opt(2020, *month, *day).is_none() => {
                Some((format!("{month}-{day}"), "a day of the year"))
            }
            Self::Recurring { hour: Some(hour), .. } if *hour > 24 => Some((hour.to_string(), "an hour of the day")),
            _ => None,
        }
    }

    /// The event that it counts from, where it counts from one.
    pub fn anchor(&self) -> Option<Anchor> {
        match self {
            Self::Within { anchor, .. } | Self::Prompt { anchor, .. } => Some(*anchor),
            Self::OnChange { .. } => Some(Anchor::FormedOrChanged),
            _ => None,
        }
    }

    /// How often its periods come round, where it has periods.
    pub fn frequency(&self) -> Option<Frequency> {
        match self {
            Self::Recurring { freq, .. } => Some(*freq),
            Self::ByDate { year: None, .. } => Some(Frequency::Yearly),
            Self::Realtime { .. } => Some(Frequency::Hourly),
            _ => None,
        }
    }
}
