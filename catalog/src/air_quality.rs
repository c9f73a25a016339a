//! Individual air quality indices (IAQI) by HJ 633, in exact arithmetic.
//!
//! `IAQI = (IAQI_Hi − IAQI_Lo) / (BP_Hi − BP_Lo) × (C − BP_Lo) + IAQI_Lo`, rounded up to the next whole number. The concentration is
//! rounded first to the decimals that it is printed with, five to even (GB/T 8170). Binary floating point is one too high at
//! 23 points of the table (CO 2.2 mg/m³ is 55, not 56), so that all of it is done with whole numbers here.
//!
//! The edition is chosen by the date of the data, never by that of the computation.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::{CatalogError, Exact, List};

/// A pollutant's break points for one averaging period.
#[derive(Debug, Clone, Default)]
struct Points {
    /// Concentration in thousandths of the unit, and the index there, in rising order.
    points: Vec<(i128, i128)>,
    /// The index above the last point; none where this period has none there.
    above: Option<i128>,
}

/// The edition that holds for data of a span of dates.
#[derive(Debug)]
struct Edition {
    name: String,
    valid_from: NaiveDate,
    valid_to: Option<NaiveDate>,
    /// By pollutant, then by averaging period.
    columns: BTreeMap<String, BTreeMap<String, Points>>,
}

/// The break points of every edition.
#[derive(Debug, Default)]
pub struct AirQuality {
    editions: Vec<Edition>,
}

/// How an index that is no whole number becomes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// Up, as HJ 633 says.
    Up,
    /// To the nearest, half up: what many pages of hourly values print.
    Nearest,
}

/// Digits after the point of a break point.
const SCALE: u8 = 3;

fn thousandths(text: Option<&str>) -> Option<i128> {
    Some(text?.parse::<Exact>().ok()?.rescale(SCALE)?.digits())
}

impl AirQuality {
    /// Reads list `breakpoint`; without it no index is known.
    pub(crate) fn load(lists: &BTreeMap<String, List>) -> Result<Self, CatalogError> {
        let Some(list) = lists.get("breakpoint") else {
            return Ok(Self::default());
        };
        let editions = list.values("standard_version")?.zip(list.values("valid_from")?).zip(list.values("valid_to")?);
        let columns = list.values("pollutant")?.zip(list.values("period")?);
        let points = list.values("concentration")?.zip(list.values("iaqi")?).zip(list.values("iaqi_above")?);
        let mut found: Vec<Edition> = Vec::new();
        for ((edition, column), ((concentration, iaqi), above)) in editions.zip(columns).zip(points) {
            let ((Some(name), from), to) = edition else { continue };
            let (Some(pollutant), Some(period)) = column else { continue };
            let day = |text: Option<&str>| text.and_then(|text| text.parse::<NaiveDate>().ok());
            let (Some(valid_from), Some(concentration)) = (day(from), thousandths(concentration)) else { continue };
            let Some(iaqi) = iaqi.and_then(|text| text.parse::<i128>().ok()) else { continue };
            let at = found.iter().position(|edition| edition.name == name).unwrap_or_else(|| {
                found.push(Edition { name: name.into(), valid_from, valid_to: day(to), columns: BTreeMap::new() });
                found.len() - 1
            });
            let periods = found[at].columns.entry(pollutant.to_owned()).or_default();
            let points = periods.entry(period.to_owned()).or_default();
            points.points.push((concentration, iaqi));
            points.above = points.above.or(above.and_then(|text| text.parse().ok()));
        }
        for edition in &mut found {
            edition
                .columns
                .values_mut()
                .flat_map(BTreeMap::values_mut)
                .for_each(|points| points.points.sort_unstable());
        }
        Ok(Self { editions: found })
    }

    /// Name of the edition that holds for data of a date.
    pub fn edition(&self, date: NaiveDate) -> Option<&str> {
        self.edition_on(date).map(|edition| edition.name.as_str())
    }

