//! The demo shop of `lever dev`: a real server, real evaluators over the real stream, and seeded
//! traffic. Nothing in it is specially treated by the server.

mod card;
mod journey;
mod kill_scenario;
mod meter;
mod pager;
mod plan;
mod report;
mod scene;
mod setup;
mod shop;
mod till;
mod visitors;

pub(crate) use card::card;
pub(crate) use journey::Demo;
pub(crate) use kill_scenario::run as run_kill_scenario;
pub(crate) use pager::Pager;
pub(crate) use plan::CHANNEL;
pub(crate) use scene::{RECORDS, Scene, View, lever_block, lever_line, traffic, traffic_line};
pub(crate) use setup::{ENVIRONMENT, FLAG, deploy, open_to};
pub(crate) use shop::Shop;
pub(crate) use till::Release;
