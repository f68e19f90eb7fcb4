//! Places for open pages: none takes an evaluator's, and no token takes them all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::limit::{TABS_MAX, TABS_OF_TOKEN_MAX};
use crate::problem::Failure;
use crate::settings::Settings;

/// How many tabs each token has open, by the token's id.
type Open = Arc<Mutex<HashMap<Box<str>, usize>>>;

/// The tabs that are open.
#[derive(Debug)]
pub(crate) struct Tabs {
    open: Open,
    most: usize,
}

/// A tab's place, for as long as it is held.
#[derive(Debug)]
pub(super) struct Place {
    open: Open,
    token: Box<str>,
}

impl Tabs {
    /// As many as are good beside the streams: half of the seats that these leave stay for requests.
    pub(crate) fn beside(settings: &Settings) -> Self {
        let left = settings
            .connections_max
            .saturating_sub(settings.streams_max);
        Self {
            open: Open::default(),
            most: (left / 2).clamp(1, TABS_MAX),
        }
    }

    /// A place for a tab of this token.
    ///
    /// # Errors
    /// 503 when there is none, or the token has enough.
    pub(super) fn place(&self, token: &str) -> Result<Place, Failure> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let of_token = open.get(token).copied().unwrap_or(0);
        if of_token >= TABS_OF_TOKEN_MAX || open.values().sum::<usize>() >= self.most {
            return Err(Failure::unavailable(
                "there is no room for another page that hears of changes; it can ask",
                5,
            ));
        }
        open.insert(token.into(), of_token + 1);
        Ok(Place {
            open: Arc::clone(&self.open),
            token: token.into(),
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.token) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.token);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn tabs(connections_max: usize) -> Tabs {
        let settings = Settings::at("127.0.0.1:0".parse().unwrap());
        let streams_max = 10;
        Tabs::beside(&Settings {
            connections_max,
            streams_max,
            ..settings
        })
    }

    #[test]
    fn a_token_has_only_so_many_and_each_comes_back() {
        let tabs = tabs(1_000);
        let mut taken: Vec<_> = (0..TABS_OF_TOKEN_MAX)
            .map(|_| tabs.place("one").unwrap())
            .collect();
        assert_eq!(tabs.place("one").unwrap_err().status().as_u16(), 503);
        assert!(tabs.place("other").is_ok());
        taken.pop();
        assert!(tabs.place("one").is_ok());
        drop(taken);
        assert!(tabs.open.lock().unwrap().is_empty());
    }

    #[test]
    fn half_of_what_streams_leave_stays_for_requests() {
        let tabs = tabs(14);
        let places = ["a", "b", "c"].map(|token| tabs.place(token));
        let taken = places.each_ref().map(Result::is_ok);
        assert_eq!(taken, [true, true, false]);
    }
}
