//! The store through its port: the contract for every adapter, and what each adapter adds to it.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

mod backup;
mod contract;
mod crash;
mod directory;
mod entries;
mod history;
mod measurements;
mod memory;
mod restore;
mod sessions;
mod sqlite;
mod tampering;
