//! The pages, one file each. A page holds its [`crate::Shell`] and what the admin API answers, and
//! derives its template.

mod audit;
mod confirmation;
mod definition;
mod evaluation;
mod flag;
mod flags;
mod fleet;
mod kill;
mod launch;
mod plan;
mod plans;
mod problem;
mod record;
mod rollout;
mod rollouts;
mod rules;
mod segment;
mod segments;
pub mod settings;
mod sign_in;
mod verified;

pub use audit::{Audit, AuditFilter};
pub use confirmation::{Moved, Pulled, Undo};
pub use definition::{Definition, Draft, DraftVariant, typed};
pub use evaluation::Trial;
pub use flag::Flag;
pub use flags::{FlagSearch, Flags};
pub use fleet::Fleet;
pub use kill::{Filled, Group, Kill, KillFlag, Row, Selected};
pub use launch::{Launch, Terms};
pub use plan::Plan;
pub use plans::Plans;
pub use problem::Problem;
pub use record::Record;
pub use rollout::{Powers, Rollout, Typed, Verb};
pub use rollouts::{Rollouts, Running};
pub use rules::{NeedDraft, RuleDraft, Rules};
pub use segment::{Segment, SegmentDraft, SegmentPreview};
pub use segments::Segments;
pub use sign_in::{Again, NotKept, SignIn};
pub use verified::Verified;
