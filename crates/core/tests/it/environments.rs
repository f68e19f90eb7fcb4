//! Environments and tokens: for admins only.

use std::collections::BTreeSet;

use leverframe_core::access::{Role, Token};
use leverframe_core::{Command, Decision, Rejection};

use crate::world::{World, key, open, scoped, token, undo};

fn guard(name: &str, guarded: bool) -> Command {
    Command::GuardEnvironment {
        key: key(name),
        guarded,
    }
}

fn make(token: Token) -> Command {
    Command::CreateToken {
        token: Box::new(token),
    }
}

#[test]
fn only_an_admin_makes_environments_guards_and_tokens() {
    let mut world = World::new();
    for command in [
        Command::CreateEnvironment {
            key: key("qa"),
            guarded: false,
        },
        guard("staging", true),
        make(token("x", Role::Viewer)),
        Command::RevokeToken { id: "eve".into() },
    ] {
        for name in ["ana", "oncall", "eve"] {
            let rejection = world.by(name).refused(command.clone());
            assert_eq!(rejection.code(), "denied", "{name}: {command:?}");
        }
        world.by("root").done(command);
    }
}

#[test]
fn a_guard_is_turned_on_freely_and_off_with_a_reason() {
    let mut world = World::with_flags(["checkout"]);
    let on = world.by("root").done(guard("staging", true));
    let again = world.by("root").ask(guard("staging", true));
    assert_eq!(again, Ok(Decision::Unchanged { revision: on }));
    let rejection = world.by("ana").refused(open("checkout", "staging", "5"));
    assert_eq!(rejection.code(), "reason-required");
    assert_eq!(
        world.by("root").refused(guard("staging", false)).code(),
        "reason-required"
    );
    world
        .by("root")
        .because("test")
        .done(guard("staging", false));
    world.by("ana").done(open("checkout", "staging", "5"));
}

#[test]
fn the_guard_is_taken_back_only_by_an_admin_and_with_a_reason() {
    let mut world = World::new();
    let on = world.by("root").done(guard("staging", true));
    assert_eq!(
        world.by("ana").because("x").refused(undo(on)).code(),
        "denied"
    );
    assert_eq!(world.by("root").refused(undo(on)).code(), "reason-required");
    world.by("root").because("x").done(undo(on));
    assert!(
        !world
            .state
            .environment("staging")
            .unwrap()
            .environment
            .guarded
    );
}

#[test]
fn every_flag_is_closed_in_a_new_environment() {
    let mut world = World::with_flags(["checkout"]);
    world.open("checkout", "dev", "100");
    world.by("root").done(Command::CreateEnvironment {
        key: key("qa"),
        guarded: false,
    });
    assert!(world.position("checkout", "qa").is_closed());
    let again = Command::CreateEnvironment {
        key: key("qa"),
        guarded: true,
    };
    assert_eq!(world.by("root").refused(again).code(), "exists");
}

#[test]
fn a_token_has_the_scopes_its_role_needs() {
    let mut world = World::new();
    let spoilt = |name: &str, spoil: fn(&mut Token)| {
        let mut token = token(name, Role::Operator);
        spoil(&mut token);
        token
    };
    for token in [
        token("e", Role::Evaluator),
        scoped(token("e", Role::Evaluator), &["dev", "prod"], &[]),
        scoped(token("e", Role::Evaluator), &["dev"], &["a*"]),
        token("c", Role::ClientEvaluator),
        scoped(token("a", Role::Admin), &["dev"], &[]),
        scoped(token("o", Role::Operator), &[], &["a b"]),
        spoilt("o", |token| token.name = " ".into()),
        spoilt("o", |token| token.secret_sha256 = "secret".into()),
        spoilt("o", |token| {
            token.expires_at = Some(leverframe_core::Timestamp::from_ms(1));
        }),
        spoilt("system", |_| {}),
    ] {
        let sentence = format!("{token:?}");
        let rejection = world.by("root").refused(make(token));
        assert_eq!(rejection.code(), "invalid", "{sentence}");
    }
    let elsewhere = scoped(token("e", Role::Evaluator), &["qa"], &[]);
    assert_eq!(
        world.by("root").refused(make(elsewhere)).code(),
        "not-found"
    );
    world.admit(scoped(token("e", Role::Evaluator), &["dev"], &[]));
    world.admit(scoped(
        token("c", Role::ClientEvaluator),
        &["dev"],
        &["web-*"],
    ));
    let again = scoped(token("c", Role::ClientEvaluator), &["dev"], &[]);
    assert_eq!(world.by("root").refused(make(again)).code(), "exists");
}

#[test]
fn the_last_admin_token_cannot_be_revoked() {
    let mut world = World::new();
    let revoke = |id: &str| Command::RevokeToken { id: id.into() };
    assert_eq!(world.by("root").refused(revoke("root")).code(), "conflict");
    world.admit(token("root2", Role::Admin));
    let revoked = world.by("root").done(revoke("root"));
    let again = world.by("root2").ask(revoke("root"));
    assert_eq!(again, Ok(Decision::Unchanged { revision: revoked }));
    assert_eq!(
        world.by("root2").refused(revoke("root2")).code(),
        "conflict"
    );
    assert!(matches!(
        world.by("root2").refused(revoke("oncal")),
        Rejection::NotFound { similar: Some(near), .. } if near == "oncall"
    ));
}

#[test]
fn making_a_token_is_undone_by_revoking_it_and_a_revocation_stays() {
    let mut world = World::new();
    world.admit(token("x", Role::Brake));
    let made = world.revision();
    world.by("root").done(undo(made));
    assert!(world.state.token("x").unwrap().revoked_at.is_some());
    let revoked = world
        .by("root")
        .done(Command::RevokeToken { id: "eve".into() });
    let rejection = world.by("root").refused(undo(revoked));
    assert_eq!(rejection.code(), "conflict");
    assert!(
        rejection.to_string().contains("stays revoked"),
        "{rejection}"
    );
    let names: BTreeSet<&str> = world
        .state
        .tokens()
        .filter(|entry| entry.works_at(world.now))
        .map(|entry| &*entry.token.id)
        .collect();
    assert_eq!(names, BTreeSet::from(["ana", "oncall", "root"]));
}
