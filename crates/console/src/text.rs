//! Numbers and times in words. Arguments are references, as templates give them.

use std::fmt::{Display, Formatter, Result};

use askama::filters::{Html, HtmlSafe, escape};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A percentage with at most three decimals: `5 %`, `0.5 %`.
#[must_use]
pub fn percent(value: &f64) -> String {
    let rounded = (value * 1_000.0).round() / 1_000.0;
    // Minus nothing is nothing.
    format!("{} %", if rounded == 0.0 { 0.0 } else { rounded })
}

/// A count with its noun: `1 evaluator`, `12 evaluators`.
#[must_use]
pub fn count<N: Copy + TryInto<u64>>(number: &N, one: &str, more: &str) -> String {
    match (*number).try_into().unwrap_or(u64::MAX) {
        1 => format!("1 {one}"),
        number => format!("{} {more}", grouped(number)),
    }
}

/// Digits in groups of three, with a thin space that does not break: `12 345`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// A length of time in the two largest units that say something: `4 min 20 s`, `3 d 2 h`, `350 ms`.
#[must_use]
pub fn span(ms: &i64) -> String {
    const UNITS: [(i64, &str); 4] = [
        (86_400_000, "d"),
        (3_600_000, "h"),
        (60_000, "min"),
        (1_000, "s"),
    ];
    let ms = (*ms).max(0);
    if ms < 1_000 {
        return format!("{ms} ms");
    }
    let mut rest = ms;
    let mut parts = Vec::new();
    for (unit, name) in UNITS {
        let number = rest / unit;
        rest %= unit;
        if number > 0 {
            parts.push(format!("{number} {name}"));
        } else if !parts.is_empty() {
            break;
        }
        if parts.len() == 2 {
            break;
        }
    }
    parts.join(" ")
}

/// A measured time, as short as it says something: `0.4 ms`, `61 ms`, `3.2 s`.
#[must_use]
pub fn duration(ms: &f64) -> String {
    match *ms {
        ms if ms < 9.95 => format!("{ms:.1} ms"),
        ms if ms < 999.5 => format!("{ms:.0} ms"),
        ms if ms < 59_950.0 => format!("{:.1} s", ms / 1_000.0),
        ms => format!("{:.0} min", ms / 60_000.0),
    }
}

/// How long ago, in one unit: `3 min ago`; `in 3 min` for what is to come.
#[must_use]
pub fn ago(at: Timestamp, now: Timestamp) -> String {
    let ms = now.as_millisecond().saturating_sub(at.as_millisecond());
    let about = |ms: i64| match ms {
        ..1_000 => "0 s".to_owned(),
        1_000..120_000 => format!("{} s", ms / 1_000),
        120_000..7_200_000 => format!("{} min", ms / 60_000),
        7_200_000..172_800_000 => format!("{} h", ms / 3_600_000),
        _ => format!("{} d", ms / 86_400_000),
    };
    match ms {
        ..-1_000 => format!("in {}", about(ms.saturating_neg())),
        -1_000..1_000 => "now".to_owned(),
        _ => format!("{} ago", about(ms)),
    }
}

/// A moment, for people: its age, and the time itself in UTC; the script adds the local one.
#[derive(Debug, Clone)]
pub struct When {
    at: std::result::Result<Timestamp, String>,
    now: Timestamp,
    /// Whether the day is said even where it is today.
    is_whole: bool,
}

impl When {
    /// Of a moment in RFC 3339, seen at `now`.
    #[must_use]
    pub fn new(at: &str, now: Timestamp) -> Self {
        Self {
            at: at.parse().map_err(|_| at.to_owned()),
            now,
            is_whole: false,
        }
    }

    /// With the day.
    #[must_use]
    pub fn whole(mut self) -> Self {
        self.is_whole = true;
        self
    }
}

impl Display for When {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let at = match &self.at {
            Ok(at) => *at,
            Err(text) => {
                let Ok(text) = escape(text, Html);
                return write!(f, "{text}");
            }
        };
        let utc = |at: Timestamp| at.to_zoned(TimeZone::UTC);
        let clock = utc(at).strftime("%H:%M:%S").to_string();
        let day = utc(at).strftime("%Y-%m-%d").to_string();
        let is_today = utc(at).date() == utc(self.now).date();
        let text = match is_today && !self.is_whole {
            true => format!("{clock} UTC"),
            false => format!("{day} {clock} UTC"),
        };
        write!(
            f,
            "<time datetime=\"{}\" title=\"{day} {clock} UTC\">{text}</time> <span class=\"age\">{}</span>",
            at,
            ago(at, self.now),
        )
    }
}

impl HtmlSafe for When {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_as_short_as_they_can_be() {
        for (value, text) in [
            (5.0, "5 %"),
            (0.5, "0.5 %"),
            (33.333, "33.333 %"),
            (100.0, "100 %"),
            (-0.0, "0 %"),
            (0.000_04, "0 %"),
        ] {
            assert_eq!(percent(&value), text);
        }
    }

    #[test]
    fn spans_say_their_two_largest_units() {
        for (ms, text) in [
            (-5, "0 ms"),
            (350, "350 ms"),
            (61_000, "1 min 1 s"),
            (3_600_000, "1 h"),
            (90_061_000, "1 d 1 h"),
            (86_405_000, "1 d"),
        ] {
            assert_eq!(span(&ms), text);
        }
    }

    #[test]
    fn measured_times_have_the_digits_that_say_something() {
        for (ms, text) in [
            (0.04, "0.0 ms"),
            (4.21, "4.2 ms"),
            (9.96, "10 ms"),
            (61.4, "61 ms"),
            (999.6, "1.0 s"),
            (3_210.0, "3.2 s"),
            (90_000.0, "2 min"),
        ] {
            assert_eq!(duration(&ms), text);
        }
    }

    #[test]
    fn ages_are_said_from_where_one_stands() {
        let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        let ago = |at: &str| ago(at.parse().unwrap(), now);
        assert_eq!(ago("2026-11-21T11:59:59.5Z"), "now");
        assert_eq!(ago("2026-11-21T11:58:30Z"), "90 s ago");
        assert_eq!(ago("2026-11-21T11:30:00Z"), "30 min ago");
        assert_eq!(ago("2026-11-11T12:00:00Z"), "10 d ago");
        assert_eq!(ago("2026-11-21T12:05:00Z"), "in 5 min");
    }

    #[test]
    fn a_time_that_is_none_is_shown_as_it_came_and_acts_on_nothing() {
        let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        assert_eq!(When::new("<b>", now).to_string(), "&#60;b&#62;");
        let html = When::new("2026-11-21T11:30:00.123Z", now).to_string();
        assert!(html.contains(">11:30:00 UTC</time>"), "{html}");
        assert!(html.contains("29 min ago"), "{html}");
        let html = When::new("2026-11-20T11:30:00Z", now).to_string();
        assert!(html.contains(">2026-11-20 11:30:00 UTC</time>"), "{html}");
    }

    #[test]
    fn large_numbers_are_grouped() {
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(12_345), "12\u{202f}345");
        assert_eq!(count(&1_usize, "evaluator", "evaluators"), "1 evaluator");
        assert_eq!(count(&0_u64, "evaluator", "evaluators"), "0 evaluators");
    }
}
