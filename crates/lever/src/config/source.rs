//! Where a setting comes from.

use std::fmt;
use std::path::PathBuf;

/// Where a setting comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    Flag,
    Variable,
    /// `.lever.toml`, which may be a stranger's.
    Project(PathBuf),
    /// The person's own `config.toml`.
    File(PathBuf),
    Profile(PathBuf),
    Default,
}

impl Source {
    /// Whether the person in front of the terminal said so for this very run.
    pub(crate) fn is_typed(&self) -> bool {
        matches!(self, Self::Flag | Self::Variable)
    }

    /// The file it stands in.
    pub(crate) fn file(&self) -> Option<&PathBuf> {
        match self {
            Self::Project(path) | Self::File(path) | Self::Profile(path) => Some(path),
            Self::Flag | Self::Variable | Self::Default => None,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("the command line"),
            Self::Variable => f.write_str("an environment variable"),
            Self::Project(path) | Self::File(path) => write!(f, "{}", path.display()),
            Self::Profile(path) => write!(f, "{} (left by a local server)", path.display()),
            Self::Default => f.write_str("the default"),
        }
    }
}

/// A setting and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sourced<T> {
    pub(crate) value: T,
    pub(crate) source: Source,
}
