//! Which instance is on which connection: a newer connection takes an older one's place.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The connections of all environments.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    next: AtomicU64,
    seats: Mutex<HashMap<Seat, Occupied>>,
}

/// An instance in an environment; only one connection can have it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Seat {
    pub(super) environment: Arc<str>,
    pub(super) instance: Arc<str>,
}

#[derive(Debug)]
struct Occupied {
    connection: u64,
    replaced: Arc<Notify>,
}

/// A seat that is taken; leave it with [`Connections::leave`].
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) seat: Seat,
    connection: u64,
    /// Wakes when a newer connection takes the seat.
    pub(super) replaced: Arc<Notify>,
}

impl Connections {
    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.lock().len()
    }

    /// Takes a seat; whoever had it is told to go.
    pub(super) fn take(&self, seat: Seat) -> Taken {
        let connection = self.next.fetch_add(1, Ordering::Relaxed);
        let replaced = Arc::new(Notify::new());
        let occupied = Occupied {
            connection,
            replaced: Arc::clone(&replaced),
        };
        if let Some(older) = self.lock().insert(seat.clone(), occupied) {
            older.replaced.notify_one();
        }
        Taken {
            seat,
            connection,
            replaced,
        }
    }

    /// Leaves a seat, unless somebody else has it by now.
    pub(super) fn leave(&self, taken: &Taken) {
        let mut seats = self.lock();
        if seats
            .get(&taken.seat)
            .is_some_and(|now| now.connection == taken.connection)
        {
            seats.remove(&taken.seat);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Seat, Occupied>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
