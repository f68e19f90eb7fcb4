//! Places: where in the history of one environment somebody is.

use leverframe_core::State;
use leverframe_flags::EnvironmentKey;

/// Where in an environment's history a stream is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Which journal.
    pub journal: Box<str>,
    /// Which epoch.
    pub epoch: u64,
    /// Which revision of the environment.
    pub revision: u64,
    /// How many kills that are not stored it has seen.
    pub brake: u64,
}

impl Place {
    /// Where a state is.
    pub(crate) fn of(state: &State, environment: &EnvironmentKey) -> Self {
        Self {
            journal: state.journal().into(),
            epoch: state.epoch(),
            revision: state
                .environment(environment.as_str())
                .map_or(0, |entry| entry.revision),
            brake: 0,
        }
    }
}
