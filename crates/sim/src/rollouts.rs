//! A world of its own for rollouts: leaders that die between any two steps or go on although another
//! one leads, sources that are late, empty, doubled, away or cut off, releases that are good and bad,
//! people who stop and start things, and a pager that drops what it has heard. One seed, one story.
//!
//! A leader is put together from the very parts that the real controller is: `Ledger`, `step`,
//! `decide`, `Entry::seal`, `Store::append`. The auditor folds the journal for itself, and knows what
//! was measured and who said stop.

mod audit;
mod leader;
mod pager;
mod people;
mod report;
mod slip;
mod traffic;

use leverframe_core::{State, Timestamp};
use leverframe_store::memory::Disk;

use crate::audit::Broken;
use crate::chance::Chance;
use crate::report::Failure;

use audit::Auditor;
use leader::Leader;
use pager::Pager;
use traffic::Traffic;

pub use report::RolloutReport;
pub use slip::Slip;

/// The flags that are rolled out, all in `prod`.
const FLAGS: [&str; 2] = ["checkout", "search"];
const ENVIRONMENT: &str = "prod";
/// How long an interval is, and how much later it is closed, in milliseconds.
const INTERVAL_MS: i64 = 10_000;
const WATERMARK_MS: i64 = 5_000;
/// A stage collects evidence for this long, and lasts at most that long, in milliseconds.
const BAKE_MS: i64 = 60_000;
const HOLD_MS: i64 = 240_000;

/// A whole rollout world, made from one seed.
pub struct Rollouts {
    seed: u64,
    slip: Option<Slip>,
    chance: Chance,
    now: Timestamp,
    disk: Disk,
    /// The process that took the leadership last, if it runs.
    leader: Option<Leader>,
    /// One that was replaced and does not know it yet.
    former: Option<Leader>,
    boots: u64,
    traffic: Traffic,
    pager: Pager,
    auditor: Auditor,
    story: Vec<String>,
    report: RolloutReport,
    is_calm: bool,
}

impl Rollouts {
    /// How many turns a world is usually given.
    pub const TURNS: u64 = 300;

