//! The pure control domain: what commands mean, what became true, who counts for a confirmation.
//! Knows nothing of sockets, files, clocks, randomness, HTTP or the wire.
#![deny(missing_docs)]

pub mod access;
pub mod command;
pub mod environment;
pub mod event;
pub mod flag;
pub mod limit;
pub mod record;
pub mod rejection;
pub mod state;
pub mod time;

pub use command::{Command, Meta, Selection, Why};
pub use event::Event;
pub use record::{Entry, Link, Record};
pub use rejection::Rejection;
pub use state::State;
pub use time::Timestamp;
