//! The committed corpus of the fuzz targets, through the same checks (`fuzz/`).
#![expect(clippy::print_stdout, unreachable_pub, reason = "shared with fuzz/")]

#[path = "../../../../fuzz/src/frame.rs"]
mod frame;
#[path = "../../../../fuzz/src/replay.rs"]
mod replay;

use replay::replay;

#[test]
fn frames_of_the_corpus_are_applied_whole_or_not_at_all() {
    replay("frame", frame::check);
}
