//! Text as a browser lays it out: blanks collapse, entities are what they stand for.

/// A line or a cell while its text comes in.
#[derive(Default)]
pub(super) struct Flow {
    text: String,
    /// Byte of the page at which the text begins.
    start: usize,
    /// A blank that only shows when something follows.
    is_blank_due: bool,
}

impl Flow {
    /// Adds a piece of the page, which stands at the byte `at`.
    pub fn push(&mut self, at: usize, raw: &str) {
        if self.text.is_empty() {
            self.start = at + raw.len() - raw.trim_ascii_start().len();
        }
        for character in decoded(raw).chars() {
            match character {
                ' ' | '\t' | '\n' | '\r' | '\x0C' => self.is_blank_due = !self.text.is_empty(),
                // A mark of byte order within a page, and NUL, which browsers drop.
                '\u{FEFF}' | '\0' => {}
                character => {
                    if std::mem::take(&mut self.is_blank_due) {
                        self.text.push(' ');
                    }
                    // A blank that does not break is how pages indent; it neither collapses nor goes at the start.
                    self.text.push(if character == '\u{A0}' { ' ' } else { character });
                }
            }
        }
    }

    /// Adds a text that is laid out already.
    pub fn push_plain(&mut self, text: &str) {
        if std::mem::take(&mut self.is_blank_due) {
            self.text.push(' ');
        }
        self.text.push_str(text);
    }

    /// What ends a line within a cell.
    pub fn blank(&mut self) {
        self.is_blank_due = !self.text.is_empty();
    }

    /// Bytes so far.
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// The text and the byte at which it begins; none where nothing shows.
    pub fn take(&mut self) -> Option<(String, usize)> {
        self.is_blank_due = false;
        let mut text = std::mem::take(&mut self.text);
        text.truncate(text.trim_end_matches(' ').len());
        (!text.trim().is_empty()).then_some((text, self.start))
    }
}

fn decoded(raw: &str) -> std::borrow::Cow<'_, str> {
    if !raw.contains('&') {
        return raw.into();
    }
    // Pages forget the semicolon of this one, and browsers read it.
    let mut fixed = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find("&nbsp") {
        fixed.push_str(&rest[..at]);
        fixed.push('\u{A0}');
        rest = &rest[at + "&nbsp".len()..];
        rest = rest.strip_prefix(';').unwrap_or(rest);
    }
    fixed.push_str(rest);
    html_escape::decode_html_entities(&fixed).into_owned().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flowed(raw: &str) -> Option<(String, usize)> {
        let mut flow = Flow::default();
        flow.push(10, raw);
        flow.take()
    }

    #[test]
    fn blanks_collapse_and_entities_are_decoded() {
        assert_eq!(flowed(" \n a\t b\r\n"), Some(("a b".into(), 13)));
        assert_eq!(flowed("&lt;1&amp;2&#62;&#x4E9A;"), Some(("<1&2>亚".into(), 10)));
        assert_eq!(flowed("支 &nbsp;出&nbsp计"), Some(("支  出 计".into(), 10)));
    }

    #[test]
    fn an_indent_stays_and_nothing_is_nothing() {
        assert_eq!(flowed("&nbsp;&nbsp;其中&nbsp;"), Some(("  其中".into(), 10)));
        assert_eq!(flowed("\u{3000}其中"), Some(("\u{3000}其中".into(), 10)));
        assert_eq!(flowed(" &nbsp; "), None);
    }
}
