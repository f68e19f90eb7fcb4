//! Many editors of one flag at once: one wins per revision, the others are told what changed.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Barrier, Mutex};

use serde_json::{Value, json};

use crate::bench::{Bench, Pending};

/// How many editors the page of faults names.
const EDITORS: usize = 50;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_fifty_editors_who_saw_the_same_revision_one_wins() {
    let bench = Bench::with_checkout();
    let url = format!("{}/api/v1/flags/new-checkout", bench.server().url());
    // It fails only when another test was first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::new();
    let token = bench.admin_secret();
    let head = bench.revision();
    for round in 1..=5 {
        let seen = http.get(&url).bearer_auth(&token).send().await.unwrap();
        let tag = seen.headers().get("etag").unwrap().clone();
        let seen: Value = seen.json().await.unwrap();
        let mut editors = tokio::task::JoinSet::new();
        for editor in 0..EDITORS {
            let mut definition = seen["definition"].clone();
            definition["description"] = json!(format!("round {round}, editor {editor}"));
            let edit = http
                .put(&url)
                .bearer_auth(&token)
                .header("if-match", &tag)
                .json(&json!({"definition": definition, "why": {"reason": "mine"}}));
            editors.spawn(async move {
                let answer = edit.send().await.unwrap();
                let status = answer.status().as_u16();
                (status, answer.json::<Value>().await.unwrap())
            });
        }
        let answers = editors.join_all().await;
        let won = answers.iter().filter(|(status, _)| *status == 200).count();
        assert_eq!(won, 1, "round {round}");
        for (status, problem) in answers.iter().filter(|(status, _)| *status != 200) {
            assert_eq!(*status, 412, "{problem:#}");
            assert_eq!(problem["code"], "stale", "{problem:#}");
            assert_eq!(problem["current"], head + round, "{problem:#}");
        }
    }
    assert_eq!(bench.revision(), head + 5, "one revision a round");
}

#[test]
fn who_lowers_is_never_told_to_look_again() {
    let bench = Bench::with_checkout();
    bench
        .lever("open new-checkout -e prod --to 50 -r x")
        .exits(0);
    for (line, meanwhile) in [
        (
            "ramp new-checkout -e prod --to 10",
            "ramp new-checkout -e prod --to 60 -r x",
        ),
        (
            "kill new-checkout -e prod",
            "flag edit new-checkout --owner x -r x",
        ),
    ] {
        let between = between(&bench, bench.command(meanwhile));
        let mut command = bench.command(line);
        command.env("LEVER_URL", between);
        Pending::start(line, command).outcome().exits(0);
    }
    assert_eq!(bench.position("new-checkout", "prod")["state"], "closed");
}

#[test]
fn ten_editors_at_ten_terminals_lose_nothing_that_was_accepted() {
    let bench = Bench::with_checkout();
    let head = bench.revision();
    let start = Arc::new(Barrier::new(10));
    let editors: Vec<_> = (0..10)
        .map(|editor| {
            let line = format!("flag edit new-checkout --tag by-{editor} -o json");
            let command = bench.command(&line);
            let start = Arc::clone(&start);
            std::thread::spawn(move || {
                start.wait();
                Pending::start(&line, command).outcome()
            })
        })
        .collect();
    let mut won = Vec::new();
    for editor in editors {
        let outcome = editor.join().unwrap();
        match outcome.exit {
            Some(0) => won.push(outcome.json()["revision"].as_u64().unwrap()),
            Some(6) => assert_eq!(outcome.problem()["code"], "stale", "{outcome}"),
            _ => panic!("neither won nor lost\n{outcome}"),
        }
    }
    won.sort_unstable();
    let all: Vec<u64> = (head + 1..=bench.revision()).collect();
    assert_eq!(won, all, "every revision has one winner who knows it");
}

#[test]
fn who_edits_what_somebody_else_has_just_changed_gets_exit_6() {
    let bench = Bench::with_checkout();
    bench
        .lever("open new-checkout -e prod --to 1 -r x")
        .exits(0);
    for (line, meanwhile) in [
        (
            "flag edit new-checkout --owner late -r x",
            "flag edit new-checkout --owner early -r x",
        ),
        (
            "ramp new-checkout -e prod --to 10 -r x",
            "ramp new-checkout -e prod --to 5 -r x",
        ),
        (
            "open new-checkout -e prod --to 10 -r x",
            "kill new-checkout -e prod",
        ),
    ] {
        let head = bench.revision();
        let between = between(&bench, bench.command(meanwhile));
        let mut command = bench.command(line);
        command.env("LEVER_URL", between);
        let outcome = Pending::start(line, command)
            .outcome()
            .exits(6)
            .complains("it has changed since");
        assert_eq!(bench.revision(), head + 1, "only the other's\n{outcome}");
    }
    assert_eq!(bench.position("new-checkout", "prod")["state"], "closed");
}

/// Somebody who sits between a command and the server, and lets another command pass before the
/// first change goes through. Returns the URL.
fn between(bench: &Bench, meanwhile: Command) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = bench.server().address().to_owned();
    let meanwhile = Arc::new(Mutex::new(Some(meanwhile)));
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let server = TcpStream::connect(&server).unwrap();
            let (mut back, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut back, &mut to));
            let meanwhile = Arc::clone(&meanwhile);
            std::thread::spawn(move || forward(client, server, &meanwhile));
        }
    });
    url
}

fn forward(mut client: TcpStream, mut server: TcpStream, meanwhile: &Mutex<Option<Command>>) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = client.read(&mut bytes) {
        let part = bytes.get(..count).unwrap();
        let is_change = part.starts_with(b"PUT ") || part.starts_with(b"POST ");
        if is_change && let Some(mut command) = meanwhile.lock().unwrap().take() {
            assert!(command.output().unwrap().status.success());
        }
        if server.write_all(part).is_err() {
            break;
        }
    }
}
