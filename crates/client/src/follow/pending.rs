//! Pending: an acknowledgement on its way out.

use std::time::Instant;

use leverframe_flags::{Acknowledgement, Cursor};
use leverframe_wire::frame::{Acknowledge, MESSAGE_BYTES_MAX, Refusal};

use crate::acknowledged::Acknowledged;

/// Longest reason of a refusal.
const WHY_CHARS_MAX: usize = 200;
/// How much of a message refusals may take; those that do not fit are only logged here.
const REFUSALS_BYTES_MAX: usize = MESSAGE_BYTES_MAX / 2;

/// An acknowledgement that is true already and has yet to be sent.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) acknowledge: Acknowledge,
    published_at: Instant,
}

impl Pending {
    /// `more` are flags that not even the follower could be told about.
    pub(super) fn new(
        cursor: &Cursor,
        acknowledgement: Acknowledgement,
        more: Vec<Refusal>,
    ) -> Self {
        let refused = acknowledgement
            .refused
            .into_iter()
            .map(|refusal| Refusal {
                flag: refusal.flag.to_string(),
                why: refusal.why.into(),
            })
            .chain(more)
            .map(|refusal| Refusal {
                why: refusal.why.chars().take(WHY_CHARS_MAX).collect(),
                ..refusal
            })
            .scan(0, |bytes, refusal| {
                *bytes += serde_json::to_string(&refusal).map_or(0, |text| text.len() + 1);
                (*bytes <= REFUSALS_BYTES_MAX).then_some(refusal)
            })
            .collect();
        Self {
            acknowledge: Acknowledge {
                journal: cursor.journal.to_string(),
                epoch: cursor.epoch,
                revision: acknowledgement.revision,
                brake: acknowledgement.brake,
                head: acknowledgement.head.into(),
                refused,
            },
            published_at: Instant::now(),
        }
    }

    /// What an observer is told once this has been handed to the connection.
    pub(super) fn sent(&self) -> Acknowledged {
        let said = &self.acknowledge;
        Acknowledged {
            revision: said.revision,
            epoch: said.epoch,
            brake: said.brake,
            refused: said
                .refused
                .iter()
                .map(|refusal| refusal.flag.clone())
                .collect(),
            published_at: self.published_at,
            sent_at: Instant::now(),
        }
    }
}
