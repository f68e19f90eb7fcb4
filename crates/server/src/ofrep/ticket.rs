//! Tickets: what a browser's EventSource shows instead of a token, because it cannot send a
//! header. A ticket allows nothing but notices that something changed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use leverframe_flags::EnvironmentKey;
use tokio::time::Instant;

use crate::app::random;
use crate::convert::hex;
use crate::limit::{TICKET_LIFE, TICKETS_MAX};
use crate::problem::Failure;

/// The tickets of one process; a restart ends them all, and clients get new ones with their next
/// answer.
#[derive(Debug, Default)]
pub(crate) struct Tickets {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    holders: HashMap<Arc<str>, Ticket>,
    /// One for each token and environment, so that a client keeps its URL and with it its stream.
    current: HashMap<(Box<str>, EnvironmentKey), Arc<str>>,
}

/// What a ticket is for.
#[derive(Debug, Clone)]
pub(super) struct Ticket {
    pub(super) token: Box<str>,
    pub(super) environment: EnvironmentKey,
    issued: Instant,
}

impl Ticket {
    fn works(&self) -> bool {
        self.issued.elapsed() < TICKET_LIFE
    }

    /// In the second half of its life a new one is given out; both work.
    fn is_fresh(&self) -> bool {
        self.issued.elapsed() < TICKET_LIFE / 2
    }
}

impl Tickets {
    /// A ticket for a token in an environment; `None` when there are too many.
    pub(super) fn issue(
        &self,
        token: &str,
        environment: &EnvironmentKey,
    ) -> Result<Option<Arc<str>>, Failure> {
        let holder = (Box::from(token), environment.clone());
        let mut inner = self.lock();
        let known = inner.current.get(&holder).cloned();
        if let Some(text) = known
            && inner.holders.get(&text).is_some_and(Ticket::is_fresh)
        {
            return Ok(Some(text));
        }
        if inner.holders.len() >= TICKETS_MAX {
            inner.holders.retain(|_, ticket| ticket.works());
            let Inner { holders, current } = &mut *inner;
            current.retain(|_, text| holders.contains_key(text));
            if inner.holders.len() >= TICKETS_MAX {
                return Ok(None);
            }
        }
        let text: Arc<str> = hex(&random::<32>()?).into();
        let ticket = Ticket {
            token: token.into(),
            environment: environment.clone(),
            issued: Instant::now(),
        };
        inner.holders.insert(Arc::clone(&text), ticket);
        inner.current.insert(holder, Arc::clone(&text));
        Ok(Some(text))
    }

    /// What a ticket is for, while it works.
    pub(super) fn redeem(&self, text: &str) -> Option<Ticket> {
        self.lock()
            .holders
            .get(text)
            .filter(|ticket| ticket.works())
            .cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_keeps_its_ticket_and_nobody_elses_works() {
        let tickets = Tickets::default();
        let prod: EnvironmentKey = "prod".parse().unwrap();
        let one = tickets.issue("tok_a", &prod).unwrap().unwrap();
        assert_eq!(tickets.issue("tok_a", &prod).unwrap().unwrap(), one);
        let other = tickets.issue("tok_b", &prod).unwrap().unwrap();
        assert_ne!(one, other);
        assert_eq!(&*tickets.redeem(&one).unwrap().token, "tok_a");
        assert!(tickets.redeem("").is_none());
        assert!(tickets.redeem(&one[1..]).is_none());
        assert_eq!(one.len(), 64, "256 bits in hexadecimal");
    }

    #[tokio::test(start_paused = true)]
    async fn a_ticket_runs_out_and_a_new_one_is_given_before() {
        let tickets = Tickets::default();
        let prod: EnvironmentKey = "prod".parse().unwrap();
        let issue = || tickets.issue("tok_a", &prod).unwrap().unwrap();
        let first = issue();
        tokio::time::advance(TICKET_LIFE / 2).await;
        let second = issue();
        assert_ne!(first, second);
        assert!(tickets.redeem(&first).is_some(), "streams change over");
        tokio::time::advance(TICKET_LIFE / 2).await;
        assert!(tickets.redeem(&first).is_none());
        assert!(tickets.redeem(&second).is_some());
        tokio::time::advance(TICKET_LIFE / 2).await;
        assert!(tickets.redeem(&second).is_none());
    }
}
