//! Predicates about segments.

use super::{Parser, is_keyword};
use crate::expression::cursor::is_word_char;
use crate::expression::error::ExpressionError;
use crate::expression::literal;
use crate::expression::suggestion;
use crate::expression::tree::{Expr, Predicate};
use crate::key::SegmentKey;

impl Parser<'_> {
    /// Reads what follows `segment`.
    pub(super) fn segment(&mut self) -> Result<Expr, ExpressionError> {
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
