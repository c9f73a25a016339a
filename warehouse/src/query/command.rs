//! What a client of a session-keeping protocol may say besides a query: settings, transactions, cursors' remains, and `COPY … TO
//! STDOUT`.
//!
//! The text is only tokenised, within the limits of every statement. What is recognised here never reaches the engine; a query
//! is handed on as it was written.

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

use super::error::{Dimension, QueryError};
use super::scan::TextLimits;
use super::search_path::SearchPath;

/// One statement of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// A query, to be planned like every other.
    Query(String),
    /// `COPY (query) TO STDOUT` or `COPY table TO STDOUT`.
    Copy {
        /// The query.
        query: String,
        /// How rows are written.
        format: CopyFormat,
    },
    /// `SET name = value`; no value for `DEFAULT` and `RESET`.
    Set {
        /// Name in lower case.
        name: String,
        /// Value as text.
        value: Option<String>,
    },
    /// `SET LOCAL name = value`: until the transaction ends.
    SetLocal {
        /// Name in lower case.
        name: String,
        /// Value as text.
        value: Option<String>,
    },
    /// `SELECT set_config('name', 'value', is_local)`, and nothing else: `SET` with an answer.
    SetConfig {
        /// Name in lower case.
        name: String,
        /// Value as text.
        value: String,
        /// Whether it holds until the transaction ends.
        is_local: bool,
    },
    /// `SHOW name`.
    Show(String),
    /// `BEGIN` and `START TRANSACTION`.
    Begin,
    /// `COMMIT` and `END`.
    Commit,
    /// `ROLLBACK` and `ABORT`.
    Rollback,
    /// `SAVEPOINT name`. Nothing is written, so that no state belongs to it.
    Savepoint,
    /// `RELEASE name`.
    Release,
    /// `ROLLBACK TO name`: the transaction goes on.
    RollbackTo,
    /// `DISCARD …`: everything, all settings go back.
    Discard,
    /// `RESET ALL`: all settings go back, and statements stay prepared.
    ResetAll,
    /// `CLOSE name`: cursors live on the side of clients.
    Close,
    /// `UNLISTEN name`: there is nothing to listen to.
    Unlisten,
    /// `DEALLOCATE name`; none for all.
    Deallocate(Option<String>),
}

/// How `COPY` writes rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CopyFormat {
    /// Comma-separated values instead of text with tabs.
    pub is_csv: bool,
    /// Whether the first line names the columns.
    pub has_header: bool,
}

/// Takes a text apart into its statements.
///
/// # Errors
///
/// `sql_syntax`, `sql_too_complex`, and `statement_not_allowed` for `COPY … FROM`.
pub fn commands(text: &str, limits: &TextLimits) -> Result<Vec<Command>, QueryError> {
    if text.len() > limits.bytes {
        return Err(QueryError::TooComplex { dimension: Dimension::Bytes, found: text.len(), limit: limits.bytes });
    }
    let tokens = Tokenizer::new(&GenericDialect, text)
        .tokenize_with_location()
        .map_err(|error| QueryError::syntax(error.to_string()))?;
    let tokens: Vec<TokenWithSpan> =
        tokens.into_iter().filter(|token| !matches!(token.token, Token::Whitespace(_) | Token::EOF)).collect();
    if tokens.len() > limits.tokens {
        return Err(QueryError::TooComplex { dimension: Dimension::Tokens, found: tokens.len(), limit: limits.tokens });
    }
    let source = Source::new(text);
    tokens
        .split(|token| token.token == Token::SemiColon)
        .filter(|statement| !statement.is_empty())
        .map(|statement| command(statement, &source))
        .collect()
}

/// Finds the bytes of tokens in their text.
struct Source<'a> {
    text: &'a str,
    lines: Vec<usize>,
}

impl<'a> Source<'a> {
    fn new(text: &'a str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self { text, lines: std::iter::once(0).chain(breaks).collect() }
    }

