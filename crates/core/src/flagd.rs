//! flagd's flag files: read into definitions, and printed from them for one environment.
//!
//! Knows JSON values and definitions, and nothing of files. What cannot be said on the other side
//! with the same answers is refused by name, never approximated: `docs/reference/flagd-files.md`.

mod compare;
mod condition;
mod document;
mod export;
mod flag;
mod fractional;
mod import;
mod node;
mod operand;
mod print;
mod refusal;
mod scalar;
mod segment;
mod targeting;
mod version;

pub use export::{Export, ExportedFlag, export};
pub use import::{Import, ImportOptions, ImportedFlag, import};
pub use refusal::{DocumentError, Refusal, Remark};

/// Deepest nesting of one targeting, its evaluators included.
pub const TARGETING_DEPTH_MAX: usize = 64;
/// Most nodes of one targeting, its evaluators counted wherever they are used.
pub const TARGETING_NODES_MAX: usize = 20_000;
