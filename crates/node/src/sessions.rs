//! People's sessions: in memory, where every request of a signed-in person is answered from, and
//! beside the journal, so that a restart signs nobody out.
//!
//! A session names a token and has no right of its own: whoever asks for it looks the token up in
//! the state, so that a revocation ends it at once. Only the hash of its secret is kept, and it is
//! found by that hash, so how long looking takes says nothing of the secret.
//!
//! Nothing here waits for the store. A session that could not be saved works until the next
//! restart, and one whose end could not be saved ends here and now; both are tried again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use leverframe_core::{State, Timestamp};
use leverframe_store::limit::SESSIONS_MAX;
use leverframe_store::{Beside, StoredSession};
use sha2::{Digest, Sha256};
use tokio::sync::Notify;
use tokio::time::MissedTickBehavior;

use crate::clock::Clock;
use crate::limit::{SESSION_MS_MAX, SESSIONS_OF_TOKEN_MAX};
use crate::shared::Shared;

/// How often sessions that are over are dropped, and what could not be saved is tried again.
const TIDY_EVERY: Duration = Duration::from_secs(60);

/// A session that is not over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    secret_sha256: [u8; 32],
    /// The id of the token it was begun with, and whose rights it has.
    pub token: Arc<str>,
    /// When it began, by the steady clock.
    pub created_at: Timestamp,
    /// When it is over, by the steady clock.
    pub expires_at: Timestamp,
}

/// The sessions of a node.
pub struct Sessions {
    held: Mutex<Held>,
    changed: Notify,
    clock: Clock,
}

#[derive(Default)]
struct Held {
    sessions: HashMap<[u8; 32], Session>,
    /// What the store has to hear.
    unsaved: HashMap<[u8; 32], Unsaved>,
}

#[derive(Clone)]
enum Unsaved {
    Begun(Session),
    Ended,
}

impl Sessions {
    /// With those that were kept. One that would last longer than any can was begun by a clock that
    /// has been set back since, and is not used.
    pub(crate) fn resume(clock: Clock, beside: &dyn Beside) -> Self {
        let now = clock.steady();
        let kept = beside.sessions(now).unwrap_or_else(|error| {
            tracing::warn!(%error, "the sessions cannot be read; people sign in again");
            Vec::new()
        });
        let sessions = kept
            .into_iter()
            .filter(|one| one.expires_at.ms_since(now) <= SESSION_MS_MAX)
            .map(|one| (one.secret_sha256, Session::from(one)))
            .collect();
        Self {
            held: Mutex::new(Held {
                sessions,
                unsaved: HashMap::new(),
            }),
            changed: Notify::new(),
            clock,
        }
    }

    /// Begins a session of 12 hours with the rights of a token. Where there are too many, of the
    /// token or in all, the one that would end first ends now.
    pub fn begin(&self, secret: &str, token: &str) -> Session {
        let now = self.clock.steady();
        let session = Session {
            secret_sha256: hash(secret),
            token: token.into(),
            created_at: now,
            expires_at: now.plus_ms(SESSION_MS_MAX),
        };
        let mut held = self.held();
        held.end_first_of(SESSIONS_OF_TOKEN_MAX, |one| *one.token == *token);
        held.end_first_of(usize::try_from(SESSIONS_MAX).unwrap_or(usize::MAX), |_| {
            true
        });
        held.begin(session.clone());
        drop(held);
        self.changed.notify_one();
        session
    }

    /// The session of a secret, if it is not over.
    #[must_use]
    pub fn find(&self, secret: &str) -> Option<Session> {
        let now = self.clock.steady();
        let found = self.held().sessions.get(&hash(secret)).cloned();
        found.filter(|session| now < session.expires_at)
    }

    /// Whether a session is neither over nor ended.
    #[must_use]
    pub fn is_on(&self, session: &Session) -> bool {
        let now = self.clock.steady();
        now < session.expires_at && self.held().sessions.contains_key(&session.secret_sha256)
    }

    /// The sessions of a token, the newest first.
    #[must_use]
    pub fn of_token(&self, token: &str) -> Vec<Session> {
        let now = self.clock.steady();
        let held = self.held();
        let of_it = |one: &&Session| *one.token == *token && now < one.expires_at;
        let mut found: Vec<_> = held.sessions.values().filter(of_it).cloned().collect();
        found.sort_by_key(|one| std::cmp::Reverse(one.created_at));
        found
    }

    /// Ends a session, at once and for ever.
    pub fn end(&self, session: &Session) {
        self.held().end(&session.secret_sha256);
        self.changed.notify_one();
    }

    /// Ends the sessions of a token but for one, and says how many.
    pub fn end_others(&self, token: &str, but: Option<&Session>) -> usize {
        let but = but.map(|session| session.secret_sha256);
        self.end_where(|one| *one.token == *token && Some(one.secret_sha256) != but)
    }

