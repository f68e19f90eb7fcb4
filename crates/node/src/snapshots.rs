//! The encoded snapshot that joiners of one environment share: one encoding for ten thousand of
//! them, on a thread of its own, so that neither a stream nor a kill ever waits for it. Let go of
//! when nobody has joined for a while.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::place::Place;

/// How many encodings in a row may be overtaken by changes before one is sent all the same, with
/// the changes right behind it.
const OVERTAKEN_MAX: u32 = 3;

#[derive(Default)]
pub(crate) struct Snapshots(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    last: Option<(Place, Bytes)>,
    is_preparing: bool,
    is_used: bool,
    overtaken: u32,
}

/// What there is for a joiner.
pub(crate) struct Found<T> {
    /// The snapshot, and what was made of its place; without it the joiner waits.
    pub(crate) sendable: Option<(Bytes, T)>,
    /// The next one is to be encoded, and nobody does.
    pub(crate) to_prepare: Option<Preparing>,
}

/// The right to encode the next one. Whatever becomes of it, another may be encoded afterwards.
pub(crate) struct Preparing(Arc<Snapshots>);

impl Snapshots {
    /// The last snapshot, if `sendable` makes something of its place; it is told whether changes
    /// have overtaken too many already.
    pub(crate) fn get<T>(
        self: &Arc<Self>,
        sendable: impl Fn(&Place, bool) -> Option<T>,
    ) -> Found<T> {
        let mut inner = self.lock();
        let is_overdue = inner.overtaken >= OVERTAKEN_MAX;
        let made = |is_overdue| {
            let (place, bytes) = inner.last.as_ref()?;
            Some((bytes.clone(), sendable(place, is_overdue)?))
        };
        let fresh = made(false);
        let is_fresh = fresh.is_some();
        let sendable = fresh.or_else(|| is_overdue.then(|| made(true))?);
        inner.is_used |= sendable.is_some();
        let is_to_prepare = !is_fresh && !std::mem::replace(&mut inner.is_preparing, true);
        Found {
            sendable,
            to_prepare: is_to_prepare.then(|| Preparing(Arc::clone(self))),
        }
    }

    /// Lets go of a snapshot that nobody was sent since this was asked last.
    pub(crate) fn forget_unused(&self) {
        let mut inner = self.lock();
        if !std::mem::take(&mut inner.is_used) {
            inner.last = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Preparing {
    /// Here it is; `is_overtaken` when something has changed since.
    pub(crate) fn done(self, place: Place, bytes: Bytes, is_overtaken: bool) {
        let mut inner = self.0.lock();
        inner.last = Some((place, bytes));
        inner.is_used = true;
        inner.overtaken = if is_overtaken { inner.overtaken + 1 } else { 0 };
    }
}

impl Drop for Preparing {
    fn drop(&mut self) {
        self.0.lock().is_preparing = false;
    }
}
