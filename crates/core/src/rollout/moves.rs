//! How a rollout takes note of a transition.

use crate::limit::{ROLLOUT_BUILDS_MAX, ROLLOUT_MOVES_MAX};

use super::{Cause, Move, Phase, Rollout};

impl Rollout {
    /// Notes a transition that was made. What the stage has lasted counts from its first move there, or
    /// from when it began anew.
    pub fn follow(&mut self, made: Move) {
        let begins_anew = matches!(made.cause, Cause::NewBuild { .. } | Cause::Resumed);
        let is_same_stage = match (&self.phase, &made.to) {
            (Phase::Stage { index: from, .. }, Phase::Stage { index: to, .. }) => from == to,
            _ => false,
        };
        if !is_same_stage || begins_anew || self.moves.is_empty() {
            self.since = made.at;
        }
        if let Cause::NewBuild { build } = &made.cause {
            if self.builds.len() >= ROLLOUT_BUILDS_MAX {
                self.builds.pop_first();
            }
            self.builds.insert(build.clone());
        }
        self.phase = made.to.clone();
        self.moves.push(made);
        if self.moves.len() > ROLLOUT_MOVES_MAX {
            // The start stays, because evidence of harm counts from there.
            self.moves.remove(1);
        }
    }
}
