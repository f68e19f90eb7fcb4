//! The committed corpus as a test: every file of it through the same check that the fuzzer runs.

use std::path::Path;

/// Runs `check` on every file of `fuzz/corpus/<target>`.
pub fn replay(target: &str, check: impl Fn(&[u8])) {
    let fuzz = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz"));
    let folder = fuzz.join("corpus").join(target);
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("a file").path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    for file in files {
        let bytes = std::fs::read(&file).expect("a file");
        // A panic below names the input by this line.
        println!("{}", file.display());
        check(&bytes);
    }
}
