//! The pure control domain: what commands mean, what became true, who counts for a confirmation.
//! Knows nothing of sockets, files, clocks, randomness, HTTP or the wire.
#![deny(missing_docs)]

pub mod access;
pub mod analysis;
pub mod command;
pub mod decide;
pub mod drill;
pub mod effect;
pub mod environment;
pub mod event;
pub mod flag;
pub mod flagd;
pub mod frame;
pub mod freeze;
pub mod limit;
pub mod position;
pub mod receipt;
pub mod record;
pub mod rejection;
pub mod ring;
pub mod roll;
pub mod rollout;
mod similar;
pub mod state;
pub mod table;
pub mod time;

pub use command::{Command, Idempotency, Meta, Selection, Why};
pub use decide::{Decision, decide, demand_undoable, first_events};
pub use event::Event;
pub use receipt::{Receipt, receipt};
pub use record::{Entry, Link, Record};
pub use rejection::Rejection;
pub use ring::Ring;
pub use roll::{Confirmation, Roll};
pub use state::State;
pub use table::Table;
pub use time::Timestamp;
