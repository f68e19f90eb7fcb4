//! A leader: sees, stores, folds, looks, makes, tells and settles, one at a time, so that it can end
//! between any two. What it knows beside the journal and the store goes with it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use leverframe_core::access::Actor;
use leverframe_core::analysis::{Counts, EValue, Finding, Judgement};
use leverframe_core::decide::{Decision, decide, first_events};
use leverframe_core::effect::Settlement;
use leverframe_core::rollout::{
    Detail, Glance, LOOK_BACK_MS, Ledger, Observation, Reading, Rollout, step,
};
use leverframe_core::{Command, Entry, Event, Meta, State, Timestamp, Why};
use leverframe_store::memory::Disk;
use leverframe_store::{AppendError, Beside, Fence, MemoryStore, Store as _, StoredMeasurement};

use super::pager::Pager;
use super::people;
use super::slip::Slip;
use super::traffic::Traffic;
use crate::chance::Chance;
use crate::shop;

/// How often a command is decided again when another one was faster.
const ATTEMPTS_MAX: u32 = 3;

pub(super) struct Leader {
    boot: u64,
    looks_since: Timestamp,
    store: MemoryStore,
    fence: Fence,
    state: Arc<State>,
    /// The state when the steps that are being made were looked for.
    looked_at: Arc<State>,
    ledgers: BTreeMap<Box<str>, (Ledger, u64)>,
    stage: Stage,
    is_fenced: bool,
    /// The effects that were wanted since it began.
    wanted: BTreeSet<Box<str>>,
    slip: Option<Slip>,
}

/// What it does next.
enum Stage {
    See,
    Store(Vec<StoredMeasurement>),
    Fold(Vec<StoredMeasurement>),
    Look,
    Make(VecDeque<Command>),
    Tell(BTreeSet<Box<str>>),
    Settle(Box<str>, BTreeSet<Box<str>>),
}

impl Leader {
    pub(super) fn start(
        disk: &Disk,
        boot: u64,
        now: Timestamp,
        slip: Option<Slip>,
    ) -> Result<Self, String> {
        let mut store = MemoryStore::open(disk);
        let fence = store
            .take_leadership(now)
            .map_err(|error| error.to_string())?;
        let state = Arc::new(State::new());
        let mut leader = Self {
            boot,
            looks_since: now,
            store,
            fence,
            looked_at: Arc::clone(&state),
            state,
            ledgers: BTreeMap::new(),
            stage: Stage::See,
            is_fenced: false,
            wanted: BTreeSet::new(),
            slip,
        };
        leader.catch_up()?;
        if leader.state.revision() == 0 {
            leader.open(now)?;
        }
        Ok(leader)
    }

    pub(super) fn boot(&self) -> u64 {
        self.boot
    }

    /// Whether it has steps to make that it has looked for already.
    pub(super) fn is_making(&self) -> bool {
        matches!(&self.stage, Stage::Make(commands) if !commands.is_empty())
    }

    pub(super) fn is_fenced(&self) -> bool {
        self.is_fenced
    }

