//! Who follows, and who has a revision.

use leverframe_core::Timestamp;
use leverframe_core::roll::{Member, Straggler};
use leverframe_node::{CacheEvidence, Confirmed, Propagated};
use leverframe_wire::admin;

/// The two clocks of a node: the roll goes by one that never jumps, people by the wall's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clocks {
    /// The clock that never jumps.
    pub(crate) steady: Timestamp,
    /// The wall clock.
    pub(crate) wall: Timestamp,
}

impl Clocks {
    fn silent_ms(self, last_seen: Timestamp) -> i64 {
        self.steady.ms_since(last_seen).max(0)
    }

    fn date(self, last_seen: Timestamp) -> String {
        self.wall.plus_ms(-self.silent_ms(last_seen)).to_string()
    }
}

/// Who has a revision, and who has not.
pub(crate) fn confirmation_view(
    environment: &str,
    confirmed: Confirmed,
    caches: CacheEvidence,
    clocks: Clocks,
) -> admin::Confirmation {
    let Confirmed {
        confirmation,
        elapsed_ms,
        confirm_ms,
    } = confirmed;
    let state = if confirmation.is_empty_roll() {
        admin::ConfirmationState::Nobody
    } else if confirmation.is_complete() {
        admin::ConfirmationState::Confirmed
    } else {
        admin::ConfirmationState::Pending
    };
    admin::Confirmation {
        environment: environment.to_owned(),
        revision: confirmation.revision,
        state,
        expected: confirmation.expected,
        confirmed: confirmation.confirmed,
        elapsed_ms,
        confirm_ms: confirm_ms.map(|spread| admin::Quantiles {
            p50: spread.p50,
            p99: spread.p99,
            max: spread.max,
        }),
        stragglers: confirmation
            .stragglers
            .into_iter()
            .map(|straggler| straggler_view(straggler, clocks))
            .collect(),
        caches: caches_view(caches),
    }
}

fn straggler_view(straggler: Straggler, clocks: Clocks) -> admin::Straggler {
    admin::Straggler {
        instance: straggler.instance.to_string(),
        application: straggler.application.to_string(),
        build: straggler.build.to_string(),
        last_seen: clocks.date(straggler.last_seen),
        silent_ms: clocks.silent_ms(straggler.last_seen),
        connected: straggler.is_connected,
        revision: straggler.acknowledged_revision,
        advice: straggler.what_to_do,
    }
}

/// Clients that cannot acknowledge.
pub(crate) fn caches_view(caches: CacheEvidence) -> admin::CacheEvidence {
    admin::CacheEvidence {
        seen: caches.seen,
        fetched: caches.fetched,
        applied: caches.applied,
    }
}

/// How long acknowledgements took; nothing where none were timed.
pub(crate) fn propagation_view(groups: &[Propagated]) -> Vec<admin::Propagated> {
    let are_any = groups.iter().any(|group| group.acknowledgements > 0);
    let groups = groups.iter().filter(|_| are_any);
    groups
        .map(|group| admin::Propagated {
            within_ms: group.within_ms,
            acknowledgements: group.acknowledgements,
        })
        .collect()
}

/// One evaluator; `epoch` and `revision` are what it should have.
pub(crate) fn evaluator_view(
    member: &Member,
    epoch: u64,
    revision: u64,
    clocks: Clocks,
) -> admin::Evaluator {
    let has = member.acknowledged.as_ref();
    admin::Evaluator {
        instance: member.instance.to_string(),
        application: member.application.to_string(),
        build: member.build.to_string(),
        client: member.version.to_string(),
        connected: member.is_connected,
        current: has.is_some_and(|has| (has.epoch, has.revision) >= (epoch, revision)),
        revision: has.map(|has| has.revision),
        last_seen: clocks.date(member.last_seen),
        silent_ms: clocks.silent_ms(member.last_seen),
        refused: member
            .refused
            .iter()
            .map(|(flag, why)| format!("{flag}: {why}"))
            .collect(),
    }
}
