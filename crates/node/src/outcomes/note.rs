//! What a measurement carries for the collector itself: what was learned of units in its interval, so
//! that a stage goes on after a restart and nobody counts twice.
//!
//! `1, count of names, each name as length and text, threshold (8 bytes), then for each unit its hash
//! (8 bytes), its arms and its bad bits`. Numbers are little-endian.

use super::stage::Known;

const VERSION: u8 = 1;
const UNIT_BYTES: usize = 10;

/// What was learned in one interval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Note {
    pub(super) names: Vec<Box<str>>,
    pub(super) threshold: u64,
    pub(super) learned: Vec<(u64, Known)>,
}

impl Note {
    pub(super) fn write(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION, u8::try_from(self.names.len()).unwrap_or(u8::MAX)];
        for name in self.names.iter().take(usize::from(u8::MAX)) {
            bytes.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
            bytes.extend(name.bytes().take(usize::from(u8::MAX)));
        }
        bytes.extend(self.threshold.to_le_bytes());
        bytes.reserve(self.learned.len() * UNIT_BYTES);
        for (hash, known) in &self.learned {
            bytes.extend(hash.to_le_bytes());
            bytes.extend([known.arms, known.bad]);
        }
        bytes
    }

    /// `None` when it is not one of ours, or broken off.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let [VERSION, names_count, rest @ ..] = bytes else {
            return None;
        };
        let mut rest = rest;
        let mut names = Vec::new();
        for _ in 0..*names_count {
            let (length, after) = rest.split_first()?;
            let (name, after) = after.split_at_checked(usize::from(*length))?;
            names.push(std::str::from_utf8(name).ok()?.into());
            rest = after;
        }
        let (threshold, rest) = rest.split_first_chunk()?;
        let (units, []) = rest.as_chunks::<UNIT_BYTES>() else {
            return None;
        };
        let learned = units
            .iter()
            .map(|[hash @ .., arms, bad]| {
                let known = Known {
                    arms: *arms,
                    bad: *bad,
                };
                (u64::from_le_bytes(*hash), known)
            })
            .collect();
        Some(Self {
            names,
            threshold: u64::from_le_bytes(*threshold),
            learned,
        })
    }
}
