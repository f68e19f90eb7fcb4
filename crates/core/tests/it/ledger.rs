//! What is folded of stored intervals, and what a tick makes of it: a rollout with its ledger, fed on
//! the grid on which a server cuts its intervals.

mod course;
mod decisions;
mod fold;
mod journey;
mod preflight;
mod speed;
mod words;