    /// The world of a seed, at its beginning.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut chance = Chance::new(seed ^ 0x0110_0c7a);
        let is_calm = chance.percent(15);
        Self {
            seed,
            slip: None,
            now: Timestamp::from_ms(1_800_000_000_000),
            disk: Disk::new(),
            leader: None,
            former: None,
            boots: 0,
            traffic: Traffic::new(&mut chance),
            pager: Pager::default(),
            auditor: Auditor::default(),
            story: Vec::new(),
            report: RolloutReport::default(),
            chance,
            is_calm,
        }
    }

    /// The same with one safety taken away.
    #[must_use]
    pub fn with(mut self, slip: Slip) -> Self {
        self.slip = Some(slip);
        self
    }

    /// Lives through so many turns, and then until everything that is owed is done.
    ///
    /// # Panics
    /// When a promise is broken.
    #[must_use]
    #[expect(clippy::panic, reason = "this is what a broken promise comes to")]
    pub fn run(self, turns: u64) -> RolloutReport {
        self.try_run(turns)
            .unwrap_or_else(|failure| panic!("{failure}"))
    }

    /// [`Rollouts::run`] for those who expect the worst.
    ///
    /// # Errors
    /// The promise that was broken, and what came before.
    pub fn try_run(mut self, turns: u64) -> Result<RolloutReport, Box<Failure>> {
        for turn in 0..turns {
            self.report.turns += 1;
            self.turn().map_err(|broken| self.failure(turn, broken))?;
        }
        self.settle()
            .map_err(|broken| self.failure(turns, broken))?;
        Ok(self.report)
    }

    fn failure(&self, turn: u64, broken: Broken) -> Box<Failure> {
        let skipped = self.story.len().saturating_sub(40);
        Box::new(Failure {
            seed: self.seed,
            turn,
            promise: broken.promise,
            what: broken.what,
            story: self.story.iter().skip(skipped).cloned().collect(),
        })
    }

    /// Time passes, somebody does something, something goes wrong, a leader does its next step.
    fn turn(&mut self) -> Result<(), Broken> {
        let passed_ms = self.chance.between(200, 6_000) as i64;
        self.now = self.now.plus_ms(passed_ms);
        let state = self.auditor.state().clone();
        self.traffic.pass(self.now, &state, &mut self.chance);
        if !self.is_calm {
            self.go_wrong();
        }
        if self.leader.is_none() {
            self.lead();
        }
        if self.chance.percent(12) {
            self.act()?;
        }
        let steps = self.chance.between(1, 8);
        for _ in 0..steps {
            self.step(true)?;
            // People stop things at the very moment when a step is being made.
            let is_making = self.leader.as_ref().is_some_and(Leader::is_making);
            if is_making && self.chance.percent(15) {
                self.act()?;
            }
            // Between any two steps of a leader, it may be no more.
            if !self.is_calm && self.chance.permille(12) {
                self.crash();
            }
            if self.former.is_some() && self.chance.percent(40) {
                self.step(false)?;
            }
        }
        Ok(())
    }

    fn step(&mut self, is_current: bool) -> Result<(), Broken> {
        let seat = if is_current {
            &mut self.leader
        } else {
            &mut self.former
        };
        let Some(leader) = seat else {
            return Ok(());
        };
        let told = leader.step(
            self.now,
            &mut self.traffic,
            &mut self.pager,
            &mut self.chance,
        );
        let is_over = leader.is_fenced();
        self.story.extend(told);
        if is_over {
            *seat = None;
            self.report.fenced += 1;
        }
        self.look()
    }

    /// The auditor reads what is new in the journal.
    fn look(&mut self) -> Result<(), Broken> {
        let current = self.leader.as_ref().map_or(self.boots, Leader::boot);
        let reader = &self.disk;
        self.auditor
            .observe(reader, current, &mut self.story, &mut self.report)
    }

    fn lead(&mut self) {
        self.boots += 1;
        let leader = Leader::start(&self.disk, self.boots, self.now, self.slip);
        match leader {
            Ok(leader) => {
                self.story.push(format!("leader {} starts", self.boots));
                self.leader = Some(leader);
            }
            Err(why) => self.story.push(format!("no leader starts: {why}")),
        }
    }

    fn crash(&mut self) {
        if let Some(gone) = self.leader.take() {
            self.report.crashes += 1;
            let boot = gone.boot();
            self.story.push(format!("leader {boot} crashes"));
        }
    }

    fn go_wrong(&mut self) {
        match self.chance.below(400) {
            0..8 => self.crash(),
            8..16 => {
                // Another one takes over, and this one does not know.
                self.former = self.leader.take();
                self.report.takeovers += u64::from(self.former.is_some());
                self.lead();
            }
            16..22 => self.traffic.trouble(self.now, &mut self.chance),
            22..26 => self.pager.fail(self.now, &mut self.chance),
            26..29 => self.disk.faults().fail_measurements(true),
            29..34 => self.disk.faults().fail_measurements(false),
            _ => {}
        }
    }

    /// Nothing goes wrong any more: what is owed is done, and what is bad is not open.
    fn settle(&mut self) -> Result<(), Broken> {
        self.is_calm = true;
        self.former = None;
        self.disk.faults().fail_measurements(false);
        self.traffic.mend();
        self.pager.mend();
        // Whoever leads last knows only what was kept.
        self.crash();
        self.lead();
        for _ in 0..60 {
            self.now = self.now.plus_ms(INTERVAL_MS);
            let state = self.auditor.state().clone();
            self.traffic.pass(self.now, &state, &mut self.chance);
            for _ in 0..10 {
                self.step(true)?;
            }
        }
        self.auditor.check_end(&self.pager, &self.traffic)?;
        self.report.pages += self.pager.pages();
        Ok(())
    }

    /// The state as the journal has it.
    fn state(&self) -> &State {
        self.auditor.state()
    }
}
