#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::PathBuf;

use leverframe_flags::{
    Cursor, EnvironmentKey, Exposure, FlagKey, Follower, Keepsake, Percentage, Position, Update,
    Value,
};
use tempfile::TempDir;

use super::{DiskCache, Stored};
use crate::fixed;
use crate::settings::Settings;

/// What a follower of one flag leaves at a revision; at an even one the flag is open.
fn left_at(epoch: u64, revision: u64) -> Keepsake {
    let cursor = Cursor {
        journal: "j".into(),
        epoch,
        environment: EnvironmentKey::new("prod").unwrap(),
        previous: 0,
        revision,
        brake: 0,
        head: format!("{revision:064x}").into(),
    };
    let mut follower = Follower::new(cursor.environment.clone());
    let mut flag = fixed::pinned("a", Value::Boolean(true)).unwrap();
    let percentage = Percentage::FULL;
    flag.position = if revision.is_multiple_of(2) {
        Position::Open {
            exposure: Exposure::of(percentage),
        }
    } else {
        Position::start()
    };
    follower.apply(Update::Snapshot {
        cursor,
        flags: vec![flag],
        segments: Vec::new(),
    });
    follower.keepsake().unwrap()
}

fn cache(directory: &TempDir, token: &str) -> DiskCache {
    let settings = Settings::from_lookup(|_| None).token(token);
    DiskCache::new(directory.path(), settings.token.as_ref().unwrap())
}

/// The revisions that are read, newest first: the newest file is taken away after each.
fn revisions(cache: &DiskCache) -> Vec<u64> {
    let mut found = Vec::new();
    let mut away = Vec::new();
    while let Some(follower) = cache.load() {
        let revision = follower.cursor().unwrap().revision;
        assert_eq!(follower.rule_set().revision(), revision);
        let a = FlagKey::new("a").unwrap();
        assert_eq!(
            follower
                .rule_set()
                .flag(a.as_str())
                .unwrap()
                .position
                .is_closed(),
            !revision.is_multiple_of(2)
        );
        found.push(revision);
        let slots = ["a", "b"].map(|slot| cache.slot_path(slot));
        let newest = slots.into_iter().find(|path| {
            fs::read(path).is_ok_and(|bytes| sequence_and_revision(&bytes).1 == Some(revision))
        });
        let path = newest.unwrap();
        away.push((path.clone(), fs::read(&path).unwrap()));
        fs::remove_file(path).unwrap();
    }
    for (path, bytes) in away {
        fs::write(path, bytes).unwrap();
    }
    found
}

/// What the second line of a slot says.
fn sequence_and_revision(bytes: &[u8]) -> (Option<u64>, Option<u64>) {
    let about = bytes
        .split(|byte| *byte == b'\n')
        .nth(1)
        .unwrap_or_default();
    let about: serde_json::Value = serde_json::from_slice(about).unwrap_or_default();
    (
        about["sequence"].as_u64(),
        about["cursor"]["revision"].as_u64(),
    )
}

fn newest_file(cache: &DiskCache) -> PathBuf {
    ["a", "b"]
        .map(|slot| cache.slot_path(slot))
        .into_iter()
        .filter(|path| path.exists())
        .max_by_key(|path| sequence_and_revision(&fs::read(path).unwrap()).0)
        .unwrap()
}

#[test]
fn the_newest_of_two_slots_is_read_first() {
    let directory = TempDir::new().unwrap();
    let cache = cache(&directory, "t");
    assert!(revisions(&cache).is_empty());
    for revision in 1..=5 {
        assert_eq!(cache.store(&left_at(1, revision)).unwrap(), Stored::Written);
    }
    assert_eq!(revisions(&cache), [5, 4]);
}

#[test]
fn an_older_rule_set_is_never_written_over_a_newer_one() {
    let directory = TempDir::new().unwrap();
    let cache = cache(&directory, "t");
    cache.store(&left_at(1, 7)).unwrap();
    assert_eq!(cache.store(&left_at(1, 6)).unwrap(), Stored::NotNewer);
    assert_eq!(cache.store(&left_at(1, 7)).unwrap(), Stored::NotNewer);
    assert_eq!(cache.store(&left_at(2, 3)).unwrap(), Stored::Written);
    assert_eq!(cache.store(&left_at(1, 8)).unwrap(), Stored::NotNewer);
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
            let (before, after) = (b"\"sequence\":2", b"\"sequence\":9");
            let at = bytes.windows(before.len()).position(|part| part == before);
            let at = at.unwrap();
            [&bytes[..at], after, &bytes[at + after.len()..]].concat()
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
        cache.store(&left_at(1, 1)).unwrap();
        cache.store(&left_at(1, 2)).unwrap();
        let file = newest_file(&cache);
        fs::write(&file, harm(fs::read(&file).unwrap())).unwrap();
        assert_eq!(revisions(&cache), [1], "{what}");
        // The harmed slot is the one that is written next.
        cache.store(&left_at(1, 3)).unwrap();
        assert_eq!(revisions(&cache), [3, 1], "{what}");
    }
}

