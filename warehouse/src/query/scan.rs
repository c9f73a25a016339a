//! The look at a statement before anything parses it.
//!
//! The parser backtracks: some statements of a hundred bytes keep it busy for hours, others of 48 kB exhaust
//! the stack, and neither can be stopped from inside the process. So tokens are counted here, in one loop
//! without recursion, and whatever comes near the shapes that hurt is refused. The limits lie far below the
//! parser's own recursion limit, because running into that one is what makes it backtrack.
//!
//! It does not judge what a statement means. It refuses by the first word what is surely not a query, so that
//! the grammar of other statements is never entered.
//!
//! Invariant: a [`ScannedStatement`] holds one text within its limits; there is no other way to make one.

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer, Word};
use serde::{Deserialize, Serialize};

use super::error::{Dimension, QueryError};
use super::tokens::{calls, expects_operand, is_infix_word, is_keyword, nests_type, string_bytes};

/// How large and how deep a statement may be. The defaults are a third to a tenth of what was measured to hurt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextLimits {
    /// Bytes of text.
    pub bytes: usize,
    /// Tokens without white space and comments.
    pub tokens: usize,
    /// Brackets, prefix operators and `CASE` inside each other.
    pub nesting: usize,
    /// Function calls, lists, structs and `CASE` inside each other.
    pub function_nesting: usize,
    /// Queries inside each other.
    pub query_nesting: usize,
    /// Prefix operators in a row.
    pub prefix_run: usize,
    /// Operators in all.
    pub operators: usize,
    /// `::` in all.
    pub casts: usize,
    /// Bytes of one string literal.
    pub string_bytes: usize,
    /// `UNION`, `INTERSECT`, `EXCEPT` in all.
    pub set_operations: usize,
    /// Relations, common table expressions multiplied out.
    pub relations: usize,
    /// Grouping sets, `CUBE` and `ROLLUP` multiplied out.
    pub grouping_sets: usize,
    /// Columns of the result.
    pub output_columns: usize,
}

impl Default for TextLimits {
    fn default() -> Self {
        Self {
            bytes: 64 << 10,
            tokens: 10_000,
            nesting: 24,
            function_nesting: 10,
            // Planning time doubles with each level of a subquery used as a value: 15 levels took seconds.
            query_nesting: 8,
            prefix_run: 16,
            operators: 500,
            casts: 100,
            string_bytes: 16 << 10,
            set_operations: 64,
            relations: 32,
            grouping_sets: 64,
            output_columns: 1_000,
        }
    }
}

/// A statement that passed [`scan`], with the limits it passed under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScannedStatement {
    text: String,
    limits: TextLimits,
}

impl ScannedStatement {
    /// The statement as it was given.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The limits that hold for the later stages too.
    pub fn limits(&self) -> &TextLimits {
        &self.limits
    }
}

/// Counts what makes parsing and planning expensive, and lets pass what stays below the limits.
///
/// # Errors
///
/// `sql_too_complex`, `statement_not_allowed` or `sql_syntax`.
pub fn scan(sql: &str, limits: &TextLimits) -> Result<ScannedStatement, QueryError> {
    within(Dimension::Bytes, sql.len(), limits.bytes)?;
    let tokens = Tokenizer::new(&GenericDialect, sql)
        .tokenize_with_location()
        .map_err(|error| QueryError::syntax(error.to_string()))?;
    let tokens: Vec<&TokenWithSpan> =
        tokens.iter().filter(|token| !matches!(token.token, Token::Whitespace(_) | Token::EOF)).collect();
    within(Dimension::Tokens, tokens.len(), limits.tokens)?;
    let mut counts = Counts::default();
    let mut before: Option<&Token> = None;
    for token in &tokens {
        counts.take(token, before, limits)?;
        before = Some(&token.token);
    }
    counts.finish()?;
    check_kind(&tokens)?;
    Ok(ScannedStatement { text: sql.to_owned(), limits: *limits })
}

fn within(dimension: Dimension, found: usize, limit: usize) -> Result<(), QueryError> {
    if found > limit { Err(QueryError::TooComplex { dimension, found, limit }) } else { Ok(()) }
}

