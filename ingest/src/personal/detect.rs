//! Numbers that name a person, in one text.
//!
//! A number with a check character that holds always counts. A mere pattern counts where words say what it is; without
//! them it is told and stops nothing. Which is which: `domain/04-poverty.md` 4.6, decision 26.

use super::number::{
    has_identity_shape, has_issuer_prefix, has_old_identity_shape, is_credit_code, is_identity_18, is_mobile,
    is_province, passes_luhn,
};
use super::role::Hints;
use super::run::{Run, fold, may_hold_number, runs};
use super::{Kind, Severity};

/// How a number is written in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// As text: whatever a text file holds, or a text cell.
    Text,
    /// As text, in a column that a feed reads as figures.
    Figure,
    /// As a typed number.
    Number,
}

/// One number found.
pub(super) type Hit = (Kind, Severity);

/// Whether a text can hold anything that [`detect`] finds; asked of every cell, so that it has to be cheap.
pub(super) fn may_hold(text: &str) -> bool {
    may_hold_number(text) || (text.len() > 5 && text.contains('@'))
}

/// Every number of a person in a text; `hints` come from its header and its neighbour.
pub(super) fn detect(text: &str, written: Written, hints: Hints) -> Vec<Hit> {
    let mut hits = Vec::new();
    if text.contains('@') && written == Written::Text && holds_mail(text) {
        hits.push((Kind::Mail, Severity::Warn));
    }
    if !may_hold_number(text) {
        return hits;
    }
    let folded = fold(text);
    let mut hints = hints;
    if written == Written::Text {
        hints.read(text);
    }
    let runs = runs(&folded);
    if let Some(hit) = damaged(&folded, written, hints) {
        hits.push(hit);
    }
    let found: Vec<Option<Hit>> = runs.iter().map(|run| judge(run, &folded, written, hints)).collect();
    if written == Written::Text {
        hits.extend(split_numbers(&folded, &runs, &found, hints));
        hits.extend(landlines(&folded, &runs, hints));
    }
    hits.extend(found.into_iter().flatten());
    hits
}

fn judge(run: &Run, text: &[char], written: Written, hints: Hints) -> Option<Hit> {
    if !run.is_free {
        return None;
    }
    let digits = run.digits.as_slice();
    if written == Written::Number {
        return judge_typed(digits, hints);
    }
    if has_identity_shape(digits) {
        let is_other_code = is_credit_code(digits) && !hints.identity;
        match is_identity_18(digits) {
            true if is_other_code && (hints.credit_code || hints.thing) => return None,
            true => return Some((Kind::Identity, Severity::Block)),
            false if hints.identity => return Some((Kind::Identity, Severity::Block)),
            false if is_other_code || written == Written::Figure => return None,
            false if !is_card(digits) => return Some((Kind::Identity, Severity::Warn)),
            false => {}
        }
    }
    let is_numeric = digits.iter().all(u8::is_ascii_digit);
    if written == Written::Figure || run.is_in_address || run.has_unit || !is_numeric {
        return None;
    }
    if hints.identity && has_old_identity_shape(digits) {
        return Some((Kind::Identity, Severity::Block));
    }
    let number = without_country(digits, text, run.start, hints);
    if is_mobile(number) {
        let is_whole = run.start == 0 && text[run.end..].iter().all(|rest| matches!(rest, '.' | '0' | ' '));
        let is_thing = hints.thing && !hints.phone && is_whole;
        return Some((Kind::Mobile, if is_thing { Severity::Warn } else { Severity::Block }));
    }
    match digits.len() {
        12..=23 if hints.account => Some((Kind::Account, Severity::Block)),
        16..=19 if is_credit_code(digits) => None,
        16..=19 if is_card(digits) => Some((Kind::Account, Severity::Block)),
        16..=19 => Some((Kind::Account, Severity::Warn)),
        _ => None,
    }
}

/// A typed number is a figure unless its header says what else it is.
fn judge_typed(digits: &[u8], hints: Hints) -> Option<Hit> {
    match digits.len() {
        // A spreadsheet keeps 15 digits: the rest was lost, the area and the day of birth were not.
        18 if hints.identity => Some((Kind::DamagedNumber, Severity::Block)),
        15 if hints.identity && has_old_identity_shape(digits) => Some((Kind::Identity, Severity::Block)),
        11 if hints.phone && is_mobile(digits) => Some((Kind::Mobile, Severity::Block)),
        16..=23 if hints.account => Some((Kind::DamagedNumber, Severity::Block)),
        12..=15 if hints.account => Some((Kind::Account, Severity::Block)),
        _ => None,
    }
}

fn is_card(digits: &[u8]) -> bool {
    (16..=19).contains(&digits.len())
        && digits.iter().all(u8::is_ascii_digit)
        && has_issuer_prefix(digits)
        && passes_luhn(digits)
}

/// The number behind `+86`, `0086`, or a bare 86 that a header calls a telephone.
fn without_country<'a>(digits: &'a [u8], text: &[char], start: usize, hints: Hints) -> &'a [u8] {
    let has_plus = start > 0 && text[start - 1] == '+';
    match (digits.len(), digits) {
        (13, [b'8', b'6', rest @ ..]) if has_plus || hints.phone => rest,
        (15, [b'0', b'0', b'8', b'6', rest @ ..]) => rest,
        _ => digits,
    }
}

