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

mod bucket;
mod context;
mod definition;
mod expression;
mod follower;
mod key;
mod matcher;
mod outcome;
mod packed;
mod percentage;
mod position;
mod rule_set;
mod segment_table;
mod truth;
mod update;
mod value;

pub use bucket::{BucketSalt, bucket, murmur3_x86_32};
pub use context::{Attribute, Context, ContextError, TARGETING_KEY};
pub use definition::{
    Arm, Definition, DefinitionError, Hash, Place, Prerequisite, Rule, Segment, SegmentError,
    Serve, Split,
};
pub use expression::{
    Comparison, Expr, Expression, ExpressionError, Literal, Pattern, PatternError, Predicate,
    Subject, Test, TreeError,
};
pub use follower::{Acknowledgement, Follower, Keepsake, NewHistory, Refusal, Step, WhyRefused};
pub use key::{EnvironmentKey, FlagKey, KeyError, SegmentKey, VariantKey};
pub use outcome::{AnswerArm, Cause, Outcome, Reason, Side};
pub use percentage::{BUCKETS, Percentage, PercentageError};
pub use position::{Exposure, Latch, Position};
pub use rule_set::{
    Bucket, Explanation, ExplanationStep, FlagIndex, FlagView, PackedError, RuleSet,
};
pub use truth::Truth;
pub use update::{Cursor, FlagUpdate, SegmentUpdate, Update};
pub use value::{Value, ValueType};
