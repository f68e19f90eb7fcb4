//! Undo takes back one revision, all of it, while it is still the last change of what it touched.

use leverframe_core::{Command, Decision, Rejection};
use leverframe_flags::Position;

use crate::world::{
    World, close, create, create_segment, edit, edit_segment, exposure, flag, is_latched, key,
    open, open_to, pin, ramp, rule, rules_of, segment, undo,
};

#[test]
fn an_undo_puts_a_lever_back_exactly() {
    let mut world = World::with_flags(["checkout"]);
    let opened = world.open("checkout", "prod", "25");
    world.by("oncall").done(undo(opened));
    assert_eq!(*world.position("checkout", "prod"), Position::start());

    world.open("checkout", "prod", "25");
    let lowered = world.by("oncall").done(ramp("checkout", "prod", "3"));
    world
        .by("ana")
        .because("fine after all")
        .done(undo(lowered));
    let wanted = Position::Open {
        exposure: exposure(&[], "25"),
    };
    assert_eq!(*world.position("checkout", "prod"), wanted);
}

#[test]
fn taking_a_kill_back_needs_its_name_an_operator_and_a_reason() {
    let mut world = World::with_flags(["checkout"]);
    world.open("checkout", "prod", "25");
    let killed = world.by("ana").done(close(["checkout"], "prod"));

    let rejection = world.by("ana").because("x").refused(undo(None));
    assert_eq!(rejection.code(), "conflict");
    assert!(
        rejection
            .to_string()
            .contains(&format!("lever undo r{killed}")),
        "{rejection}"
    );
    assert_eq!(
        world.by("oncall").because("x").refused(undo(killed)).code(),
        "denied"
    );
    assert_eq!(
        world.by("ana").refused(undo(killed)).code(),
        "reason-required"
    );
    world
        .by("ana")
        .because("it was the network")
        .done(undo(killed));
    let wanted = Position::Open {
        exposure: exposure(&[], "25"),
    };
    assert_eq!(*world.position("checkout", "prod"), wanted);
}

#[test]
fn taking_an_opening_back_kills_to_what_closed_means_now() {
    let mut world = World::with_flags(["checkout"]);
    world.open("checkout", "dev", "25");
    world.kill("checkout", "dev");
    let opened = world.open("checkout", "dev", "0");
    let edited = world.edit("checkout", |definition| definition.closed = key("on"));
    assert!(edited.is_ok(), "{edited:?}");
    world.by("oncall").done(undo(opened));
    let latched = world.position("checkout", "dev");
    assert!(
        matches!(latched, Position::Closed { latch: Some(latch) } if latch.variant.as_str() == "on"),
        "{latched:?}"
    );
}

#[test]
fn lifting_the_latch_of_a_lever_that_was_never_open_is_no_less() {
    let mut world = World::with_flags(["checkout"]);
    let killed = world.kill("checkout", "prod");
    assert_eq!(
        world.by("oncall").because("x").refused(undo(killed)).code(),
        "denied"
    );
    assert_eq!(world.by("oncall").refused(undo(None)).code(), "conflict");
    assert_eq!(
        world.by("ana").refused(undo(killed)).code(),
        "reason-required"
    );
    world.by("ana").because("wrong flag").done(undo(killed));
    assert_eq!(*world.position("checkout", "prod"), Position::start());
}

#[test]
fn a_close_of_several_comes_back_whole_or_not_at_all() {
    let mut world = World::with_flags(["a", "b"]);
    world.open("a", "prod", "10");
    world.open("b", "prod", "20");
    let killed = world.by("oncall").done(close(["a", "b"], "prod"));
    let reopened = world.open("a", "prod", "1");
    let rejection = world.by("ana").because("x").refused(undo(killed));
    assert_eq!(
        rejection,
        Rejection::Stale {
            given: killed,
            current: reopened
        }
    );
    assert!(is_latched(world.position("b", "prod")));
    world.by("ana").done(undo(reopened));
    let rejection = world.by("ana").because("x").refused(undo(killed));
    assert_eq!(rejection.code(), "stale", "the undo was a later change");
}

#[test]
fn undoing_a_pin_never_lifts_a_later_kill() {
    let mut world = World::with_flags(["checkout"]);
    world.open("checkout", "prod", "10");
    let seen = world.etag("checkout", "prod");
    let command = pin("checkout", "prod", "on");
    let pinned = world.by("ana").because("x").seen(seen).done(command);
    world.kill("checkout", "prod");
    assert_eq!(
        world.by("ana").because("x").refused(undo(pinned)).code(),
        "stale"
    );
    assert_eq!(
        world.by("ana").because("x").refused(undo(None)).code(),
        "conflict"
    );
    assert!(is_latched(world.position("checkout", "prod")));
}

