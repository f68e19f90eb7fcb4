//! What can go wrong, in the words of the person who has to put it right.

use std::path::{Path, PathBuf};

use crate::port::{Fence, Head};

/// Why a store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The journal is not what was stored.
    #[error(
        "the journal in {} is damaged{}: {what}. Restore the newest good backup: lever restore <backup> --data {}",
        data.display(),
        at(*.revision),
        shell_word(data)
    )]
    Corrupt {
        /// The data directory.
        data: PathBuf,
        /// The first bad revision, where one can be named.
        revision: Option<u64>,
        /// What is wrong.
        what: String,
    },
    /// A record is whole, but of a kind this version does not know.
    #[error(
        "revision {revision} cannot be read by this version of lever ({source}). Start the version that wrote it; nothing was skipped or changed"
    )]
    UnknownRecord {
        /// Where.
        revision: u64,
        /// What could not be read.
        source: serde_json::Error,
    },
    /// The database was made by a newer version.
    #[error(
        "{} has schema {found}, and this version of lever knows up to {known}. Start a newer version; nothing was changed",
        file.display()
    )]
    UnknownSchema {
        /// The database file.
        file: PathBuf,
        /// Its schema number.
        found: u64,
        /// The newest one known here.
        known: u64,
    },
    /// The database belongs to another program.
    #[error("{} is not a Leverframe journal", file.display())]
    Foreign {
        /// The file.
        file: PathBuf,
    },
    /// Another process has the data directory.
    #[error(
        "{} is locked: another lever{} works in this data directory. Stop it first, or use another directory",
        lock.display(),
        process(.holder.as_deref())
    )]
    Locked {
        /// The lock file.
        lock: PathBuf,
        /// Its process id, if it left one.
        holder: Option<String>,
    },
    /// There is no room.
    #[error("the disk that holds {} is full; nothing was stored. Make room, it goes on by itself", file.display())]
    DiskFull {
        /// The file that could not grow.
        file: PathBuf,
    },
    /// There is no journal where one should be read.
    #[error("there is no journal at {}", file.display())]
    Missing {
        /// The file.
        file: PathBuf,
    },
    /// A file is in the way and is not overwritten.
    #[error("{} exists already; it is not overwritten", file.display())]
    Exists {
        /// The file.
        file: PathBuf,
    },
    /// A backup cannot be used.
    #[error("the backup {} cannot be used: {why}", file.display())]
    BadBackup {
        /// The backup.
        file: PathBuf,
        /// Why.
        why: String,
    },
    /// The operating system or the database failed.
    #[error("could not {action} {}: {source}", file.display())]
    Unavailable {
        /// What was tried.
        action: &'static str,
        /// On which file.
        file: PathBuf,
        /// Why it failed.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Why a group was not added.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Somebody else was faster: catch up, decide again.
    #[error("the journal is at revision {}", head.revision)]
    Conflict {
        /// Where the journal is.
        head: Head,
    },
    /// Somebody else leads now.
    #[error("the leadership was taken over: fence {} is current", current.number())]
    Fenced {
        /// The fence that may write.
        current: Fence,
    },
    /// The entries do not follow one another: a fault of the caller.
    #[error("the entry at revision {revision} does not follow the one before it")]
    NotNext {
        /// The first that does not.
        revision: u64,
    },
    /// The store failed.
    #[error(transparent)]
    Failed(#[from] StoreError),
}

impl StoreError {
    pub(crate) fn unavailable(
        action: &'static str,
        file: &Path,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Unavailable {
            action,
            file: file.to_owned(),
            source: source.into(),
        }
    }

    /// Names the revision at which damage was met, where the database itself could not.
    pub(crate) fn at_revision(mut self, met: u64) -> Self {
        if let Self::Corrupt { revision, .. } = &mut self {
            revision.get_or_insert(met);
        }
        self
    }

    /// The same, met in a backup, where advice to restore one would mislead.
    pub(crate) fn in_backup(self, file: &Path) -> Self {
        let why = match self {
            Self::Corrupt { revision, what, .. } => {
                format!("it is damaged{}: {what}", at(revision))
            }
            other => other.to_string(),
        };
        Self::BadBackup {
            file: file.to_owned(),
            why,
        }
    }
}

fn at(revision: Option<u64>) -> String {
    revision.map_or_else(String::new, |revision| format!(" at revision {revision}"))
}

fn process(holder: Option<&str>) -> String {
    holder.map_or_else(String::new, |id| format!(" (process {id})"))
}

/// A path as one word of a shell command, so that what is printed can be pasted.
fn shell_word(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:@%,".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_journal_says_where_and_prints_a_command_that_can_be_pasted() {
        let error = StoreError::Corrupt {
            data: "/srv/it's here".into(),
            revision: Some(12),
            what: "the record is missing".into(),
        };
        assert_eq!(
            error.to_string(),
            "the journal in /srv/it's here is damaged at revision 12: the record is missing. \
             Restore the newest good backup: lever restore <backup> --data '/srv/it'\\''s here'"
        );
    }

    #[test]
    fn a_lock_says_which_file_and_who_has_it() {
        let error = StoreError::Locked {
            lock: "lever-data/lever.lock".into(),
            holder: Some("4711".into()),
        };
        assert!(
            error
                .to_string()
                .starts_with("lever-data/lever.lock is locked: another lever (process 4711)")
        );
    }
}
