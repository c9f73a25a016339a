//! What a release is to the one before it.

/// The kinds of releases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The first of its dataset.
    Initial,
    /// A new partition.
    Update,
    /// Figures of a partition changed.
    Correction,
    /// Sources were added and no figure changed.
    Supplement,
    /// The rows are the same; what is said about them changed.
    Clarification,
    /// It takes releases back and has no rows.
    Withdrawal,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Initial, Self::Update, Self::Correction, Self::Supplement, Self::Clarification, Self::Withdrawal];

    /// Its name in manifests, SQL and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Initial => "initial",
            Self::Update => "update",
            Self::Correction => "correction",
            Self::Supplement => "supplement",
            Self::Clarification => "clarification",
            Self::Withdrawal => "withdrawal",
        }
    }
}
