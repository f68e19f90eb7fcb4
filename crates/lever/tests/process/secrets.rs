//! The secret of a token is shown once, to whoever made it, and is nowhere else; nor is that of a link
//! to sign in, or of a session.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
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
    let (link, session) = sign_in(&bench);
    bench.lever("backup --data data -O backup.db").exits(0);
    said.push((
        "the evaluator".to_owned(),
        follower.log() + &follower.answers(),
    ));
    said.push(("the server".to_owned(), bench.server().log()));
    assert!(bench.server().log().len() > 1_000, "it was not talkative");
    let secrets = [&*admin, &brake, &evaluator, &unknown, &link, &session];
    look(&bench, &secrets, &said);
    bench.kill_server();
    look(&bench, &secrets, &[]);
}

/// Signs a browser in by a link, tries the link again, and looks at a page: the secrets of the link
/// and of the session.
fn sign_in(bench: &Bench) -> (String, String) {
    let printed = bench.lever("console -o name");
    let (_, link) = printed.stdout.trim().split_once("?once=").unwrap();
    let spend = format!("once={link}&next=/settings");
    let entered = browse(bench, "POST /sign-in", "", &spend);
    assert!(entered.starts_with("HTTP/1.1 303"), "{entered}");
    let (_, cookie) = entered.split_once("__Host-lever=").unwrap();
    let (session, _) = cookie.split_once(';').unwrap();
    let again = browse(bench, "POST /sign-in", "", &spend);
    assert!(again.starts_with("HTTP/1.1 401"), "{again}");
    let page = browse(bench, "GET /settings/signing-in", session, "");
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    assert!(!page.contains(session) && !page.contains(link), "{page}");
    (link.to_owned(), session.to_owned())
}

/// What a browser gets.
fn browse(bench: &Bench, what: &str, session: &str, body: &str) -> String {
    let (address, length) = (bench.server().address(), body.len());
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "{what} HTTP/1.1\r\nhost: {address}\r\norigin: http://{address}\r\naccept: text/html\r\n\
         cookie: __Host-lever={session}\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
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
    sign_in(&bench);
    bench.lever("backup --data data -O backup.db").exits(0);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&bench.data()), 0o700);
    for file in files(&bench.data()) {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
    assert_eq!(mode(&bench.home().join("backup.db")), 0o600);
}
