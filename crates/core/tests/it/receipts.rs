//! Receipts say what a record changed in words.

use leverframe_core::receipt;

use crate::world::{World, close, undo};

#[test]
fn a_receipt_says_what_where_from_and_to() {
    let mut world = World::with_flags(["checkout"]);
    world.open("checkout", "prod", "25");
    let killed = world.by("oncall").done(close(["checkout"], "prod"));
    let given = receipt(&world.entries.last().unwrap().record);
    assert_eq!(given.revision, killed);
    assert!(given.undoable);
    let [change] = &given.changes[..] else {
        panic!("one change: {given:?}");
    };
    assert_eq!(change.sentence, "checkout closed in prod");
    assert_eq!(change.environment.as_deref(), Some("prod"));
    assert_eq!(change.from.as_deref(), Some("open to 25 %"));
    assert_eq!(change.to.as_deref(), Some("closed"));

    world.by("ana").because("x").done(undo(killed));
    let given = receipt(&world.entries.last().unwrap().record);
    let sentences: Vec<&str> = given.changes.iter().map(|c| &*c.sentence).collect();
    assert_eq!(sentences[1], "checkout open to 25 % in prod");
    assert!(sentences[0].contains(&format!("r{killed}")));
}

#[test]
fn a_receipt_says_when_there_is_no_way_back() {
    let world = World::new();
    let given = receipt(&world.entries[0].record);
    assert!(!given.undoable);
    assert!(given.why_not_undoable.is_some());
}
