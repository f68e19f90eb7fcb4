//! P3: a kill stays killed, whatever comes after it, until somebody opens or undoes it by name.

use crate::bench::Bench;

#[track_caller]
fn assert_latched(bench: &Bench) {
    let position = bench.position("new-checkout", "prod");
    assert_eq!(position["state"], "closed", "{position:#}");
    assert_eq!(position["latched"], true, "{position:#}");
    assert_eq!(position["value"], false, "{position:#}");
    let answer = bench.json("eval new-checkout -e prod --user u-1");
    assert_eq!(answer["value"], false, "{answer:#}");
}

#[test]
fn files_exported_before_a_kill_do_not_open_it_again() {
    let bench = Bench::with_open_checkout();
    let evaluator = bench.follow("b1");
    evaluator.until(true);
    bench.lever("export -o before/").exits(0);
    bench.lever("kill new-checkout -e prod -r INC-412").exits(0);
    evaluator.until(false);
    // Something differs, so that the files are really applied.
    bench
        .lever("flag edit new-checkout --owner somebody-else -r moved")
        .exits(0);
    bench
        .lever("apply -f before/ -r 'back to the files'")
        .exits(0)
        .says("✓ 1 change applied");
    let shown = bench.json("flag show new-checkout");
    assert_eq!(shown["definition"]["owner"], "team-pay");
    assert_latched(&bench);
    assert_eq!(evaluator.answers().matches(" true").count(), 1);
}

#[test]
fn files_that_say_nothing_change_nothing() {
    let bench = Bench::with_open_checkout();
    bench.lever("kill new-checkout -e prod").exits(0);
    let head = bench.revision();
    std::fs::create_dir(bench.home().join("empty")).unwrap();
    for line in ["apply -f empty/ -r x", "apply -f empty/ --prune -r x"] {
        bench
            .lever(line)
            .exits(2)
            .complains("there is no definition in it")
            .complains("nothing changed");
    }
    bench.lever("apply -f missing/ -r x").exits(2);
    assert_eq!(bench.revision(), head);
    assert_latched(&bench);
}

#[test]
fn a_rule_that_matches_everybody_does_not_open_what_is_closed() {
    let bench = Bench::with_open_checkout();
    bench.lever("kill new-checkout -e prod").exits(0);
    bench
        .lever("flag rule add new-checkout -e prod --when 'nothing missing' --serve on -r x")
        .exits(0);
    assert_latched(&bench);
}

#[test]
fn a_kill_survives_a_stop_a_crash_and_two_restarts() {
    let mut bench = Bench::with_open_checkout();
    bench.lever("kill new-checkout -e prod").exits(0);
    bench.crash();
    assert_latched(&bench);
    bench.stop_server();
    bench.start();
    assert_latched(&bench);
}

#[test]
fn an_edit_of_what_closed_means_is_refused_while_it_is_closed() {
    let bench = Bench::with_open_checkout();
    bench
        .lever(
            "flag create img-quality --type integer --variants low=40,normal=70 --closed low \
             --open normal --kind ops --owner web",
        )
        .exits(0);
    bench.lever("export -o files/").exits(0);
    bench
        .lever("kill new-checkout img-quality -e prod")
        .exits(0);
    let head = bench.revision();
    for line in [
        "flag edit new-checkout --closed on -r x",
        "flag edit img-quality --variants low=99,normal=70 -r x",
        "flag edit img-quality --closed normal -r x",
    ] {
        let refused = bench.lever(&format!("{line} -o json")).exits(6);
        let detail = refused.problem()["detail"].clone();
        assert!(detail.as_str().unwrap().contains("prod"), "{refused}");
    }
    let file = bench.home().join("files/flags/img-quality.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("low: 40"), "{text}");
    std::fs::write(&file, text.replace("low: 40", "low: 99")).unwrap();
    bench
        .lever("apply -f files/ -r x")
        .exits(6)
        .complains("img-quality")
        .complains("nothing changed");
    assert_eq!(bench.revision(), head);
    assert_latched(&bench);
    // Once it is open, it may be edited.
    bench.lever("open img-quality -e prod --to 1 -r x").exits(0);
    bench
        .lever("flag edit img-quality --variants low=39,normal=70 -r x")
        .exits(0);
}

#[test]
fn only_an_open_or_an_undo_that_names_the_close_opens_again() {
    let bench = Bench::with_open_checkout();
    let killed = bench.lever("kill new-checkout -e prod").exits(0).revision();
    bench
        .lever("ramp new-checkout -e prod --to 100 -r x")
        .exits(6);
    bench.lever("undo -r x").exits(6);
    assert_latched(&bench);
    bench.lever(&format!("undo r{killed}")).exits(2);
    assert_latched(&bench);
    bench.lever(&format!("undo r{killed} -r x")).exits(0);
    assert_eq!(bench.position("new-checkout", "prod")["state"], "open");
    bench.lever("kill new-checkout -e prod").exits(0);
    bench
        .lever("open new-checkout -e prod --to 1 -r x")
        .exits(0);
    assert_eq!(bench.position("new-checkout", "prod")["state"], "open");
}

#[test]
fn an_open_prerequisite_does_not_help_what_is_closed_and_a_closed_one_opens_nothing() {
    let bench = Bench::with_open_checkout();
    bench
        .lever("flag create base --owner team-pay --kind ops")
        .exits(0);
    bench.lever("export -o files/").exits(0);
    let file = bench.home().join("files/flags/new-checkout.yaml");
    let mut text = std::fs::read_to_string(&file).unwrap();
    text.push_str("environments:\n  prod:\n    prerequisites:\n      - flag: base\n");
    std::fs::write(&file, text).unwrap();
    bench.lever("apply -f files/ -r 'needs base'").exits(0);
    let answer =
        |bench: &Bench| bench.json("eval new-checkout -e prod --user u-1")["value"].clone();
    assert_eq!(answer(&bench), false, "base is closed");
    bench.lever("open base -e prod --to 100 -r x").exits(0);
    assert_eq!(answer(&bench), true);
    bench.lever("kill base -e prod").exits(0);
    assert_eq!(answer(&bench), false);
    bench.lever("open base -e prod --to 100 -r x").exits(0);
    bench.lever("kill new-checkout -e prod").exits(0);
    assert_latched(&bench);
}
