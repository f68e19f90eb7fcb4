//! The evaluators' turns, and what arrives.

use std::sync::Arc;

use leverframe_flags::Update;

use super::World;
use crate::agenda::Turn;
use crate::audit::Verdict;
use crate::connection::{Cargo, Parcel, Side};
use crate::evaluator::{Reply, Taken};
use crate::shop;

/// How often an evaluator looks after itself, in milliseconds.
const TICK_MS: u64 = 3_000;

impl World {
    pub(super) fn wake(&mut self, evaluator: usize) -> Verdict {
        if self.evaluators[evaluator].is_alive {
            return Ok(());
        }
        let forced = match self.chance.percent(5) {
            true => Some(shop::flag(
                shop::FLAGS[self.chance.index(shop::FLAGS.len())],
            )),
            false => None,
        };
        let there = &mut self.evaluators[evaluator];
        let has_cache = there.start(forced);
        let (name, incarnation) = (there.instance(), there.incarnation);
        self.report.cache_starts += u64::from(has_cache);
        self.tell(&format!(
            "{name} starts{}",
            if has_cache {
                " from its disk cache"
            } else {
                ""
            }
        ));
        self.put_in(
            1,
            Turn::Connect {
                evaluator,
                incarnation,
            },
        );
        self.put_in(
            TICK_MS,
            Turn::Tick {
                evaluator,
                incarnation,
            },
        );
        self.check_evaluator(evaluator)
    }

    fn check_evaluator(&mut self, evaluator: usize) -> Verdict {
        self.auditor.check_evaluator(&self.evaluators[evaluator])
    }

    fn is_running(&self, evaluator: usize, incarnation: u64) -> bool {
        let there = &self.evaluators[evaluator];
        there.is_alive && there.incarnation == incarnation
    }

    pub(super) fn connect(&mut self, evaluator: usize, incarnation: u64) {
        if !self.is_running(evaluator, incarnation)
            || self.evaluators[evaluator].connection.is_some()
        {
            return;
        }
        let node = self.chance.index(self.seats.len());
        let Some(boot) = self.boot(node) else {
            let in_ms = 200 + self.chance.below(1_000);
            self.put_in(
                in_ms,
                Turn::Connect {
                    evaluator,
                    incarnation,
                },
            );
            return;
        };
        let connection = self.open_connection(evaluator, node, boot);
        let now_ms = self.clock.now_ms();
        let there = &mut self.evaluators[evaluator];
        let hello = there.hello();
        there.connected(connection, now_ms);
        self.send(connection, Side::Node, hello);
    }

    pub(super) fn tick(&mut self, evaluator: usize, incarnation: u64) -> Verdict {
        if !self.is_running(evaluator, incarnation) {
            return Ok(());
        }
        let now_ms = self.clock.now_ms();
        self.put_in(
            TICK_MS,
            Turn::Tick {
                evaluator,
                incarnation,
            },
        );
        let there = &mut self.evaluators[evaluator];
        let has_changed = there.tick(now_ms);
        let connection = there.connection;
        if has_changed {
            self.check_evaluator(evaluator)?;
        }
        let Some(connection) = connection else {
            return Ok(());
        };
        let is_chaotic = self
            .connections
            .get(&connection)
            .is_some_and(|link| link.is_chaotic);
        if self.evaluators[evaluator].is_fed_up(is_chaotic, now_ms) {
            self.hang_up(connection, Side::Evaluator);
        } else {
            self.send(connection, Side::Node, Cargo::Beat);
        }
        Ok(())
    }

    pub(super) fn arrive(&mut self, parcel: Parcel) -> Verdict {
        match parcel.to {
            Side::Node => self.arrive_at_node(parcel),
            Side::Evaluator => self.arrive_at_evaluator(&parcel)?,
        }
        Ok(())
    }

