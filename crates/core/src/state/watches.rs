//! What is to be watched: what a person opened, and nobody watches yet.

use leverframe_flags::{EnvironmentKey, FlagKey, Position};

use super::{Before, Flag, State, Touched};
use crate::access::Actor;
use crate::position::is_opening;
use crate::rollout::Rollout;
use crate::time::Timestamp;

impl State {
    /// The levers of an environment that a person opened since then, that nobody watches and that are
    /// in no rollout's hand, each with the revision that opened it.
    #[must_use]
    pub fn unwatched(
        &self,
        environment: &EnvironmentKey,
        since: Timestamp,
    ) -> Vec<(&FlagKey, u64)> {
        self.flags()
            .filter_map(|flag| Some((flag, flag.lever(environment.as_str())?)))
            .filter(|(_, lever)| lever.moved_at >= since)
            .filter(|(flag, _)| self.is_unwatched(flag, environment))
            .map(|(flag, lever)| (flag.key(), lever.moved_revision))
            .collect()
    }

    /// Whether the last move of a lever is one that has to be watched and is not.
    pub(crate) fn is_unwatched(&self, flag: &Flag, environment: &EnvironmentKey) -> bool {
        let Some(lever) = flag.lever(environment.as_str()) else {
            return false;
        };
        let is_open = matches!(
            &lever.position,
            Position::Open { exposure } if exposure.percentage.thousandths() > 0
        );
        let Some(touched) = self.touched(lever.moved_revision).filter(|_| is_open) else {
            return false;
        };
        let opened = |before: &Before| match before {
            Before::Position {
                flag: moved,
                environment: there,
                from,
                to,
            } => {
                moved == flag.key()
                    && there == environment
                    && is_opening(from, to, &flag.definition.closed)
            }
            _ => false,
        };
        let taken_back = touched.is_undo.then(|| {
            self.recent()
                .find(|other| other.undone_by == Some(touched.revision))
        });
        !flag.is_archived
            && !flag.is_internal()
            && touched.before.iter().any(opened)
            && self.is_by_hand(touched, flag, environment)
            && taken_back.is_none_or(|other| {
                other.is_some_and(|other| self.is_by_hand(other, flag, environment))
            })
            && !self.is_watch_declined(flag.key(), environment, touched.revision)
            && self.running_of(flag.key(), environment).is_none()
            && !self
                .rollouts_of(flag, environment)
                .any(|watch| watch.is_watch && first_move(watch) > touched.revision)
    }

    /// Not by the node, a rollout or a drill.
    fn is_by_hand(&self, touched: &Touched, flag: &Flag, environment: &EnvironmentKey) -> bool {
        let mut rollouts = self.rollouts_of(flag, environment);
        *touched.actor != *Actor::System.id()
            && touched.why_final().is_none()
            && !rollouts.any(|rollout| {
                let mut moves = rollout.moves.iter();
                !rollout.is_watch && moves.any(|made| made.revision == touched.revision)
            })
    }

    fn rollouts_of<'a>(
        &'a self,
        flag: &'a Flag,
        environment: &'a EnvironmentKey,
    ) -> impl Iterator<Item = &'a Rollout> {
        self.rollouts()
            .map(|rollout| &**rollout)
            .filter(move |rollout| rollout.flag == *flag.key())
            .filter(move |rollout| rollout.environment == *environment)
    }
}

fn first_move(rollout: &Rollout) -> u64 {
    rollout.moves.first().map_or(0, |first| first.revision)
}
