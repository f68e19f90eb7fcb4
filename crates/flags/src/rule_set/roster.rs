//! The flags of a rule set by number and by name, made so that replacing a few of ten thousand
//! costs microseconds: numbers lead through chunks, and only the touched chunks are copied.

use std::sync::Arc;

use hashbrown::HashMap;

use super::FlagIndex;
use super::flag::Flag;
use crate::key::FlagKey;

/// Flags in one chunk.
const CHUNK: usize = 64;

type Names = HashMap<FlagKey, FlagIndex, foldhash::fast::FixedState>;

/// The flags, sorted by key.
#[derive(Debug, Clone, Default)]
pub(super) struct Roster {
    names: Arc<Names>,
    chunks: Vec<Arc<[Arc<Flag>]>>,
    generation: u64,
}

impl Roster {
    /// Numbers `flags`, which are sorted by key, anew.
    pub(super) fn new(flags: &[Arc<Flag>], generation: u64) -> Self {
        let mut names = Names::default();
        names.reserve(flags.len());
        for (number, flag) in (0_u32..).zip(flags) {
            names.insert(flag.key().clone(), FlagIndex(number));
        }
        Self {
            names: Arc::new(names),
            chunks: flags.chunks(CHUNK).map(Arc::from).collect(),
            generation,
        }
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    pub(super) fn find(&self, key: &str) -> Option<FlagIndex> {
        self.names.get(key).copied()
    }

    pub(super) fn get(&self, index: FlagIndex) -> Option<&Flag> {
        let (chunk, within) = place(index);
        Some(self.chunks.get(chunk)?.get(within)?)
    }

    /// The flag of that name, to be shared.
    pub(super) fn share(&self, key: &str) -> Option<&Arc<Flag>> {
        let (chunk, within) = place(self.find(key)?);
        self.chunks.get(chunk)?.get(within)
    }

    /// Puts a flag in the place of the one of its name. Flags that are not there are left out.
    pub(super) fn replace(&mut self, flag: Arc<Flag>) {
        let Some(index) = self.find(flag.key().as_str()) else {
            return;
        };
        let (chunk, within) = place(index);
        if let Some(chunk) = self.chunks.get_mut(chunk)
            && let Some(slot) = Arc::make_mut(chunk).get_mut(within)
        {
            *slot = flag;
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<Flag>> {
        self.chunks.iter().flat_map(|chunk| chunk.iter())
    }
}

fn place(index: FlagIndex) -> (usize, usize) {
    let index = usize::try_from(index.0).unwrap_or(usize::MAX);
    (index / CHUNK, index % CHUNK)
}
