//! Links that sign a browser in once, with the rights of the token they were made for and without
//! showing it: `lever console` and `lever dev` print one.
//!
//! In memory only: a link is for now. Showing one changes nothing, because what looks at links
//! before people do (mail scanners, previews) only ever asks by GET; a POST spends it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use leverframe_core::access::Permission;
use sha2::{Digest, Sha256};

use crate::app::random;
use crate::auth::Authenticated;
use crate::convert::hex;
use crate::limit::{SIGN_IN_LINK_LIFE, SIGN_IN_LINKS_MAX, SIGN_IN_LINKS_OF_TOKEN_MAX};
use crate::problem::Failure;

/// The links that were made and not spent, by the hash of their secret.
#[derive(Default)]
pub(crate) struct SignInLinks(Mutex<HashMap<[u8; 32], Entry>>);

struct Entry {
    token: Box<str>,
    ends: Instant,
}

/// A link, as it is handed out.
pub(crate) struct Made {
    /// Path and query.
    pub(crate) path: String,
    /// How long it works.
    pub(crate) left: Duration,
}

impl SignInLinks {
    /// A link for whoever asks.
    ///
    /// # Errors
    /// 403 when the token may not sign in, 503 when there is no randomness.
    pub(crate) fn make(&self, who: &Authenticated) -> Result<Made, Failure> {
        who.permit(&Permission::ReadControl)?;
        let secret = hex(&random::<32>()?);
        self.keep(&secret, &who.token().id, Instant::now());
        Ok(Made {
            path: format!("/sign-in?once={secret}"),
            left: SIGN_IN_LINK_LIFE,
        })
    }

    /// Whether a link would still sign somebody in.
    pub(crate) fn is_good(&self, secret: &str) -> bool {
        self.is_good_at(secret, Instant::now())
    }

    /// The id of the token that a link is for, which it is for no longer.
    pub(crate) fn spend(&self, secret: &str) -> Option<Box<str>> {
        self.spend_at(secret, Instant::now())
    }

    fn keep(&self, secret: &str, token: &str, now: Instant) {
        let mut links = self.lock();
        links.retain(|_, link| now < link.ends);
        drop_oldest(&mut links, SIGN_IN_LINKS_OF_TOKEN_MAX, |link| {
            *link.token == *token
        });
        drop_oldest(&mut links, SIGN_IN_LINKS_MAX, |_| true);
        links.insert(
            hash(secret),
            Entry {
                token: token.into(),
                ends: now + SIGN_IN_LINK_LIFE,
            },
        );
    }

    fn is_good_at(&self, secret: &str, now: Instant) -> bool {
        let links = self.lock();
        links.get(&hash(secret)).is_some_and(|link| now < link.ends)
    }

    fn spend_at(&self, secret: &str, now: Instant) -> Option<Box<str>> {
        let spent = self.lock().remove(&hash(secret))?;
        (now < spent.ends).then_some(spent.token)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 32], Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes room for one more of these.
fn drop_oldest(links: &mut HashMap<[u8; 32], Entry>, most: usize, counts: impl Fn(&Entry) -> bool) {
    let counted = || links.iter().filter(|(_, link)| counts(link));
    if counted().count() < most {
        return;
    }
    let oldest = counted().min_by_key(|(_, link)| link.ends);
    if let Some(oldest) = oldest.map(|(secret, _)| *secret) {
        links.remove(&oldest);
    }
}

fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_spent_by_spending_it_and_not_by_looking() {
        let (links, now) = (SignInLinks::default(), Instant::now());
        links.keep("secret", "tok_1", now);
        assert!(links.is_good_at("secret", now));
        assert!(links.is_good_at("secret", now), "looking changes nothing");
        assert!(!links.is_good_at("Secret", now));
        assert_eq!(links.spend_at("Secret", now), None);
        assert_eq!(links.spend_at("secret", now).as_deref(), Some("tok_1"));
        assert_eq!(links.spend_at("secret", now), None);
        assert!(!links.is_good_at("secret", now));
    }

    #[test]
    fn a_link_works_for_ten_minutes() {
        let (links, now) = (SignInLinks::default(), Instant::now());
        let later = |s| now + Duration::from_secs(s);
        links.keep("first", "tok_1", now);
        links.keep("second", "tok_1", now);
        assert_eq!(
            links.spend_at("first", later(599)).as_deref(),
            Some("tok_1")
        );
        assert!(!links.is_good_at("second", later(600)));
        assert_eq!(links.spend_at("second", later(600)), None);
    }

    #[test]
    fn only_so_many_are_kept_and_one_token_takes_no_place_of_others() {
        let (links, now) = (SignInLinks::default(), Instant::now());
        let at = |ms: usize| now + Duration::from_millis(ms as u64);
        links.keep("theirs", "tok_2", now);
        for number in 0..1_000 {
            links.keep(&number.to_string(), "tok_1", at(number));
        }
        assert!(links.is_good_at("theirs", at(1_000)));
        assert!(!links.is_good_at("989", at(1_000)), "the oldest go first");
        assert!(links.is_good_at("990", at(1_000)));
        for number in 0..1_000 {
            links.keep(
                &number.to_string(),
                &format!("tok_{number}"),
                at(1_000 + number),
            );
        }
        assert_eq!(links.lock().len(), SIGN_IN_LINKS_MAX);
    }
}
