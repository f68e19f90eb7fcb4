//! The time that a page of the journal is about.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use leverframe_console::page::AuditFilter;
use leverframe_wire::admin::{Span, SpanError};

use crate::problem::Failure;

/// From when until when, in RFC 3339. Times that somebody typed go before the range.
pub(super) fn of(
    filter: &AuditFilter,
    now: Timestamp,
) -> Result<(Option<String>, Option<String>), Failure> {
    let since = match moment("since", &filter.since)? {
        None if !filter.range.is_empty() && filter.until.is_empty() => {
            Some(before(&filter.range, now)?)
        }
        since => since,
    };
    let text = |time: Timestamp| time.to_string();
    let until = moment("until", &filter.until)?;
    Ok((since.map(text), until.map(text)))
}

fn before(range: &str, now: Timestamp) -> Result<Timestamp, Failure> {
    let wrong = |why: String| Failure::invalid("range", why);
    let span: Span = range
        .parse()
        .map_err(|error: SpanError| wrong(error.to_string()))?;
    now.checked_sub(span.duration())
        .map_err(|error| wrong(error.to_string()))
}

/// A time as a person or a browser's field writes it; without a zone it is UTC.
fn moment(field: &'static str, text: &str) -> Result<Option<Timestamp>, Failure> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let in_utc = |text: &str| {
        let time: DateTime = text.parse().ok()?;
        Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
    };
    let time = text.parse().ok().or_else(|| in_utc(text));
    time.map(Some).ok_or_else(|| {
        Failure::invalid(
            field,
            "a time is written 2026-12-31T23:59:59Z; without the Z it is UTC as well",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(
        range: &str,
        since: &str,
        until: &str,
    ) -> Result<(Option<String>, Option<String>), String> {
        let filter = AuditFilter {
            range: range.to_owned(),
            since: since.to_owned(),
            until: until.to_owned(),
            ..AuditFilter::default()
        };
        let now = "2026-11-21T12:00:00Z".parse().unwrap();
        of(&filter, now).map_err(|failure| failure.problem().field.clone().unwrap())
    }

    #[test]
    fn a_range_ends_now() {
        let since = Some("2026-11-21T11:30:00Z".to_owned());
        assert_eq!(range("30m", "", "").unwrap(), (since, None));
        assert_eq!(range("", "", "").unwrap(), (None, None));
    }

    #[test]
    fn typed_times_go_before_the_range_and_are_utc_without_a_zone() {
        let (since, until) = range("30m", "2026-11-21T09:00", "2026-11-21T12:00:00+02:00").unwrap();
        assert_eq!(since.unwrap(), "2026-11-21T09:00:00Z");
        assert_eq!(until.unwrap(), "2026-11-21T10:00:00Z");
    }

    #[test]
    fn what_is_no_time_is_named() {
        assert_eq!(range("soon", "", "").unwrap_err(), "range");
        assert_eq!(range("", "noon", "").unwrap_err(), "since");
        assert_eq!(range("", "", "noon").unwrap_err(), "until");
        assert_eq!(range("999999999d", "", "").unwrap_err(), "range");
    }
}
