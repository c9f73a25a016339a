//! Exact decimal numbers, from the digits of a cell to the stored figure.
//!
//! A figure keeps the digits that were printed: `1.20` has two decimals and `1.2` has one, although they
//! compare equal. Nothing here rounds unless [`Exact::rescale`] is asked to, and that says whether it did.
//! Numbers that do not fit 38 digits are refused, never approximated.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// `digits / 10^scale`, with at most 38 digits.
#[derive(Debug, Clone, Copy)]
pub struct Exact {
    digits: i128,
    scale: u8,
}

/// Powers of ten by their exponent, up to the digits that a decimal holds.
pub const POWERS: [i128; 39] = {
    let mut powers = [1; 39];
    let mut exponent = 1;
    while exponent < powers.len() {
        powers[exponent] = powers[exponent - 1] * 10;
        exponent += 1;
    }
    powers
};

/// Largest magnitude a 38-digit decimal can hold.
const LIMIT: i128 = 10_i128.pow(38) - 1;

/// Why a text is not an exact number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotExact {
    /// Nothing but an optional sign.
    #[error("a number with digits")]
    Empty,
    /// A character that no plain decimal has.
    #[error("a plain decimal number (digits, one point, an optional sign)")]
    Character,
    /// More digits than a decimal of 38 holds.
    #[error("a number of at most 38 digits")]
    TooLong,
}

/// What became of the digits when a number was brought to a fixed scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rescaled {
    /// Every digit is kept.
    Exact(i128),
    /// Digits beyond the scale were rounded, half away from zero.
    Rounded(i128),
}

impl Rescaled {
    /// The digits at the new scale.
    pub fn digits(self) -> i128 {
        match self {
            Self::Exact(digits) | Self::Rounded(digits) => digits,
        }
    }
}

impl Exact {
    /// `digits / 10^scale`.
    pub fn new(digits: i128, scale: u8) -> Self {
        Self { digits, scale }
    }

    /// All digits, without the point.
    pub fn digits(self) -> i128 {
        self.digits
    }

    /// Digits after the point, as printed.
    pub fn scale(self) -> u8 {
        self.scale
    }

    /// The shortest digits that read back as the same double: the number a spreadsheet cell shows.
    ///
    /// Workbooks store doubles, so `4120.5977000000003` is the cell's `4120.5977`. Where these digits are the noise
    /// of a sum of doubles (`0.30000000000000004`), the 15 that a spreadsheet shows are taken. Infinite and
    /// undefined values give an error.
    pub fn from_f64(value: f64) -> Result<Self, NotExact> {
        if !value.is_finite() {
            return Err(NotExact::Character);
        }
        // Rust prints the shortest text that parses back to the same double, without an exponent.
        let shortest = format!("{value}");
        // A double carries 15 to 17 significant digits. Seventeen that shrink by two or more when cut to fifteen
        // are noise; seventeen that do not are kept.
        if shortest.bytes().filter(u8::is_ascii_digit).count() > 16 {
            let rounded = format!("{:.*}", decimals_for_15_digits(value), value);
            let trimmed = rounded.trim_end_matches('0').trim_end_matches('.');
            if trimmed.len() + 2 < shortest.len() {
                return trimmed.parse();
            }
        }
        shortest.parse()
    }

    /// The same number at another scale.
    ///
    /// Returns `None` when the result needs more than 38 digits.
    pub fn rescale(self, scale: u8) -> Option<Rescaled> {
        if scale >= self.scale {
            let factor = *POWERS.get(usize::from(scale - self.scale))?;
            let digits = self.digits.checked_mul(factor)?;
            return (digits.abs() <= LIMIT).then_some(Rescaled::Exact(digits));
        }
        let divisor = *POWERS.get(usize::from(self.scale - scale))?;
        let (quotient, rest) = divide(self.digits, divisor);
        if rest == 0 {
            return Some(Rescaled::Exact(quotient));
        }
        let up = if rest.abs() * 2 >= divisor { self.digits.signum() } else { 0 };
        Some(Rescaled::Rounded(quotient + up))
    }

    /// Product, or `None` beyond 38 digits.
    pub fn checked_mul(self, other: Self) -> Option<Self> {
        let digits = self.digits.checked_mul(other.digits)?;
        (digits.abs() <= LIMIT).then_some(Self { digits, scale: self.scale.checked_add(other.scale)? })
    }

    /// Sum, or `None` beyond 38 digits.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        let digits = self.rescale(scale)?.digits().checked_add(other.rescale(scale)?.digits())?;
        (digits.abs() <= LIMIT).then_some(Self { digits, scale })
    }

    /// The same number without zeros at the end of its fraction.
    pub fn trimmed(self) -> Self {
        let (mut digits, mut scale) = (self.digits, self.scale);
        while scale > 0 {
            let (quotient, rest) = divide(digits, 10);
            if rest != 0 {
                break;
            }
            digits = quotient;
            scale -= 1;
        }
        Self { digits, scale }
    }
}

/// Quotient and rest. Most figures fit a machine word, which divides many times faster.
fn divide(digits: i128, divisor: i128) -> (i128, i128) {
    match (i64::try_from(digits), i64::try_from(divisor)) {
        (Ok(digits), Ok(divisor)) if divisor > 0 => (i128::from(digits / divisor), i128::from(digits % divisor)),
        _ => (digits / divisor, digits % divisor),
    }
}

/// Digits that a machine word holds whatever they are.
const WORD_DIGITS: usize = 18;

