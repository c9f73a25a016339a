//! A page's tags and texts in their order, each with its place.
//!
//! The tokenizer is lol_html; no tree is built, so that depth costs nothing. lol_html tells an end tag only to
//! the element that it takes for open, and pages close what they never opened or opened elsewhere. Every
//! other token says where it stands, so the bytes between two tokens are the end tags, all of them.

use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::Range;

use lol_html::errors::RewritingError;
use lol_html::html_content::{Element, TextChunk, TextType};
use lol_html::{
    DocumentContentHandlers, ElementContentHandlers, HandlerResult, HtmlRewriter, MemorySettings, Selector, Settings,
};

use crate::reader::ReadError;

/// Memory of the tokenizer: about a hundred bytes for each element that is never closed.
const TOKENIZER_BYTES: usize = 64 << 20;

/// A start tag.
pub(super) struct StartTag {
    /// Lower-case name.
    pub name: String,
    /// Columns and rows that a cell asks for, as written.
    pub colspan: Option<String>,
    pub rowspan: Option<String>,
}

/// What takes the tokens.
pub(super) trait Sink {
    /// A start tag at a byte of the page.
    fn start(&mut self, at: usize, tag: &StartTag) -> Result<(), ReadError>;
    /// An end tag, by its lower-case name.
    fn end(&mut self, at: usize, name: &str) -> Result<(), ReadError>;
    /// A run of text as it stands in the page, entities not decoded; never script or style.
    fn text(&mut self, at: usize, raw: &str) -> Result<(), ReadError>;
}

/// Sends the tokens of a page to the sink until its end or the sink's first error.
pub(super) fn tokenize<S: Sink>(page: &str, sink: &mut S) -> Result<(), ReadError> {
    let driver = RefCell::new(Driver { page, reached: 0, text: 0..0, skipped: None, sink });
    let selector: Selector = "*".parse().expect("the universal selector");
    let settings = Settings::new()
        .append_element_content_handler((
            Cow::Owned(selector),
            ElementContentHandlers::default()
                .element(|element: &mut Element<'_, '_>| driver.borrow_mut().element(element)),
        ))
        .append_document_content_handler(
            DocumentContentHandlers::default()
                .text(|chunk: &mut TextChunk<'_>| driver.borrow_mut().chunk(chunk))
                .comments(|comment: &mut lol_html::html_content::Comment<'_>| {
                    driver.borrow_mut().pass(&comment.source_location().bytes())
                })
                .doctype(|doctype: &mut lol_html::html_content::Doctype<'_>| {
                    driver.borrow_mut().pass(&doctype.source_location().bytes())
                }),
        )
        .with_memory_settings(MemorySettings::new().with_max_allowed_memory_usage(TOKENIZER_BYTES))
        .with_strict(false);
    let mut rewriter = HtmlRewriter::new(settings, |_: &[u8]| {});
    rewriter.write(page.as_bytes()).map_err(refusal)?;
    rewriter.end().map_err(refusal)?;
    driver.into_inner().finish()
}

fn refusal(error: RewritingError) -> ReadError {
    match error {
        RewritingError::ContentHandlerError(error) => match error.downcast::<ReadError>() {
            Ok(error) => *error,
            Err(_) => ReadError::DamagedHtml { reason: "the page cannot be cut into tags" },
        },
        RewritingError::MemoryLimitExceeded(_) => ReadError::TooLarge {
            what: "bytes for elements that are not closed".into(),
            found: TOKENIZER_BYTES as u64 + 1,
            limit: TOKENIZER_BYTES as u64,
        },
        _ => ReadError::DamagedHtml { reason: "the page cannot be cut into tags" },
    }
}

struct Driver<'a, S> {
    page: &'a str,
    /// End of the last token.
    reached: usize,
    /// Text that is not sent yet: its pieces come one by one.
    text: Range<usize>,
    /// The element whose text is not for readers, such as a text box.
    skipped: Option<String>,
    sink: &'a mut S,
}