    fn open(&mut self, now: Timestamp) -> Result<(), String> {
        let meta = self.meta(Actor::System, now, 0);
        let events = first_events("rollouts", shop::environments(), shop::root());
        self.append(events, &meta)
            .map_err(|error| error.to_string())?;
        let root = Actor::Token {
            id: shop::ROOT.into(),
        };
        for command in people::opening() {
            let meta = self.meta(root.clone(), now, 0);
            let decision = decide(&self.state, &command, &meta);
            let Ok(Decision::Append(events)) = decision else {
                return Err(format!("{decision:?}"));
            };
            self.append(events, &meta)
                .map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// Does the next thing; what it did, in words, if that is worth a word.
    pub(super) fn step(
        &mut self,
        now: Timestamp,
        traffic: &mut Traffic,
        pager: &mut Pager,
        chance: &mut Chance,
    ) -> Option<String> {
        let stage = std::mem::replace(&mut self.stage, Stage::See);
        let mut words = None;
        self.stage = match stage {
            Stage::See => {
                // A journal that cannot be read now is read the next time.
                let _ = self.catch_up();
                Stage::Store(traffic.closed(now))
            }
            Stage::Store(rows) => {
                let beside: Arc<dyn Beside> = self.store.beside();
                let is_stored = beside.save_measurements(&rows).is_ok();
                if is_stored || self.slip == Some(Slip::FoldedUnstored) {
                    traffic.acknowledge(&rows);
                    Stage::Fold(rows)
                } else {
                    Stage::Fold(Vec::new())
                }
            }
            Stage::Fold(rows) => {
                self.fold(&rows);
                Stage::Look
            }
            Stage::Look => Stage::Make(self.look(now)),
            Stage::Make(mut commands) => match commands.pop_front() {
                Some(command) => {
                    words = Some(self.submit(&command, &Actor::System, now, chance));
                    Stage::Make(commands)
                }
                None => Stage::Tell(BTreeSet::new()),
            },
            Stage::Tell(tried) => match self.owed(&tried) {
                Some(id) => self.tell(id, tried, now, pager, chance),
                None => Stage::See,
            },
            Stage::Settle(id, mut tried) => {
                let settlement = Settlement::Delivered {
                    channels: vec!["pager".into()],
                    read_back: true,
                    failed: Vec::new(),
                };
                let effect = id.clone();
                let command = Command::SettleEffect { effect, settlement };
                words = Some(self.submit(&command, &Actor::System, now, chance));
                if self.slip == Some(Slip::SettledFirst) {
                    self.wanted.insert(id);
                } else {
                    tried.insert(id);
                }
                Stage::Tell(tried)
            }
        };
        words.map(|words| format!("{} leader {}: {words}", now.as_ms(), self.boot))
    }

    /// The next effect that is not settled and was not tried in this round.
    fn owed(&self, tried: &BTreeSet<Box<str>>) -> Option<Box<str>> {
        if self.slip == Some(Slip::SettledFirst) {
            // Settled already, and still to be told by this process, which remembers it.
            if let Some(id) = self.wanted.iter().find(|id| !tried.contains(*id)) {
                return Some(id.clone());
            }
        }
        let remembers =
            |id: &str| self.slip != Some(Slip::EffectsForgotten) || self.wanted.contains(id);
        let ids = self.state.unsettled().map(|entry| &entry.effect.id);
        ids.filter(|id| remembers(id))
            .find(|id| !tried.contains(*id))
            .cloned()
    }

    fn tell(
        &mut self,
        id: Box<str>,
        mut tried: BTreeSet<Box<str>>,
        now: Timestamp,
        pager: &mut Pager,
        chance: &mut Chance,
    ) -> Stage {
        let Some(entry) = self.state.effect(&id) else {
            return Stage::See;
        };
        if self.slip == Some(Slip::SettledFirst) && !self.wanted.contains(&id) {
            return Stage::Settle(id, tried);
        }
        let name = match self.slip {
            Some(Slip::EffectsRenamed) => format!("{id}-{}", chance.below(1_000_000)),
            _ => id.to_string(),
        };
        let was_taken = pager.tell(&name, &entry.effect, now);
        if self.slip == Some(Slip::SettledFirst) {
            if was_taken {
                self.wanted.remove(&id);
            }
            tried.insert(id);
            return Stage::Tell(tried);
        }
        if was_taken {
            return Stage::Settle(id, tried);
        }
        tried.insert(id);
        Stage::Tell(tried)
    }

    fn fold(&mut self, rows: &[StoredMeasurement]) {
        self.follow();
        let mut rows: Vec<&StoredMeasurement> = rows.iter().collect();
        rows.sort_by_key(|row| row.measurement.at);
        for rollout in self.state.running() {
            let Some((ledger, _)) = self.ledgers.get_mut(&rollout.id) else {
                continue;
            };
            let series = people::series(rollout.flag.as_str());
            for row in rows.iter().filter(|row| row.series == series) {
                ledger.take(&row.series.metric, &row.measurement);
            }
        }
    }

    /// Has a ledger for every rollout that runs; a new one begins with what is stored.
    fn follow(&mut self) {
        let beside: Arc<dyn Beside> = self.store.beside();
        let state = Arc::clone(&self.state);
        self.ledgers
            .retain(|id, _| state.rollout(id).is_some_and(|rollout| !rollout.is_over()));
        for rollout in state.running() {
            let last = last_move(rollout);
            if let Some((ledger, followed)) = self.ledgers.get_mut(&rollout.id) {
                if *followed != last {
                    ledger.follow(rollout);
                    *followed = last;
                }
                continue;
            }
            let mut ledger = Ledger::of(rollout);
            let began = rollout
                .moves
                .first()
                .map_or(rollout.since, |first| first.at);
            let series = people::series(rollout.flag.as_str());
            let from = began.plus_ms(-LOOK_BACK_MS);
            let until = Timestamp::from_ms(i64::MAX);
            // What cannot be read now is not known now, and the rollout waits.
            let Ok(rows) = beside.measurements(&series, from, until, usize::MAX) else {
                continue;
            };
            for row in &rows {
                ledger.take(&row.series.metric, &row.measurement);
            }
            self.ledgers.insert(rollout.id.clone(), (ledger, last));
        }
    }

    fn look(&mut self, now: Timestamp) -> VecDeque<Command> {
        self.follow();
        self.looked_at = Arc::clone(&self.state);
        let mut commands = VecDeque::new();
        for rollout in self.state.running() {
            let Some((ledger, _)) = self.ledgers.get(&rollout.id) else {
                continue;
            };
            let flag = self.state.flag(rollout.flag.as_str());
            let lever = flag.and_then(|flag| flag.lever(rollout.environment.as_str()));
            let freeze = self.state.freeze(rollout.environment.as_str(), now);
            let glance = Glance {
                now,
                looked_since: self.looks_since,
                lever_revision: lever.map_or(0, |lever| lever.moved_revision),
                is_frozen: freeze.is_some(),
                new_build: None,
            };
            let seen = self.slipped(rollout, ledger.look(rollout, &glance));
            if step(rollout, &seen).is_some() {
                let id = rollout.id.clone();
                let seen = Box::new(seen);
                commands.push_back(Command::Observe { rollout: id, seen });
            }
        }
        commands
    }

    /// What is seen, with what a slip makes of it.
    fn slipped(&self, rollout: &Rollout, mut seen: Observation) -> Observation {
        let elapsed_ms = seen.now.ms_since(rollout.since);
        match self.slip {
            Some(Slip::BakesByTheClock) => seen.analysed_ms = elapsed_ms,
            Some(Slip::BlindIsProved) => {
                for sight in &mut seen.sights {
                    if sight.reading.finding().is_none() {
                        sight.reading = fine();
                        seen.analysed_ms = elapsed_ms;
                    }
                }
            }
            Some(Slip::HarmIsOverlooked) => {
                for sight in &mut seen.sights {
                    if sight.reading.is_bad() {
                        sight.reading = fine();
                    }
                }
                seen.both = leverframe_core::rollout::Both::default();
            }
            _ => {}
        }
        seen
    }

    /// Decides a command and stores what it comes to; what became of it, in words.
    pub(super) fn submit(
        &mut self,
        command: &Command,
        actor: &Actor,
        now: Timestamp,
        chance: &mut Chance,
    ) -> String {
        let is_tick = matches!(command, Command::Observe { .. });
        for _ in 0..ATTEMPTS_MAX {
            let mut meta = self.meta(actor.clone(), now, chance.bits());
            if let Command::StartRollout { flag, .. } | Command::Ramp { flag, .. } = command {
                let flag = self.state.flag(flag.as_str());
                meta.if_match =
                    flag.map(|flag| self.state.lever_revision(flag, super::ENVIRONMENT));
            }
            let state = match self.slip {
                Some(Slip::StopsAreOverruled) if is_tick => &self.looked_at,
                _ => &self.state,
            };
            let mut events = match decide(state, command, &meta) {
                Ok(Decision::Append(events)) => events,
                Ok(_) => return format!("{}: nothing to do", name(command)),
                Err(why) => return format!("{}: {why}", name(command)),
            };
            if is_tick && self.slip == Some(Slip::LeversStayBehind) {
                events.retain(|event| !matches!(event, Event::PositionMoved { .. }));
            }
            match self.append(events, &meta) {
                Ok(()) => return format!("{}: r{}", name(command), self.state.revision()),
                Err(AppendError::Conflict { .. } | AppendError::NotNext { .. }) => {
                    if let Err(why) = self.catch_up() {
                        return why;
                    }
                }
                Err(AppendError::Fenced { .. }) if self.slip == Some(Slip::FenceIsIgnored) => {
                    match self.store.take_leadership(now) {
                        Ok(fence) => self.fence = fence,
                        Err(error) => return error.to_string(),
                    }
                }
                Err(AppendError::Fenced { .. }) => {
                    self.is_fenced = true;
                    return format!("{}: fenced off", name(command));
                }
                Err(error) => return error.to_string(),
            }
        }
        "others were faster every time".to_owned()
    }

    fn append(&mut self, events: Vec<Event>, meta: &Meta) -> Result<(), AppendError> {
        // What cannot follow is a fault of the decision, and is refused like one that came too late.
        let revision = self.state.revision() + 1;
        let record = self.state.next_record(events, meta);
        let entry = Entry::seal(record, self.state.head())
            .map_err(|_| AppendError::NotNext { revision })?;
        let mut after = State::clone(&self.state);
        after
            .apply(&entry)
            .map_err(|_| AppendError::NotNext { revision })?;
        self.store.append(
            self.state.revision(),
            self.fence,
            std::slice::from_ref(&entry),
        )?;
        self.note(&entry);
        self.state = Arc::new(after);
        Ok(())
    }

    fn note(&mut self, entry: &Entry) {
        if self.slip != Some(Slip::EffectsForgotten) {
            return;
        }
        for event in &entry.record.events {
            if let Event::EffectWanted { effect } = event {
                self.wanted.insert(effect.id.clone());
            }
        }
    }

    fn catch_up(&mut self) -> Result<(), String> {
        let entries = self
            .store
            .reader()
            .read(self.state.revision(), usize::MAX)
            .map_err(|error| error.to_string())?;
        if entries.is_empty() {
            return Ok(());
        }
        let mut state = State::clone(&self.state);
        for entry in entries {
            state.apply(&entry).map_err(|error| error.to_string())?;
        }
        self.state = Arc::new(state);
        Ok(())
    }

    fn meta(&self, actor: Actor, now: Timestamp, entropy: u128) -> Meta {
        Meta {
            now: now.max(self.state.at()),
            steady: now,
            actor,
            via: format!("leader {}", self.boot).into(),
            why: Why {
                reason: Some("because".into()),
                incident: None,
            },
            if_match: None,
            idempotency: None,
            entropy,
        }
    }
}

fn last_move(rollout: &Rollout) -> u64 {
    rollout.moves.last().map_or(0, |last| last.revision)
}

fn fine() -> Reading {
    Reading::Judged {
        judgement: Judgement {
            finding: Finding::Ok,
            harm: None,
            total: Counts::default(),
            stage: Counts::default(),
            e_bad: EValue::NOTHING,
            e_ok: EValue::NOTHING,
        },
        detail: Detail::default(),
    }
}

fn name(command: &Command) -> String {
    match command {
        Command::Observe { rollout, .. } => format!("observe {rollout}"),
        Command::SettleEffect { effect, .. } => format!("settle {effect}"),
        Command::StartRollout { flag, .. } => format!("start {flag}"),
        Command::SteerRollout { rollout, steer, .. } => format!("{steer:?} {rollout}"),
        Command::Freeze { until, .. } => format!("freeze until {}", until.as_ms()),
        other => format!("{other:?}"),
    }
}
