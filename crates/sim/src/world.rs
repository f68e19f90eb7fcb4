//! The world: takes one turn after another from the agenda, and has the auditor look at each.

mod brake;
mod follow;
mod operate;
mod send;
mod serve;
mod settle;
mod trouble;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use leverframe_core::{Entry, State};
use leverframe_store::memory::Disk;

use crate::agenda::{Agenda, Turn};
use crate::audit::{Auditor, Broken, Verdict};
use crate::chance::Chance;
use crate::clock::Clock;
use crate::connection::Connection;
use crate::evaluator::Evaluator;
use crate::node::{self, Node};
use crate::operator::Operator;
use crate::plant::Plant;
use crate::profile::Profile;
use crate::report::{Failure, Report};
use crate::shop;
use crate::story::Story;

/// A whole Leverframe, made from one seed.
pub struct World {
    seed: u64,
    profile: Profile,
    plant: Option<Plant>,
    chance: Chance,
    clock: Clock,
    agenda: Agenda,
    disk: Disk,
    seats: Vec<Seat>,
    boots: u64,
    /// Who took the leadership last: a place and the process there.
    leader: Option<(usize, u64)>,
    /// Since when, in milliseconds.
    leader_since_ms: u64,
    evaluators: Vec<Evaluator>,
    operators: Vec<Operator>,
    errands: u64,
    connections: BTreeMap<u64, Connection>,
    connected: u64,
    /// Backups that were taken.
    backups: Vec<Vec<Entry>>,
    auditor: Auditor,
    story: Story,
    report: Report,
    /// Nothing goes wrong any more.
    is_quiet: bool,
    /// The disk was told to fail reads.
    is_unreadable: bool,
    /// The disk has no room.
    is_full: bool,
    /// The disk does not answer who wants to write.
    is_hanging: bool,
}

/// A place where a node runs, or could.
#[derive(Default)]
struct Seat {
    node: Option<Node>,
    is_paused: bool,
    /// What came while it was paused, in order.
    inbox: Vec<Turn>,
    is_start_due: bool,
    /// Crashes after the next stage of a write.
    is_doomed: bool,
    /// The state that the auditor has looked at.
    checked: Option<Arc<State>>,
}

impl World {
    /// The world of a seed, at its beginning.
    #[must_use]
    pub fn new(seed: u64, profile: Profile) -> Self {
        let mut chance = Chance::new(seed);
        let clock = Clock::default();
        let seats = (0..profile.nodes.max(1)).map(|_| Seat::default()).collect();
        let evaluators = (0..profile.evaluators)
            .map(|index| {
                let (environment, _) = shop::ENVIRONMENTS[usize::from(chance.percent(25))];
                Evaluator::new(index, shop::environment(environment), chance.percent(25))
            })
            .collect();
        let operators = (0..profile.operators)
            .map(|_| Operator::default())
            .collect();
        Self {
            seed,
            profile,
            plant: None,
            chance,
            clock,
            agenda: Agenda::default(),
            disk: Disk::new(),
            seats,
            boots: 0,
            leader: None,
            leader_since_ms: 0,
            evaluators,
            operators,
            errands: 0,
            connections: BTreeMap::new(),
            connected: 0,
            backups: Vec::new(),
            auditor: Auditor::new(),
            story: Story::default(),
            report: Report::default(),
            is_quiet: false,
            is_unreadable: false,
            is_full: false,
            is_hanging: false,
        }
    }

    /// The same world without one of its safeties.
    #[must_use]
    pub fn with(mut self, plant: Plant) -> Self {
        self.plant = Some(plant);
        for evaluator in &mut self.evaluators {
            evaluator.plant(plant);
        }
        self
    }

    /// Keeps the whole story, for [`World::story`].
    #[must_use]
    pub fn telling(mut self) -> Self {
        self.story.keep_all();
        self
    }

    /// What has happened so far, in words, since this was asked last; empty unless the world is
    /// [`World::telling`].
    pub fn story(&mut self) -> Vec<String> {
        self.story.take_all()
    }

