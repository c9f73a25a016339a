//! Lists as texts, in the form of PostgreSQL: `{a,"b, c",NULL}`.
//!
//! Every door that has a list for a parameter hands it over like this, whatever form its client sent it in.

use std::iter::Peekable;
use std::str::CharIndices;

/// Writes a list of values; none for NULL.
pub fn write_list<T: AsRef<str>>(values: impl IntoIterator<Item = Option<T>>) -> String {
    let written = values.into_iter().map(|value| match value {
        Some(text) => format!("\"{}\"", text.as_ref().replace('\\', "\\\\").replace('"', "\\\"")),
        None => "NULL".to_owned(),
    });
    format!("{{{}}}", written.collect::<Vec<_>>().join(","))
}

/// Reads a list of one dimension; none for a text that is no such list.
pub(super) fn read_list(text: &str) -> Option<Vec<Option<String>>> {
    let inner = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    let mut values = Vec::new();
    if inner.trim().is_empty() {
        return Some(values);
    }
    let mut characters = inner.char_indices().peekable();
    loop {
        values.push(value(inner, &mut characters)?);
        match characters.next() {
            Some((_, ',')) => {}
            Some(_) => return None,
            None => return Some(values),
        }
    }
}

fn skip_blanks(characters: &mut Peekable<CharIndices<'_>>) {
    while characters.next_if(|(_, character)| character.is_whitespace()).is_some() {}
}

/// The value at the beginning of the rest, up to the comma after it; the outer none is for what is no value.
fn value(inner: &str, characters: &mut Peekable<CharIndices<'_>>) -> Option<Option<String>> {
    skip_blanks(characters);
    let mut text = String::new();
    if characters.next_if(|(_, character)| *character == '"').is_some() {
        loop {
            match characters.next()?.1 {
                '"' => break,
                '\\' => text.push(characters.next()?.1),
                character => text.push(character),
            }
        }
        skip_blanks(characters);
        return Some(Some(text));
    }
    let start = characters.peek().map_or(inner.len(), |(at, _)| *at);
    let mut kept = 0;
    while let Some((_, character)) = characters.next_if(|(_, character)| *character != ',') {
        match character {
            // A list in a list, or a mark that was not doubled.
            '{' | '}' | '"' => return None,
            '\\' => {
                text.push(characters.next()?.1);
                kept = text.len();
            }
            character => {
                text.push(character);
                if !character.is_whitespace() {
                    kept = text.len();
                }
            }
        }
    }
    text.truncate(kept);
    let is_null = text.eq_ignore_ascii_case("null") && inner[start..].starts_with(text.as_str());
    match text.is_empty() {
        true => None,
        false => Some((!is_null).then_some(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_as_postgresql_reads_them() {
        let text = |text: &str| Some(text.to_owned());
        for (written, values) in [
            ("{}", vec![]),
            (" { } ", vec![]),
            ("{1,2}", vec![text("1"), text("2")]),
            ("{ a b , c }", vec![text("a b"), text("c")]),
            ("{NULL,null,\"NULL\",nully}", vec![None, None, text("NULL"), text("nully")]),
            (r#"{"a,b","c\"d\\",""}"#, vec![text("a,b"), text("c\"d\\"), text("")]),
            (r"{a\,b,\{}", vec![text("a,b"), text("{")]),
            ("{攀枝花市,\"成都市\"}", vec![text("攀枝花市"), text("成都市")]),
        ] {
            assert_eq!(read_list(written), Some(values), "{written}");
        }
        for wrong in
            ["", "1", "{1", "1}", "{1,}", "{,1}", "{{1},{2}}", "[1:2]={1,2}", "{\"a}", "{a\"b\"}", "{\"a\"b}", "{\\}"]
        {
            assert_eq!(read_list(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_written_reads_the_same() {
        let values = [Some("a"), None, Some(""), Some("NULL"), Some("{\"\\,}"), Some(" 中 ")];
        let owned: Vec<Option<String>> = values.iter().map(|value| value.map(str::to_owned)).collect();
        assert_eq!(read_list(&write_list(values)), Some(owned));
        assert_eq!(write_list([Some("1"), None]), r#"{"1",NULL}"#);
    }
}
