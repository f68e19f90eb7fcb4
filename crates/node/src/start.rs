//! Starting a node: fold the journal, take the leadership, begin the writer and the heartbeat.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use leverframe_core::access::{Actor, Role, Token, TokenSecret};
use leverframe_core::environment::Environment;
use leverframe_core::state::ApplyError;
use leverframe_core::{Entry, Event, Meta, State, Why, decide};
use leverframe_flags::{EnvironmentKey, KeyError};
use leverframe_store::{
    AppendError, Beside, Fence, Head, Reader, Store, StoreError, StoredSnapshot,
};
use tokio::time::MissedTickBehavior;

use crate::brake::Brakes;
use crate::clock::Clock;
use crate::controller::{Controller, Sampling};
use crate::encoder::Encoder;
use crate::node::{Grid, Node, Options, Running};
use crate::outbox::JournalOutbox;
use crate::outcomes::Outcomes;
use crate::rolls::save_rolls;
use crate::sessions::{self, Sessions};
use crate::shared::{Kept, Shared};
use crate::writer::Writer;

/// Entries read at once while folding.
const PAGE: usize = 1_000;
/// How often rolls that changed are saved.
const SAVE_ROLLS_EVERY: Duration = Duration::from_millis(250);

/// A node that runs.
pub struct Started {
    /// It.
    pub node: Node,
    /// What to tell the person who started it, when the journal was empty.
    pub first_start: Option<FirstStart>,
}

/// What the first start of a journal made. The secret is nowhere else.
pub struct FirstStart {
    /// The admin token's id.
    pub admin_id: Box<str>,
    /// The admin token's secret text.
    pub admin_secret: String,
}

/// Why a node did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The journal cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The journal cannot be written.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// A record contradicts those before it.
    #[error(
        "the journal contradicts itself: {0}. Check it with `lever audit verify`, or restore a backup: lever restore <backup>"
    )]
    Fold(#[from] ApplyError),
    /// The operating system refused something.
    #[error("could not start: {0}")]
    System(String),
}

impl Node {
    /// Folds the journal of `store` and begins to serve. An empty journal is given its first record:
    /// the environments dev, staging and prod (guarded), and an admin token.
    ///
    /// # Errors
    /// [`StartError`] when the journal is damaged, from a newer version, or cannot be written.
    pub async fn start(
        store: Box<dyn Store>,
        options: Options,
        encoder: Arc<dyn Encoder>,
    ) -> Result<Started, StartError> {
        let grid = options.outcomes;
        let opened = tokio::task::spawn_blocking(move || open(store, grid))
            .await
            .map_err(|error| StartError::System(error.to_string()))??;
        let Opened {
            store,
            fence,
            state,
            snapshot_revision,
            rolls,
            first_start,
            clock,
            outcomes,
            sessions,
        } = opened;
        let beside = store.beside();
        let shared = Arc::new(Shared::new(
            &Arc::new(state),
            options,
            clock,
            encoder,
            store.reader(),
            Kept {
                beside: Arc::clone(&beside),
                brakes: Brakes::load(Arc::clone(&beside), fence),
                rolls: &rolls,
                outcomes,
                sessions,
            },
        ));
        let writer = Writer {
            shared: Arc::clone(&shared),
            store,
            fence,
            snapshot_revision,
            held: 0,
        };
        let thread = std::thread::Builder::new()
            .name("lever-writer".to_owned())
            .spawn(move || writer.run())
            .map_err(|error| StartError::System(error.to_string()))?;
        tokio::spawn(beat(Arc::clone(&shared)));
        let rolls = tokio::spawn(keep_beside(Arc::clone(&shared), Arc::clone(&beside)));
        let node = Self {
            running: Some(Arc::new(Running::new(Arc::clone(&shared), thread, rolls))),
            shared,
        };
        tokio::spawn(crate::drill::keep(node.behind()));
        begin_rollouts(&node.shared, beside);
        tokio::spawn(crate::canary::keep(node.behind()));
        tokio::spawn(crate::guard::keep(node.behind()));
        tokio::spawn(crate::watching::keep(node.behind()));
        Ok(Started { node, first_start })
    }
}

