//! An evaluator: a process that follows one environment, as our client does: a follower, a disk
//! cache that it starts from, one connection at a time.

use std::sync::Arc;

use leverframe_flags::{
    Cursor, EnvironmentKey, FlagKey, Follower, RuleSet, Step, Update, WhyRefused,
};

use crate::connection::Cargo;
use crate::node::cursor_of;
use crate::plant::Plant;
use crate::shop;

/// A server that says nothing for this long is taken for gone, in milliseconds.
const SILENCE_MS_MAX: u64 = 15_000;
/// On a connection that loses things, everything is asked for again after this long.
const TURN_MS: u64 = 20_000;

/// One evaluator, over all the processes it has been.
pub(crate) struct Evaluator {
    pub(crate) index: usize,
    /// Tells one process from the next.
    pub(crate) incarnation: u64,
    pub(crate) is_alive: bool,
    pub(crate) environment: EnvironmentKey,
    /// Whether its build cannot read [`shop::EXOTIC`].
    pub(crate) is_old: bool,
    /// `LEVER_FORCE_CLOSED`.
    pub(crate) forced: Option<FlagKey>,
    pub(crate) follower: Option<Follower>,
    source: Source,
    is_resyncing: bool,
    /// What survives the process.
    cache: Option<Arc<Update>>,
    is_unsaved: bool,
    pub(crate) connection: Option<u64>,
    connected_ms: u64,
    heard_ms: u64,
    /// When the server was last known to have nothing newer; `None` for what the disk said.
    fresh_ms: Option<u64>,
    /// How old the follower was last told that it is, in milliseconds.
    pub(crate) aged_ms: u64,
    plant: Option<Plant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Nothing,
    Disk,
    Server,
}

/// What to do after a frame.
#[derive(Debug)]
pub(crate) enum Reply {
    Silence,
    Say(Cargo),
    /// Say it and apply this later: what an evaluator must not do.
    SayAndApplyLate(Cargo, Arc<Update>),
    Leave(String),
}

/// What came of a frame, to count and to tell.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) reply: Reply,
    pub(crate) is_applied: bool,
    pub(crate) is_gap: bool,
    pub(crate) is_refused: bool,
}

impl Evaluator {
    pub(crate) fn new(index: usize, environment: EnvironmentKey, is_old: bool) -> Self {
        Self {
            index,
            incarnation: 0,
            is_alive: false,
            environment,
            is_old,
            forced: None,
            follower: None,
            source: Source::Nothing,
            is_resyncing: false,
            cache: None,
            is_unsaved: false,
            connection: None,
            connected_ms: 0,
            heard_ms: 0,
            fresh_ms: None,
            aged_ms: 0,
            plant: None,
        }
    }

    /// Takes a safety away.
    pub(crate) fn plant(&mut self, plant: Plant) {
        self.plant = Some(plant);
    }

    /// The name of the running process.
    pub(crate) fn instance(&self) -> Box<str> {
        instance(self.index, self.incarnation)
    }

    pub(crate) fn rules(&self) -> Option<&RuleSet> {
        self.follower
            .as_ref()
            .map(|follower| &**follower.rule_set())
    }

    pub(crate) fn cursor(&self) -> Option<&Cursor> {
        self.follower.as_ref()?.cursor()
    }

    /// A new process starts. True when it found something in the disk cache.
    pub(crate) fn start(&mut self, forced: Option<FlagKey>) -> bool {
        self.incarnation += 1;
        self.is_alive = true;
        self.forced = forced;
        self.follower = None;
        self.source = Source::Nothing;
        self.is_resyncing = false;
        self.is_unsaved = false;
        self.connection = None;
        self.fresh_ms = None;
        if let Some(cache) = &self.cache {
            let mut follower = Follower::new(self.environment.clone());
            follower.apply((**cache).clone());
            // How old it is nobody knows.
            follower.age(u64::MAX);
            self.aged_ms = u64::MAX;
            self.follower = Some(follower);
            self.source = Source::Disk;
            self.force();
        }
        self.source == Source::Disk
    }

    /// The process is gone; the disk cache is as it was last written.
    pub(crate) fn die(&mut self) {
        self.is_alive = false;
        self.connection = None;
    }

    pub(crate) fn hello(&self) -> Cargo {
        let may_resume = self.source == Source::Server && !self.is_resyncing;
        Cargo::Hello {
            cursor: self.cursor().filter(|_| may_resume).cloned(),
        }
    }

    pub(crate) fn connected(&mut self, connection: u64, now_ms: u64) {
        self.connection = Some(connection);
        self.connected_ms = now_ms;
        self.heard_ms = now_ms;
    }

    pub(crate) fn disconnected(&mut self) {
        self.connection = None;
        self.is_resyncing = false;
    }

    /// A sign of life came that says nothing new.
    pub(crate) fn heard(&mut self, now_ms: u64) {
        self.heard_ms = now_ms;
        if !self.is_resyncing && self.source == Source::Server {
            self.fresh_ms = Some(now_ms);
        }
    }

    /// Whether the connection is to be given up.
    pub(crate) fn is_fed_up(&self, is_chaotic: bool, now_ms: u64) -> bool {
        let is_silent = now_ms.saturating_sub(self.heard_ms) > SILENCE_MS_MAX;
        is_silent || (is_chaotic && now_ms.saturating_sub(self.connected_ms) > TURN_MS)
    }

    /// How old what it knows may be, in milliseconds.
    fn age_ms(&self, now_ms: u64) -> u64 {
        self.fresh_ms
            .map_or(u64::MAX, |fresh_ms| now_ms.saturating_sub(fresh_ms))
    }

