//! The committed corpus of the fuzz targets, through the same checks (`fuzz/`).
#![expect(unreachable_pub, reason = "shared with fuzz/")]

#[path = "../../../../fuzz/src/definition.rs"]
mod definition;
#[path = "../../../../fuzz/src/ofrep.rs"]
mod ofrep;
#[path = "../../../../fuzz/src/replay.rs"]
mod replay;
#[path = "../../../../fuzz/src/socket.rs"]
mod socket;

use replay::replay;
// With which definition.rs reads YAML.
use serde_saphyr as _;

#[test]
fn definitions_of_the_corpus_that_are_taken_can_be_served() {
    replay("definition", definition::check);
}

#[test]
fn what_clients_send_in_the_corpus_is_heard_alike_however_it_is_cut() {
    replay("socket", socket::check);
}

#[test]
fn contexts_of_the_corpus_are_what_a_reader_of_plain_json_finds() {
    replay("ofrep", ofrep::check);
}
