//! The auditor: folds the journal on the disk for itself, keeps what follows from it, and holds
//! everybody to it. It knows what really happened, which nobody in the world does.

mod answers;
mod brake;
mod confirmation;
mod evaluator;
mod ledger;
mod record;
mod ruling;

use std::collections::BTreeMap;

use leverframe_core::{Entry, Link, State};
use leverframe_flags::EnvironmentKey;
use leverframe_store::Reader;
use leverframe_store::memory::Disk;

use crate::operator::Request;
use answers::Answers;
use brake::Out;
use confirmation::Heard;
use ledger::Ledger;

/// A promise that was broken, and what was seen.
#[derive(Debug, Clone)]
pub(crate) struct Broken {
    pub(crate) promise: &'static str,
    pub(crate) what: String,
}

pub(crate) type Verdict = Result<(), Broken>;

/// The verdict when something is as it must be, or else.
pub(crate) fn demand(is_so: bool, promise: &'static str, what: impl FnOnce() -> String) -> Verdict {
    match is_so {
        true => Ok(()),
        false => Err(Broken {
            promise,
            what: what(),
        }),
    }
}

/// What is true, and who has been told what.
pub(crate) struct Auditor {
    /// The fold of everything on the disk.
    pub(crate) state: State,
    /// Every state of this history, by revision, for comparing with what nodes hold.
    entries: Vec<Entry>,
    /// What an evaluator must answer at each place it can be: epoch, environment, revision.
    answers: BTreeMap<(u64, EnvironmentKey, u64), Answers>,
    /// Which levers were killed when, for each epoch.
    ledgers: BTreeMap<u64, Ledger>,
    /// What operators were told is stored.
    told: BTreeMap<u64, Link>,
    /// What operators asked for, by errand.
    requests: BTreeMap<Box<str>, Request>,
    /// The first revision that a key led to.
    keys: BTreeMap<(Box<str>, Box<str>), u64>,
    /// The furthest place that each process has really been at.
    reached: BTreeMap<Box<str>, (u64, u64)>,
    heard: Heard,
    /// Kills that were out ahead of the journal.
    out: Out,
    pub(crate) counts: Counts,
}

/// What the auditor counts for the report.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) kills: u64,
    pub(crate) reopenings: u64,
    pub(crate) undos: u64,
    pub(crate) growths: u64,
    pub(crate) answers: u64,
    pub(crate) repeats: u64,
}

impl Auditor {
    pub(crate) fn new() -> Self {
        Self {
            state: State::new(),
            entries: Vec::new(),
            answers: BTreeMap::new(),
            ledgers: BTreeMap::new(),
            told: BTreeMap::new(),
            requests: BTreeMap::new(),
            keys: BTreeMap::new(),
            reached: BTreeMap::new(),
            heard: Heard::default(),
            out: Out::default(),
            counts: Counts::default(),
        }
    }

    /// The journal as it is.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// An operator sends something; records of it must be what it asked for.
    pub(crate) fn expect(&mut self, request: &Request) {
        self.requests.insert(request.via(), request.clone());
    }

    /// Reads what is new on the disk. Whatever was there once must be there still.
    pub(crate) fn observe(&mut self, disk: &Disk) -> Verdict {
        let unreadable = |error: leverframe_store::StoreError| Broken {
            promise: "P5",
            what: format!("the journal cannot be read: {error}"),
        };
        let head = Reader::head(disk).map_err(unreadable)?;
        demand(head.revision >= self.state.revision(), "P5", || {
            let lost = head.revision + 1;
            let was_told = self
                .told
                .range(lost..)
                .next()
                .map_or("nobody was told of it", |_| "operators were told of it");
            format!("r{lost} was in the journal and is gone; {was_told}")
        })?;
        for entry in disk
            .read(self.state.revision(), usize::MAX)
            .map_err(unreadable)?
        {
            self.note(entry)?;
        }
        Ok(())
    }

