//! Chained entries to put into a store. What they mean does not matter to it.

use leverframe_core::command::{Idempotency, Why};
use leverframe_core::{Entry, Event, Record, Timestamp};
use leverframe_store::{Head, Store};

/// The entry after `head`, told from others by its reason.
pub(crate) fn entry(head: Head, reason: &str) -> Entry {
    let revision = head.revision + 1;
    let record = Record {
        revision,
        at: Timestamp::from_ms(1_700_000_000_000 + i64::try_from(revision).unwrap()),
        actor: "tok_1".into(),
        actor_name: "Ada".into(),
        via: "test".into(),
        why: Why {
            reason: Some(reason.into()),
            incident: None,
        },
        idempotency: Some(Idempotency {
            key: format!("key-{revision}").into(),
            body_sha256: "00".repeat(32).into(),
        }),
        events: vec![Event::EpochRaised { epoch: revision }],
    };
    Entry::seal(record, head.link).unwrap()
}

/// This many entries after `head`.
pub(crate) fn entries(head: Head, count: usize) -> Vec<Entry> {
    let mut last = head;
    (0..count)
        .map(|_| {
            let reason = format!("the reason of revision {}", last.revision + 1);
            let entry = entry(last, &reason);
            last = Head::of(&entry);
            entry
        })
        .collect()
}

/// Appends this many entries in one group and returns the new head.
pub(crate) fn grow(store: &mut dyn Store, count: usize) -> Head {
    let fence = store.take_leadership(Timestamp::default()).unwrap();
    let head = store.reader().head().unwrap();
    let group = entries(head, count);
    store.append(head.revision, fence, &group).unwrap();
    group.last().map_or(head, Head::of)
}
