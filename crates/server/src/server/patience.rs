//! How long a connection waits for a request's headers, without a timer for each request.
//!
//! Hyper makes a timer when it begins to wait for headers and throws it away when they are there.
//! Every one of those takes the lock of the runtime's wheel twice, for which all workers queue: at a
//! hundred thousand requests a second that is what the slowest of them wait for. So a connection
//! keeps one timer, lets it run, and looks at the real deadline only when it rings.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};

/// The timers of one connection, which are all one.
#[derive(Debug, Clone, Default)]
pub(super) struct Patience {
    alarm: Arc<Mutex<Option<Pin<Box<tokio::time::Sleep>>>>>,
}

impl Timer for Patience {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(Instant::now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        Box::pin(Wait {
            patience: self.clone(),
            deadline,
        })
    }
}

/// One wait.
struct Wait {
    patience: Patience,
    deadline: Instant,
}

impl Future for Wait {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let alarm = &self.patience.alarm;
        let mut alarm = alarm.lock().unwrap_or_else(PoisonError::into_inner);
        let deadline = self.deadline.into();
        let alarm = alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if alarm.deadline() > deadline {
            // Set by somebody with more patience.
            alarm.as_mut().reset(deadline);
        }
        while alarm.as_mut().poll(cx).is_ready() {
            if alarm.deadline() >= deadline {
                return Poll::Ready(());
            }
            // It was set for a wait that is over.
            alarm.as_mut().reset(deadline);
        }
        Poll::Pending
    }
}

impl Sleep for Wait {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;

    async fn waits_for(wait: &mut Pin<Box<dyn Sleep>>) -> Duration {
        let began = tokio::time::Instant::now();
        poll_fn(|cx| wait.as_mut().poll(cx)).await;
        began.elapsed()
    }

    async fn is_waiting(wait: &mut Pin<Box<dyn Sleep>>) -> bool {
        poll_fn(|cx| Poll::Ready(wait.as_mut().poll(cx).is_pending())).await
    }

    fn now() -> Instant {
        tokio::time::Instant::now().into_std()
    }

    const LONG: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_at_its_own_deadline_whatever_waits_were_before() {
        let patience = Patience::default();
        for _ in 0..3 {
            let mut before = patience.sleep_until(now() + LONG);
            assert!(is_waiting(&mut before).await);
            drop(before);
            tokio::time::advance(Duration::from_secs(20)).await;
        }
        let mut wait = patience.sleep_until(now() + LONG);
        assert_eq!(waits_for(&mut wait).await, LONG);
        assert_eq!(waits_for(&mut wait).await, Duration::ZERO, "it stays over");
    }

    #[tokio::test(start_paused = true)]
    async fn a_shorter_wait_is_not_held_up_by_a_longer_one() {
        let patience = Patience::default();
        let mut long = patience.sleep_until(now() + LONG);
        assert!(is_waiting(&mut long).await);
        let mut short = patience.sleep_until(now() + LONG / 3);
        assert_eq!(waits_for(&mut short).await, LONG / 3);
    }
}
