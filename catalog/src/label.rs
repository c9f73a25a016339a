//! Names for readers, in both languages of the portal.

use serde::{Deserialize, Serialize};

/// A Chinese text with its English counterpart. Both are required: a table without a Chinese label does not load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// Chinese text, the official wording where one exists.
    pub zh: String,
    /// English text.
    pub en: String,
}
