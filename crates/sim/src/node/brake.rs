//! Kills that are out and not in the journal, by the rules of the real node's `Brakes`.

use std::collections::{BTreeMap, BTreeSet};

use leverframe_core::access::Actor;
use leverframe_core::{Command, Idempotency, Selection, Timestamp, Why};
use leverframe_flags::{EnvironmentKey, FlagKey};
use serde::{Deserialize, Serialize};

use crate::operator::Request;

/// A kill that is out and not in the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Brake {
    pub(crate) number: u64,
    pub(crate) environment: EnvironmentKey,
    pub(crate) flags: BTreeSet<FlagKey>,
    /// The revision of the journal it was decided on.
    pub(crate) decided_on: u64,
    pub(crate) at: Timestamp,
    pub(crate) errand: u64,
    pub(crate) operator: usize,
    pub(crate) actor: Box<str>,
    pub(crate) why: Why,
    pub(crate) idempotency: Option<Idempotency>,
}

/// Every kill that is out and not in the journal, in the form it is kept in.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Brakes {
    last_number: u64,
    pub(crate) outstanding: BTreeMap<u64, Brake>,
}

impl Brakes {
    /// What a disk kept of them.
    pub(crate) fn kept(bytes: Option<Vec<u8>>) -> Self {
        bytes
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default()
    }

    /// Numbers a kill. Every leadership has numbers of its own, beyond those before it: one that was
    /// lost with a process is never given again, whatever the clock says.
    pub(super) fn add(
        &mut self,
        request: &Request,
        (now, decided_on): (Timestamp, u64),
        fence: u64,
        (environment, flags): (EnvironmentKey, BTreeSet<FlagKey>),
    ) -> Brake {
        self.last_number = (fence << 32).max(self.last_number) + 1;
        let brake = Brake {
            number: self.last_number,
            environment,
            flags,
            decided_on,
            at: now,
            errand: request.errand,
            operator: request.operator,
            actor: request.actor.id().into(),
            why: request.why.clone(),
            idempotency: request.idempotency.clone(),
        };
        self.outstanding.insert(brake.number, brake.clone());
        brake
    }

    /// The number under which these flags are closed already.
    pub(super) fn covering(
        &self,
        environment: &EnvironmentKey,
        flags: &BTreeSet<FlagKey>,
    ) -> Option<u64> {
        let mut all = self.outstanding.values();
        let found =
            all.find(|brake| brake.environment == *environment && flags.is_subset(&brake.flags));
        found.map(|brake| brake.number)
    }
}

impl Brake {
    /// The command that stores it.
    pub(super) fn request(&self) -> Request {
        Request {
            errand: self.errand,
            operator: self.operator,
            command: Command::Close {
                flags: Selection::Flags(self.flags.clone()),
                environment: self.environment.clone(),
            },
            actor: Actor::Token {
                id: self.actor.clone(),
            },
            why: self.why.clone(),
            if_match: None,
            idempotency: self.idempotency.clone(),
        }
    }
}
