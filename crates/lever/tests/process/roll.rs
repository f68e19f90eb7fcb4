//! The roll: who counts for a confirmation.

use crate::bench::{Bench, Signal};

#[test]
fn an_empty_roll_is_never_called_confirmed() {
    let bench = Bench::with_open_checkout();
    bench
        .lever("kill new-checkout -e prod -r test")
        .exits(0)
        .says("■ new-checkout closed in prod · stored as r")
        .says("nobody follows prod")
        .never_says("confirmed");
    bench
        .lever("status -e prod")
        .exits(0)
        .says("nobody follows prod")
        .never_says("confirmed");
    bench
        .lever("fleet -e prod")
        .exits(0)
        .says("nobody follows prod");
    let document = bench.json("kill new-checkout -e prod");
    assert_eq!(document["confirmation"]["state"], "nobody");
    assert_eq!(document["confirmation"]["expected"], 0);
}

#[test]
fn who_leaves_with_a_goodbye_is_not_waited_for_and_who_dies_without_one_is_named() {
    let bench = Bench::with_open_checkout();
    let polite = bench.follow("b-polite");
    let crashed = bench.follow("b-crashed");
    let stays = bench.follow("b-stays");
    for evaluator in [&polite, &crashed, &stays] {
        evaluator.until(true);
    }
    assert!(polite.leave().success());
    crashed.kill();
    bench
        .lever("kill new-checkout -e prod --timeout 1s")
        .exits(9)
        .says("PARTIAL: 1/2 evaluators confirmed")
        .says("build b-crashed")
        .never_says("b-polite")
        .never_says("build b-stays");
    stays.until(false);
}

#[test]
fn who_joins_during_a_kill_counts_from_its_first_rule_set_and_gets_the_closed_one() {
    let bench = Bench::with_open_checkout();
    let stopped = bench.follow("b-stopped");
    stopped.until(true);
    stopped.signal(Signal::Stop);
    let kill = bench.begin("kill new-checkout -e prod --timeout 60s");
    kill.until_says("waiting for 1 of 1");
    let joiner = bench.follow("b-joiner");
    let first = joiner.next();
    assert!(first.ends_with(" false"), "{first}");
    stopped.signal(Signal::Continue);
    kill.outcome().exits(0).says("evaluators confirmed in ");
    assert_eq!(joiner.answers().matches(" true").count(), 0);
}

#[test]
fn the_roll_survives_a_crash_of_the_server() {
    let mut bench = Bench::with_open_checkout();
    let evaluator = bench.follow("b-gone");
    evaluator.until(true);
    wait_until_the_roll_is_saved(&bench);
    bench.kill_server();
    evaluator.kill();
    bench.start();
    bench
        .lever("kill new-checkout -e prod --timeout 1s")
        .exits(9)
        .says("build b-gone")
        .says("still answers OPEN");
}

/// The roll is kept beside the journal, and written now and then.
fn wait_until_the_roll_is_saved(bench: &Bench) {
    let file = bench.data().join("lever-beside.db");
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let connection = rusqlite::Connection::open_with_flags(file, flags).unwrap();
    let deadline = std::time::Instant::now() + crate::bench::PATIENCE;
    loop {
        let members: Option<Vec<u8>> = connection
            .query_row(
                "SELECT members FROM roll WHERE environment = 'prod'",
                [],
                |row| row.get(0),
            )
            .ok();
        if members.is_some_and(|members| String::from_utf8_lossy(&members).contains("b-gone")) {
            return;
        }
        assert!(
            std::time::Instant::now() < deadline,
            "the roll is not saved"
        );
    }
}
