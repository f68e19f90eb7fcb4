//! What goes wrong.

use leverframe_store::Store as _;
use leverframe_store::memory::{Disk, Failure};
use leverframe_store::{Beside as _, MemoryStore};

use super::World;
use crate::agenda::Turn;
use crate::audit::{Broken, Verdict};
use crate::connection::{Cargo, Side};
use crate::node;
use crate::plant::Plant;

/// Something that goes wrong.
type Trouble = fn(&mut World) -> Verdict;

/// What goes wrong, and how often against the others.
const TROUBLES: [(u64, Trouble); 17] = [
    (6, World::crash_some_node),
    (14, World::crash_mid_write),
    (4, World::cut_power),
    (10, World::fail_next_append),
    (4, World::fill_disk),
    (4, World::hang),
    (4, World::fail_reads),
    (8, World::pause),
    (6, World::depose),
    (12, World::cut_some_connection),
    (8, World::sever_some_connection),
    (10, World::kill_evaluator),
    (6, World::say_goodbye),
    (4, World::set_clock),
    (6, World::back_up),
    (3, World::restore),
    (3, World::damage_snapshot),
];

impl World {
    pub(super) fn go_wrong(&mut self) -> Verdict {
        if self.is_quiet {
            return Ok(());
        }
        let in_ms = self.chance.between(20, self.profile.trouble_every_ms);
        self.put_in(in_ms, Turn::GoWrong);
        if self.chance.permille(self.profile.store_trouble) {
            return self.break_while_somebody_kills();
        }
        let weights = TROUBLES.map(|(weight, _)| weight);
        let (_, trouble) = TROUBLES[self.chance.weighted(&weights)];
        trouble(self)
    }

    fn some_node(&mut self) -> usize {
        self.chance.index(self.seats.len())
    }

    fn crash_some_node(&mut self) -> Verdict {
        let node = self.some_node();
        self.crash(node);
        Ok(())
    }

    /// Crashes a node between the next two stages of a write.
    fn crash_mid_write(&mut self) -> Verdict {
        let node = self.leading().unwrap_or(0);
        self.seats[node].is_doomed = true;
        Ok(())
    }

    fn cut_power(&mut self) -> Verdict {
        self.tell("the power is cut");
        self.report.power_cuts += 1;
        for node in 0..self.seats.len() {
            self.crash(node);
        }
        self.disk.cut_power();
        self.observe()
    }

    fn fail_next_append(&mut self) -> Verdict {
        let failures = [Failure::BeforeDurable, Failure::AfterDurable, Failure::Full];
        let failure = failures[self.chance.index(failures.len())];
        self.tell(&format!("the next append will fail: {failure:?}"));
        self.disk.faults().fail_next_append(failure);
        Ok(())
    }

    fn fill_disk(&mut self) -> Verdict {
        self.tell("the disk is full");
        self.is_full = true;
        self.disk.faults().fail_appends(Some(Failure::Full));
        self.mend_soon()
    }

    /// The disk does not answer who wants to write, for a while.
    fn hang(&mut self) -> Verdict {
        self.tell("the disk hangs");
        self.report.hangs += 1;
        self.is_hanging = true;
        self.mend_soon()
    }

    /// The store refuses, fails its syncs or hangs, and somebody pulls a kill.
    fn break_while_somebody_kills(&mut self) -> Verdict {
        match self.chance.below(4) {
            0 => self.hang()?,
            1 => self.fill_disk()?,
            2 => self.fail_all(Failure::BeforeDurable)?,
            _ => self.fail_all(Failure::AfterDurable)?,
        }
        self.kill_in_a_hurry();
        match self.chance.below(5) {
            0 | 1 => self.restart_evaluator(),
            2 => self.crash_mid_write()?,
            _ => {}
        }
        Ok(())
    }

    fn fail_all(&mut self, failure: Failure) -> Verdict {
        self.tell(&format!("every append fails: {failure:?}"));
        self.disk.faults().fail_appends(Some(failure));
        self.mend_soon()
    }

    fn fail_reads(&mut self) -> Verdict {
        self.tell("the journal cannot be read");
        self.is_unreadable = true;
        self.disk.faults().fail_reads(true);
        self.mend_soon()
    }

    fn mend_soon(&mut self) -> Verdict {
        let most_ms = if self.chance.percent(30) {
            10_000
        } else {
            2_000
        };
        let in_ms = self.chance.between(100, most_ms);
        self.put_in(in_ms, Turn::Mend);
        Ok(())
    }

    pub(super) fn mend(&mut self) {
        self.is_unreadable = false;
        self.is_full = false;
        self.is_hanging = false;
        self.disk.faults().fail_reads(false);
        self.disk.faults().fail_appends(None);
        self.tell("the disk works");
    }

    fn pause(&mut self) -> Verdict {
        let node = self.some_node();
        let Some(boot) = self.boot(node) else {
            return Ok(());
        };
        if self.seats[node].is_paused {
            return Ok(());
        }
        self.seats[node].is_paused = true;
        self.tell(&format!("node {node} is paused"));
        let in_ms = self.chance.between(100, 20_000);
        self.put_in(in_ms, Turn::Resume { node, boot });
        self.depose()
    }

    /// Another node takes the leadership, whether the one that has it is well or not.
    fn depose(&mut self) -> Verdict {
        let Some((leading, _)) = self.leader else {
            return Ok(());
        };
        let others: Vec<usize> = (0..self.seats.len())
            .filter(|node| *node != leading)
            .collect();
        if let Some(node) = self.chance.pick(&others)
            && let Some(boot) = self.boot(node)
        {
            let in_ms = self.chance.below(2_000);
            self.put_in(
                in_ms,
                Turn::TakeOver {
                    node,
                    boot,
                    is_by_force: true,
                },
            );
        }
        Ok(())
    }

