//! The journal port and its adapters: entries, their order and their durability.
//!
//! A store knows nothing of what events mean. It keeps a chain of [`Entry`]s, adds whole groups to
//! it or nothing, and notices when a stored entry is not the one that was added.
//!
//! - [`Store`] adds to the journal: one dedicated thread of the node owns it and may block in it.
//! - [`Reader`] reads the journal from any thread, without the writer.
//! - [`Beside`] keeps what may be lost without losing a change: the snapshot, a cache of the fold,
//!   the roll, people's sessions, and what was measured.
//!
//! Adapters: [`sqlite`], for one node, and [`memory`], for tests and the simulation, which can also
//! fail on command. Both pass the same contract suite (`tests/it/contract.rs`), which a new adapter
//! joins by one line.
//!
//! What holds for every adapter:
//!
//! - When [`Store::append`] returns `Ok`, the whole group survives the death of the process and of
//!   the machine. When it returns [`AppendError::Failed`], the group is not acknowledged, and only
//!   [`Reader::head`] says whether it is there.
//! - Nothing is ever read that does not continue the hash chain; the first bad revision is named.
//! - A fence number is given out once. Who holds an older one cannot write.
//!
//! [`Entry`]: leverframe_core::Entry
#![deny(missing_docs)]
#![cfg_attr(
    test,
    expect(clippy::unwrap_used, reason = "a test that cannot go on fails")
)]

mod chain;
mod error;
pub mod limit;
pub mod memory;
mod port;
pub mod sqlite;

pub use error::{AppendError, StoreError};
pub use memory::MemoryStore;
pub use port::{
    BackupReport, Beside, Fence, Head, Reader, Series, Store, StoredMeasurement, StoredSession,
    StoredSnapshot,
};
pub use sqlite::SqliteStore;
