//! The number in a cell, exactly.
//!
//! Full-width digits and signs are read as their plain forms, and commas between groups of three digits are
//! left out. Nothing else is repaired: exponents, letters, percent signs and stray commas are no numbers. Only the number of
//! a workbook's cell that is shown in per cent has its sign.

use gongkai_catalog::Exact;
use gongkai_catalog::exact::NotExact;

use super::text::trimmed;
use crate::reader::{CellKind, Grid, Row};

/// Places that the point moves between a share and its per cent.
const PERCENT_PLACES: u8 = 2;

/// Reads the number of a workbook's cell that may be shown in per cent: `4.00%` is 4.00 where its column is in per cent, and the
/// 0.04 that the cell holds where not.
pub(crate) fn parse_shown(text: &str, is_in_percent: bool) -> Result<Exact, NotExact> {
    let text = trimmed(text);
    let Some(shown) = text.strip_suffix('%') else { return parse_number(text) };
    let shown = parse_number(shown)?;
    if is_in_percent {
        return Ok(shown);
    }
    let scale = shown.scale().checked_add(PERCENT_PLACES).ok_or(NotExact::TooLong)?;
    Ok(Exact::new(shown.digits(), scale).trimmed())
}

/// Whether a cell of a row holds a number.
pub(crate) fn holds_number(grid: &Grid, row: &Row, column: u32) -> bool {
    let is_number = |kind: CellKind, text: &str| {
        parse_number(text).is_ok() || kind == CellKind::Number && parse_shown(text, true).is_ok()
    };
    grid.cell(row, column).is_some_and(|cell| is_number(cell.kind, &cell.text))
}

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
    fn a_cell_in_per_cent_is_what_it_shows_or_what_it_holds() {
        let read = |text: &str, is_in_percent| parse_shown(text, is_in_percent).map(|number| number.to_string());
        assert_eq!(read("4.00%", true), Ok("4.00".to_owned()));
        assert_eq!(read("4.00%", false), Ok("0.04".to_owned()));
        assert_eq!(read("-193600%", false), Ok("-1936".to_owned()));
        assert_eq!(read("0.04", true), Ok("0.04".to_owned()));
        assert!(read("4%%", true).is_err() && read("%", false).is_err());
    }

    #[test]
    fn what_is_no_plain_number_is_refused() {
        for text in ["", "1e3", "12,34", "1,2345", "3.7O", "50%", "1.2.3", "NaN", "-", "1,234,"] {
            assert!(parse_number(text).is_err(), "{text}");
        }
    }
}
