use leverframe_wire::admin::{Difference, DifferenceLine, RecordView};

use super::*;
use crate::inert::document;

fn page(why_not_undoable: Option<&str>, may_undo: bool) -> String {
    let line = |sign, text: &str| DifferenceLine {
        sign,
        text: text.to_owned(),
    };
    let now = "2026-11-21T12:00:00Z".parse().unwrap();
    let mut shell = Shell::bare("Record r57", now);
    shell.environment = "prod".to_owned();
    shell.revision = 57;
    shell.idempotency = "k1".to_owned();
    let record = RecordView {
        revision: 57,
        at: "2026-11-21T11:30:00Z".to_owned(),
        actor: "tok_1".to_owned(),
        actor_name: "ana".to_owned(),
        via: "console".to_owned(),
        reason: "a <b>reason</b>".to_owned(),
        incident: Some("INC-412".to_owned()),
        changes: Vec::new(),
        hash: "ab".repeat(32),
    };
    let difference = Difference {
        noun: "flag".to_owned(),
        key: "checkout".to_owned(),
        lines: vec![
            line(Sign::Gap, "3 lines"),
            line(Sign::Removed, "owner: <old>"),
            line(Sign::Added, "owner: new"),
        ],
        missing: None,
    };
    let whole = WholeRecord {
        record,
        previous: "cd".repeat(32),
        differences: vec![difference],
        why_not_undoable: why_not_undoable.map(str::to_owned),
    };
    document(&Record {
        shell,
        whole,
        may_undo,
    })
    .unwrap()
}

#[test]
fn a_record_is_shown_with_its_place_in_the_chain_and_what_changed_in_definitions() {
    let html = page(None, true);
    assert!(html.contains(&"ab".repeat(32)), "{html}");
    assert!(html.contains(&"cd".repeat(32)), "{html}");
    assert!(html.contains("owner: &#60;old&#62;</del>"), "{html}");
    assert!(html.contains("owner: new</ins>"), "{html}");
    assert!(html.contains("/audit/56?env=prod"), "{html}");
    assert!(!html.contains("/audit/58"), "{html}");
}

#[test]
fn an_undo_is_offered_to_whoever_may_ask_for_it_where_there_can_be_one() {
    let html = page(None, true);
    assert!(html.contains("action=\"/undo?env=prod\""), "{html}");
    assert!(html.contains("name=\"revision\" value=\"57\""), "{html}");
    assert!(html.contains("name=\"idempotency\" value=\"k1\""), "{html}");
    assert!(!page(None, false).contains("/undo"));
    let not = page(Some("a plan is taken back otherwise"), true);
    assert!(not.contains("a plan is taken back otherwise"), "{not}");
    assert!(!not.contains("action=\"/undo"), "{not}");
}
