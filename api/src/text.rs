//! Text for terminals of 80 columns. A Chinese character takes two.

use std::fmt;

/// Columns of a terminal.
pub const COLUMNS: usize = 80;

/// Columns that a text takes.
pub fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

fn char_width(character: char) -> usize {
    let is_wide = matches!(character,
        '\u{1100}'..='\u{115F}' | '\u{2E80}'..='\u{303E}' | '\u{3041}'..='\u{33FF}' | '\u{3400}'..='\u{4DBF}'
        | '\u{4E00}'..='\u{9FFF}' | '\u{A000}'..='\u{A4CF}' | '\u{AC00}'..='\u{D7A3}' | '\u{F900}'..='\u{FAFF}'
        | '\u{FE30}'..='\u{FE4F}' | '\u{FF00}'..='\u{FF60}' | '\u{FFE0}'..='\u{FFE6}' | '\u{1F300}'..='\u{1FAFF}'
        | '\u{20000}'..='\u{3FFFD}');
    if is_wide { 2 } else { usize::from(!character.is_control()) }
}

/// The text on one line, at most so many columns; what is left out is marked.
pub fn cut(text: &str, columns: usize) -> String {
    let line: String = text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect();
    if width(&line) <= columns {
        return line;
    }
    let mut taken = String::new();
    let mut left = columns.saturating_sub(1);
    for character in line.chars() {
        match left.checked_sub(char_width(character)) {
            Some(rest) => left = rest,
            None => break,
        }
        taken.push(character);
    }
    taken.push('…');
    taken
}

/// Lines that fit the terminal, the first after `first` and the others after `others`. Ends with a line break.
pub fn wrapped(text: &str, first: &str, others: &str) -> String {
    let mut lines = String::new();
    let mut line = first.to_owned();
    let mut is_begun = false;
    for word in text.split_whitespace() {
        let mut word = word;
        let gap = usize::from(is_begun);
        if is_begun && width(&line) + gap + width(word) > COLUMNS {
            lines.push_str(line.trim_end());
            lines.push('\n');
            line = others.to_owned();
            is_begun = false;
        }
        if is_begun {
            line.push(' ');
        }
        // A word of Chinese may be longer than a line.
        while width(&line) + width(word) > COLUMNS {
            let mut room = COLUMNS.saturating_sub(width(&line));
            let mut end = 0;
            for (at, character) in word.char_indices() {
                let Some(rest) = room.checked_sub(char_width(character)) else { break };
                room = rest;
                end = at + character.len_utf8();
            }
            if end == 0 {
                break;
            }
            line.push_str(&word[..end]);
            word = &word[end..];
            lines.push_str(&line);
            lines.push('\n');
            line = others.to_owned();
        }
        line.push_str(word);
        is_begun = true;
    }
    lines.push_str(line.trim_end());
    lines.push('\n');
    lines
}

/// A table whose first column is text and whose others are numbers, within the terminal.
pub struct Aligned {
    rows: Vec<Vec<String>>,
}

impl Aligned {
    /// With these headings.
    pub fn new(headings: &[&str]) -> Self {
        Self { rows: vec![headings.iter().map(|heading| (*heading).to_owned()).collect()] }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: &[String]) {
        self.rows.push(cells.to_vec());
    }
}

impl fmt::Display for Aligned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let widths: Vec<usize> = (0..count)
            .map(|column| self.rows.iter().filter_map(|row| row.get(column)).map(|cell| width(cell)).max().unwrap_or(0))
            .collect();
        let numbers: usize = widths.iter().skip(1).map(|width| width + 2).sum();
        let first = widths.first().copied().unwrap_or_default().min(COLUMNS.saturating_sub(numbers));
        for row in &self.rows {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                if column == 0 {
                    let cell = cut(cell, first);
                    line.push_str(&cell);
                    line.extend(std::iter::repeat_n(' ', first - width(&cell)));
                } else {
                    let gap = widths[column] + 2 - width(cell);
                    line.extend(std::iter::repeat_n(' ', gap));
                    line.push_str(cell);
                }
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_whatever_they_hold() {
        let chinese = "地方政府一般债务限额及余额决算情况表".repeat(9);
        for text in ["one two three", &"word ".repeat(60), &chinese, &format!("a {chinese} b")] {
            let lines = wrapped(text, "", "    ");
            assert!(lines.lines().all(|line| width(line) <= COLUMNS), "{lines}");
            let plain = |text: &str| text.split_whitespace().collect::<String>();
            assert_eq!(plain(&lines), plain(text));
        }
    }

    #[test]
    fn what_is_cut_is_marked() {
        assert_eq!(cut("债务限额", 8), "债务限额");
        assert_eq!(cut("债务限额", 7), "债务限…");
        assert_eq!(cut("a\nb", 3), "a b");
    }
}
