//! The committed corpus of the fuzz targets, through the same checks (`fuzz/`).
#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stdout,
    unreachable_pub,
    reason = "shared with fuzz/"
)]

#[path = "../../../../fuzz/src/flagd.rs"]
mod flagd;
#[path = "../../../../fuzz/src/replay.rs"]
mod replay;
#[path = "../../../../fuzz/src/snapshot.rs"]
mod snapshot;

use replay::replay;

#[test]
fn flagd_files_of_the_corpus_come_back_with_the_same_answers() {
    replay("flagd", flagd::check);
}

#[test]
fn snapshots_of_the_corpus_are_read_back_as_they_are_written() {
    replay("snapshot", snapshot::check);
}
