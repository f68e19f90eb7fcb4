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
mod failing_store;
mod faulty_line;
mod full_disk;
mod guarded;
mod hostile_text;
mod intruder;
mod kill_points;
mod latch;
mod measure;
mod outside;
mod paused;
mod profile;
mod restore;
mod roll;
mod rollout_deaths;
mod rollout_plans;
mod secrets;
mod several;
mod storm;
mod straggler;
mod twenty_minutes;
mod undo;
