//! A restore keeps what was killed since killed, and no evaluator takes it for old.

use leverframe_core::access::Actor;
use leverframe_core::{Command, Decision, decide};
use leverframe_flags::Update;

use crate::world::{World, is_latched, key, undo};

fn restore(epoch: u64) -> Command {
    Command::Restore {
        epoch,
        keep_closed: ["a", "b", "gone"]
            .map(|name| (key(name), key("prod")))
            .into(),
    }
}

#[test]
fn what_was_killed_after_the_backup_stays_killed() {
    let mut world = World::with_flags(["a", "b"]);
    world.open("a", "prod", "25");
    world.kill("b", "prod");
    let before = world.state.clone();
    let meta = world.meta(Actor::System);
    let Ok(Decision::Append(events)) = decide(&world.state, &restore(2), &meta) else {
        panic!("a restore is accepted");
    };
    assert_eq!(
        events.len(),
        2,
        "b was latched in the backup, gone is not in it"
    );
    world.append(events, &meta);
    assert!(is_latched(world.position("a", "prod")));
    assert_eq!(world.state.epoch(), 2);
    let entry = world.entries.last().unwrap();
    for environment in ["dev", "prod"] {
        let update =
            leverframe_core::frame::change(&before, &world.state, entry, &key(environment));
        assert!(
            matches!(&update, Some(Update::Snapshot { cursor, .. }) if cursor.epoch == 2),
            "{environment}: {update:?}"
        );
    }
}

#[test]
fn an_epoch_only_rises_and_only_an_admin_raises_it() {
    let mut world = World::with_flags(["a", "b"]);
    assert_eq!(world.by("root").refused(restore(1)).code(), "invalid");
    assert_eq!(world.by("ana").refused(restore(2)).code(), "denied");
    let restored = world.by("root").done(restore(2));
    assert_eq!(
        world.by("root").because("x").refused(undo(restored)).code(),
        "conflict"
    );
}
