//! Where in a directory the files are.

use std::path::{Path, PathBuf};

/// The directories of flags, segments and plans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) flags: PathBuf,
    pub(super) segments: PathBuf,
    pub(super) plans: PathBuf,
}

impl Layout {
    /// Of a directory with files in it.
    pub(super) fn to_read(directory: &Path) -> Self {
        if directory.join("flags").is_dir() {
            Self::root(directory)
        } else {
            Self::flat(directory)
        }
    }

    /// Of a directory that is to be filled: what is there counts, then the name.
    pub(super) fn to_write(directory: &Path) -> Self {
        let is_flat = if directory.join("flags").is_dir() {
            false
        } else {
            directory.file_name().is_some_and(|name| name == "flags") || holds_yaml(directory)
        };
        if is_flat {
            Self::flat(directory)
        } else {
            Self::root(directory)
        }
    }

    fn root(directory: &Path) -> Self {
        Self {
            flags: directory.join("flags"),
            segments: directory.join("segments"),
            plans: directory.join("plans"),
        }
    }

    fn flat(directory: &Path) -> Self {
        Self {
            flags: directory.to_owned(),
            segments: directory.join("segments"),
            plans: directory.join("plans"),
        }
    }
}

fn holds_yaml(directory: &Path) -> bool {
    std::fs::read_dir(directory).is_ok_and(|entries| {
        entries
            .flatten()
            .any(|entry| entry.path().extension().is_some_and(|ext| ext == "yaml"))
    })
}
