//! Outcomes: what went well or not after a flag had answered, added up here by unit and interval and
//! sent when the interval is over.
//!
//! Memory is bounded by the units' fingerprints: when there are too many units, those with the largest
//! are left out, of both arms alike, and the report says so. Nothing is forgotten before the server has
//! said that it folded it; a new connection sends it again.

mod cut;
mod guard;
mod kept;
mod names;
mod recorder;
#[cfg(test)]
mod tests;

pub(crate) use guard::observed;
pub use guard::{Guard, Outcome};
pub(crate) use recorder::{Observed, Recorder};
