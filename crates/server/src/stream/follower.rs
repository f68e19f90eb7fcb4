//! What an evaluator says, told to its environment's presence. The same for the WebSocket and the
//! long poll. Everything an evaluator says is input: bounded, and believed only as far as it can
//! be checked.

use std::sync::Arc;

use leverframe_core::roll::{Acknowledged, Hello};
use leverframe_core::{Link, Rejection, Timestamp};
use leverframe_flags::FlagKey;
use leverframe_node::{Feed, Node, Place};
use leverframe_wire::frame::DECLARED_FLAGS_MAX;
use leverframe_wire::{frame, outcome};

use super::outcomes;
use crate::limit::COUNT_MAX;

/// Longest instance, in bytes; longer ones are refused, because a cut one could be another's.
const INSTANCE_BYTES_MAX: usize = 128;

/// One evaluator of one environment.
pub(super) struct Follower {
    pub(super) node: Node,
    pub(super) feed: Arc<Feed>,
    pub(super) instance: Arc<str>,
}

/// Why an evaluator cannot be let in.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("an instance is 1 to {INSTANCE_BYTES_MAX} bytes of visible ASCII")]
pub(super) struct BadInstance;

impl Follower {
    /// Checks the name an evaluator gives itself.
    pub(super) fn new(node: Node, feed: Arc<Feed>, instance: &str) -> Result<Self, BadInstance> {
        let is_fine = (1..=INSTANCE_BYTES_MAX).contains(&instance.len())
            && instance.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_fine {
            return Err(BadInstance);
        }
        Ok(Self {
            node,
            feed,
            instance: instance.into(),
        })
    }

    /// Puts the evaluator on the roll. Returns where it stands, as far as that is part of this
    /// history.
    ///
    /// # Errors
    /// When the roll is full.
    pub(super) fn join(&self, hello: &frame::Hello) -> Result<Option<Place>, Rejection> {
        let place = hello.cursor.as_ref().and_then(|cursor| self.place(cursor));
        // One that is ahead of this journal has a record that was lost here. It must not count as
        // having the next one that gets its number.
        let resumes = hello
            .cursor
            .as_ref()
            .filter(|cursor| place.is_some() && self.is_reached(cursor.epoch, cursor.revision))
            .and_then(|cursor| {
                self.acknowledged(cursor.epoch, cursor.revision, cursor.brake, &cursor.head)
            });
        self.feed.presence().join(Hello {
            instance: Box::from(&*self.instance),
            application: plain(&hello.application),
            build: plain(&hello.build),
            version: plain(&hello.client),
            resumes,
            flags: declared(hello),
        })?;
        Ok(place)
    }

    /// Where a cursor stands in this history; `None` for another history.
    pub(super) fn place(&self, cursor: &frame::Cursor) -> Option<Place> {
        let state = self.node.state();
        let environment = self.feed.environment();
        if cursor.journal != state.journal() || environment != cursor.environment.as_str() {
            return None;
        }
        if !self.is_known(cursor.epoch, cursor.revision, &cursor.head) {
            tracing::error!(
                %environment,
                instance = %self.instance,
                revision = cursor.revision,
                "an evaluator knows another record at this revision: the journal was rewritten; run `lever audit verify`"
            );
            return None;
        }
        Some(Place {
            journal: cursor.journal.as_str().into(),
            epoch: cursor.epoch,
            revision: cursor.revision,
            brake: cursor.brake,
        })
    }

