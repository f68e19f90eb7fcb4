//! The board: what evaluations read, and where the follower publishes. Reading takes no lock and
//! touches no cache line that another reader writes.

use std::cell::RefCell;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::{ArcSwap, Cache};
use leverframe_flags::RuleSet;

use crate::complaint::Complaints;
use crate::outcomes::Recorder;
use crate::tally::{Block, Layout, Tally};

/// A rule set as evaluations see it.
#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) rules: Arc<RuleSet>,
    /// Changes whenever a flag's number may mean another flag. A rule set's own generation cannot
    /// tell rule sets of different followers apart.
    pub(crate) generation: u32,
    /// False only until the first rule set has come.
    pub(crate) is_ready: bool,
    layout: Arc<Layout>,
}

/// What all handles of one client share.
pub(crate) struct Board {
    current: ArcSwap<Published>,
    pub(crate) tally: Tally,
    pub(crate) complaints: Complaints,
    pub(crate) recorder: Arc<Recorder>,
    is_retired: AtomicBool,
}

/// A board seen as the place a [`Cache`] looks at.
#[derive(Clone)]
struct BoardCell(Arc<Board>);

impl Deref for BoardCell {
    type Target = ArcSwap<Published>;
    fn deref(&self) -> &ArcSwap<Published> {
        &self.0.current
    }
}

/// One thread's place at one board.
struct Seat {
    board: Arc<Board>,
    cache: Cache<BoardCell, Arc<Published>>,
    block: Arc<Block>,
}

thread_local! {
    /// A thread that reads through several clients has several seats; nearly all have one.
    static SEATS: RefCell<Vec<Seat>> = const { RefCell::new(Vec::new()) };
}

impl Board {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            current: ArcSwap::from_pointee(Published {
                rules: Arc::new(RuleSet::empty()),
                generation: 0,
                is_ready: false,
                layout: Arc::default(),
            }),
            tally: Tally::default(),
            complaints: Complaints::new(),
            recorder: Arc::new(Recorder::new()),
            is_retired: AtomicBool::new(false),
        })
    }

    /// Makes a rule set the one that every evaluation begun after this call uses. `is_unrelated`
    /// says that it did not grow out of the one before.
    pub(crate) fn publish(&self, rules: &Arc<RuleSet>, is_unrelated: bool) {
        let before = self.current.load_full();
        let is_renumbered = is_unrelated || before.rules.generation() != rules.generation();
        let layout = Layout::new(rules);
        self.current.store(Arc::new(Published {
            rules: Arc::clone(rules),
            generation: before.generation.wrapping_add(u32::from(is_renumbered)),
            is_ready: true,
            // The same layout keeps every thread's counters in place.
            layout: if layout == *before.layout {
                Arc::clone(&before.layout)
            } else {
                Arc::new(layout)
            },
        }));
    }

    /// [`Board::publish`] for a rule set in which only positions differ: what a kill goes through.
    pub(crate) fn publish_positions(&self, rules: &Arc<RuleSet>) {
        let before = self.current.load_full();
        self.current.store(Arc::new(Published {
            rules: Arc::clone(rules),
            generation: before.generation,
            is_ready: true,
            layout: Arc::clone(&before.layout),
        }));
    }

    /// Lets threads give up their seats here.
    pub(crate) fn retire(&self) {
        self.is_retired.store(true, Ordering::Relaxed);
    }

    /// Runs `look`, once, on what is published now, with the calling thread's counters. Without
    /// counters while the thread ends, or when a log subscriber that is called by an evaluation
    /// evaluates.
    #[inline]
    pub(crate) fn read<R>(self: &Arc<Self>, look: impl Fn(&Published, Option<&Block>) -> R) -> R {
        let seen = SEATS.try_with(|seats| {
            let mut seats = seats.try_borrow_mut().ok()?;
            let index = match seats.iter().position(|seat| seat.is_at(self)) {
                Some(index) => index,
                None => self.sit_down(&mut seats),
            };
            let seat = seats.get_mut(index)?;
            let published = seat.cache.load();
            if !seat.block.is_for(&published.layout) {
                seat.block = self.tally.open(&published.layout);
            }
            Some(look(published, Some(&seat.block)))
        });
        match seen {
            Ok(Some(seen)) => seen,
            _ => look(&self.current.load(), None),
        }
    }

    #[cold]
    fn sit_down(self: &Arc<Self>, seats: &mut Vec<Seat>) -> usize {
        seats.retain(|seat| !seat.is_retired());
        let mut cache = Cache::new(BoardCell(Arc::clone(self)));
        let block = self.tally.open(&cache.load().layout);
        seats.push(Seat {
            board: Arc::clone(self),
            cache,
            block,
        });
        seats.len() - 1
    }
}

impl Seat {
    #[inline]
    fn is_at(&self, board: &Arc<Board>) -> bool {
        Arc::ptr_eq(&self.board, board)
    }

    fn is_retired(&self) -> bool {
        self.board.is_retired.load(Ordering::Relaxed)
    }
}
