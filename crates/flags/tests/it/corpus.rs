//! The committed corpus of the fuzz targets, through the same checks (`fuzz/`).
#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stdout,
    unreachable_pub,
    reason = "shared with fuzz/"
)]

#[path = "../../../../fuzz/src/expression.rs"]
mod expression;
#[path = "../../../../fuzz/src/packed.rs"]
mod packed;
#[path = "../../../../fuzz/src/replay.rs"]
mod replay;

use replay::replay;

#[test]
fn expressions_of_the_corpus_print_back_and_decide_as_their_parts_do() {
    replay("expression", expression::check);
}

#[test]
fn packed_rule_sets_of_the_corpus_are_unpacked_as_the_same_or_refused() {
    replay("packed", packed::check);
}