    fn some_connection(&mut self) -> Option<u64> {
        let open: Vec<u64> = self
            .evaluators
            .iter()
            .filter_map(|evaluator| evaluator.connection)
            .collect();
        self.chance.pick(&open)
    }

    fn cut_some_connection(&mut self) -> Verdict {
        if let Some(connection) = self.some_connection() {
            self.tell(&format!("connection {connection} is cut"));
            self.report.cuts += 1;
            self.cut(connection);
        }
        Ok(())
    }

    fn sever_some_connection(&mut self) -> Verdict {
        if let Some(connection) = self.some_connection() {
            self.tell(&format!(
                "connection {connection} is dead, and nobody sees it"
            ));
            self.report.half_open += 1;
            self.sever(connection);
        }
        Ok(())
    }

    fn kill_evaluator(&mut self) -> Verdict {
        let evaluator = self.chance.index(self.evaluators.len());
        if !self.evaluators[evaluator].is_alive {
            return Ok(());
        }
        let connection = self.evaluators[evaluator].connection;
        let name = self.evaluators[evaluator].instance();
        self.evaluators[evaluator].die();
        self.tell(&format!("{name} dies"));
        // What it said is still under way; its socket is closed behind it, if anything passes.
        if let Some(connection) = connection {
            self.hang_up(connection, Side::Evaluator);
        }
        self.wake_later(evaluator);
        Ok(())
    }

    fn say_goodbye(&mut self) -> Verdict {
        let evaluator = self.chance.index(self.evaluators.len());
        if !self.evaluators[evaluator].is_alive {
            return Ok(());
        }
        let name = self.evaluators[evaluator].instance();
        self.tell(&format!("{name} leaves"));
        self.report.goodbyes += 1;
        if let Some(connection) = self.evaluators[evaluator].connection {
            self.send(connection, Side::Node, Cargo::Goodbye);
        }
        self.evaluators[evaluator].die();
        self.wake_later(evaluator);
        Ok(())
    }

    /// An evaluator dies and is back in no time.
    fn restart_evaluator(&mut self) {
        let evaluator = self.chance.index(self.evaluators.len());
        if let Some(connection) = self.evaluators[evaluator].connection {
            self.evaluators[evaluator].die();
            self.hang_up(connection, Side::Evaluator);
            let in_ms = self.chance.between(100, 1_500);
            self.put_in(in_ms, Turn::Wake { evaluator });
        }
    }

    fn wake_later(&mut self, evaluator: usize) {
        let in_ms = self.chance.between(200, 15_000);
        self.put_in(in_ms, Turn::Wake { evaluator });
    }

    fn set_clock(&mut self) -> Verdict {
        const HOUR_MS: u64 = 3_600_000;
        let most_ms = match self.chance.below(4) {
            0 => 10 * 365 * 24 * HOUR_MS,
            1 => 1_000,
            _ => HOUR_MS,
        };
        let by_ms = i64::try_from(self.chance.below(2 * most_ms)).unwrap_or(0)
            - i64::try_from(most_ms).unwrap_or(0);
        self.clock.set_by(by_ms);
        self.report.clock_jumps += 1;
        self.tell(&format!(
            "the wall clock is set by {} s, to {}",
            by_ms / 1_000,
            self.clock.wall()
        ));
        Ok(())
    }

    fn back_up(&mut self) -> Verdict {
        self.tell(&format!(
            "a backup is taken at r{}",
            self.auditor.entries().len()
        ));
        self.backups.push(self.auditor.entries().to_vec());
        Ok(())
    }

    /// The journal is replaced by that of a backup, and a new epoch begins.
    fn restore(&mut self) -> Verdict {
        let Some(backup) = self.chance.pick(&self.backups) else {
            return Ok(());
        };
        self.tell(&format!(
            "the backup of r{} is restored over r{}",
            backup.len(),
            self.auditor.entries().len()
        ));
        self.report.restores += 1;
        for node in 0..self.seats.len() {
            self.crash(node);
        }
        let broken = |what: String| Broken {
            promise: "P5",
            what,
        };
        // The snapshot goes with the old journal; the kills that were out stay.
        let brakes = self.disk.load_brakes();
        self.disk = Disk::new();
        if let Some(brakes) = brakes {
            self.disk
                .save_brakes(&brakes)
                .map_err(|error| broken(error.to_string()))?;
        }
        self.is_full = false;
        self.is_hanging = false;
        let mut store = MemoryStore::open(&self.disk);
        let fence = store
            .take_leadership(self.clock.wall())
            .map_err(|error| broken(error.to_string()))?;
        store
            .append(0, fence, &backup)
            .map_err(|error| broken(error.to_string()))?;
        let replaced = &self.auditor.state;
        let epoch =
            node::continue_after_restore(&self.disk, replaced, self.clock.wall(), self.plant)
                .map_err(broken)?;
        if self.plant == Some(Plant::SkipTheSync) {
            self.disk.faults().ignore_syncs(true);
        }
        self.is_unreadable = false;
        self.leader = None;
        self.auditor.note_rolls_lost();
        // Backups of what came after this one are of a history that is gone.
        self.backups.retain(|other| other.len() <= backup.len());
        self.tell(&format!("epoch {epoch} begins"));
        self.auditor.restored(&self.disk)
    }

    fn damage_snapshot(&mut self) -> Verdict {
        self.tell("the newest snapshot is damaged");
        self.disk.faults().damage_snapshot();
        if self.chance.percent(30) {
            self.tell("and the other one, too");
            self.disk.faults().damage_snapshot();
        }
        Ok(())
    }
}
