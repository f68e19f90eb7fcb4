//! The program from outside: what is typed, what is said, how it exits; against a server that is
//! played by the test.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod definitions;
mod flagd;
mod levers;
mod outcomes;
mod program;
mod reading;
mod reference;
mod rollouts;
mod several_servers;
mod stage;
mod usage;
