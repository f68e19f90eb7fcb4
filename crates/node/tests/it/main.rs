//! The node, driven through its public doors on a memory store.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod alertmanager;
mod bench;
mod brake;
mod canary;
mod channel;
mod confirmation;
mod damage;
mod drilling;
mod durability;
mod feed;
mod guarding;
mod outside;
mod outside_rollout;
mod prometheus;
mod restart;
mod restore;
mod rollout_faults;
mod rollout_load;
mod rollouts;
mod source;
mod watching;
