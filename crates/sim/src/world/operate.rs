//! The operators' turns.

use leverframe_flags::EnvironmentKey;

use super::World;
use crate::agenda::Turn;
use crate::audit::Verdict;
use crate::node::Answer;
use crate::operator::{ATTEMPTS_MAX, Errand, some_kill, some_opening, some_request};

/// How long a command waits for its confirmation, in milliseconds.
const CONFIRM_MS_MAX: u64 = 10_000;

impl World {
    pub(super) fn operate(&mut self, operator: usize) {
        if self.is_quiet {
            return;
        }
        let busy = self.operators[operator].errand.is_some();
        let looking_at = self.chance.index(self.seats.len());
        if !busy && let Some(process) = &self.seats[looking_at].node {
            self.errands += 1;
            let request = some_request(self.errands, operator, &process.state, &mut self.chance);
            self.auditor.expect(&request);
            self.operators[operator].errand = Some(Errand {
                request,
                attempt: 0,
            });
            self.ask(operator);
        }
        let in_ms = self.chance.between(20, 400);
        self.put_in(in_ms, Turn::Operate { operator });
    }

    /// Somebody who has time pulls a kill. Sometimes somebody else opens the same, or kills something
    /// else, at that very moment.
    pub(super) fn kill_in_a_hurry(&mut self) {
        let idle = |operator: &usize| self.operators[*operator].errand.is_none();
        let idle: Vec<usize> = (0..self.operators.len()).filter(idle).collect();
        let Some((operator, others)) = idle.split_first() else {
            return;
        };
        let state = &self.auditor.state;
        self.errands += 1;
        let (kill, opening) = some_kill((self.errands, *operator), state, &mut self.chance);
        let mut requests = vec![kill];
        if let Some(other) = others.first() {
            self.errands += 1;
            let errand = (self.errands, *other);
            match self.chance.below(4) {
                0 => {}
                1 => requests.push(some_kill(errand, state, &mut self.chance).0),
                _ => requests.push(some_opening(errand, opening, state)),
            }
        }
        if self.chance.percent(50) {
            requests.reverse();
        }
        let in_ms = 1 + self.delay_ms();
        let node = self.leading().unwrap_or(0);
        for request in requests {
            self.auditor.expect(&request);
            let (operator, errand) = (request.operator, request.errand);
            self.operators[operator].errand = Some(Errand {
                request: request.clone(),
                attempt: 1,
            });
            let request = Box::new(request);
            self.put_in(in_ms, Turn::Request { node, request });
            self.put_in(
                2_500,
                Turn::GiveUpWaiting {
                    operator,
                    errand,
                    attempt: 1,
                },
            );
        }
    }

    /// Sends an errand, for the first time or again.
    fn ask(&mut self, operator: usize) {
        let Some(errand) = &mut self.operators[operator].errand else {
            return;
        };
        errand.attempt += 1;
        let (request, attempt) = (errand.request.clone(), errand.attempt);
        let number = request.errand;
        // It asks whoever seems to lead, or anybody.
        let node = match self.chance.percent(85) {
            true => self.leading().unwrap_or(0),
            false => self.chance.index(self.seats.len()),
        };
        if self.is_quiet || !self.chance.permille(self.profile.lost) {
            let in_ms = 1 + self.delay_ms();
            self.put_in(
                in_ms,
                Turn::Request {
                    node,
                    request: Box::new(request),
                },
            );
        } else {
            self.report.lost += 1;
        }
        self.put_in(
            2_500,
            Turn::GiveUpWaiting {
                operator,
                errand: number,
                attempt,
            },
        );
    }

    pub(super) fn give_up_waiting(&mut self, operator: usize, errand: u64, attempt: u32) {
        let Some(waiting) = &self.operators[operator].errand else {
            return;
        };
        if waiting.request.errand != errand || waiting.attempt != attempt {
            return;
        }
        // Without a key it must not be sent again: it may have been done.
        if waiting.request.idempotency.is_some() && attempt < ATTEMPTS_MAX {
            self.tell(&format!("errand {errand} is asked for again"));
            self.ask(operator);
        } else {
            self.operators[operator].errand = None;
        }
    }

    pub(super) fn answer(&mut self, operator: usize, errand: u64, answer: Answer) -> Verdict {
        let Some(waiting) = &self.operators[operator].errand else {
            return Ok(());
        };
        if waiting.request.errand != errand {
            return Ok(());
        }
        match answer {
            Answer::Unavailable(why) => {
                let attempt = waiting.attempt;
                self.tell(&format!("errand {errand} cannot be done now: {why}"));
                self.put_in(
                    300,
                    Turn::GiveUpWaiting {
                        operator,
                        errand,
                        attempt,
                    },
                );
                return Ok(());
            }
            Answer::Rejected(_) => {}
            Answer::NotStored {
                number,
                environment,
                node,
            } => {
                self.tell(&format!(
                    "errand {errand} is out as kill {number}, NOT STORED"
                ));
                let since_ms = self.clock.now_ms();
                if let Some(boot) = self.boot(node) {
                    self.put_in(
                        0,
                        Turn::AskWhoIsBraked {
                            node,
                            boot,
                            environment,
                            number,
                            since_ms,
                        },
                    );
                }
            }
            Answer::Accepted {
                revision,
                environments,
                node,
                ..
            } => {
                self.tell(&format!("errand {errand} is r{revision}"));
                let since_ms = self.clock.now_ms();
                for environment in environments {
                    self.put_in(
                        0,
                        Turn::AskWhoHasIt {
                            node,
                            environment,
                            revision,
                            since_ms,
                        },
                    );
                }
            }
        }
        self.operators[operator].errand = None;
        Ok(())
    }

    pub(super) fn ask_who_has_it(
        &mut self,
        node: usize,
        environment: &EnvironmentKey,
        revision: u64,
        since_ms: u64,
    ) -> Verdict {
        let process = self.seats[node]
            .node
            .as_ref()
            .filter(|_| !self.seats[node].is_paused);
        let Some(process) =
            process.filter(|process| process.leads() && process.state.revision() >= revision)
        else {
            return Ok(());
        };
        let Some(confirmation) = process.confirmation(environment, revision, &self.clock) else {
            return Ok(());
        };
        self.auditor
            .check_confirmation(&confirmation, environment, process, &self.clock)?;
        let is_over = self.clock.now_ms().saturating_sub(since_ms) > CONFIRM_MS_MAX;
        if confirmation.is_complete() {
            self.report.confirmed += 1;
            self.tell(&format!(
                "r{revision} is confirmed in {environment} by {}",
                confirmation.confirmed
            ));
        } else if confirmation.is_empty_roll() {
            self.report.empty_rolls += 1;
            self.tell(&format!("nobody follows {environment}"));
        } else if is_over {
            self.report.stragglers += 1;
            let names: Vec<&str> = confirmation
                .stragglers
                .iter()
                .map(|straggler| &*straggler.instance)
                .collect();
            self.tell(&format!(
                "r{revision} is not confirmed in {environment}: {}",
                names.join(", ")
            ));
        } else {
            let environment = environment.clone();
            self.put_in(
                300,
                Turn::AskWhoHasIt {
                    node,
                    environment,
                    revision,
                    since_ms,
                },
            );
        }
        Ok(())
    }
}
