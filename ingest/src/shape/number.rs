//! The number in a cell, exactly.
//!
//! Full-width digits and signs are read as their plain forms, and commas between groups of three digits are
//! left out. Nothing else is repaired: exponents, letters, percent signs and stray commas are no numbers.

use gongkai_catalog::Exact;
use gongkai_catalog::exact::NotExact;

use super::text::trimmed;

/// Reads the number of a cell.
pub(crate) fn parse_number(text: &str) -> Result<Exact, NotExact> {
    let text = trimmed(text);
    if let Ok(number) = text.parse() {
        return Ok(number);
    }
    let plain: String = text.chars().map(plain_form).collect();
    if plain.contains(',') { without_groups(&plain).ok_or(NotExact::Character)?.parse() } else { plain.parse() }
}

fn plain_form(character: char) -> char {
    match character {
        '０'..='９' => char::from_u32(character as u32 - '０' as u32 + '0' as u32).unwrap_or(character),
        '．' => '.',
        '，' => ',',
        '－' | '−' => '-',
        '＋' => '+',
        other => other,
    }
}

/// `1,234.5` without its commas; `None` where they do not part groups of three.
fn without_groups(text: &str) -> Option<String> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut groups = whole.trim_start_matches(['-', '+']).split(',');
    let first = groups.next()?;
    let is_grouped = (1..=3).contains(&first.len()) && groups.all(|group| group.len() == 3) && !fraction.contains(',');
    is_grouped.then(|| text.replace(',', ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_printed() {
        for (text, printed) in [
            ("37.0", "37.0"),
            (" 1.24 ", "1.24"),
            ("1,234,567.50", "1234567.50"),
            ("１２．５", "12.5"),
            ("−3", "-3"),
            ("-1,234", "-1234"),
        ] {
            assert_eq!(parse_number(text).expect("a number").to_string(), printed, "{text}");
        }
    }

    #[test]
    fn what_is_no_plain_number_is_refused() {
        for text in ["", "1e3", "12,34", "1,2345", "3.7O", "50%", "1.2.3", "NaN", "-", "1,234,"] {
            assert!(parse_number(text).is_err(), "{text}");
        }
    }
}
