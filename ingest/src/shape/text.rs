//! Printed text in the forms in which it is compared and shown.

use std::borrow::Cow;

/// Characters that are shown as nothing or as a blank.
pub(crate) fn is_blank(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\u{200B}'..='\u{200D}' | '\u{2060}' | '\u{FEFF}')
}

/// The text without any blanks, for comparison with patterns.
pub(crate) fn without_blanks(text: &str) -> String {
    text.chars().filter(|character| !is_blank(*character)).collect()
}

/// The same without a copy, where there are none.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if may_hold_blank(text) && text.contains(is_blank) { Cow::Owned(without_blanks(text)) } else { Cow::Borrowed(text) }
}

/// Whether there is anything but blanks.
pub(crate) fn is_filled(text: &str) -> bool {
    text.chars().any(|character| !is_blank(character))
}

/// Looks at bytes only: blanks beyond ASCII begin with one of these.
fn may_hold_blank(text: &str) -> bool {
    text.bytes().any(|byte| matches!(byte, b'\t'..=b'\r' | b' ' | 0xC2 | 0xE1..=0xE3 | 0xEF))
}

/// The text without blanks at its ends.
pub(crate) fn trimmed(text: &str) -> &str {
    let is_plain = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_graphic);
    if is_plain(text.as_bytes().first()) && is_plain(text.as_bytes().last()) {
        return text;
    }
    text.trim_matches(is_blank)
}

/// The text on one line, for readers. A line that ends between two Chinese characters only wraps a name: no blank stands there.
pub(crate) fn on_one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    let mut gap: Option<bool> = None;
    for character in text.chars() {
        if is_blank(character) {
            let wraps = matches!(character, '\n' | '\r');
            gap = Some(gap.unwrap_or(true) && wraps);
            continue;
        }
        if let Some(only_wraps) = gap.take().filter(|_| !line.is_empty()) {
            let is_name = only_wraps && is_chinese(character) && line.chars().next_back().is_some_and(is_chinese);
            if !is_name {
                line.push(' ');
            }
        }
        line.push(character);
    }
    line
}

fn is_chinese(character: char) -> bool {
    matches!(character, '\u{4E00}'..='\u{9FFF}' | '\u{3400}'..='\u{4DBF}')
}

/// Width of the blanks before a label: a full-width blank takes two columns.
pub(crate) fn indentation(text: &str) -> u32 {
    text.chars()
        .take_while(|character| is_blank(*character))
        .map(|character| match character {
            '\u{3000}' | '\t' => 2,
            '\u{200B}'..='\u{200D}' | '\u{2060}' | '\u{FEFF}' => 0,
            _ => 1,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_blank_is_overlooked() {
        for blank in (0..=u32::from(char::MAX)).filter_map(char::from_u32).filter(|character| is_blank(*character)) {
            let text = format!("地{blank}区");
            assert_eq!(plain(&text), "地区", "{blank:?}");
            assert_eq!(trimmed(&format!("{blank}a{blank}")), "a", "{blank:?}");
            assert!(!is_filled(&blank.to_string()), "{blank:?}");
        }
    }

    #[test]
    fn a_full_width_blank_indents_by_two() {
        assert_eq!((indentation("  海口市"), indentation("\u{3000}海口市"), indentation("海口市")), (2, 2, 0));
        assert_eq!(without_blanks("地 \u{3000} 区"), "地区");
        assert_eq!(on_one_line("机关养老保险\n缴费支出"), "机关养老保险缴费支出");
        assert_eq!(on_one_line(" PM2.5\n24小时  均值 "), "PM2.5 24小时 均值");
    }
}
