//! Where metrics come from that our own evaluators do not report: other systems, which are asked.
//!
//! What an answer can be is four things, and they stay apart: a value, no data, not a number, and an
//! error. A source that fails is an observation and never a failure of the node.

mod counters;
mod credentials;
mod datadog;
mod json;
mod prometheus;
mod sampler;
mod settings;
mod spread;

pub use credentials::Credentials;
pub use sampler::{Interval, Sampler, Unusable, Wanted as WantedSample};
pub use settings::{SourceSettings, Sources};

use std::collections::BTreeMap;

use async_trait::async_trait;
use leverframe_core::Timestamp;

/// Another system that can be asked for numbers.
#[async_trait]
pub trait Source: Send + Sync {
    /// Asks it. Ends in bounded time, and never fails: a failure is an answer, too.
    async fn sample(&self, question: &Question) -> Sample;
}

/// What a source is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The query, in the source's own language.
    pub query: Box<str>,
    /// What is to come back.
    pub shape: Shape,
    /// As of when, by the wall clock. A source that knows only the present answers with that.
    pub at: Timestamp,
}

/// What is to come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One number.
    Number,
    /// Counters as they stand, one for each series.
    Counters,
}

/// Counters by the labels of their series.
pub type Counters = BTreeMap<Labels, f64>;

/// The labels of a series.
pub type Labels = BTreeMap<Box<str>, Box<str>>;

/// What a source answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Sample {
    /// A number, finite.
    Value(f64),
    /// Counters as they stand, finite and not negative; at least one.
    Counters(Counters),
    /// It answered, and there was nothing.
    NoData,
    /// It answered with what is not a number, such as 0/0.
    NotANumber,
    /// It did not answer, or not what can be read; why, without a secret in it.
    Error(String),
}
