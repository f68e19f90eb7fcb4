//! Starting a node, opening the shop, and what follows a restore: the ways a journal is taken up.

use std::collections::BTreeMap;
use std::sync::Arc;

use leverframe_core::access::Actor;
use leverframe_core::decide::{Decision, decide, first_events};
use leverframe_core::position::latch;
use leverframe_core::roll::{Member, Roll};
use leverframe_core::{Command, Entry, Meta, State, Timestamp, Why, state};
use leverframe_flags::{EnvironmentKey, FlagKey};
use leverframe_store::memory::Disk;
use leverframe_store::{Beside, Head, MemoryStore, Reader, Store, StoredSnapshot};
use serde_json::Value as Json;

use super::Node;
use super::brake::Brakes;
use super::decision::step;
use super::feed::Feed;
use super::writer::Stage;
use crate::clock::Clock;
use crate::plant::Plant;
use crate::shop;

impl Node {
    /// Starts a process on a disk: takes the leadership if it is to lead, then reads the journal,
    /// from the snapshot if there is a good one.
    pub(crate) fn start(
        (index, boot): (usize, u64),
        disk: &Disk,
        leads: bool,
        clock: &Clock,
        plant: Option<Plant>,
    ) -> Result<Self, String> {
        let mut store = MemoryStore::open(disk);
        let words = |error: &dyn std::fmt::Display| error.to_string();
        let reader = store.reader();
        let beside = store.beside();
        let fence = match leads {
            true => Some(
                store
                    .take_leadership(clock.wall())
                    .map_err(|error| words(&error))?,
            ),
            false => None,
        };
        let mut state = from_snapshot(&*beside, &*reader, plant).unwrap_or_default();
        let snapshot_revision = state.revision();
        for entry in reader
            .read(state.revision(), usize::MAX)
            .map_err(|error| words(&error))?
        {
            state.apply(&entry).map_err(|error| words(&error))?;
        }
        let state = Arc::new(state);
        let mut rolls = load_rolls(&*beside, clock.wall(), plant);
        let mut feeds = BTreeMap::new();
        Feed::add(&mut feeds, &state, &mut rolls, plant);
        let now_ms = i64::try_from(clock.now_ms()).unwrap_or(i64::MAX);
        let mut node = Self {
            index,
            boot,
            store,
            fence,
            state,
            feeds,
            queue: std::collections::VecDeque::new(),
            stage: Stage::Idle,
            streams: BTreeMap::new(),
            steady_from: clock.wall().plus_ms(-now_ms),
            snapshot_revision,
            brakes: Brakes::default(),
            pinged: clock.wall(),
            plant,
        };
        if leads {
            node.take_brakes_up();
        }
        Ok(node)
    }

    /// Takes the leadership from whoever has it: fences it off first, then reads what it wrote.
    pub(crate) fn take_over(&mut self, clock: &Clock) {
        if self.leads() || self.is_mid_write() {
            return;
        }
        self.fence = self.store.take_leadership(clock.wall()).ok();
        self.catch_up();
        // Who followed the one before is on the roll that it left.
        let beside: Arc<dyn Beside> = self.store.beside();
        let mut rolls = load_rolls(&*beside, self.steady(clock), self.plant);
        self.feeds.clear();
        Feed::add(&mut self.feeds, &self.state, &mut rolls, self.plant);
        if self.leads() {
            self.take_brakes_up();
        }
    }
}

/// The rolls as they were saved, by the clock of the process that goes on with them.
fn load_rolls(
    beside: &dyn Beside,
    now: Timestamp,
    plant: Option<Plant>,
) -> BTreeMap<Box<str>, Roll> {
    let rolls = beside.load_rolls().into_iter();
    rolls
        .filter_map(|(environment, bytes)| {
            let members: Vec<Member> = serde_json::from_slice(&bytes).ok()?;
            let roll = match plant {
                Some(Plant::RollTrustsTheWallClock) => Roll::load(members),
                _ => Roll::resumed(members, now),
            };
            Some((environment, roll))
        })
        .collect()
}

/// The newest saved state that is whole and that the journal still has the revision of.
fn from_snapshot(beside: &dyn Beside, reader: &dyn Reader, plant: Option<Plant>) -> Option<State> {
    let mut state = None;
    beside.offer_snapshots(&mut |stored| {
        state = read_snapshot(&stored, reader, plant);
        state.is_some()
    });
    state
}