    fn edition_on(&self, date: NaiveDate) -> Option<&Edition> {
        let holds = |edition: &&Edition| edition.valid_from <= date && edition.valid_to.is_none_or(|end| date < end);
        self.editions.iter().find(holds)
    }

    /// The index of a concentration: µg/m³, of `CO` mg/m³.
    ///
    /// `period` is `1h`, `8h` or `24h`. None for a pollutant or period without an index, for negative values, and where the
    /// period has no index so high: sulphur dioxide above 800 in an hour takes that of the day.
    pub fn iaqi(
        &self,
        pollutant: &str,
        period: &str,
        value: Exact,
        date: NaiveDate,
        rounding: Rounding,
    ) -> Option<i32> {
        self.edition_on(date)?.columns.get(pollutant)?.get(period)?.index(rounded(pollutant, period, value)?, rounding)
    }
}

/// The concentration in thousandths, rounded to what its pollutant is printed with: pages print hours of CO with two decimals, and
/// means of it with one.
fn rounded(pollutant: &str, period: &str, value: Exact) -> Option<i128> {
    let decimals = match (pollutant, period) {
        ("CO", "1h") => 2,
        ("CO", _) => 1,
        _ => 0,
    };
    let digits = half_even(value, decimals)?;
    Some(digits * 10_i128.pow(u32::from(SCALE - decimals)))
}

/// Digits at fewer decimals, five to even.
fn half_even(value: Exact, decimals: u8) -> Option<i128> {
    if value.scale() <= decimals {
        return Some(value.rescale(decimals)?.digits());
    }
    let divisor = *crate::exact::POWERS.get(usize::from(value.scale() - decimals))?;
    let (quotient, rest) = (value.digits().div_euclid(divisor), value.digits().rem_euclid(divisor));
    let up = match (rest * 2).cmp(&divisor) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => quotient % 2 != 0,
    };
    Some(quotient + i128::from(up))
}

impl Points {
    fn index(&self, concentration: i128, rounding: Rounding) -> Option<i32> {
        if concentration < 0 {
            return None;
        }
        let after = self.points.partition_point(|(point, _)| *point < concentration);
        let index = match (after.checked_sub(1).map(|below| self.points[below]), self.points.get(after)) {
            (_, Some((point, index))) if *point == concentration => *index,
            (Some((low, index_low)), Some((high, index_high))) => {
                let (rise, run) = ((index_high - index_low) * (concentration - low), high - low);
                let is_up = match rounding {
                    Rounding::Up => rise.rem_euclid(run) != 0,
                    Rounding::Nearest => rise.rem_euclid(run) * 2 >= run,
                };
                index_low + rise.div_euclid(run) + i128::from(is_up)
            }
            (Some(_), None) => self.above?,
            (None, _) => return None,
        };
        i32::try_from(index).ok()
    }
}

/// Level of an AQI: 1 (excellent) to 6 (severely polluted); none below 0.
pub fn level(aqi: i64) -> Option<i32> {
    match aqi {
        ..0 => None,
        0..=50 => Some(1),
        51..=100 => Some(2),
        101..=150 => Some(3),
        151..=200 => Some(4),
        201..=300 => Some(5),
        301.. => Some(6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_goes_to_even() {
        let rounded = |text: &str, decimals| half_even(text.parse().expect("a number"), decimals);
        assert_eq!(rounded("60.5", 0), Some(60));
        assert_eq!(rounded("61.5", 0), Some(62));
        assert_eq!(rounded("60.6", 0), Some(61));
        assert_eq!(rounded("0.25", 1), Some(2));
        assert_eq!(rounded("0.251", 1), Some(3));
        assert_eq!(rounded("7", 1), Some(70));
    }

    #[test]
    fn levels_begin_where_the_standard_says() {
        let levels: Vec<_> = [0, 50, 51, 100, 101, 150, 151, 200, 201, 300, 301, 500].map(level).to_vec();
        assert_eq!(levels.into_iter().flatten().collect::<Vec<_>>(), [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]);
        assert_eq!(level(-1), None);
    }
}
