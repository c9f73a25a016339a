//! Why a file cannot be read.

/// The file is refused as a whole. Messages hold places and kinds, never a value of the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// No bytes, or nothing but a byte order mark and blanks.
    #[error("empty file: no bytes to read, expected a table")]
    Empty,
    /// A bound of [`crate::Limits`] is exceeded.
    #[error("{what}: found at least {found}, the limit is {limit}")]
    TooLarge {
        /// What was counted.
        what: String,
        /// How much had been read when it was refused.
        found: u64,
        /// The bound.
        limit: u64,
    },
    /// Neither UTF-8 nor plausible GB18030.
    #[error("encoding: not UTF-8 from byte {utf8_offset}, and {gb18030}; expected one encoding in the whole file")]
    Encoding {
        /// Offset of the first byte that is not UTF-8.
        utf8_offset: usize,
        /// Why it is not GB18030 either.
        gb18030: Gb18030Refusal,
    },
    /// A UTF-16 file with a broken unit.
    #[error("encoding: {encoding} by its byte order mark, but broken at byte {offset}")]
    BrokenUtf16 {
        /// The declared encoding.
        encoding: &'static str,
        /// Offset of the first wrong unit.
        offset: usize,
    },
    /// Text that was decoded wrongly before it came to us.
    #[error(
        "encoding: line {line} holds {sign}, a sign of text decoded with the wrong table; expected the original text"
    )]
    Mojibake {
        /// One-based line.
        line: u32,
        /// The sign, described.
        sign: &'static str,
    },
    /// A quote that is never closed.
    #[error(
        "line {line}: the quote opened at {line}:{column} is not closed; expected a closing quote before the end of the field"
    )]
    UnclosedQuote {
        /// Line of the opening quote.
        line: u32,
        /// Character column of the opening quote.
        column: u32,
    },
    /// Text after a closing quote.
    #[error(
        "line {line}: the quoted field opened at {line}:{column} goes on after its closing quote; expected a delimiter or the end of the line"
    )]
    StrayQuote {
        /// Line of the opening quote.
        line: u32,
        /// Character column of the opening quote.
        column: u32,
    },
    /// A zip container that cannot be read.
    #[error("damaged zip container{}: {reason}", .entry.as_ref().map(|entry| format!(", entry {entry}")).unwrap_or_default())]
    DamagedZip {
        /// Name of the entry, where one is at fault.
        entry: Option<String>,
        /// What is wrong.
        reason: String,
    },
    /// JSON that cannot be read.
    #[error("damaged JSON at {line}:{column}: {reason}")]
    DamagedJson {
        /// One-based line.
        line: u32,
        /// One-based character column.
        column: u32,
        /// What is wrong.
        reason: &'static str,
    },
    /// A page that cannot be read.
    #[error("damaged page: {reason}")]
    DamagedHtml {
        /// What is wrong.
        reason: &'static str,
    },
    /// A workbook that cannot be read.
    #[error("damaged workbook{}: {reason}", .sheet.as_ref().map(|sheet| format!(", sheet {sheet}")).unwrap_or_default())]
    DamagedWorkbook {
        /// Name of the sheet, where one is at fault.
        sheet: Option<String>,
        /// What is wrong.
        reason: String,
    },
}

/// Why a text is not taken for GB18030.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Gb18030Refusal {
    /// A byte sequence that GB18030 does not have.
    #[error("not GB18030 from byte {offset}")]
    Offset {
        /// Offset of the first wrong byte.
        offset: usize,
    },
    /// It decodes, but to characters that Chinese texts do not use.
    #[error("as GB18030 only {share_pct} % of its characters are common ones (at least 95 % expected)")]
    Implausible {
        /// Share of characters inside GB 2312 among those outside ASCII.
        share_pct: u8,
    },
    /// It begins as UTF-8.
    #[error("its text before that byte is UTF-8, so that two encodings are mixed")]
    Mixed,
}
