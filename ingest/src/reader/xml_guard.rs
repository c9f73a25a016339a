//! XML parts measured while they are inflated: no document type, no floods of attributes, no bottomless nesting.
//!
//! The workbook readers accept what an attacker can write in a few kilobytes: a hundred thousand attributes on one
//! element, a million elements inside each other, entities that multiply. The guard sees every tag of a part
//! before they do. It knows quotes, comments, sections and instructions, and nothing else of XML.

/// Attributes of one element, names of namespaces included.
const ATTRIBUTES: usize = 1_000;

/// Levels of elements.
const DEPTH: usize = 256;

/// Where in the part the guard is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Text,
    /// After `<`, with up to eight bytes kept to tell what it opens.
    Opening,
    Tag {
        is_end: bool,
        last: u8,
    },
    Quoted(u8),
    /// Until the bytes that end it have come.
    Until(&'static [u8]),
}

/// Takes a part piece by piece.
pub(super) struct XmlGuard {
    state: State,
    opening: Vec<u8>,
    matched: usize,
    depth: usize,
    attributes: usize,
    /// Whether the tag being read is an end tag, while the guard is in quotes.
    is_end: bool,
}

impl XmlGuard {
    pub fn new() -> Self {
        Self { state: State::Text, opening: Vec::new(), matched: 0, depth: 0, attributes: 0, is_end: false }
    }

    /// Looks at the next bytes of the part; an error says what is wrong with it.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Result<(), &'static str> {
        while let Some(byte) = bytes.first().copied() {
            let passed = match self.state {
                State::Text => match memchr::memchr(b'<', bytes) {
                    Some(at) => {
                        self.state = State::Opening;
                        self.opening.clear();
                        at + 1
                    }
                    None => bytes.len(),
                },
                State::Opening => {
                    self.open(byte)?;
                    1
                }
                State::Tag { is_end, last } => {
                    self.tag(byte, is_end, last)?;
                    1
                }
                State::Quoted(quote) => match memchr::memchr(quote, bytes) {
                    Some(at) => {
                        self.state = State::Tag { is_end: self.is_end, last: quote };
                        at + 1
                    }
                    None => bytes.len(),
                },
                State::Until(end) => {
                    self.until(byte, end);
                    1
                }
            };
            bytes = &bytes[passed..];
        }
        Ok(())
    }

    fn open(&mut self, byte: u8) -> Result<(), &'static str> {
        const COMMENT: &[u8] = b"!--";
        const SECTION: &[u8] = b"![CDATA[";
        self.opening.push(byte.to_ascii_uppercase());
        let opening = self.opening.as_slice();
        self.matched = 0;
        if opening == b"?" {
            self.state = State::Until(b"?>");
        } else if opening == COMMENT {
            self.state = State::Until(b"-->");
        } else if opening == SECTION {
            self.state = State::Until(b"]]>");
        } else if b"!DOCTYPE".starts_with(opening) && opening.len() > 1 {
            if opening.len() == 8 {
                return Err("a document type, expected plain XML");
            }
        } else if !(COMMENT.starts_with(opening) || SECTION.starts_with(opening)) {
            let is_end = opening[0] == b'/';
            self.attributes = 0;
            self.state = State::Tag { is_end, last: b'<' };
            let byte = byte.to_ascii_lowercase();
            self.tag(byte, is_end, b'<')?;
        }
        Ok(())
    }

    fn tag(&mut self, byte: u8, is_end: bool, last: u8) -> Result<(), &'static str> {
        self.state = State::Tag { is_end, last: byte };
        match byte {
            b'>' => {
                self.state = State::Text;
                if is_end {
                    self.depth = self.depth.saturating_sub(1);
                } else if last != b'/' {
                    self.depth += 1;
                    if self.depth > DEPTH {
                        return Err("more than 256 elements inside each other");
                    }
                }
            }
            b'"' | b'\'' => {
                self.is_end = is_end;
                self.state = State::Quoted(byte);
            }
            b'=' => {
                self.attributes += 1;
                if self.attributes > ATTRIBUTES {
                    return Err("more than 1000 attributes of one element");
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn until(&mut self, byte: u8, end: &'static [u8]) {
        // The ends repeat their first byte at most, so that one step back is enough.
        if byte == end[self.matched] {
            self.matched += 1;
        } else if !(self.matched == end.len() - 1 && byte == end[0]) {
            self.matched = usize::from(byte == end[0]);
        }
        if self.matched == end.len() {
            self.state = State::Text;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(xml: &str) -> Result<(), &'static str> {
        // In pieces, as they come from the inflater.
        let mut guard = XmlGuard::new();
        xml.as_bytes().chunks(3).try_for_each(|piece| guard.feed(piece))
    }

    #[test]
    fn plain_parts_pass() {
        let xml = "<?xml version=\"1.0\"?><a b='>' c=\"/>\"><!-- <x <!DOCTYPE ---><b/><![CDATA[<c>]]]></a>";
        assert_eq!(judge(&xml.repeat(400)), Ok(()));
        assert_eq!(judge(&format!("{}{}", "<a>".repeat(256), "</a>".repeat(256))), Ok(()));
    }

    #[test]
    fn floods_are_refused() {
        assert!(judge(&"<a>".repeat(257)).is_err());
        let attributes: String = (0..1_001).map(|index| format!(" a{index}=''")).collect();
        assert!(judge(&format!("<c{attributes}/>")).is_err());
        assert!(judge("<a/><!doctype a [<!ENTITY b 'c'>]>").is_err());
    }
}
