//! From text to tree: recursive descent, bounded in depth and size. Every error says what was
//! expected at its place.

use ipnet::IpNet;

use super::cursor::{Cursor, is_word_char};
use super::error::ExpressionError;
use super::literal::{self, Item};
use super::suggestion::{self, OPERATORS};
use super::tree::{Comparison, Expr, Literal, LiteralKind, Pattern, Predicate, Subject, Test};
use crate::key::SegmentKey;
use crate::limit::{
    EXPRESSION_BYTES_MAX, EXPRESSION_DEPTH_MAX, EXPRESSION_PREDICATES_MAX, LIST_ITEMS_MAX,
};

/// The signs, longest first, so that `<=` is not read as `<`.
const COMPARISONS: [Comparison; 6] = [
    Comparison::Equal,
    Comparison::NotEqual,
    Comparison::LessOrEqual,
    Comparison::GreaterOrEqual,
    Comparison::Less,
    Comparison::Greater,
];

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

    fn test(&mut self, subject: Subject) -> Result<Expr, ExpressionError> {
        self.cursor.skip_space();
        let operator = self.cursor;
        if let Some(comparison) = self.comparison() {
            // `===`, `!==`, `<>`: a sign that goes on is one of another language.
            if matches!(self.cursor.peek(), Some('=' | '>' | '~'))
                && let Some(instead) = suggestion::for_sign(operator.rest())
            {
                return Err(operator.error(instead));
            }
            self.cursor.skip_space();
            let here = self.cursor;
            let literal = literal::literal(&mut self.cursor)?;
            let is_order = !matches!(comparison, Comparison::Equal | Comparison::NotEqual);
            if is_order && literal.kind() != LiteralKind::Number {
                let sign = comparison.as_str();
                return Err(here.error(format!(
                    "`{sign}` compares numbers; versions are compared with \
                     `semver {sign} \"…\"`, dates with `before` and `after`"
                )));
            }
            return Ok(Expr::test(subject, Test::Compare(comparison, literal)));
        }
        if self.cursor.take_word("present") {
            return Ok(Expr::not(Expr::test(subject, Test::Missing)));
        }
        let is_negated = self.cursor.take_word("not");
        if is_negated {
            self.cursor.skip_space();
        }
        let test = self.word_test(operator, is_negated, &subject)?;
        let predicate = Expr::test(subject, test);
        Ok(if is_negated {
            Expr::not(predicate)
        } else {
            predicate
        })
    }

    fn comparison(&mut self) -> Option<Comparison> {
        let comparison = COMPARISONS
            .into_iter()
            .find(|comparison| self.cursor.rest().starts_with(comparison.as_str()))?;
        self.cursor.take(comparison.as_str());
        Some(comparison)
    }

    /// Reads an operator that is a word, and what it is about.
    fn word_test(
        &mut self,
        operator: Cursor<'_>,
        is_negated: bool,
        subject: &Subject,
    ) -> Result<Test, ExpressionError> {
        let here = self.cursor;
        if is_negated && let Some(comparison) = self.comparison() {
            let sign = comparison.as_str();
            return Err(operator.error(if comparison == Comparison::Equal {
                "write `!=` instead of `not ==`".to_owned()
            } else {
                format!("write `not` before the attribute: `not {subject} {sign} …`")
            }));
        }
        let word = here.peek_word();
        let is_known = OPERATORS.contains(&word) && word != "not";
        if !is_known {
            return Err(no_operator(&here, subject));
        }
        if is_negated && matches!(word, "semver" | "before" | "after" | "missing" | "present") {
            return Err(operator.error(format!(
                "`not` cannot stand before `{word}`; write it before the attribute: \
                 `not {subject} {word} …`"
            )));
        }
        self.cursor.take_word(word);
        self.cursor.skip_space();
        let at = self.cursor;
        Ok(match word {
            "missing" => Test::Missing,
            "in" => self.list_or_network()?,
            "starts_with" => Test::StartsWith(literal::text(&mut self.cursor, word)?),
            "ends_with" => Test::EndsWith(literal::text(&mut self.cursor, word)?),
            "contains" => Test::Contains(literal::literal(&mut self.cursor)?),
            "matches" => {
                let source = literal::text(&mut self.cursor, word)?;
                Test::Matches(Pattern::new(&source).map_err(|why| at.error(why.to_string()))?)
            }
            "semver" => self.version()?,
            "before" => Test::Before(self.instant(word)?),
            _ => Test::After(self.instant(word)?),
        })
    }
    fn list_or_network(&mut self) -> Result<Test, ExpressionError> {
        const EXPECTED: &str = "a list such as [\"a\", \"b\"] or a network such as 10.0.0.0/8";
        let here = self.cursor;
        if !self.cursor.take("[") {
            if matches!(here.peek(), Some('"' | '(' | '{')) {
                return Err(here.error(format!("expected {EXPECTED}")));
            }
            return match literal::item(&mut self.cursor, EXPECTED)? {
                Item::Network(network) => Ok(Test::Network(vec![network])),
                Item::Literal(_) => Err(here.error(format!("expected {EXPECTED}"))),
            };
        }
        let mut literals: Vec<Literal> = Vec::new();
        let mut networks: Vec<IpNet> = Vec::new();
        self.list("in", |parser| {
            let at = parser.cursor;
            let expected = "a text in double quotes, a number, true, false or a network";
            match literal::item(&mut parser.cursor, expected)? {
                Item::Literal(literal)
                    if networks.is_empty()
                        && literals
                            .first()
                            .is_none_or(|first| first.kind() == literal.kind()) =>
                {
                    literals.push(literal);
                }
                Item::Network(network) if literals.is_empty() => networks.push(network),
                _ => {
                    return Err(at.error(
                        "a list holds items of one type: texts, numbers, booleans or networks",
                    ));
                }
            }
            Ok(())
        })?;
        Ok(if networks.is_empty() {
            Test::In(literals)
        } else {
            Test::Network(networks)
        })
    }

    /// Reads items up to `]`; the `[` has been taken.
    fn list(
        &mut self,
        operator: &str,
        mut item: impl FnMut(&mut Self) -> Result<(), ExpressionError>,
    ) -> Result<(), ExpressionError> {
        let mut count = 0_usize;
        loop {
            self.cursor.skip_space();
            let here = self.cursor;
            if here.peek() == Some(']') {
                return Err(here.error(format!("`{operator}` needs an item here")));
            }
            count = count.saturating_add(1);
            if count > LIST_ITEMS_MAX {
                return Err(here.error(format!(
                    "a list has at most {LIST_ITEMS_MAX} items; list units in a segment instead"
                )));
            }
            item(self)?;
            self.cursor.skip_space();
            if self.cursor.take("]") {
                return Ok(());
            }
            if !self.cursor.take(",") {
                return Err(self.cursor.error(format!(
                    "expected `,` or `]`, found {}",
                    self.cursor.found()
                )));
            }
        }
    }

    fn version(&mut self) -> Result<Test, ExpressionError> {
        let here = self.cursor;
        let Some(comparison) = self.comparison() else {
            let message = suggestion::for_sign(here.rest())
                .unwrap_or("expected == != < <= > or >= after `semver`");
            return Err(here.error(message));
        };
        self.cursor.skip_space();
        let at = self.cursor;
        let text = literal::text(&mut self.cursor, "semver")?;
        let version = semver::Version::parse(&text).map_err(|why| {
            at.error(format!(
                "not a semantic version such as \"2.0.0\" or \"2.0.0-rc.1\": {why}"
            ))
        })?;
        Ok(Test::Version(comparison, version))
    }

    fn instant(&mut self, operator: &str) -> Result<jiff::Timestamp, ExpressionError> {
        let at = self.cursor;
        let text = literal::text(&mut self.cursor, operator)?;
        literal::instant(&text).ok_or_else(|| {
            at.error(
                "expected a date such as \"2026-01-31\" or a time with its offset \
                 such as \"2026-01-31T09:30:00Z\"",
            )
        })
    }

    /// Reads what follows `segment`.
    fn segment(&mut self) -> Result<Expr, ExpressionError> {
        self.cursor.skip_space();
        let is_negated = self.cursor.take_word("not");
        self.cursor.skip_space();
        let here = self.cursor;
        let mut any_of = Vec::new();
        if self.cursor.take_word("in") {
            self.cursor.skip_space();
            if !self.cursor.take("[") {
                return Err(self
                    .cursor
                    .error("expected a list of segments such as [staff, beta]"));
            }
            self.list("segment in", |parser| {
                any_of.push(parser.segment_key()?);
                Ok(())
            })?;
        } else if is_negated {
            return Err(here.error("write `not segment name` or `segment not in [name, …]`"));
        } else {
            any_of.push(self.segment_key()?);
        }
        let predicate = Expr::Test(Predicate::Segment { any_of });
        Ok(if is_negated {
            Expr::not(predicate)
        } else {
            predicate
        })
    }

    fn segment_key(&mut self) -> Result<SegmentKey, ExpressionError> {
        let here = self.cursor;
        if let Some(instead) =
            suggestion::for_sign(here.rest()).filter(|_| !here.rest().starts_with('~'))
        {
            return Err(here.error(format!(
                "expected the name of a segment; {instead} only after an attribute"
            )));
        }
        let quoted;
        let text = if here.peek() == Some('"') {
            quoted = literal::quoted(&mut self.cursor, '"')?;
            &*quoted
        } else {
            let run = self.cursor.take_run(|c| is_word_char(c) || c == '~');
            if is_keyword(run) {
                return Err(here.error(format!(
                    "expected the name of a segment, found the word `{run}`; \
                     a segment of that name is written in double quotes"
                )));
            }
            run
        };
        if text.is_empty() {
            return Err(here.error(format!(
                "expected the name of a segment, found {}",
                here.found()
            )));
        }
        SegmentKey::new(text).map_err(|why| here.error(why.to_string()))
    }
}

/// What is wrong where an operator should stand.
fn no_operator(here: &Cursor<'_>, subject: &Subject) -> ExpressionError {
    if let Some(instead) = suggestion::for_sign(here.rest()) {
        return here.error(instead);
    }
    let word = here.peek_word();
    let is_end = here.is_at_end() || here.peek() == Some(')') || matches!(word, "and" | "or");
    if is_end {
        return here.error(format!(
            "expected an operator after `{subject}`; \
             a boolean is asked with `{subject} == true`"
        ));
    }
    if let Some(operator) = suggestion::for_operator(word) {
        return here.error(format!(
            "unknown operator `{word}`; did you mean `{operator}`?"
        ));
    }
    here.error(format!(
        "expected an operator (== != < <= > >= in, not in, starts_with, ends_with, contains, \
         matches, semver, before, after, missing, present), found {}",
        here.found()
    ))
}
