//! Bytes of a text file to text, or a refusal with the byte at which it fails.
//!
//! Order: byte order mark, strict UTF-8 of the whole file, GB18030 of the whole file. GB18030 accepts nearly
//! every byte sequence, so that a decoded text must also look Chinese: at least 95 % of its characters outside
//! ASCII are in GB 2312. Nothing is replaced: a file with one broken byte is refused.

use encoding_rs::{BIG5, DecoderResult, Encoding, GB18030, GBK, UTF_16BE, UTF_16LE};

use super::error::{Gb18030Refusal, ReadError};

/// A decoded text and the name of its encoding.
#[derive(Debug)]
pub(super) struct Decoded {
    pub text: String,
    pub encoding: &'static str,
}

/// Share of GB 2312 among characters outside ASCII below which a text is not Chinese.
const COMMON_SHARE_PCT: usize = 95;

/// Characters of valid UTF-8 before the first fault that make a chance agreement of GB18030 bytes incredible.
const UTF8_EVIDENCE: usize = 4;

/// Signs of text that was decoded with the wrong table, with their description.
const MOJIBAKE: [(&str, &str); 6] = [
    ("\u{FFFD}", "the replacement character U+FFFD"),
    ("锟斤拷", "the sequence U+951F U+65A4 U+62F7"),
    ("烫烫烫", "the sequence U+70EB three times"),
    ("å¹´", "UTF-8 read as Latin-1"),
    ("ä¸\u{AD}", "UTF-8 read as Latin-1"),
    ("Ã©", "UTF-8 read as Latin-1"),
];

pub(super) fn decode(bytes: &[u8]) -> Result<Decoded, ReadError> {
    refuse_mojibake(decode_unchecked(bytes)?)
}

/// A page, and a warning where it says that it is in another encoding than it is.
///
/// What it says counts for Big5 only, which cannot be told from rare GB18030.
pub(super) fn decode_page(bytes: &[u8]) -> Result<(Decoded, Option<String>), ReadError> {
    let declared = declared_encoding(bytes);
    let decoded = match decode(bytes) {
        Ok(decoded) => decoded,
        Err(error) => {
            let is_big5 = declared.as_ref().is_some_and(|(_, encoding)| *encoding == BIG5);
            match decode_strictly(BIG5, bytes) {
                Ok(text) if is_big5 => refuse_mojibake(Decoded { text, encoding: "big5" })?,
                _ => return Err(error),
            }
        }
    };
    let warning = declared
        .filter(|(_, encoding)| !is_said(encoding, &decoded))
        .map(|(label, _)| format!("the page says that it is {label}; it is {}", decoded.encoding));
    Ok((decoded, warning))
}

/// Whether a page that says so may be in the encoding in which it was read.
fn is_said(said: &Encoding, decoded: &Decoded) -> bool {
    if decoded.text.is_ascii() || decoded.encoding.starts_with("utf-16") {
        return true;
    }
    match decoded.encoding {
        "gb18030" => said == GBK || said == GB18030,
        "big5" => said == BIG5,
        _ => said == encoding_rs::UTF_8,
    }
}

/// The encoding that the head of a page names, with the name as written.
fn declared_encoding(bytes: &[u8]) -> Option<(String, &'static Encoding)> {
    const HEAD: usize = 8 << 10;
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(HEAD)]).to_ascii_lowercase();
    let meta = head.match_indices("<meta").find_map(|(at, _)| {
        let tag = &head[at..];
        let tag = &tag[..tag.find('>').unwrap_or(tag.len())];
        tag.split_once("charset").map(|(_, rest)| rest.trim_start().to_owned())
    })?;
    let label = meta.strip_prefix('=')?.trim_start_matches(['"', '\'', ' ']);
    let end = label.find(|sign: char| !(sign.is_ascii_alphanumeric() || matches!(sign, '-' | '_' | ':' | '.')));
    let label = &label[..end.unwrap_or(label.len())];
    Encoding::for_label(label.as_bytes()).map(|encoding| (label.to_owned(), encoding))
}

fn refuse_mojibake(decoded: Decoded) -> Result<Decoded, ReadError> {
    for (sign, description) in MOJIBAKE {
        if let Some(offset) = decoded.text.find(sign) {
            let line = 1 + decoded.text[..offset].matches('\n').count();
            return Err(ReadError::Mojibake { line: u32::try_from(line).unwrap_or(u32::MAX), sign: description });
        }
    }
    Ok(decoded)
}

