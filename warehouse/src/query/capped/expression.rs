//! What functions of regular expressions make, counted without making it.
//!
//! Expressions are read as the engine reads them: flags in front of the expression, without `g`, which says that every match
//! is meant. One that cannot be read counts nothing; the engine refuses it in its own words.

use regex::Regex;

/// The expression that was read last: mostly it is the same in every row.
#[derive(Debug, Default)]
pub(super) struct Expression {
    text: Option<String>,
    compiled: Option<Regex>,
}

impl Expression {
    fn read(&mut self, pattern: &str, flags: &str) -> Option<&Regex> {
        let flags = flags.replace('g', "");
        let text = if flags.is_empty() { pattern.to_owned() } else { format!("(?{flags}){pattern}") };
        if self.text.as_ref() != Some(&text) {
            self.compiled = Regex::new(&text).ok();
            self.text = Some(text);
        }
        self.compiled.as_ref()
    }

    /// Bytes of a text with something in the place of the first match, or with flag `g` of every match, at most.
    pub fn replaced(&mut self, text: &str, pattern: &str, replacement: &str, flags: &str) -> u64 {
        let Some(regex) = self.read(pattern, flags) else { return 0 };
        let (length, references) = (replacement.len() as u64, references(replacement.as_bytes()));
        let matches = if is_global(flags.as_bytes()) { usize::MAX } else { 1 };
        regex.find_iter(text).take(matches).fold(text.len() as u64, |bytes, found| {
            let found = found.len() as u64;
            // What is matched goes, and each reference brings back at most all of it.
            bytes.saturating_sub(found).saturating_add(length).saturating_add(references.saturating_mul(found))
        })
    }

    /// Bytes of the groups of the first match; of the match where there are no groups.
    pub fn groups(&mut self, text: &str, pattern: &str, flags: &str) -> u64 {
        let Some(captures) = self.read(pattern, flags).and_then(|regex| regex.captures(text)) else { return 0 };
        let skipped = usize::from(captures.len() > 1);
        captures.iter().skip(skipped).flatten().map(|group| group.len() as u64).sum()
    }
}

/// Whether every match is meant.
pub(super) fn is_global(flags: &[u8]) -> bool {
    flags.contains(&b'g')
}

/// The references to groups in a replacement, at most.
pub(super) fn references(replacement: &[u8]) -> u64 {
    replacement.iter().filter(|byte| matches!(byte, b'\\' | b'$')).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_replacing_matches_makes_is_counted() {
        let mut expression = Expression::default();
        assert_eq!(expression.replaced("a b  c", r"\s+", "--", "g"), 7, "a--b--c");
        assert_eq!(expression.replaced("a b  c", r"\s+", "--", ""), 7, "a--b  c");
        assert_eq!(expression.replaced("aaa", "", "xy", "g"), 3 + 4 * 2, "before each letter and at the end");
        assert_eq!(expression.replaced("ABAB", "b", "", "gi"), 2);
        assert_eq!(expression.replaced("ab", "(a)(b)", r"\2\1", "g"), 4 + 2 * 2, "references count the whole match");
        assert_eq!(expression.replaced("aaa", "[", "x", "g"), 0, "not readable");
    }

    #[test]
    fn what_groups_hold_is_counted() {
        let mut expression = Expression::default();
        assert_eq!(expression.groups("foobar", "((((o+))))", ""), 4 * 2);
        assert_eq!(expression.groups("foobar", "O+", "i"), 2);
        assert_eq!(expression.groups("foobar", "(x)|(bar)", ""), 3);
        assert_eq!(expression.groups("foobar", "x", ""), 0);
    }
}
