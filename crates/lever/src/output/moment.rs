//! Times and lengths of time, for people.

use jiff::Timestamp;

/// Reads RFC 3339; `None` for anything else.
pub(crate) fn parse_time(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

/// How long before `now` a time in RFC 3339 was: `3 min ago`. A text that is no time stays as it is.
pub(crate) fn ago(text: &str, now: Timestamp) -> String {
    let Some(time) = parse_time(text) else {
        return super::inert(text).into_owned();
    };
    let seconds = now.as_second().saturating_sub(time.as_second());
    match seconds {
        i64::MIN..0 => format!("in {}", rough(seconds.saturating_neg(), true)),
        0 => "now".to_owned(),
        1.. => format!("{} ago", rough(seconds, false)),
    }
}

/// A time in RFC 3339 to the second, in UTC: `2026-11-21 12:00:00 UTC`. A text that is no time stays
/// as it is.
pub(crate) fn utc(text: &str) -> String {
    parse_time(text).map_or_else(
        || super::inert(text).into_owned(),
        |time| time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
    )
}

/// `ahead` of now the nearest number counts, so that 30 days are 30 days a second later too; behind it
/// the full ones.
fn rough(seconds: i64, ahead: bool) -> String {
    let count = |unit: i64| {
        let half = if ahead { unit / 2 } else { 0 };
        seconds.saturating_add(half) / unit
    };
    match seconds {
        i64::MIN..=99 => format!("{seconds} s"),
        100..=5_999 => format!("{} min", count(60)),
        6_000..=172_799 => format!("{} h", count(3_600)),
        172_800.. => format!("{} d", count(86_400)),
    }
}

/// Milliseconds as a person reads them: `0.4 ms`, `61 ms`, `2.5 s`.
pub(crate) fn milliseconds(ms: f64) -> String {
    if ms < 9.95 && (ms - ms.round()).abs() > 0.05 {
        format!("{ms:.1} ms")
    } else if ms < 999.5 {
        format!("{ms:.0} ms")
    } else {
        format!("{:.1} s", ms / 1_000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_by_how_long_ago_it_was() {
        let now = parse_time("2026-11-21T12:00:00Z").unwrap();
        for (time, told) in [
            ("2026-11-21T12:00:00.000Z", "now"),
            ("2026-11-21T11:59:18Z", "42 s ago"),
            ("2026-11-21T11:57:00Z", "3 min ago"),
            ("2026-11-21T09:00:00Z", "3 h ago"),
            ("2026-10-21T12:00:00Z", "31 d ago"),
            ("2026-12-21T12:00:00Z", "in 30 d"),
            ("2026-12-21T11:59:59Z", "in 30 d"),
            ("2026-10-21T12:00:01Z", "30 d ago"),
            ("yester\u{1b}day", "yester\\u{1b}day"),
        ] {
            assert_eq!(ago(time, now), told);
        }
    }

    #[test]
    fn a_time_is_told_in_utc_to_the_second() {
        assert_eq!(
            utc("2026-11-21T13:59:18.25+01:00"),
            "2026-11-21 12:59:18 UTC"
        );
        assert_eq!(utc("yester\u{1b}day"), "yester\\u{1b}day");
    }

    #[test]
    fn milliseconds_have_as_many_digits_as_they_deserve() {
        for (ms, told) in [
            (0.42, "0.4 ms"),
            (4.0, "4 ms"),
            (4.3, "4.3 ms"),
            (61.4, "61 ms"),
            (999.9, "1.0 s"),
            (2_512.0, "2.5 s"),
        ] {
            assert_eq!(milliseconds(ms), told);
        }
    }
}
