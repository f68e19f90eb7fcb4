//! Asking: the one path every reading method takes, from a flag's name or handle to a typed answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use leverframe_flags::{Cause, Context, FlagIndex, Outcome, Side, Value, ValueType};

use crate::board::{Board, Published};
use crate::evaluation::EvaluationError;
use crate::outcomes::Observed;

/// A flag, by its name alone or by a place that was looked up before.
#[derive(Clone, Copy)]
pub(crate) enum Asked<'a> {
    Name(&'a str),
    Place(&'a str, &'a Place),
}

impl<'a> Asked<'a> {
    pub(crate) fn name(self) -> &'a str {
        match self {
            Self::Name(name) | Self::Place(name, _) => name,
        }
    }

    #[inline]
    fn find(self, published: &Published) -> Option<FlagIndex> {
        match self {
            Self::Name(name) => published.rules.find(name),
            Self::Place(name, place) => place.find(name, published),
        }
    }
}

/// Where a flag stood when it was last looked up: the generation above, the flag's number plus one
/// (0 for none) below. One word for all threads that use a handle: it is written only when flags
/// have come or gone, so reading it scales.
#[derive(Debug)]
pub(crate) struct Place(AtomicU64);

const NUMBER_BITS: u32 = 32;
const NUMBER_MASK: u64 = (1 << NUMBER_BITS) - 1;

impl Place {
    /// Generation 0 is that of the empty rule set before the first, in which no flag is.
    pub(crate) fn unknown() -> Self {
        Self(AtomicU64::new(0))
    }

    #[inline]
    fn find(&self, name: &str, published: &Published) -> Option<FlagIndex> {
        let word = self.0.load(Ordering::Relaxed);
        if word >> NUMBER_BITS == u64::from(published.generation) {
            let number = (word & NUMBER_MASK).checked_sub(1)?;
            return u32::try_from(number).ok().map(FlagIndex::from_number);
        }
        self.find_again(name, published)
    }

    #[cold]
    fn find_again(&self, name: &str, published: &Published) -> Option<FlagIndex> {
        let found = published.rules.find(name);
        let number = found.map_or(0, |index| u64::from(index.number()) + 1);
        let word = u64::from(published.generation) << NUMBER_BITS | number;
        self.0.store(word, Ordering::Relaxed);
        found
    }
}

/// What is wrong with an answer, if anything is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    None,
    Missing(EvaluationError),
    Cause(Cause),
}

/// Asks a flag, counts the answer, and gives what `take` makes of it.
///
/// # Errors
/// There is no rule set or no such flag, or `take` found the answer to be of another type. Each is
/// logged once for each flag.
#[inline]
pub(crate) fn ask<T>(
    board: &Arc<Board>,
    asked: Asked<'_>,
    context: &Context,
    take: impl Fn(&Outcome<'_>) -> Result<T, EvaluationError>,
) -> Result<T, EvaluationError> {
    ask_about(board, asked, context, |_, _, outcome| take(outcome))
}

/// As [`ask`], and gives what of the answer is evidence.
///
/// # Errors
/// As [`ask`].
pub(crate) fn ask_observed<T>(
    board: &Arc<Board>,
    asked: Asked<'_>,
    context: &Context,
    take: impl Fn(&Outcome<'_>) -> Result<T, EvaluationError>,
) -> Result<(T, Option<Observed>), EvaluationError> {
    ask_about(board, asked, context, |published, index, outcome| {
        let rules = &published.rules;
        let observed = || {
            Some(Observed {
                arm: match rules.side(index, outcome)? {
                    Side::Exposed => 0,
                    Side::HeldBack => 1,
                    Side::LetThrough => 2,
                },
                unit: rules.fingerprint(index, context)?,
            })
        };
        Ok((take(outcome)?, observed()))
    })
}

#[inline]
fn ask_about<T>(
    board: &Arc<Board>,
    asked: Asked<'_>,
    context: &Context,
    take: impl Fn(&Published, FlagIndex, &Outcome<'_>) -> Result<T, EvaluationError>,
) -> Result<T, EvaluationError> {
    let (answer, trouble) = board.read(|published, block| {
        let found = asked
            .find(published)
            .and_then(|index| Some((index, published.rules.evaluate_index(index, context)?)));
        let Some((index, outcome)) = found else {
            let error = if published.is_ready {
                EvaluationError::UnknownFlag
            } else {
                EvaluationError::NotReady
            };
            return (Err(error), Trouble::Missing(error));
        };
        let is_counted = block.is_some_and(|block| block.count(index.number() as usize, &outcome));
        if !is_counted {
            board.tally.count_apart(asked.name(), outcome.variant);
        }
        match (take(published, index, &outcome), outcome.cause) {
            (Err(error), _) => (Err(error), Trouble::Missing(error)),
            (Ok(value), Some(cause)) => (Ok(value), Trouble::Cause(cause)),
            (Ok(value), None) => (Ok(value), Trouble::None),
        }
    });
    // Logged outside `read`, because a log subscriber may ask for flags itself.
    match trouble {
        Trouble::None => {}
        Trouble::Missing(error) => complain_missing(board, asked.name(), error),
        Trouble::Cause(cause) => complain_cause(board, asked.name(), cause),
    }
    answer
}

#[cold]
fn complain_missing(board: &Board, flag: &str, error: EvaluationError) {
    let why = match error {
        EvaluationError::NotReady => "not ready",
        EvaluationError::UnknownFlag => "unknown",
        EvaluationError::WrongType { .. } => "wrong type",
    };
    if board.complaints.is_first(flag, why) {
        tracing::warn!(flag, %error, "the caller's default is used");
    }
}

#[cold]
fn complain_cause(board: &Board, flag: &str, cause: Cause) {
    if !board.complaints.is_first(flag, cause.as_str()) {
        return;
    }
    match cause {
        // Somebody wants it so.
        Cause::Prerequisite | Cause::ForcedClosed => {
            tracing::info!(flag, why = cause.as_str(), "the closed variant is used");
        }
        _ => tracing::warn!(flag, why = cause.as_str(), "the closed variant is used"),
    }
}

/// The answer's value as one type, or which type it has instead.
pub(crate) fn typed<'a, T>(
    outcome: &Outcome<'a>,
    wanted: ValueType,
    take: impl Fn(&'a Value) -> Option<T>,
) -> Result<T, EvaluationError> {
    take(outcome.value).ok_or(EvaluationError::WrongType {
        wanted,
        found: outcome.value.value_type(),
    })
}