impl<S: Sink> Driver<'_, S> {
    fn element(&mut self, element: &mut Element<'_, '_>) -> HandlerResult {
        let place = element.source_location().bytes();
        self.pass(&place)?;
        let tag = StartTag {
            name: element.tag_name(),
            colspan: element.get_attribute("colspan"),
            rowspan: element.get_attribute("rowspan"),
        };
        self.skipped = (tag.name == "textarea").then(|| tag.name.clone());
        self.sink.start(place.start, &tag)?;
        Ok(())
    }

    fn chunk(&mut self, chunk: &mut TextChunk<'_>) -> HandlerResult {
        let place = chunk.source_location().bytes();
        let is_shown = match chunk.text_type() {
            TextType::Data | TextType::CDataSection | TextType::PlainText => true,
            // A title, or a box to write in.
            TextType::RCData => self.skipped.is_none(),
            TextType::RawText | TextType::ScriptData => false,
        };
        if place.is_empty() {
            return Ok(());
        }
        if is_shown && place.start == self.reached && self.text.end == place.start && !self.text.is_empty() {
            self.text.end = place.end;
            self.reached = place.end;
            return Ok(());
        }
        self.pass(&place)?;
        if is_shown {
            self.text = place;
        }
        Ok(())
    }

    /// Sends what stands before a token and moves on to its end.
    fn pass(&mut self, token: &Range<usize>) -> HandlerResult {
        self.flush()?;
        if token.start > self.reached {
            self.end_tags(self.reached..token.start)?;
        }
        self.reached = self.reached.max(token.end);
        Ok(())
    }

    fn finish(mut self) -> Result<(), ReadError> {
        self.flush()?;
        self.end_tags(self.reached..self.page.len())
    }

    fn flush(&mut self) -> Result<(), ReadError> {
        let range = std::mem::replace(&mut self.text, 0..0);
        match self.page.get(range.clone()) {
            Some(raw) if !raw.is_empty() => self.sink.text(range.start, raw),
            _ => Ok(()),
        }
    }

    /// Sends the end tags of a stretch that holds nothing else.
    fn end_tags(&mut self, range: Range<usize>) -> Result<(), ReadError> {
        let start = range.start;
        let stretch = self.page.get(range).unwrap_or_default();
        let mut at = 0;
        while let Some(found) = stretch[at..].find("</") {
            let tag = at + found;
            let rest = &stretch[tag + 2..];
            let length = rest.find(|sign: char| sign.is_ascii_whitespace() || matches!(sign, '/' | '>'));
            let name = &rest[..length.unwrap_or(rest.len())];
            if !name.is_empty() {
                self.sink.end(start + tag, &name.to_ascii_lowercase())?;
            }
            at = tag + 2 + name.len() + tag_end(&rest[name.len()..]);
        }
        Ok(())
    }
}

/// Bytes up to and with the `>` that ends a tag; one in quotes does not.
fn tag_end(rest: &str) -> usize {
    let mut quote = None;
    for (at, byte) in rest.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return at + 1,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Shown(Vec<String>);

    impl Sink for Shown {
        fn start(&mut self, at: usize, tag: &StartTag) -> Result<(), ReadError> {
            self.0.push(format!("{at}<{}", tag.name));
            Ok(())
        }

        fn end(&mut self, at: usize, name: &str) -> Result<(), ReadError> {
            self.0.push(format!("{at}/{name}"));
            Ok(())
        }

        fn text(&mut self, at: usize, raw: &str) -> Result<(), ReadError> {
            self.0.push(format!("{at}:{raw}"));
            Ok(())
        }
    }

    fn shown(page: &str) -> Vec<String> {
        let mut sink = Shown::default();
        tokenize(page, &mut sink).expect("tokens");
        sink.0
    }

    #[test]
    fn every_tag_comes_in_its_order_even_an_end_tag_of_nothing() {
        assert_eq!(shown("<b>a</i></B >c</b>"), ["0<b", "3:a", "4/i", "8/b", "13:c", "14/b"]);
        assert_eq!(shown("a</x><!-- </y> --></z t='>'>b"), ["0:a", "1/x", "18/z", "28:b"]);
        assert_eq!(shown("</p>"), ["0/p"]);
    }

    #[test]
    fn scripts_styles_and_text_boxes_are_no_text() {
        let page = "<style>a</style><script>if (a</b>) '</td>'</script><textarea>b</textarea>c";
        let texts: Vec<String> = shown(page).into_iter().filter(|token| token.contains(':')).collect();
        assert_eq!(texts, [format!("{}:c", page.len() - 1)]);
    }

    #[test]
    fn a_long_text_comes_in_one_piece() {
        let text = "预算&amp;决算 ".repeat(4_000);
        assert_eq!(shown(&format!("<p>{text}</p>"))[1], format!("3:{text}"));
    }
}
