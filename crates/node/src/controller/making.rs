//! One step on its way to the journal, and what is done when the journal does not take it.
//!
//! A step that cannot be stored is tried again with every tick. One that closes cannot wait for that: it
//! goes out ahead of the journal, the way a kill does, and somebody is told all the same.

use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use leverframe_core::access::Actor;
use leverframe_core::effect::Urgency;
use leverframe_core::rollout::{Observation, Phase, Rollout, Transition, sentence};
use leverframe_core::{Command, Decision, Event, Selection, Why, decide};

use super::Look;
use crate::request::{Accepted, Request, SubmitError};
use crate::shared::Shared;

/// What a rollout was made by, in the journal.
const VIA: &str = "rollout controller";
/// How often a step is tried at once before it counts as one that the store refuses.
const TRIES: usize = 2;
/// Longest verdict that stands as a reason, well within what a reason may be in bytes.
const REASON_CHARS_MAX: usize = 250;

/// A step that a rollout is to make.
pub(super) struct Step {
    pub(super) shared: Arc<Shared>,
    pub(super) rollout: Arc<Rollout>,
    pub(super) transition: Transition,
    pub(super) look: Look,
}

impl Step {
    /// Has the writer decide it.
    pub(super) async fn make(self) {
        for tries_left in (0..TRIES).rev() {
            let mut made = pin!(self.shared.submit(self.asked()));
            let patience = self.shared.options.brake_after;
            let made = match tokio::time::timeout(patience, &mut made).await {
                Ok(made) => made,
                Err(_) => {
                    self.fail("the store takes too long");
                    // It may be stored yet.
                    made.await
                }
            };
            match made {
                Ok(_) => return self.shared.looks.made(&self.rollout.id),
                Err(SubmitError::Rejected(why)) => {
                    // Somebody was faster: it ended, or is in a person's hand.
                    tracing::info!(rollout = %self.rollout.id, %why, "a step was not made");
                    return;
                }
                Err(SubmitError::Unavailable { why, .. }) if tries_left == 0 => self.fail(&why),
                Err(SubmitError::Unavailable { .. }) => {}
            }
        }
    }

    fn fail(&self, why: &str) {
        let Rollout {
            id,
            flag,
            environment,
            ..
        } = &*self.rollout;
        tracing::error!(rollout = %id, why, "a step could not be stored; it is tried again");
        let by_hand = format!("lever kill {flag} -e {environment} -r \"…\"");
        let told = if self.closes() {
            match self.close_ahead() {
                Ok(_) => format!("{id}: {flag} is closed in {environment}, NOT STORED: {why}"),
                Err(error) => format!(
                    "{id}: {flag} has to be closed in {environment} and could not be: {error}; by hand: \
                     {by_hand}"
                ),
            }
        } else {
            format!("the step of {id} could not be stored: {why}; by hand: {by_hand}")
        };
        if self.shared.looks.failed(id, told) {
            self.tell_ahead();
        }
    }

    /// Whether it closes the lever, as the writer would decide it: closing may do harm by now, and then a
    /// person decides. Less exposure than before cannot go out ahead: only a close can.
    fn closes(&self) -> bool {
        let (flag, environment) = (&self.rollout.flag, &self.rollout.environment);
        self.transition.to == Phase::RolledBack
            && self.decided().iter().any(|event| {
                matches!(event, Event::PositionMoved { flag: moved, environment: there, to, .. }
                    if moved == flag && there == environment && to.is_closed())
            })
    }

    /// What its record would say.
    fn decided(&self) -> Vec<Event> {
        let observe = self.asked();
        let Ok(meta) = self.shared.meta(&observe) else {
            return Vec::new();
        };
        match decide(&self.shared.state(), &observe.command, &meta) {
            Ok(Decision::Append(events)) => events,
            _ => Vec::new(),
        }
    }

    fn close_ahead(&self) -> Result<Accepted, SubmitError> {
        let rollout = &self.rollout;
        let why = Why {
            reason: Some(format!("{}: rolled back, and the store refuses", rollout.id).into()),
            incident: None,
        };
        self.shared.brake(&Request {
            why,
            ..request(Command::Close {
                flags: Selection::Flags([rollout.flag.clone()].into()),
                environment: rollout.environment.clone(),
            })
        })
    }

    /// Tells of it before there is a record of it.
    fn tell_ahead(&self) {
        let outside = &self.shared.options.outside;
        for event in self.decided() {
            let Event::EffectWanted { effect } = event else {
                continue;
            };
            let mut effect = outside.addressed((*effect).clone());
            effect.message.done = format!("{}; NOT STORED", effect.message.done).into();
            // A rollout closes once. Other steps are known by the revision they would become.
            let is_last_page = self.closes() && effect.urgency == Urgency::Page;
            let key = match is_last_page {
                true => self.rollout.id.clone(),
                false => effect.id.clone(),
            };
            let (effects, stopping) = (self.shared.effects.clone(), self.shared.stopping.clone());
            tokio::spawn(async move {
                let told = stopping
                    .run_until_cancelled(effects.tell_ahead(key, &effect))
                    .await;
                tracing::warn!(effect = %effect.id, ?told, "told ahead of the journal");
            });
        }
    }

    /// What the writer is asked, with the verdict as its reason: that is what whoever looks at the lever
    /// wants to know.
    fn asked(&self) -> Request {
        let words = sentence(
            &self.rollout,
            &self.transition,
            Some(&self.look.observation),
        );
        let why = Why {
            reason: Some(
                words
                    .chars()
                    .take(REASON_CHARS_MAX)
                    .collect::<String>()
                    .into(),
            ),
            incident: None,
        };
        Request {
            why,
            ..request(self.observed())
        }
    }

    fn observed(&self) -> Command {
        Command::Observe {
            rollout: self.rollout.id.clone(),
            seen: Box::new(Observation::clone(&self.look.observation)),
        }
    }
}

fn request(command: Command) -> Request {
    Request {
        command,
        actor: Actor::System,
        via: VIA.into(),
        why: Why::default(),
        if_match: None,
        idempotency: None,
        dry_run: false,
        received: Instant::now(),
    }
}
