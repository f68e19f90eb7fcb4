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
