//! The disk cache: the last good rule set, so that a process can start while every server is away.
//!
//! Two slots are written in turn, each whole or not at all (a file beside it, synced, renamed), and
//! the newest slot that passes its checksum is read. So neither a crash nor a full disk nor a
//! flipped bit costs more than the newest of two, and nothing on disk can make a process fail.

mod slot;

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use leverframe_flags::{Follower, Keepsake};
use sha2::{Digest, Sha256};

use self::slot::Slot;
pub(crate) use self::slot::{Kept, SlotError, read};
use crate::settings::Token;

const SLOTS: [&str; 2] = ["a", "b"];

/// Where one token's rule sets are kept. Bound to the token, because the token decides the
/// environment: a cache of staging must never decide for production.
#[derive(Debug, Clone)]
pub(crate) struct DiskCache {
    directory: PathBuf,
    origin: String,
}

/// What became of a write.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    /// It is on disk.
    Written,
    /// The disk has the same already, or something newer.
    NotNewer,
    /// Another process is writing; try again later.
    Busy,
}

impl DiskCache {
    pub(crate) fn new(directory: &Path, token: &Token) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"leverframe disk cache\0");
        hash.update(token.reveal().as_bytes());
        let mut origin = hex(&hash.finalize());
        origin.truncate(16);
        Self {
            directory: directory.to_owned(),
            origin,
        }
    }

    fn path(&self, ending: &str) -> PathBuf {
        self.directory
            .join(format!("leverframe-{}.{ending}", self.origin))
    }

    fn slot_path(&self, slot: &str) -> PathBuf {
        self.path(&format!("{slot}.snapshot"))
    }

    /// Both slots as far as they can be read; what cannot be is logged.
    fn slots(&self) -> [Option<Slot>; 2] {
        SLOTS.map(|name| {
            let path = self.slot_path(name);
            match Slot::read(&path, &self.origin) {
                Ok(slot) => Some(slot),
                Err(SlotError::Missing) => None,
                Err(error) => {
                    tracing::warn!(
                        file = %path.display(),
                        %error,
                        "a cached rule set cannot be used; going on without it"
                    );
                    None
                }
            }
        })
    }

    /// A follower that knows what the newest slot says whose rule set can be read.
    pub(crate) fn load(&self) -> Option<Follower> {
        let mut slots: Vec<Slot> = self.slots().into_iter().flatten().collect();
        slots.sort_by_key(|slot| std::cmp::Reverse(slot.sequence));
        slots.into_iter().find_map(|slot| match slot.rules() {
            Ok(rules) => Some(Follower::restored(slot.cursor, rules)),
            Err(error) => {
                tracing::warn!(
                    sequence = slot.sequence,
                    %error,
                    "a cached rule set cannot be used; going on without it"
                );
                None
            }
        })
    }

    /// Writes a snapshot over the older slot, unless the disk has something at least as new.
    ///
    /// # Errors
    /// The disk's, after which the slots are as they were.
    pub(crate) fn store(&self, keepsake: &Keepsake) -> io::Result<Stored> {
        make_directory(&self.directory)?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.path("lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(Stored::Busy),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // Released when `lock` is dropped.
        self.store_locked(keepsake)
    }

    fn store_locked(&self, keepsake: &Keepsake) -> io::Result<Stored> {
        let slots = self.slots();
        let cursor = keepsake.cursor();
        let has_newer = slots.iter().flatten().any(|slot| {
            slot.cursor.journal == cursor.journal
                && (slot.cursor.epoch, slot.cursor.revision, slot.cursor.brake)
                    >= (cursor.epoch, cursor.revision, cursor.brake)
        });
        if has_newer {
            return Ok(Stored::NotNewer);
        }
        let sequence_of = |slot: &Option<Slot>| slot.as_ref().map_or(0, |slot| slot.sequence);
        let [first, second] = &slots;
        let (target, newest) = if sequence_of(first) <= sequence_of(second) {
            (SLOTS[0], sequence_of(second))
        } else {
            (SLOTS[1], sequence_of(first))
        };
        let bytes = slot::encode(keepsake, newest.saturating_add(1), &self.origin)?;
        let path = self.slot_path(target);
        let beside = self.path(&format!("{target}.writing"));
        let mut file = private_file(&beside)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        drop(file);
        fs::rename(&beside, &path)?;
        // The rename is only as durable as the directory. Not every file system can sync one.
        if let Ok(directory) = File::open(&self.directory) {
            let _ = directory.sync_all();
        }
        Ok(Stored::Written)
    }
}

fn make_directory(directory: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(directory)
}

/// A new file that only its owner may read: rules and values can be confidential.
fn private_file(path: &Path) -> io::Result<File> {
    // What a crash left behind may have other rights.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests;
