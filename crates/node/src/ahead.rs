//! How a kill goes out ahead of the journal.

use std::collections::BTreeSet;

use leverframe_core::access::Actor;
use leverframe_core::decide::{Decision, decide};
use leverframe_core::receipt::receipt;
use leverframe_core::{Event, Meta, State};
use leverframe_flags::{EnvironmentKey, FlagKey};

use crate::brake::Brake;
use crate::request::{Accepted, Request, SubmitError};
use crate::shared::Shared;
use crate::writer::try_out;

impl Shared {
    /// Puts a kill out though it is not stored, and has it stored as soon as that is possible.
    pub(crate) fn brake(&self, request: &Request) -> Result<Accepted, SubmitError> {
        let state = self.state();
        let meta = self.meta(request)?;
        let events = match decide(&state, &request.command, &meta)? {
            Decision::Append(events) => events,
            Decision::Unchanged { .. } | Decision::Repeat { .. } => {
                return try_out(&state, request, &meta).map(|answer| Accepted {
                    dry_run: false,
                    stored: true,
                    ..answer
                });
            }
        };
        let moved = events.iter().filter_map(|event| match event {
            Event::PositionMoved {
                flag, environment, ..
            } => Some((flag.clone(), environment.clone())),
            _ => None,
        });
        let (flags, environments): (BTreeSet<_>, BTreeSet<_>) = moved.unzip();
        let Some(environment) = environments.first().cloned() else {
            return Err(SubmitError::unavailable("there is nothing to close"));
        };
        let is_out =
            |brake: &Brake| brake.environment == environment && flags.is_subset(&brake.flags);
        let known = self.brakes.all().into_iter().find(is_out);
        let number = known.map_or_else(
            || self.put_out(request, &meta, &state, flags, environment),
            |brake| brake.number,
        );
        let mut receipt = receipt(&state.next_record(events, &meta));
        receipt.revision = state.revision();
        receipt.undoable = false;
        receipt.why_not_undoable = Some("it is not in the journal yet");
        Ok(Accepted {
            receipt,
            unchanged: false,
            dry_run: false,
            stored: false,
            brake: Some(number),
            environments: environments.into_iter().collect(),
        })
    }

    fn put_out(
        &self,
        request: &Request,
        meta: &Meta,
        state: &State,
        flags: BTreeSet<FlagKey>,
        environment: EnvironmentKey,
    ) -> u64 {
        let brake = self.brakes.add(|number| Brake {
            number,
            decided_on: state.revision(),
            at: meta.now,
            actor: match &meta.actor {
                Actor::Token { id } => Some(id.clone()),
                Actor::System => None,
            },
            via: meta.via.clone(),
            why: meta.why.clone(),
            idempotency: meta.idempotency.clone(),
            flags,
            environment,
        });
        if let Some(feed) = self.feed(brake.environment.as_str()) {
            feed.brake(&brake, request.received);
        }
        tracing::error!(brake = brake.number, "{}", brake.sentence());
        self.brakes.save_aside();
        self.queue.nudge();
        brake.number
    }

    /// Notes that a kill which was out ahead of the journal is in it.
    pub(crate) fn settle(&self, number: u64, revision: u64) {
        self.brakes.settle(number, revision);
        self.brakes.save_aside();
        for feed in self.feeds() {
            feed.settled(number, revision);
        }
    }
}
