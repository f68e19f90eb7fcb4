//! Kills that are out and not in the journal: none is lost while anything holds it, none is told as
//! what it is not, and whoever has one stays closed until the journal says otherwise.

use std::collections::{BTreeMap, BTreeSet};

use leverframe_core::Confirmation;
use leverframe_flags::{EnvironmentKey, FlagKey};
use leverframe_store::Beside;
use leverframe_store::memory::Disk;

use super::answers::Table;
use super::{Auditor, Verdict, demand};
use crate::clock::Clock;
use crate::evaluator::Evaluator;
use crate::node::{Brake, Brakes, Node};

/// What is known of the kills that ever were out ahead of the journal.
#[derive(Debug, Default)]
pub(super) struct Out {
    kills: BTreeMap<u64, Kill>,
    /// The kills that each process has really applied.
    applied: BTreeMap<Box<str>, BTreeSet<u64>>,
}

#[derive(Debug)]
struct Kill {
    brake: Brake,
    /// The process that holds it.
    boot: u64,
    /// What has it: an epoch and a revision.
    stored_as: Option<(u64, u64)>,
    /// It was kept nowhere when the process that held it ended, or there was nothing to close.
    is_gone: bool,
}

impl Auditor {
    /// A node puts a kill out.
    pub(crate) fn note_brake(&mut self, brake: &Brake, boot: u64) {
        let kill = Kill {
            brake: brake.clone(),
            boot,
            stored_as: None,
            is_gone: false,
        };
        self.out.kills.insert(brake.number, kill);
    }

    /// P3: a node says that a kill is in the journal; then it is closed there.
    pub(crate) fn note_settled(&mut self, number: u64, revision: Option<u64>) -> Verdict {
        let epoch = self.state.epoch();
        let Some(kill) = self.out.kills.get_mut(&number) else {
            return demand(false, "P3", || {
                format!("kill {number} is stored, and nobody gave it")
            });
        };
        let Some(revision) = revision else {
            kill.is_gone = true;
            let is_in_use = |flag: &FlagKey| {
                let known = self.state.flag(flag.as_str());
                known.is_some_and(|known| !known.is_archived)
            };
            let left: Vec<&FlagKey> = kill
                .brake
                .flags
                .iter()
                .filter(|flag| is_in_use(flag))
                .collect();
            return demand(left.is_empty(), "P3", || {
                format!("kill {number} is taken for gone, and {left:?} is there to be closed")
            });
        };
        kill.stored_as.get_or_insert((epoch, revision));
        let Some(ledger) = self.ledgers.get(&epoch) else {
            return Ok(());
        };
        let environment = &kill.brake.environment;
        let killed: BTreeSet<&FlagKey> = ledger
            .killed(environment, revision)
            .map(|(flag, _)| flag)
            .collect();
        for flag in &kill.brake.flags {
            let known = self.state.flag(flag.as_str());
            let is_in_use = known.is_some_and(|known| !known.is_archived);
            demand(!is_in_use || killed.contains(flag), "P3", || {
                format!(
                    "r{revision} is said to have kill {number}, and {flag} is not closed in {environment} there"
                )
            })?;
        }
        Ok(())
    }

    /// The request of a kill that is out may be stored after all, by itself.
    pub(super) fn note_own_record(&mut self) {
        let epoch = self.state.epoch();
        let Some(record) = self.entries.last().map(|entry| &entry.record) else {
            return;
        };
        for kill in self.out.kills.values_mut() {
            let is_its_own = *record.via == *format!("errand {}", kill.brake.errand);
            if is_its_own && kill.stored_as.is_none() {
                kill.stored_as = Some((epoch, record.revision));
            }
        }
    }

    /// P3: what a node has kept beside the journal is what is out.
    pub(crate) fn check_kept(&self, node: usize, held: &Brakes, disk: &Disk) -> Verdict {
        let kept = Brakes::kept(disk.load_brakes());
        demand(kept.outstanding == held.outstanding, "P3", || {
            format!("node {node} has kept its kills beside the journal, and they are not there")
        })
    }

    /// A process ends, or leads no longer: what it held and nothing keeps is gone.
    pub(crate) fn note_process_gone(&mut self, boot: u64, disk: &Disk) -> u64 {
        let kept = Brakes::kept(disk.load_brakes());
        let mut lost = 0;
        let held = self.out.kills.values_mut().filter(|kill| kill.boot == boot);
        for kill in held.filter(|kill| kill.stored_as.is_none() && !kill.is_gone) {
            kill.is_gone = !kept.outstanding.contains_key(&kill.brake.number);
            lost += u64::from(kill.is_gone);
        }
        lost
    }

