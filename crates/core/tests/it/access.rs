//! Secrets, and what each role may do at a surface.

use leverframe_core::access::{Permission, Role, TokenSecret, authenticate};
use leverframe_core::{Command, Rejection};

use crate::world::{World, key, scoped, token};

#[test]
fn a_secret_opens_its_own_token_and_nothing_else() {
    let mut world = World::new();
    let secret = TokenSecret::generate([7; 32], 0x5f3a);
    assert!(secret.text.starts_with("lever_0000000000005f3a_"));
    assert!(!format!("{secret:?}").contains("0707"), "never in a log");
    let mut made = token(&secret.id, Role::Brake);
    made.secret_sha256 = secret.sha256.clone();
    made.expires_at = Some(world.now.plus_ms(10));
    world.admit(made);

    let found = authenticate(&world.state, &secret.text, world.now).unwrap();
    assert_eq!(found.token.id, secret.id);
    let other = TokenSecret::generate([8; 32], 0x5f3a).text;
    for wrong in [
        other.as_str(),
        "",
        "lever_",
        "lever__",
        "tok_5f3a",
        &secret.text[1..],
    ] {
        let refused = authenticate(&world.state, wrong, world.now);
        assert_eq!(refused, Err(Rejection::Unauthenticated), "{wrong}");
    }
    let expired = authenticate(&world.state, &secret.text, world.now.plus_ms(10));
    assert_eq!(expired, Err(Rejection::Unauthenticated));
    world
        .by("root")
        .done(Command::RevokeToken { id: secret.id });
    let revoked = authenticate(&world.state, &secret.text, world.now);
    assert_eq!(revoked, Err(Rejection::Unauthenticated));
}

#[test]
fn every_role_may_do_exactly_what_the_table_says() {
    use Role::{Admin, Brake, ClientEvaluator, Evaluator, Operator, Viewer};
    let roles = [Viewer, Evaluator, ClientEvaluator, Brake, Operator, Admin];
    let table = [
        (Permission::ReadControl, "v--boa"),
        (Permission::ReadEnvironment(key("prod")), "v--boa"),
        (Permission::ReadJournal, "v--boa"),
        (Permission::ReadMetrics, "v--boa"),
        (Permission::Change, "---boa"),
        (Permission::Follow(key("prod")), "-e----"),
        (Permission::Evaluate(key("prod")), "vecboa"),
        (Permission::ManageTokens, "-----a"),
        (Permission::ManageEnvironments, "-----a"),
        (Permission::Maintain, "-----a"),
    ];
    for (permission, row) in table {
        for (role, mark) in roles.into_iter().zip(row.chars()) {
            let permitted = scoped(token("t", role), &["prod"], &[]).permits(&permission);
            assert_eq!(permitted.is_ok(), mark != '-', "{role} {permission:?}");
        }
    }
}

#[test]
fn a_token_of_another_environment_reads_nothing_of_this_one() {
    for role in [
        Role::Viewer,
        Role::Evaluator,
        Role::ClientEvaluator,
        Role::Operator,
    ] {
        let token = scoped(token("t", role), &["staging"], &[]);
        for permission in [
            Permission::ReadEnvironment(key("prod")),
            Permission::Follow(key("prod")),
            Permission::Evaluate(key("prod")),
        ] {
            assert!(token.permits(&permission).is_err(), "{role} {permission:?}");
        }
    }
}

#[test]
fn a_client_evaluator_sees_only_what_is_marked_and_matches() {
    let client = scoped(token("c", Role::ClientEvaluator), &["prod"], &["web-*"]);
    assert!(client.sees("web-a", true));
    assert!(!client.sees("web-a", false));
    assert!(!client.sees("api-a", true));
    let server = scoped(token("s", Role::Evaluator), &["prod"], &[]);
    assert!(server.sees("api-a", false));
}
