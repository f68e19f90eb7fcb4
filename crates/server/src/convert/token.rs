//! Tokens and roles.

use leverframe_core::access::Role;
use leverframe_core::state::TokenEntry;
use leverframe_wire::admin;

/// What a token is to be allowed.
pub(crate) fn role(wire: admin::Role) -> Role {
    match wire {
        admin::Role::Viewer => Role::Viewer,
        admin::Role::Evaluator => Role::Evaluator,
        admin::Role::ClientEvaluator => Role::ClientEvaluator,
        admin::Role::Brake => Role::Brake,
        admin::Role::Operator => Role::Operator,
        admin::Role::Admin => Role::Admin,
    }
}

fn role_view(role: Role) -> admin::Role {
    match role {
        Role::Viewer => admin::Role::Viewer,
        Role::Evaluator => admin::Role::Evaluator,
        Role::ClientEvaluator => admin::Role::ClientEvaluator,
        Role::Brake => admin::Role::Brake,
        Role::Operator => admin::Role::Operator,
        Role::Admin => admin::Role::Admin,
    }
}

/// A token, without its secret's hash.
pub(crate) fn token_view(entry: &TokenEntry) -> admin::Token {
    let token = &entry.token;
    admin::Token {
        id: token.id.to_string(),
        name: token.name.to_string(),
        role: role_view(token.role),
        environments: token.environments.iter().map(ToString::to_string).collect(),
        keys: token.keys.iter().map(ToString::to_string).collect(),
        created_at: entry.created_at.to_string(),
        expires_at: token.expires_at.map(|at| at.to_string()),
        revoked_at: entry.revoked_at.map(|at| at.to_string()),
    }
}
