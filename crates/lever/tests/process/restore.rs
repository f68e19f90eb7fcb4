//! A backup taken before a kill does not take the kill back.

use serde_json::json;

use crate::bench::Bench;

#[test]
fn a_restore_is_refused_while_the_server_runs() {
    let bench = Bench::with_open_checkout();
    bench.lever("backup --data data -O early.db").exits(0);
    bench.lever("kill new-checkout -e prod").exits(0);
    let head = bench.revision();
    bench
        .lever("restore early.db --data data")
        .exits(1)
        .complains("lever.lock is locked")
        .complains("Stop it first");
    bench
        .lever("restore early.db --data data --close-all -o json")
        .exits(1)
        .problem();
    assert_eq!(bench.revision(), head);
    assert_eq!(bench.position("new-checkout", "prod")["state"], "closed");
}

#[test]
fn a_kill_survives_the_restore_of_a_backup_taken_before_it() {
    let mut bench = Bench::with_open_checkout();
    let evaluator = bench.follow("b1");
    evaluator.until(true);
    bench.lever("backup --data data -O early.db").exits(0);
    bench.lever("kill new-checkout -e prod -r INC-412").exits(0);
    evaluator.until(false);
    bench.kill_server();

    let restored = bench
        .lever("restore early.db --data data -r 'disk replaced'")
        .exits(0)
        .says("■ new-checkout in prod stays closed")
        .says("epoch 2");
    assert!(restored.stdout.contains("is kept as "), "{restored}");
    bench.start();
    let position = bench.position("new-checkout", "prod");
    assert_eq!(position["state"], "closed", "{position:#}");
    assert_eq!(position["latched"], true, "{position:#}");
    assert_eq!(bench.json("audit verify")["intact"], true);
    bench.lever("log -n 1").exits(0).says("disk replaced");

    // The evaluator was ahead of the restored history, and takes the new one all the same.
    bench.until_current("b1", 1);
    let opened = bench
        .lever("open new-checkout -e prod --to 100 -r 'all clear' --wait=20s")
        .exits(0)
        .says("1/1 evaluators confirmed")
        .revision();
    assert!(evaluator.at(opened));
}

#[test]
fn an_evaluator_that_was_ahead_takes_the_restored_history() {
    let mut bench = Bench::with_checkout();
    bench
        .lever("open new-checkout -e prod --to 0 -r x")
        .exits(0);
    let evaluator = bench.follow("b1");
    evaluator.until(false);
    // Tokens are in the journal too: one that is made after the backup is lost with it.
    bench.lever("backup --data data -O early.db").exits(0);
    for share in ["10", "20", "100"] {
        bench
            .lever(&format!("ramp new-checkout -e prod --to {share} -r x"))
            .exits(0);
    }
    evaluator.until(true);
    let ahead = bench.revision();
    bench.kill_server();
    bench.lever("restore early.db --data data").exits(0);
    bench.start();
    bench.until_current("b1", 1);
    assert!(bench.revision() < ahead, "the restored history is shorter");
    // The backup has it open to nobody.
    evaluator.until(false);
    bench
        .lever("kill new-checkout -e prod --wait=20s")
        .exits(0)
        .says("1/1 evaluators confirmed");
}

#[test]
fn without_the_present_journal_a_restore_asks_what_to_do_about_positions() {
    let bench = Bench::with_open_checkout();
    bench.lever("backup --data data -O early.db").exits(0);
    let refused = bench
        .lever("restore early.db --data lost")
        .exits(2)
        .complains("--close-all")
        .complains("--keep-positions");
    assert!(!refused.stderr.contains("panicked"), "{refused}");
    bench
        .lever("restore early.db --data lost --close-all --keep-positions")
        .exits(2);

    let closed = bench.json("restore early.db --data closed --close-all");
    assert_eq!(closed["kept_closed"], json!(["new-checkout in prod"]));
    assert_eq!(closed["aside"], json!(null));
    let kept = bench.json("restore early.db --data kept --keep-positions");
    assert_eq!(kept["kept_closed"], json!([]));

    for (directory, state) in [("closed", "closed"), ("kept", "open")] {
        let mut other = Bench::at(&bench, directory);
        let position = other.position("new-checkout", "prod");
        assert_eq!(position["state"], state, "{directory}: {position:#}");
        assert_eq!(other.json("audit verify")["intact"], true);
        other.kill_server();
    }
}