    /// Ends those that are over and those whose token does not work any more.
    fn tidy(&self, state: &State, wall_now: Timestamp) {
        let now = self.clock.steady();
        let works = |token: &str| state.token(token).is_some_and(|one| one.works_at(wall_now));
        self.end_where(|one| one.expires_at <= now || !works(&one.token));
    }

    fn end_where(&self, is_over: impl Fn(&Session) -> bool) -> usize {
        let mut held = self.held();
        let over = held.sessions.values().filter(|one| is_over(one));
        let over: Vec<_> = over.map(|one| one.secret_sha256).collect();
        for secret_sha256 in &over {
            held.end(secret_sha256);
        }
        drop(held);
        if !over.is_empty() {
            self.changed.notify_one();
        }
        over.len()
    }

    /// Tells the store what it has not heard; what it refuses is kept for the next time. Blocking.
    fn save(&self, beside: &dyn Beside) {
        let changes: Vec<_> = self.held().unsaved.drain().collect();
        let mut failure = None;
        for (secret_sha256, change) in changes {
            let saved = match &change {
                Unsaved::Begun(session) => beside.save_session(&session.stored()),
                Unsaved::Ended => beside.drop_session(&secret_sha256),
            };
            if let Err(error) = saved {
                self.held().not_saved(secret_sha256, change);
                failure = Some(error);
            }
        }
        if let Some(error) = failure {
            tracing::warn!(%error, "sessions could not be saved; they work until a restart, and it is tried again");
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // Each change is whole before anything can panic.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn begin(&mut self, session: Session) {
        let key = session.secret_sha256;
        self.unsaved.insert(key, Unsaved::Begun(session.clone()));
        self.sessions.insert(key, session);
    }

    fn end(&mut self, secret_sha256: &[u8; 32]) {
        if self.sessions.remove(secret_sha256).is_none() {
            return;
        }
        // What the store never heard of it need not forget.
        if self.unsaved.remove(secret_sha256).is_none() {
            self.unsaved.insert(*secret_sha256, Unsaved::Ended);
        }
    }

    /// Makes room for one more: the first to end of these goes where there are as many as may be.
    fn end_first_of(&mut self, most: usize, counts: impl Fn(&Session) -> bool) {
        let counted = || self.sessions.values().filter(|one| counts(one));
        if counted().count() < most {
            return;
        }
        let first = counted().min_by_key(|one| (one.expires_at, one.secret_sha256));
        if let Some(first) = first.map(|one| one.secret_sha256) {
            self.end(&first);
        }
    }

    /// Keeps a change for the next time, unless it was overtaken.
    fn not_saved(&mut self, secret_sha256: [u8; 32], change: Unsaved) {
        let is_overtaken = match change {
            Unsaved::Begun(_) => !self.sessions.contains_key(&secret_sha256),
            Unsaved::Ended => self.sessions.contains_key(&secret_sha256),
        };
        if !is_overtaken {
            self.unsaved.entry(secret_sha256).or_insert(change);
        }
    }
}

impl Session {
    fn stored(&self) -> StoredSession {
        StoredSession {
            secret_sha256: self.secret_sha256,
            token: (*self.token).into(),
            created_at: self.created_at,
            expires_at: self.expires_at,
        }
    }
}

impl From<StoredSession> for Session {
    fn from(stored: StoredSession) -> Self {
        Self {
            secret_sha256: stored.secret_sha256,
            token: stored.token.into(),
            created_at: stored.created_at,
            expires_at: stored.expires_at,
        }
    }
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let count = self.held().sessions.len();
        f.debug_struct("Sessions").field("count", &count).finish()
    }
}

/// Saves sessions as they begin and end, one save at a time, until the node stops and once more then.
pub(crate) async fn keep(shared: Arc<Shared>, beside: Arc<dyn Beside>) {
    let mut tidy = tokio::time::interval(TIDY_EVERY);
    tidy.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut is_last = false;
    while !is_last {
        tokio::select! {
            () = shared.sessions.changed.notified() => {}
            _ = tidy.tick() => {
                shared.sessions.tidy(&shared.state(), shared.clock.wall());
                drop_over(&shared, &beside).await;
            }
            () = shared.stopping.cancelled() => is_last = true,
        }
        let (shared, beside) = (Arc::clone(&shared), Arc::clone(&beside));
        let saved = tokio::task::spawn_blocking(move || shared.sessions.save(&*beside)).await;
        if let Err(error) = saved {
            tracing::warn!(%error, "the sessions could not be saved");
        }
    }
}

/// Drops what is over and was in nobody's memory: it was over before the node started.
async fn drop_over(shared: &Arc<Shared>, beside: &Arc<dyn Beside>) {
    let (now, beside) = (shared.clock.steady(), Arc::clone(beside));
    if let Ok(Err(error)) =
        tokio::task::spawn_blocking(move || beside.drop_sessions_over(now)).await
    {
        tracing::warn!(%error, "sessions that are over could not be dropped; they do not work");
    }
}

fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

#[cfg(test)]
mod tests;
