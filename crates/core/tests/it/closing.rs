//! The brake is always free (P2), and a kill stays killed (P3).

use leverframe_core::access::Role;
use leverframe_core::{Command, Decision, Rejection, Selection};
use leverframe_flags::{Latch, Position, Value};

use crate::world::{
    World, close, create, edit, exposure, flag, is_latched, key, open, open_to, pin, ramp, scoped,
    segment, token, undo,
};

#[test]
fn a_brake_token_closes_without_reason_and_without_match() {
    let mut world = World::with_flags(["checkout"]);
    world.open("checkout", "prod", "25");
    world.by("oncall").seen(1).done(close(["checkout"], "prod"));
    let latch = Latch {
        variant: key("off"),
        value: Value::Boolean(false),
    };
    assert_eq!(
        *world.position("checkout", "prod"),
        Position::Closed { latch: Some(latch) }
    );
    let lever = world.flag("checkout").lever("prod").unwrap();
    assert_eq!(&*lever.moved_by, "oncall");
    assert_eq!(lever.reason, None, "none given is stored as absence");
}

#[test]
fn a_kill_is_never_refused_for_a_reason_that_is_too_long() {
    let mut world = World::with_flags(["checkout"]);
    world.open("checkout", "prod", "5");
    let paste = "ü".repeat(5_000);
    world
        .by("oncall")
        .because(&paste)
        .done(close(["checkout"], "prod"));
    let lever = world.flag("checkout").lever("prod").unwrap().clone();
    let kept = lever.reason.unwrap();
    assert!(kept.len() <= leverframe_core::limit::REASON_BYTES_MAX);
    assert!(kept.starts_with("üü") && kept.ends_with('…'), "{kept}");
}

#[test]
fn a_reason_is_kept_when_it_is_given() {
    let mut world = World::with_flags(["checkout"]);
    let command = close(["checkout"], "prod");
    world.by("oncall").because("  INC-412 5xx ").done(command);
    let lever = world.flag("checkout").lever("prod").unwrap();
    assert_eq!(lever.reason.as_deref(), Some("INC-412 5xx"));
}

#[test]
fn a_second_close_is_true_already_since_the_first() {
    let mut world = World::with_flags(["checkout"]);
    let killed = world.kill("checkout", "prod");
    world.open("checkout", "dev", "5");
    let again = world.by("oncall").ask(close(["checkout"], "prod"));
    assert_eq!(again, Ok(Decision::Unchanged { revision: killed }));
}

#[test]
fn closing_a_lever_nobody_ever_moved_latches_it() {
    let mut world = World::with_flags(["checkout"]);
    assert!(!is_latched(world.position("checkout", "prod")));
    world.kill("checkout", "prod");
    assert!(is_latched(world.position("checkout", "prod")));
    assert!(!is_latched(world.position("checkout", "staging")));
}

#[test]
fn several_levers_close_in_one_revision_and_only_those_that_change_are_in_it() {
    let mut world = World::with_flags(["a", "b", "c"]);
    world.open("a", "prod", "25");
    world.kill("b", "prod");
    let revision = world.by("oncall").done(close(["a", "b", "c"], "prod"));
    let moved = world.state.touched(revision).unwrap().before.len();
    assert_eq!(moved, 2, "b was closed already");
    for name in ["a", "b", "c"] {
        assert!(is_latched(world.position(name, "prod")), "{name}");
    }
}

#[test]
fn an_owner_or_a_tag_closes_everything_of_that_name() {
    let mut world = World::with_flags(["a"]);
    let mut tagged = flag("b");
    tagged.owner = "team-b".to_owned();
    tagged.tags.insert("web".to_owned());
    world.by("ana").done(create(tagged));

    world.by("oncall").done(Command::Close {
        flags: Selection::Tag("web".to_owned()),
        environment: key("prod"),
    });
    assert!(is_latched(world.position("b", "prod")));
    assert!(!is_latched(world.position("a", "prod")));

    world.by("oncall").done(Command::Close {
        flags: Selection::Owner("team-a".to_owned()),
        environment: key("prod"),
    });
    assert!(is_latched(world.position("a", "prod")));
}

