//! What each role may do at a surface. Every handler asks here; what is not granted is denied.
//!
//! Changes are not in this table but for [`Permission::Change`], the right to give commands at
//! all: which command a token may give is decided with the command, against the state.

use leverframe_flags::EnvironmentKey;

use super::{Role, Token};
use crate::rejection::Rejection;

/// Something a surface is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Permission {
    /// Read flags, segments and the list of environments.
    ReadControl,
    /// Read positions, evaluators and what else belongs to one environment.
    ReadEnvironment(EnvironmentKey),
    /// Read the journal: who changed what, when and why.
    ReadJournal,
    /// Read the node's own figures.
    ReadMetrics,
    /// Give commands; which ones is decided with each command.
    Change,
    /// Follow a whole environment and acknowledge.
    Follow(EnvironmentKey),
    /// Evaluate in an environment. A client evaluator only what [`Token::sees`] says.
    Evaluate(EnvironmentKey),
    /// List, make and revoke tokens.
    ManageTokens,
    /// Make environments, and guard them or not.
    ManageEnvironments,
    /// Back up, restore and look after the node.
    Maintain,
}

impl Permission {
    fn environment(&self) -> Option<&EnvironmentKey> {
        match self {
            Self::ReadEnvironment(environment)
            | Self::Follow(environment)
            | Self::Evaluate(environment) => Some(environment),
            Self::ReadControl
            | Self::ReadJournal
            | Self::ReadMetrics
            | Self::Change
            | Self::ManageTokens
            | Self::ManageEnvironments
            | Self::Maintain => None,
        }
    }

    fn roles(&self) -> &'static [Role] {
        match self {
            Self::ReadControl
            | Self::ReadEnvironment(_)
            | Self::ReadJournal
            | Self::ReadMetrics => &[Role::Viewer, Role::Brake, Role::Operator, Role::Admin],
            Self::Change => &[Role::Brake, Role::Operator, Role::Admin],
            Self::Follow(_) => &[Role::Evaluator],
            Self::Evaluate(_) => &[
                Role::Viewer,
                Role::Evaluator,
                Role::ClientEvaluator,
                Role::Brake,
                Role::Operator,
                Role::Admin,
            ],
            Self::ManageTokens | Self::ManageEnvironments | Self::Maintain => &[Role::Admin],
        }
    }

    fn words(&self) -> String {
        match self {
            Self::ReadControl => "read flags and segments".to_owned(),
            Self::ReadEnvironment(environment) => format!("read {environment}"),
            Self::ReadJournal => "read the journal".to_owned(),
            Self::ReadMetrics => "read the node's figures".to_owned(),
            Self::Change => "change anything".to_owned(),
            Self::Follow(environment) => format!("follow {environment}"),
            Self::Evaluate(environment) => format!("evaluate in {environment}"),
            Self::ManageTokens => "manage tokens".to_owned(),
            Self::ManageEnvironments => "manage environments".to_owned(),
            Self::Maintain => "maintain the node".to_owned(),
        }
    }
}

impl Token {
    /// Whether the token may do this.
    ///
    /// # Errors
    /// [`Rejection::Denied`] says which roles could, or that the token is for other environments.
    pub fn permits(&self, permission: &Permission) -> Result<(), Rejection> {
        let roles = permission.roles();
        if !roles.contains(&self.role) {
            let could: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
            return Err(Rejection::Denied {
                why: format!(
                    "a token of role {} may not {}; one of role {} could",
                    self.role,
                    permission.words(),
                    could.join(", ")
                ),
            });
        }
        match permission.environment() {
            Some(environment) if !self.allows_environment(environment.as_str()) => {
                Err(Rejection::Denied {
                    why: format!("this token is not for the environment {environment}"),
                })
            }
            _ => Ok(()),
        }
    }

    /// Whether evaluations for this token may show a flag: everything, but for a client evaluator
    /// only what is marked client-visible and matches its keys.
    #[must_use]
    pub fn sees(&self, flag: &str, is_client_visible: bool) -> bool {
        self.role != Role::ClientEvaluator || (is_client_visible && self.allows_key(flag))
    }
}