    /// Looks after itself: ages, and writes the disk cache. True when that changed any answer.
    pub(crate) fn tick(&mut self, now_ms: u64) -> bool {
        let age_ms = self.age_ms(now_ms);
        let mut has_changed = false;
        if let Some(follower) = &mut self.follower {
            has_changed = follower.age(age_ms);
            self.aged_ms = age_ms;
        }
        if std::mem::take(&mut self.is_unsaved) {
            self.save();
        }
        has_changed
    }

    /// Writes the disk cache, unless it has something newer.
    fn save(&mut self) {
        let Some(snapshot) = self.follower.as_ref().and_then(Follower::snapshot) else {
            return;
        };
        let newer = |old: &Update, new: &Update| {
            let (old, new) = (cursor_of(old), cursor_of(new));
            (new.epoch, new.revision, new.brake) > (old.epoch, old.revision, old.brake)
        };
        if self
            .cache
            .as_deref()
            .is_none_or(|old| newer(old, &snapshot))
        {
            self.cache = Some(Arc::new(snapshot));
        }
    }

    /// A frame came.
    pub(crate) fn take(&mut self, frame: &Arc<Update>, now_ms: u64) -> Taken {
        self.heard_ms = now_ms;
        if self.plant == Some(Plant::AcknowledgeBeforeApply) {
            let cargo = Cargo::Acknowledge {
                cursor: cursor_of(frame).clone(),
                refused: Vec::new(),
            };
            return Taken {
                reply: Reply::SayAndApplyLate(cargo, Arc::clone(frame)),
                is_applied: false,
                is_gap: false,
                is_refused: false,
            };
        }
        self.apply(frame, now_ms)
    }

    pub(crate) fn apply(&mut self, frame: &Arc<Update>, now_ms: u64) -> Taken {
        let update = read(frame, self.is_old);
        let is_first = self.source != Source::Server && matches!(update, Update::Snapshot { .. });
        let step = if is_first {
            self.enter(update)
        } else {
            self.go_on(update)
        };
        let is_applied = matches!(step, Step::Applied { .. });
        let is_gap = matches!(step, Step::Gap { .. });
        let is_refused = matches!(step, Step::Refused { .. });
        let reply = match step {
            Step::Applied { .. } => {
                self.source = Source::Server;
                self.is_unsaved = true;
                self.in_step(now_ms)
            }
            Step::Duplicate { .. } => self.in_step(now_ms),
            Step::Gap { .. } if self.is_resyncing => Reply::Silence,
            Step::Gap { .. } => {
                self.is_resyncing = true;
                Reply::Say(Cargo::Resync)
            }
            Step::Refused { why } => Reply::Leave(why.to_string()),
        };
        Taken {
            reply,
            is_applied,
            is_gap,
            is_refused,
        }
    }

    /// The first snapshot of a server: followed whatever the disk said, unless it is older.
    fn enter(&mut self, update: Update) -> Step {
        let told = cursor_of(&update);
        if let Some(have) = self.cursor()
            && have.journal == told.journal
            && (have.epoch, have.revision) > (told.epoch, told.revision)
            && self.plant != Some(Plant::FollowerAcceptsOlder)
        {
            return Step::Refused {
                why: WhyRefused::Older {
                    have_epoch: have.epoch,
                    have_revision: have.revision,
                    told_epoch: told.epoch,
                    told_revision: told.revision,
                },
            };
        }
        let mut follower = Follower::new(self.environment.clone());
        let step = follower.apply(update);
        self.follower = Some(follower);
        self.force();
        step
    }

    fn go_on(&mut self, mut update: Update) -> Step {
        let Some(follower) = &mut self.follower else {
            return Step::Gap {
                have: 0,
                previous: 0,
            };
        };
        if self.plant == Some(Plant::FollowerSkipsGaps)
            && let (Update::Change { cursor, .. }, Some(have)) = (&mut update, follower.cursor())
        {
            cursor.previous = have.revision;
        }
        if self.plant != Some(Plant::FollowerAcceptsOlder) {
            return follower.apply(update);
        }
        let step = follower.apply(update.clone());
        match (&step, &update) {
            (
                Step::Refused {
                    why: WhyRefused::Older { .. },
                },
                Update::Snapshot { .. },
            ) => {
                *follower = Follower::new(self.environment.clone());
                follower.apply(update)
            }
            _ => step,
        }
    }

    fn force(&mut self) {
        if let (Some(forced), Some(follower)) = (&self.forced, &mut self.follower) {
            follower.force_closed([forced.clone()]);
        }
    }

    fn in_step(&mut self, now_ms: u64) -> Reply {
        self.is_resyncing = false;
        self.fresh_ms = Some(now_ms);
        self.aged_ms = 0;
        let acknowledgement = self.follower.as_ref().and_then(Follower::acknowledgement);
        match (self.cursor(), acknowledgement) {
            (Some(cursor), Some(acknowledgement)) => Reply::Say(Cargo::Acknowledge {
                cursor: cursor.clone(),
                refused: acknowledgement
                    .refused
                    .into_iter()
                    .map(|refusal| (refusal.flag, refusal.why.into()))
                    .collect(),
            }),
            _ => Reply::Silence,
        }
    }
}

pub(crate) fn instance(index: usize, incarnation: u64) -> Box<str> {
    format!("e{index}.{incarnation}").into()
}

/// A frame as a build can read it.
pub(crate) fn read(frame: &Update, is_old: bool) -> Update {
    let mut update = frame.clone();
    if let (true, Update::Snapshot { flags, .. } | Update::Change { flags, .. }) =
        (is_old, &mut update)
    {
        for flag in flags
            .iter_mut()
            .filter(|flag| flag.key.as_str() == shop::EXOTIC)
        {
            flag.definition = Err("this build does not know what that is".to_owned());
        }
    }
    update
}