#[test]
fn a_selection_that_matches_nothing_is_not_found_with_the_nearest_name() {
    let mut world = World::with_flags(["checkout"]);
    for (flags, noun, near) in [
        (
            Selection::Owner("team-b".to_owned()),
            "flag of owner",
            Some("team-a"),
        ),
        (Selection::Tag("web".to_owned()), "flag with tag", None),
        (
            Selection::Flags([key("chekout")].into()),
            "flag",
            Some("checkout"),
        ),
    ] {
        let environment = key("prod");
        let rejection = world
            .by("oncall")
            .refused(Command::Close { flags, environment });
        let Rejection::NotFound {
            noun: said,
            similar,
            ..
        } = rejection
        else {
            panic!("{rejection}");
        };
        assert_eq!((said, similar.as_deref()), (noun, near));
    }
}

#[test]
fn a_brake_token_with_key_globs_closes_all_of_what_is_asked_or_nothing() {
    let mut world = World::with_flags(["pay-a", "pay-b", "search"]);
    world.admit(scoped(token("pay", Role::Brake), &[], &["pay-*"]));
    world.by("pay").done(close(["pay-a"], "prod"));
    for command in [
        close(["pay-b", "search"], "prod"),
        Command::Close {
            flags: Selection::Owner("team-a".to_owned()),
            environment: key("prod"),
        },
    ] {
        let rejection = world.by("pay").refused(command);
        assert!(matches!(rejection, Rejection::Denied { .. }), "{rejection}");
        let sentence = rejection.to_string();
        assert!(sentence.contains("search"), "{sentence}");
        assert!(!sentence.contains("pay-b"), "{sentence}");
    }
    assert!(!is_latched(world.position("pay-b", "prod")));
}

#[test]
fn a_brake_token_of_one_environment_closes_nowhere_else() {
    let mut world = World::with_flags(["checkout"]);
    world.admit(scoped(token("stg", Role::Brake), &["staging"], &[]));
    let rejection = world.by("stg").refused(close(["checkout"], "prod"));
    assert_eq!(rejection.code(), "denied");
    world.by("stg").done(close(["checkout"], "staging"));
}

#[test]
fn a_brake_token_may_lower_but_never_open() {
    let mut world = World::with_flags(["checkout"]);
    world.by("ana").done(crate::world::create_segment(segment(
        "staff",
        "email ends_with \"@acme.test\"",
    )));
    let seen = world.etag("checkout", "prod");
    let wide = open_to("checkout", "prod", exposure(&["staff"], "50"));
    world.by("ana").because("go").seen(seen).done(wide);

    for command in [
        ramp("checkout", "prod", "51"),
        open_to("checkout", "prod", exposure(&["staff"], "50.001")),
        pin("checkout", "prod", "on"),
    ] {
        let seen = world.etag("checkout", "prod");
        let rejection = world
            .by("oncall")
            .because("try")
            .seen(seen)
            .refused(command);
        assert_eq!(rejection.code(), "denied", "{rejection}");
    }
    world.by("oncall").done(ramp("checkout", "prod", "20"));
    world.by("oncall").done(open("checkout", "prod", "20"));
    world.by("oncall").done(pin("checkout", "prod", "off"));
    let seen = world.etag("checkout", "prod");
    let back = open("checkout", "prod", "1");
    let rejection = world.by("oncall").because("try").seen(seen).refused(back);
    assert_eq!(rejection.code(), "denied");
}

#[test]
fn a_viewer_may_not_even_close() {
    let mut world = World::with_flags(["checkout"]);
    let rejection = world.by("eve").refused(close(["checkout"], "prod"));
    assert_eq!(rejection.code(), "denied");
}