/// Decimals that leave 15 significant digits of `value`.
fn decimals_for_15_digits(value: f64) -> usize {
    let magnitude = if value == 0.0 { 0.0 } else { value.abs().log10().floor() };
    (14.0 - magnitude).clamp(0.0, 30.0) as usize
}

impl FromStr for Exact {
    type Err = NotExact;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (negative, unsigned) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        if whole.is_empty() && fraction.is_empty() {
            return Err(NotExact::Empty);
        }
        if whole.len() + fraction.len() <= WORD_DIGITS {
            let mut digits: i64 = 0;
            for byte in whole.bytes().chain(fraction.bytes()) {
                if !byte.is_ascii_digit() {
                    return Err(NotExact::Character);
                }
                digits = digits * 10 + i64::from(byte - b'0');
            }
            let digits = i128::from(if negative { -digits } else { digits });
            return Ok(Self { digits, scale: fraction.len() as u8 });
        }
        let mut digits: i128 = 0;
        for byte in whole.bytes().chain(fraction.bytes()) {
            if !byte.is_ascii_digit() {
                return Err(NotExact::Character);
            }
            digits = digits
                .checked_mul(10)
                .and_then(|digits| digits.checked_add(i128::from(byte - b'0')))
                .filter(|digits| *digits <= LIMIT)
                .ok_or(NotExact::TooLong)?;
        }
        let scale = u8::try_from(fraction.len()).ok().filter(|scale| *scale <= 38).ok_or(NotExact::TooLong)?;
        Ok(Self { digits: if negative { -digits } else { digits }, scale })
    }
}

impl fmt::Display for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.digits < 0 { "-" } else { "" };
        let scale = usize::from(self.scale);
        let text = format!("{:0>width$}", self.digits.unsigned_abs(), width = scale + 1);
        let (whole, fraction) = text.split_at(text.len() - scale);
        if fraction.is_empty() { write!(f, "{sign}{whole}") } else { write!(f, "{sign}{whole}.{fraction}") }
    }
}

impl PartialEq for Exact {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Exact {}

impl PartialOrd for Exact {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Exact {
    fn cmp(&self, other: &Self) -> Ordering {
        let (left, right) = (self.trimmed(), other.trimmed());
        let scale = left.scale.max(right.scale);
        match (left.rescale(scale), right.rescale(scale)) {
            (Some(left), Some(right)) => left.digits().cmp(&right.digits()),
            // Too far apart for one scale: the one that overflowed has the larger magnitude.
            (None, _) => left.digits.cmp(&0),
            (_, None) => 0.cmp(&right.digits),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn exact(text: &str) -> Exact {
        text.parse().expect("a number")
    }

    #[test]
    fn printed_digits_are_kept() {
        for text in ["0", "1.24", "-0.005", "3486.6305023447", "1.20", "0.10"] {
            assert_eq!(exact(text).to_string(), text);
        }
        assert_eq!(exact("1.20"), exact("1.2"));
    }

    #[test]
    fn texts_that_are_not_plain_decimals_are_refused() {
        for text in ["", "-", ".", "1e3", " 5", "1,234", "12x", "NaN", "１２"] {
            assert!(text.parse::<Exact>().is_err(), "{text:?}");
        }
        assert_eq!("9".repeat(39).parse::<Exact>(), Err(NotExact::TooLong));
    }

    #[test]
    fn rounding_is_half_away_from_zero_and_said() {
        assert_eq!(exact("1.005").rescale(2), Some(Rescaled::Rounded(101)));
        assert_eq!(exact("-1.005").rescale(2), Some(Rescaled::Rounded(-101)));
        assert_eq!(exact("1.004").rescale(2), Some(Rescaled::Rounded(100)));
        assert_eq!(exact("1.0").rescale(2), Some(Rescaled::Exact(100)));
    }

    #[test]
    fn a_published_hundred_million_converts_to_fen() {
        // 海南省 2022: 3486.6305023447 亿元 = 348,663,050,234.47 yuan
        let yuan = exact("3486.6305023447").checked_mul(exact("100000000")).expect("fits");
        assert_eq!(yuan.rescale(2), Some(Rescaled::Exact(34_866_305_023_447)));
    }

    #[test]
    fn noise_of_binary_sums_is_not_a_digit() {
        assert_eq!(
            Exact::from_f64("4120.5977000000003".parse().expect("a double")).expect("finite").to_string(),
            "4120.5977"
        );
        assert_eq!(Exact::from_f64(0.1 + 0.2).expect("finite").to_string(), "0.3");
        assert_eq!(Exact::from_f64(3486.6305023447).expect("finite").to_string(), "3486.6305023447");
        assert_eq!(Exact::from_f64(20018.8837383003).expect("finite").to_string(), "20018.8837383003");
        assert!(Exact::from_f64(f64::NAN).is_err());
    }

    proptest! {
        #[test]
        fn text_round_trips(digits in -LIMIT..LIMIT, scale in 0u8..20) {
            let value = Exact::new(digits, scale);
            let back: Exact = value.to_string().parse().expect("its own text");
            prop_assert_eq!((back.digits, back.scale), (digits, scale));
        }

        #[test]
        fn order_is_that_of_the_numbers(a in -1_000_000i64..1_000_000, b in -1_000_000i64..1_000_000, s in 0u8..6) {
            let left = Exact::new(i128::from(a), s);
            let right = Exact::new(i128::from(b) * 100, s + 2);
            prop_assert_eq!(left.cmp(&right), a.cmp(&b));
        }
    }
}