    fn arrive_at_node(&mut self, parcel: Parcel) {
        let connection = parcel.connection;
        let Some(link) = self.connections.get(&connection) else {
            return;
        };
        let (evaluator, incarnation, node, boot) =
            (link.evaluator, link.incarnation, link.node, link.boot);
        if self.is_paused(node) {
            self.seats[node].inbox.push(Turn::Arrive(parcel));
            return;
        }
        let instance = crate::evaluator::instance(evaluator, incarnation);
        let is_hello = matches!(parcel.cargo, Cargo::Hello { .. });
        // A handshake needs both.
        let there = &self.evaluators[evaluator];
        if is_hello && !(there.incarnation == incarnation && there.connection == Some(connection)) {
            return;
        }
        let environment = there.environment.clone();
        let words = format!("node {node} hears {instance}: {}", parcel.cargo.words());
        let is_beat = matches!(parcel.cargo, Cargo::Beat);
        let is_goodbye = matches!(parcel.cargo, Cargo::Goodbye);
        let Some((process, clock)) = self.process(node, boot) else {
            return;
        };
        let had = process.has_stream(connection);
        let goes_on = process.hear(connection, (&instance, &environment), parcel.cargo, clock);
        let now_ms = clock.now_ms();
        if !is_beat {
            self.tell(&words);
        }
        if goes_on {
            self.auditor
                .note_heard(node, &environment, &instance, now_ms);
            self.send_news(node, boot);
        } else {
            if is_goodbye && had {
                self.auditor.note_goodbye(node, &environment, &instance);
            }
            self.hang_up(connection, Side::Node);
        }
    }

    fn arrive_at_evaluator(&mut self, parcel: &Parcel) -> Verdict {
        let connection = parcel.connection;
        let Some(link) = self.connections.get(&connection) else {
            return Ok(());
        };
        let (evaluator, incarnation) = (link.evaluator, link.incarnation);
        let is_open = self.evaluators[evaluator].connection == Some(connection);
        if !self.is_running(evaluator, incarnation) || !is_open {
            return Ok(());
        }
        let now_ms = self.clock.now_ms();
        match &parcel.cargo {
            Cargo::Frame(frame) => {
                let words = format!(
                    "{} gets {}",
                    self.evaluators[evaluator].instance(),
                    parcel.cargo.words()
                );
                let taken = self.evaluators[evaluator].take(frame, now_ms);
                self.tell(&format!("{words}{}", outcome(&taken)));
                self.check_evaluator(evaluator)?;
                self.follow_up(evaluator, connection, taken);
            }
            _ => self.evaluators[evaluator].heard(now_ms),
        }
        Ok(())
    }

    fn follow_up(&mut self, evaluator: usize, connection: u64, taken: Taken) {
        self.report.applied += u64::from(taken.is_applied);
        self.report.gaps += u64::from(taken.is_gap);
        self.report.refused += u64::from(taken.is_refused);
        match taken.reply {
            Reply::Silence => {}
            Reply::Say(cargo) => self.send(connection, Side::Node, cargo),
            Reply::SayAndApplyLate(cargo, update) => {
                let incarnation = self.evaluators[evaluator].incarnation;
                self.send(connection, Side::Node, cargo);
                let in_ms = self.chance.between(20, 2_000);
                self.put_in(
                    in_ms,
                    Turn::ApplyLate {
                        evaluator,
                        incarnation,
                        update,
                    },
                );
            }
            Reply::Leave(why) => {
                let name = self.evaluators[evaluator].instance();
                self.tell(&format!("{name} leaves its server: {why}"));
                self.hang_up(connection, Side::Evaluator);
            }
        }
    }

    pub(super) fn apply_late(
        &mut self,
        evaluator: usize,
        incarnation: u64,
        update: &Arc<Update>,
    ) -> Verdict {
        if !self.is_running(evaluator, incarnation) {
            return Ok(());
        }
        let now_ms = self.clock.now_ms();
        let taken = self.evaluators[evaluator].apply(update, now_ms);
        self.report.applied += u64::from(taken.is_applied);
        self.check_evaluator(evaluator)
    }
}

fn outcome(taken: &Taken) -> &'static str {
    match taken {
        Taken {
            is_applied: true, ..
        } => "",
        Taken { is_gap: true, .. } => ", and misses something before it",
        Taken {
            is_refused: true, ..
        } => ", and refuses it",
        _ => ", which it has",
    }
}