/// One statement, and a query by its first word.
fn check_kind(tokens: &[&TokenWithSpan]) -> Result<(), QueryError> {
    let mut words = tokens.iter().map(|token| &token.token).skip_while(|token| **token == Token::LParen);
    let mut first = words.next();
    if is_keyword(first, Keyword::EXPLAIN) {
        first = words.next();
        if let Some(Token::Word(word)) = first
            && matches!(word.keyword, Keyword::ANALYZE | Keyword::VERBOSE | Keyword::FORMAT | Keyword::EXPLAIN)
        {
            return Err(QueryError::not_allowed(format!("EXPLAIN {}", word.value)));
        }
    }
    match first {
        Some(Token::Word(word)) if starts_query(word) => {}
        Some(Token::Word(word)) if word.quote_style.is_none() && word.keyword != Keyword::NoKeyword => {
            return Err(QueryError::not_allowed(&word.value));
        }
        Some(other) => return Err(QueryError::syntax(format!("expected SELECT, found {other}"))),
        None => return Err(QueryError::syntax("the statement is empty; expected SELECT")),
    }
    let mut after = tokens.iter().map(|token| &token.token).skip_while(|token| **token != Token::SemiColon);
    if after.any(|token| *token != Token::SemiColon) {
        return Err(QueryError::not_allowed("a second statement"));
    }
    Ok(())
}

fn starts_query(word: &Word) -> bool {
    word.quote_style.is_none()
        && matches!(word.keyword, Keyword::SELECT | Keyword::WITH | Keyword::VALUES | Keyword::TABLE | Keyword::FROM)
}

/// What closes a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closer {
    Paren,
    Bracket,
    Brace,
    End,
}

#[derive(Debug)]
struct Level {
    closer: Closer,
    is_function: bool,
    is_query: bool,
    /// The level itself and the prefix operators that it hangs under.
    weight: usize,
    /// `NOT` and lambda arrows whose operand is still open.
    open_prefixes: usize,
    line: u64,
    column: u64,
}

#[derive(Debug, Default)]
struct Counts {
    levels: Vec<Level>,
    depth: usize,
    functions: usize,
    queries: usize,
    type_brackets: usize,
    open_prefixes: usize,
    prefix_run: usize,
    operators: usize,
    casts: usize,
    set_operations: usize,
}

impl Counts {
    fn take(&mut self, at: &TokenWithSpan, before: Option<&Token>, limits: &TextLimits) -> Result<(), QueryError> {
        let token = &at.token;
        let run = self.prefix_run;
        self.prefix_run = 0;
        match token {
            Token::LParen => self.open(Closer::Paren, at, run, calls(before), limits)?,
            // The parser reads lists and structs more than once, as it does calls.
            Token::LBracket => {
                self.operator(limits)?;
                self.open(Closer::Bracket, at, run, true, limits)?;
            }
            Token::LBrace => self.open(Closer::Brace, at, run, true, limits)?,
            Token::RParen => self.close(Closer::Paren, at)?,
            Token::RBracket => self.close(Closer::Bracket, at)?,
            Token::RBrace => self.close(Closer::Brace, at)?,
            Token::Comma => self.set_open_prefixes(0),
            Token::DoubleColon => {
                self.casts += 1;
                within(Dimension::Casts, self.casts, limits.casts)?;
            }
            Token::Word(word) if word.quote_style.is_none() => self.word(word, at, before, run, limits)?,
            Token::Word(_)
            | Token::Number(..)
            | Token::Char(_)
            | Token::Period
            | Token::Colon
            | Token::SemiColon
            | Token::Placeholder(_)
            | Token::Backslash => {}
            token => match string_bytes(token) {
                Some(bytes) => within(Dimension::StringBytes, bytes, limits.string_bytes)?,
                None => self.symbol(token, before, run, limits)?,
            },
        }
        Ok(())
    }

    fn symbol(
        &mut self,
        token: &Token,
        before: Option<&Token>,
        run: usize,
        limits: &TextLimits,
    ) -> Result<(), QueryError> {
        self.operator(limits)?;
        match token {
            // A lambda's body reaches to the end of its argument.
            Token::Arrow => self.set_open_prefixes(self.current_open_prefixes() + 1),
            // ARRAY<ARRAY<…>> nests without brackets that close one by one.
            Token::Lt if nests_type(before) => {
                self.type_brackets += 1;
                within(Dimension::FunctionNesting, self.type_brackets, limits.function_nesting)?;
            }
            _ if expects_operand(before) => self.prefix(run, limits)?,
            _ => {}
        }
        within(Dimension::Nesting, self.depth + self.current_open_prefixes(), limits.nesting)
    }

