//! What came of a run.

use std::fmt;

/// What happened in a world whose promises all held. Adds up over worlds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Turns taken.
    pub turns: u64,
    /// Records in the journal at the end.
    pub records: u64,
    /// Commands that were accepted and became a record.
    pub accepted: u64,
    /// Commands that were rejected.
    pub rejected: u64,
    /// Commands that were answered as repeats.
    pub repeats: u64,
    /// Closes that became a record.
    pub kills: u64,
    /// Latches that were lifted by an open or an undo.
    pub reopenings: u64,
    /// Undos that became a record.
    pub undos: u64,
    /// Moves after which an exposure was larger.
    pub growths: u64,
    /// Times a confirmation was complete.
    pub confirmed: u64,
    /// Times a confirmation named stragglers.
    pub stragglers: u64,
    /// Times nobody followed.
    pub empty_rolls: u64,
    /// Updates that evaluators applied.
    pub applied: u64,
    /// Gaps that evaluators found.
    pub gaps: u64,
    /// Older updates that evaluators refused.
    pub refused: u64,
    /// Messages that were lost.
    pub lost: u64,
    /// Connections that were cut, seen by both sides.
    pub cuts: u64,
    /// Connections that died without anybody seeing it.
    pub half_open: u64,
    /// Nodes that crashed.
    pub crashes: u64,
    /// Nodes that crashed between two stages of a write.
    pub crashes_mid_write: u64,
    /// Power cuts.
    pub power_cuts: u64,
    /// Appends that failed.
    pub failed_appends: u64,
    /// Appends of a replaced leader that the fence refused.
    pub fenced: u64,
    /// Leaderships that were taken over.
    pub takeovers: u64,
    /// Restores of an older backup.
    pub restores: u64,
    /// Evaluators that died and came back from their disk cache.
    pub cache_starts: u64,
    /// Evaluators that said goodbye.
    pub goodbyes: u64,
    /// Times the wall clock was set.
    pub clock_jumps: u64,
    /// Kills that went out ahead of the journal.
    pub brakes: u64,
    /// Of those, that were in the journal later.
    pub brakes_stored: u64,
    /// Times everybody had such a kill.
    pub brakes_confirmed: u64,
    /// Such kills that a node found kept when it began to lead.
    pub brakes_taken_up: u64,
    /// Such kills that nothing had kept when the process that held them ended.
    pub brakes_lost: u64,
    /// Times the disk did not answer.
    pub hangs: u64,
    /// Answers that were compared with a fresh snapshot's.
    pub answers: u64,
}

impl Report {
    /// Adds another world's report.
    pub fn add(&mut self, other: &Self) {
        for (ours, (_, theirs)) in self.figures_mut().into_iter().zip(other.figures()) {
            *ours += theirs;
        }
    }

    /// Every figure with its name.
    #[must_use]
    pub fn figures(&self) -> Vec<(&'static str, u64)> {
        let values = self.clone().figures_mut().map(|figure| *figure);
        NAMES.into_iter().zip(values).collect()
    }

    fn figures_mut(&mut self) -> [&mut u64; NAMES.len()] {
        [
            &mut self.turns,
            &mut self.records,
            &mut self.accepted,
            &mut self.rejected,
            &mut self.repeats,
            &mut self.kills,
            &mut self.reopenings,
            &mut self.undos,
            &mut self.growths,
            &mut self.confirmed,
            &mut self.stragglers,
            &mut self.empty_rolls,
            &mut self.applied,
            &mut self.gaps,
            &mut self.refused,
            &mut self.lost,
            &mut self.cuts,
            &mut self.half_open,
            &mut self.crashes,
            &mut self.crashes_mid_write,
            &mut self.power_cuts,
            &mut self.failed_appends,
            &mut self.fenced,
            &mut self.takeovers,
            &mut self.restores,
            &mut self.cache_starts,
            &mut self.goodbyes,
            &mut self.clock_jumps,
            &mut self.brakes,
            &mut self.brakes_stored,
            &mut self.brakes_confirmed,
            &mut self.brakes_taken_up,
            &mut self.brakes_lost,
            &mut self.hangs,
            &mut self.answers,
        ]
    }
}

const NAMES: [&str; 35] = [
    "turns",
    "records",
    "accepted",
    "rejected",
    "repeats",
    "kills",
    "reopenings",
    "undos",
    "growths",
    "confirmed",
    "with stragglers",
    "empty rolls",
    "updates applied",
    "gaps",
    "older refused",
    "messages lost",
    "cuts",
    "half-open",
    "crashes",
    "crashes mid-write",
    "power cuts",
    "failed appends",
    "fenced",
    "takeovers",
    "restores",
    "starts from cache",
    "goodbyes",
    "clock jumps",
    "kills not stored at first",
    "of them stored later",
    "of them confirmed",
    "of them taken up after a restart",
    "of them kept nowhere",
    "hanging disks",
    "answers compared",
];

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let figures: Vec<String> = self
            .figures()
            .into_iter()
            .map(|(name, figure)| format!("{figure} {name}"))
            .collect();
        f.write_str(&figures.join(", "))
    }
}

/// A promise that did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The seed that brings it back.
    pub seed: u64,
    /// After how many turns.
    pub turn: u64,
    /// The promise, by its number in the design: `P1` to `P9`, or `live` for convergence.
    pub promise: &'static str,
    /// What was seen instead.
    pub what: String,
    /// The last events before it, in words.
    pub story: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            seed,
            turn,
            promise,
            what,
            story,
        } = self;
        writeln!(
            f,
            "{promise} is broken in the world of seed {seed}, at turn {turn}: {what}"
        )?;
        writeln!(f, "what came before:")?;
        for line in story {
            writeln!(f, "  {line}")?;
        }
        write!(
            f,
            "again, with the whole story: cargo run -p leverframe-sim -- {seed}"
        )
    }
}
