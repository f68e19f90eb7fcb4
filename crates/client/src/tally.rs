//! Tallies: how often which variant was answered, counted where it happens and gathered elsewhere.
//!
//! Every thread counts in a [`Block`] of its own, which nobody else writes; the gatherer reads all
//! blocks and works with differences. So counting is a plain load and store, with no lock, no
//! shared cache line and nothing to reset.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::sync::{Arc, Mutex, PoisonError};

use leverframe_flags::{FlagKey, Outcome, RuleSet, VariantKey};

/// Most different flag and variant pairs kept between two flushes; counts of further ones are lost.
pub(crate) const PAIRS_MAX: usize = 100_000;

/// Where each variant of each flag of a rule set is counted.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Layout {
    /// By the flag's number: its first cell, and one more for the end of the last flag's. All that
    /// counting looks at, and small, because every evaluation does.
    first_cells: Box<[u32]>,
    flags: Box<[FlagLayout]>,
}

#[derive(Debug, PartialEq)]
struct FlagLayout {
    key: FlagKey,
    /// In the order of a definition's variants. Flags of the same variants share them.
    variants: Arc<[VariantKey]>,
}

impl Layout {
    /// A cell for every variant that a rule set's flags can answer.
    pub(crate) fn new(rules: &RuleSet) -> Self {
        // Flags are numbered in the order in which they are listed.
        Self::of(rules.flags().map(|flag| {
            let mut variants: Vec<VariantKey> = flag
                .variants()
                .map(|(variant, _)| variant.clone())
                .collect();
            if variants.is_empty() {
                variants.push(flag.closed.0.clone());
            }
            (flag.key.clone(), variants)
        }))
    }

    fn of(flags: impl IntoIterator<Item = (FlagKey, Vec<VariantKey>)>) -> Self {
        let mut shared: HashMap<Vec<VariantKey>, Arc<[VariantKey]>> = HashMap::new();
        let flags: Box<[FlagLayout]> = flags
            .into_iter()
            .map(|(key, variants)| FlagLayout {
                key,
                variants: match shared.get(&variants) {
                    Some(known) => Arc::clone(known),
                    None => {
                        let new: Arc<[VariantKey]> = variants.as_slice().into();
                        shared.insert(variants, Arc::clone(&new));
                        new
                    }
                },
            })
            .collect();
        let mut next = 0_u32;
        let mut first_cells = vec![next];
        first_cells.extend(flags.iter().map(|flag| {
            next = next.saturating_add(u32::try_from(flag.variants.len()).unwrap_or(u32::MAX));
            next
        }));
        Self {
            first_cells: first_cells.into(),
            flags,
        }
    }

    fn cells(&self) -> usize {
        self.first_cells.last().map_or(0, |end| *end as usize)
    }

    #[inline]
    fn cell(&self, flag_index: usize, variant_number: u32) -> Option<usize> {
        let [first, end] = self.first_cells.get(flag_index..)?.first_chunk()?;
        let cell = first.checked_add(variant_number)?;
        (cell < *end).then_some(cell as usize)
    }

    /// The cell of a variant by its name, where the answer did not come from a definition.
    #[cold]
    fn named_cell(&self, flag_index: usize, variant: &str) -> Option<usize> {
        let variants = &self.flags.get(flag_index)?.variants;
        let number = variants
            .iter()
            .position(|known| known.as_str() == variant)?;
        self.cell(flag_index, u32::try_from(number).ok()?)
    }
}

/// One thread's counters.
#[derive(Debug)]
pub(crate) struct Block {
    layout: Arc<Layout>,
    cells: Box<[AtomicU64]>,
}

impl Block {
    fn new(layout: Arc<Layout>) -> Self {
        Self {
            cells: (0..layout.cells()).map(|_| AtomicU64::new(0)).collect(),
            layout,
        }
    }

    #[inline]
    pub(crate) fn is_for(&self, layout: &Arc<Layout>) -> bool {
        Arc::ptr_eq(&self.layout, layout)
    }

