//! The flags of a rule set by number and by name, made so that replacing a few of ten thousand
//! costs microseconds: numbers lead through chunks, and only the touched chunks are copied.

use std::hash::BuildHasher as _;
use std::sync::Arc;

use hashbrown::HashTable;

use super::FlagIndex;
use super::flag::Flag;

/// Flags in one chunk.
const CHUNK: usize = 64;

/// The flags, sorted by key.
#[derive(Debug, Clone, Default)]
pub(super) struct Roster {
    /// By the hash of the name. A number is all that is kept: the name is the flag's own.
    names: Arc<HashTable<FlagIndex>>,
    chunks: Vec<Arc<[Flag]>>,
    generation: u64,
}

impl Roster {
    /// Numbers `flags`, which are sorted by key, anew.
    pub(super) fn new(flags: Vec<Flag>, generation: u64) -> Self {
        let mut names = HashTable::with_capacity(flags.len());
        for (number, flag) in (0_u32..).zip(&flags) {
            let hash_of = |index: &FlagIndex| {
                let flag = usize::try_from(index.0).ok().and_then(|at| flags.get(at));
                flag.map_or(0, |flag| hash(flag.key().as_str()))
            };
            names.insert_unique(hash(flag.key().as_str()), FlagIndex(number), hash_of);
        }
        let count = flags.len().div_ceil(CHUNK);
        let mut flags = flags.into_iter();
        Self {
            names: Arc::new(names),
            chunks: (0..count)
                .map(|_| flags.by_ref().take(CHUNK).collect())
                .collect(),
            generation,
        }
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    #[inline]
    pub(super) fn find(&self, key: &str) -> Option<FlagIndex> {
        let is_it = |index: &FlagIndex| {
            self.get(*index)
                .is_some_and(|flag| flag.key().as_str() == key)
        };
        self.names.find(hash(key), is_it).copied()
    }

    #[inline]
    pub(super) fn get(&self, index: FlagIndex) -> Option<&Flag> {
        let (chunk, within) = place(index);
        self.chunks.get(chunk)?.get(within)
    }

    /// The flag of that name.
    pub(super) fn named(&self, key: &str) -> Option<&Flag> {
        self.get(self.find(key)?)
    }

    /// Puts a flag in the place of the one of its name. Flags that are not there are left out.
    pub(super) fn replace(&mut self, flag: Flag) {
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

    pub(super) fn iter(&self) -> impl Iterator<Item = &Flag> {
        self.chunks.iter().flat_map(|chunk| chunk.iter())
    }
}

#[inline]
fn hash(key: &str) -> u64 {
    foldhash::fast::FixedState::default().hash_one(key)
}

fn place(index: FlagIndex) -> (usize, usize) {
    let index = usize::try_from(index.0).unwrap_or(usize::MAX);
    (index / CHUNK, index % CHUNK)
}
