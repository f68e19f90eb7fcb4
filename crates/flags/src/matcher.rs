//! Conditions compiled for asking: attributes numbered, segments resolved, lists sorted.
//!
//! Nothing here allocates while it is asked, except that a regular expression or a long
//! pre-release version may, within the bounds of [`crate::limit`].

mod number;
mod operand;
mod test;

use crate::expression::{Expr, Predicate, Subject};
use crate::key::SegmentKey;
use crate::segment_table::{SegmentId, SegmentTable, Segments};
use crate::truth::Truth;

pub(crate) use operand::{Operand, Reads};
use test::CompiledTest;

/// A compiled condition.
#[derive(Debug)]
pub(crate) enum Matcher {
    Constant(bool),
    All(Box<[Matcher]>),
    Any(Box<[Matcher]>),
    Not(Box<Matcher>),
    Attribute {
        slot: usize,
        test: CompiledTest,
    },
    /// One segment, as nearly every such condition has.
    Segment(SegmentId),
    AnySegment(Box<[SegmentId]>),
}

/// A segment that a condition asks about and that is not there.
#[derive(Debug, PartialEq)]
pub(crate) struct SegmentAbsent(pub(crate) SegmentKey);

/// Numbers the attributes of several conditions that are asked about one context.
#[derive(Debug, Default)]
pub(crate) struct Compiler {
    subjects: Vec<Subject>,
}

impl Compiler {
    /// Compiles one condition; `segment_id` tells the number of a segment.
    pub(crate) fn compile(
        &mut self,
        expr: &Expr,
        segment_id: &impl Fn(&SegmentKey) -> Option<SegmentId>,
    ) -> Result<Matcher, SegmentAbsent> {
        Ok(match expr {
            Expr::Constant(value) => Matcher::Constant(*value),
            Expr::All(parts) => Matcher::All(self.compile_all(parts, segment_id)?),
            Expr::Any(parts) => Matcher::Any(self.compile_all(parts, segment_id)?),
            Expr::Not(part) => Matcher::Not(Box::new(self.compile(part, segment_id)?)),
            Expr::Test(Predicate::Attribute { subject, test }) => Matcher::Attribute {
                slot: self.slot(subject),
                test: CompiledTest::new(test),
            },
            Expr::Test(Predicate::Segment { any_of }) => {
                let any_of: Box<[SegmentId]> = any_of
                    .iter()
                    .map(|key| segment_id(key).ok_or_else(|| SegmentAbsent(key.clone())))
                    .collect::<Result<_, _>>()?;
                match *any_of {
                    [one] => Matcher::Segment(one),
                    _ => Matcher::AnySegment(any_of),
                }
            }
        })
    }

    /// The attributes, by their numbers.
    pub(crate) fn into_subjects(self) -> Box<[Subject]> {
        self.subjects.into()
    }

    fn compile_all(
        &mut self,
        parts: &[Expr],
        segment_id: &impl Fn(&SegmentKey) -> Option<SegmentId>,
    ) -> Result<Box<[Matcher]>, SegmentAbsent> {
        parts
            .iter()
            .map(|part| self.compile(part, segment_id))
            .collect()
    }

    fn slot(&mut self, subject: &Subject) -> usize {
        if let Some(slot) = self.subjects.iter().position(|known| known == subject) {
            return slot;
        }
        self.subjects.push(subject.clone());
        self.subjects.len().saturating_sub(1)
    }
}

impl Matcher {
    /// Asks the condition. `reads` holds the attributes of the same [`Compiler`].
    pub(crate) fn ask(&self, reads: &mut Reads<'_, '_>, segments: &mut Segments<'_, '_>) -> Truth {
        match self {
            Self::Constant(value) => Truth::from(*value),
            Self::All(parts) => {
                let mut truth = Truth::True;
                for part in parts {
                    truth = truth.and(part.ask(reads, segments));
                    if truth == Truth::False {
                        break;
                    }
                }
                truth
            }
            Self::Any(parts) => {
                let mut truth = Truth::False;
                for part in parts {
                    truth = truth.or(part.ask(reads, segments));
                    if truth == Truth::True {
                        break;
                    }
                }
                truth
            }
            Self::Not(part) => part.ask(reads, segments).not(),
            Self::Attribute { slot, test } => test.ask(reads.read(*slot)),
            Self::Segment(segment) => segments.holds(*segment),
            Self::AnySegment(any_of) => {
                let mut truth = Truth::False;
                for segment in any_of {
                    truth = truth.or(segments.holds(*segment));
                    if truth == Truth::True {
                        break;
                    }
                }
                truth
            }
        }
    }

    /// Calls `visit` with every predicate that is unknown, in words.
    pub(crate) fn for_each_unknown(
        &self,
        subjects: &[Subject],
        reads: &mut Reads<'_, '_>,
        segments: &mut Segments<'_, '_>,
        table: &SegmentTable,
        visit: &mut impl FnMut(String),
    ) {
        match self {
            Self::Constant(_) => {}
            Self::All(parts) | Self::Any(parts) => {
                for part in parts {
                    part.for_each_unknown(subjects, reads, segments, table, visit);
                }
            }
            Self::Not(part) => part.for_each_unknown(subjects, reads, segments, table, visit),
            Self::Attribute { slot, test } => {
                let operand = reads.read(*slot);
                if test.ask(operand) == Truth::Unknown
                    && let Some(subject) = subjects.get(*slot)
                {
                    visit(operand.map_or_else(
                        || format!("{subject} is missing"),
                        |operand| {
                            format!(
                                "{subject} is {}, which this cannot test",
                                operand.described()
                            )
                        },
                    ));
                }
            }
            Self::Segment(segment) => {
                for_each_unknown_segment(&[*segment], segments, table, visit);
            }
            Self::AnySegment(any_of) => {
                for_each_unknown_segment(any_of, segments, table, visit);
            }
        }
    }
}

fn for_each_unknown_segment(
    any_of: &[SegmentId],
    segments: &mut Segments<'_, '_>,
    table: &SegmentTable,
    visit: &mut impl FnMut(String),
) {
    for segment in any_of {
        if segments.holds(*segment) == Truth::Unknown
            && let Some(key) = table.key(*segment)
        {
            visit(format!("segment {key} is unknown"));
        }
    }
}
