use std::path::Path;

use crate::program::Program;

/// Compares a page with what the program prints; rewrites it when LEVER_UPDATE_DOCS is set.
fn check(page: &str, file: &str) {
    let run = Program::new().run(&["docs", page]);
    assert_eq!(run.code, 0, "{run:?}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs/reference")
        .join(file);
    if std::env::var_os("LEVER_UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &run.stdout).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == run.stdout,
        "docs/reference/{file} is not what `lever docs {page}` prints; rewrite it: \
         LEVER_UPDATE_DOCS=1 cargo test -p lever --test it reference"
    );
}

#[test]
fn the_reference_of_the_command_line_is_what_the_program_says() {
    check("cli", "cli.md");
}

#[test]
fn the_reference_of_the_exit_codes_is_what_the_program_says() {
    check("exit-codes", "exit-codes.md");
}
