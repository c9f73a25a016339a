//! Numbers that a workbook shows in per cent, as they are shown.
//!
//! A cell holds 0.04 and shows `4.00%`: what a reader sees, and a department means, is the second. The point moves by two places in
//! the digits of the cell, so that nothing is rounded: a cell that shows `4%` of 0.0425 is the text `4.25%`. Decimals that the format
//! fixes are kept as zeros. Formats that are no plain per cent are left alone.

use std::collections::BTreeMap;

use super::{CellKind, Grid};

/// Decimals of the cells that are shown in per cent, by row and column from 1.
pub(super) type Percents = BTreeMap<(u32, u32), u8>;

/// Decimals of the formats of numbers that show per cent, by the format's number.
#[derive(Debug)]
pub(super) struct PercentFormats(BTreeMap<u32, u8>);

impl Default for PercentFormats {
    /// The two that need no declaration: `0%` and `0.00%`, ECMA-376 part 1, 18.8.30.
    fn default() -> Self {
        Self(BTreeMap::from([(9, 0), (10, 2)]))
    }
}

impl PercentFormats {
    /// Takes a declared format into account.
    pub fn declare(&mut self, number: u32, code: &str) {
        match decimals(code) {
            Some(decimals) => self.0.insert(number, decimals),
            None => self.0.remove(&number),
        };
    }

    /// Decimals of a format, where it shows per cent.
    pub fn decimals(&self, number: u32) -> Option<u8> {
        self.0.get(&number).copied()
    }
}

/// Turns the numbers of these cells into the texts that are shown.
pub(super) fn show(grid: &mut Grid, percents: &Percents) {
    if percents.is_empty() {
        return;
    }
    for cell in grid.cells.iter_mut().filter(|cell| cell.kind == CellKind::Number) {
        let decimals = percents.get(&(cell.row, cell.column));
        if let Some(shown) = decimals.and_then(|decimals| in_percent(&cell.text, *decimals)) {
            cell.text = shown.into();
        }
    }
}

/// The decimals that a format fixes, where it shows per cent: of `0.0%;[Red]-0.0%` one.
fn decimals(code: &str) -> Option<u8> {
    let (mut percents, mut decimals, mut is_fraction) = (0, 0_u8, false);
    let mut characters = code.chars();
    while let Some(character) = characters.next() {
        match character {
            ';' => break,
            // What stands in quotes or brackets, and the one character after these signs, is no part of the number.
            '"' => while characters.next().is_some_and(|quoted| quoted != '"') {},
            '[' => while characters.next().is_some_and(|inner| inner != ']') {},
            '\\' | '_' | '*' => {
                characters.next();
            }
            '%' => percents += 1,
            '.' => is_fraction = true,
            '0' if is_fraction => decimals = decimals.saturating_add(1),
            // Scientific notation, fractions and dates.
            'E' | 'e' | '/' | 'y' | 'm' | 'd' | 'h' | 's' => return None,
            _ => {}
        }
    }
    (percents == 1).then_some(decimals)
}

/// A plain decimal number in per cent, with at least so many decimals; `None` where it is none.
fn in_percent(number: &str, decimals: u8) -> Option<String> {
    let (sign, digits) = number.strip_prefix('-').map_or(("", number), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let fraction = format!("{fraction:0<2}");
    let (moved, rest) = fraction.split_at(2);
    let whole = format!("{whole}{moved}");
    let whole = Some(whole.trim_start_matches('0')).filter(|whole| !whole.is_empty()).unwrap_or("0");
    let rest = format!("{:0<width$}", rest.trim_end_matches('0'), width = usize::from(decimals));
    let point = if rest.is_empty() { "" } else { "." };
    Some(format!("{sign}{whole}{point}{rest}%"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_point_moves_by_two_places_and_nothing_is_rounded() {
        for (number, decimals, shown) in [
            ("0.04", 2, "4.00%"),
            ("0.04", 0, "4%"),
            ("0.0425", 0, "4.25%"),
            ("1.5", 1, "150.0%"),
            ("-0.033087", 1, "-3.3087%"),
            ("0", 1, "0.0%"),
            ("1936", 0, "193600%"),
            ("0.1530736", 1, "15.30736%"),
            ("12345678901234567890.5", 0, "1234567890123456789050%"),
        ] {
            assert_eq!(in_percent(number, decimals).as_deref(), Some(shown), "{number}");
        }
        for text in ["", "-", "1e-7", "x", ".5", "1.2.3"] {
            assert_eq!(in_percent(text, 2), None, "{text}");
        }
    }

    #[test]
    fn formats_in_per_cent_are_told_from_others() {
        for (code, expected) in [
            ("0%", Some(0)),
            ("0.00%", Some(2)),
            ("#,##0.0%;[Red]-#,##0.0%", Some(1)),
            ("0.0#%", Some(1)),
            ("_ * 0.00%_ ", Some(2)),
            ("0.00", None),
            ("0.00\"%\"", None),
            ("0.00\\%", None),
            ("General;0%", None),
            ("0%%", None),
            ("0.0E+0%", None),
        ] {
            assert_eq!(decimals(code), expected, "{code}");
        }
    }
}
