#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::PathBuf;

use leverframe_wire::frame::{Cursor, Frame, FrameKind};
use tempfile::TempDir;

use super::{DiskCache, Stored};
use crate::settings::Settings;

fn frame(epoch: u64, revision: u64) -> Frame {
    Frame {
        kind: FrameKind::Snapshot,
        cursor: Cursor {
            journal: "j".to_owned(),
            epoch,
            environment: "prod".to_owned(),
            previous: 0,
            revision,
            brake: 0,
            head: format!("{revision:064x}"),
        },
        positions: Vec::new(),
        flags: Vec::new(),
        segments: Vec::new(),
        removed_flags: Vec::new(),
        removed_segments: Vec::new(),
    }
}

fn cache(directory: &TempDir, token: &str) -> DiskCache {
    let settings = Settings::from_lookup(|_| None).token(token);
    DiskCache::new(directory.path(), settings.token.as_ref().unwrap())
}

fn revisions(cache: &DiskCache) -> Vec<u64> {
    cache
        .load()
        .iter()
        .map(|text| serde_json::from_str::<Frame>(text).unwrap().cursor.revision)
        .collect()
}

fn newest_file(cache: &DiskCache) -> PathBuf {
    ["a", "b"]
        .map(|slot| cache.slot_path(slot))
        .into_iter()
        .filter(|path| path.exists())
        .max_by_key(|path| {
            let text = fs::read_to_string(path).unwrap();
            text.split("\"sequence\":")
                .nth(1)
                .and_then(|rest| rest.split(',').next())
                .and_then(|number| number.parse::<u64>().ok())
        })
        .unwrap()
}

#[test]
fn the_newest_of_two_slots_is_read_first() {
    let directory = TempDir::new().unwrap();
    let cache = cache(&directory, "t");
    assert!(revisions(&cache).is_empty());
    for revision in 1..=5 {
        assert_eq!(cache.store(&frame(1, revision)).unwrap(), Stored::Written);
    }
    assert_eq!(revisions(&cache), [5, 4]);
}

#[test]
fn an_older_rule_set_is_never_written_over_a_newer_one() {
    let directory = TempDir::new().unwrap();
    let cache = cache(&directory, "t");
    cache.store(&frame(1, 7)).unwrap();
    assert_eq!(cache.store(&frame(1, 6)).unwrap(), Stored::NotNewer);
    assert_eq!(cache.store(&frame(1, 7)).unwrap(), Stored::NotNewer);
    assert_eq!(cache.store(&frame(2, 3)).unwrap(), Stored::Written);
    assert_eq!(cache.store(&frame(1, 8)).unwrap(), Stored::NotNewer);
    assert_eq!(revisions(&cache), [3, 7], "a newer epoch is newer");
}

#[test]
fn whatever_happens_to_the_newest_file_the_other_slot_is_read() {
    type Harm = fn(Vec<u8>) -> Vec<u8>;
    let harms: [(&str, Harm); 6] = [
        ("emptied", |_| Vec::new()),
        ("cut short", |bytes| bytes[..bytes.len() / 2].to_vec()),
        ("a bit flipped", |mut bytes| {
            let middle = bytes.len() * 3 / 4;
            bytes[middle] ^= 1;
            bytes
        }),
        ("the sequence altered", |bytes| {
            String::from_utf8(bytes)
                .unwrap()
                .replace("\"sequence\":2", "\"sequence\":9")
                .into_bytes()
        }),
        ("something else", |_| {
            b"PK\x03\x04\xff\xfe not ours".to_vec()
        }),
        ("longer", |mut bytes| {
            bytes.push(b' ');
            bytes
        }),
    ];
    for (what, harm) in harms {
        let directory = TempDir::new().unwrap();
        let cache = cache(&directory, "t");
        cache.store(&frame(1, 1)).unwrap();
        cache.store(&frame(1, 2)).unwrap();
        let file = newest_file(&cache);
        fs::write(&file, harm(fs::read(&file).unwrap())).unwrap();
        assert_eq!(revisions(&cache), [1], "{what}");
        // The harmed slot is the one that is written next.
        cache.store(&frame(1, 3)).unwrap();
        assert_eq!(revisions(&cache), [3, 1], "{what}");
    }
}

#[test]
fn another_tokens_cache_is_not_read_even_under_our_name() {
    let directory = TempDir::new().unwrap();
    let (ours, theirs) = (cache(&directory, "ours"), cache(&directory, "theirs"));
    theirs.store(&frame(1, 1)).unwrap();
    assert!(revisions(&ours).is_empty());
    fs::copy(theirs.slot_path("a"), ours.slot_path("a")).unwrap();
    assert!(revisions(&ours).is_empty());
    assert_eq!(revisions(&theirs), [1]);
}

#[test]
fn a_process_that_is_writing_is_not_waited_for() {
    let directory = TempDir::new().unwrap();
    let cache = cache(&directory, "t");
    cache.store(&frame(1, 1)).unwrap();
    let lock = fs::File::open(cache.path("lock")).unwrap();
    lock.lock().unwrap();
    assert_eq!(cache.store(&frame(1, 2)).unwrap(), Stored::Busy);
    drop(lock);
    assert_eq!(cache.store(&frame(1, 2)).unwrap(), Stored::Written);
}

#[test]
fn what_a_crash_left_half_written_is_neither_read_nor_in_the_way() {
    let directory = TempDir::new().unwrap();
    let cache = cache(&directory, "t");
    fs::write(cache.path("a.writing"), "leverframe-snapshot 1 ab").unwrap();
    cache.store(&frame(1, 1)).unwrap();
    assert_eq!(revisions(&cache), [1]);
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_the_cache() {
    use std::os::unix::fs::PermissionsExt;
    let parent = TempDir::new().unwrap();
    let settings = Settings::from_lookup(|_| None).token("t");
    let inside = parent.path().join("made/for/it");
    let cache = DiskCache::new(&inside, settings.token.as_ref().unwrap());
    cache.store(&frame(1, 1)).unwrap();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&cache.slot_path("a")), 0o600);
    assert_eq!(mode(&inside), 0o700);
}
