//! What checks leave behind.

use gongkai_catalog::Exact;
use serde::{Deserialize, Serialize};

use super::outcome::{Outcome, SCALE};

/// One tested identity that is not `PASS`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Id of the check.
    pub check: String,
    /// What it came to.
    pub outcome: Outcome,
    /// What was tested, unique within the check.
    pub scope_key: String,
    /// Dataset of the tested row.
    pub dataset: String,
    /// Release of the tested row.
    pub release_id: String,
    /// Partition of that release.
    pub partition: String,
    /// The tested row of the release, where the identity is about one.
    pub row_no: Option<u64>,
    /// Region that the figures describe.
    pub region_code: Option<String>,
    /// Left side.
    pub lhs: Option<String>,
    /// Right side.
    pub rhs: Option<String>,
    /// Left side less right side.
    pub diff: Option<String>,
    /// What the difference was held against.
    pub tolerance: Option<String>,
    /// Published addends.
    pub addends: u64,
    /// The finding in Chinese.
    pub message_zh: String,
    /// The finding in English.
    pub message_en: String,
}

/// How often a check came to what, over the rows of one dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckRun {
    /// Id of the check.
    pub check: String,
    /// Dataset of the tested rows.
    pub dataset: String,
    /// Release of the tested rows.
    pub release_id: String,
    /// What the identities came to.
    pub outcome: Outcome,
    /// How many.
    pub count: u64,
}

/// Everything that the checks of one state came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    /// What is not `PASS`, by check and scope.
    pub findings: Vec<Finding>,
    /// Counts of everything.
    pub runs: Vec<CheckRun>,
}

impl Findings {
    /// How many identities came to that.
    pub fn count(&self, outcome: Outcome) -> u64 {
        self.runs.iter().filter(|run| run.outcome == outcome).map(|run| run.count).sum()
    }
}

/// An amount as it is kept: without the zeros that nobody printed.
pub(super) fn shown(digits: i128) -> String {
    Exact::new(digits, SCALE).trimmed().to_string()
}

/// An amount for readers, its digits in groups of three.
pub(super) fn grouped(digits: i128) -> String {
    let plain = shown(digits);
    let (sign, unsigned) = plain.strip_prefix('-').map_or(("", plain.as_str()), |rest| ("-", rest));
    let whole = unsigned.find('.').unwrap_or(unsigned.len());
    let mut text = String::from(sign);
    for (index, digit) in unsigned[..whole].chars().enumerate() {
        if index > 0 && (whole - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text + &unsigned[whole..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_lose_the_zeros_that_nobody_printed_and_are_grouped_for_readers() {
        assert_eq!((shown(1_500_000_000), grouped(1_500_000_000)), ("1500".into(), "1,500".into()));
        assert_eq!(grouped(-1_212_699_203_443_450_000), "-1,212,699,203,443.45");
        assert_eq!(grouped(999_000_000), "999");
    }
}
