use leverframe_wire::admin::{CacheEvidence, Quantiles, Straggler};

use super::*;

fn pulled(state: ConfirmationState, confirmed: usize, expected: usize) -> Pulled {
    Pulled {
        environment: "prod".to_owned(),
        revision: Some(57),
        at: Some("2026-11-21T12:00:00Z".to_owned()),
        by: Some("ana".to_owned()),
        reason: Some("errors up".to_owned()),
        incident: None,
        was_so: false,
        moves: vec![Moved {
            flag: "checkout".to_owned(),
            environment: "prod".to_owned(),
            from: "open to 5 %".to_owned(),
            to: "closed".to_owned(),
            is_closing: true,
            was_closed: false,
        }],
        had: Confirmation {
            environment: "prod".to_owned(),
            revision: 57,
            state,
            expected,
            confirmed,
            elapsed_ms: None,
            confirm_ms: None,
            stragglers: Vec::new(),
            caches: CacheEvidence::default(),
        },
        undo: Undo::Not(String::new()),
        now: "2026-11-21T12:00:03Z".parse().unwrap(),
        idempotency: "k".to_owned(),
    }
}

fn straggler(instance: &str) -> Straggler {
    Straggler {
        instance: instance.to_owned(),
        application: "shop".to_owned(),
        build: "b-17".to_owned(),
        last_seen: "2026-11-21T11:59:00Z".to_owned(),
        silent_ms: 60_000,
        connected: false,
        revision: Some(56),
        advice: "restart it".to_owned(),
    }
}

#[test]
fn what_everybody_has_is_confirmed_with_the_times_it_took() {
    let mut pulled = pulled(ConfirmationState::Confirmed, 12, 12);
    pulled.had.elapsed_ms = Some(61.0);
    pulled.had.confirm_ms = Some(Quantiles {
        p50: 2.0,
        p99: 40.0,
        max: 61.0,
    });
    let html = pulled.to_string();
    assert!(
        html.contains("12/12 evaluators confirmed in 61 ms"),
        "{html}"
    );
    assert!(html.contains("99 in 100 after 40 ms"), "{html}");
    assert_eq!(pulled.refresh_s(), None);
}

#[test]
fn what_somebody_has_not_is_never_called_confirmed() {
    let mut pulled = pulled(ConfirmationState::Pending, 11, 12);
    pulled.had.stragglers = vec![straggler("<b>shop-3</b>")];
    let html = pulled.to_string();
    assert!(html.contains("11 of 12 evaluators have it"), "{html}");
    assert!(!html.contains("evaluators confirmed"), "{html}");
    assert!(html.contains("&#60;b&#62;shop-3"), "{html}");
    for said in [
        "b-17",
        "connection lost",
        "has r56",
        "still answers OPEN",
        "restart it",
    ] {
        assert!(html.contains(said), "{said}: {html}");
    }
    assert!(!html.contains("PARTIAL"), "{html}");
    assert_eq!(pulled.refresh_s(), Some(1));

    pulled.now = "2026-11-21T12:00:10Z".parse().unwrap();
    assert!(pulled.to_string().contains("PARTIAL: 11 of 12"));
    assert_eq!(pulled.refresh_s(), None, "somebody types why to undo it");
}

#[test]
fn where_nobody_follows_it_is_said_so() {
    let html = pulled(ConfirmationState::Nobody, 0, 0).to_string();
    assert!(html.contains("nobody follows prod"), "{html}");
    assert!(!html.contains("CONFIRMED"), "{html}");
}

#[test]
fn what_is_not_stored_is_said_loudly_and_cannot_be_undone() {
    let mut pulled = pulled(ConfirmationState::Confirmed, 1, 1);
    pulled.revision = None;
    pulled.undo = Undo::Form {
        needs_reason: true,
        reason: String::new(),
    };
    let html = pulled.to_string();
    assert!(html.contains("NOT STORED"), "{html}");
    assert!(!html.contains("<form"), "{html}");
    assert_eq!(pulled.refresh_s(), Some(2));
}