    /// Byte of a place; lines and columns count from 1, columns in characters.
    fn byte(&self, place: Location) -> usize {
        let line = usize::try_from(place.line.saturating_sub(1)).unwrap_or(usize::MAX);
        let Some(start) = self.lines.get(line).copied() else { return self.text.len() };
        let column = usize::try_from(place.column.saturating_sub(1)).unwrap_or(usize::MAX);
        let rest = &self.text[start..];
        rest.char_indices().nth(column).map_or(self.text.len(), |(at, _)| start + at)
    }

    /// The text of some tokens in a row.
    fn of(&self, tokens: &[TokenWithSpan]) -> String {
        match (tokens.first(), tokens.last()) {
            (Some(first), Some(last)) => {
                let (from, to) = (self.byte(first.span.start), self.byte(last.span.end));
                self.text.get(from..to).unwrap_or_default().to_owned()
            }
            _ => String::new(),
        }
    }
}

fn keyword(token: Option<&TokenWithSpan>) -> Keyword {
    match token.map(|token| &token.token) {
        Some(Token::Word(word)) if word.quote_style.is_none() => word.keyword,
        _ => Keyword::NoKeyword,
    }
}

fn word(token: Option<&TokenWithSpan>) -> Option<String> {
    match token.map(|token| &token.token) {
        Some(Token::Word(word)) => Some(word.value.to_lowercase()),
        _ => None,
    }
}

fn command(tokens: &[TokenWithSpan], source: &Source<'_>) -> Result<Command, QueryError> {
    let first = keyword(tokens.first());
    Ok(match first {
        Keyword::SET => match set(&tokens[1..])? {
            Command::Set { name, value } if keyword(tokens.get(1)) == Keyword::LOCAL => {
                Command::SetLocal { name, value }
            }
            command => command,
        },
        Keyword::RESET => match word(tokens.get(1)) {
            Some(name) if name == "all" => Command::ResetAll,
            Some(_) => Command::Set { name: name_of(&tokens[1..]), value: None },
            None => return Err(QueryError::syntax("RESET needs a name")),
        },
        Keyword::SHOW => show(&tokens[1..])?,
        Keyword::BEGIN | Keyword::START => Command::Begin,
        Keyword::COMMIT | Keyword::END => Command::Commit,
        Keyword::ROLLBACK if tokens.iter().any(|token| keyword(Some(token)) == Keyword::TO) => Command::RollbackTo,
        Keyword::ROLLBACK | Keyword::ABORT => Command::Rollback,
        Keyword::SAVEPOINT => Command::Savepoint,
        Keyword::RELEASE => Command::Release,
        Keyword::DISCARD => Command::Discard,
        Keyword::CLOSE => Command::Close,
        Keyword::UNLISTEN => Command::Unlisten,
        Keyword::DEALLOCATE => {
            let mut names = tokens[1..].iter().filter(|token| keyword(Some(token)) != Keyword::PREPARE);
            Command::Deallocate(word(names.next_back()).filter(|name| name != "all"))
        }
        Keyword::COPY => copy(&tokens[1..], source)?,
        _ => set_config(tokens).unwrap_or_else(|| Command::Query(source.of(tokens))),
    })
}

/// `SELECT set_config(…)` with literals. As a part of something else the function says what would be set.
fn set_config(tokens: &[TokenWithSpan]) -> Option<Command> {
    let tokens: Vec<&Token> = tokens.iter().take(MOST_OF_SET_CONFIG + 1).map(|token| &token.token).collect();
    let [Token::Word(select), call @ ..] = tokens.as_slice() else { return None };
    let call = match call {
        [Token::Word(schema), Token::Period, call @ ..] if schema.value.eq_ignore_ascii_case("pg_catalog") => call,
        call => call,
    };
    let [
        Token::Word(function),
        Token::LParen,
        Token::SingleQuotedString(name),
        Token::Comma,
        Token::SingleQuotedString(value),
        Token::Comma,
        Token::Word(is_local),
        Token::RParen,
    ] = call
    else {
        return None;
    };
    let is_local = match is_local.keyword {
        Keyword::TRUE => true,
        Keyword::FALSE => false,
        _ => return None,
    };
    let is_it = select.keyword == Keyword::SELECT && function.value.eq_ignore_ascii_case("set_config");
    is_it.then(|| Command::SetConfig { name: name.to_lowercase(), value: value.clone(), is_local })
}