    /// Counts one answer; false when the layout has no cell for it. Only the block's own thread may
    /// call this: the load and the store are two steps.
    #[inline]
    pub(crate) fn count(&self, flag_index: usize, outcome: &Outcome<'_>) -> bool {
        let cell = match outcome.variant_number {
            Some(number) => self.layout.cell(flag_index, number),
            None => self.layout.named_cell(flag_index, outcome.variant),
        };
        match cell.and_then(|cell| self.cells.get(cell)) {
            Some(cell) => {
                cell.store(
                    cell.load(Ordering::Relaxed).wrapping_add(1),
                    Ordering::Relaxed,
                );
                true
            }
            None => false,
        }
    }
}

/// All blocks of one client.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    gathered: Mutex<Gathered>,
}

#[derive(Debug, Default)]
struct Gathered {
    blocks: Vec<SeenBlock>,
    pending: BTreeMap<(FlagKey, VariantKey), u64>,
}

#[derive(Debug)]
struct SeenBlock {
    block: Arc<Block>,
    seen: Box<[u64]>,
}

impl Tally {
    /// A block for the calling thread.
    pub(crate) fn open(&self, layout: &Arc<Layout>) -> Arc<Block> {
        let block = Arc::new(Block::new(Arc::clone(layout)));
        let seen = vec![0; block.cells.len()].into_boxed_slice();
        let mut gathered = self.lock();
        // Threads come and go faster than flushes in some programs; their blocks must not pile up.
        gathered.gather_finished();
        gathered.blocks.push(SeenBlock {
            block: Arc::clone(&block),
            seen,
        });
        block
    }

    /// Counts an answer that no layout foresaw, such as a latched variant that the definition no
    /// longer has.
    #[cold]
    pub(crate) fn count_apart(&self, flag: &str, variant: &str) {
        if let (Ok(flag), Ok(variant)) = (FlagKey::new(flag), VariantKey::new(variant)) {
            self.lock().add(&flag, &variant, 1);
        }
    }

    /// Everything counted since the last time.
    pub(crate) fn take(&self) -> BTreeMap<(FlagKey, VariantKey), u64> {
        let mut gathered = self.lock();
        gathered.gather_all();
        std::mem::take(&mut gathered.pending)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Gathered> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gathered {
    fn gather_all(&mut self) {
        self.gather(|_| true);
    }

    fn gather_finished(&mut self) {
        self.gather(|is_finished| is_finished);
    }

    fn gather(&mut self, wanted: impl Fn(bool) -> bool) {
        for mut seen in std::mem::take(&mut self.blocks) {
            // Nobody else holds it, so nobody writes to it any more. The fence pairs with the
            // release with which the last holder let go, so its last counts are seen.
            let is_finished = Arc::strong_count(&seen.block) == 1;
            if is_finished {
                fence(Ordering::Acquire);
            }
            if wanted(is_finished) {
                self.read(&mut seen);
            }
            if !is_finished {
                self.blocks.push(seen);
            }
        }
    }

    fn read(&mut self, SeenBlock { block, seen }: &mut SeenBlock) {
        for (flag, first) in block.layout.flags.iter().zip(&block.layout.first_cells) {
            for (at, variant) in (*first as usize..).zip(&*flag.variants) {
                let (Some(cell), Some(seen)) = (block.cells.get(at), seen.get_mut(at)) else {
                    continue;
                };
                let now = cell.load(Ordering::Relaxed);
                let more = now.wrapping_sub(*seen);
                if more > 0 {
                    *seen = now;
                    self.add(&flag.key, variant, more);
                }
            }
        }
    }

    fn add(&mut self, flag: &FlagKey, variant: &VariantKey, count: u64) {
        let pair = (flag.clone(), variant.clone());
        if self.pending.len() >= PAIRS_MAX && !self.pending.contains_key(&pair) {
            return;
        }
        let sum = self.pending.entry(pair).or_default();
        *sum = sum.saturating_add(count);
    }
}

#[cfg(test)]
mod tests;
