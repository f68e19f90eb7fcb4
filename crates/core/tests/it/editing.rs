//! Definitions: defaults, what an edit needs, and what it may not take away.

use leverframe_core::access::Role;
use leverframe_core::flag::{FlagDefinition, Kind};
use leverframe_core::{Command, Decision, Rejection};
use leverframe_flags::{Arm, Percentage, Serve, Split, Value, ValueType};

use crate::world::{
    World, create, edit, flag, is_latched, key, needs, open, percent, pin, rule, rules_of, scoped,
    token, undo,
};

fn even_split() -> Serve {
    let arm = |variant: &str| Arm {
        variant: key(variant),
        weight: percent("50"),
    };
    Serve::Split(Split {
        split: vec![arm("off"), arm("on")],
        salt: "".into(),
    })
}

fn salt_of(serve: &Serve) -> &str {
    match serve {
        Serve::Split(split) => &split.salt,
        Serve::Variant(_) => panic!("not a split"),
    }
}

#[test]
fn a_new_flag_is_given_salts_and_rule_ids() {
    let mut world = World::new();
    let mut definition = flag("checkout");
    definition.open = even_split();
    let rules = &mut rules_of(&mut definition, "prod").rules;
    rules.push(rule("plan == \"a\""));
    rules.push(rule("plan == \"b\""));
    rules[1].serve = even_split();
    rules_of(&mut definition, "dev").rules.clear();
    world.by("ana").done(create(definition));

    let made = &world.flag("checkout").definition;
    assert_eq!(&*made.salt, "checkout");
    assert_eq!(salt_of(&made.open), "checkout/open");
    let rules = made.rules_in("prod");
    assert_eq!(salt_of(&rules[1].serve), "checkout");
    assert_ne!(rules[0].id, rules[1].id);
    for rule in rules {
        assert!(rule.id.len() == 8 && rule.id.chars().all(|c| c.is_ascii_hexdigit()));
    }
    assert_eq!(
        made.environments.len(),
        1,
        "an environment without rules is left out"
    );
}

#[test]
fn an_edit_that_leaves_salts_and_ids_out_keeps_them() {
    let mut world = World::new();
    let mut definition = flag("checkout");
    definition.salt = "s1".into();
    definition.open = even_split();
    if let Serve::Split(split) = &mut definition.open {
        split.salt = "s2".into();
    }
    let mut targeted = rule("plan == \"a\"");
    targeted.serve = even_split();
    if let Serve::Split(split) = &mut targeted.serve {
        split.salt = "s3".into();
    }
    rules_of(&mut definition, "prod").rules.push(targeted);
    world.by("ana").done(create(definition));
    let before = world.flag("checkout").definition.clone();

    // As a file says it, and with one more rule in front.
    let decision = world.edit("checkout", |definition| {
        definition.salt = "".into();
        definition.open = even_split();
        let rules = &mut rules_of(definition, "prod").rules;
        rules[0].id = "".into();
        rules[0].serve = even_split();
        rules.insert(0, rule("plan == \"new\""));
    });
    assert!(matches!(decision, Ok(Decision::Append(_))));
    let after = &world.flag("checkout").definition;
    assert_eq!(after.salt, before.salt);
    assert_eq!(after.open, before.open);
    assert_eq!(after.rules_in("prod")[1], before.rules_in("prod")[0]);
}

#[test]
fn an_edit_that_changes_nothing_makes_no_record() {
    let mut world = World::with_flags(["checkout"]);
    let revision = world.flag("checkout").defined_revision;
    let decision = world.edit("checkout", |definition| definition.salt = "".into());
    assert_eq!(decision, Ok(Decision::Unchanged { revision }));
}

#[test]
fn kinds_decide_defaults() {
    let mut world = World::new();
    let mut release = flag("release");
    release.kind = Kind::Release;
    let rejection = world.by("ana").refused(create(release));
    assert!(matches!(rejection, Rejection::Invalid { ref field, .. } if field == "sunset"));

    let mut kill = flag("kill");
    kill.kind = Kind::Kill;
    world.by("ana").done(create(kill));
    assert_eq!(world.flag("kill").definition.stale_after_s, Some(300));
}

#[test]
fn a_whole_number_of_a_float_flag_becomes_a_float() {
    let mut world = World::new();
    let mut definition = flag("rate");
    definition.value_type = ValueType::Float;
    definition.variants.insert(key("off"), Value::Integer(0));
    definition.variants.insert(key("on"), Value::Float(0.5));
    world.by("ana").done(create(definition));
    let made = &world.flag("rate").definition;
    assert_eq!(made.closed_value(), Some(&Value::Float(0.0)));
}

