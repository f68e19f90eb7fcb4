//! The engine through its public doors.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod corpus;
mod definition;
mod evaluation;
mod explanation;
mod expression;
mod expression_errors;
mod follower;
mod follower_brake;
mod follower_chaos;
mod follower_history;
mod follower_keeping;
mod measure;
mod packed;
mod percentage;
mod properties;
mod reference_page;
mod segments;
mod shop;
mod strategy;
mod wire;