/// An identity, card or mobile number that a spreadsheet wrote in powers of ten: `1.10105E+17`.
fn damaged(text: &[char], written: Written, hints: Hints) -> Option<Hit> {
    if written == Written::Figure {
        return None;
    }
    let plain: String = text.iter().filter(|character| **character != ' ').collect();
    let (mantissa, exponent) = plain.split_once(['E', 'e'])?;
    let exponent: u32 = exponent.trim_start_matches('+').parse().ok()?;
    let (whole, decimals) = mantissa.split_once('.')?;
    let is_plain = whole.len() == 1 && decimals.bytes().all(|byte| byte.is_ascii_digit());
    if !is_plain || !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits: Vec<u8> = whole.bytes().chain(decimals.bytes()).collect();
    let can_be_identity = exponent == 17 && digits.len() >= 2 && is_province(&digits);
    match exponent {
        14 | 17 if hints.identity => Some((Kind::DamagedNumber, Severity::Block)),
        10 if hints.phone => Some((Kind::DamagedNumber, Severity::Block)),
        11..=22 if hints.account => Some((Kind::DamagedNumber, Severity::Block)),
        _ if can_be_identity && written == Written::Text => Some((Kind::DamagedNumber, Severity::Warn)),
        _ => None,
    }
}

/// Numbers written in groups: `138 0013 8000`, `110105 19491231 002X`, `6217 0036 1000 0000 007`.
fn split_numbers(text: &[char], runs: &[Run], found: &[Option<Hit>], hints: Hints) -> Vec<Hit> {
    let joins = |index: usize| {
        let gap = &text[runs[index].end..runs[index + 1].start];
        gap.len() == 1 && matches!(gap[0], ' ' | '-')
    };
    let mut hits = Vec::new();
    let mut first = 0;
    while first < runs.len() {
        let mut last = first;
        while last + 1 < runs.len() && joins(last) {
            last += 1;
        }
        if last > first && found[first..=last].iter().all(Option::is_none) {
            hits.extend(judge_group(text, &runs[first..=last], hints));
        }
        first = last + 1;
    }
    hits
}

/// One hit at most for a chain of groups, found in any part of the chain.
fn judge_group(text: &[char], chain: &[Run], hints: Hints) -> Option<Hit> {
    for first in 0..chain.len() {
        let mut digits: Vec<u8> = Vec::new();
        let mut lengths: Vec<usize> = Vec::new();
        for (count, run) in chain[first..].iter().enumerate() {
            digits.extend(&run.digits);
            lengths.push(run.digits.len());
            if digits.len() > 19 {
                break;
            }
            let (start, end) = (&chain[first], run);
            if count == 0 || !edge_is_free(text, start.start, end.end) {
                continue;
            }
            let is_whole = start.start == 0 && end.end == text.len();
            let is_alone = first == 0 && first + count + 1 == chain.len();
            if is_identity_18(&digits) && lengths.iter().all(|length| *length >= 2) {
                return Some((Kind::Identity, Severity::Block));
            }
            let in_fours = lengths[..lengths.len() - 1].iter().all(|length| *length == 4);
            if in_fours && is_card(&digits) {
                return Some((Kind::Account, Severity::Block));
            }
            if is_mobile(&digits) && matches!(lengths[..], [3, 4, 4] | [3, 8] | [7, 4]) {
                let has_dash = text[start.start..end.end].contains(&'-');
                if has_dash || hints.phone || is_whole {
                    return Some((Kind::Mobile, Severity::Block));
                }
                if is_alone {
                    return Some((Kind::Mobile, Severity::Warn));
                }
            }
        }
    }
    None
}

fn edge_is_free(text: &[char], start: usize, end: usize) -> bool {
    let is_word = |index: Option<usize>| {
        index.and_then(|index| text.get(index)).is_some_and(|character| character.is_ascii_alphanumeric())
    };
    !is_word(start.checked_sub(1)) && !is_word(Some(end))
}

/// Landlines, which offices publish: told, and not even that where the words call them public.
fn landlines(text: &[char], runs: &[Run], hints: Hints) -> Vec<Hit> {
    if hints.hotline {
        return Vec::new();
    }
    let has_area = |digits: &[u8]| digits[0] == b'0' && matches!(digits.len(), 3 | 4);
    let dashed = runs.windows(2).any(|pair| {
        has_area(&pair[0].digits)
            && matches!(pair[1].digits.len(), 7 | 8)
            && pair[1].start == pair[0].end + 1
            && text[pair[0].end] == '-'
            && edge_is_free(text, pair[0].start, pair[1].end)
    });
    let bare = hints.phone
        && runs.iter().any(|run| run.is_free && run.digits[0] == b'0' && (10..=12).contains(&run.digits.len()));
    if dashed || bare { vec![(Kind::Landline, Severity::Warn)] } else { Vec::new() }
}

/// Whether something like `name@host.tld` is there.
fn holds_mail(text: &str) -> bool {
    text.match_indices('@').any(|(at, _)| {
        let is_part = |character: char| character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | '_');
        let host: String = text[at + 1..].chars().take_while(|character| is_part(*character)).collect();
        text[..at].chars().next_back().is_some_and(is_part) && host.trim_end_matches('.').contains('.')
    })
}