#[test]
fn what_could_not_be_served_is_refused_by_name() {
    let mut world = World::with_flags(["other"]);
    type Spoil = Box<dyn Fn(&mut FlagDefinition)>;
    let cases: [(&str, Spoil); 9] = [
        ("owner", Box::new(|d| d.owner = " ".to_owned())),
        ("definition", Box::new(|d| d.closed = key("none"))),
        (
            "definition",
            Box::new(|d| d.open = Serve::Variant(key("none"))),
        ),
        (
            "definition",
            Box::new(|d| drop(d.variants.insert(key("on"), Value::Integer(1)))),
        ),
        (
            "definition",
            Box::new(|d| {
                d.open = Serve::Split(Split {
                    split: vec![Arm {
                        variant: key("on"),
                        weight: Percentage::ZERO,
                    }],
                    salt: "".into(),
                });
            }),
        ),
        ("tags", Box::new(|d| d.tags = [String::new()].into())),
        (
            "environments.prod",
            Box::new(|d| {
                let mut twice = rule("plan == \"a\"");
                twice.id = "r".into();
                rules_of(d, "prod").rules = vec![twice.clone(), twice];
            }),
        ),
        (
            "environments.prod",
            Box::new(|d| {
                rules_of(d, "prod").prerequisites.push(needs("checkout"));
            }),
        ),
        (
            "environments.prod.prerequisites",
            Box::new(|d| {
                let mut prerequisite = needs("other");
                prerequisite.variants.push(key("off"));
                rules_of(d, "prod").prerequisites.push(prerequisite);
            }),
        ),
    ];
    for (wanted, spoil) in cases {
        let mut definition = flag("checkout");
        spoil(&mut definition);
        let rejection = world.by("ana").refused(create(definition));
        let Rejection::Invalid { field, .. } = &rejection else {
            panic!("{wanted}: {rejection}");
        };
        assert_eq!(field, wanted, "{rejection}");
    }
}

#[test]
fn what_a_definition_names_must_exist() {
    let mut world = World::with_flags(["other"]);
    for (noun, environment, when, prerequisite) in [
        ("environment", "prodd", "plan == \"a\"", "other"),
        ("segment", "prod", "segment staff", "other"),
        ("flag", "prod", "plan == \"a\"", "another"),
    ] {
        let mut definition = flag("checkout");
        let rules = rules_of(&mut definition, environment);
        rules.rules.push(rule(when));
        rules.prerequisites.push(needs(prerequisite));
        let rejection = world.by("ana").refused(create(definition));
        assert!(
            matches!(rejection, Rejection::NotFound { noun: said, .. } if said == noun),
            "{rejection}"
        );
    }
}

#[test]
fn a_flag_is_created_once() {
    let mut world = World::with_flags(["checkout"]);
    let rejection = world.by("ana").refused(create(flag("checkout")));
    assert_eq!(rejection.code(), "exists");
}

#[test]
fn an_edit_always_needs_a_current_match() {
    let mut world = World::with_flags(["checkout"]);
    let current = world.flag("checkout").defined_revision;
    let changed = edit(world.flag("checkout"), |d| d.owner = "b".to_owned());
    let command = || changed.clone();
    assert_eq!(
        world.by("ana").refused(command()),
        Rejection::MatchRequired { current }
    );
    assert_eq!(
        world.by("ana").seen(1).refused(command()),
        Rejection::Stale { given: 1, current }
    );
    world.by("ana").seen(current).done(command());
}

#[test]
fn an_edit_of_what_is_open_in_a_guarded_environment_needs_a_reason() {
    let mut world = World::with_flags(["checkout"]);
    world.open("checkout", "prod", "5");
    let seen = world.flag("checkout").defined_revision;
    let in_prod = edit(world.flag("checkout"), |definition| {
        rules_of(definition, "prod")
            .rules
            .push(rule("plan == \"a\""));
    });
    let in_dev = edit(world.flag("checkout"), |definition| {
        rules_of(definition, "dev")
            .rules
            .push(rule("plan == \"a\""));
    });
    let rejection = world.by("ana").seen(seen).refused(in_prod.clone());
    assert_eq!(rejection.code(), "reason-required");
    let seen = world.by("ana").seen(seen).done(in_dev);
    world.kill("checkout", "prod");
    world.by("ana").seen(seen).done(in_prod);
}

#[test]
fn a_description_is_edited_without_a_reason() {
    let mut world = World::with_flags(["checkout"]);
    world.open("checkout", "prod", "5");
    let seen = world.flag("checkout").defined_revision;
    let command = edit(world.flag("checkout"), |d| d.runbook = "pull it".to_owned());
    world.by("ana").seen(seen).done(command);
}

