//! The real binary from outside: `lever serve`, the commands a person types, and evaluators as
//! processes of their own. What the issue and the operator's page promise, line by line.
//!
//! Nothing waits by sleeping: every wait is for a line or an answer, and has a deadline.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic"
)]

mod access;
mod bench;
mod command_list;
mod definitions_in_files;
mod demo;
mod directory;
mod dry_run;
mod editors;
mod evaluator;
mod exit_codes;
mod full_disk;
mod guarded;
mod hostile_text;
mod intruder;
mod latch;
mod measure;
mod profile;
mod restore;
mod roll;
mod secrets;
mod several;
mod straggler;
mod undo;