#[test]
fn over_a_damaged_journal_a_restore_asks_what_to_do_about_positions() {
    for damage in [overwrite, break_chain] {
        let mut bench = Bench::with_open_checkout();
        bench.lever("backup --data data -O early.db").exits(0);
        bench.lever("kill new-checkout -e prod").exits(0);
        bench.stop_server();
        damage(&bench);
        bench
            .lever("restore early.db --data data")
            .exits(2)
            .complains("--close-all")
            .complains("--keep-positions");
        bench
            .lever("restore early.db --data data --close-all")
            .exits(0)
            .says("■ new-checkout in prod")
            .says("is kept as ");
        bench.start();
        assert_eq!(bench.position("new-checkout", "prod")["state"], "closed");
    }
}

#[test]
fn over_a_damaged_journal_somebody_may_answer_for_the_positions_in_the_backup() {
    for damage in [overwrite, break_chain] {
        let mut bench = Bench::with_open_checkout();
        bench.lever("backup --data data -O early.db").exits(0);
        bench.lever("kill new-checkout -e prod").exits(0);
        bench.stop_server();
        bench
            .lever("restore early.db --data data --keep-positions")
            .exits(2)
            .complains("what was closed there stays closed");
        damage(&bench);
        bench
            .lever("restore early.db --data data --keep-positions")
            .exits(0);
        bench.start();
        assert_eq!(bench.position("new-checkout", "prod")["state"], "open");
    }
}

#[test]
fn an_evaluator_takes_each_history_after_the_last_even_when_journals_are_lost() {
    let mut bench = Bench::with_open_checkout();
    let mut evaluator = bench.follow("b1");
    evaluator.until(true);
    bench.lever("backup --data data -O early.db").exits(0);
    for _ in 0..2 {
        for share in ["10", "20", "100"] {
            bench
                .lever(&format!("ramp new-checkout -e prod --to {share} -r x"))
                .exits(0);
        }
        bench.kill_server();
        // Nobody knows any more which epochs there have been.
        std::fs::remove_dir_all(bench.data()).unwrap();
        bench
            .lever("restore early.db --data data --close-all")
            .exits(0);
        bench.start();
        bench.until_current("b1", 1);
        assert!(
            !evaluator.asked("u-1"),
            "the restored history has it closed"
        );
        bench
            .lever("open new-checkout -e prod --to 100 -r x")
            .exits(0)
            .says("1/1 evaluators confirmed");
        assert!(evaluator.asked("u-1"));
    }
}

/// The file is no database any more.
fn overwrite(bench: &Bench) {
    let file = bench.data().join("lever.db");
    let length = std::fs::metadata(&file).unwrap().len();
    std::fs::write(&file, vec![0xA5; usize::try_from(length).unwrap()]).unwrap();
    // The log alone may hold all of it.
    let _ = std::fs::remove_file(bench.data().join("lever.db-wal"));
}

/// A database whose records do not continue each other.
fn break_chain(bench: &Bench) {
    let connection = rusqlite::Connection::open(bench.data().join("lever.db")).unwrap();
    connection
        .execute_batch(
            "DROP TRIGGER journal_is_not_edited;
             UPDATE journal SET text = replace(text, 'new-', 'old-') WHERE revision = 4;",
        )
        .unwrap();
}

#[test]
fn what_is_no_backup_is_refused_and_nothing_is_touched() {
    let mut bench = Bench::with_open_checkout();
    bench.stop_server();
    let before = std::fs::read(bench.data().join("lever.db")).unwrap();
    std::fs::write(bench.home().join("empty.db"), b"").unwrap();
    std::fs::write(
        bench.home().join("text.db"),
        b"not a database, but long enough to be one",
    )
    .unwrap();
    for file in ["empty.db", "text.db", "missing.db"] {
        bench
            .lever(&format!("restore {file} --data data"))
            .exits(1)
            .complains(file);
    }
    assert_eq!(
        std::fs::read(bench.data().join("lever.db")).unwrap(),
        before
    );
    bench.start();
    assert_eq!(bench.position("new-checkout", "prod")["state"], "open");
}

#[test]
fn a_backup_never_overwrites_a_file() {
    let bench = Bench::new();
    bench.lever("backup --data data -O b.db").exits(0);
    bench
        .lever("backup --data data -O b.db")
        .exits(1)
        .complains("b.db");
    bench
        .lever("backup --data nowhere -O c.db")
        .exits(1)
        .complains("nowhere");
    assert!(!bench.home().join("c.db").exists());
}
