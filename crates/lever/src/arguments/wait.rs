//! Whether and how long a lever pull waits until every evaluator has it.

use std::time::Duration;

use clap::Args;

use crate::span::Span;

const DEFAULT: Span = Span::from_secs(10);

/// Whether and how long to wait for the evaluators.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct WaitArgs {
    /// Wait until every evaluator on the roll has it; 10s when no time is given, and by default
    #[arg(
        long,
        value_name = "DURATION",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "10s",
        overrides_with_all = ["no_wait", "timeout"]
    )]
    pub(crate) wait: Option<Span>,

    /// The same as --wait=DURATION
    #[arg(long, value_name = "DURATION", overrides_with = "no_wait")]
    pub(crate) timeout: Option<Span>,

    /// Do not wait: return once it is stored
    #[arg(long)]
    pub(crate) no_wait: bool,
}

impl WaitArgs {
    /// How long to wait; `None` for not at all.
    pub(crate) fn limit(&self) -> Option<Duration> {
        if self.no_wait {
            return None;
        }
        Some(self.wait.or(self.timeout).unwrap_or(DEFAULT).duration())
    }
}
