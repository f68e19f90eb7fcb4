//! Sending: how long things are under way, and what becomes of them there.

use super::World;
use crate::agenda::Turn;
use crate::connection::{Cargo, Connection, Parcel, Side};

impl World {
    /// A new connection of an evaluator to the process at a node's place.
    pub(super) fn open_connection(&mut self, evaluator: usize, node: usize, boot: u64) -> u64 {
        self.connected += 1;
        let is_chaotic = !self.is_quiet && self.chance.permille(self.profile.chaotic_connections);
        let incarnation = self.evaluators[evaluator].incarnation;
        let connection = Connection::new((evaluator, incarnation), (node, boot), is_chaotic);
        self.connections.insert(self.connected, connection);
        self.connected
    }

    pub(super) fn send(&mut self, connection: u64, to: Side, cargo: Cargo) {
        let Some(link) = self.connections.get(&connection) else {
            return;
        };
        let is_chaotic = link.is_chaotic && !self.is_quiet;
        let is_lost = link.is_severed || (is_chaotic && self.chance.permille(self.profile.lost));
        // A handshake goes there and back, and so is never lost or repeated by itself.
        let is_hello = matches!(cargo, Cargo::Hello { .. });
        if is_lost && !is_hello {
            self.report.lost += 1;
            return;
        }
        if is_chaotic && !is_hello && self.chance.permille(self.profile.repeated) {
            // Long after the first, so that it is old news.
            let late_ms = self.chance.below(3_000);
            self.send_once(connection, to, cargo.clone(), late_ms);
        }
        self.send_once(connection, to, cargo, 0);
    }

    fn send_once(&mut self, connection: u64, to: Side, cargo: Cargo, late_ms: u64) {
        let at_ms = self.clock.now_ms() + 1 + late_ms + self.delay_ms();
        if let Some(link) = self.connections.get_mut(&connection) {
            let at_ms = link.arrival(to, at_ms);
            self.agenda.put(
                at_ms,
                Turn::Arrive(Parcel {
                    connection,
                    to,
                    cargo,
                }),
            );
        }
    }

    /// How long something is under way: mostly short, sometimes very long.
    pub(super) fn delay_ms(&mut self) -> u64 {
        let most_ms = if self.is_quiet {
            20
        } else {
            self.profile.delay_ms_max
        };
        match self.chance.below(8) {
            0 => self.chance.below(most_ms),
            _ => self.chance.below(most_ms / 8 + 2),
        }
    }

    /// The connection is gone; each side sees it after a while.
    pub(super) fn cut(&mut self, connection: u64) {
        self.sever(connection);
        for side in [Side::Node, Side::Evaluator] {
            let in_ms = self.delay_ms();
            self.put_in(in_ms, Turn::Notice { connection, side });
        }
    }

    /// Nothing passes any more, and nobody sees it.
    pub(super) fn sever(&mut self, connection: u64) {
        if let Some(link) = self.connections.get_mut(&connection) {
            link.is_severed = true;
        }
    }

    /// A side hangs up; the other sees it, unless nothing passes.
    pub(super) fn hang_up(&mut self, connection: u64, side: Side) {
        self.notice(connection, side);
        let other = match side {
            Side::Node => Side::Evaluator,
            Side::Evaluator => Side::Node,
        };
        let in_ms = 1 + self.delay_ms();
        if self
            .connections
            .get(&connection)
            .is_some_and(|link| !link.is_severed)
        {
            // After everything that is under way already.
            let at_ms = self.clock.now_ms() + in_ms;
            let at_ms = self
                .connections
                .get_mut(&connection)
                .map_or(at_ms, |link| link.arrival(other, at_ms));
            self.agenda.put(
                at_ms,
                Turn::Notice {
                    connection,
                    side: other,
                },
            );
        }
    }

    /// A side sees that a connection is over.
    pub(super) fn notice(&mut self, connection: u64, side: Side) {
        let Some(link) = self.connections.get(&connection) else {
            return;
        };
        let (evaluator, incarnation, node, boot) =
            (link.evaluator, link.incarnation, link.node, link.boot);
        match side {
            Side::Node => {
                if let Some(node) = self.process(node, boot) {
                    // A paused process sees it when it goes on; silence tells it then.
                    node.0.hang_up(connection, node.1);
                }
            }
            Side::Evaluator => {
                let there = &mut self.evaluators[evaluator];
                if there.is_alive
                    && there.incarnation == incarnation
                    && there.connection == Some(connection)
                {
                    there.disconnected();
                    let in_ms = 50 + self.chance.below(1_000);
                    self.put_in(
                        in_ms,
                        Turn::Connect {
                            evaluator,
                            incarnation,
                        },
                    );
                }
            }
        }
    }
}
