//! Whatever is done to the rows by hand, the first bad revision is named.

use leverframe_core::{Link, Timestamp};
use leverframe_store::{Head, StoreError};

use crate::contract::Adapter;
use crate::entries::grow;
use crate::sqlite::{InDirectory, by_hand};

const OPEN_UP: &str = "DROP TRIGGER journal_is_not_edited; DROP TRIGGER journal_is_not_shortened;";

/// A journal of ten, changed by this SQL, and the head it had before.
fn tampered(sql: &str) -> (InDirectory, Head) {
    let place = InDirectory::fresh();
    let head = grow(&mut *place.open(), 10);
    by_hand(place.0.path(), "lever.db", &format!("{OPEN_UP} {sql}"));
    (place, head)
}

fn first_bad<T: std::fmt::Debug>(result: Result<T, StoreError>) -> u64 {
    match result {
        Err(StoreError::Corrupt {
            revision: Some(revision),
            ..
        }) => revision,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_edited_removed_reordered_or_retyped_row_is_named_by_verify_and_by_read() {
    for (what, sql, bad) in [
        (
            "edited text",
            "UPDATE journal SET text = replace(text, 'Ada', 'Eve') WHERE revision = 6",
            6,
        ),
        (
            "edited by one byte",
            "UPDATE journal SET text = text || ' ' WHERE revision = 10",
            10,
        ),
        (
            "edited time",
            "UPDATE journal SET at_ms = at_ms + 1 WHERE revision = 4",
            4,
        ),
        (
            "edited link",
            "UPDATE journal SET link = zeroblob(32) WHERE revision = 3",
            3,
        ),
        (
            "edited previous",
            "UPDATE journal SET previous = zeroblob(32) WHERE revision = 3",
            3,
        ),
        ("removed", "DELETE FROM journal WHERE revision = 5", 5),
        (
            "removed at the start",
            "DELETE FROM journal WHERE revision < 3",
            1,
        ),
        (
            "removed and closed up",
            "DELETE FROM journal WHERE revision = 5;
             UPDATE journal SET revision = revision - 1 WHERE revision > 5",
            5,
        ),
        (
            "reordered",
            "UPDATE journal SET revision = 100 WHERE revision = 7;
             UPDATE journal SET revision = 7 WHERE revision = 8;
             UPDATE journal SET revision = 8 WHERE revision = 100",
            7,
        ),
        (
            "not text any more",
            "UPDATE journal SET text = CAST(x'ff00fe' AS TEXT) WHERE revision = 9",
            9,
        ),
        (
            "a link of the wrong length",
            "PRAGMA ignore_check_constraints = 1;
             UPDATE journal SET link = x'01' WHERE revision = 2",
            2,
        ),
    ] {
        let (place, _) = tampered(sql);
        let reader = place.open().reader();
        assert_eq!(first_bad(reader.verify(None, &mut |_| {})), bad, "{what}");
        assert_eq!(first_bad(reader.read(0, 100)), bad, "{what}");
    }
}

#[test]
fn reading_on_from_a_row_that_was_removed_names_it() {
    let (place, _) = tampered("DELETE FROM journal WHERE revision = 5");
    assert_eq!(first_bad(place.open().reader().read(5, 10)), 5);
}

#[test]
fn an_edited_row_with_a_fitting_link_gives_itself_away_by_the_next_one() {
    let (place, _) = tampered("");
    let entries = place.open().reader().read(0, 10).unwrap();
    let forged = entries[5].text.replace("Ada", "Eve");
    let link = entries[5].previous.next(&forged);
    by_hand(
        place.0.path(),
        "lever.db",
        &format!(
            "UPDATE journal SET text = '{forged}', link = x'{}' WHERE revision = 6",
            link.to_hex()
        ),
    );
    let reader = place.open().reader();
    assert_eq!(first_bad(reader.verify(None, &mut |_| {})), 7);
    assert_eq!(first_bad(reader.read(6, 10)), 7);
}

#[test]
fn a_cut_off_tail_is_noticed_by_whoever_knows_the_head() {
    let (place, head) = tampered("DELETE FROM journal WHERE revision > 7");
    let reader = place.open().reader();
    assert_eq!(first_bad(reader.verify(Some(head), &mut |_| {})), 8);
    assert_eq!(first_bad(reader.check(head)), 8);
    // Nothing in the rows themselves can tell; that is why the head is kept elsewhere.
    assert_eq!(reader.verify(None, &mut |_| {}).unwrap().revision, 7);
}

#[test]
fn a_journal_rewritten_from_a_revision_on_is_noticed_by_whoever_knows_a_later_one() {
    let (place, head) = tampered("DELETE FROM journal WHERE revision > 6");
    let mut store = place.open();
    let fence = store.take_leadership(Timestamp::default()).unwrap();
    let mut last = store.reader().head().unwrap();
    for _ in 0..4 {
        let forged = crate::entries::entry(last, "nobody did anything");
        store
            .append(last.revision, fence, std::slice::from_ref(&forged))
            .unwrap();
        last = Head::of(&forged);
    }
    let reader = store.reader();
    assert_eq!(reader.verify(None, &mut |_| {}).unwrap(), last);
    assert_eq!(first_bad(reader.verify(Some(head), &mut |_| {})), 10);
}

#[test]
fn a_byte_flipped_in_the_file_is_named() {
    for flipped in [1, 4, 10] {
        let (place, _) = tampered("");
        let path = place.0.path().join("lever.db");
        let mut bytes = std::fs::read(&path).unwrap();
        let words = format!("the reason of revision {flipped}\"");
        let at = bytes
            .windows(words.len())
            .position(|window| window == words.as_bytes())
            .unwrap();
        bytes[at] ^= 0x20;
        std::fs::write(&path, bytes).unwrap();
        let reader = place.open().reader();
        assert_eq!(first_bad(reader.verify(None, &mut |_| {})), flipped);
    }
}

#[test]
fn a_page_of_nonsense_is_damage_and_never_an_answer() {
    let place = InDirectory::fresh();
    let head = grow(&mut *place.open(), 200);
    let path = place.0.path().join("lever.db");
    let whole = std::fs::read(&path).unwrap();
    let pages = whole.len() / 4096;
    assert!(pages > 10);
    // The first page is the header and the schema: without it there is no opening at all.
    for page in 1..pages {
        let mut bytes = whole.clone();
        bytes[page * 4096..(page + 1) * 4096].fill(0xa5);
        std::fs::write(&path, bytes).unwrap();
        let Ok(reader) = leverframe_store::sqlite::SqliteReader::open(place.0.path()) else {
            continue;
        };
        let found = leverframe_store::Reader::verify(&reader, Some(head), &mut |_| {});
        match found {
            Err(StoreError::Corrupt { .. }) => {}
            // A page without a record in it.
            Ok(found) => assert_eq!(found, head),
            Err(other) => panic!("page {page}: {other:?}"),
        }
    }
}

#[test]
fn a_record_of_an_unknown_kind_is_refused_and_never_skipped() {
    let (place, head) = tampered("");
    let text = format!(
        r#"{{"revision":11,"at":0,"actor":"a","actor_name":"a","via":"v","events":[{{"kind":"from-the-future","revision":{}}}]}}"#,
        head.revision
    );
    let link: Link = head.link.next(&text);
    by_hand(
        place.0.path(),
        "lever.db",
        &format!(
            "INSERT INTO journal VALUES (11, 0, '{text}', x'{}', x'{}')",
            head.link.to_hex(),
            link.to_hex()
        ),
    );
    let reader = place.open().reader();
    match reader.read(10, 10) {
        Err(error @ StoreError::UnknownRecord { revision: 11, .. }) => {
            assert!(error.to_string().contains("from-the-future"), "{error}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(reader.read(0, 10).unwrap().len(), 10);
}
