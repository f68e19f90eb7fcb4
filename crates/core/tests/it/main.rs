//! The control domain by its public door: commands are decided, sealed and applied on a fake clock.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

mod access;
mod analysis;
mod closing;
mod corpus;
mod drill_rules;
mod drilling;
mod editing;
mod effects;
mod environments;
mod flagd;
mod frames;
mod freezing;
mod journal;
mod journey;
mod ledger;
mod limits;
mod opening;
mod order;
mod planning;
mod properties;
mod receipts;
mod repeats;
mod restoring;
mod roll;
mod rolling;
mod rolling_properties;
mod rollout;
mod segments;
mod undoing;
mod watching;
mod world;
