//! Test only: a whole Leverframe in one thread under a simulated clock, made from one seed, with
//! everything going wrong that can; and the promises, checked at every step.
//!
//! A [`World`] has nodes over an imaginary disk, evaluators on bad connections and operators who
//! pull levers. The nodes and evaluators are put together from the very parts that the real ones
//! are (`decide`, `Entry::seal`, `Store::append`, `State::apply`, `frame::change`, `Ring`, `Roll`,
//! `Follower`); what is simulated is what holds them together: threads, sockets, clocks, power.
//!
//! Whatever happens is on an agenda, and one turn at a time is taken from it. After every turn the
//! auditor looks at what changed. It folds the journal on the disk for itself and asks nobody else
//! what is true. The same seed, profile and plant give the same story, to the letter.
//!
//! A [`Plant`] takes one safety away, to show that its absence is noticed.

mod agenda;
mod audit;
mod chance;
mod clock;
mod connection;
mod evaluator;
mod node;
mod operator;
mod plant;
mod profile;
mod report;
mod rollouts;
mod shop;
mod story;
mod world;

pub use plant::Plant;
pub use profile::Profile;
pub use report::{Failure, Report};
pub use rollouts::{RolloutReport, Rollouts, Slip};
pub use world::World;
