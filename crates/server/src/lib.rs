//! The surfaces of Leverframe: the admin API with its OpenAPI document, OFREP, the evaluators'
//! stream, the console, health and metrics. Knows HTTP and the wire; decides nothing: every change is a command
//! to the node, and every read is of what the node has in memory.
//!
//! A handler that does not demand a token does not compile where routes are put together
//! (`surface`, `auth`), except for the few that say why they need none.
#![deny(missing_docs)]
#![cfg_attr(
    test,
    expect(
        clippy::unwrap_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "tests"
    )
)]

mod admin;
mod app;
mod auth;
mod console;
mod convert;
#[cfg(feature = "fuzz")]
#[doc(hidden)]
pub mod fuzz;
mod health;
mod limit;
mod log;
mod metrics;
mod ofrep;
mod outcomes;
mod problem;
mod request;
mod server;
mod settings;
mod sign_in_links;
mod stream;
mod surface;

pub use server::{BindError, BoundServer, Server};
pub use settings::{Settings, TlsFiles};
pub use stream::FrameEncoder;
pub use surface::{console_pages, openapi_json};