#[test]
fn another_tokens_cache_is_not_read_even_under_our_name() {
    let directory = TempDir::new().unwrap();
    let (ours, theirs) = (cache(&directory, "ours"), cache(&directory, "theirs"));
    theirs.store(&left_at(1, 1)).unwrap();
    assert!(revisions(&ours).is_empty());
    fs::copy(theirs.slot_path("a"), ours.slot_path("a")).unwrap();
    assert!(revisions(&ours).is_empty());
    assert_eq!(revisions(&theirs), [1]);
}

#[test]
fn a_process_that_is_writing_is_not_waited_for() {
    let directory = TempDir::new().unwrap();
    let cache = cache(&directory, "t");
    cache.store(&left_at(1, 1)).unwrap();
    let lock = fs::File::open(cache.path("lock")).unwrap();
    lock.lock().unwrap();
    assert_eq!(cache.store(&left_at(1, 2)).unwrap(), Stored::Busy);
    drop(lock);
    assert_eq!(cache.store(&left_at(1, 2)).unwrap(), Stored::Written);
}

#[test]
fn what_a_crash_left_half_written_is_neither_read_nor_in_the_way() {
    let directory = TempDir::new().unwrap();
    let cache = cache(&directory, "t");
    fs::write(cache.path("a.writing"), "leverframe-snapshot 2 ab").unwrap();
    cache.store(&left_at(1, 1)).unwrap();
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
    cache.store(&left_at(1, 1)).unwrap();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&cache.slot_path("a")), 0o600);
    assert_eq!(mode(&inside), 0o700);
}

#[test]
fn of_a_slot_no_byte_can_be_changed_and_none_left_out() {
    let bytes = super::slot::encode(&left_at(1, 2), 7, "origin").unwrap();
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("slot");
    let reads = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        super::slot::Slot::read(&path, "origin").is_ok_and(|slot| slot.rules().is_ok())
    };
    assert!(reads(&bytes));
    for at in 0..bytes.len() {
        assert!(!reads(&bytes[..at]), "cut at {at}");
        let mut altered = bytes.clone();
        altered[at] ^= 0x11;
        assert!(!reads(&altered), "altered at {at}");
    }
}

#[test]
fn a_slot_whose_rule_set_cannot_be_read_leaves_the_other_to_start_from() {
    let directory = TempDir::new().unwrap();
    let cache = cache(&directory, "t");
    cache.store(&left_at(1, 1)).unwrap();
    cache.store(&left_at(1, 2)).unwrap();
    let file = newest_file(&cache);
    let bytes = fs::read(&file).unwrap();
    // Whole by its checksum, and no rule set that this version knows.
    let at = bytes.iter().position(|byte| *byte == b'\n').unwrap();
    let rest = &bytes[at + 1..];
    let end = rest.iter().position(|byte| *byte == b'\n').unwrap();
    let body = [&rest[..=end], b"\x09"].concat();
    let checksum = super::hex(&<sha2::Sha256 as sha2::Digest>::digest(&body));
    let head = format!("leverframe-snapshot 2 {checksum}\n");
    fs::write(&file, [head.as_bytes(), &body].concat()).unwrap();
    assert_eq!(cache.load().unwrap().cursor().unwrap().revision, 1);
}

#[test]
fn a_slot_of_an_older_version_is_named_and_left_alone() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("slot");
    let body = "{\"sequence\":1,\"origin\":\"o\"}\n{}";
    let checksum = super::hex(&<sha2::Sha256 as sha2::Digest>::digest(body));
    fs::write(&path, format!("leverframe-snapshot 1 {checksum}\n{body}")).unwrap();
    let error = super::slot::Slot::read(&path, "o").unwrap_err();
    assert_eq!(error.to_string(), "it was written by another version");
}
