//! The data directory: one server at a time, and nothing that was tampered with is served.

use crate::bench::{Bench, Start};

#[test]
fn a_second_server_on_the_same_directory_refuses_and_names_the_lock() {
    let mut bench = Bench::with_checkout();
    let refused = Start::default().refusal(bench.home(), &bench.data());
    assert_eq!(refused.exit, Some(1), "{refused}");
    assert_eq!(refused.stdout, "", "{refused}");
    let refused = refused
        .complains("lever.lock is locked")
        .complains(&format!("another lever (process {})", bench.server().id()));
    assert!(!refused.stderr.contains("panicked"), "{refused}");
    // The first is none the worse, and after a crash nothing has to be cleaned up.
    bench.lever("flag edit new-checkout --tag x").exits(0);
    bench.crash();
    assert_eq!(bench.json("audit verify")["intact"], true);
}

#[test]
fn a_journal_that_was_tampered_with_is_noticed_while_it_is_served_and_refused_at_the_next_start() {
    let mut bench = Bench::with_open_checkout();
    bench.lever("kill new-checkout -e prod -r INC-412").exits(0);
    assert_eq!(bench.lever("audit verify").exits(0).exit, Some(0));
    forge(
        &bench,
        "UPDATE journal SET text = replace(text, 'INC-412', 'INC-000') WHERE revision = 4",
    );
    bench
        .lever("audit verify")
        .exits(3)
        .says("✗ the journal is broken at r4");
    let document = bench.lever("audit verify -o json").exits(3).json();
    assert_eq!(document["intact"], false);
    assert_eq!(document["first_bad"], 4);
    // What is served is what was acknowledged.
    assert_eq!(bench.position("new-checkout", "prod")["state"], "closed");

    bench.kill_server();
    Start::default()
        .refusal(bench.home(), &bench.data())
        .exits(1)
        .complains("is damaged at revision 4")
        .complains("lever restore <backup> --data ");
}

#[test]
fn a_journal_that_lost_records_is_noticed() {
    for (sql, first_bad) in [
        ("DELETE FROM journal WHERE revision = 3", 3),
        ("DELETE FROM journal WHERE revision = 4", 4),
        (
            "UPDATE journal SET revision = 99 WHERE revision = 2;
             UPDATE journal SET revision = 2 WHERE revision = 3;
             UPDATE journal SET revision = 3 WHERE revision = 99",
            2,
        ),
    ] {
        let bench = Bench::with_open_checkout();
        bench.lever("kill new-checkout -e prod").exits(0);
        forge(&bench, sql);
        let document = bench.lever("audit verify -o json").exits(3).json();
        assert_eq!(document["first_bad"], first_bad, "{sql}: {document:#}");
    }
}

/// What somebody with the file in hand can do.
fn forge(bench: &Bench, sql: &str) {
    let connection = rusqlite::Connection::open(bench.data().join("lever.db")).unwrap();
    connection
        .execute_batch(&format!(
            "DROP TRIGGER journal_is_not_edited; DROP TRIGGER journal_is_not_shortened; {sql};"
        ))
        .unwrap();
}