    /// Notes what an evaluator has applied. Nothing beyond `sent`, the place it was brought to, is
    /// believed.
    pub(super) fn acknowledge(&self, told: frame::Acknowledge, sent: Option<&Place>) {
        let state = self.node.state();
        let is_sent = sent
            .is_some_and(|sent| (told.epoch, told.revision) <= (sent.epoch, sent.revision))
            && self.is_reached(told.epoch, told.revision);
        let is_known = self.is_known(told.epoch, told.revision, &told.head);
        if told.journal != state.journal() || !is_sent || !is_known {
            tracing::warn!(
                environment = %self.feed.environment(),
                instance = %self.instance,
                epoch = told.epoch,
                revision = told.revision,
                "an acknowledgement of what was never sent is not counted"
            );
            self.heard();
            return;
        }
        let refused = told
            .refused
            .into_iter()
            .filter_map(|refusal| {
                Some((
                    refusal.flag.parse().ok()?,
                    String::from(plain(&refusal.why)),
                ))
            })
            .collect();
        let brake = told.brake.min(sent.map_or(0, |sent| sent.brake));
        match self.acknowledged(told.epoch, told.revision, brake, &told.head) {
            Some(acknowledged) => {
                self.feed
                    .presence()
                    .acknowledge(&self.instance, acknowledged, refused);
            }
            None => self.heard(),
        }
    }

    /// Whether this journal has come so far.
    fn is_reached(&self, epoch: u64, revision: u64) -> bool {
        (epoch, revision) <= (self.node.state().epoch(), self.feed.revision())
    }

    /// Whether the record at a revision is the one this journal has there, as far as is known here.
    fn is_known(&self, epoch: u64, revision: u64, head: &str) -> bool {
        epoch != self.node.state().epoch()
            || self
                .feed
                .head_at(revision)
                .is_none_or(|here| Link::from_hex(head) == Some(here))
    }

    fn acknowledged(
        &self,
        epoch: u64,
        revision: u64,
        brake: u64,
        head: &str,
    ) -> Option<Acknowledged> {
        Some(Acknowledged {
            epoch,
            revision,
            brake,
            head: Link::from_hex(head)?,
            at: self.now(),
        })
    }

    fn now(&self) -> Timestamp {
        self.node.steady_now()
    }

    /// It is about to be sent its first snapshot, and may answer by it from then on.
    pub(super) fn snapshot_sent(&self) {
        self.feed.presence().snapshot_sent(&self.instance);
    }

    /// Anything was heard.
    pub(super) fn heard(&self) {
        self.feed.presence().heard(&self.instance);
    }

    /// Its connection is gone.
    pub(super) fn disconnected(&self) {
        self.feed.presence().disconnected(&self.instance);
    }

    /// It leaves of its own will.
    pub(super) fn goodbye(&self) {
        self.feed.presence().goodbye(&self.instance);
    }

    /// Takes what went well and what did not.
    pub(super) fn take_outcomes(&self, told: outcome::Outcomes) {
        outcomes::take(&self.node, self.feed.environment(), &self.instance, told);
    }

    /// How time is cut, and up to when it is settled.
    pub(super) fn grid(&self) -> outcome::Grid {
        outcomes::grid(&self.node)
    }

    /// Adds what it has evaluated.
    pub(super) fn count(&self, counts: &frame::Counts) {
        let evaluations = counts
            .evaluations
            .iter()
            .filter(|count| is_key(&count.flag) && is_key(&count.variant))
            .map(|count| {
                (
                    count.flag.as_str(),
                    count.variant.as_str(),
                    count.count.min(COUNT_MAX),
                )
            });
        self.feed
            .counts()
            .add(&self.instance, counts.sequence, evaluations);
    }
}

/// The flags that an evaluator says it knows; what cannot be a flag is none.
fn declared(hello: &frame::Hello) -> Option<Vec<FlagKey>> {
    let flags = hello.flags.as_ref()?.iter().take(DECLARED_FLAGS_MAX);
    Some(flags.filter_map(|flag| FlagKey::new(flag).ok()).collect())
}

fn is_key(text: &str) -> bool {
    FlagKey::new(text).is_ok()
}

/// Text that is safe in a terminal and a log: no control characters, no bidirectional overrides.
fn plain(text: &str) -> Box<str> {
    text.chars()
        .take(256)
        .map(|c| {
            let is_hidden = c.is_control()
                || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}');
            if is_hidden { '\u{FFFD}' } else { c }
        })
        .collect()
}

#[cfg(test)]
mod tests;
