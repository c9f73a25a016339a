//! What a tested identity comes to: one rule for every check.
//!
//! A published figure of step `u` stands for anything within half a step of it. An identity of `n` published
//! addends and a published total can therefore be off by `0.5·u·(n+1)` without anybody being wrong: that is a
//! rounding difference (尾差), reported and not blamed. Beyond it, the check's severity holds.

use serde::{Deserialize, Serialize};

/// Decimals of the amounts that checks compare.
pub const SCALE: u8 = 6;

/// What a tested identity came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Outcome {
    /// It holds.
    Pass,
    /// It cannot be tested: something that it needs is not there.
    Skip,
    /// Something to know.
    Info,
    /// Off by no more than rounding explains.
    WarnRounding,
    /// Off, and to be looked at.
    Warn,
    /// Off, and wrong.
    Error,
}

impl Outcome {
    /// Its name in headers, tables and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Skip => "SKIP",
            Self::Info => "INFO",
            Self::WarnRounding => "WARN_ROUNDING",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }
}

/// How the two sides stand to each other when the identity holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// The left side equals the right side.
    Equal,
    /// The left side is at most the right side.
    AtMost,
}

/// How much the sides may differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tolerance {
    /// Not at all.
    None,
    /// As much as rounding of the published figures explains.
    Rounding,
}

/// One tested identity; amounts are digits at [`SCALE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// Left side; none where it is not there.
    pub lhs: Option<i128>,
    /// Right side.
    pub rhs: Option<i128>,
    /// Published addends.
    pub addends: i128,
    /// Addends that are not there.
    pub missing: i128,
    /// Step of the published figures.
    pub step: Option<i128>,
}

/// The outcome with the numbers that explain it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judged {
    /// The outcome.
    pub outcome: Outcome,
    /// Left side less right side; none where one is not there.
    pub diff: Option<i128>,
    /// What the difference was held against.
    pub tolerance: Option<i128>,
}

/// Judges an identity. `severity` holds where it is off beyond the tolerance.
pub fn judge(identity: &Identity, relation: Relation, tolerance: Tolerance, severity: Outcome) -> Judged {
    let (Some(lhs), Some(rhs), 0) = (identity.lhs, identity.rhs, identity.missing) else {
        return Judged { outcome: Outcome::Skip, diff: None, tolerance: None };
    };
    let diff = lhs - rhs;
    let off = match relation {
        Relation::Equal => diff.abs(),
        Relation::AtMost => diff.max(0),
    };
    let allowed = match tolerance {
        Tolerance::None => 0,
        Tolerance::Rounding => identity.step.unwrap_or(0) * (identity.addends + 1) / 2,
    };
    let outcome = match off {
        0 => Outcome::Pass,
        off if off <= allowed => Outcome::WarnRounding,
        _ => severity,
    };
    Judged { outcome, diff: Some(diff), tolerance: Some(allowed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: i128 = 1_000_000;

    fn sum(total: i128, parts: &[i128], step: i128) -> Identity {
        Identity {
            lhs: Some(total * ONE),
            rhs: Some(parts.iter().sum::<i128>() * ONE),
            addends: parts.len() as i128,
            missing: 0,
            step: Some(step * ONE),
        }
    }

    fn judged(identity: &Identity) -> Judged {
        judge(identity, Relation::Equal, Tolerance::Rounding, Outcome::Error)
    }

    #[test]
    fn three_rounded_parts_may_be_two_steps_off() {
        // Vector V23: parent 100, children 33, 33, 33: difference 1, tolerance 0.5·1·4 = 2.
        let rounding = judged(&sum(100, &[33, 33, 33], 1));
        assert_eq!(
            (rounding.outcome, rounding.diff, rounding.tolerance),
            (Outcome::WarnRounding, Some(ONE), Some(2 * ONE))
        );
        // Children 30, 30, 30: difference 10.
        assert_eq!(judged(&sum(100, &[30, 30, 30], 1)).outcome, Outcome::Error);
        assert_eq!(judged(&sum(100, &[33, 33, 34], 1)).outcome, Outcome::Pass);
    }

    #[test]
    fn published_balances_add_up() {
        // Vectors V10 and V12, in 0.01 of their unit.
        assert_eq!(judged(&sum(1425, &[963, 462], 1)).outcome, Outcome::Pass);
        assert_eq!(judged(&sum(220_923, &[119_397, 101_526], 1)).outcome, Outcome::Pass);
    }

    #[test]
    fn what_lacks_an_addend_is_never_passed() {
        let mut identity = sum(100, &[100], 1);
        identity.missing = 1;
        assert_eq!(judged(&identity).outcome, Outcome::Skip);
        assert_eq!(judged(&Identity { rhs: None, missing: 0, ..identity }).outcome, Outcome::Skip);
    }

    #[test]
    fn a_bound_is_broken_on_one_side_only() {
        let at_most = |identity: &Identity| judge(identity, Relation::AtMost, Tolerance::None, Outcome::Error).outcome;
        assert_eq!(at_most(&sum(90, &[100], 1)), Outcome::Pass);
        assert_eq!(at_most(&sum(100, &[100], 1)), Outcome::Pass);
        assert_eq!(at_most(&sum(101, &[100], 1)), Outcome::Error);
    }
}
