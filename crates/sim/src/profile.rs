//! Profiles: how much goes wrong in a world.

use crate::chance::Chance;

/// How much goes wrong. Chances are in thousandths, at each occasion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// How many nodes share the disk: one or two.
    pub nodes: usize,
    /// How many evaluators there are.
    pub evaluators: usize,
    /// How many operators there are.
    pub operators: usize,
    /// The share of connections that lose, repeat and reorder; the others are in order until they
    /// are cut.
    pub chaotic_connections: u64,
    /// The share of messages that are lost on a chaotic connection, and of answers on every way.
    pub lost: u64,
    /// The share of messages that arrive twice on a chaotic connection.
    pub repeated: u64,
    /// The longest that a message is under way, in milliseconds.
    pub delay_ms_max: u64,
    /// How often something goes wrong: the longest time in between, in milliseconds; 0 for never.
    pub trouble_every_ms: u64,
    /// How often what goes wrong is the store, while somebody pulls a kill.
    pub store_trouble: u64,
}

impl Profile {
    /// How many turns a world is usually given.
    pub const TURNS: u64 = 1_000;

    /// Nothing goes wrong.
    #[must_use]
    pub fn calm() -> Self {
        Self {
            nodes: 1,
            evaluators: 4,
            operators: 2,
            chaotic_connections: 0,
            lost: 0,
            repeated: 0,
            delay_ms_max: 20,
            trouble_every_ms: 0,
            store_trouble: 100,
        }
    }

    /// An ordinary bad day: one node, connections that break, processes that die.
    #[must_use]
    pub fn rough() -> Self {
        Self {
            operators: 3,
            chaotic_connections: 300,
            lost: 50,
            repeated: 50,
            delay_ms_max: 400,
            trouble_every_ms: 5_000,
            ..Self::calm()
        }
    }

    /// Everything at once, with two nodes over one disk.
    #[must_use]
    pub fn stormy() -> Self {
        Self {
            nodes: 2,
            chaotic_connections: 600,
            lost: 150,
            repeated: 150,
            delay_ms_max: 2_000,
            trouble_every_ms: 1_600,
            ..Self::rough()
        }
    }

    /// A store that fails most of the time, over connections that only break.
    #[must_use]
    pub fn blackout() -> Self {
        Self {
            chaotic_connections: 0,
            delay_ms_max: 100,
            trouble_every_ms: 1_600,
            store_trouble: 600,
            ..Self::rough()
        }
    }

    /// One of many, by the seed: most rough or stormy, some calm or without a store.
    #[must_use]
    pub fn of_seed(seed: u64) -> Self {
        let mut chance = Chance::new(seed ^ 0x5ea5_0f5e);
        let base = match chance.below(8) {
            0 => Self::calm(),
            1 => Self::blackout(),
            2..4 => Self::rough(),
            _ => Self::stormy(),
        };
        Self {
            nodes: if chance.percent(40) { 2 } else { base.nodes },
            evaluators: chance.between(2, 5) as usize,
            operators: chance.between(1, 3) as usize,
            delay_ms_max: chance.between(1, base.delay_ms_max),
            ..base
        }
    }
}
