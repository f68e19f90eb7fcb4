//! What goes wrong.

use leverframe_store::MemoryStore;
use leverframe_store::Store as _;
use leverframe_store::memory::{Disk, Failure};

use super::World;
use crate::agenda::Turn;
use crate::audit::{Broken, Verdict};
use crate::connection::{Cargo, Side};
use crate::node;
use crate::plant::Plant;

/// How often each kind of trouble comes, against each other.
const WEIGHTS: [u64; 17] = [14, 5, 10, 4, 4, 8, 6, 12, 10, 10, 6, 4, 6, 4, 3, 2, 1];

impl World {
    pub(super) fn go_wrong(&mut self) -> Verdict {
        if self.is_quiet {
            return Ok(());
        }
        let is_asleep = self.clock.now_ms() < self.asleep_until_ms;
        let most_ms = if is_asleep {
            60_000
        } else {
            self.profile.trouble_every_ms
        };
        let in_ms = self.chance.between(20, most_ms);
        self.put_in(in_ms, Turn::GoWrong);
        let node = self.chance.index(self.seats.len());
        match self.chance.weighted(&WEIGHTS) {
            0 => self.crash(node),
            1 => self.cut_power()?,
            2 => self.fail_next_append(),
            3 => self.fill_disk(),
            4 => self.fail_reads(),
            5 => self.pause(node),
            6 => self.depose(),
            7 => self.cut_some_connection(),
            8 => self.sever_some_connection(),
            9 => self.kill_evaluator(),
            10 => self.say_goodbye(),
            11 => self.set_clock(),
            12 => self.back_up(),
            13 => self.restore()?,
            14 => self.damage_snapshot(),
            15 => self.crash_mid_write(node),
            _ => self.wait_long(),
        }
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

    fn fail_next_append(&mut self) {
        let failures = [Failure::BeforeDurable, Failure::AfterDurable, Failure::Full];
        let failure = failures[self.chance.index(failures.len())];
        self.tell(&format!("the next append will fail: {failure:?}"));
        self.disk.faults().fail_next_append(failure);
    }

    fn fill_disk(&mut self) {
        let is_full = self.chance.percent(50);
        self.tell(if is_full {
            "the disk is full"
        } else {
            "the disk has room"
        });
        self.disk
            .faults()
            .fail_appends(is_full.then_some(Failure::Full));
    }

    fn fail_reads(&mut self) {
        let is_failing = self.chance.percent(40);
        self.tell(if is_failing {
            "the journal cannot be read"
        } else {
            "the journal can be read"
        });
        self.is_unreadable = is_failing;
        self.disk.faults().fail_reads(is_failing);
    }

    fn pause(&mut self, node: usize) {
        let Some(boot) = self.boot(node) else {
            return;
        };
        if self.seats[node].is_paused {
            return;
        }
        self.seats[node].is_paused = true;
        self.tell(&format!("node {node} is paused"));
        let in_ms = self.chance.between(100, 20_000);
        self.put_in(in_ms, Turn::Resume { node, boot });
        self.depose();
    }

    /// Another node takes the leadership, whether the one that has it is well or not.
    fn depose(&mut self) {
        let Some((leading, _)) = self.leader else {
            return;
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
    }

    fn some_connection(&mut self) -> Option<u64> {
        let open: Vec<u64> = self
            .evaluators
            .iter()
            .filter_map(|evaluator| evaluator.connection)
            .collect();
        self.chance.pick(&open)
    }

    fn cut_some_connection(&mut self) {
        if let Some(connection) = self.some_connection() {
            self.tell(&format!("connection {connection} is cut"));
            self.report.cuts += 1;
            self.cut(connection);
        }
    }

    fn sever_some_connection(&mut self) {
        if let Some(connection) = self.some_connection() {
            self.tell(&format!(
                "connection {connection} is dead, and nobody sees it"
            ));
            self.report.half_open += 1;
            self.sever(connection);
        }
    }

    fn kill_evaluator(&mut self) {
        let evaluator = self.chance.index(self.evaluators.len());
        if !self.evaluators[evaluator].is_alive {
            return;
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
    }

    fn say_goodbye(&mut self) {
        let evaluator = self.chance.index(self.evaluators.len());
        if !self.evaluators[evaluator].is_alive {
            return;
        }
        let name = self.evaluators[evaluator].instance();
        self.tell(&format!("{name} leaves"));
        self.report.goodbyes += 1;
        if let Some(connection) = self.evaluators[evaluator].connection {
            self.send(connection, Side::Node, Cargo::Goodbye);
        }
        self.evaluators[evaluator].die();
        self.wake_later(evaluator);
    }

    fn wake_later(&mut self, evaluator: usize) {
        let in_ms = self.chance.between(200, 15_000);
        self.put_in(in_ms, Turn::Wake { evaluator });
    }

    fn set_clock(&mut self) {
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
    }

    fn back_up(&mut self) {
        self.tell(&format!(
            "a backup is taken at r{}",
            self.auditor.entries().len()
        ));
        self.backups.push(self.auditor.entries().to_vec());
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
        self.disk = Disk::new();
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

    fn damage_snapshot(&mut self) {
        self.tell("the snapshot is damaged");
        self.disk.faults().damage_snapshot();
    }

    /// Crashes a node at the next moment that it is between two stages of a write.
    fn crash_mid_write(&mut self, node: usize) {
        if self.seats[node]
            .node
            .as_ref()
            .is_some_and(node::Node::is_mid_write)
        {
            self.crash(node);
        }
    }

    /// Nothing is asked for a long time, so that the roll forgets who is gone.
    fn wait_long(&mut self) {
        self.tell("a long time goes by");
        let until_ms = self.clock.now_ms() + 11 * 60 * 1_000;
        self.asleep_until_ms = until_ms;
    }
}
