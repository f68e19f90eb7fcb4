//! The pure flag engine: a definition and a position become a compiled rule set, a rule set and a
//! context become an outcome. Knows nothing of files, sockets, clocks, randomness or who asks.
#![deny(missing_docs)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unreachable,
        clippy::todo,
        clippy::unimplemented,
        clippy::arithmetic_side_effects
    )
)]

pub mod limit;

mod context;
mod definition;
mod expression;
mod key;
mod outcome;
mod percentage;
mod position;
mod update;
mod value;

pub use context::{Attribute, Context, ContextError, TARGETING_KEY};
pub use definition::{Arm, Definition, Hash, Prerequisite, Rule, Segment, Serve, Split};
pub use expression::{Expression, ExpressionError};
pub use key::{EnvironmentKey, FlagKey, KeyError, SegmentKey, VariantKey};
pub use outcome::{AnswerArm, Cause, Outcome, Reason};
pub use percentage::{BUCKETS, Percentage, PercentageError};
pub use position::{Exposure, Latch, Position};
pub use update::{Cursor, FlagUpdate, SegmentUpdate, Update};
pub use value::{Value, ValueType};
