//! Freezes: nothing is opened for a while, in one environment or in all of them.

use askama::Template;
use leverframe_wire::admin::Freeze as Holds;

use crate::link::Link;
use crate::shell::Shell;

/// How long a freeze may be chosen to last, as the API writes it and in words.
const SPANS: [(&str, &str); 6] = [
    ("30m", "30 minutes"),
    ("2h", "2 hours"),
    ("8h", "8 hours"),
    ("1d", "1 day"),
    ("3d", "3 days"),
    ("7d", "7 days"),
];

/// What is frozen, and the forms that freeze and thaw.
#[derive(Debug, Template)]
#[template(path = "freeze.html")]
pub struct Freeze {
    /// Around it.
    pub shell: Shell,
    /// Each environment that the visitor may see, and the freeze that holds there.
    pub environments: Vec<(String, Option<Holds>)>,
    /// What was filled in before it was refused.
    pub filled: Freezing,
    /// Why this visitor may not, if so.
    pub barred: Option<String>,
}

/// What was filled in.
#[derive(Debug, Clone)]
pub struct Freezing {
    /// Whether it is for every environment.
    pub is_everywhere: bool,
    /// For how long.
    pub lasts: String,
    /// Why.
    pub reason: String,
    /// The incident.
    pub incident: String,
}

impl Freeze {
    fn spans(&self) -> Vec<(&'static str, &'static str, bool)> {
        SPANS
            .iter()
            .map(|(span, words)| (*span, *words, *span == self.filled.lasts))
            .collect()
    }

    fn is_frozen(&self) -> bool {
        self.environments.iter().any(|(_, freeze)| freeze.is_some())
    }

    fn action(&self, verb: &str) -> Link {
        self.shell.link([verb])
    }
}
