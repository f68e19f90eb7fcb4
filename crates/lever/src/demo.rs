//! The demo shop of `lever dev`: a real server, real evaluators over the real stream, and seeded
//! traffic. Nothing in it is specially treated by the server.

mod kill_scenario;
mod meter;
mod scene;
mod setup;
mod shop;

pub(crate) use kill_scenario::run as run_kill_scenario;
pub(crate) use scene::{RECORDS, Scene, View};
pub(crate) use setup::{ENVIRONMENT, FLAG, set_up};
pub(crate) use shop::Shop;