#[test]
fn a_revoked_or_expired_token_is_nobody() {
    let mut world = World::with_flags(["checkout"]);
    let mut short = token("short", Role::Brake);
    short.expires_at = Some(world.now.plus_ms(1_000));
    world.admit(short);
    world.later(999);
    world.by("short").done(close(["checkout"], "dev"));
    world.later(1);
    let command = || close(["checkout"], "prod");
    assert_eq!(
        world.by("short").refused(command()),
        Rejection::Unauthenticated
    );
    world.by("root").done(Command::RevokeToken {
        id: "oncall".into(),
    });
    assert_eq!(
        world.by("oncall").refused(command()),
        Rejection::Unauthenticated
    );
    assert_eq!(
        world.by("nobody").refused(command()),
        Rejection::Unauthenticated
    );
}

#[test]
fn only_an_open_leads_out_of_a_latch() {
    let mut world = World::with_flags(["checkout"]);
    world.open("checkout", "prod", "25");
    world.kill("checkout", "prod");
    for command in [
        ramp("checkout", "prod", "1"),
        ramp("checkout", "prod", "0"),
        pin("checkout", "prod", "on"),
        pin("checkout", "prod", "off"),
    ] {
        let seen = world.etag("checkout", "prod");
        let rejection = world.by("root").because("try").seen(seen).refused(command);
        assert_eq!(rejection.code(), "conflict", "{rejection}");
    }
    world.open("checkout", "prod", "1");
}

#[test]
fn a_kill_survives_an_edit() {
    let mut world = World::with_flags(["checkout"]);
    world.open("checkout", "prod", "25");
    world.kill("checkout", "prod");
    world
        .edit("checkout", |definition| {
            definition.description = "as exported before the kill".to_owned();
            crate::world::rules_of(definition, "prod")
                .rules
                .push(crate::world::rule("plan == \"beta\""));
        })
        .unwrap();
    assert!(is_latched(world.position("checkout", "prod")));
}

#[test]
fn a_kill_survives_archiving_and_coming_back() {
    let mut world = World::with_flags(["checkout"]);
    world.kill("checkout", "prod");
    let seen = world.flag("checkout").defined_revision;
    let archive = Command::ArchiveFlag {
        flag: key("checkout"),
    };
    let archived = world.by("ana").because("gone").seen(seen).done(archive);
    world.by("ana").done(undo(archived));
    assert!(!world.flag("checkout").is_archived);
    assert!(is_latched(world.position("checkout", "prod")));
}

#[test]
fn a_flag_that_is_out_of_use_does_not_hold_up_the_kill_of_others() {
    let mut world = World::with_flags(["checkout", "gone"]);
    world.open("checkout", "prod", "5");
    let seen = world.flag("gone").defined_revision;
    world
        .by("ana")
        .seen(seen)
        .done(Command::ArchiveFlag { flag: key("gone") });
    world.by("oncall").done(close(["checkout", "gone"], "prod"));
    assert!(is_latched(world.position("checkout", "prod")));
    let alone = world.by("oncall").refused(close(["gone"], "prod"));
    assert_eq!(alone.code(), "conflict");
}

#[test]
fn what_closed_means_cannot_change_while_it_is_latched_somewhere() {
    let mut world = World::with_flags(["checkout"]);
    world.kill("checkout", "staging");
    let seen = world.flag("checkout").defined_revision;
    let swap = edit(world.flag("checkout"), |definition| {
        definition.closed = key("on");
    });
    let revalue = edit(world.flag("checkout"), |definition| {
        definition.variants.insert(key("off"), Value::Boolean(true));
    });
    for command in [swap.clone(), revalue] {
        let rejection = world.by("root").because("try").seen(seen).refused(command);
        assert_eq!(rejection.code(), "conflict", "{rejection}");
        assert!(rejection.to_string().contains("staging"), "{rejection}");
    }
    world.open("checkout", "staging", "0");
    world.by("root").because("now it may").seen(seen).done(swap);
}
