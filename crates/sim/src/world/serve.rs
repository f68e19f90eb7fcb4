//! The nodes' turns.

use std::collections::BTreeSet;
use std::sync::Arc;

use leverframe_core::Command;

use super::World;
use super::brake::PATIENCE_MS;
use crate::agenda::Turn;
use crate::audit::{Verdict, demand};
use crate::clock::Clock;
use crate::connection::{Cargo, Side};
use crate::node::{Answer, Node, Written};
use crate::operator::Request;

/// A process that was replaced knows it after this long, in milliseconds.
const LEASE_MS: u64 = 10_000;

impl World {
    /// The process with this number at a node's place, if it runs and is not paused.
    pub(super) fn process(&mut self, node: usize, boot: u64) -> Option<(&mut Node, &Clock)> {
        let seat = self.seats.get_mut(node)?;
        if seat.is_paused {
            return None;
        }
        let node = seat.node.as_mut().filter(|node| node.boot == boot)?;
        Some((node, &self.clock))
    }

    /// The number of the process at a place.
    pub(super) fn boot(&self, node: usize) -> Option<u64> {
        self.seats.get(node)?.node.as_ref().map(|node| node.boot)
    }

    pub(super) fn is_paused(&self, node: usize) -> bool {
        self.seats.get(node).is_some_and(|seat| seat.is_paused)
    }

    /// A place whose process leads, as far as can be seen from outside: one that was replaced and
    /// does not know it only if there is no other.
    pub(super) fn leading(&self) -> Option<usize> {
        let leads = |node: &usize| {
            let seat = &self.seats[*node];
            !seat.is_paused && seat.node.as_ref().is_some_and(Node::leads)
        };
        let last = self.leader.map(|(node, _)| node).filter(leads);
        last.or_else(|| (0..self.seats.len()).find(leads))
    }

    fn lead(&mut self, node: usize, boot: u64) {
        self.leader = Some((node, boot));
        self.leader_since_ms = self.clock.now_ms();
    }

    /// Whether the lease of a process has run out, because another one has had it for long enough.
    fn is_lease_over(&self, node: usize, boot: u64) -> bool {
        let for_ms = self.clock.now_ms().saturating_sub(self.leader_since_ms);
        self.leader != Some((node, boot)) && for_ms > LEASE_MS
    }

    pub(super) fn start(&mut self, node: usize) -> Verdict {
        self.seats[node].is_start_due = false;
        if self.seats[node].node.is_some() {
            return Ok(());
        }
        let leads = self.leading().is_none();
        self.boots += 1;
        let boot = self.boots;
        match Node::start((node, boot), &self.disk, leads, &self.clock, self.plant) {
            Ok(process) => {
                let words = if leads {
                    "starts and leads"
                } else {
                    "starts and follows"
                };
                self.tell(&format!(
                    "node {node} {words}, at r{}",
                    process.state.revision()
                ));
                self.auditor.check_node(node, &process.state)?;
                self.auditor.note_rolls_loaded(node);
                if leads {
                    self.report.brakes_taken_up += process.brakes().outstanding.len() as u64;
                    self.auditor.note_brakes_taken_up(boot, process.brakes())?;
                    if process.has_brakes() {
                        self.put_in(1, Turn::Write { node, boot });
                    }
                }
                self.seats[node].node = Some(process);
                self.seats[node].is_paused = false;
                if leads {
                    self.lead(node, boot);
                }
                self.put_in(500, Turn::LookAfter { node, boot });
            }
            Err(why) => {
                self.tell(&format!("node {node} cannot start: {why}"));
                self.start_in(node, 1_000);
            }
        }
        Ok(())
    }

    pub(super) fn start_in(&mut self, node: usize, in_ms: u64) {
        if !std::mem::replace(&mut self.seats[node].is_start_due, true) {
            self.put_in(in_ms, Turn::Start { node });
        }
    }

    pub(super) fn request(&mut self, node: usize, request: Box<Request>) {
        if self.is_paused(node) {
            self.seats[node].inbox.push(Turn::Request { node, request });
            return;
        }
        let words = request.words();
        let Some(process) = self.seats[node].node.as_mut() else {
            return;
        };
        let boot = process.boot;
        let errand = request.errand;
        let is_kill = matches!(request.command, Command::Close { .. });
        let was_busy = process.accept(*request);
        self.tell(&format!("node {node} is asked by {words}"));
        if is_kill {
            self.put_in(PATIENCE_MS, Turn::LosePatience { node, boot, errand });
        }
        if !was_busy {
            self.put_in(1, Turn::Write { node, boot });
        }
    }

