//! Feature flags with confirmed kills, for a [Leverframe](https://github.com/leverframe/leverframe)
//! server.
//!
//! The client follows one environment of a server, decides every flag in this process, and
//! acknowledges every change once all evaluations use it: so `lever kill` can say, truthfully, who
//! has it and who has not.
//!
//! ```no_run
//! # async fn shop() -> Result<(), leverframe::SettingsError> {
//! use leverframe::{Client, Context};
//! let client = Client::builder().url("https://lever.example").token("lv_…").connect().await?;
//! let checkout = client.flag("new-checkout");
//! if checkout.is_on(&Context::new("user-42").with("plan", "beta")) { /* the new one */ }
//! # Ok(()) }
//! ```
//!
//! # What it promises
//!
//! - **Closed by default.** An unknown flag, another type, no server, a definition this build cannot
//!   read: the closed variant or the caller's default, never a panic, and a log line, once for each
//!   flag and cause. [`Client::is_on`] is then false.
//! - **Confirmed means confirmed.** A revision is acknowledged after it is in place for every
//!   thread: an evaluation that begins after the acknowledgement was sent uses it. A flag whose
//!   definition cannot be read is closed by itself and refused by name; it holds up nothing else.
//! - **Evaluation needs nobody.** After the first snapshot it works without the server. It never
//!   goes back to an older revision of the same history, not even when a server that is behind says
//!   so.
//! - **Starting never waits for long.** [`Client::connect`] gives the server
//!   [`CONNECT_TIMEOUT_DEFAULT`] and then starts with what the disk holds, or with everything
//!   closed.
//! - **Evaluating is cheap.** No lock, no allocation, no shared counter: `is_on` reads through a
//!   cache of the calling thread. A [`Flag`] handle saves the lookup by name.
//!
//! # What to know
//!
//! - **The disk cache** ([`Settings::cache_dir`]) can be older than a kill: a process that starts
//!   while every server is away serves what it last knew. Two answers: `stale_after` on the flag,
//!   which starts closed from a disk because nobody can say how old the disk is; and
//!   `LEVER_FORCE_CLOSED=new-checkout` in the environment of the process. The cache is bound to
//!   the token, so one environment's is never served in another.
//! - **Shutting down.** [`Client::shutdown`] says goodbye, so that no kill waits for this process.
//!   Dropping the client does so too, if the Tokio runtime lives long enough. Without a connection
//!   there is nobody to say it to, and the server counts the process as a straggler for ten minutes.
//! - **The connection** is a WebSocket, or a long poll where a proxy lets none pass. HTTP proxies
//!   from the environment are not used. TLS trusts the system's authorities and
//!   [`Settings::ca_file`]; no process-wide TLS provider is installed or needed.
//! - **Counts** of answers by variant are sent every ten seconds in aggregate; never who asked.
//! - **A thread that evaluated once** keeps the rule set it last used until it evaluates again or
//!   ends.
//!
//! # Outcomes
//!
//! [`Client::observe`] answers as [`Client::is_on`] does and gives a [`Guard`], to say how it went:
//!
//! ```
//! # use leverframe::{Client, Context};
//! # fn charge() -> Result<(), std::io::Error> { Ok(()) }
//! # fn checkout(client: &Client) -> Result<(), std::io::Error> {
//! let (is_on, guard) = client.observe("new-checkout", &Context::new("user-42"));
//! if is_on { charge()? } // returning early without a word counts as failed
//! guard.ok();
//! # Ok(()) }
//! ```
//!
//! The server compares those who were let through with those who were not, and takes the release
//! back when they fare worse. Sent are fingerprints of units, never their names; memory is bounded,
//! and what the server has not folded yet is sent again after a new connection. Asking without a
//! guard costs what it did.
//!
//! # Tests and tools
//!
//! [`Client::fixed`] answers what a test says; [`Client::offline`] answers from a file, which is a
//! snapshot in JSON as the disk cache holds it. Neither needs a runtime or a network.
//!
//! # Features
//!
//! - `openfeature`: a provider for the crate `open-feature`, in `openfeature::Provider`.
//! - `tower`: `GateLayer`, HTTP middleware that answers 503 with `Retry-After` while a flag is off.
#![deny(missing_docs)]

mod acknowledged;
mod ask;
mod board;
mod builder;
mod cache;
mod client;
mod complaint;
mod decode;
mod encode;
mod evaluation;
mod fixed;
mod follow;
mod freshness;
#[cfg(feature = "fuzz")]
#[doc(hidden)]
pub mod fuzz;
#[cfg(feature = "tower")]
mod gate;
mod handle;
mod offline;
#[cfg(feature = "openfeature")]
pub mod openfeature;
mod outcomes;
mod settings;
mod tally;
mod tls;

pub use acknowledged::Acknowledged;
pub use builder::Builder;
pub use client::{Client, RevisionTimeout};
pub use evaluation::{Evaluation, EvaluationError};
pub use fixed::FixedValue;
pub use freshness::{Freshness, Source};
#[cfg(feature = "tower")]
pub use gate::{Gate, GateLayer};
pub use handle::Flag;
pub use leverframe_flags::{AnswerArm, Attribute, Cause, Context, Reason, Value, ValueType};
pub use offline::OfflineError;
pub use outcomes::{Guard, Outcome};
pub use settings::{CONNECT_TIMEOUT_DEFAULT, Settings, SettingsError};
