//! The seats: how many connections there may be, and who has to go when there are no more.
//!
//! Streams have a bound of their own below this one, so the last seats are always for requests, a
//! kill among them. Whoever only sits there (opened a connection and says nothing, or is between two
//! requests) gives its seat up to whoever comes when none is free, the one that sat longest first.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::limit::{EVICTIONS_AT_ONCE, SEAT_WAIT_MAX};

/// The seats of one server.
#[derive(Debug)]
pub(super) struct Seats {
    free: Arc<Semaphore>,
    started: Instant,
    next: AtomicU64,
    guests: Mutex<BTreeMap<u64, Arc<Guest>>>,
}

/// A connection's seat; clones are the same seat, which is free when the last is gone.
#[derive(Debug, Clone)]
pub(super) struct Seat(Arc<Taken>);

#[derive(Debug)]
struct Taken {
    number: u64,
    guest: Arc<Guest>,
    seats: Arc<Seats>,
    _permit: OwnedSemaphorePermit,
}

#[derive(Debug, Default)]
struct Guest {
    /// Requests and streams under way.
    busy: AtomicU32,
    /// Since when there are none, in milliseconds of the seats' clock.
    idle_since_ms: AtomicU64,
    /// Cancelled when somebody else needs the seat.
    leave: CancellationToken,
}

/// As long as this lives, the seat is not given to somebody else.
#[derive(Debug)]
pub(crate) struct Busy(Seat);

impl Seats {
    pub(super) fn new(count: usize) -> Arc<Self> {
        Arc::new(Self {
            free: Arc::new(Semaphore::new(count)),
            started: Instant::now(),
            next: AtomicU64::new(0),
            guests: Mutex::default(),
        })
    }

    /// A free seat, if there is one.
    pub(super) fn take(self: &Arc<Self>) -> Option<Seat> {
        let permit = Arc::clone(&self.free).try_acquire_owned().ok()?;
        Some(self.seated(permit))
    }

    /// Asks whoever has sat longest to go. Whether there was somebody.
    pub(super) fn make_room(&self) -> bool {
        let mut idle: Vec<(u64, Arc<Guest>)> = self
            .guests()
            .values()
            .filter(|guest| guest.busy.load(Ordering::Acquire) == 0)
            .filter(|guest| !guest.leave.is_cancelled())
            .map(|guest| {
                (
                    guest.idle_since_ms.load(Ordering::Relaxed),
                    Arc::clone(guest),
                )
            })
            .collect();
        // Looking at everybody for each who comes would be the work of an attacker's choice. So
        // several go at once, but never so many that those who just came are among them.
        let leaving = idle.len().div_ceil(8).min(EVICTIONS_AT_ONCE);
        if leaving == 0 {
            return false;
        }
        idle.select_nth_unstable_by_key(leaving - 1, |(since, _)| *since);
        for (_, guest) in idle.iter().take(leaving) {
            guest.leave.cancel();
        }
        true
    }

    /// A seat that somebody is about to leave; `None` when that takes too long.
    pub(super) async fn wait(self: &Arc<Self>) -> Option<Seat> {
        let free = Arc::clone(&self.free).acquire_owned();
        let permit = tokio::time::timeout(SEAT_WAIT_MAX, free).await.ok()?.ok()?;
        Some(self.seated(permit))
    }

    fn seated(self: &Arc<Self>, permit: OwnedSemaphorePermit) -> Seat {
        let guest = Arc::new(Guest {
            idle_since_ms: AtomicU64::new(self.now_ms()),
            ..Guest::default()
        });
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.guests().insert(number, Arc::clone(&guest));
        Seat(Arc::new(Taken {
            number,
            guest,
            seats: Arc::clone(self),
            _permit: permit,
        }))
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn guests(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Guest>>> {
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// A request or a stream begins.
    pub(super) fn busy(&self) -> Busy {
        self.0.guest.busy.fetch_add(1, Ordering::AcqRel);
        Busy(self.clone())
    }

    /// Ends when the seat is somebody else's.
    pub(super) async fn lost(&self) {
        self.0.guest.leave.cancelled().await;
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let taken = &self.0.0;
        let now_ms = taken.seats.now_ms();
        taken.guest.idle_since_ms.store(now_ms, Ordering::Relaxed);
        taken.guest.busy.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.seats.guests().remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_sat_longest_goes_and_who_is_busy_stays() {
        let seats = Seats::new(3);
        let first = seats.take().unwrap();
        let busy = first.busy();
        let second = seats.take().unwrap();
        let third = seats.take().unwrap();
        second.0.guest.idle_since_ms.store(2, Ordering::Relaxed);
        third.0.guest.idle_since_ms.store(1, Ordering::Relaxed);
        assert!(seats.take().is_none());
        let gone = || [&first, &second, &third].map(|seat| seat.0.guest.leave.is_cancelled());
        assert!(seats.make_room());
        assert_eq!(gone(), [false, false, true]);
        assert!(seats.make_room());
        assert_eq!(gone(), [false, true, true]);
        assert!(!seats.make_room(), "the other is busy");
        drop(busy);
        assert!(seats.make_room());
        drop(second);
        assert!(seats.take().is_some());
    }
}
