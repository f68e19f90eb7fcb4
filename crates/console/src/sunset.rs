//! The date by which a flag should be gone.

use std::fmt::{Display, Formatter, Result};

use askama::filters::{Html, HtmlSafe, escape};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit};

/// How long before its date it is said how many days are left.
const SOON_DAYS: i32 = 14;

/// A date, and how far it is away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sunset {
    date: String,
    /// Days until then; negative once it is over.
    days: i32,
}

impl Sunset {
    /// Of a date such as `2026-12-31`; none for what is no date.
    #[must_use]
    pub fn new(date: &str, now: Timestamp) -> Option<Self> {
        let day: Date = date.parse().ok()?;
        let today = now.to_zoned(TimeZone::UTC).date();
        let days = today.until((Unit::Day, day)).ok()?.get_days();
        Some(Self {
            date: day.to_string(),
            days,
        })
    }

    /// Whether it is over.
    #[must_use]
    pub fn is_overdue(&self) -> bool {
        self.days < 0
    }

    fn words(&self) -> Option<String> {
        match self.days {
            ..-1 => Some(format!("overdue by {} days", -self.days)),
            -1 => Some("overdue since yesterday".to_owned()),
            0 => Some("today".to_owned()),
            1 => Some("tomorrow".to_owned()),
            days @ 2..=SOON_DAYS => Some(format!("in {days} days")),
            _ => None,
        }
    }
}

impl Display for Sunset {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Ok(date) = escape(&self.date, Html);
        write!(f, "<time class=\"date\" datetime=\"{date}\">{date}</time>")?;
        match self.words() {
            Some(words) if self.is_overdue() => {
                write!(
                    f,
                    " <span class=\"overdue\"><span aria-hidden=\"true\">!</span> {words}</span>"
                )
            }
            Some(words) => write!(f, " <span class=\"quiet\">{words}</span>"),
            None => Ok(()),
        }
    }
}

impl HtmlSafe for Sunset {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_that_is_over_is_said_in_words() {
        let now: Timestamp = "2026-11-21T23:59:00Z".parse().unwrap();
        let html = |date: &str| Sunset::new(date, now).unwrap().to_string();
        assert!(html("2026-11-11").contains("overdue by 10 days"));
        assert!(html("2026-11-20").contains("overdue since yesterday"));
        assert!(html("2026-11-21").contains("today"));
        assert!(html("2026-11-30").contains("in 9 days"));
        assert!(!html("2027-11-30").contains("quiet"));
        assert_eq!(Sunset::new("<b>", now), None);
    }
}