    fn word(
        &mut self,
        word: &Word,
        at: &TokenWithSpan,
        before: Option<&Token>,
        run: usize,
        limits: &TextLimits,
    ) -> Result<(), QueryError> {
        if before == Some(&Token::Period) {
            return Ok(());
        }
        if before == Some(&Token::LParen) && starts_query(word) {
            self.enter_query(limits)?;
        }
        match word.keyword {
            Keyword::UNION | Keyword::INTERSECT | Keyword::EXCEPT | Keyword::MINUS => {
                self.set_operations += 1;
                self.set_open_prefixes(0);
                within(Dimension::SetOperations, self.set_operations, limits.set_operations)
            }
            Keyword::CASE => self.open(Closer::End, at, run, true, limits),
            Keyword::END => {
                if self.levels.last().is_some_and(|level| level.closer == Closer::End) {
                    self.leave();
                }
                Ok(())
            }
            Keyword::NOT if expects_operand(before) => {
                self.operator(limits)?;
                self.prefix(run, limits)?;
                self.set_open_prefixes(self.current_open_prefixes() + 1);
                within(Dimension::Nesting, self.depth + self.current_open_prefixes(), limits.nesting)
            }
            Keyword::INTERVAL | Keyword::PRIOR | Keyword::CONNECT_BY_ROOT | Keyword::BINARY => self.prefix(run, limits),
            Keyword::AND | Keyword::OR => {
                self.set_open_prefixes(0);
                self.operator(limits)
            }
            Keyword::SELECT
            | Keyword::FROM
            | Keyword::WHERE
            | Keyword::HAVING
            | Keyword::ON
            | Keyword::WHEN
            | Keyword::THEN
            | Keyword::ELSE => {
                self.set_open_prefixes(0);
                Ok(())
            }
            keyword if is_infix_word(keyword) => self.operator(limits),
            _ => Ok(()),
        }
    }

    fn operator(&mut self, limits: &TextLimits) -> Result<(), QueryError> {
        self.operators += 1;
        within(Dimension::Operators, self.operators, limits.operators)
    }

    fn prefix(&mut self, run: usize, limits: &TextLimits) -> Result<(), QueryError> {
        self.prefix_run = run + 1;
        within(Dimension::PrefixRun, self.prefix_run, limits.prefix_run)
    }

    fn open(
        &mut self,
        closer: Closer,
        at: &TokenWithSpan,
        run: usize,
        is_function: bool,
        limits: &TextLimits,
    ) -> Result<(), QueryError> {
        let weight = 1 + run.max(self.current_open_prefixes());
        let start = at.span.start;
        self.levels.push(Level {
            closer,
            is_function,
            is_query: false,
            weight,
            open_prefixes: 0,
            line: start.line,
            column: start.column,
        });
        self.depth += weight;
        self.functions += usize::from(is_function);
        within(Dimension::Nesting, self.depth, limits.nesting)?;
        within(Dimension::FunctionNesting, self.functions, limits.function_nesting)
    }

    fn enter_query(&mut self, limits: &TextLimits) -> Result<(), QueryError> {
        if let Some(level) = self.levels.last_mut() {
            level.is_query = true;
            self.queries += 1;
        }
        within(Dimension::QueryNesting, self.queries, limits.query_nesting)
    }

    fn leave(&mut self) -> Option<Level> {
        let level = self.levels.pop()?;
        self.depth -= level.weight;
        self.functions -= usize::from(level.is_function);
        self.queries -= usize::from(level.is_query);
        Some(level)
    }

    fn close(&mut self, closer: Closer, at: &TokenWithSpan) -> Result<(), QueryError> {
        // A CASE without END is the parser's to report.
        while self.levels.last().is_some_and(|level| level.closer == Closer::End) {
            self.leave();
        }
        match self.leave() {
            Some(level) if level.closer == closer => Ok(()),
            _ => Err(QueryError::Unbalanced { line: at.span.start.line, column: at.span.start.column }),
        }
    }

    fn finish(&self) -> Result<(), QueryError> {
        match self.levels.iter().find(|level| level.closer != Closer::End) {
            Some(level) => Err(QueryError::Unbalanced { line: level.line, column: level.column }),
            None => Ok(()),
        }
    }

    fn current_open_prefixes(&self) -> usize {
        self.levels.last().map_or(self.open_prefixes, |level| level.open_prefixes)
    }

    fn set_open_prefixes(&mut self, count: usize) {
        match self.levels.last_mut() {
            Some(level) => level.open_prefixes = count,
            None => self.open_prefixes = count,
        }
    }
}
