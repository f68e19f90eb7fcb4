//! Confirmations: who has a revision, and who has not, with what to do about it.

use leverframe_flags::FlagKey;

use super::Member;
use crate::limit::SILENT_MS;
use crate::time::Timestamp;

/// Who has a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    /// The revision.
    pub revision: u64,
    /// How many evaluators count.
    pub expected: usize,
    /// How many of them have acknowledged it.
    pub confirmed: usize,
    /// The others, sorted by instance.
    pub stragglers: Vec<Straggler>,
    /// Definitions that evaluators which have the revision refused; those flags are closed there.
    pub refusals: Vec<Refusal>,
    /// How many have joined and were not sent their first snapshot; they do not count yet.
    pub joining: usize,
}

/// An evaluator that counts and has not acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Straggler {
    /// Its own name.
    pub instance: Box<str>,
    /// The application it is part of.
    pub application: Box<str>,
    /// The application's build.
    pub build: Box<str>,
    /// When it was last heard.
    pub last_seen: Timestamp,
    /// Whether it is connected.
    pub is_connected: bool,
    /// The revision it last said it stands at.
    pub acknowledged_revision: Option<u64>,
    /// What kind of straggler it is.
    pub kind: StragglerKind,
    /// What to do about it, in words.
    pub what_to_do: String,
}

/// Why an evaluator has not acknowledged, as far as can be seen from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StragglerKind {
    /// Its connection is gone, and it did not say goodbye.
    Disconnected,
    /// It is connected and was not heard for [`SILENT_MS`].
    Silent,
    /// It answers, and has refused definitions.
    Refused,
    /// It was heard lately and has not come so far; a process that was stopped a moment ago, too.
    Behind,
}

/// A definition that an evaluator refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Who.
    pub instance: Box<str>,
    /// Which flag.
    pub flag: FlagKey,
    /// Why.
    pub why: String,
}

impl Confirmation {
    pub(super) fn of<'a>(
        members: impl Iterator<Item = &'a Member>,
        revision: u64,
        has_it: impl Fn(&Member) -> bool,
        now: Timestamp,
    ) -> Self {
        let mut confirmation = Self {
            revision,
            expected: 0,
            confirmed: 0,
            stragglers: Vec::new(),
            refusals: Vec::new(),
            joining: 0,
        };
        for member in members {
            if !member.counts {
                confirmation.joining += 1;
                continue;
            }
            confirmation.expected += 1;
            if has_it(member) {
                confirmation.confirmed += 1;
                let refusals = member.refused.iter().map(|(flag, why)| Refusal {
                    instance: member.instance.clone(),
                    flag: flag.clone(),
                    why: why.clone(),
                });
                confirmation.refusals.extend(refusals);
            } else {
                confirmation.stragglers.push(Straggler::of(member, now));
            }
        }
        confirmation
    }

    /// Whether nobody counts. Never the same as confirmed: say "nobody follows prod".
    #[must_use]
    pub fn is_empty_roll(&self) -> bool {
        self.expected == 0
    }

    /// Whether somebody counts, and everybody who counts has it.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.expected > 0 && self.confirmed == self.expected
    }
}

impl Straggler {
    fn of(member: &Member, now: Timestamp) -> Self {
        let silent_ms = now.ms_since(member.last_seen);
        let kind = if !member.is_connected {
            StragglerKind::Disconnected
        } else if silent_ms > SILENT_MS {
            StragglerKind::Silent
        } else if !member.refused.is_empty() {
            StragglerKind::Refused
        } else {
            StragglerKind::Behind
        };
        Self {
            instance: member.instance.clone(),
            application: member.application.clone(),
            build: member.build.clone(),
            last_seen: member.last_seen,
            is_connected: member.is_connected,
            acknowledged_revision: member.acknowledged.as_ref().map(|a| a.revision),
            kind,
            what_to_do: kind.what_to_do(member, silent_ms / 1_000),
        }
    }
}

impl StragglerKind {
    /// A stable word for programs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disconnected => "disconnected",
            Self::Silent => "silent",
            Self::Refused => "refused",
            Self::Behind => "behind",
        }
    }

    fn what_to_do(self, member: &Member, silent_s: i64) -> String {
        match self {
            Self::Disconnected => format!(
                "its connection is gone and it did not say goodbye ({silent_s} s ago): if the \
                 process still runs it serves what it last knew; stop or restart it, or restore \
                 its network"
            ),
            Self::Silent => format!(
                "it is connected and stopped answering {silent_s} s ago: look whether the process \
                 is paused, overloaded or cut off; stop or restart it"
            ),
            Self::Refused => {
                let flags: Vec<&str> = member
                    .refused
                    .iter()
                    .take(5)
                    .map(|(flag, _)| flag.as_str())
                    .collect();
                format!(
                    "it answers and refuses the definition of {}, which it keeps closed: update \
                     its client ({})",
                    flags.join(", "),
                    member.version
                )
            }
            Self::Behind => format!(
                "it was heard {silent_s} s ago and has not confirmed yet: wait a moment and ask \
                 again; if it stays behind, look whether the process is paused or overloaded, and \
                 restart it"
            ),
        }
    }
}
