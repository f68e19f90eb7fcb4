//! Only the binary prints, reads the environment or exits; the client reads its own settings in one
//! place.

use super::Finding;
use crate::tree::{TextFile, Tree};

/// What only the binary does.
struct Act {
    traces: &'static [&'static str],
    what: &'static str,
}

const PRINT: Act = Act {
    traces: &[
        "println!(",
        "print!(",
        "dbg!(",
        "io::stdout(",
        "io::stderr(",
    ],
    what: "prints: return it, or log with tracing",
};
const ENVIRONMENT: Act = Act {
    traces: &["env::var", "env::args", "env::set_var", "use std::env"],
    what: "reads the environment: only the binary does",
};
const EXIT: Act = Act {
    traces: &["process::exit(", "process::abort("],
    what: "ends the process: only the binary does",
};

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.iter()
        .filter(|file| file.is_product())
        .flat_map(judge)
        .collect()
}

fn judge(file: &TextFile) -> Vec<Finding> {
    let binary = file.crate_folder() == Some("lever");
    let settings = file.path.starts_with("crates/client/src/settings");
    let mut findings = Vec::new();
    for act in [PRINT, ENVIRONMENT, EXIT] {
        if binary || settings && act.what == ENVIRONMENT.what {
            continue;
        }
        for (number, line) in file.code() {
            if act.traces.iter().any(|trace| line.contains(trace)) {
                findings.push(Finding::new(format!("{}:{number}", file.path), act.what));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_neither_prints_nor_reads_the_environment_nor_exits() {
        let text = "println!(\"x\");\nlet a = std::env::var(\"A\");\nstd::process::exit(1);\n";
        let library = Tree::of(&[("crates/node/src/a.rs", text)]);
        assert_eq!(check(&library).len(), 3);
        let binary = Tree::of(&[("crates/lever/src/a.rs", text)]);
        assert_eq!(check(&binary), []);
    }

    #[test]
    fn the_client_reads_its_settings_in_one_place() {
        let text = "let a = std::env::var(\"A\");\n";
        assert_eq!(
            check(&Tree::of(&[("crates/client/src/settings.rs", text)])),
            []
        );
        assert_eq!(
            check(&Tree::of(&[("crates/client/src/lib.rs", text)])).len(),
            1
        );
    }
}