    pub(super) fn write(&mut self, node: usize, boot: u64) -> Verdict {
        let seat = &mut self.seats[node];
        let Some(process) = seat.node.as_mut().filter(|process| process.boot == boot) else {
            return Ok(());
        };
        if seat.is_paused {
            seat.inbox.push(Turn::Write { node, boot });
            return Ok(());
        }
        if self.is_hanging && process.is_about_to_store() {
            self.put_in(100, Turn::Write { node, boot });
            return Ok(());
        }
        let written = process.write(&self.clock, &mut self.chance);
        let has_work = process.has_work();
        if has_work {
            let in_ms = 1 + self.chance.below(30);
            self.put_in(in_ms, Turn::Write { node, boot });
        }
        let Some(written) = written else {
            return Ok(());
        };
        self.tell(&format!("node {node} {}", written.words));
        self.follow_up_write(node, boot, written)?;
        if std::mem::take(&mut self.seats[node].is_doomed) {
            self.crash(node);
        }
        Ok(())
    }

    /// What one stage of a write came to goes its ways.
    pub(super) fn follow_up_write(&mut self, node: usize, boot: u64, written: Written) -> Verdict {
        self.observe()?;
        self.judge(node, boot, &written)?;
        self.note_brakes(node, boot, &written)?;
        if written.is_fenced {
            self.report.brakes_lost += self.auditor.note_process_gone(boot, &self.disk);
        }
        for connection in written.over {
            self.hang_up(connection, Side::Node);
        }
        for (operator, errand, answer) in written.answers {
            self.send_answer(operator, errand, answer)?;
        }
        self.check_node(node)?;
        self.send_news(node, boot);
        Ok(())
    }

    fn judge(&mut self, node: usize, boot: u64, written: &Written) -> Verdict {
        for ruling in &written.rulings {
            self.auditor.check_ruling(ruling)?;
        }
        self.report.failed_appends += u64::from(written.has_failed);
        self.report.fenced += u64::from(written.is_fenced);
        let leads = self.seats[node].node.as_ref().is_some_and(Node::leads);
        for (_, errand, answer) in &written.answers {
            let is_refused = matches!(answer, Answer::Unavailable(_));
            demand(
                !(leads && is_refused && self.auditor.is_kill(*errand)),
                "P2",
                || format!("errand {errand} is a kill and is refused, because of the store"),
            )?;
        }
        if let Some((from, to)) = written.stored {
            self.report.accepted += to + 1 - from;
            demand(self.leader == Some((node, boot)), "P5", || {
                format!("node {node} was replaced as the leader and wrote r{from} to r{to}")
            })?;
        }
        Ok(())
    }

    fn check_node(&mut self, node: usize) -> Verdict {
        let seat = &mut self.seats[node];
        let Some(state) = seat.node.as_ref().map(|process| &process.state) else {
            return Ok(());
        };
        // What was looked at once need not be again.
        if seat
            .checked
            .as_ref()
            .is_some_and(|checked| Arc::ptr_eq(checked, state))
        {
            return Ok(());
        }
        seat.checked = Some(Arc::clone(state));
        self.auditor.check_node(node, state)
    }

    /// An answer leaves a node: from now on somebody may have read it.
    fn send_answer(&mut self, operator: usize, errand: u64, answer: Answer) -> Verdict {
        match &answer {
            Answer::Accepted { revision, link, .. } => {
                self.auditor.told_stored(*revision, *link)?;
            }
            Answer::Rejected(rejection) => {
                self.report.rejected += 1;
                let words = format!("errand {errand} is rejected: {rejection}");
                self.tell(&words);
            }
            Answer::NotStored { .. } | Answer::Unavailable(_) => {}
        }
        if self.is_quiet || !self.chance.permille(2 * self.profile.lost) {
            let in_ms = 1 + self.delay_ms();
            self.put_in(
                in_ms,
                Turn::Answer {
                    operator,
                    errand,
                    answer,
                },
            );
        } else {
            self.report.lost += 1;
        }
        Ok(())
    }

    /// Sends every stream of a node what it has not got.
    pub(super) fn send_news(&mut self, node: usize, boot: u64) {
        let Some((process, _)) = self.process(node, boot) else {
            return;
        };
        for (connection, frame) in process.news() {
            self.send(connection, Side::Evaluator, Cargo::Frame(frame));
        }
    }

