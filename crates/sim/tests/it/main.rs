//! The seeded world: a thousand seeds keep every promise, and every safety is missed when it is
//! taken away.
#![expect(clippy::panic, clippy::print_stdout, reason = "tests")]

mod determinism;
mod plants;
mod rollouts;
mod seeds;