#[test]
fn an_exposure_comes_back_only_if_what_the_flag_does_is_unchanged() {
    let mut world = World::with_flags(["base"]);
    world
        .by("ana")
        .done(create_segment(segment("inner", "plan == \"a\"")));
    world
        .by("ana")
        .done(create_segment(segment("staff", "segment inner")));
    world
        .by("ana")
        .done(create_segment(segment("ruled", "plan == \"a\"")));
    let mut definition = flag("checkout");
    let rules = rules_of(&mut definition, "prod");
    rules.rules.push(rule("segment ruled"));
    rules.prerequisites.push(crate::world::needs("base"));
    world.by("ana").done(create(definition));

    type Change = fn(&mut World);
    let changes: [(&str, Change); 4] = [
        ("segment ruled", |world| {
            let seen = world.state.segment("ruled").unwrap().revision;
            let command = edit_segment(segment("ruled", "plan missing"));
            world.by("ana").seen(seen).done(command);
        }),
        ("the definition of checkout", |world| {
            let change = |d: &mut leverframe_core::flag::FlagDefinition| {
                rules_of(d, "prod").rules.push(rule("plan == \"z\""));
            };
            drop(world.edit("checkout", change).unwrap());
        }),
        ("segment inner", |world| {
            let seen = world.state.segment("inner").unwrap().revision;
            let command = edit_segment(segment("inner", "plan missing"));
            world.by("ana").seen(seen).done(command);
        }),
        ("the definition of base", |world| {
            drop(
                world
                    .edit("base", |d| d.owner = "team-b".to_owned())
                    .unwrap(),
            );
        }),
    ];
    for (what, change) in changes {
        let seen = world.etag("checkout", "prod");
        let command = open_to("checkout", "prod", exposure(&["staff"], "10"));
        world.by("ana").because("go").seen(seen).done(command);
        let killed = world.kill("checkout", "prod");
        change(&mut world);
        let changed = world.revision();
        let rejection = world.by("ana").because("x").refused(undo(killed));
        assert_eq!(rejection.code(), "conflict", "{rejection}");
        let sentence = rejection.to_string();
        assert!(
            sentence.contains(&format!("{what} changed at r{changed}")),
            "{sentence}"
        );
    }
}

#[test]
fn a_bare_undo_means_the_actors_own_last_change() {
    let mut world = World::with_flags(["a", "b"]);
    world.by("ana").done(open("a", "dev", "10"));
    world.by("root").done(open("b", "dev", "10"));
    world.by("ana").done(undo(None));
    assert!(world.position("a", "dev").is_closed());
    assert!(!world.position("b", "dev").is_closed());
    let rejection = world.by("oncall").refused(undo(None));
    assert!(
        rejection.to_string().contains("nothing of yours"),
        "{rejection}"
    );
}

#[test]
fn a_second_bare_undo_does_not_redo() {
    let mut world = World::with_flags(["a", "b"]);
    world.by("ana").done(open("a", "dev", "10"));
    world.by("ana").done(open("b", "dev", "10"));
    world.by("ana").done(undo(None));
    world.by("ana").done(undo(None));
    assert!(world.position("a", "dev").is_closed());
    assert!(world.position("b", "dev").is_closed());
}

#[test]
fn a_bare_undo_after_an_undo_of_the_same_lever_says_what_came_after() {
    let mut world = World::with_flags(["checkout"]);
    world.by("ana").done(open("checkout", "dev", "10"));
    world.by("ana").done(open("checkout", "dev", "20"));
    let undone = world.by("ana").done(undo(None));
    let rejection = world.by("ana").refused(undo(None));
    let sentence = rejection.to_string();
    assert!(
        sentence.contains(&format!("r{undone} came after it")),
        "{sentence}"
    );
    assert!(!sentence.contains("you saw"), "{sentence}");
}

#[test]
fn an_undo_is_undone_by_its_name() {
    let mut world = World::with_flags(["checkout"]);
    let opened = world.open("checkout", "dev", "10");
    let undone = world.by("ana").done(undo(opened));
    let rejection = world.by("ana").refused(undo(opened));
    let sentence = rejection.to_string();
    assert!(
        sentence.contains(&format!("lever undo r{undone}")),
        "{sentence}"
    );
    world.by("ana").done(undo(undone));
    assert!(!world.position("checkout", "dev").is_closed());
}

#[test]
fn a_created_flag_is_archived_by_undo_while_nobody_moved_it() {
    let mut world = World::new();
    let a = world.by("ana").done(create(flag("a")));
    world.by("ana").done(undo(a));
    assert!(world.flag("a").is_archived);

    let b = world.by("ana").done(create(flag("b")));
    let killed = world.kill("b", "dev");
    let stale = Rejection::Stale {
        given: b,
        current: killed,
    };
    assert_eq!(world.by("ana").refused(undo(b)), stale);
}

#[test]
fn an_edit_goes_back_under_the_rules_of_an_edit() {
    let mut world = World::with_flags(["checkout"]);
    let before = world.flag("checkout").definition.clone();
    world
        .edit("checkout", |d| {
            rules_of(d, "prod").rules.push(rule("plan == \"a\""));
        })
        .unwrap();
    let edited = world.revision();
    world.open("checkout", "prod", "10");
    assert_eq!(
        world.by("oncall").because("x").refused(undo(edited)).code(),
        "denied"
    );
    assert_eq!(
        world.by("ana").refused(undo(edited)).code(),
        "reason-required"
    );
    world.by("ana").because("x").done(undo(edited));
    assert_eq!(world.flag("checkout").definition, before);
    assert!(
        !world.position("checkout", "prod").is_closed(),
        "positions are not part of it"
    );
}

