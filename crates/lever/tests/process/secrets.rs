//! The secret of a token is shown once, to whoever made it, and is nowhere else.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::bench::{Bench, Start};

#[test]
fn a_tokens_secret_is_in_no_file_log_or_answer() {
    let mut bench = Bench::with(Start::default().talkative());
    bench
        .lever("flag create new-checkout --owner team-pay --kind ops")
        .exits(0);
    let admin = bench.admin_secret();
    let brake = bench.token("ci --role brake -e prod");
    let evaluator = bench.token("shop --role evaluator -e prod");
    let unknown = format!("lever_{}_{}", "ab".repeat(8), "cd".repeat(32));

    let follower = bench.follow("b1");
    follower.next();
    let mut said = Vec::new();
    for token in [&admin, &brake, &evaluator, &unknown] {
        for line in [
            "whoami -v",
            "token list -v",
            "log -o json -v",
            "kill new-checkout -e prod -v",
            "doctor -v",
            "export -o flags/",
            "flag show new-checkout -o yaml -v",
        ] {
            let outcome = bench.lever_as(token, line);
            said.push((outcome.line, outcome.stdout + &outcome.stderr));
        }
    }
    bench.lever("backup --data data -O backup.db").exits(0);
    said.push((
        "the evaluator".to_owned(),
        follower.log() + &follower.answers(),
    ));
    said.push(("the server".to_owned(), bench.server().log()));
    assert!(bench.server().log().len() > 1_000, "it was not talkative");
    look(&bench, &[&admin, &brake, &evaluator, &unknown], &said);
    bench.kill_server();
    look(&bench, &[&admin, &brake, &evaluator, &unknown], &[]);
}

#[track_caller]
fn look(bench: &Bench, tokens: &[&str], said: &[(String, String)]) {
    let mut texts: Vec<(String, Vec<u8>)> = said
        .iter()
        .map(|(name, text)| (name.clone(), text.clone().into_bytes()))
        .collect();
    for file in files(bench.home()) {
        if !file.ends_with("admin-token") {
            texts.push((file.display().to_string(), std::fs::read(&file).unwrap()));
        }
    }
    assert!(texts.iter().any(|(name, _)| name.ends_with("lever.db")));
    for token in tokens {
        // The last part is the secret; the middle one is its public name.
        let secret = token.rsplit('_').next().unwrap();
        assert!(secret.len() >= 64, "256 bits: {secret}");
        for (name, text) in &texts {
            let found = text
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!found, "{name} holds the secret of {token}");
        }
    }
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

#[test]
fn what_the_server_keeps_is_readable_by_its_owner_only() {
    let bench = Bench::with_checkout();
    bench.lever("backup --data data -O backup.db").exits(0);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&bench.data()), 0o700);
    for file in files(&bench.data()) {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
    assert_eq!(mode(&bench.home().join("backup.db")), 0o600);
}
