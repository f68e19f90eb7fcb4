//! Does what is wanted: tells every effect that is not settled, and says what came of it. Starts over
//! after a restart with what the journal still wants, under the same ids; so an effect is told at
//! least once, and once where the receiver drops repeats.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use leverframe_core::Timestamp;
use leverframe_core::effect::{Effect, Settlement, Urgency};
use tokio::sync::{OnceCell, Semaphore};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::channel::{Round, Teller};
use crate::clock::Clock;
use crate::limit::{EFFECT_PAUSE, EFFECT_PAUSE_MAX, EFFECT_TIME_MAX, EFFECTS_AT_ONCE};

/// Where effects are wanted and settled: the journal, as this runner sees it.
#[async_trait]
pub trait Outbox: Send + Sync + 'static {
    /// Everything that is wanted and not settled, the oldest first.
    fn unsettled(&self) -> Vec<Effect>;

    /// Waits until more may be wanted.
    async fn changed(&self);

    /// Records what came of an effect. One that is settled already is left as it is.
    ///
    /// # Errors
    /// When it cannot be recorded now.
    async fn settle(&self, id: &str, settlement: Settlement) -> Result<(), String>;
}

/// An effect that nobody could be told of so far: what a banner says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Its id.
    pub id: Box<str>,
    /// How loud it is.
    pub urgency: Urgency,
    /// What it is about.
    pub title: Box<str>,
    /// Since when it has been tried, by the node's steady clock.
    pub since: Timestamp,
    /// How often.
    pub rounds: u32,
    /// Why, a sentence for each channel.
    pub why: Vec<Box<str>>,
}

/// Runs effects. Cheap to clone; clones are the same runner.
#[derive(Debug, Clone)]
pub struct Effects {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    teller: Teller,
    clock: Clock,
    seats: Semaphore,
    troubles: Mutex<BTreeMap<Box<str>, Trouble>>,
    /// What was told, or is being told, before the journal wanted it: by effect, or by rollout where it
    /// is the last thing there is to tell of one.
    ahead: Mutex<BTreeMap<Box<str>, Arc<OnceCell<Settlement>>>>,
}

impl Trouble {
    /// It as one sentence for people.
    #[must_use]
    pub fn sentence(&self) -> String {
        let what = match self.urgency {
            Urgency::Page => "nobody could be paged",
            Urgency::Notify => "not everybody could be told",
        };
        let (title, rounds) = (&self.title, self.rounds);
        let why = self.why.join("; ");
        format!("{what}: {title} (tried {rounds} times: {why})")
    }
}

impl Effects {
    /// A runner that tells through this teller.
    #[must_use]
    pub fn new(teller: Teller, clock: Clock) -> Self {
        let inner = Inner {
            teller,
            clock,
            seats: Semaphore::new(EFFECTS_AT_ONCE),
            troubles: Mutex::default(),
            ahead: Mutex::default(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Whom it tells through.
    #[must_use]
    pub fn teller(&self) -> &Teller {
        &self.inner.teller
    }

    /// What nobody could be told so far and is being tried again, the oldest first.
    #[must_use]
    pub fn troubles(&self) -> Vec<Trouble> {
        let mut troubles: Vec<_> = self.inner.troubles().values().cloned().collect();
        troubles.sort_by(|one, other| (one.since, &one.id).cmp(&(other.since, &other.id)));
        troubles
    }

    /// Tells an effect that the journal cannot want yet, for as long as it makes sense to try. When the
    /// journal wants it in the end, under the same id or for the same rollout, it is settled with what
    /// came of this, and not told again.
    pub(crate) async fn tell_ahead(&self, key: Box<str>, effect: &Effect) -> Settlement {
        let cell = Arc::clone(self.inner.ahead().entry(key).or_default());
        let told = cell.get_or_init(|| self.inner.tell(effect)).await.clone();
        self.inner.troubles().remove(&effect.id);
        told
    }

    /// Runs until it is stopped. Whatever is being told then is told again by the next one.
    pub async fn run(&self, outbox: Arc<dyn Outbox>, stop: CancellationToken) {
        let mut in_hand: BTreeSet<Box<str>> = BTreeSet::new();
        let mut tasks: JoinSet<Box<str>> = JoinSet::new();
        loop {
            for effect in outbox.unsettled() {
                if in_hand.insert(effect.id.clone()) {
                    let (inner, outbox) = (Arc::clone(&self.inner), Arc::clone(&outbox));
                    tasks.spawn(async move {
                        inner.see_through(&effect, outbox.as_ref()).await;
                        effect.id
                    });
                }
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = outbox.changed() => {}
                Some(ended) = tasks.join_next() => match ended {
                    Ok(id) => {
                        in_hand.remove(&id);
                    }
                    Err(error) => {
                        // Whose it was is not known, so all that nobody works on is taken up again.
                        tracing::error!(%error, "telling an effect ended by itself");
                        in_hand.clear();
                        tasks.shutdown().await;
                    }
                },
            }
        }
        tasks.shutdown().await;
        self.inner.troubles().clear();
    }
}

impl Inner {
    /// Tells it until it is told or given up, and settles it.
    async fn see_through(&self, effect: &Effect, outbox: &dyn Outbox) {
        let ahead = self.told_ahead(effect);
        let settlement = match &ahead {
            Some(cell) => cell.get_or_init(|| self.tell(effect)).await.clone(),
            None => self.tell(effect).await,
        };
        let mut pause = EFFECT_PAUSE;
        while let Err(why) = outbox.settle(&effect.id, settlement.clone()).await {
            tracing::warn!(effect = %effect.id, %why, "cannot record what came of it yet");
            wait(&mut pause).await;
        }
        self.troubles().remove(&effect.id);
        if let Some(cell) = ahead {
            self.ahead().retain(|_, other| !Arc::ptr_eq(other, &cell));
        }
    }

    fn told_ahead(&self, effect: &Effect) -> Option<Arc<OnceCell<Settlement>>> {
        let ahead = self.ahead();
        let by_rollout = (effect.urgency == Urgency::Page)
            .then(|| ahead.get(&effect.message.rollout))
            .flatten();
        ahead.get(&effect.id).or(by_rollout).map(Arc::clone)
    }

    async fn tell(&self, effect: &Effect) -> Settlement {
        let started = Instant::now();
        let since = self.clock.steady();
        let mut round = Round::default();
        let mut pause = EFFECT_PAUSE;
        for rounds in 1_u32.. {
            let seat = self.seats.acquire().await;
            let is_done = self.teller.go_on(effect, &mut round).await;
            drop(seat);
            if is_done || started.elapsed() >= EFFECT_TIME_MAX {
                break;
            }
            let trouble = Trouble {
                id: effect.id.clone(),
                urgency: effect.urgency,
                title: effect.message.title.clone(),
                since,
                rounds,
                why: round.failed().to_vec(),
            };
            self.troubles().insert(effect.id.clone(), trouble);
            wait(&mut pause).await;
        }
        round.settlement(effect)
    }

    fn ahead(&self) -> MutexGuard<'_, BTreeMap<Box<str>, Arc<OnceCell<Settlement>>>> {
        self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn troubles(&self) -> MutexGuard<'_, BTreeMap<Box<str>, Trouble>> {
        // Each entry is whole, whoever panicked.
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn wait(pause: &mut Duration) {
    tokio::time::sleep(*pause).await;
    *pause = (*pause * 2).min(EFFECT_PAUSE_MAX);
}
