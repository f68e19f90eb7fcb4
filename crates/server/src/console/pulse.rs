//! Notices that something changed, for every tab that is open.
//!
//! One task looks, and only while somebody listens: a tab costs the way of a kill nothing, because
//! nothing on that way knows of tabs.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use leverframe_flags::EnvironmentKey;
use tokio::sync::watch;

use crate::app::App;
use crate::limit::{PULSE_EVERY, PULSE_FLEET_EVERY, PULSE_TICK_MS};

/// What was seen last. Each number only says whether something is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub(crate) struct Seen {
    /// The journal's revision.
    pub(crate) revision: u64,
    /// Changes with who has the environment's newest change.
    pub(crate) fleet: u64,
    /// Changes with what is seen of its rollouts, and with kills that are not stored.
    pub(crate) tick: u64,
}

/// Who listens, by environment.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    listened: Mutex<Vec<(EnvironmentKey, watch::Sender<Seen>)>>,
    asked: Mutex<Asked>,
}

/// What those heard who ask instead of listening, by environment, and when.
#[derive(Debug, Default)]
struct Asked(HashMap<EnvironmentKey, (Instant, Seen)>);

impl Asked {
    /// What was seen lately, unless there is a newer revision; else a new look.
    fn seen(
        &mut self,
        environment: &EnvironmentKey,
        (revision, now): (u64, Instant),
        look: impl FnOnce() -> Seen,
    ) -> Seen {
        if let Some((at, seen)) = self.0.get(environment)
            && seen.revision == revision
            && now.duration_since(*at) < PULSE_FLEET_EVERY
        {
            return *seen;
        }
        let seen = look();
        self.0.insert(environment.clone(), (now, seen));
        seen
    }
}

impl Pulse {
    /// What is new in an environment, from now on.
    pub(super) fn listen(app: &App, environment: &EnvironmentKey) -> watch::Receiver<Seen> {
        let mut listened = app
            .pulse
            .listened
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some((_, sender)) = listened.iter().find(|(key, _)| key == environment) {
            return sender.subscribe();
        }
        let (sender, receiver) = watch::channel(look(app, environment));
        listened.push((environment.clone(), sender));
        drop(listened);
        app.tasks
            .spawn(keep_looking(app.clone(), environment.clone()));
        receiver
    }

    /// What is there now or was a moment ago: the evaluators are not counted for everybody who asks.
    pub(super) fn seen(app: &App, environment: &EnvironmentKey) -> Seen {
        let asked = &app.pulse.asked;
        let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
        let now = (app.node().state().revision(), Instant::now());
        asked.seen(environment, now, || look(app, environment))
    }
}

/// Looks until nobody listens.
async fn keep_looking(app: App, environment: EnvironmentKey) {
    let mut every = tokio::time::interval(PULSE_EVERY);
    let rarely = (PULSE_FLEET_EVERY.as_millis() / PULSE_EVERY.as_millis()).max(1);
    let mut beats: u128 = 0;
    loop {
        tokio::select! {
            _ = every.tick() => {}
            () = app.draining.cancelled() => return,
        }
        beats += 1;
        let revision = app.node().state().revision();
        let mut listened = app
            .pulse
            .listened
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let Some(index) = listened.iter().position(|(key, _)| *key == environment) else {
            return;
        };
        if listened
            .get(index)
            .is_some_and(|(_, sender)| sender.is_closed())
        {
            listened.swap_remove(index);
            return;
        }
        let Some(sender) = listened.get(index).map(|(_, sender)| sender.clone()) else {
            return;
        };
        drop(listened);
        let is_due = beats.is_multiple_of(rarely) || sender.borrow().revision != revision;
        if is_due {
            let seen = look(&app, &environment);
            sender.send_if_modified(|last| std::mem::replace(last, seen) != seen);
        }
    }
}

/// What is there now.
fn look(app: &App, environment: &EnvironmentKey) -> Seen {
    let node = app.node();
    let state = node.state();
    let fleet = app.feed(environment.as_str()).map_or(0, |feed| {
        let had = feed.presence().confirmation(feed.revision()).confirmation;
        digest(&(had.expected, had.confirmed, had.stragglers.len()))
    });
    let looks: Vec<_> = state
        .running()
        .filter(|rollout| rollout.environment == *environment)
        .filter_map(|rollout| {
            let look = node.look(&rollout.id)?;
            Some((
                rollout.id.clone(),
                look.observation.now.as_ms() / PULSE_TICK_MS,
            ))
        })
        .collect();
    let brakes: Vec<_> = node.brakes().iter().map(|brake| brake.number).collect();
    Seen {
        revision: state.revision(),
        fleet,
        tick: digest(&(looks, brakes)),
    }
}

fn digest(what: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn who_asks_at_the_same_time_hears_the_same_look_and_of_a_change_at_once() {
        let mut asked = Asked::default();
        let (prod, dev) = ("prod".parse().unwrap(), "dev".parse().unwrap());
        let begin = Instant::now();
        let mut looks = 0;
        let mut ask = |environment: &EnvironmentKey, revision, now| {
            let look = || {
                looks += 1;
                Seen {
                    revision,
                    fleet: looks,
                    tick: 0,
                }
            };
            asked.seen(environment, (revision, now), look).fleet
        };
        assert_eq!(ask(&prod, 7, begin), 1);
        assert_eq!(ask(&prod, 7, begin + PULSE_FLEET_EVERY / 2), 1);
        assert_eq!(ask(&dev, 7, begin), 2);
        assert_eq!(ask(&prod, 8, begin + PULSE_FLEET_EVERY / 2), 3);
        assert_eq!(ask(&prod, 8, begin + PULSE_FLEET_EVERY * 2), 4);
    }
}
