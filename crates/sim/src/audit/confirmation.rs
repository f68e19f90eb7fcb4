//! P4: confirmed means confirmed. Held against what the processes have really applied, and against
//! whom the node has really heard.

use std::collections::{BTreeMap, BTreeSet};

use leverframe_core::Confirmation;
use leverframe_core::limit::ROLL_MS;
use leverframe_flags::EnvironmentKey;

use super::{Auditor, Verdict, demand};
use crate::clock::Clock;
use crate::node::Node;

/// Whom the nodes have heard, and when.
#[derive(Debug, Default)]
pub(super) struct Heard {
    by_node: BTreeMap<usize, Roll>,
    /// Who saved a roll last, and who was on it.
    saved: Option<(usize, BTreeSet<Seat>)>,
}

type Seat = (EnvironmentKey, Box<str>);
type Roll = BTreeMap<Seat, u64>;

impl Auditor {
    /// A node heard an evaluator.
    pub(crate) fn note_heard(
        &mut self,
        node: usize,
        environment: &EnvironmentKey,
        instance: &str,
        now_ms: u64,
    ) {
        let roll = self.heard.by_node.entry(node).or_default();
        roll.insert((environment.clone(), instance.into()), now_ms);
    }

    /// A node heard an evaluator's goodbye.
    pub(crate) fn note_goodbye(
        &mut self,
        node: usize,
        environment: &EnvironmentKey,
        instance: &str,
    ) {
        let roll = self.heard.by_node.entry(node).or_default();
        roll.remove(&(environment.clone(), instance.into()));
    }

    /// A node saved its rolls.
    pub(crate) fn note_rolls_saved(&mut self, node: usize) {
        let seats = self
            .heard
            .by_node
            .get(&node)
            .into_iter()
            .flat_map(BTreeMap::keys);
        self.heard.saved = Some((node, seats.cloned().collect()));
    }

    /// A node loaded the rolls that were saved last. Whoever is on them was heard by who saved them,
    /// up to the end.
    pub(crate) fn note_rolls_loaded(&mut self, node: usize) {
        let Heard { by_node, saved } = &mut self.heard;
        let mut roll = Roll::new();
        if let Some((saver, seats)) = saved {
            roll = by_node.get(saver).cloned().unwrap_or_default();
            roll.retain(|seat, _| seats.contains(seat));
        }
        by_node.insert(node, roll);
    }

    /// The rolls are gone, with the disk they were on.
    pub(crate) fn note_rolls_lost(&mut self) {
        self.heard = Heard::default();
    }

    /// Checks what a node says of who has a revision.
    pub(crate) fn check_confirmation(
        &self,
        confirmation: &Confirmation,
        environment: &EnvironmentKey,
        node: &Node,
        clock: &Clock,
    ) -> Verdict {
        let revision = confirmation.revision;
        let named = confirmation.stragglers.len();
        demand(
            confirmation.expected == confirmation.confirmed + named,
            "P4",
            || {
                format!(
                    "of {} that count, {} have r{revision} and {named} are named",
                    confirmation.expected, confirmation.confirmed
                )
            },
        )?;
        demand(
            confirmation.expected > 0 || !confirmation.is_complete(),
            "P4",
            || format!("nobody follows {environment}, and r{revision} is confirmed"),
        )?;
        let Some(feed) = node.feeds.get(environment) else {
            return Ok(());
        };
        // What an evaluator must have come to, to have this revision: the last one before it that
        // it had to hear of.
        let epoch = node.state.epoch();
        let place = |revision| (epoch, environment.clone(), revision);
        let until = self.answers.range(place(0)..=place(revision));
        let needed = until
            .map(|((_, _, revision), _)| *revision)
            .next_back()
            .unwrap_or(0);
        for member in feed
            .roll
            .members(node.steady(clock))
            .filter(|member| member.counts)
        {
            let is_named = confirmation
                .stragglers
                .iter()
                .any(|straggler| straggler.instance == member.instance);
            let reached = self.reached(&member.instance).unwrap_or_default();
            demand(is_named || reached >= (epoch, needed), "P4", || {
                format!(
                    "{} counts as having r{revision} and has only been at r{} of epoch {}",
                    member.instance, reached.1, reached.0
                )
            })?;
        }
        let heard = self.heard.by_node.get(&node.index).into_iter().flatten();
        for ((heard_in, instance), heard_ms) in heard {
            let since_ms = clock.now_ms().saturating_sub(*heard_ms);
            let must_count = heard_in == environment && i128::from(since_ms) < i128::from(ROLL_MS);
            let is_on_roll = || {
                feed.roll
                    .members(node.steady(clock))
                    .any(|member| member.instance == *instance)
            };
            demand(!must_count || is_on_roll(), "P4", || {
                format!(
                    "{instance} was heard {since_ms} ms ago, said no goodbye, and is not on the roll of {environment}"
                )
            })?;
        }
        Ok(())
    }
}
