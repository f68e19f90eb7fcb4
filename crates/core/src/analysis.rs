//! What the evidence says of a rollout: harm, proof of its absence, and whether the evidence can be
//! trusted. Knows counts of units and bad units; not where they come from, nor what is done about them.
//!
//! Every test here is an *e-process*: under its null hypothesis its expected value never exceeds one
//! at any time, so by Ville's inequality it ever reaches `1 / α` with a probability of at most `α`.
//! It may be looked at after every interval, for as long as anybody likes.
//!
//! The comparison of two arms is that of Lindon and Malek (NeurIPS 2022, arXiv 2011.03567) and
//! Lindon, Sanden and Shirikian (KDD 2022, arXiv 2205.14762): given that a unit is bad, the arm it fell
//! in depends on the ratio of the arms' bad rates and on their shares, and no more on the rate they
//! have in common.

mod bounds;
mod ceiling;
mod clumps;
mod counts;
mod evalue;
mod grid;
mod harm;
mod harmless;
mod judge;
mod odds;
mod share;
mod wilson;

pub use bounds::{Bounds, bounds};
pub use ceiling::{above, below};
pub use clumps::Clumps;
pub(crate) use counts::as_f64;
pub use counts::{Counts, Tally};
pub use evalue::EValue;
pub use harm::Harm;
pub use harmless::Harmless;
pub use judge::{ALPHA_OK, Evidence, Finding, Judgement, Limits, Sort, judge, judge_alone};
pub use share::{Share, ShareGuard};
pub use wilson::wilson;
