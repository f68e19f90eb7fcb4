//! `export`, `diff`, `apply`: definitions in files, and what files may not do.

use serde_json::json;

use crate::bench::Bench;

#[test]
fn files_take_nothing_away_unless_they_are_told_to_and_never_what_is_not_closed() {
    let bench = Bench::with_open_checkout();
    bench
        .lever("flag create spare --owner web --kind ops")
        .exits(0);
    bench
        .lever("flag create stays --owner web --kind ops")
        .exits(0);
    bench.lever("export -o files/").exits(0);
    for flag in ["spare", "new-checkout"] {
        let file = format!("files/flags/{flag}.yaml");
        std::fs::remove_file(bench.home().join(file)).unwrap();
    }
    let head = bench.revision();
    bench
        .lever("apply -f files/ -r x")
        .exits(0)
        .says("✓ nothing to change");
    assert_eq!(bench.revision(), head);
    bench
        .lever("apply -f files/ --prune --max-changes 0 -r x")
        .exits(2)
        .complains("nothing changed");
    assert_eq!(bench.revision(), head);
    bench
        .lever("apply -f files/ --prune -r x")
        .exits(0)
        .says("- remove flag spare")
        .says("new-checkout");
    assert_eq!(bench.position("new-checkout", "prod")["state"], "open");
    assert_eq!(bench.json("flag show spare")["archived"], true);
}

#[test]
fn a_slip_in_the_last_file_changes_nothing_of_the_first() {
    let bench = Bench::with_checkout();
    bench
        .lever("flag create zebra --owner web --kind ops")
        .exits(0);
    bench.lever("export -o files/").exits(0);
    let edit = |flag: &str, from: &str, to: &str| {
        let file = bench.home().join(format!("files/flags/{flag}.yaml"));
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{text}");
        std::fs::write(&file, text.replace(from, to)).unwrap();
    };
    edit("new-checkout", "team-pay", "team-shop");
    edit("zebra", "closed: \"off\"", "closed: neither");
    let head = bench.revision();
    bench
        .lever("apply -f files/ -r x")
        .exits(2)
        .complains("zebra")
        .complains("nothing changed");
    assert_eq!(bench.revision(), head);
}

#[test]
fn what_is_exported_twice_is_the_same_and_differs_from_nothing() {
    let bench = Bench::with_checkout();
    bench
        .lever("segment create staff --when 'plan == \"staff\"'")
        .exits(0);
    bench
        .lever("flag rule add new-checkout -e prod --when 'segment staff' --serve on")
        .exits(0);
    let first = bench.json("export -o files/");
    assert_eq!(first["flags"], 1);
    bench.lever("kill new-checkout -e prod").exits(0);
    let second = bench.json("export -o files/");
    assert_eq!(second["unchanged"], 2, "a position is in no file");
    assert_eq!(bench.json("diff -f files/")["changes"], json!([]));

    // Another server takes them as they are.
    let other = Bench::new();
    let files = bench.home().join("files");
    other
        .lever(&format!("apply -f {} -r import", files.display()))
        .exits(0);
    other
        .lever(&format!("diff -f {}", files.display()))
        .exits(0);
    let definition = |bench: &Bench| bench.json("flag show new-checkout")["definition"].clone();
    assert_eq!(definition(&other), definition(&bench));
    let position = other.position("new-checkout", "prod");
    assert_eq!(position["state"], "closed", "every flag starts closed");
}
