//! What a step needs that neither Cargo nor the lock files bring. One line for each thing: how to
//! see that it is there, and the Debian packages that bring it. What a later step needs, a
//! database server or a browser, has its place here.

use std::process::{Command, Stdio};

use crate::bench::Bench;
use crate::outcome::Failed;
use crate::program;

/// One thing.
pub(crate) struct Need {
    pub(crate) name: &'static str,
    /// Exits 0 when it is there and good enough.
    probe: &'static [&'static str],
    packages: &'static [&'static str],
}

/// A C compiler, for SQLite.
pub(crate) const C_COMPILER: Need = Need {
    name: "a C compiler",
    probe: &["cc", "--version"],
    packages: &["gcc", "libc6-dev"],
};

/// Node with npm. The OpenFeature server SDK asks for Node 20.
pub(crate) const NODE: Need = Need {
    name: "Node 20 or newer",
    probe: &[
        "node",
        "-e",
        "process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)",
    ],
    packages: &["nodejs"],
};

/// npm.
pub(crate) const NPM: Need = Need {
    name: "npm",
    probe: &["npm", "--version"],
    packages: &["npm"],
};

/// Python with virtual environments.
pub(crate) const PYTHON: Need = Need {
    name: "Python 3.11 or newer with venv",
    probe: &[
        "python3",
        "-c",
        "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))",
    ],
    packages: &["python3", "python3-venv"],
};

/// Git, for the list of files.
pub(crate) const GIT: Need = Need {
    name: "git",
    probe: &["git", "--version"],
    packages: &["git"],
};

/// strace, which makes system calls fail, wait or be the last.
pub(crate) const STRACE: Need = Need {
    name: "strace",
    probe: &["strace", "--version"],
    packages: &["strace"],
};

/// Prometheus, which the tests of sources start for themselves.
pub(crate) const PROMETHEUS: Need = Need {
    name: "Prometheus",
    probe: &["/usr/bin/prometheus", "--version"],
    packages: &["prometheus"],
};

/// Alertmanager, which the tests of channels start for themselves.
pub(crate) const ALERTMANAGER: Need = Need {
    name: "Alertmanager",
    probe: &["/usr/bin/prometheus-alertmanager", "--version"],
    packages: &["prometheus-alertmanager"],
};

/// Chromium, with fonts that have the glyphs of the console.
pub(crate) const CHROMIUM: Need = Need {
    name: "Chromium",
    probe: &["/usr/bin/chromium", "--version"],
    packages: &["chromium", "fonts-dejavu-core", "fonts-symbola"],
};

/// Sees to it that everything in `needs` is there, and says what it installs.
pub(crate) fn provide(bench: &Bench, needs: &[&Need]) -> Result<(), Failed> {
    needs.iter().try_for_each(|need| need.provide(bench))
}

impl Need {
    fn provide(&self, bench: &Bench) -> Result<(), Failed> {
        if self.is_there() {
            return Ok(());
        }
        let packages = self.packages.join(" ");
        if !may_install() {
            return Err(Failed::new(format!(
                "{} is missing; on Debian: apt-get install {packages}",
                self.name
            )));
        }
        println!("  installing {packages} with apt-get, for {}", self.name);
        program::run(bench, apt_get(bench, &["update", "-q"]))?;
        let mut install = apt_get(bench, &["install", "-y", "-q", "--no-install-recommends"]);
        install.args(self.packages);
        program::run(bench, install)?;
        if self.is_there() {
            Ok(())
        } else {
            Err(Failed::new(format!(
                "{packages} are installed, and still {} is missing",
                self.name
            )))
        }
    }

    fn is_there(&self) -> bool {
        let Some((program, arguments)) = self.probe.split_first() else {
            return false;
        };
        succeeds(Command::new(program).args(arguments))
    }
}

fn apt_get(bench: &Bench, arguments: &[&str]) -> Command {
    let mut command = bench.command("apt-get");
    command
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// Root with apt-get may install; anybody else is told what to install.
fn may_install() -> bool {
    let root = Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0");
    root && succeeds(Command::new("apt-get").arg("--version"))
}

fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
