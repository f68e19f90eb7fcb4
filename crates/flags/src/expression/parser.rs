//! From text to tree: recursive descent, bounded in depth and size. Every error says what was
//! expected at its place.

mod operator;
mod segment;

use super::cursor::{Cursor, is_word_char};
use super::error::ExpressionError;
use super::literal;
use super::suggestion::{self, OPERATORS};
use super::tree::{Expr, Subject};
use crate::limit::{EXPRESSION_BYTES_MAX, EXPRESSION_DEPTH_MAX, EXPRESSION_PREDICATES_MAX};

/// Whether `word` has a meaning of its own, so that an attribute of that name needs back quotes.
pub(super) fn is_keyword(word: &str) -> bool {
    OPERATORS.contains(&word) || matches!(word, "and" | "or" | "true" | "false" | "segment")
}

/// Whether `name` can be written without back quotes, keywords aside.
pub(super) fn is_plain_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(is_word_char)
}

pub(super) fn parse(source: &str) -> Result<Expr, ExpressionError> {
    if source.len() > EXPRESSION_BYTES_MAX {
        return Err(Cursor::new(source).error(format!(
            "an expression has at most {EXPRESSION_BYTES_MAX} bytes; this one has {}; \
             put a part of it into a segment",
            source.len()
        )));
    }
    let mut parser = Parser {
        cursor: Cursor::new(source),
        depth: 0,
        predicates: 0,
    };
    let expr = parser.disjunction()?;
    parser.cursor.skip_space();
    if parser.cursor.is_at_end() {
        Ok(expr)
    } else {
        Err(parser.unexpected_after_condition())
    }
}

struct Parser<'s> {
    cursor: Cursor<'s>,
    /// Parentheses and `not`s around the cursor.
    depth: usize,
    predicates: usize,
}

impl Parser<'_> {
    fn disjunction(&mut self) -> Result<Expr, ExpressionError> {
        let mut parts = vec![self.conjunction()?];
        while self.take_word("or") {
            parts.push(self.conjunction()?);
        }
        Ok(Expr::any(parts))
    }

    fn conjunction(&mut self) -> Result<Expr, ExpressionError> {
        let mut parts = vec![self.negation()?];
        while self.take_word("and") {
            parts.push(self.negation()?);
        }
        Ok(Expr::all(parts))
    }

    fn negation(&mut self) -> Result<Expr, ExpressionError> {
        self.cursor.skip_space();
        let here = self.cursor;
        if self.cursor.take_word("not") {
            self.enter(here)?;
            let part = self.negation()?;
            self.leave();
            return Ok(Expr::not(part));
        }
        self.primary()
    }

    fn primary(&mut self) -> Result<Expr, ExpressionError> {
        let here = self.cursor;
        if self.cursor.take("(") {
            self.enter(here)?;
            let inner = self.disjunction()?;
            self.cursor.skip_space();
            if !self.cursor.take(")") {
                return Err(if self.cursor.is_at_end() {
                    here.error("this parenthesis is not closed")
                } else {
                    self.unexpected_after_condition()
                });
            }
            self.leave();
            return Ok(inner);
        }
        if self.cursor.take_word("true") {
            return Ok(Expr::Constant(true));
        }
        if self.cursor.take_word("false") {
            return Ok(Expr::Constant(false));
        }
        self.predicates = self.predicates.saturating_add(1);
        if self.predicates > EXPRESSION_PREDICATES_MAX {
            return Err(here.error(format!(
                "an expression has at most {EXPRESSION_PREDICATES_MAX} predicates; \
                 put some into a segment"
            )));
        }
        if self.cursor.take_word("segment") {
            return self.segment();
        }
        let subject = self.subject()?;
        self.test(subject)
    }

    fn enter(&mut self, here: Cursor<'_>) -> Result<(), ExpressionError> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > EXPRESSION_DEPTH_MAX {
            return Err(here.error(format!(
                "parentheses and `not` nest at most {EXPRESSION_DEPTH_MAX} deep"
            )));
        }
        Ok(())
    }

    fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    fn take_word(&mut self, word: &str) -> bool {
        self.cursor.skip_space();
        self.cursor.take_word(word)
    }

    /// What is wrong where a condition is complete and something else than `and`, `or` or an end
    /// follows.
    fn unexpected_after_condition(&self) -> ExpressionError {
        let cursor = &self.cursor;
        if let Some(instead) = suggestion::for_sign(cursor.rest()) {
            return cursor.error(instead);
        }
        let word = cursor.peek_word();
        if word.eq_ignore_ascii_case("and") || word.eq_ignore_ascii_case("or") {
            return cursor.error(format!(
                "write `{}` in small letters",
                word.to_ascii_lowercase()
            ));
        }
        if cursor.peek() == Some(')') {
            return cursor.error("this parenthesis closes nothing");
        }
        cursor.error(format!(
            "expected `and`, `or` or the end, found {}",
            cursor.found()
        ))
    }

    fn subject(&mut self) -> Result<Subject, ExpressionError> {
        let here = self.cursor;
        match here.peek() {
            Some('`') => {
                let name = literal::quoted(&mut self.cursor, '`')?;
                if name.is_empty() {
                    return Err(here.error("an attribute needs a name between the back quotes"));
                }
                return Ok(Subject::Named(name));
            }
            Some('"') => {
                return Err(here.error(
                    "an attribute's name stands first, without quotes or in back quotes: `name`",
                ));
            }
            Some('\'') => {
                return Err(here.error("texts are written in double quotes, names in back quotes"));
            }
            Some('!') => return Err(here.error("write `not` instead of `!`")),
            _ => {}
        }
        let name = here.peek_word();
        if name.eq_ignore_ascii_case("not") {
            return Err(here.error("write `not` in small letters"));
        }
        if is_keyword(name) {
            return Err(here.error(format!(
                "expected an attribute, found the word `{name}`; \
                 an attribute of that name is written in back quotes: `{name}`"
            )));
        }
        if !is_plain_name(name) {
            return Err(here.error(format!(
                "expected an attribute, `segment`, `not` or `(`, found {}; \
                 names with other characters are written in back quotes",
                here.found()
            )));
        }
        self.cursor.take_word(name);
        Ok(Subject::from_plain(name))
    }
}
