//! The surfaces over a real node with a memory store, on loopback.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

mod access;
mod admin;
mod bad_tokens;
mod canary;
mod console;
#[cfg(feature = "fuzz")]
mod corpus;
mod document;
mod evaluator;
mod input;
mod lever;
mod memory;
mod notice;
mod ofrep;
mod origin;
mod outcomes;
mod paths;
mod poll;
mod rollout;
mod seats;
mod server;
mod stream;
mod world;