fn read_snapshot(
    stored: &StoredSnapshot,
    reader: &dyn Reader,
    plant: Option<Plant>,
) -> Option<State> {
    reader.check(stored.head).ok()?;
    let mut json: Json = serde_json::from_slice(&stored.bytes).ok()?;
    if plant == Some(Plant::LatchForgottenOnRestart) {
        forget_latches(&mut json);
    }
    let snapshot: state::Snapshot = serde_json::from_value(json).ok()?;
    let state = State::from_snapshot(snapshot).ok()?;
    let head = Head {
        revision: state.revision(),
        link: state.head(),
    };
    (head == stored.head).then_some(state)
}

fn forget_latches(snapshot: &mut Json) {
    let flags = snapshot["flags"].as_array_mut().into_iter().flatten();
    for flag in flags {
        let levers = flag["levers"].as_object_mut().into_iter().flatten();
        for (_, lever) in levers {
            if lever["position"].get("latch").is_some() {
                lever["position"] =
                    serde_json::json!({"state": "open", "exposure": {"percentage": 100}});
            }
        }
    }
}

/// The first records of a new journal: the start, then what the root token sets up.
pub(crate) fn append_opening(disk: &Disk, journal: &str, now: Timestamp) -> Result<(), String> {
    let mut store = MemoryStore::open(disk);
    let words = |error: &dyn std::fmt::Display| error.to_string();
    let fence = store.take_leadership(now).map_err(|error| words(&error))?;
    let mut state = Arc::new(State::new());
    let mut entries: Vec<Entry> = Vec::new();
    let first = first_events(journal, shop::environments(), shop::root());
    let mut add = |state: &mut Arc<State>, events, meta: &Meta| -> Result<(), String> {
        let step = step(state, events, meta)?;
        *state = step.after;
        entries.push(step.entry);
        Ok(())
    };
    add(&mut state, first, &meta(Actor::System, now, "first start"))?;
    let root = Actor::Token {
        id: shop::ROOT.into(),
    };
    for command in shop::opening_commands(now) {
        let meta = meta(root.clone(), now, "opening the shop");
        match decide(&state, &command, &meta) {
            Ok(Decision::Append(events)) => add(&mut state, events, &meta)?,
            Ok(_) => {}
            Err(rejection) => return Err(format!("{command:?}: {rejection}")),
        }
    }
    store
        .append(0, fence, &entries)
        .map_err(|error| words(&error))
}

/// Ends a restore: raises the epoch and closes again what was closed since the backup. `replaced`
/// is the state that the backup took the place of.
pub(crate) fn continue_after_restore(
    disk: &Disk,
    replaced: &State,
    now: Timestamp,
    plant: Option<Plant>,
) -> Result<u64, String> {
    let mut store = MemoryStore::open(disk);
    let words = |error: &dyn std::fmt::Display| error.to_string();
    let fence = store.take_leadership(now).map_err(|error| words(&error))?;
    let mut state = State::new();
    for entry in store
        .reader()
        .read(0, usize::MAX)
        .map_err(|error| words(&error))?
    {
        state.apply(&entry).map_err(|error| words(&error))?;
    }
    let state = Arc::new(state);
    let epoch = state.epoch().max(replaced.epoch()) + 1;
    let keep_closed = match plant {
        Some(Plant::LatchForgottenOnRestore) => Vec::new(),
        Some(Plant::LatchForgottenWhereNothingMoved) => {
            let has_moved = |flag: &FlagKey, environment: &EnvironmentKey| {
                let flag = state.flag(flag.as_str());
                flag.is_some_and(|flag| flag.lever(environment.as_str()).is_some())
            };
            let mut levers = latched(replaced);
            levers.retain(|(flag, environment)| has_moved(flag, environment));
            levers
        }
        _ => latched(replaced),
    };
    let command = Command::Restore { epoch, keep_closed };
    let meta = meta(Actor::System, now.max(state.at()), "restore");
    let Decision::Append(events) =
        decide(&state, &command, &meta).map_err(|error| words(&error))?
    else {
        return Err("a restore changed nothing".to_owned());
    };
    let step = step(&state, events, &meta)?;
    let entries = [step.entry];
    store
        .append(state.revision(), fence, &entries)
        .map_err(|error| words(&error))?;
    Ok(epoch)
}

/// The levers that are latched.
pub(crate) fn latched(state: &State) -> Vec<(FlagKey, EnvironmentKey)> {
    let mut levers = Vec::new();
    for flag in state.flags() {
        for (environment, lever) in &flag.levers {
            if latch(&lever.position).is_some() {
                levers.push((flag.key().clone(), environment.clone()));
            }
        }
    }
    levers
}

fn meta(actor: Actor, now: Timestamp, why: &str) -> Meta {
    Meta {
        now,
        steady: now,
        actor,
        via: "sim".into(),
        why: Why {
            reason: Some(why.into()),
            incident: None,
        },
        if_match: None,
        idempotency: None,
        entropy: 0,
    }
}
