//! Numbers and texts as they stand in SVG.

use std::fmt::{Display, Formatter, Result};

use askama::filters::{Html, escape};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A number in an attribute: two decimals at most, and always one.
pub(super) struct Num(pub(super) f64);

impl Display for Num {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let value = if self.0.is_finite() { self.0 } else { 0.0 };
        let rounded = (value.clamp(-1e6, 1e6) * 100.0).round() / 100.0;
        // Minus nothing is nothing.
        write!(f, "{}", if rounded == 0.0 { 0.0 } else { rounded })
    }
}

/// A part of the whole, 0 to 1, as a percentage.
pub(super) struct Part(pub(super) f64);

impl Display for Part {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{}%", Num(100.0 * self.0))
    }
}

/// Text between tags or in an attribute.
pub(super) struct Text<'t>(pub(super) &'t str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Ok(escaped) = escape(self.0, Html);
        write!(f, "{escaped}")
    }
}

/// The time of day in UTC, with seconds where they are needed.
pub(super) fn clock(ms: i64, with_seconds: bool) -> String {
    let at = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH);
    let format = if with_seconds { "%H:%M:%S" } else { "%H:%M" };
    at.to_zoned(TimeZone::UTC).strftime(format).to_string()
}

/// The day and the time of day in UTC.
pub(super) fn day_and_clock(ms: i64) -> String {
    let at = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH);
    let zoned = at.to_zoned(TimeZone::UTC);
    zoned.strftime("%m-%d %H:%M").to_string()
}

/// A moment on an axis that lasts so long.
pub(super) fn moment(ms: i64, span_ms: i64) -> String {
    match span_ms {
        ..600_001 => clock(ms, true),
        600_001..86_400_001 => clock(ms, false),
        86_400_001.. => day_and_clock(ms),
    }
}

/// A moment in RFC 3339, in milliseconds.
pub(super) fn ms_of(at: &str) -> Option<i64> {
    at.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}
