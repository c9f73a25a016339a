//! Whether a quoted field of a text file is well formed.
//!
//! A CSV parser accepts an unclosed quote and swallows the lines after it; this module is why ours does not.

/// What the raw bytes of a field say of its quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quoting {
    /// The field does not begin with a quote.
    Plain,
    /// It begins and ends with one.
    Closed,
    /// It begins with one that is not closed.
    Open,
    /// It goes on after the closing quote.
    Stray,
}

/// Judges a field's bytes, without the delimiter or line end after it.
pub(super) fn judge(raw: &[u8]) -> Quoting {
    let Some(mut rest) = raw.strip_prefix(b"\"") else { return Quoting::Plain };
    loop {
        match rest.iter().position(|byte| *byte == b'"') {
            None => return Quoting::Open,
            Some(at) if rest.get(at + 1) == Some(&b'"') => rest = &rest[at + 2..],
            Some(at) => return if at + 1 == rest.len() { Quoting::Closed } else { Quoting::Stray },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_judged() {
        for (raw, quoting) in [
            ("a", Quoting::Plain),
            ("\"a\"", Quoting::Closed),
            ("\"a\"\"b\"", Quoting::Closed),
            ("\"\"", Quoting::Closed),
            ("\"a", Quoting::Open),
            ("\"a\"\"", Quoting::Open),
            ("\"a\"b", Quoting::Stray),
        ] {
            assert_eq!(judge(raw.as_bytes()), quoting, "{raw}");
        }
    }
}
