//! The end: nothing goes wrong any more, and everything has to come right.

use std::collections::BTreeSet;

use leverframe_core::access::Actor;
use leverframe_core::limit::ROLL_MS;
use leverframe_core::position::latch;
use leverframe_core::{Command, Selection, State, Why};
use leverframe_flags::{EnvironmentKey, FlagKey};

use super::World;
use crate::agenda::Turn;
use crate::audit::{Verdict, demand};
use crate::operator::Request;
use crate::shop;

/// By then everybody must have everything, in milliseconds.
const COME_RIGHT_MS: u64 = 45_000;
/// By then a last kill must be confirmed, in milliseconds.
const CONFIRM_MS: u64 = 5_000;

impl World {
    pub(super) fn settle(&mut self) -> Verdict {
        self.is_quiet = true;
        self.tell("nothing goes wrong any more");
        self.clock.set_right();
        self.mend();
        for node in 0..self.seats.len() {
            self.wake_node(node);
            self.start_in(node, 100);
        }
        for evaluator in 0..self.evaluators.len() {
            self.put_in(100, Turn::Wake { evaluator });
        }
        self.go_on_for(COME_RIGHT_MS)?;
        self.check_settled()?;
        self.kill_once_more()?;
        if self.chance.percent(5) {
            self.forget_the_dead()?;
        }
        self.auditor.check_end(&self.disk)
    }

    /// After long enough nobody is waited for who is not there.
    fn forget_the_dead(&mut self) -> Verdict {
        self.tell("a long time goes by");
        self.go_on_for(ROLL_MS.unsigned_abs() + 5_000)?;
        let revision = self.auditor.state.revision();
        for (key, _) in shop::ENVIRONMENTS {
            let environment = shop::environment(key);
            let process = self
                .leading()
                .and_then(|node| self.seats[node].node.as_ref());
            let confirmation = process
                .and_then(|process| process.confirmation(&environment, revision, &self.clock));
            let there = self
                .evaluators
                .iter()
                .filter(|there| there.environment == environment)
                .count();
            demand(
                confirmation
                    .as_ref()
                    .is_some_and(|confirmation| confirmation.expected == there),
                "live",
                || {
                    format!(
                        "{there} follow {key}, and {:?} are counted",
                        confirmation.map(|confirmation| confirmation.expected)
                    )
                },
            )?;
        }
        self.check_settled()
    }

    fn go_on_for(&mut self, ms: u64) -> Verdict {
        let until_ms = self.clock.now_ms() + ms;
        while let Some((at_ms, turn)) = self.agenda.next(until_ms) {
            self.take(at_ms, turn)?;
        }
        self.clock.go_on_to(until_ms);
        Ok(())
    }

    fn check_settled(&mut self) -> Verdict {
        demand(self.leading().is_some(), "live", || {
            "everything works again, and nobody leads".to_owned()
        })?;
        for seat in &self.seats {
            let process = seat.node.as_ref();
            let is_current = process
                .is_some_and(|process| process.state.revision() == self.auditor.state.revision());
            demand(is_current, "live", || {
                "everything works again, and a node is behind the journal".to_owned()
            })?;
        }
        self.auditor.check_brakes_stored()?;
        for evaluator in &self.evaluators {
            self.auditor.check_converged(evaluator)?;
            self.auditor.check_evaluator(evaluator)?;
        }
        Ok(())
    }

    /// A kill in good times is confirmed by everybody who is there, and named are only those who
    /// are not.
    fn kill_once_more(&mut self) -> Verdict {
        for (key, _) in shop::ENVIRONMENTS {
            let environment = shop::environment(key);
            let in_use = self.auditor.state.flags().find(|flag| !flag.is_archived);
            let Some(flag) = in_use.map(|flag| flag.key().clone()) else {
                continue;
            };
            let is_killed = |state: &State| {
                let flag = state.flag(flag.as_str());
                flag.is_some_and(|flag| latch(flag.position(environment.as_str())).is_some())
            };
            // The disk may still have orders to fail.
            for _ in 0..20 {
                self.ask_to_close(&flag, &environment);
                self.go_on_for(1_000)?;
                if is_killed(&self.auditor.state) {
                    break;
                }
            }
            demand(is_killed(&self.auditor.state), "live", || {
                format!("everything works again, and {flag} cannot be closed in {environment}")
            })?;
            self.go_on_for(CONFIRM_MS)?;
            self.check_confirmed(&environment)?;
        }
        self.check_settled()
    }

    fn ask_to_close(&mut self, flag: &FlagKey, environment: &EnvironmentKey) {
        let Some(node) = self.leading() else {
            return;
        };
        self.errands += 1;
        let request = Request {
            errand: self.errands,
            operator: 0,
            command: Command::Close {
                flags: Selection::Flags(BTreeSet::from([flag.clone()])),
                environment: environment.clone(),
            },
            actor: Actor::Token {
                id: shop::ROOT.into(),
            },
            why: Why::default(),
            if_match: None,
            idempotency: None,
        };
        self.auditor.expect(&request);
        self.put_in(
            1,
            Turn::Request {
                node,
                request: Box::new(request),
            },
        );
    }

    /// Everybody who is there counts as having the last revision.
    fn check_confirmed(&mut self, environment: &EnvironmentKey) -> Verdict {
        let revision = self.auditor.state.revision();
        let process = self
            .leading()
            .and_then(|node| self.seats[node].node.as_ref());
        let Some(process) = process else {
            return demand(false, "live", || "in good times nobody leads".to_owned());
        };
        let Some(confirmation) = process.confirmation(environment, revision, &self.clock) else {
            return Ok(());
        };
        self.auditor
            .check_confirmation(&confirmation, environment, process, &self.clock)?;
        for there in self
            .evaluators
            .iter()
            .filter(|there| there.environment == *environment)
        {
            let instance = there.instance();
            let is_named = confirmation
                .stragglers
                .iter()
                .any(|straggler| straggler.instance == instance);
            let member = process
                .feeds
                .get(environment)
                .and_then(|feed| feed.roll.member(&instance));
            let counts = member.is_some_and(|member| member.counts);
            demand(counts && !is_named, "live", || {
                format!("{instance} has everything, and is not confirmed for r{revision}")
            })?;
        }
        Ok(())
    }
}