    fn note(&mut self, entry: Entry) -> Verdict {
        let before = self.state.clone();
        self.state.apply(&entry).map_err(|error| Broken {
            promise: "P5",
            what: format!("the journal contradicts itself: {error}"),
        })?;
        if before.epoch() != self.state.epoch() {
            // Another history begins: what was told of the old one ends where the backup did.
            self.told
                .retain(|revision, _| *revision < entry.record.revision);
            let mut ledger = Ledger::default();
            for earlier in &self.entries {
                ledger.note(earlier, &self.entries).map_err(|why| Broken {
                    promise: "P3",
                    what: why,
                })?;
            }
            self.ledgers.insert(self.state.epoch(), ledger);
        }
        self.note_answers(&entry);
        self.entries.push(entry);
        self.note_own_record();
        self.check_record(&before)
    }

    /// Begins again with the journal of a backup; what is known of other epochs stays known.
    pub(crate) fn restored(&mut self, disk: &Disk) -> Verdict {
        let replaced = std::mem::take(&mut self.state);
        let latched = crate::node::latched(&replaced);
        let unreadable = |error: leverframe_store::StoreError| Broken {
            promise: "P5",
            what: format!("the restored journal cannot be read: {error}"),
        };
        let entries = disk.read(0, usize::MAX).map_err(unreadable)?;
        let kept = entries.len().saturating_sub(1);
        demand(entries[..kept] == self.entries[..kept], "P5", || {
            "a restore changed a record".to_owned()
        })?;
        self.entries.truncate(kept);
        self.keys.retain(|_, revision| *revision <= kept as u64);
        let mut backup = State::new();
        for entry in &self.entries {
            backup.apply(entry).map_err(|error| Broken {
                promise: "P5",
                what: error.to_string(),
            })?;
        }
        self.state = backup;
        self.observe(disk)?;
        for (flag, environment) in latched {
            let Some(known) = self.state.flag(flag.as_str()) else {
                continue;
            };
            let is_latched =
                leverframe_core::position::latch(known.position(environment.as_str())).is_some();
            demand(is_latched, "P3", || {
                format!(
                    "{flag} was killed in {environment} when a backup was restored, and is not any more"
                )
            })?;
        }
        Ok(())
    }

    /// An operator was told that something is stored.
    pub(crate) fn told_stored(&mut self, revision: u64, link: Option<Link>) -> Verdict {
        let there = self
            .entries
            .get(revision as usize - 1)
            .map(|entry| entry.link);
        demand(there.is_some(), "P5", || {
            format!("an operator is told that r{revision} is stored, and it is not")
        })?;
        if let (Some(there), Some(link)) = (there, link) {
            demand(there == link, "P5", || {
                format!("an operator is told that r{revision} is stored, and another record is")
            })?;
            self.told.insert(revision, link);
        }
        Ok(())
    }

    /// What a node holds must be what the journal says, if it has come as far.
    pub(crate) fn check_node(&self, index: usize, state: &State) -> Verdict {
        let revision = state.revision() as usize;
        let known = self
            .entries
            .get(revision - 1)
            .is_some_and(|entry| entry.link == state.head());
        demand(known, "P5", || {
            format!("node {index} shows r{revision}, which is not in the journal")
        })?;
        let is_equal = revision < self.entries.len() || *state == self.state;
        demand(is_equal, "P5", || {
            format!("node {index} and a fold of the journal differ at r{revision}")
        })
    }

    /// At the end: the whole chain, and every record as it was first seen.
    pub(crate) fn check_end(&self, disk: &Disk) -> Verdict {
        let broken = |what: String| Broken {
            promise: "P9",
            what,
        };
        let head = leverframe_store::Head {
            revision: self.state.revision(),
            link: self.state.head(),
        };
        disk.verify(Some(head), &mut |_| {})
            .map_err(|error| broken(error.to_string()))?;
        let entries = disk
            .read(0, usize::MAX)
            .map_err(|error| broken(error.to_string()))?;
        demand(entries == self.entries, "P9", || {
            "a record was changed after it was written".to_owned()
        })?;
        let mut refold = State::new();
        for entry in &entries {
            refold
                .apply(entry)
                .map_err(|error| broken(error.to_string()))?;
        }
        demand(refold == self.state, "P5", || {
            "folding the journal again gives another state".to_owned()
        })
    }
}
