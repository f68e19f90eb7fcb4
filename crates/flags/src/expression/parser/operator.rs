//! Operators and what follows them.

use ipnet::IpNet;

use super::Parser;
use crate::expression::cursor::Cursor;
use crate::expression::error::ExpressionError;
use crate::expression::literal::{self, Item};
use crate::expression::pattern::Pattern;
use crate::expression::suggestion::{self, OPERATORS};
use crate::expression::tree::{Comparison, Expr, Literal, LiteralKind, Subject, Test};
use crate::limit::LIST_ITEMS_MAX;

/// The signs, longest first, so that `<=` is not read as `<`.
const COMPARISONS: [Comparison; 6] = [
    Comparison::Equal,
    Comparison::NotEqual,
    Comparison::LessOrEqual,
    Comparison::GreaterOrEqual,
    Comparison::Less,
    Comparison::Greater,
];

impl Parser<'_> {
    /// Reads the operator after an attribute, and what it is about.
    pub(super) fn test(&mut self, subject: Subject) -> Result<Expr, ExpressionError> {
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
    pub(super) fn list(
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
