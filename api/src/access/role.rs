//! What a caller may do.
//!
//! Roles are ordered by trust, and the order decides nothing: an approver may not submit, so that one key never takes
//! a figure through both steps. Ask the questions below, never whether one role is above another.

use std::fmt;
use std::str::FromStr;

use clap::ValueEnum;
use gongkai_warehouse::query;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Role of a caller.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema, ValueEnum,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// No key: what everybody sees.
    #[default]
    #[value(skip)]
    Public,
    /// Reads restricted datasets of its regions and groups.
    Reader,
    /// Submits drafts of releases.
    Publisher,
    /// Approves the drafts of others.
    Approver,
    /// Everything, keys among it.
    Admin,
}

/// No role has the name.
#[derive(Debug, thiserror::Error)]
#[error("no role {found:?}; roles are public, reader, publisher, approver, admin")]
pub struct UnknownRole {
    /// What was found, at most its first 40 characters.
    pub found: String,
}

impl Role {
    /// Every role, the least trusted first.
    pub const ALL: [Self; 5] = [Self::Public, Self::Reader, Self::Publisher, Self::Approver, Self::Admin];

    /// Its name in commands, files and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Reader => "reader",
            Self::Publisher => "publisher",
            Self::Approver => "approver",
            Self::Admin => "admin",
        }
    }

    /// Whether it may make drafts and submit them.
    pub fn may_submit(self) -> bool {
        matches!(self, Self::Publisher | Self::Admin)
    }

    /// Whether it may approve what somebody else submitted, or reject it.
    pub fn may_approve(self) -> bool {
        matches!(self, Self::Approver | Self::Admin)
    }

    /// Whether it may make and revoke keys.
    pub fn may_administer(self) -> bool {
        self == Self::Admin
    }

    /// Whether schema `staging` and drafts exist for it.
    pub fn may_read_staging(self) -> bool {
        matches!(self, Self::Publisher | Self::Approver | Self::Admin)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let role = Self::ALL.into_iter().find(|role| role.name() == text);
        role.ok_or_else(|| UnknownRole { found: text.chars().take(40).collect() })
    }
}

impl From<Role> for query::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Public => Self::Public,
            Role::Reader => Self::Reader,
            Role::Publisher => Self::Publisher,
            Role::Approver => Self::Approver,
            Role::Admin => Self::Admin,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_do_its_own_part_and_no_more() {
        // submit, approve, administer, read staging
        let expected = [
            (Role::Public, [false, false, false, false]),
            (Role::Reader, [false, false, false, false]),
            (Role::Publisher, [true, false, false, true]),
            (Role::Approver, [false, true, false, true]),
            (Role::Admin, [true, true, true, true]),
        ];
        for (role, may) in expected {
            let found = [role.may_submit(), role.may_approve(), role.may_administer(), role.may_read_staging()];
            assert_eq!(found, may, "{role}");
            assert_eq!(query::Role::from(role).sees_staging(), role.may_read_staging(), "{role}");
        }
    }

    #[test]
    fn a_role_has_one_name_everywhere() {
        for role in Role::ALL {
            assert_eq!(role.name().parse::<Role>().expect("its own name"), role);
            assert_eq!(serde_json::to_value(role).expect("json"), role.name());
            let offered = role.to_possible_value().map(|value| value.get_name().to_owned());
            assert_eq!(offered.as_deref(), (role != Role::Public).then_some(role.name()));
        }
        let error = "root".parse::<Role>().expect_err("no role").to_string();
        assert!(error.contains("root") && error.contains("publisher"), "{error}");
    }
}
