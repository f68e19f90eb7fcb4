//! The evidence of a rollout: what it is equal to, what it promises under its null hypotheses, and how
//! soon it finds harm. Seeds are fixed and printed with a failure.
#![expect(clippy::print_stdout, reason = "what was found is worth reading")]

mod chance;
mod exact;
mod guarantees;
mod wilson;
