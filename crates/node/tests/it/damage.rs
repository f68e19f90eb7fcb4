//! P5 and what lies on the disk: damaged snapshots are noticed and cost nothing but time, a damaged
//! journal is refused with the command that restores it.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use leverframe_core::{Command, State};
use leverframe_node::{Node, Options, StartError};
use leverframe_store::SqliteStore;
use tempfile::TempDir;

use crate::bench::{Tape, boolean, close, environment_key, flag_key, request};

/// Set it to repeat a run's choices.
const SEED: &str = "LEVER_TEST_SEED";

/// A directory that a node left in good order: three snapshots were saved, two are there, and the
/// journal goes on after the newest one.
async fn left_behind() -> (TempDir, State) {
    let data = tempfile::tempdir().unwrap();
    for name in ["checkout", "search", "mail"] {
        let node = start(data.path()).await.unwrap();
        let admin = node.state().tokens().next().unwrap().token.id.clone();
        for command in [
            Command::CreateFlag {
                definition: Box::new(boolean(name)),
            },
            Command::Open {
                flag: flag_key(name),
                environment: environment_key("dev"),
                exposure: leverframe_flags::Exposure::of(leverframe_flags::Percentage::FULL),
            },
            close(name, "prod"),
        ] {
            node.submit(request(&admin, command)).await.unwrap();
        }
        node.stop().await;
    }
    let state = {
        let node = start(data.path()).await.unwrap();
        let state = State::clone(&node.state());
        node.stop().await;
        state
    };
    // The one file then holds everything.
    for file in ["lever.db", "lever-beside.db"] {
        by_hand(data.path(), file, "PRAGMA wal_checkpoint(TRUNCATE)");
    }
    (data, state)
}

async fn start(data: &Path) -> Result<Node, StartError> {
    let store = SqliteStore::open(data)?;
    let started = Node::start(
        Box::new(store),
        Options::default(),
        Arc::new(Tape::default()),
    );
    Ok(started.await?.node)
}

/// A copy of the directory, changed by hand, and what a node makes of it.
async fn started_from(data: &Path, change: impl FnOnce(&Path)) -> Result<State, StartError> {
    let copy = tempfile::tempdir().unwrap();
    for file in ["lever.db", "lever-beside.db"] {
        std::fs::copy(data.join(file), copy.path().join(file)).unwrap();
    }
    change(copy.path());
    let node = start(copy.path()).await?;
    let state = State::clone(&node.state());
    node.stop().await;
    Ok(state)
}

fn by_hand(data: &Path, file: &str, sql: &str) {
    let connection = rusqlite::Connection::open(data.join(file)).unwrap();
    connection.execute_batch(sql).unwrap();
}

#[tokio::test]
async fn whatever_byte_of_the_snapshots_file_is_flipped_the_state_is_right() {
    let (data, wanted) = left_behind().await;
    let mut random = Random::from_environment();
    let file = std::fs::read(data.path().join("lever-beside.db")).unwrap();
    // The header, where a flip is a matter of the database, and anywhere.
    let places = (0..20)
        .map(|at| at * 5)
        .chain((0..60).map(|_| random.below(file.len())));
    for at in places.collect::<Vec<_>>() {
        let state = started_from(data.path(), |copy| {
            let mut flipped = file.clone();
            flipped[at] ^= 1 << (at % 8);
            std::fs::write(copy.join("lever-beside.db"), flipped).unwrap();
        });
        let state = state.await.unwrap_or_else(|why| panic!("byte {at}: {why}"));
        assert!(state == wanted, "byte {at}");
    }
}

#[tokio::test]
async fn wherever_the_snapshots_file_is_cut_off_the_state_is_right() {
    let (data, wanted) = left_behind().await;
    let mut random = Random::from_environment();
    let file = std::fs::read(data.path().join("lever-beside.db")).unwrap();
    let ends: Vec<usize> = (0..24).map(|_| random.below(file.len())).collect();
    for end in [0, 1, 100, 4096].into_iter().chain(ends) {
        let state = started_from(data.path(), |copy| {
            std::fs::write(copy.join("lever-beside.db"), &file[..end]).unwrap();
        });
        let state = state
            .await
            .unwrap_or_else(|why| panic!("after {end}: {why}"));
        assert!(state == wanted, "cut off after {end}");
    }
}