/// Looks after rollouts, and tells whoever is to be told, until the node stops.
fn begin_rollouts(shared: &Arc<Shared>, beside: Arc<dyn Beside>) {
    let sampling = Sampling::new(Arc::clone(&shared.sampler), shared.options.samples);
    tokio::spawn(Controller::new(Arc::clone(shared), beside, sampling).run());
    let (effects, outbox) = (
        shared.effects.clone(),
        JournalOutbox::new(Arc::clone(shared)),
    );
    let stopping = shared.stopping.clone();
    tokio::spawn(async move { effects.run(Arc::new(outbox), stopping).await });
}

struct Opened {
    store: Box<dyn Store>,
    fence: Fence,
    state: State,
    snapshot_revision: u64,
    rolls: BTreeMap<Box<str>, Vec<u8>>,
    first_start: Option<FirstStart>,
    clock: Clock,
    outcomes: Outcomes,
    sessions: Sessions,
}

fn open(mut store: Box<dyn Store>, grid: Grid) -> Result<Opened, StartError> {
    let clock = Clock::start();
    let reader = store.reader();
    let beside = store.beside();
    let fence = store.take_leadership(clock.wall())?;
    let mut state = from_snapshot(&*beside, &*reader)?.unwrap_or_default();
    let snapshot_revision = state.revision();
    fold(&mut state, &*reader)?;
    tracing::info!(
        snapshot = snapshot_revision,
        revision = state.revision(),
        "the state is the snapshot's and the records after it, or the whole journal's"
    );
    let clock = resumed(clock, &state, &*beside, grid);
    let mut first_start = None;
    if state.revision() == 0 {
        let (entry, first) = first_entry(&state, &clock)?;
        store.append(0, fence, std::slice::from_ref(&entry))?;
        state.apply(&entry)?;
        first_start = Some(first);
    }
    let rolls = beside.load_rolls().into_iter().collect();
    let sessions = Sessions::resume(clock.clone(), &*beside);
    let outcomes = Outcomes::resume(grid, clock.clone(), beside);
    Ok(Opened {
        store,
        fence,
        state,
        snapshot_revision,
        rolls,
        first_start,
        clock,
        outcomes,
        sessions,
    })
}

/// The clock, going on from the latest time that was told by it: of a move of a rollout, or of what was
/// measured. One that fell behind would fold nothing new and never see that a bake is over.
fn resumed(clock: Clock, state: &State, beside: &dyn Beside, grid: Grid) -> Clock {
    let moves = state.rollouts().flat_map(|rollout| &rollout.moves);
    let moved = moves.map(|made| made.at).max();
    let measured = beside.measured_since(clock.steady()).unwrap_or_else(|error| {
        tracing::warn!(%error, "what was measured cannot be read; the clock goes by the journal");
        Vec::new()
    });
    let measured = measured.iter().map(|(_, at)| at.plus_ms(grid.length_ms()));
    let latest = moved.into_iter().chain(measured).max();
    match latest {
        Some(latest) if latest > clock.steady() => {
            tracing::warn!(
                behind_ms = latest.ms_since(clock.steady()),
                "the wall clock was set back since the last start; the steady clock goes on from there"
            );
            clock.not_before(latest)
        }
        _ => clock,
    }
}

/// The newest saved state that is whole and of this journal; none when the journal has to be read
/// from its start.
///
/// # Errors
/// When a snapshot of this very journal knows a revision that the journal does not have, or has
/// otherwise: what was acknowledged is lost, and nothing may be built on the rest.
fn from_snapshot(beside: &dyn Beside, reader: &dyn Reader) -> Result<Option<State>, StartError> {
    let mut found = Ok(None);
    beside.offer_snapshots(&mut |stored| {
        let revision = stored.head.revision;
        let state = match read_snapshot(&stored) {
            Ok(state) => state,
            Err(why) => {
                tracing::warn!(revision, why, "a snapshot is not used");
                return false;
            }
        };
        found = match reader.check(stored.head) {
            Ok(()) => Ok(Some(state)),
            Err(error) => match is_of(&state, reader) {
                Ok(true) => Err(error.into()),
                Ok(false) => {
                    tracing::warn!(revision, "a snapshot of another journal is not used");
                    return false;
                }
                Err(error) => Err(error.into()),
            },
        };
        true
    });
    found
}

fn read_snapshot(stored: &StoredSnapshot) -> Result<State, String> {
    let state = State::from_text(&stored.bytes).map_err(|error| error.to_string())?;
    let head = Head {
        revision: state.revision(),
        link: state.head(),
    };
    if head == stored.head {
        Ok(state)
    } else {
        Err("it is of another revision than it says".to_owned())
    }
}

