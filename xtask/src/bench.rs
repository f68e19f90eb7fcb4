//! Where the work happens: the checkout, and the programs as they are called in it.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The checkout.
pub(crate) struct Bench {
    root: PathBuf,
    cargo: OsString,
    /// Whether a line may be redrawn.
    pub(crate) terminal: bool,
}

/// What `cargo run` tells this program about itself. Build scripts that watch these would run
/// again, and rebuild what depends on them, if a cargo started from here passed them on.
const CARGOS_OWN: [&str; 6] = [
    "CARGO_PKG_",
    "CARGO_MANIFEST_",
    "CARGO_BIN_NAME",
    "CARGO_CRATE_NAME",
    "CARGO_PRIMARY_PACKAGE",
    "OUT_DIR",
];

impl Bench {
    pub(crate) fn new() -> Self {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        Self {
            root: manifest.parent().unwrap_or(manifest).to_owned(),
            cargo: std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()),
            terminal: std::io::stdout().is_terminal() && std::env::var_os("CI").is_none(),
        }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// `program` in the root of the checkout, as if a person had typed it there.
    pub(crate) fn command(&self, program: impl Into<OsString>) -> Command {
        let mut command = Command::new(program.into());
        command.current_dir(&self.root);
        for (key, _) in std::env::vars_os() {
            let Some(name) = key.to_str() else { continue };
            if CARGOS_OWN.iter().any(|prefix| name.starts_with(prefix)) {
                command.env_remove(name);
            }
        }
        command
    }

    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(self.cargo.clone());
        command.args(arguments);
        command
    }
}
