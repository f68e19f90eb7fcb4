//! Walks the chain: whatever an adapter keeps, this decides whether it is the journal.

use std::path::Path;

use leverframe_core::record::EntryError;
use leverframe_core::{Entry, Link, Timestamp};

use crate::error::{AppendError, StoreError};
use crate::port::{Fence, Head};

/// An entry as an adapter keeps it, not yet believed.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) revision: u64,
    pub(crate) at: Timestamp,
    pub(crate) text: Box<str>,
    pub(crate) previous: Link,
    pub(crate) link: Link,
}

/// Where a walk along the chain has come to.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    head: Head,
    /// The data directory, for the error.
    data: &'a Path,
}

impl From<&Entry> for Row {
    fn from(entry: &Entry) -> Self {
        Self {
            revision: entry.record.revision,
            at: entry.record.at,
            text: entry.text.clone(),
            previous: entry.previous,
            link: entry.link,
        }
    }
}

impl<'a> Walk<'a> {
    pub(crate) fn from(head: Head, data: &'a Path) -> Self {
        Self { head, data }
    }

    pub(crate) fn head(&self) -> Head {
        self.head
    }

    /// Believes the next row, or says what is wrong with it.
    pub(crate) fn step(&mut self, row: Row) -> Result<Entry, StoreError> {
        let revision = self.head.revision + 1;
        if row.revision != revision {
            return Err(missing(revision, self.data));
        }
        if row.previous != self.head.link {
            return Err(self.corrupt(revision, "the record does not continue the chain"));
        }
        let entry = Entry::open(revision, row.text, row.previous, row.link).map_err(|error| {
            match error {
                // The text is what was hashed, so it is not damaged: it is from another version.
                EntryError::Unreadable { revision, source } => {
                    StoreError::UnknownRecord { revision, source }
                }
                EntryError::BrokenChain { revision } => {
                    self.corrupt(revision, "the record is not the one that was stored")
                }
                EntryError::WrongRevision { revision, found } => self.corrupt(
                    revision,
                    &format!("the record says that it is revision {found}"),
                ),
            }
        })?;
        if entry.record.at != row.at {
            return Err(self.corrupt(revision, "the time beside the record is not its own"));
        }
        self.head = Head::of(&entry);
        Ok(entry)
    }

    fn corrupt(&self, revision: u64, what: &str) -> StoreError {
        corrupt(revision, what, self.data)
    }
}

pub(crate) fn missing(revision: u64, data: &Path) -> StoreError {
    corrupt(revision, "the record is missing", data)
}

fn corrupt(revision: u64, what: &str, data: &Path) -> StoreError {
    StoreError::Corrupt {
        data: data.to_owned(),
        revision: Some(revision),
        what: what.to_owned(),
    }
}

/// Compares what somebody else knows of a revision with the link the journal has there.
pub(crate) fn compare(
    known: Head,
    found: Option<Link>,
    end: Head,
    data: &Path,
) -> Result<(), StoreError> {
    match found {
        _ if known == Head::START => Ok(()),
        Some(link) if link == known.link => Ok(()),
        Some(_) => {
            let what = "the record is not the one that was known; the journal was rewritten here or before";
            Err(corrupt(known.revision, what, data))
        }
        None if known.revision <= end.revision => Err(missing(known.revision, data)),
        None => {
            let what = format!(
                "the journal ends at revision {}, and revision {} was known",
                end.revision, known.revision
            );
            Err(corrupt(end.revision + 1, &what, data))
        }
    }
}

/// What must hold before a group is added, the same for every adapter.
pub(crate) fn admit(
    head: Head,
    current: Fence,
    expected_revision: u64,
    fence: Fence,
    entries: &[Entry],
) -> Result<(), AppendError> {
    if fence != current {
        return Err(AppendError::Fenced { current });
    }
    let starts_elsewhere = entries
        .first()
        .is_some_and(|entry| entry.previous != head.link);
    if expected_revision != head.revision || starts_elsewhere {
        return Err(AppendError::Conflict { head });
    }
    let mut last = head;
    for entry in entries {
        let revision = last.revision + 1;
        if entry.record.revision != revision
            || entry.previous != last.link
            || entry.previous.next(&entry.text) != entry.link
        {
            return Err(AppendError::NotNext { revision });
        }
        last = Head::of(entry);
    }
    Ok(())
}
