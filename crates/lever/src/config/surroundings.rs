//! What a process finds around it: variables and directories. The one place that reads them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a process finds around it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Surroundings {
    pub(super) variables: BTreeMap<String, String>,
    /// The current directory.
    pub(super) directory: Option<PathBuf>,
}

const VARIABLES: [&str; 8] = [
    "GITHUB_ACTIONS",
    "LEVER_URL",
    "LEVER_TOKEN",
    "LEVER_ENV",
    "LEVER_CA_FILE",
    "XDG_CONFIG_HOME",
    "XDG_STATE_HOME",
    "HOME",
];

impl Surroundings {
    /// This process's own.
    pub(crate) fn of_process() -> Self {
        let variables = VARIABLES
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?)))
            .collect();
        Self {
            variables,
            directory: std::env::current_dir().ok(),
        }
    }

    /// Whether this is a run of GitHub Actions, which reads annotations.
    pub(crate) fn is_github(&self) -> bool {
        self.variable("GITHUB_ACTIONS") == Some("true")
    }

    /// A variable that is set and not empty.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(|value| value.trim())
            .filter(|value| !value.is_empty())
    }

    /// A file of ours below the state directory.
    pub(crate) fn state_file(&self, name: &str) -> Option<PathBuf> {
        self.below("XDG_STATE_HOME", ".local/state", name)
    }

    /// A file of ours below the configuration directory.
    pub(super) fn config_file(&self, name: &str) -> Option<PathBuf> {
        self.below("XDG_CONFIG_HOME", ".config", name)
    }

    /// `.lever.toml` in the current directory or above it, up to the root of the repository; without
    /// a repository only in the current directory, because a directory above may be anybody's.
    pub(super) fn project_file(&self) -> Option<PathBuf> {
        let here = self.directory.as_deref()?;
        let root = here.ancestors().find(|path| path.join(".git").exists());
        here.ancestors()
            .take_while(|path| match root {
                Some(root) => path.starts_with(root),
                None => *path == here,
            })
            .map(|path| path.join(".lever.toml"))
            .find(|path| path.exists())
    }

    fn below(&self, variable: &str, in_home: &str, name: &str) -> Option<PathBuf> {
        // The specification: a relative path in these variables is to be ignored.
        let base = self
            .variable(variable)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
            .or_else(|| Some(Path::new(self.variable("HOME")?).join(in_home)))?;
        Some(base.join("lever").join(name))
    }
}
