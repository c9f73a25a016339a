//! Decimals in the binary form of PostgreSQL, with every digit and their scale: groups of four digits from `weight` downwards.
//!
//! Libraries go through types of 28 digits, which cut what does not fit, and forget the scale of zero.

/// Most digits of a number before its point, in groups of four, and after it; far more than any type here has.
const MOST_DIGITS: usize = 1_000;
/// The sign of numbers below zero.
const NEGATIVE: u16 = 0x4000;

/// The text of a number; none for bytes that are no finite number.
pub fn read(bytes: &[u8]) -> Option<String> {
    let (head, tail) = bytes.split_at_checked(8)?;
    let word = |at: usize| u16::from_be_bytes([head[at], head[at + 1]]);
    let (count, weight, sign, scale) = (usize::from(word(0)), word(2) as i16, word(4), usize::from(word(6)));
    let is_bounded = scale <= MOST_DIGITS && usize::from(weight.unsigned_abs()) <= MOST_DIGITS;
    if !matches!(sign, 0 | NEGATIVE) || tail.len() != count * 2 || !is_bounded {
        return None;
    }
    let groups: Vec<u16> = tail.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
    if groups.iter().any(|group| *group > 9_999) {
        return None;
    }
    let group =
        |place: i32| usize::try_from(place).ok().and_then(|place| groups.get(place)).copied().unwrap_or_default();
    let weight = i32::from(weight);
    let whole: String = (0..=weight).map(|place| format!("{:04}", group(place))).collect();
    let mut fraction: String =
        (0..scale.div_ceil(4)).zip(weight + 1..).map(|(_, place)| format!("{:04}", group(place))).collect();
    fraction.truncate(scale);
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    let sign = if sign == NEGATIVE { "-" } else { "" };
    let point = if fraction.is_empty() { "" } else { "." };
    Some(format!("{sign}{whole}{point}{fraction}"))
}

/// The bytes of a decimal that is written as digits with at most one point.
pub fn write(text: &str) -> Vec<u8> {
    let digits = text.trim_start_matches(['-', '+']);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let scale = fraction.len();
    let padded = format!(
        "{}{whole}{fraction}{}",
        "0".repeat(whole.len().next_multiple_of(4) - whole.len()),
        "0".repeat(scale.next_multiple_of(4) - scale)
    );
    let fold = |group: &[u8]| group.iter().fold(0, |sum: u16, digit| sum * 10 + u16::from(digit.saturating_sub(b'0')));
    let all: Vec<u16> = padded.as_bytes().chunks(4).map(fold).collect();
    let leading = all.iter().take_while(|group| **group == 0).count();
    let groups = &all[leading..];
    let trailing = groups.iter().rev().take_while(|group| **group == 0).count();
    let groups = &groups[..groups.len() - trailing];
    let weight = if groups.is_empty() { 0 } else { whole.len().div_ceil(4) as i32 - 1 - leading as i32 };
    let sign = if text.starts_with('-') && !groups.is_empty() { NEGATIVE } else { 0 };
    let head = [groups.len() as u16, weight as i16 as u16, sign, scale as u16];
    head.iter().chain(groups).flat_map(|word| word.to_be_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Weight, sign, scale and groups as the protocol has them, and the text.
    const NUMBERS: &[(i16, u16, u16, &[u16], &str)] = &[
        (0, 0, 0, &[], "0"),
        (0, 0, 2, &[], "0.00"),
        (0, 0, 0, &[7], "7"),
        (2, 0, 2, &[255, 4000, 0, 5000], "25540000000.50"),
        (2, 0, 0, &[255, 4000], "25540000000"),
        (-1, NEGATIVE, 4, &[5], "-0.0005"),
        (-2, 0, 8, &[1], "0.00000001"),
        (
            6,
            NEGATIVE,
            10,
            &[1234, 5678, 9012, 3456, 7890, 1234, 5678, 123, 4567, 8900],
            "-1234567890123456789012345678.0123456789",
        ),
    ];

    fn binary(weight: i16, sign: u16, scale: u16, groups: &[u16]) -> Vec<u8> {
        let count = u16::try_from(groups.len()).expect("few");
        let words = [count, weight as u16, sign, scale];
        words.iter().chain(groups).flat_map(|word| word.to_be_bytes()).collect()
    }

    #[test]
    fn numbers_keep_every_digit_and_their_scale() {
        for (weight, sign, scale, groups, text) in NUMBERS {
            let bytes = binary(*weight, *sign, *scale, groups);
            assert_eq!(read(&bytes).as_deref(), Some(*text));
            assert_eq!(write(text), bytes, "{text}");
        }
        assert_eq!(read(&binary(-3, 0, 5, &[])).as_deref(), Some("0.00000"));
        assert_eq!(write("-0.00"), binary(0, 0, 2, &[]));
    }

    #[test]
    fn what_is_no_finite_number_is_not_read() {
        let cut = &binary(0, 0, 0, &[7])[..9];
        let wrong =
            [vec![], cut.to_vec(), binary(0, 0xC000, 0, &[]), binary(0, 0, 0, &[10_000]), binary(i16::MAX, 0, 0, &[1])];
        for bytes in wrong {
            assert_eq!(read(&bytes), None, "{bytes:?}");
        }
    }
}
