//! The admin API as this program uses it: typed calls over one or several servers.

mod call;
mod client;
mod confirmations;
mod definitions;
mod drills;
mod environments;
mod error;
mod journal;
mod levers;
mod pacing;
mod plans;
mod rollouts;
mod server;
mod tokens;

pub(crate) use client::{Client, Connection, is_loopback};
pub(crate) use definitions::FlagFilter;
pub(crate) use error::ApiError;
pub(crate) use journal::JournalFilter;
pub(crate) use rollouts::RolloutFilter;

/// How a change is to be made.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Attempt {
    /// Only try it: the server decides and stores nothing.
    pub(crate) dry_run: bool,
    /// The revision the caller has seen of what is to be changed.
    pub(crate) seen: Option<u64>,
}