fn decode_unchecked(bytes: &[u8]) -> Result<Decoded, ReadError> {
    for (bom, encoding, name) in [(b"\xFF\xFE", UTF_16LE, "utf-16le"), (b"\xFE\xFF", UTF_16BE, "utf-16be")] {
        if let Some(rest) = bytes.strip_prefix(bom) {
            let text = decode_strictly(encoding, rest)
                .map_err(|offset| ReadError::BrokenUtf16 { encoding: name, offset: offset + 2 })?;
            return Ok(Decoded { text, encoding: name });
        }
    }
    let (rest, encoding) = match bytes.strip_prefix(b"\xEF\xBB\xBF") {
        Some(rest) => (rest, "utf-8-bom"),
        None => (bytes, "utf-8"),
    };
    let error = match std::str::from_utf8(rest) {
        Ok(text) => return Ok(Decoded { text: text.to_owned(), encoding }),
        Err(error) => error,
    };
    let valid = error.valid_up_to();
    let refuse = |gb18030| ReadError::Encoding { utf8_offset: valid + bytes.len() - rest.len(), gb18030 };
    if rest.len() != bytes.len() {
        // The mark says UTF-8, so GB18030 is out of the question.
        return Err(refuse(Gb18030Refusal::Mixed));
    }
    let text = decode_strictly(GB18030, bytes).map_err(|offset| refuse(Gb18030Refusal::Offset { offset }))?;
    let prefix = std::str::from_utf8(&bytes[..valid]).unwrap_or_default();
    if prefix.chars().filter(|character| *character >= '\u{2E80}').count() >= UTF8_EVIDENCE {
        return Err(refuse(Gb18030Refusal::Mixed));
    }
    let (common, outside_ascii) = count_common(&text);
    if common * 100 < outside_ascii * COMMON_SHARE_PCT {
        let share_pct = u8::try_from(common * 100 / outside_ascii.max(1)).unwrap_or(100);
        return Err(refuse(Gb18030Refusal::Implausible { share_pct }));
    }
    Ok(Decoded { text, encoding: "gb18030" })
}

/// Bytes as GB18030; none where they are not.
pub(super) fn decode_gb18030(bytes: &[u8]) -> Option<String> {
    decode_strictly(GB18030, bytes).ok()
}

/// The decoded text, or the offset of the first byte that the encoding does not have.
fn decode_strictly(encoding: &'static Encoding, bytes: &[u8]) -> Result<String, usize> {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let capacity = decoder.max_utf8_buffer_length_without_replacement(bytes.len()).unwrap_or(bytes.len());
    let mut text = String::with_capacity(capacity);
    match decoder.decode_to_string_without_replacement(bytes, &mut text, true) {
        (DecoderResult::InputEmpty, _) => Ok(text),
        (DecoderResult::Malformed(bad, after), read) => Err(read.saturating_sub(usize::from(bad) + usize::from(after))),
        (DecoderResult::OutputFull, read) => Err(read),
    }
}

/// How many characters are in GB 2312, and how many are outside ASCII.
fn count_common(text: &str) -> (usize, usize) {
    let (mut common, mut outside_ascii) = (0, 0);
    let mut buffer = [0_u8; 4];
    for character in text.chars().filter(|character| !character.is_ascii()) {
        outside_ascii += 1;
        let (encoded, _, has_failed) = GBK.encode(character.encode_utf8(&mut buffer));
        if let ([lead, trail], false) = (&*encoded, has_failed) {
            // Rows 1 to 9 of GB 2312 are signs, 16 to 87 its 6 763 hanzi.
            let is_common = (0xA1..=0xA9).contains(lead) || (0xB0..=0xF7).contains(lead);
            common += usize::from(is_common && *trail >= 0xA1);
        }
    }
    (common, outside_ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "date,hour,城市,一氧化碳\n20190301,1,攀枝花,0.8\n20190301,1,凉山州,0.6\n";

    fn gb(text: &str) -> Vec<u8> {
        GB18030.encode(text).0.into_owned()
    }

    #[test]
    fn gb18030_is_told_from_utf8() {
        let decoded = decode(&gb(TEXT)).expect("a GB18030 text");
        assert_eq!((decoded.text.as_str(), decoded.encoding), (TEXT, "gb18030"));
        assert_eq!(decode(TEXT.as_bytes()).expect("a UTF-8 text").encoding, "utf-8");
    }

    #[test]
    fn one_broken_byte_is_refused_with_its_offset() {
        let mut bytes = gb(TEXT);
        let last = bytes.len() - 8;
        bytes[last] = 0xFF;
        let Err(ReadError::Encoding { gb18030: Gb18030Refusal::Offset { offset }, .. }) = decode(&bytes) else {
            panic!("a broken byte was accepted")
        };
        assert!(offset.abs_diff(last) <= 1, "{offset} / {last}");
    }

    #[test]
    fn two_encodings_in_one_file_are_refused() {
        let halves = [TEXT.as_bytes(), &gb(TEXT)].concat();
        let Err(ReadError::Encoding { utf8_offset, .. }) = decode(&halves) else { panic!("accepted") };
        assert_eq!(utf8_offset, TEXT.len() + "date,hour,".len());
        let halves = [&gb(TEXT), TEXT.as_bytes()].concat();
        assert!(matches!(decode(&halves), Err(ReadError::Encoding { .. })));
    }

    #[test]
    fn big5_is_not_taken_for_gb18030() {
        let (bytes, _, _) = encoding_rs::BIG5.encode("縣市,時間,一氧化碳濃度,臭氧濃度\n臺北市,八月,零點五,十二\n");
        assert!(matches!(decode(&bytes), Err(ReadError::Encoding { .. })));
    }

    #[test]
    fn text_decoded_twice_is_refused() {
        assert!(matches!(decode("a\nb,锟斤拷\n".as_bytes()), Err(ReadError::Mojibake { line: 2, .. })));
    }

    #[test]
    fn utf16_is_read_by_its_mark() {
        let mut bytes = vec![0xFF, 0xFE];
        bytes.extend("城市\t值\n".encode_utf16().flat_map(u16::to_le_bytes));
        assert_eq!(decode(&bytes).expect("UTF-16").text, "城市\t值\n");
    }
}
