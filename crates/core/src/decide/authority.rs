//! Who asks, and what that lets them do here: the checks that every command shares.

use std::sync::Arc;

use leverframe_flags::{EnvironmentKey, FlagKey, SegmentKey};

use crate::access::{Actor, Role, Token};
use crate::command::Meta;
use crate::event::Event;
use crate::rejection::Rejection;
use crate::similar::similar;
use crate::state::{EnvironmentEntry, Flag, SegmentEntry, State};

use super::Decision;

/// A command before the state, with who gave it.
pub(super) struct Case<'a> {
    pub(super) state: &'a State,
    pub(super) meta: &'a Meta,
    role: Role,
    /// `None` for the node itself, which everything is open to.
    token: Option<&'a Token>,
}

impl<'a> Case<'a> {
    /// Looks the actor up, now: a revocation counts at once.
    pub(super) fn open(state: &'a State, meta: &'a Meta) -> Result<Self, Rejection> {
        if state.revision() == 0 {
            return Err(Rejection::Conflict {
                why: "this journal has not been started".to_owned(),
            });
        }
        let (role, token) = match &meta.actor {
            Actor::System => (Role::Admin, None),
            Actor::Token { id } => {
                let entry = state
                    .token(id)
                    .filter(|entry| entry.works_at(meta.now))
                    .ok_or(Rejection::Unauthenticated)?;
                (entry.token.role, Some(&*entry.token))
            }
        };
        let case = Self {
            state,
            meta,
            role,
            token,
        };
        case.demand_role(Role::Brake, "change anything")?;
        Ok(case)
    }

    /// Brake, operator or admin; each may do what the one before it may.
    pub(super) fn demand_role(&self, least: Role, what: &str) -> Result<(), Rejection> {
        if self.role >= least {
            return Ok(());
        }
        let may = match self.role {
            Role::Brake => ", which may only close or lower",
            _ => "",
        };
        Err(Rejection::Denied {
            why: format!(
                "to {what} takes a token of role {least} or above; this one is of role {}{may}",
                self.role
            ),
        })
    }

    /// The token is for this environment.
    pub(super) fn demand_environment(&self, environment: &str) -> Result<(), Rejection> {
        match self.token {
            Some(token) if !token.allows_environment(environment) => Err(Rejection::Denied {
                why: format!("this token is not for the environment {environment}"),
            }),
            _ => Ok(()),
        }
    }

    /// The token is for flags of this key.
    pub(super) fn demand_key(&self, flag: &str) -> Result<(), Rejection> {
        if self.allows_key(flag) {
            return Ok(());
        }
        Err(Rejection::Denied {
            why: format!("this token is not for the flag {flag}"),
        })
    }

    /// The token is for every flag: what it is used for concerns them all.
    pub(super) fn demand_every_key(&self, what: &str) -> Result<(), Rejection> {
        if self.token.is_none_or(|token| token.keys.is_empty()) {
            return Ok(());
        }
        Err(Rejection::Denied {
            why: format!("to {what} concerns every flag there, and this token is for some"),
        })
    }

    pub(super) fn allows_key(&self, flag: &str) -> bool {
        self.token.is_none_or(|token| token.allows_key(flag))
    }

    /// What an opening needs beyond `If-Match`: an operator, and a reason where it is guarded.
    pub(super) fn demand_opening(
        &self,
        environment: &EnvironmentEntry,
        what: &str,
    ) -> Result<(), Rejection> {
        self.demand_role(Role::Operator, what)?;
        self.demand_thawed(&environment.environment.key)?;
        if environment.environment.guarded {
            self.demand_reason(&environment.environment.key)?;
        }
        Ok(())
    }

    /// Nothing is opened where it is frozen.
    fn demand_thawed(&self, environment: &EnvironmentKey) -> Result<(), Rejection> {
        let Some(freeze) = self.state.freeze(environment.as_str(), self.meta.now) else {
            return Ok(());
        };
        let minutes = freeze.until.ms_since(self.meta.now).div_euclid(60_000) + 1;
        let why = freeze.reason.as_deref().unwrap_or("no reason given");
        Err(Rejection::Conflict {
            why: format!(
                "{environment} is frozen by {} for {minutes} more minutes ({why}), and nothing is opened \
                 there; end it with: lever thaw -e {environment} -r \"…\"",
                freeze.by
            ),
        })
    }

    /// Only the node itself says what it sees.
    pub(super) fn demand_node(&self, what: &str) -> Result<(), Rejection> {
        if self.meta.actor == Actor::System {
            return Ok(());
        }
        Err(Rejection::Denied {
            why: format!("only the server itself may {what}"),
        })
    }

    /// What people call the actor.
    pub(super) fn actor_name(&self) -> Box<str> {
        self.token
            .map_or("system".into(), |token| token.name.clone())
    }

    pub(super) fn demand_reason(&self, environment: &EnvironmentKey) -> Result<(), Rejection> {
        if self.meta.why.tidied().reason.is_some() {
            return Ok(());
        }
        Err(Rejection::ReasonRequired {
            environment: environment.to_string(),
        })
    }

    /// `If-Match` is current; it may be absent where it is not required.
    pub(super) fn demand_match(&self, current: u64, is_required: bool) -> Result<(), Rejection> {
        match self.meta.if_match {
            None if is_required => Err(Rejection::MatchRequired { current }),
            Some(given) if given != current => Err(Rejection::Stale { given, current }),
            _ => Ok(()),
        }
    }

    pub(super) fn environment(
        &self,
        key: &EnvironmentKey,
    ) -> Result<&'a EnvironmentEntry, Rejection> {
        self.state.environment(key.as_str()).ok_or_else(|| {
            let names = self.state.environments();
            missing(
                "environment",
                key.as_str(),
                names.map(|entry| entry.environment.key.as_str()),
            )
        })
    }

    /// A flag that is not archived.
    pub(super) fn flag(&self, key: &FlagKey) -> Result<&'a Arc<Flag>, Rejection> {
        match self.state.flag(key.as_str()) {
            Some(flag) if flag.is_archived => Err(Rejection::Conflict {
                why: format!(
                    "{key} is archived since r{0}; `lever undo r{0} -r \"…\"` takes it back into use",
                    flag.defined_revision
                ),
            }),
            Some(flag) => Ok(flag),
            None => {
                let names = self.state.flags().filter(|flag| !flag.is_archived);
                let names = names.map(|flag| flag.key().as_str());
                Err(missing("flag", key.as_str(), names))
            }
        }
    }

    pub(super) fn segment(&self, key: &SegmentKey) -> Result<&'a Arc<SegmentEntry>, Rejection> {
        self.state.segment(key.as_str()).ok_or_else(|| {
            let names = self.state.segments();
            missing(
                "segment",
                key.as_str(),
                names.map(|entry| entry.segment.key.as_str()),
            )
        })
    }
}

/// What is named does not exist; the nearest name that does.
pub(super) fn missing<'n>(
    noun: &'static str,
    key: &str,
    names: impl Iterator<Item = &'n str>,
) -> Rejection {
    Rejection::NotFound {
        noun,
        key: key.to_owned(),
        similar: similar(key, names),
    }
}

pub(super) fn append(event: Event) -> Decision {
    Decision::Append(vec![event])
}