#[tokio::test]
async fn a_byte_flipped_or_an_end_cut_off_in_one_slot_or_both_leads_to_the_right_state() {
    let (data, wanted) = left_behind().await;
    let mut random = Random::from_environment();
    for slots in ["slot = 0", "slot = 1", "slot IN (0, 1)"] {
        for _ in 0..12 {
            let at = 1 + random.below(1_000);
            let length = "length(state)";
            let flip = format!(
                "UPDATE snapshot SET state = CAST(substr(state, 1, {at} % {length}) \
                 || X'7F' || substr(state, {at} % {length} + 2) AS BLOB) WHERE {slots}"
            );
            let cut = format!(
                "UPDATE snapshot SET state = substr(state, 1, {at} % {length}) WHERE {slots}"
            );
            for sql in [flip, cut] {
                let state =
                    started_from(data.path(), |copy| by_hand(copy, "lever-beside.db", &sql));
                let state = state.await.unwrap_or_else(|why| panic!("{sql}: {why}"));
                assert!(state == wanted, "{sql}");
            }
        }
    }
}

/// A checksum says that the bytes are those that were saved, not that they are of this journal.
#[tokio::test]
async fn a_whole_snapshot_of_another_journal_is_not_used() {
    let (data, wanted) = left_behind().await;
    let (other, _) = left_behind().await;
    let state = started_from(data.path(), |copy| {
        std::fs::copy(
            other.path().join("lever-beside.db"),
            copy.join("lever-beside.db"),
        )
        .unwrap();
    });
    assert!(state.await.unwrap() == wanted);
}

#[tokio::test]
async fn a_journal_that_was_changed_is_refused_with_the_command_that_restores_it() {
    const OPEN_UP: &str =
        "DROP TRIGGER journal_is_not_edited; DROP TRIGGER journal_is_not_shortened;";
    let (data, state) = left_behind().await;
    let last = state.revision();
    for (what, sql, bad) in [
        (
            "a flipped byte",
            "UPDATE journal SET text = replace(text, 'search', 'saarch') WHERE revision = 6"
                .to_owned(),
            6,
        ),
        (
            "a removed row",
            "DELETE FROM journal WHERE revision = 4".to_owned(),
            4,
        ),
        (
            "two rows in another order",
            "UPDATE journal SET revision = 100 WHERE revision = 5;
             UPDATE journal SET revision = 5 WHERE revision = 6;
             UPDATE journal SET revision = 6 WHERE revision = 100"
                .to_owned(),
            5,
        ),
        (
            "an end that is cut off",
            format!("DELETE FROM journal WHERE revision > {}", last - 2),
            last - 1,
        ),
    ] {
        for has_snapshots in [false, true] {
            let started = started_from(data.path(), |copy| {
                by_hand(copy, "lever.db", &format!("{OPEN_UP} {sql}"));
                if !has_snapshots {
                    by_hand(copy, "lever-beside.db", "DELETE FROM snapshot");
                }
            });
            let is_cut_off = bad > last - 2;
            match started.await {
                Err(StartError::Store(error)) => {
                    let said = error.to_string();
                    assert!(
                        said.contains(&format!("at revision {bad}")),
                        "{what}: {said}"
                    );
                    assert!(
                        said.contains("lever restore <backup> --data "),
                        "{what}: {said}"
                    );
                }
                // Without a snapshot nobody is left who knows how long the journal was.
                Ok(state) if is_cut_off && !has_snapshots => {
                    assert_eq!(state.revision(), last - 2, "{what}");
                }
                // With one that stands behind the damage nothing is read of it; that is what
                // `lever audit verify` is for.
                Ok(kept) if has_snapshots && !is_cut_off => assert!(kept == state, "{what}"),
                other => panic!("{what}: {:?}", other.map(|state| state.revision())),
            }
        }
    }
}

/// SplitMix64; the seed is printed, so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn from_environment() -> Self {
        let seed = std::env::var(SEED).ok().and_then(|seed| seed.parse().ok());
        let seed = seed.unwrap_or_else(|| std::process::id().into());
        // Past the test's own output, which is shown only when it fails.
        let _ = writeln!(std::io::stderr(), "{SEED}={seed}");
        Self(seed)
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).unwrap()
    }
}
