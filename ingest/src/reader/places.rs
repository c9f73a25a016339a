//! Line and character of a place in a text.

/// Line and character of every so many bytes, so that a place is found without reading the text from its beginning.
/// A line ends at LF, at CR, or at both together; lines and characters count from 1.
pub(super) struct Places(Vec<(usize, u32, u32)>);

impl Places {
    const EVERY: usize = 512;

    pub(super) fn new(text: &str) -> Self {
        let (mut marks, mut place) = (vec![(0, 1, 1)], (1, 1));
        for (offset, character) in text.char_indices() {
            if offset >= marks.len() * Self::EVERY {
                marks.push((offset, place.0, place.1));
            }
            place = after(place, character, text.as_bytes().get(offset + 1));
        }
        Self(marks)
    }

    /// Line and character of a byte, which begins a character of the text.
    pub(super) fn at(&self, text: &str, offset: usize) -> (u32, u32) {
        let mark = self.0.partition_point(|(start, ..)| *start <= offset).saturating_sub(1);
        let (start, line, column) = self.0[mark];
        let mut place = (line, column);
        for (passed, character) in text[start..offset].char_indices() {
            place = after(place, character, text.as_bytes().get(start + passed + 1));
        }
        place
    }
}

fn after((line, column): (u32, u32), character: char, next: Option<&u8>) -> (u32, u32) {
    // A CR before an LF is half of one line end; alone it is a whole one.
    if character == '\n' || (character == '\r' && next != Some(&b'\n')) {
        return (line.saturating_add(1), 1);
    }
    (line, column.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_at_lf_cr_or_both() {
        let text = "甲\r\n乙丙\r丁\n戊";
        let places = Places::new(text);
        for (sign, place) in [("甲", (1, 1)), ("乙", (2, 1)), ("丙", (2, 2)), ("丁", (3, 1)), ("戊", (4, 1))] {
            assert_eq!(places.at(text, text.find(sign).expect("a sign")), place, "{sign}");
        }
    }
}