#[test]
fn changing_what_closed_means_needs_a_reason_even_where_nobody_moved_the_lever() {
    let mut world = World::with_flags(["checkout"]);
    let seen = world.flag("checkout").defined_revision;
    let command = edit(world.flag("checkout"), |d| d.closed = key("on"));
    let rejection = world.by("ana").seen(seen).refused(command.clone());
    assert_eq!(rejection.code(), "reason-required");
    world.by("ana").seen(seen).because("inverted").done(command);
}

#[test]
fn the_type_never_changes() {
    let mut world = World::with_flags(["checkout"]);
    let decision = world.edit("checkout", |definition| {
        definition.value_type = ValueType::String;
        for value in definition.variants.values_mut() {
            *value = Value::String("x".into());
        }
    });
    assert_eq!(decision.unwrap_err().code(), "conflict");
}

#[test]
fn a_pinned_variant_cannot_be_removed() {
    let mut world = World::new();
    let mut definition = flag("checkout");
    definition.variants.insert(key("dim"), Value::Boolean(true));
    world.by("ana").done(create(definition));
    world.by("ana").done(pin("checkout", "dev", "dim"));
    let decision = world.edit("checkout", |d| drop(d.variants.remove("dim")));
    let rejection = decision.unwrap_err();
    assert_eq!(rejection.code(), "conflict");
    assert!(rejection.to_string().contains("dev"), "{rejection}");
}

#[test]
fn a_prerequisite_keeps_its_flag_and_its_variant() {
    let mut world = World::new();
    let mut base = flag("base");
    base.variants.insert(key("dim"), Value::Boolean(true));
    world.by("ana").done(create(base));
    let mut definition = flag("checkout");
    let mut prerequisite = needs("base");
    prerequisite.variants.push(key("dim"));
    rules_of(&mut definition, "prod")
        .prerequisites
        .push(prerequisite);
    world.by("ana").done(create(definition));

    for spoil in [
        (|d| drop(d.variants.remove("dim"))) as fn(&mut FlagDefinition),
        |d| d.closed = key("dim"),
    ] {
        let rejection = world.edit("base", spoil).unwrap_err();
        assert_eq!(rejection.code(), "conflict");
        assert!(rejection.to_string().contains("checkout"), "{rejection}");
    }
    let seen = world.flag("base").defined_revision;
    let rejection = world
        .by("ana")
        .seen(seen)
        .refused(Command::ArchiveFlag { flag: key("base") });
    assert_eq!(rejection.code(), "conflict");
    assert!(
        rejection.to_string().contains("checkout in prod"),
        "{rejection}"
    );
}

#[test]
fn prerequisites_never_lead_round_in_a_circle() {
    let mut world = World::with_flags(["a"]);
    for (name, base) in [("b", "a"), ("c", "b")] {
        let mut definition = flag(name);
        rules_of(&mut definition, "prod")
            .prerequisites
            .push(needs(base));
        world.by("ana").done(create(definition));
    }
    world
        .edit("a", |d| rules_of(d, "dev").prerequisites.push(needs("c")))
        .unwrap();
    let rejection = world
        .edit("a", |d| rules_of(d, "prod").prerequisites.push(needs("c")))
        .unwrap_err();
    let sentence = rejection.to_string();
    assert!(sentence.contains("a → c → b → a"), "{sentence}");
    assert!(sentence.contains("environments.prod"), "{sentence}");
}

#[test]
fn rules_are_added_moved_and_removed_one_by_one() {
    let mut world = World::with_flags(["checkout"]);
    let rule_command = |id: &str, at| {
        let mut rule = rule("plan == \"a\"");
        rule.id = id.into();
        Command::AddRule {
            flag: key("checkout"),
            environment: key("prod"),
            rule,
            at,
        }
    };
    let step = |world: &mut World, command: Command| {
        let seen = world.flag("checkout").defined_revision;
        let decision = world.by("ana").seen(seen).ask(command);
        let rules = world.flag("checkout").definition.rules_in("prod");
        let ids: Vec<String> = rules.iter().map(|rule| rule.id.to_string()).collect();
        (
            decision.map(|d| matches!(d, Decision::Append(_))),
            ids.join(" "),
        )
    };
    let shift = |rule: &str, to| Command::MoveRule {
        flag: key("checkout"),
        environment: key("prod"),
        rule: rule.into(),
        to,
    };
    let remove = |rule: &str| Command::RemoveRule {
        flag: key("checkout"),
        environment: key("prod"),
        rule: rule.into(),
    };
    for (command, wanted, ids) in [
        (rule_command("r1", None), Ok(true), "r1"),
        (rule_command("r2", None), Ok(true), "r1 r2"),
        (rule_command("r3", Some(0)), Ok(true), "r3 r1 r2"),
        (rule_command("r3", None), Err("exists"), "r3 r1 r2"),
        (rule_command("r4", Some(4)), Err("invalid"), "r3 r1 r2"),
        (shift("r3", 2), Ok(true), "r1 r2 r3"),
        (shift("r3", 2), Ok(false), "r1 r2 r3"),
        (shift("r3", 3), Err("invalid"), "r1 r2 r3"),
        (shift("r9", 0), Err("not-found"), "r1 r2 r3"),
        (remove("r2"), Ok(true), "r1 r3"),
        (remove("r2"), Err("not-found"), "r1 r3"),
    ] {
        let sentence = format!("{command:?}");
        let (decision, now) = step(&mut world, command);
        let decision = decision.as_ref().map_err(Rejection::code);
        assert_eq!(
            (decision, now.as_str()),
            (wanted.as_ref().map_err(|c| *c), ids),
            "{sentence}"
        );
    }
}

