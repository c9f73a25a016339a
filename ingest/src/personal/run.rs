//! Runs of digits in a text: folded to ASCII, with what stands around them.

/// A run of digits that is no part of a longer token, decimal number or quantity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    /// Its digits; an identity number's X is the last.
    pub digits: Vec<u8>,
    /// First character in the folded text.
    pub start: usize,
    /// Character behind it in the folded text.
    pub end: usize,
    /// Whether what stands before and behind it lets it be a number of its own.
    pub is_free: bool,
    /// Whether a unit follows: it is a quantity.
    pub has_unit: bool,
    /// Whether it is part of a web address.
    pub is_in_address: bool,
}

/// Whether a text can hold a number of a person at all: ten digits, or the notation that eats digits.
///
/// It is asked of every cell of every file, so that it looks at bytes only.
pub(super) fn may_hold_number(text: &str) -> bool {
    const SHORTEST: usize = 8;
    if text.len() < SHORTEST {
        return false;
    }
    let (mut digits, mut has_exponent, mut last_is_wide) = (0, false, 0_u8);
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' => digits += 1,
            b'E' | b'e' => has_exponent |= digits > 1,
            // U+FF10 to U+FF19 are EF BC 90 to EF BC 99.
            0xEF => last_is_wide = 1,
            0xBC if last_is_wide == 1 => last_is_wide = 2,
            0x90..=0x99 if last_is_wide == 2 => {
                digits += 1;
                last_is_wide = 0;
            }
            _ => last_is_wide = 0,
        }
    }
    digits >= 10 || (has_exponent && digits >= 6)
}

/// The text with full-width forms as ASCII, blanks and dashes of every kind as one, and invisible characters gone.
pub(super) fn fold(text: &str) -> Vec<char> {
    text.chars()
        .filter(|character| !matches!(character, '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}' | '\u{00AD}'))
        .map(|character| match character {
            '\u{FF01}'..='\u{FF5E}' => char::from_u32(character as u32 - 0xFEE0).unwrap_or(character),
            '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
            blank if blank.is_whitespace() => ' ',
            other => other,
        })
        .collect()
}

/// Every run of digits of a folded text.
pub(super) fn runs(text: &[char]) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut at = 0;
    while at < text.len() {
        if !text[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let start = at;
        while at < text.len() && text[at].is_ascii_digit() {
            at += 1;
        }
        let mut digits: Vec<u8> = text[start..at].iter().map(|digit| *digit as u8).collect();
        let is_word = |index: usize| text.get(index).is_some_and(char::is_ascii_alphanumeric);
        if matches!(text.get(at), Some('X' | 'x')) && !is_word(at + 1) {
            digits.push(b'X');
            at += 1;
        }
        let before = start.checked_sub(1).map(|index| text[index]);
        let is_fraction = before == Some('.') && start > 1 && text[start - 2].is_ascii_digit();
        let is_free = !before.is_some_and(|character| character.is_ascii_alphanumeric())
            && !is_fraction
            && !is_word(at)
            && !has_fraction(text, at);
        runs.push(Run {
            digits,
            start,
            end: at,
            is_free,
            has_unit: matches!(text.get(at), Some('元' | '万' | '亿' | '吨' | '股' | '%')),
            is_in_address: is_in_address(text, start),
        });
    }
    runs
}

/// Whether decimals follow; `.0` is what a spreadsheet library adds to a number that it took for a figure.
fn has_fraction(text: &[char], end: usize) -> bool {
    if text.get(end) != Some(&'.') {
        return false;
    }
    let decimals: Vec<char> = text[end + 1..].iter().copied().take_while(char::is_ascii_digit).collect();
    !decimals.is_empty() && decimals.iter().any(|digit| *digit != '0')
}

fn is_in_address(text: &[char], start: usize) -> bool {
    let token: String = text[..start].iter().rev().take_while(|character| character.is_ascii_graphic()).collect();
    // Read backwards.
    token.contains("//:") || token.contains(".www")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn free(text: &str) -> Vec<String> {
        let folded = fold(text);
        let runs = runs(&folded).into_iter().filter(|run| run.is_free);
        runs.map(|run| String::from_utf8(run.digits).expect("is there")).collect()
    }

    #[test]
    fn only_numbers_of_their_own_are_free() {
        assert_eq!(free("户主张三丰13800138000，"), ["13800138000"]);
        assert_eq!(free("１３８００１３８０００"), ["13800138000"]);
        assert_eq!(free("13800138000.0"), ["13800138000"]);
        assert!(free("P13800138000").is_empty() && free("13800138000.5").is_empty());
        assert!(free("91350100M000100Y43").is_empty());
        assert_eq!(free("11010519491231002x)"), ["11010519491231002X"]);
    }

    #[test]
    fn short_texts_are_passed_over_and_numbers_are_not() {
        assert!(!may_hold_number("12317") && !may_hold_number("1202.35") && !may_hold_number("2019-02-01"));
        assert!(may_hold_number("13800138000") && may_hold_number("１３８００１３８０００"));
        assert!(may_hold_number("1.10105E+17"));
    }
}
