use std::time::Duration;

use leverframe_wire::admin::{
    CacheEvidence, Change, Confirmation, ConfirmationState, Receipt, Straggler,
};

use super::report::Report;
use super::wait::Awaited;
use super::*;

fn receipt() -> Receipt {
    Receipt {
        revision: 57,
        at: "2026-11-21T12:00:00Z".to_owned(),
        dry_run: false,
        unchanged: false,
        stored: true,
        brake: None,
        environments: vec!["prod".to_owned()],
        changes: vec![change("new-checkout")],
        undo: Some("lever undo r57 -r \"…\"".to_owned()),
    }
}

fn change(key: &str) -> Change {
    Change {
        noun: "lever".to_owned(),
        key: key.to_owned(),
        environment: Some("prod".to_owned()),
        from: Some("open to 25 %".to_owned()),
        to: Some("closed".to_owned()),
        sentence: format!("{key} closed in prod"),
    }
}

fn confirmation(state: ConfirmationState, confirmed: usize, expected: usize) -> Confirmation {
    Confirmation {
        environment: "prod".to_owned(),
        revision: 57,
        state,
        expected,
        confirmed,
        elapsed_ms: (state == ConfirmationState::Confirmed).then_some(4.0),
        confirm_ms: None,
        stragglers: Vec::new(),
        caches: CacheEvidence::default(),
    }
}

fn report(receipt: Receipt, confirmations: Vec<Confirmation>) -> Report {
    Report {
        receipt,
        headline: Headline {
            tone: Tone::Braked,
            glyph: "■",
            words: "new-checkout closed in prod".to_owned(),
            is_closing: true,
        },
        awaited: Some(Awaited {
            confirmations,
            unasked: Vec::new(),
        }),
        limit: Some(Duration::from_secs(10)),
    }
}

/// What a person sees without colours.
fn plain(report: &Report) -> String {
    anstream::adapter::strip_str(&report.human(false)).to_string()
}

#[test]
fn a_confirmed_kill_says_so_in_one_line_and_how_to_take_it_back() {
    let report = report(
        receipt(),
        vec![confirmation(ConfirmationState::Confirmed, 12, 12)],
    );
    assert_eq!(
        plain(&report),
        "■ new-checkout closed in prod · r57 · 12/12 evaluators confirmed in 4 ms\n  \
         undo: lever undo r57 -r \"…\""
    );
    assert_eq!(report.exit(), Exit::Done);
    assert_eq!(report.document()["confirmation"]["state"], "confirmed");
    assert_eq!(report.document()["revision"], 57);
}

#[test]
fn an_empty_roll_is_never_called_confirmed() {
    let report = report(
        receipt(),
        vec![confirmation(ConfirmationState::Nobody, 0, 0)],
    );
    let told = plain(&report);
    assert!(
        told.contains("· stored as r57; nobody follows prod"),
        "{told}"
    );
    assert!(!told.contains("confirmed"), "{told}");
    assert_eq!(report.exit(), Exit::Done);
}

#[test]
fn a_straggler_is_named_with_all_that_helps_and_the_exit_is_9() {
    let mut pending = confirmation(ConfirmationState::Pending, 11, 12);
    pending.stragglers.push(Straggler {
        instance: "shop-3\u{1b}[2J".to_owned(),
        application: "shop".to_owned(),
        build: "1.4.2".to_owned(),
        last_seen: "2026-11-21T12:00:00Z".to_owned(),
        silent_ms: 12_000,
        connected: false,
        revision: Some(55),
        advice: "stop the process".to_owned(),
    });
    let report = report(receipt(), vec![pending]);
    let told = plain(&report);
    for part in [
        "PARTIAL: 11/12 evaluators confirmed after 10s",
        "shop-3\\u{1b}[2J · shop · build 1.4.2 · last seen 12.0 s ago · connection lost · has r55 · \
         still answers OPEN",
        "→ stop the process",
        "lever status -e prod",
        "undo: lever undo r57",
    ] {
        assert!(told.contains(part), "{part:?} is missing:\n{told}");
    }
    assert_eq!(report.exit(), Exit::Unconfirmed);
    let document = report.document();
    assert_eq!(document["confirmation"]["stragglers"][0]["build"], "1.4.2");
}

#[test]
fn caches_have_a_line_of_their_own_and_are_not_counted_as_evaluators() {
    let mut confirmed = confirmation(ConfirmationState::Confirmed, 12, 12);
    confirmed.caches = CacheEvidence {
        seen: 3,
        fetched: 2,
        applied: 1,
    };
    let told = plain(&report(receipt(), vec![confirmed]));
    assert!(told.contains("12/12 evaluators"), "{told}");
    assert!(
        told.contains("OFREP caches in prod: 3 seen in 10 min · 2 fetched r57 · 1 use it"),
        "{told}"
    );
}

#[test]
fn what_is_not_stored_is_told_as_not_stored() {
    let mut unstored = receipt();
    unstored.stored = false;
    let told = plain(&report(
        unstored.clone(),
        vec![confirmation(ConfirmationState::Nobody, 0, 0)],
    ));
    assert!(told.contains("NOT STORED"), "{told}");
    assert!(!told.contains("stored as"), "{told}");
    let told = plain(&report(
        unstored,
        vec![confirmation(ConfirmationState::Confirmed, 1, 1)],
    ));
    assert!(told.contains("NOT STORED"), "{told}");
}

#[test]
fn several_flags_are_listed_one_by_one() {
    let mut several = receipt();
    several.changes = vec![change("a"), change("b")];
    let told = plain(&report(
        several,
        vec![confirmation(ConfirmationState::Confirmed, 1, 1)],
    ));
    assert!(
        told.contains("\n    a in prod: open to 25 % → closed\n"),
        "{told}"
    );
    assert!(
        told.contains("\n    b in prod: open to 25 % → closed\n"),
        "{told}"
    );
}

#[test]
fn several_environments_are_told_apart_and_summed_up() {
    let mut staging = confirmation(ConfirmationState::Pending, 1, 2);
    staging.environment = "staging".to_owned();
    let report = report(
        receipt(),
        vec![confirmation(ConfirmationState::Confirmed, 12, 12), staging],
    );
    let told = plain(&report);
    assert!(
        told.contains("prod: 12/12 evaluators confirmed in 4 ms"),
        "{told}"
    );
    assert!(told.contains("staging: PARTIAL: 1/2"), "{told}");
    assert_eq!(report.exit(), Exit::Unconfirmed);
    let all = &report.document()["confirmation"];
    assert_eq!(
        (&all["state"], &all["confirmed"]),
        (&"pending".into(), &13.into())
    );
}

#[test]
fn when_nobody_can_be_asked_it_is_not_told_as_confirmed() {
    let mut report = report(receipt(), Vec::new());
    report.awaited = Some(Awaited {
        confirmations: Vec::new(),
        unasked: vec![("prod".to_owned(), "http://x does not answer".to_owned())],
    });
    assert!(plain(&report).contains("UNKNOWN"), "{}", plain(&report));
    assert_eq!(report.exit(), Exit::Unconfirmed);
}