#[test]
fn a_token_of_one_environment_edits_only_what_changes_nothing_elsewhere() {
    let mut world = World::with_flags(["checkout"]);
    world.admit(scoped(token("stg", Role::Operator), &["staging"], &[]));
    let seen = world.flag("checkout").defined_revision;
    let widen = edit(world.flag("checkout"), |d| {
        d.variants.insert(key("dim"), Value::Boolean(true));
    });
    let in_prod = edit(world.flag("checkout"), |d| {
        rules_of(d, "prod").rules.push(rule("plan == \"a\""));
    });
    for command in [widen, in_prod] {
        let rejection = world.by("stg").seen(seen).refused(command);
        assert_eq!(rejection.code(), "denied", "{rejection}");
    }
    let archive = Command::ArchiveFlag {
        flag: key("checkout"),
    };
    assert_eq!(world.by("stg").seen(seen).refused(archive).code(), "denied");
    let in_staging = edit(world.flag("checkout"), |d| {
        rules_of(d, "staging").rules.push(rule("plan == \"a\""));
    });
    world.by("stg").seen(seen).done(in_staging);
    world.by("stg").done(open("checkout", "staging", "5"));
    let rejection = world
        .by("stg")
        .because("x")
        .refused(open("checkout", "prod", "5"));
    assert_eq!(rejection.code(), "denied");
}

#[test]
fn a_token_of_some_keys_edits_no_others() {
    let mut world = World::with_flags(["pay-a", "search"]);
    world.admit(scoped(token("pay", Role::Operator), &[], &["pay-*"]));
    world.by("pay").done(create(flag("pay-b")));
    assert_eq!(
        world.by("pay").refused(create(flag("other"))).code(),
        "denied"
    );
    let seen = world.flag("search").defined_revision;
    let command = edit(world.flag("search"), |d| d.owner = "b".to_owned());
    assert_eq!(world.by("pay").seen(seen).refused(command).code(), "denied");
    assert_eq!(
        world.by("pay").refused(open("search", "dev", "1")).code(),
        "denied"
    );
    world.by("pay").done(open("pay-a", "dev", "1"));
}

#[test]
fn a_brake_token_edits_nothing() {
    let mut world = World::with_flags(["checkout"]);
    let seen = world.flag("checkout").defined_revision;
    let command = edit(world.flag("checkout"), |d| d.owner = "b".to_owned());
    assert_eq!(
        world.by("oncall").seen(seen).refused(command).code(),
        "denied"
    );
    assert_eq!(
        world.by("oncall").refused(create(flag("x"))).code(),
        "denied"
    );
}

#[test]
fn a_flag_is_archived_only_when_it_is_closed_everywhere() {
    let mut world = World::with_flags(["checkout"]);
    world.open("checkout", "prod", "5");
    let archive = || Command::ArchiveFlag {
        flag: key("checkout"),
    };
    let seen = world.flag("checkout").defined_revision;
    let rejection = world.by("ana").seen(seen).refused(archive());
    assert_eq!(rejection.code(), "conflict");
    assert!(rejection.to_string().contains("prod"), "{rejection}");
    world.kill("checkout", "prod");
    assert_eq!(world.by("ana").refused(archive()).code(), "match-required");
    let refused = world.by("ana").seen(seen).refused(archive());
    assert_eq!(refused.code(), "reason-required", "it was killed in prod");
    let revision = world
        .by("ana")
        .because("the code is gone")
        .seen(seen)
        .done(archive());
    let again = world.by("ana").ask(archive());
    assert_eq!(again, Ok(Decision::Unchanged { revision }));
    // Its name is not free: what is archived can come back.
    assert_eq!(
        world.by("ana").refused(create(flag("checkout"))).code(),
        "conflict"
    );
    world.by("ana").done(undo(revision));
    assert!(is_latched(world.position("checkout", "prod")));
}
