//! What an administrator asks for when a key is made.

use chrono::{DateTime, Utc};
use gongkai_catalog::RegionList;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{AccessError, Role};

/// Longest name of a holder.
const HOLDER_CHARS: usize = 100;
/// Longest name of a group.
const GROUP_CHARS: usize = 64;
/// Most regions, and most groups. A key's file is read at each request; a province has fewer counties.
const ENTRIES: usize = 500;

/// A key to be made.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKeyRequest {
    /// The office or person it is for, at most 100 characters. Holders are compared: who submits a release cannot
    /// approve it.
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = r"^[^\s\x00-\x1f\x7f-\x9f]+( [^\s\x00-\x1f\x7f-\x9f]+)*$",
        example = "市财政局"
    )]
    pub holder: String,
    /// What it may do. `public` is what callers without a key are.
    #[schema(value_type = String, pattern = "^(reader|publisher|approver|admin)$", example = "reader")]
    pub role: Role,
    /// Codes of the regions whose restricted datasets it reads.
    #[serde(default)]
    pub regions: Vec<String>,
    /// Groups whose restricted datasets it reads.
    #[serde(default)]
    pub groups: Vec<String>,
    /// First moment at which it is not valid any more; it does not expire where absent.
    pub expires_at: Option<DateTime<Utc>>,
}

impl NewKeyRequest {
    /// Refuses a region that no declaration knows: a slip in a code would be a key that opens less than was meant.
    pub fn check_regions(&self, known: &RegionList) -> Result<(), AccessError> {
        match self.regions.iter().find(|code| known.by_code(code.trim()).next().is_none()) {
            Some(code) => Err(refuse("region", quote(code), "the code of a declared region, such as 510400")),
            None => Ok(()),
        }
    }

    /// The request with its names in one form: a blank more or less does not make another holder.
    pub(super) fn checked(self, now: DateTime<Utc>) -> Result<Self, AccessError> {
        let holder = plain(&self.holder);
        if !is_name(&holder, HOLDER_CHARS) {
            let found = format!("{} characters", holder.chars().count());
            return Err(refuse("holder", found, "1 to 100 characters, none of them control characters"));
        }
        if self.role == Role::Public {
            return Err(refuse("role", "public".into(), "reader, publisher, approver or admin"));
        }
        if self.expires_at.is_some_and(|at| at <= now) {
            return Err(refuse("expires_at", "past".into(), "an instant to come"));
        }
        let (regions, groups) = (sorted(&self.regions), sorted(&self.groups));
        if regions.len() > ENTRIES || groups.len() > ENTRIES {
            let found = format!("{} and {} entries", regions.len(), groups.len());
            return Err(refuse("regions and groups", found, "at most 500 of each"));
        }
        if let Some(code) = regions.iter().find(|code| !is_region_code(code)) {
            return Err(refuse("region", quote(code), "a code of 6 digits, or 9 for townships"));
        }
        if let Some(group) = groups.iter().find(|group| !is_name(group, GROUP_CHARS)) {
            return Err(refuse("group", quote(group), "1 to 64 characters, none of them control characters"));
        }
        Ok(Self { holder, regions, groups, ..self })
    }
}

fn refuse(what: &'static str, found: String, expected: &'static str) -> AccessError {
    AccessError::Request { what, found, expected }
}

fn quote(text: &str) -> String {
    let text: String = text.chars().take(40).collect();
    format!("{text:?}")
}

/// Words with one blank between them.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn sorted(entries: &[String]) -> Vec<String> {
    let mut entries: Vec<String> = entries.iter().map(|entry| plain(entry)).collect();
    entries.sort();
    entries.dedup();
    entries
}

fn is_name(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

/// GB/T 2260 gives six digits; townships have nine.
fn is_region_code(text: &str) -> bool {
    matches!(text.len(), 6 | 9) && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_770_000_000, 0).expect("an instant")
    }

    fn request() -> NewKeyRequest {
        NewKeyRequest {
            holder: "市财政局".into(),
            role: Role::Publisher,
            regions: vec!["510411".into(), "510400".into(), "510411".into()],
            groups: Vec::new(),
            expires_at: None,
        }
    }

    #[test]
    fn names_come_out_in_one_form() {
        let asked =
            NewKeyRequest {
                holder: "  市财政局 \t 预算科 ".into(), groups: vec![" 扶贫办 ".into()], ..request()
            };
        let checked = asked.checked(now()).expect("in order");
        assert_eq!(checked.holder, "市财政局 预算科");
        assert_eq!(checked.regions, ["510400", "510411"]);
        assert_eq!(checked.groups, ["扶贫办"]);
    }

    #[test]
    fn what_cannot_be_a_key_is_refused_by_its_part() {
        let wrong = [
            ("holder", NewKeyRequest { holder: " \n ".into(), ..request() }),
            ("holder", NewKeyRequest { holder: "长".repeat(101), ..request() }),
            ("holder", NewKeyRequest { holder: "a\u{1b}[31m".into(), ..request() }),
            ("role", NewKeyRequest { role: Role::Public, ..request() }),
            ("expires_at", NewKeyRequest { expires_at: Some(now()), ..request() }),
            ("region", NewKeyRequest { regions: vec!["5104".into()], ..request() }),
            ("region", NewKeyRequest { regions: vec!["../../".into()], ..request() }),
            ("group", NewKeyRequest { groups: vec![String::new()], ..request() }),
            (
                "regions and groups",
                NewKeyRequest { groups: (0..501).map(|number| number.to_string()).collect(), ..request() },
            ),
        ];
        for (part, request) in wrong {
            let error = request.checked(now()).expect_err(part);
            assert!(matches!(error, AccessError::Request { what, .. } if what == part), "{part}: {error}");
            assert!(!error.to_string().contains('\u{1b}'), "{part}: {error:?}");
        }
    }

    #[test]
    fn a_member_that_nobody_knows_is_refused() {
        let text = r#"{"holder": "a", "role": "reader", "region": ["510400"]}"#;
        let error = serde_json::from_str::<NewKeyRequest>(text).expect_err("region is not a member").to_string();
        assert!(error.contains("region"), "{error}");
        let text = r#"{"holder": "a", "role": "reader"}"#;
        let request: NewKeyRequest = serde_json::from_str(text).expect("the least there can be");
        assert!(request.regions.is_empty() && request.expires_at.is_none());
    }
}
