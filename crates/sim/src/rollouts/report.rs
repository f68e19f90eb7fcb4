//! What came of a run.

use std::fmt;

/// What happened in a world of rollouts whose promises all held. Adds up over worlds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RolloutReport {
    /// Turns taken.
    pub turns: u64,
    /// Rollouts that were started.
    pub started: u64,
    /// Steps forward that evidence made.
    pub forward: u64,
    /// Rollouts that reached everybody.
    pub done: u64,
    /// Rollouts that evidence took back.
    pub rolled_back: u64,
    /// Steps back as a precaution.
    pub retreats: u64,
    /// Stops by people.
    pub stops: u64,
    /// Leaders that crashed.
    pub crashes: u64,
    /// Leaders that were replaced without knowing.
    pub takeovers: u64,
    /// Of those, that the fence stopped.
    pub fenced: u64,
    /// Effects that were settled.
    pub settled: u64,
    /// Pages that went out.
    pub pages: u64,
    /// Rollouts that a stage held back because something could not be seen or proved.
    pub held: u64,
}

impl RolloutReport {
    /// Adds another world's report.
    pub fn add(&mut self, other: &Self) {
        for (ours, (_, theirs)) in self.figures_mut().into_iter().zip(other.figures()) {
            *ours += theirs;
        }
    }

    /// Every figure with its name.
    #[must_use]
    pub fn figures(&self) -> Vec<(&'static str, u64)> {
        let mut copy = *self;
        let values = copy.figures_mut().map(|figure| *figure);
        NAMES.into_iter().zip(values).collect()
    }

    fn figures_mut(&mut self) -> [&mut u64; NAMES.len()] {
        [
            &mut self.turns,
            &mut self.started,
            &mut self.forward,
            &mut self.done,
            &mut self.rolled_back,
            &mut self.retreats,
            &mut self.stops,
            &mut self.crashes,
            &mut self.takeovers,
            &mut self.fenced,
            &mut self.settled,
            &mut self.pages,
            &mut self.held,
        ]
    }
}

const NAMES: [&str; 13] = [
    "turns",
    "rollouts",
    "steps forward",
    "done",
    "rolled back",
    "retreats",
    "stops by people",
    "crashes",
    "takeovers",
    "fenced",
    "effects settled",
    "pages",
    "held",
];

impl fmt::Display for RolloutReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let figures: Vec<String> = self
            .figures()
            .into_iter()
            .map(|(name, figure)| format!("{figure} {name}"))
            .collect();
        f.write_str(&figures.join(", "))
    }
}