/// Tokens of the longest `SELECT set_config(…)`.
const MOST_OF_SET_CONFIG: usize = 11;

/// A name with points, in lower case, from the beginning of the tokens.
fn name_of(tokens: &[TokenWithSpan]) -> String {
    let parts = tokens.iter().map_while(|token| match &token.token {
        Token::Word(word) => Some(word.value.to_lowercase()),
        Token::Period => Some(".".to_owned()),
        _ => None,
    });
    let mut name = String::new();
    let mut is_after_word = false;
    for part in parts {
        // Two words in a row are no name any more.
        if part != "." && is_after_word {
            break;
        }
        is_after_word = part != ".";
        name.push_str(&part);
    }
    name
}

fn set(tokens: &[TokenWithSpan]) -> Result<Command, QueryError> {
    let tokens = match keyword(tokens.first()) {
        Keyword::SESSION | Keyword::LOCAL if keyword(tokens.get(1)) != Keyword::NoKeyword || tokens.len() > 2 => {
            &tokens[1..]
        }
        _ => tokens,
    };
    if keyword(tokens.first()) == Keyword::TIME && keyword(tokens.get(1)) == Keyword::ZONE {
        return Ok(Command::Set { name: "timezone".into(), value: value_of(&tokens[2..]) });
    }
    // SET TRANSACTION …, SET SESSION CHARACTERISTICS AS TRANSACTION …: everything here is read-only anyway.
    if matches!(keyword(tokens.first()), Keyword::TRANSACTION | Keyword::CHARACTERISTICS) {
        return Ok(Command::Set { name: "transaction".into(), value: value_of(&tokens[1..]) });
    }
    if keyword(tokens.first()) == Keyword::NAMES {
        return Ok(Command::Set { name: "client_encoding".into(), value: value_of(&tokens[1..]) });
    }
    if word(tokens.first()).as_deref() == Some("schema") && tokens.len() == 2 {
        return Ok(Command::Set { name: "search_path".into(), value: path_of(&tokens[1..])? });
    }
    let name = name_of(tokens);
    let at = tokens.iter().position(|token| {
        token.token == Token::Eq || (matches!(&token.token, Token::Word(word) if word.keyword == Keyword::TO))
    });
    match at {
        Some(at) if name == "search_path" => Ok(Command::Set { name, value: path_of(&tokens[at + 1..])? }),
        Some(at) if !name.is_empty() => Ok(Command::Set { name, value: value_of(&tokens[at + 1..]) }),
        _ => Err(QueryError::syntax("expected SET name = value")),
    }
}

/// A list of schemas as text; none for `DEFAULT`. Each is a name, or a text that is a name as it stands.
fn path_of(tokens: &[TokenWithSpan]) -> Result<Option<String>, QueryError> {
    if keyword(tokens.first()) == Keyword::DEFAULT {
        return Ok(None);
    }
    let names = tokens.split(|token| token.token == Token::Comma).map(|name| match name {
        [TokenWithSpan { token: Token::SingleQuotedString(text), .. }] => Ok(text.clone()),
        [TokenWithSpan { token: Token::Word(word), .. }] if word.quote_style.is_some() => Ok(word.value.clone()),
        [TokenWithSpan { token: Token::Word(word), .. }] => Ok(word.value.to_lowercase()),
        _ => Err(QueryError::syntax("expected names of schemas with commas between them")),
    });
    Ok(Some(SearchPath::of(names.collect::<Result<Vec<_>, _>>()?).to_string()))
}

/// A value as text; none for `DEFAULT`.
fn value_of(tokens: &[TokenWithSpan]) -> Option<String> {
    if keyword(tokens.first()) == Keyword::DEFAULT {
        return None;
    }
    let mut value = String::new();
    for token in tokens {
        let part = match &token.token {
            Token::SingleQuotedString(text) => text.clone(),
            Token::Word(word) => word.value.clone(),
            other => other.to_string(),
        };
        if !value.is_empty() && part != "," && !value.ends_with('-') && part != "." {
            value.push(' ');
        }
        value.push_str(&part);
    }
    Some(value)
}