    /// Takes this many turns, lets everything come right again, and checks that it did.
    ///
    /// # Panics
    /// When a promise is broken: with the seed, the turn and the last events in words.
    #[expect(
        clippy::panic,
        reason = "a simulation that finds something must not go on"
    )]
    pub fn run(&mut self, turns: u64) -> Report {
        self.try_run(turns)
            .unwrap_or_else(|failure| panic!("{failure}"))
    }

    /// [`World::run`] for those who expect a failure.
    ///
    /// # Errors
    /// The promise that is broken, and how it came to that.
    pub fn try_run(&mut self, turns: u64) -> Result<Report, Box<Failure>> {
        let ran = catch_unwind(AssertUnwindSafe(|| self.live(turns)));
        let verdict = ran.unwrap_or_else(|panic| {
            let words = panic.downcast_ref::<String>().map(String::as_str);
            let words = words.or_else(|| panic.downcast_ref::<&str>().copied());
            Err(Broken {
                promise: "P1",
                what: format!("something panicked: {}", words.unwrap_or("without a word")),
            })
        });
        match verdict {
            Ok(()) => Ok(self.reported()),
            Err(Broken { promise, what }) => Err(Box::new(Failure {
                seed: self.seed,
                turn: self.report.turns,
                promise,
                what,
                story: self.story.last(),
            })),
        }
    }

    fn reported(&mut self) -> Report {
        let counts = &self.auditor.counts;
        self.report.records = self.auditor.entries().len() as u64;
        self.report.kills = counts.kills;
        self.report.reopenings = counts.reopenings;
        self.report.undos = counts.undos;
        self.report.growths = counts.growths;
        self.report.answers = counts.answers;
        self.report.repeats = counts.repeats;
        self.report.clone()
    }

    fn live(&mut self, turns: u64) -> Verdict {
        self.begin()?;
        for _ in 0..turns {
            let Some((at_ms, turn)) = self.agenda.next(u64::MAX) else {
                break;
            };
            self.take(at_ms, turn)?;
        }
        self.settle()
    }

    fn begin(&mut self) -> Verdict {
        let journal = format!("journal-{}", self.seed);
        node::append_opening(&self.disk, &journal, self.clock.wall()).map_err(|what| Broken {
            promise: "live",
            what,
        })?;
        if self.plant == Some(Plant::SkipTheSync) {
            self.disk.faults().ignore_syncs(true);
        }
        self.observe()?;
        for node in 0..self.seats.len() {
            self.put_in(0, Turn::Start { node });
        }
        for evaluator in 0..self.evaluators.len() {
            let in_ms = self.chance.below(500);
            self.put_in(in_ms, Turn::Wake { evaluator });
        }
        for operator in 0..self.operators.len() {
            self.put_in(100, Turn::Operate { operator });
        }
        if self.profile.trouble_every_ms > 0 {
            self.put_in(self.profile.trouble_every_ms, Turn::GoWrong);
        }
        Ok(())
    }

    fn put_in(&mut self, in_ms: u64, turn: Turn) {
        self.agenda.put(self.clock.now_ms() + in_ms, turn);
    }

    /// The auditor reads the disk, whatever the disk was told.
    fn observe(&mut self) -> Verdict {
        self.disk.faults().fail_reads(false);
        let verdict = self.auditor.observe(&self.disk);
        self.disk.faults().fail_reads(self.is_unreadable);
        verdict
    }

    fn tell(&mut self, what: &str) {
        self.story.tell(self.clock.now_ms(), what);
    }

    fn take(&mut self, at_ms: u64, turn: Turn) -> Verdict {
        self.clock.go_on_to(at_ms);
        self.report.turns += 1;
        match turn {
            Turn::Operate { operator } => self.operate(operator),
            Turn::Request { node, request } => self.request(node, request),
            Turn::Answer {
                operator,
                errand,
                answer,
            } => self.answer(operator, errand, answer)?,
            Turn::GiveUpWaiting {
                operator,
                errand,
                attempt,
            } => self.give_up_waiting(operator, errand, attempt),
            Turn::AskWhoHasIt {
                node,
                environment,
                revision,
                since_ms,
            } => {
                self.ask_who_has_it(node, &environment, revision, since_ms)?;
            }
            Turn::AskWhoIsBraked {
                node,
                boot,
                environment,
                number,
                since_ms,
            } => self.ask_who_is_braked((node, boot), &environment, number, since_ms)?,
            Turn::LosePatience { node, boot, errand } => self.lose_patience(node, boot, errand)?,
            Turn::KeepBrakes { node, boot } => self.keep_brakes(node, boot)?,
            Turn::Write { node, boot } => self.write(node, boot)?,
            Turn::LookAfter { node, boot } => self.look_after(node, boot)?,
            Turn::Start { node } => self.start(node)?,
            Turn::Resume { node, boot } => self.resume(node, boot),
            Turn::TakeOver {
                node,
                boot,
                is_by_force,
            } => self.take_over(node, boot, is_by_force)?,
            Turn::Arrive(parcel) => self.arrive(parcel)?,
            Turn::Notice { connection, side } => self.notice(connection, side),
            Turn::Connect {
                evaluator,
                incarnation,
            } => self.connect(evaluator, incarnation),
            Turn::Tick {
                evaluator,
                incarnation,
            } => self.tick(evaluator, incarnation)?,
            Turn::ApplyLate {
                evaluator,
                incarnation,
                update,
            } => self.apply_late(evaluator, incarnation, &update)?,
            Turn::Wake { evaluator } => self.wake(evaluator)?,
            Turn::Mend => self.mend(),
            Turn::GoWrong => self.go_wrong()?,
        }
        Ok(())
    }
}
