//! P9: every change has an undo, which is a new record and restores exactly.

use crate::bench::Bench;

#[test]
fn the_undo_line_works_as_it_is_printed_and_restores_exactly() {
    let bench = Bench::with_checkout();
    bench
        .lever("segment create staff --when 'plan == \"staff\"'")
        .exits(0);
    bench
        .lever("open new-checkout -e prod --to 12.345 --cohort staff -r x")
        .exits(0);
    for line in [
        "ramp new-checkout -e prod --to 25 -r x",
        "ramp new-checkout -e prod --to 1 -r x",
        "open new-checkout -e prod --to 50 -r x",
        "pin new-checkout on -e prod -r x",
        "pin new-checkout off -e prod -r x",
        "kill new-checkout -e prod -r x",
    ] {
        let before = bench.position("new-checkout", "prod");
        let records = bench.revision();
        let receipt = bench.json(line);
        assert_ne!(bench.position("new-checkout", "prod"), before, "{line}");
        let undo = receipt["undo"].as_str().unwrap();
        let undo = undo
            .strip_prefix("lever ")
            .unwrap()
            .replace('…', "as printed");
        let undone = bench.json(&undo);
        assert_eq!(bench.position("new-checkout", "prod"), before, "{line}");
        // A new record, not an edit of the old one.
        assert_eq!(undone["revision"], records + 2, "{line}");
    }
}

#[test]
fn a_close_is_taken_back_only_by_name() {
    let bench = Bench::with_open_checkout();
    let killed = bench.lever("kill new-checkout -e prod").exits(0).revision();
    bench
        .lever("undo -r x")
        .exits(6)
        .complains(&format!("lever undo r{killed}"));
    assert_eq!(bench.position("new-checkout", "prod")["state"], "closed");
    bench
        .lever(&format!("undo r{killed} -r x"))
        .exits(0)
        .says(&format!(
            "↶ r{killed} undone: new-checkout is open to 100 % in prod again · "
        ));
}

#[test]
fn what_was_changed_since_is_not_undone() {
    let bench = Bench::with_open_checkout();
    let first = bench.json("ramp new-checkout -e prod --to 50 -r x")["revision"].clone();
    bench
        .lever("ramp new-checkout -e prod --to 60 -r x")
        .exits(0);
    let head = bench.revision();
    bench.lever(&format!("undo r{first} -r x")).exits(6);
    // A kill above all.
    let second = bench.json("ramp new-checkout -e prod --to 70 -r x")["revision"].clone();
    bench.lever("kill new-checkout -e prod").exits(0);
    bench.lever(&format!("undo r{second} -r x")).exits(6);
    assert_eq!(bench.revision(), head + 2);
    bench.lever("undo r4711 -r x").exits(5);
}

#[test]
fn a_bare_undo_is_of_ones_own_last_change() {
    let bench = Bench::with_open_checkout();
    bench
        .lever("flag create other --owner web --kind ops")
        .exits(0);
    let operator = bench.token("ann --role operator");
    bench
        .lever_as(&operator, "open other -e prod --to 5 -r hers")
        .exits(0);
    bench
        .lever("ramp new-checkout -e prod --to 50 -r mine")
        .exits(0);
    bench.lever_as(&operator, "undo -r hers").exits(0);
    let other = bench.position("other", "prod");
    assert_eq!(other["state"], "closed", "{other:#}");
    let mine = bench.position("new-checkout", "prod");
    assert_eq!(mine["exposure"]["percentage"], 50.0, "{mine:#}");
}

#[test]
fn definitions_and_segments_are_undone_too() {
    let bench = Bench::with_checkout();
    let before = bench.json("flag show new-checkout")["definition"].clone();
    for line in [
        "flag edit new-checkout --owner web --runbook other",
        "flag rule add new-checkout -e prod --when 'a == 1' --serve on",
    ] {
        let revision = bench.json(line)["revision"].clone();
        assert_ne!(bench.json("flag show new-checkout")["definition"], before);
        bench.lever(&format!("undo r{revision} -r x")).exits(0);
        assert_eq!(bench.json("flag show new-checkout")["definition"], before);
    }
    let made = bench.json("segment create staff --include u-1")["revision"].clone();
    bench.lever(&format!("undo r{made} -r x")).exits(0);
    bench.lever("segment show staff").exits(5);
}
