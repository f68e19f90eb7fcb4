//! The kill scenario: traffic flows, the lever is pulled over HTTP, and the evaluators' own logs say
//! whether the promise was kept. The smoke test of every release.

use std::time::Duration;

use leverframe_wire::admin::{Confirmation, ConfirmationState, Kill, Quantiles, Why};
use serde::Serialize;

use super::setup::{ENVIRONMENT, FLAG};
use super::shop::{Answers, Shop};
use crate::api::Client;
use crate::failure::Failure;

/// How long visitors come before the kill.
const BEFORE: Duration = Duration::from_millis(1_500);
/// How long they go on coming after it.
const AFTER: Duration = Duration::from_millis(1_500);
/// How long the kill may take to be confirmed.
const CONFIRM_MAX: Duration = Duration::from_secs(10);

/// What the scenario found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct KillReport {
    pub(crate) scenario: &'static str,
    pub(crate) seed: u64,
    pub(crate) flag: &'static str,
    pub(crate) environment: &'static str,
    /// The revision of the kill.
    pub(crate) revision: u64,
    /// How many evaluators were on the roll.
    pub(crate) evaluators: usize,
    /// How many of them the server has an acknowledgement of.
    pub(crate) confirmed: usize,
    /// How many say themselves that they acknowledged.
    pub(crate) acknowledged: usize,
    /// Request received to acknowledgement received, on the server's monotonic clock.
    pub(crate) confirm_ms: Option<Quantiles>,
    /// Evaluations before the kill, and how many of them answered open.
    pub(crate) evaluations_before: u64,
    pub(crate) open_before: usize,
    /// Evaluations from the kill on.
    pub(crate) evaluations_after: u64,
    /// Evaluations that began after their evaluator had acknowledged and answered open.
    pub(crate) open_after_confirmed: usize,
    /// Whether every promise held.
    pub(crate) kept: bool,
}

/// Runs it.
pub(crate) async fn run(api: &Client, shop: &Shop, seed: u64) -> Result<KillReport, Failure> {
    tokio::time::sleep(BEFORE).await;
    let before = shop.answers(u64::MAX);
    shop.forget_answers();
    let kill = Kill {
        flags: vec![FLAG.to_owned()],
        why: Why {
            reason: Some("INC-412 5xx".to_owned()),
            incident: Some("INC-412".to_owned()),
        },
        ..Kill::default()
    };
    let receipt = api.kill(ENVIRONMENT, &kill, false).await?;
    let confirmation = api
        .confirmation(ENVIRONMENT, receipt.revision, receipt.brake, CONFIRM_MAX)
        .await?;
    tokio::time::sleep(AFTER).await;
    let after = shop.answers(receipt.revision);
    let kept = is_kept(&confirmation, &before, &after);
    Ok(KillReport {
        scenario: "kill",
        seed,
        flag: FLAG,
        environment: ENVIRONMENT,
        revision: receipt.revision,
        evaluators: confirmation.expected,
        confirmed: confirmation.confirmed,
        acknowledged: after.acknowledged,
        confirm_ms: confirmation.confirm_ms,
        evaluations_before: before.evaluations,
        open_before: before.open,
        evaluations_after: after.evaluations,
        open_after_confirmed: after.open_after_confirmed,
        kept,
    })
}

/// Whether every promise held. Without open answers before, and answers after, nothing would have
/// been shown.
fn is_kept(confirmation: &Confirmation, before: &Answers, after: &Answers) -> bool {
    let everybody = confirmation.state == ConfirmationState::Confirmed
        && confirmation.expected == confirmation.confirmed
        && after.acknowledged == confirmation.expected;
    everybody && before.open > 0 && after.evaluations > 0 && after.open_after_confirmed == 0
}

impl KillReport {
    /// The same for people.
    pub(crate) fn sentence(&self) -> String {
        let took = self
            .confirm_ms
            .map_or_else(String::new, |ms| format!(" in {:.1} ms", ms.max));
        let word = if self.kept { "✓ kept" } else { "✗ BROKEN" };
        format!(
            "{word}: {} closed in {} · r{} · {}/{} evaluators confirmed{took}; {} evaluations answered open \
             before, {} of {} after their evaluator had confirmed (seed {})",
            self.flag,
            self.environment,
            self.revision,
            self.confirmed,
            self.evaluators,
            self.open_before,
            self.open_after_confirmed,
            self.evaluations_after,
            self.seed,
        )
    }
}

#[cfg(test)]
mod tests {
    use leverframe_wire::admin::CacheEvidence;

    use super::*;

    fn confirmation(state: ConfirmationState, confirmed: usize) -> Confirmation {
        Confirmation {
            environment: ENVIRONMENT.to_owned(),
            revision: 7,
            state,
            expected: 12,
            confirmed,
            elapsed_ms: None,
            confirm_ms: None,
            stragglers: Vec::new(),
            caches: CacheEvidence::default(),
        }
    }

    const BEFORE: Answers = Answers {
        acknowledged: 0,
        evaluations: 7_500,
        open: 1_900,
        open_after_confirmed: 0,
    };
    const AFTER: Answers = Answers {
        acknowledged: 12,
        evaluations: 7_500,
        open: 3,
        open_after_confirmed: 0,
    };

    #[test]
    fn a_promise_is_kept_only_when_everybody_has_it_and_nobody_answers_open_afterwards() {
        let all = confirmation(ConfirmationState::Confirmed, 12);
        assert!(is_kept(&all, &BEFORE, &AFTER));
        let pending = confirmation(ConfirmationState::Pending, 11);
        let broken = [
            (&pending, BEFORE, AFTER, "somebody has not confirmed"),
            (
                &all,
                BEFORE,
                Answers {
                    open_after_confirmed: 1,
                    ..AFTER
                },
                "one answered open",
            ),
            (
                &all,
                BEFORE,
                Answers {
                    acknowledged: 11,
                    ..AFTER
                },
                "one never said so itself",
            ),
            (
                &all,
                Answers { open: 0, ..BEFORE },
                AFTER,
                "nothing was open before",
            ),
            (
                &all,
                BEFORE,
                Answers {
                    evaluations: 0,
                    ..AFTER
                },
                "nobody asked afterwards",
            ),
        ];
        for (confirmation, before, after, why) in broken {
            assert!(!is_kept(confirmation, &before, &after), "{why}");
        }
    }
}