fn show(tokens: &[TokenWithSpan]) -> Result<Command, QueryError> {
    if keyword(tokens.first()) == Keyword::TRANSACTION {
        return Ok(Command::Show("transaction_isolation".into()));
    }
    if keyword(tokens.first()) == Keyword::TIME && keyword(tokens.get(1)) == Keyword::ZONE {
        return Ok(Command::Show("timezone".into()));
    }
    match name_of(tokens) {
        name if name.is_empty() => Err(QueryError::syntax("expected SHOW name")),
        name => Ok(Command::Show(name)),
    }
}

fn copy(tokens: &[TokenWithSpan], source: &Source<'_>) -> Result<Command, QueryError> {
    let (query, rest) = if tokens.first().is_some_and(|token| token.token == Token::LParen) {
        let mut depth = 0_usize;
        let close = tokens.iter().position(|token| {
            match token.token {
                Token::LParen => depth += 1,
                Token::RParen => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0
        });
        let close = close.ok_or_else(|| QueryError::syntax("COPY ( without its )"))?;
        (source.of(&tokens[1..close]), &tokens[close + 1..])
    } else {
        let end = tokens.iter().position(|token| matches!(keyword(Some(token)), Keyword::TO | Keyword::FROM));
        let end = end.ok_or_else(|| QueryError::syntax("expected COPY … TO STDOUT"))?;
        (format!("SELECT * FROM {}", source.of(&tokens[..end])), &tokens[end..])
    };
    let is_out = keyword(rest.first()) == Keyword::TO && keyword(rest.get(1)) == Keyword::STDOUT;
    if !is_out {
        return Err(QueryError::not_allowed("COPY other than TO STDOUT"));
    }
    let mut format = CopyFormat::default();
    for option in &rest[2..] {
        match (&option.token, keyword(Some(option))) {
            (_, Keyword::CSV) => format.is_csv = true,
            (_, Keyword::HEADER) => format.has_header = true,
            (_, Keyword::FALSE | Keyword::OFF) => format.has_header = false,
            (_, Keyword::WITH | Keyword::FORMAT | Keyword::TEXT | Keyword::TRUE | Keyword::ON) => {}
            (Token::LParen | Token::RParen | Token::Comma, _) => {}
            (Token::SingleQuotedString(text), _) if text.eq_ignore_ascii_case("csv") => format.is_csv = true,
            (Token::SingleQuotedString(text), _) if text.eq_ignore_ascii_case("text") => {}
            (other, _) => {
                return Err(QueryError::syntax(format!(
                    "COPY does not know {other}; expected FORMAT csv or text, HEADER"
                )));
            }
        }
    }
    Ok(Command::Copy { query, format })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Command {
        let mut all = commands(text, &TextLimits::default()).expect("statements");
        assert_eq!(all.len(), 1, "{text}");
        all.remove(0)
    }

    fn set(name: &str, value: &str) -> Command {
        Command::Set { name: name.into(), value: Some(value.into()) }
    }

    fn local(name: &str, value: Option<&str>) -> Command {
        Command::SetLocal { name: name.into(), value: value.map(str::to_owned) }
    }

    #[test]
    fn settings_have_the_spellings_of_clients() {
        for (text, command) in [
            ("SET extra_float_digits = 3", set("extra_float_digits", "3")),
            ("set session application_name to 'DBeaver 24.1'", set("application_name", "DBeaver 24.1")),
            ("SET TIME ZONE 'Asia/Shanghai'", set("timezone", "Asia/Shanghai")),
            ("SET gongkai.as_of = '2024-05-01'", set("gongkai.as_of", "2024-05-01")),
            ("SET statement_timeout TO -1", set("statement_timeout", "-1")),
            ("SET DateStyle = ISO, MDY", set("datestyle", "ISO, MDY")),
            ("SET search_path = Catalog, open", set("search_path", "catalog, open")),
            ("SET SESSION search_path TO 'ref','My, own',\"$user\"", set("search_path", "ref, \"My, own\", \"$user\"")),
            ("SET search_path = ''", set("search_path", "\"\"")),
            ("SET SCHEMA 'ref'", set("search_path", "ref")),
            ("SET search_path TO DEFAULT", Command::Set { name: "search_path".into(), value: None }),
            ("SET LOCAL search_path = ref", local("search_path", Some("ref"))),
            ("SET LOCAL gongkai.as_of TO DEFAULT", local("gongkai.as_of", None)),
            ("RESET timezone", Command::Set { name: "timezone".into(), value: None }),
            ("SET x TO DEFAULT", Command::Set { name: "x".into(), value: None }),
            ("SHOW transaction isolation level", Command::Show("transaction_isolation".into())),
            ("SHOW gongkai.as_of;", Command::Show("gongkai.as_of".into())),
            ("START TRANSACTION READ ONLY", Command::Begin),
            ("DEALLOCATE ALL", Command::Deallocate(None)),
            ("DEALLOCATE PREPARE s1", Command::Deallocate(Some("s1".into()))),
            ("DISCARD ALL", Command::Discard),
            ("RESET ALL", Command::ResetAll),
            ("CLOSE ALL", Command::Close),
            ("UNLISTEN *", Command::Unlisten),
            ("SAVEPOINT \"_pg3_1\"", Command::Savepoint),
            ("RELEASE SAVEPOINT s", Command::Release),
            ("ROLLBACK TO \"_pg3_1\"", Command::RollbackTo),
            ("ROLLBACK WORK", Command::Rollback),
        ] {
            assert_eq!(one(text), command, "{text}");
        }
    }

    #[test]
    fn a_setting_that_is_selected_alone_is_set() {
        let set = |is_local| Command::SetConfig { name: "search_path".into(), value: "catalog, open".into(), is_local };
        assert_eq!(one("SELECT set_config('search_path', 'catalog, open', false)"), set(false));
        assert_eq!(one("select pg_catalog.Set_Config('SEARCH_PATH','catalog, open',true);"), set(true));
        for other in [
            "SELECT set_config('search_path', 'ref', false), 1",
            "SELECT set_config('search_path', $1, false)",
            "SELECT set_config('search_path', 'ref')",
            "SELECT 1",
        ] {
            assert_eq!(one(other), Command::Query(other.into()), "{other}");
        }
        for wrong in ["SET search_path = a b", "SET search_path = a,", "SET search_path =", "SET search_path = a.b"] {
            assert_eq!(commands(wrong, &TextLimits::default()).expect_err(wrong).code(), "sql_syntax", "{wrong}");
        }
    }

    #[test]
    fn queries_stay_as_they_were_written() {
        let text = "SELECT '；a;b''c' AS \"列\"\n  FROM t -- 注\n WHERE x = 1";
        assert_eq!(one(text), Command::Query(text.into()));
        let two = commands("BEGIN; SELECT '中文;' ; COMMIT;", &TextLimits::default()).expect("statements");
        assert_eq!(two, [Command::Begin, Command::Query("SELECT '中文;'".into()), Command::Commit]);
        assert_eq!(commands(" ; ;", &TextLimits::default()).expect("none"), []);
    }

    #[test]
    fn rows_are_copied_out_and_never_in() {
        let csv = CopyFormat { is_csv: true, has_header: true };
        for (text, query, format) in [
            ("COPY (SELECT a, (1) FROM t) TO STDOUT WITH (FORMAT csv, HEADER true)", "SELECT a, (1) FROM t", csv),
            ("COPY  ( SELECT 1 ) TO STDOUT csv header", "SELECT 1", csv),
            ("COPY open.debt_stock TO STDOUT", "SELECT * FROM open.debt_stock", CopyFormat::default()),
        ] {
            assert_eq!(one(text), Command::Copy { query: query.into(), format }, "{text}");
        }
        for text in ["COPY t FROM STDIN", "COPY t TO '/tmp/x'", "COPY (SELECT 1) TO PROGRAM 'sh'"] {
            let error = commands(text, &TextLimits::default()).expect_err(text);
            assert_eq!(error.code(), "statement_not_allowed", "{text}");
        }
        assert!(commands("COPY (SELECT 1", &TextLimits::default()).is_err());
        assert!(commands("COPY t TO STDOUT (FORMAT binary)", &TextLimits::default()).is_err());
    }
}
