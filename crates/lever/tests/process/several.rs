//! Several flags at once are one revision, and one undo.

use serde_json::Value;

use crate::bench::Bench;

/// Four flags, open to different shares; the last one belongs to somebody else.
fn shop() -> Bench {
    let bench = Bench::new();
    for (flag, owner, tag, share) in [
        ("cart", "team-pay", "checkout", "10"),
        ("pay", "team-pay", "checkout", "20"),
        ("mail", "team-pay", "post", "30"),
        ("search", "web", "checkout", "40"),
    ] {
        bench
            .lever(&format!(
                "flag create {flag} --owner {owner} --tag {tag} --kind ops"
            ))
            .exits(0);
        bench
            .lever(&format!("open {flag} -e prod --to {share} -r x"))
            .exits(0);
    }
    bench
}

fn positions(bench: &Bench) -> Vec<Value> {
    ["cart", "pay", "mail", "search"]
        .map(|flag| bench.position(flag, "prod"))
        .to_vec()
}

#[track_caller]
fn assert_kills(bench: &Bench, line: &str, words: &str, expected: [bool; 4]) {
    let before = positions(bench);
    let head = bench.revision();
    let killed = bench.lever(line).exits(0).says(words);
    assert_eq!(killed.revision(), head + 1, "{killed}");
    assert_eq!(bench.revision(), head + 1, "one revision\n{killed}");
    let closed: Vec<bool> = positions(bench)
        .iter()
        .map(|position| position["state"] == "closed")
        .collect();
    assert_eq!(closed, expected, "{killed}");
    bench
        .lever(&format!("undo r{} -r 'false alarm'", head + 1))
        .exits(0);
    assert_eq!(positions(bench), before, "all of it is restored");
    assert_eq!(bench.revision(), head + 2);
}

#[test]
fn a_kill_of_several_flags_is_one_revision_and_one_undo() {
    let bench = shop();
    assert_kills(
        &bench,
        "kill cart search -e prod -r INC-1",
        "■ 2 flags closed in prod · ",
        [true, false, false, true],
    );
    assert_kills(
        &bench,
        "kill --owner team-pay -e prod",
        "■ 3 flags of team-pay closed in prod · ",
        [true, true, true, false],
    );
    assert_kills(
        &bench,
        "kill --tag checkout -e prod",
        "■ 3 flags tagged checkout closed in prod · ",
        [true, true, false, true],
    );
}

#[test]
fn a_kill_that_names_a_flag_that_is_not_there_says_so() {
    let bench = shop();
    let head = bench.revision();
    bench
        .lever("kill cart nothing -e prod")
        .exits(5)
        .complains("nothing");
    bench
        .lever("kill --owner nobody -e prod")
        .exits(5)
        .complains("nobody");
    bench.lever("kill -e prod").exits(2);
    assert_eq!(bench.revision(), head);
}