#[test]
fn segments_come_and_go_by_undo() {
    let mut world = World::new();
    let first = segment("staff", "plan == \"a\"");
    let made = world.by("ana").done(create_segment(first.clone()));
    let second = edit_segment(segment("staff", "plan == \"b\""));
    let edited = world.by("ana").seen(made).done(second);
    assert_eq!(world.by("ana").refused(undo(made)).code(), "stale");
    let back = world.by("ana").done(undo(edited));
    assert_eq!(*world.state.segment("staff").unwrap().segment, first);

    let delete = Command::DeleteSegment {
        segment: key("staff"),
    };
    let deleted = world.by("ana").seen(back).done(delete.clone());
    assert_eq!(world.by("ana").refused(undo(back)).code(), "stale");
    let restored = world.by("ana").done(undo(deleted));
    assert_eq!(*world.state.segment("staff").unwrap().segment, first);
    world.by("ana").seen(restored).done(delete);
    // The first deletion was undone, and a later one is not taken back in its place.
    assert_eq!(world.by("ana").refused(undo(deleted)).code(), "conflict");
    assert_eq!(world.by("ana").refused(undo(restored)).code(), "stale");
}

#[test]
fn an_archived_flag_comes_back_only_if_what_it_needs_is_there() {
    let mut world = World::new();
    let made = world
        .by("ana")
        .done(create_segment(segment("staff", "plan == \"a\"")));
    let mut definition = flag("checkout");
    rules_of(&mut definition, "prod")
        .rules
        .push(rule("segment staff"));
    let created = world.by("ana").done(create(definition));
    let archive = Command::ArchiveFlag {
        flag: key("checkout"),
    };
    let archived = world.by("ana").seen(created).done(archive);
    let delete = Command::DeleteSegment {
        segment: key("staff"),
    };
    world.by("ana").seen(made).done(delete);
    assert_eq!(world.by("ana").refused(undo(archived)).code(), "not-found");
    world
        .by("ana")
        .done(create_segment(segment("staff", "plan == \"b\"")));
    world.by("ana").done(undo(archived));
    assert!(!world.flag("checkout").is_archived);
}

#[test]
fn an_old_exposure_whose_cohort_is_gone_does_not_come_back() {
    let mut world = World::with_flags(["checkout"]);
    let made = world
        .by("ana")
        .done(create_segment(segment("staff", "plan == \"a\"")));
    let narrow = open_to("checkout", "dev", exposure(&["staff"], "10"));
    world.by("ana").done(narrow);
    let wide = world.by("ana").done(open("checkout", "dev", "100"));
    let delete = Command::DeleteSegment {
        segment: key("staff"),
    };
    world.by("ana").seen(made).done(delete);
    assert_eq!(world.by("ana").refused(undo(wide)).code(), "not-found");
}

#[test]
fn what_cannot_be_undone_says_so() {
    let mut world = World::new();
    for (revision, words) in [(1, "start of the journal"), (99, "there is no revision")] {
        let rejection = world.by("root").refused(undo(revision));
        assert!(rejection.to_string().contains(words), "{rejection}");
    }
    let made = world.by("root").done(Command::CreateEnvironment {
        key: key("qa"),
        guarded: false,
    });
    assert_eq!(world.by("root").refused(undo(made)).code(), "conflict");
}

#[test]
fn undo_reaches_back_only_so_far() {
    let mut world = World::with_flags(["a", "b"]);
    let first = world.by("ana").done(open("a", "dev", "100"));
    for step in 0..leverframe_core::limit::UNDO_REVISIONS_MAX {
        let percentage = if step % 2 == 0 { "1" } else { "2" };
        world.by("ana").done(open("b", "dev", percentage));
    }
    let rejection = world.by("ana").refused(undo(first));
    assert!(
        rejection.to_string().contains("too far back"),
        "{rejection}"
    );
    let next = world.by("ana").ask(undo(None));
    assert!(matches!(next, Ok(Decision::Append(_))));
}

#[test]
fn an_undo_follows_the_scope_of_the_token() {
    use leverframe_core::access::Role;
    let mut world = World::with_flags(["checkout"]);
    world.admit(crate::world::scoped(
        crate::world::token("stg", Role::Operator),
        &["staging"],
        &[],
    ));
    let opened = world.open("checkout", "dev", "10");
    assert_eq!(world.by("stg").refused(undo(opened)).code(), "denied");
    let seen = world.flag("checkout").defined_revision;
    let command = edit(world.flag("checkout"), |d| {
        rules_of(d, "dev").rules.push(rule("plan == \"a\""));
    });
    let edited = world.by("ana").seen(seen).done(command);
    assert_eq!(world.by("stg").refused(undo(edited)).code(), "denied");
}
