//! Numbers that name a person, by their own rules: digits in, yes or no out.

use chrono::NaiveDate;

/// Alphabet of the unified social credit code, GB 32100-2015: no I, O, S, V, Z.
const CREDIT_ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

/// Whether it is an identity number of 18 characters: shape, date, province and check character (GB 11643-1999).
pub(super) fn is_identity_18(number: &[u8]) -> bool {
    has_identity_shape(number) && is_province(number) && identity_check(number) == number[17].to_ascii_uppercase()
}

/// Whether its shape is that of an identity number of 18 characters, with a date that exists.
pub(super) fn has_identity_shape(number: &[u8]) -> bool {
    number.len() == 18
        && number[..17].iter().all(u8::is_ascii_digit)
        && (number[17].is_ascii_digit() || number[17].eq_ignore_ascii_case(&b'X'))
        && number[0] != b'0'
        && (1800..2100).contains(&decimal(&number[6..10]))
        && is_date(decimal(&number[6..10]), &number[10..14])
}

/// Whether it is shaped as an identity number of 15 digits; nothing checks one, so that a header has to say so too.
pub(super) fn has_old_identity_shape(number: &[u8]) -> bool {
    number.len() == 15
        && number.iter().all(u8::is_ascii_digit)
        && is_province(number)
        && is_date(1900 + decimal(&number[6..8]), &number[8..12])
}

/// ISO 7064 MOD 11-2 over the first 17 digits.
fn identity_check(number: &[u8]) -> u8 {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = WEIGHTS.iter().zip(number).map(|(weight, digit)| weight * u32::from(digit - b'0')).sum();
    b"10X98765432"[(sum % 11) as usize]
}

fn is_date(year: u32, month_day: &[u8]) -> bool {
    let (month, day) = (decimal(&month_day[..2]), decimal(&month_day[2..4]));
    NaiveDate::from_ymd_opt(year as i32, month, day).is_some()
}

/// Whether the first two digits are those of a province-level region (GB/T 2260), 83 being Taiwan's permits.
pub(super) fn is_province(number: &[u8]) -> bool {
    matches!(decimal(&number[..2]), 11..=15 | 21..=23 | 31..=37 | 41..=46 | 50..=54 | 61..=65 | 71 | 81..=83)
}

fn decimal(digits: &[u8]) -> u32 {
    digits.iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0'))
}

/// Whether it is a unified social credit code: registration office, region and check character (GB 32100-2015).
pub(super) fn is_credit_code(code: &[u8]) -> bool {
    let Some(values) = code
        .iter()
        .map(|character| CREDIT_ALPHABET.iter().position(|known| *known == character.to_ascii_uppercase()))
        .collect::<Option<Vec<usize>>>()
    else {
        return false;
    };
    if values.len() != 18 || !code[2..8].iter().all(u8::is_ascii_digit) {
        return false;
    }
    // 10 is the nation's own level.
    let has_region = is_province(&code[2..8]) || &code[2..4] == b"10";
    let has_office = matches!(code[0].to_ascii_uppercase(), b'1'..=b'9' | b'A' | b'N' | b'Y');
    let (mut weight, mut sum) = (1, 0);
    for value in &values[..17] {
        sum += value * weight;
        weight = weight * 3 % 31;
    }
    has_region && has_office && values[17] == (31 - sum % 31) % 31
}

/// Whether the digits pass the Luhn test of ISO/IEC 7812.
pub(super) fn passes_luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, u32::from(digit - b'0')) {
            (0, digit) => digit,
            (_, digit) if digit > 4 => digit * 2 - 9,
            (_, digit) => digit * 2,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Whether the first digits are those of card issuers met in China: UnionPay 62, Visa 4, Mastercard 5, the banks' own 9.
pub(super) fn has_issuer_prefix(digits: &[u8]) -> bool {
    digits.starts_with(b"62") || matches!(digits.first(), Some(b'4' | b'5' | b'9'))
}

/// Whether it is shaped as a mobile number.
pub(super) fn is_mobile(digits: &[u8]) -> bool {
    digits.len() == 11
        && digits.iter().all(u8::is_ascii_digit)
        && digits[0] == b'1'
        && (b'3'..=b'9').contains(&digits[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_identity_standard_are_valid() {
        // GB 11643-1999; the remainders are 2 and 8.
        assert!(is_identity_18(b"11010519491231002X") && is_identity_18(b"11010519491231002x"));
        assert!(is_identity_18(b"440524188001010014"));
        assert!(!is_identity_18(b"440524188001010013") && has_identity_shape(b"440524188001010013"));
        assert!(!is_identity_18(b"110105194912310021"));
        assert!(!has_identity_shape(b"440524188002300014"), "30 February");
    }

    #[test]
    fn a_credit_code_is_told_by_its_own_check_character() {
        assert!(is_credit_code(b"91350100M000100Y43"));
        assert!(!is_credit_code(b"91350100M000100Y44"));
        assert!(!is_credit_code(b"11010519491231002X"), "region 01 does not exist");
    }

    #[test]
    fn card_numbers_pass_luhn() {
        for card in [&b"6222020000000000000"[..], b"4111111111111111", b"6217003610000000007"] {
            assert!(passes_luhn(card) && has_issuer_prefix(card));
        }
        assert!(!passes_luhn(b"6222020000000000005"));
    }
}
