//! What a token is, as far as counting needs to know: an operand's start, a call, an operator, a string.
//!
//! The answers err on the side of more nesting: a keyword that is not listed here opens a call like any name.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::Token;

/// Whether a bracket after this token opens a call rather than a group or a subquery.
pub(super) fn calls(before: Option<&Token>) -> bool {
    match before {
        Some(Token::Word(word)) => word.quote_style.is_some() || !precedes_operand(word.keyword),
        _ => false,
    }
}

/// Whether the next token starts an operand, so that a sign there is a prefix.
pub(super) fn expects_operand(before: Option<&Token>) -> bool {
    match before {
        None => true,
        Some(Token::Word(word)) => word.quote_style.is_none() && precedes_operand(word.keyword),
        Some(Token::RParen | Token::RBracket | Token::RBrace | Token::Number(..) | Token::Placeholder(_)) => false,
        Some(Token::Mul) => true,
        Some(token) => string_bytes(token).is_none(),
    }
}

/// Keywords after which an operand or a subquery stands.
fn precedes_operand(keyword: Keyword) -> bool {
    is_infix_word(keyword)
        || matches!(
            keyword,
            Keyword::ALL
                | Keyword::AND
                | Keyword::ANY
                | Keyword::AS
                | Keyword::BY
                | Keyword::CASE
                | Keyword::DISTINCT
                | Keyword::ELSE
                | Keyword::EXCEPT
                | Keyword::EXISTS
                | Keyword::FROM
                | Keyword::HAVING
                | Keyword::INTERSECT
                | Keyword::INTERVAL
                | Keyword::JOIN
                | Keyword::LATERAL
                | Keyword::LIMIT
                | Keyword::NOT
                | Keyword::OFFSET
                | Keyword::ON
                | Keyword::OR
                | Keyword::OVER
                | Keyword::QUALIFY
                | Keyword::SELECT
                | Keyword::SETS
                | Keyword::SOME
                | Keyword::THEN
                | Keyword::UNION
                | Keyword::USING
                | Keyword::VALUES
                | Keyword::WHEN
                | Keyword::WHERE
                | Keyword::WITH
        )
}

/// Operators that are words.
pub(super) fn is_infix_word(keyword: Keyword) -> bool {
    matches!(
        keyword,
        Keyword::AT
            | Keyword::BETWEEN
            | Keyword::COLLATE
            | Keyword::DIV
            | Keyword::ESCAPE
            | Keyword::ILIKE
            | Keyword::IN
            | Keyword::IS
            | Keyword::LIKE
            | Keyword::NOT
            | Keyword::OVERLAPS
            | Keyword::REGEXP
            | Keyword::RLIKE
            | Keyword::SIMILAR
            | Keyword::XOR
    )
}

/// Whether `<` after this token opens the parameters of a type.
pub(super) fn nests_type(before: Option<&Token>) -> bool {
    [Keyword::ARRAY, Keyword::STRUCT, Keyword::MAP].iter().any(|keyword| is_keyword(before, *keyword))
}

/// Whether the token is that keyword, unquoted.
pub(super) fn is_keyword(token: Option<&Token>, keyword: Keyword) -> bool {
    matches!(token, Some(Token::Word(word)) if word.quote_style.is_none() && word.keyword == keyword)
}

/// Length of a string literal of any kind; none for other tokens.
pub(super) fn string_bytes(token: &Token) -> Option<usize> {
    Some(match token {
        Token::SingleQuotedString(text)
        | Token::DoubleQuotedString(text)
        | Token::TripleSingleQuotedString(text)
        | Token::TripleDoubleQuotedString(text)
        | Token::SingleQuotedByteStringLiteral(text)
        | Token::DoubleQuotedByteStringLiteral(text)
        | Token::TripleSingleQuotedByteStringLiteral(text)
        | Token::TripleDoubleQuotedByteStringLiteral(text)
        | Token::SingleQuotedRawStringLiteral(text)
        | Token::DoubleQuotedRawStringLiteral(text)
        | Token::TripleSingleQuotedRawStringLiteral(text)
        | Token::TripleDoubleQuotedRawStringLiteral(text)
        | Token::NationalStringLiteral(text)
        | Token::EscapedStringLiteral(text)
        | Token::UnicodeStringLiteral(text)
        | Token::HexStringLiteral(text) => text.len(),
        Token::DollarQuotedString(text) => text.value.len(),
        Token::QuoteDelimitedStringLiteral(text) | Token::NationalQuoteDelimitedStringLiteral(text) => text.value.len(),
        _ => return None,
    })
}
