//! placeholder
#![deny(missing_docs)]

mod acknowledged;
mod ask;
mod board;
mod builder;
mod cache;
mod client;
mod complaint;
mod decode;
mod encode;
mod evaluation;
mod fixed;
mod follow;
mod freshness;
mod handle;
mod offline;
mod settings;
mod tally;
mod tls;

pub use acknowledged::Acknowledged;
pub use builder::Builder;
pub use client::{Client, RevisionTimeout};
pub use evaluation::{Evaluation, EvaluationError};
pub use fixed::FixedValue;
pub use freshness::{Freshness, Source};
pub use handle::Flag;
pub use leverframe_flags::{AnswerArm, Attribute, Cause, Context, Reason, Value, ValueType};
pub use offline::OfflineError;
pub use settings::{CONNECT_TIMEOUT_DEFAULT, Settings, SettingsError};
