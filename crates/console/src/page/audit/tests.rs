use jiff::Timestamp;

use super::*;
use crate::inert::document;

fn record(revision: u64, actor: &str, via: &str) -> RecordView {
    RecordView {
        revision,
        at: "2026-11-21T11:30:00Z".to_owned(),
        actor: actor.to_owned(),
        actor_name: "ana\u{202e}".to_owned(),
        via: via.to_owned(),
        reason: "x".repeat(1_000),
        incident: None,
        changes: (0..8)
            .map(|index| Change {
                noun: "lever".to_owned(),
                key: format!("f{index}"),
                environment: Some("prod".to_owned()),
                from: Some("open to 25 %".to_owned()),
                to: Some("closed".to_owned()),
                sentence: format!("f{index} <closed> in prod"),
            })
            .collect(),
        hash: "abcdef0123456789".repeat(4),
    }
}

fn audit(records: Vec<RecordView>, next: Option<u64>) -> String {
    let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
    let mut shell = Shell::bare("Audit", now);
    shell.environment = "prod".to_owned();
    let filter = AuditFilter {
        flag: "a&b".to_owned(),
        range: "30m".to_owned(),
        ..AuditFilter::default()
    };
    document(&Audit {
        shell,
        found: JournalPage { records, next },
        filter,
        size: 2,
    })
    .unwrap()
}

#[test]
fn a_record_says_who_what_from_where_to_where_and_why() {
    let html = audit(vec![record(57, "tok_1", "console")], None);
    assert!(html.contains("ana\\u{202e}"), "{html}");
    assert!(html.contains("f0 &#60;closed&#62; in prod"), "{html}");
    assert!(html.contains("<bdi>open to 25 %</bdi>"), "{html}");
    assert!(html.contains("/audit/57?env=prod"), "{html}");
    assert!(html.contains(">abcdef012345</code>"), "{html}");
    assert!(html.contains("and 3 more"), "{html}");
    assert!(!html.contains(&"x".repeat(300)), "{html}");
}

#[test]
fn what_evidence_did_is_told_apart_from_what_people_did() {
    let people = audit(vec![record(57, "tok_1", "rollout controller")], None);
    assert!(!people.contains("by evidence"), "{people}");
    let evidence = audit(vec![record(57, "system", "rollout controller")], None);
    assert!(evidence.contains("by evidence"), "{evidence}");
    let server = audit(vec![record(57, "system", "effects")], None);
    assert!(server.contains("by the server itself"), "{server}");
}

#[test]
fn a_page_that_is_short_says_so_and_leads_further_back() {
    let full = vec![record(9, "t", "v"), record(8, "t", "v")];
    let full = audit(full, Some(8));
    assert!(!full.contains("The page is short"), "{full}");
    assert!(full.contains(">Older</a>"), "{full}");
    let short = audit(Vec::new(), Some(4));
    assert!(short.contains("The page is short"), "{short}");
    assert!(
        short.contains("/audit?env=prod&amp;flag=a%26b&amp;range=30m&amp;before=4"),
        "{short}"
    );
    let end = audit(Vec::new(), None);
    assert!(end.contains("Nothing changed"), "{end}");
}
