//! The outside: a pager that takes what it is told, sometimes does not answer, and drops a repeat.

use std::collections::BTreeMap;

use leverframe_core::Timestamp;
use leverframe_core::effect::{Effect, Urgency};

use crate::chance::Chance;

#[derive(Debug, Default)]
pub(super) struct Pager {
    /// By name: what it is about, and how often it came.
    heard: BTreeMap<Box<str>, Heard>,
    down_until: Option<Timestamp>,
}

#[derive(Debug)]
pub(super) struct Heard {
    /// The rollout and the revision of its transition.
    pub(super) about: (Box<str>, u64),
    is_page: bool,
}

impl Pager {
    /// Tells; whether it was taken. A name that was heard is taken and makes no noise.
    pub(super) fn tell(&mut self, name: &str, effect: &Effect, now: Timestamp) -> bool {
        if self.down_until.is_some_and(|until| now < until) {
            return false;
        }
        let heard = Heard {
            about: (effect.message.rollout.clone(), effect.message.revision),
            is_page: effect.urgency == Urgency::Page,
        };
        self.heard.entry(name.into()).or_insert(heard);
        true
    }

    pub(super) fn fail(&mut self, now: Timestamp, chance: &mut Chance) {
        self.down_until = Some(now.plus_ms(chance.between(1_000, 60_000) as i64));
    }

    pub(super) fn mend(&mut self) {
        self.down_until = None;
    }

    pub(super) fn heard(&self) -> impl Iterator<Item = (&str, &Heard)> {
        self.heard.iter().map(|(name, heard)| (&**name, heard))
    }

    pub(super) fn pages(&self) -> u64 {
        self.heard.values().filter(|heard| heard.is_page).count() as u64
    }
}
