//! Reading what is written in quotes, and numbers, networks, versions and dates.

use std::net::IpAddr;

use ipnet::IpNet;
use jiff::Timestamp;

use super::cursor::Cursor;
use super::error::ExpressionError;
use super::tree::Literal;

/// A literal, or a network, which may stand in the same places after `in`.
pub(super) enum Item {
    Literal(Literal),
    Network(IpNet),
}

/// Reads a quoted text, which starts and ends with `quote`.
pub(super) fn quoted(cursor: &mut Cursor<'_>, quote: char) -> Result<Box<str>, ExpressionError> {
    let opening = *cursor;
    cursor.take_char();
    let mut text = String::new();
    loop {
        let here = *cursor;
        match cursor.take_char() {
            None => {
                return Err(opening.error(format!("this text is not closed; end it with {quote}")));
            }
            Some(c) if c == quote => return Ok(text.into()),
            Some('\\') => text.push(escaped(here, cursor)?),
            Some(c) if c.is_control() => {
                return Err(here.error(format!(
                    "a control character must be written as \\u{{{:x}}}",
                    u32::from(c)
                )));
            }
            Some(c) => text.push(c),
        }
    }
}

/// Reads what follows a backslash, which stands at `backslash`.
fn escaped(backslash: Cursor<'_>, cursor: &mut Cursor<'_>) -> Result<char, ExpressionError> {
    match cursor.take_char() {
        Some(c @ ('"' | '\\' | '`' | '/')) => Ok(c),
        Some('n') => Ok('\n'),
        Some('r') => Ok('\r'),
        Some('t') => Ok('\t'),
        Some('u') => {
            let wrong = || {
                backslash.error(
                    "write a character as \\u{…} with its Unicode number in hexadecimal, \
                     such as \\u{e9}",
                )
            };
            if !cursor.take("{") {
                return Err(wrong());
            }
            let digits = cursor.take_run(|c| c.is_ascii_hexdigit());
            if !cursor.take("}") {
                return Err(wrong());
            }
            u32::from_str_radix(digits, 16)
                .ok()
                .and_then(char::from_u32)
                .ok_or_else(wrong)
        }
        Some(other) => Err(backslash.error(format!(
            "unknown escape \\{}; a backslash itself is written \\\\ (in a regular expression too: \"\\\\d+\")",
            other.escape_debug()
        ))),
        None => Err(backslash.error("the text ends after a backslash")),
    }
}

/// Characters of numbers, networks and bare words.
fn is_bare_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '/' | '+' | '-' | '_')
}

/// What comes next without quotes.
pub(super) fn peek_bare<'s>(cursor: &Cursor<'s>) -> &'s str {
    cursor.peek_run(is_bare_char)
}

/// Reads one literal or network.
pub(super) fn item(cursor: &mut Cursor<'_>, expected: &str) -> Result<Item, ExpressionError> {
    match cursor.peek() {
        Some('"') => return Ok(Item::Literal(Literal::String(quoted(cursor, '"')?))),
        Some('\'') => {
            return Err(cursor.error("a text is written in double quotes: \"…\""));
        }
        _ => {}
    }
    let bare = peek_bare(cursor);
    let item = match bare {
        "" => {
            return Err(cursor.error(format!("expected {expected}, found {}", cursor.found())));
        }
        "true" => Item::Literal(Literal::Boolean(true)),
        "false" => Item::Literal(Literal::Boolean(false)),
        "null" | "nil" | "none" | "undefined" => {
            return Err(cursor.error(format!(
                "there is no `{bare}`; ask whether an attribute is there with `missing` or `present`"
            )));
        }
        text if is_numeric(text) => Item::Literal(number(text).map_err(|why| cursor.error(why))?),
        text => Item::Network(network(text).ok_or_else(|| {
            cursor.error(format!(
                "expected {expected}, found `{text}`; a text is written in double quotes: \"{text}\""
            ))
        })?),
    };
    cursor.take_run(is_bare_char);
    Ok(item)
}

/// Reads one literal.
pub(super) fn literal(cursor: &mut Cursor<'_>) -> Result<Literal, ExpressionError> {
    let here = *cursor;
    match item(cursor, "a text in double quotes, a number, true or false")? {
        Item::Literal(literal) => Ok(literal),
        Item::Network(_) => Err(here.error("an IP address or network is compared with `in`")),
    }
}

/// Reads a text in double quotes after `operator`.
pub(super) fn text(cursor: &mut Cursor<'_>, operator: &str) -> Result<Box<str>, ExpressionError> {
    match cursor.peek() {
        Some('"') => quoted(cursor, '"'),
        Some('\'') => Err(cursor.error("a text is written in double quotes: \"…\"")),
        _ => Err(cursor.error(format!(
            "expected a text in double quotes after `{operator}`, found {}",
            cursor.found()
        ))),
    }
}

/// Reads an RFC 3339 instant or a date, which is its midnight in UTC.
pub(crate) fn instant(text: &str) -> Option<Timestamp> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(instant);
    }
    // `2026-01-01` and nothing more: a date with a time but without an offset names no instant.
    let is_date = text.len() == 10 && text.bytes().filter(|byte| *byte == b'-').count() == 2;
    if !is_date {
        return None;
    }
    let date = text.parse::<jiff::civil::Date>().ok()?;
    jiff::tz::Offset::UTC
        .to_timestamp(date.to_datetime(jiff::civil::Time::midnight()))
        .ok()
}

/// Reads `10.0.0.0/8`, `2001:db8::/32` or one address, which is the network of only itself.
fn network(text: &str) -> Option<IpNet> {
    text.parse::<IpNet>()
        .ok()
        .or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

/// Whether `text` is meant as a number: `-`, digits, at most one point, an exponent.
fn is_numeric(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_number_char = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-');
    digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.ends_with(|c: char| c.is_ascii_digit())
        && digits.chars().all(is_number_char)
        && digits.matches('.').count() <= 1
}

fn number(text: &str) -> Result<Literal, String> {
    if text.contains(['.', 'e', 'E']) {
        return text
            .parse::<f64>()
            .ok()
            .filter(|number| number.is_finite())
            .map(Literal::Float)
            .ok_or_else(|| format!("{text} is not a finite number"));
    }
    text.parse::<i64>()
        .map(Literal::Integer)
        .map_err(|_| format!("{text} is not a 64-bit integer; a date is written as \"2026-01-31\""))
}