/// Whether a state was folded from the journal that is here; an empty one may be what is left of it.
fn is_of(state: &State, reader: &dyn Reader) -> Result<bool, StoreError> {
    let entries = reader.read(0, 1)?;
    let mut events = entries.iter().flat_map(|entry| &entry.record.events);
    Ok(entries.is_empty()
        || events.any(
            |event| matches!(event, Event::JournalStarted { journal } if **journal == *state.journal()),
        ))
}

/// Applies everything the journal has beyond `state`.
pub(crate) fn fold(state: &mut State, reader: &dyn Reader) -> Result<(), StartError> {
    loop {
        let entries = reader.read(state.revision(), PAGE)?;
        if entries.is_empty() {
            return Ok(());
        }
        for entry in &entries {
            state.apply(entry)?;
        }
    }
}

fn first_entry(state: &State, clock: &Clock) -> Result<(Entry, FirstStart), StartError> {
    let system = |error: &dyn std::fmt::Display| StartError::System(error.to_string());
    let mut secret_bytes = [0; 32];
    let mut token_id = [0; 8];
    let mut journal_id = [0; 16];
    for random in [&mut secret_bytes[..], &mut token_id, &mut journal_id] {
        getrandom::fill(random).map_err(|error| system(&error))?;
    }
    let secret = TokenSecret::generate(secret_bytes, u64::from_le_bytes(token_id));
    let token = Token {
        id: secret.id.clone(),
        name: "first admin".into(),
        role: Role::Admin,
        environments: BTreeSet::new(),
        keys: BTreeSet::new(),
        secret_sha256: secret.sha256.clone(),
        expires_at: None,
    };
    let journal: String = journal_id
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let meta = Meta {
        now: clock.wall(),
        steady: clock.steady(),
        actor: Actor::System,
        via: concat!("lever ", env!("CARGO_PKG_VERSION")).into(),
        why: Why {
            reason: Some("first start".into()),
            incident: None,
        },
        if_match: None,
        idempotency: None,
        entropy: 0,
    };
    let events = decide::first_events(
        &journal,
        first_environments().map_err(|error| system(&error))?,
        token,
    );
    let entry = Entry::seal(state.next_record(events, &meta), state.head())
        .map_err(|error| system(&error))?;
    let first = FirstStart {
        admin_id: secret.id,
        admin_secret: secret.text,
    };
    Ok((entry, first))
}

/// dev and staging, where an opening needs nothing, and prod, where it needs a reason.
fn first_environments() -> Result<Vec<Environment>, KeyError> {
    [("dev", false), ("staging", false), ("prod", true)]
        .into_iter()
        .map(|(key, guarded)| {
            Ok(Environment {
                key: EnvironmentKey::new(key)?,
                guarded,
            })
        })
        .collect()
}

/// Wakes the streams at every beat, whatever the disk does.
async fn beat(shared: Arc<Shared>) {
    let mut beat = tokio::time::interval(shared.beat_interval());
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !shared.stopping.is_cancelled() {
        tokio::select! {
            _ = beat.tick() => shared.feeds().iter().for_each(|feed| feed.beat()),
            () = shared.stopping.cancelled() => {}
        }
    }
}

/// Saves what changes beside the journal, until the node stops.
async fn keep_beside(shared: Arc<Shared>, beside: Arc<dyn Beside>) {
    tokio::join!(
        keep_rolls(Arc::clone(&shared), Arc::clone(&beside)),
        sessions::keep(shared, beside),
    );
}

/// Saves the rolls that changed, one save at a time, and once more at the end.
async fn keep_rolls(shared: Arc<Shared>, beside: Arc<dyn Beside>) {
    let mut save = tokio::time::interval(SAVE_ROLLS_EVERY);
    save.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut is_last = false;
    while !is_last {
        tokio::select! {
            _ = save.tick() => {}
            () = shared.stopping.cancelled() => is_last = true,
        }
        let (shared, beside) = (Arc::clone(&shared), Arc::clone(&beside));
        let saved = tokio::task::spawn_blocking(move || save_rolls(&shared, &*beside)).await;
        if let Err(error) = saved {
            tracing::warn!(%error, "the rolls could not be saved");
        }
    }
}