    pub(super) fn look_after(&mut self, node: usize, boot: u64) -> Verdict {
        if self.boot(node) != Some(boot) {
            return Ok(());
        }
        self.put_in(1_000, Turn::LookAfter { node, boot });
        let is_lease_over = self.is_lease_over(node, boot);
        let Some((process, clock)) = self.process(node, boot) else {
            return Ok(());
        };
        let did_lead = process.leads();
        let (over, pinged) = process.look_after(is_lease_over, clock);
        let leads = process.leads();
        let is_idle_with_brakes = leads && process.has_brakes() && !process.has_work();
        if did_lead && !leads {
            self.tell(&format!("node {node} sees that another one leads"));
            self.report.brakes_lost += self.auditor.note_process_gone(boot, &self.disk);
        }
        if is_idle_with_brakes {
            self.put_in(1, Turn::Write { node, boot });
        }
        if leads {
            self.auditor.note_rolls_saved(node);
        }
        let over: BTreeSet<u64> = over.into_iter().collect();
        for connection in &over {
            self.hang_up(*connection, Side::Node);
        }
        for connection in pinged {
            self.send(connection, Side::Evaluator, Cargo::Beat);
        }
        self.check_node(node)?;
        self.send_news(node, boot);
        // Somebody has to lead.
        if self.leading().is_none() && !self.is_paused(node) {
            self.put_in(
                1_000,
                Turn::TakeOver {
                    node,
                    boot,
                    is_by_force: false,
                },
            );
        }
        Ok(())
    }

    pub(super) fn take_over(&mut self, node: usize, boot: u64, is_by_force: bool) -> Verdict {
        if !is_by_force && self.leading().is_some() {
            return Ok(());
        }
        let Some((process, clock)) = self.process(node, boot) else {
            return Ok(());
        };
        let did_lead = process.leads();
        process.take_over(clock);
        if !did_lead && process.leads() {
            // The one before leads no longer, whether it knows or not: what it did not keep is gone.
            if let Some((_, before)) = self.leader {
                self.report.brakes_lost += self.auditor.note_process_gone(before, &self.disk);
            }
            self.lead(node, boot);
            self.report.takeovers += 1;
            self.tell(&format!("node {node} takes the leadership over"));
            self.auditor.note_rolls_loaded(node);
            if let Some(process) = &self.seats[node].node {
                self.report.brakes_taken_up += process.brakes().outstanding.len() as u64;
                self.auditor.note_brakes_taken_up(boot, process.brakes())?;
            }
            self.put_in(1, Turn::Write { node, boot });
            self.observe()?;
            self.check_node(node)?;
        }
        Ok(())
    }

    pub(super) fn resume(&mut self, node: usize, boot: u64) {
        if self.boot(node) == Some(boot) && self.is_paused(node) {
            self.tell(&format!("node {node} goes on after a pause"));
            self.wake_node(node);
        }
    }

    /// A pause is over: what came in the meantime is there, in order.
    pub(super) fn wake_node(&mut self, node: usize) {
        self.seats[node].is_paused = false;
        for turn in std::mem::take(&mut self.seats[node].inbox) {
            self.put_in(0, turn);
        }
    }

    /// The process at a place is gone from one moment to the next.
    pub(super) fn crash(&mut self, node: usize) {
        if let Some(process) = self.seats[node].node.take() {
            if process.leads() {
                self.report.brakes_lost += self.auditor.note_process_gone(process.boot, &self.disk);
            }
            self.report.crashes += 1;
            self.report.crashes_mid_write += u64::from(process.is_mid_write());
            let words = if process.is_mid_write() {
                " in the middle of a write"
            } else {
                ""
            };
            self.tell(&format!("node {node} crashes{words}"));
        }
        self.seats[node].is_paused = false;
        // What it had not read is gone with its sockets.
        self.seats[node].inbox.clear();
        let mut cut = Vec::new();
        for (connection, link) in &mut self.connections {
            if link.node == node && !link.is_severed {
                link.is_severed = true;
                cut.push(*connection);
            }
        }
        // The operating system closes a dead process's sockets.
        for connection in cut {
            let in_ms = self.delay_ms();
            self.put_in(
                in_ms,
                Turn::Notice {
                    connection,
                    side: Side::Evaluator,
                },
            );
        }
        let in_ms = self.chance.between(100, 3_000);
        self.start_in(node, in_ms);
    }
}
