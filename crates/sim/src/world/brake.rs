//! Kills that go out ahead of the journal: who waits for the store, what is kept, who has them.

use leverframe_flags::EnvironmentKey;

use super::World;
use crate::agenda::Turn;
use crate::audit::Verdict;
use crate::node::Written;

/// How long a kill waits for the store before it goes out ahead of it, in milliseconds.
pub(super) const PATIENCE_MS: u64 = 500;
/// How long a command waits for its confirmation, in milliseconds.
const CONFIRM_MS_MAX: u64 = 10_000;

impl World {
    /// A kill has waited for the store for long enough.
    pub(super) fn lose_patience(&mut self, node: usize, boot: u64, errand: u64) -> Verdict {
        if self.boot(node) == Some(boot) && self.is_paused(node) {
            self.seats[node]
                .inbox
                .push(Turn::LosePatience { node, boot, errand });
            return Ok(());
        }
        let Some(process) = self.seats[node]
            .node
            .as_mut()
            .filter(|there| there.boot == boot)
        else {
            return Ok(());
        };
        let Some(written) = process.lose_patience(errand, &self.clock, &mut self.chance) else {
            return Ok(());
        };
        self.tell(&format!("node {node} {}", written.words));
        self.follow_up_write(node, boot, written)
    }

    /// Notes the kills that went out, and those that came in.
    pub(super) fn note_brakes(&mut self, node: usize, boot: u64, written: &Written) -> Verdict {
        for brake in &written.braked {
            self.tell(&format!(
                "node {node} puts kill {} out: {:?} in {}, NOT STORED",
                brake.number, brake.flags, brake.environment
            ));
            self.report.brakes += 1;
            self.auditor.note_brake(brake, boot);
            // The writer is nudged.
            self.put_in(1, Turn::Write { node, boot });
        }
        for (number, revision) in &written.settled {
            let words = match revision {
                Some(revision) => format!("r{revision} has kill {number}"),
                None => format!("what kill {number} closed is gone"),
            };
            self.tell(&words);
            self.report.brakes_stored += u64::from(revision.is_some());
            self.auditor.note_settled(*number, *revision)?;
        }
        if !(written.braked.is_empty() && written.settled.is_empty()) {
            let in_ms = self.chance.between(1, 300);
            self.put_in(in_ms, Turn::KeepBrakes { node, boot });
        }
        Ok(())
    }

    /// A node keeps beside the journal what is out. Only whoever leads may.
    pub(super) fn keep_brakes(&mut self, node: usize, boot: u64) -> Verdict {
        if self.is_hanging || self.is_full {
            // A thread of its own waits for the disk; where there is no room it gives up.
            if self.is_hanging {
                self.put_in(100, Turn::KeepBrakes { node, boot });
            }
            return Ok(());
        }
        if self.leader != Some((node, boot)) {
            return Ok(());
        }
        let Some((process, _)) = self.process(node, boot) else {
            return Ok(());
        };
        process.keep_brakes();
        let held = process.brakes().clone();
        self.auditor.check_kept(node, &held, &self.disk)
    }

    pub(super) fn ask_who_is_braked(
        &mut self,
        (node, boot): (usize, u64),
        environment: &EnvironmentKey,
        number: u64,
        since_ms: u64,
    ) -> Verdict {
        let Some((process, clock)) = self.process(node, boot) else {
            return Ok(());
        };
        if !process.leads() {
            return Ok(());
        }
        let Some(confirmation) = process.brake_confirmation(environment, number, clock) else {
            return Ok(());
        };
        let now_ms = clock.now_ms();
        let Some(process) = &self.seats[node].node else {
            return Ok(());
        };
        self.auditor.check_brake_confirmation(
            &confirmation,
            environment,
            number,
            process,
            &self.clock,
        )?;
        let is_over = now_ms.saturating_sub(since_ms) > CONFIRM_MS_MAX;
        if confirmation.is_complete() {
            self.report.brakes_confirmed += 1;
            self.tell(&format!(
                "kill {number} is confirmed in {environment} by {}",
                confirmation.confirmed
            ));
        } else if !confirmation.is_empty_roll() && !is_over {
            let environment = environment.clone();
            self.put_in(
                300,
                Turn::AskWhoIsBraked {
                    node,
                    boot,
                    environment,
                    number,
                    since_ms,
                },
            );
        }
        Ok(())
    }
}
