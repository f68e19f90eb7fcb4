//! The partial order of positions: which moves let more contexts through.
//!
//! From lowest to highest: *shut* (closed, or pinned to the closed variant) is below everything;
//! an exposure is below another when it has fewer or the same cohorts **and** a lower or equal
//! percentage; a pin to any other variant is comparable only with itself and with shut. What
//! cannot be compared counts as an opening, so that the brake never opens by accident.

use leverframe_flags::{Latch, Position, VariantKey};

/// Whether going from one position to another can let more contexts through, where `closed` is the
/// flag's closed variant.
#[must_use]
pub fn is_opening(from: &Position, to: &Position, closed: &VariantKey) -> bool {
    if is_shut(to, closed) {
        return false;
    }
    match (from, to) {
        (Position::Open { exposure: from }, Position::Open { exposure: to }) => !to.is_within(from),
        (Position::Pinned { variant: from }, Position::Pinned { variant: to }) => from != to,
        _ => true,
    }
}

/// Whether nobody is let through: closed, or pinned to the closed variant.
#[must_use]
pub fn is_shut(position: &Position, closed: &VariantKey) -> bool {
    match position {
        Position::Closed { .. } => true,
        Position::Pinned { variant } => variant == closed,
        Position::Open { .. } => false,
    }
}

/// What a kill closed the lever to, while it stays killed.
#[must_use]
pub fn latch(position: &Position) -> Option<&Latch> {
    match position {
        Position::Closed { latch } => latch.as_ref(),
        Position::Open { .. } | Position::Pinned { .. } => None,
    }
}

/// Whether going from one position to another takes a latch away. Such a move follows an opening's
/// policy even where it lets nobody through yet.
#[must_use]
pub fn lifts_latch(from: &Position, to: &Position) -> bool {
    latch(from).is_some() && latch(to).is_none()
}