    /// P3: a process that begins to lead has every kill that is out and was kept.
    pub(crate) fn note_brakes_taken_up(&mut self, boot: u64, held: &Brakes) -> Verdict {
        for (number, kill) in &mut self.out.kills {
            let is_out = kill.stored_as.is_none() && !kill.is_gone;
            demand(
                !is_out || held.outstanding.contains_key(number),
                "P3",
                || {
                    format!(
                        "kill {number} is not stored, and the node that leads now does not know it"
                    )
                },
            )?;
            if held.outstanding.contains_key(number) {
                kill.boot = boot;
            }
        }
        Ok(())
    }

    /// P3: at the end every kill is in the journal that anything held.
    pub(crate) fn check_brakes_stored(&self) -> Verdict {
        let left = self
            .out
            .kills
            .iter()
            .find(|(_, kill)| kill.stored_as.is_none() && !kill.is_gone);
        demand(left.is_none(), "P3", || {
            format!(
                "everything works again, and kill {:?} was not stored",
                left.map(|(number, _)| number)
            )
        })
    }

    /// Notes which kills a process has now, and checks that it is closed where it has to be.
    pub(super) fn check_braked(&mut self, evaluator: &Evaluator, told: &Table) -> Verdict {
        let Some(cursor) = evaluator.cursor() else {
            return Ok(());
        };
        let name = evaluator.instance();
        let here = (cursor.epoch, cursor.revision);
        let is_closed = |flag: &FlagKey| {
            told.get(flag)
                .is_none_or(|row| row.variants.iter().all(|variant| *variant == row.closed))
        };
        let applied = self.out.applied.entry(name.clone()).or_default();
        for (number, kill) in self.out.kills.range(..=cursor.brake) {
            // Who has a kill was told of those before it that are out as well.
            let is_here = kill.brake.environment == evaluator.environment;
            if *number == cursor.brake || (is_here && kill.brake.flags.iter().all(is_closed)) {
                applied.insert(*number);
            }
        }
        for number in applied.iter() {
            let Some(kill) = self.out.kills.get(number) else {
                continue;
            };
            let is_over = kill.stored_as.is_some_and(|stored| stored <= here);
            if is_over || kill.is_gone || kill.brake.environment != evaluator.environment {
                continue;
            }
            for flag in &kill.brake.flags {
                demand(is_closed(flag), "P3", || {
                    format!(
                        "{name} has kill {number}, which is not stored, and {flag} is open there"
                    )
                })?;
            }
        }
        Ok(())
    }

    /// The flags that a process may hold closed whatever the journal says at its place.
    pub(super) fn may_be_held(&self, evaluator: &Evaluator) -> BTreeSet<FlagKey> {
        let Some(cursor) = evaluator.cursor() else {
            return BTreeSet::new();
        };
        let here = (cursor.epoch, cursor.revision);
        let held = self.out.kills.values().filter(|kill| {
            let is_over = kill.stored_as.is_some_and(|stored| stored <= here);
            !is_over && kill.brake.environment == evaluator.environment
        });
        held.flat_map(|kill| kill.brake.flags.iter().cloned())
            .collect()
    }

    /// P4: who counts as having a kill that is not stored really has it.
    pub(crate) fn check_brake_confirmation(
        &self,
        confirmation: &Confirmation,
        environment: &EnvironmentKey,
        number: u64,
        node: &Node,
        clock: &Clock,
    ) -> Verdict {
        let (Some(kill), Some(feed)) = (self.out.kills.get(&number), node.feeds.get(environment))
        else {
            return Ok(());
        };
        let members = feed.roll.members(node.steady(clock));
        for member in members.filter(|member| member.counts) {
            let is_named = confirmation
                .stragglers
                .iter()
                .any(|straggler| straggler.instance == member.instance);
            let applied = self.out.applied.get(&member.instance);
            let has_kill = applied.is_some_and(|applied| applied.contains(&number));
            let reached = self.reached(&member.instance).unwrap_or_default();
            let has_record = kill.stored_as.is_some_and(|stored| reached >= stored);
            demand(is_named || has_kill || has_record, "P4", || {
                format!(
                    "{} counts as having kill {number} and has only been at r{}",
                    member.instance, reached.1
                )
            })?;
        }
        Ok(())
    }

    /// Whether somebody's errand is a kill.
    pub(crate) fn is_kill(&self, errand: u64) -> bool {
        let via: Box<str> = format!("errand {errand}").into();
        let request = self.requests.get(&via);
        request.is_some_and(|request| {
            matches!(request.command, leverframe_core::Command::Close { .. })
        })
    }
}
