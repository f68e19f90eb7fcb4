//! The inverted index: from a unit to the segments that name it. It holds no text of its own; the
//! units stand in the segments that name them.
//!
//! It is in two parts, so that an edit of one segment does not cost an index of all of them: the
//! base, and what is listed by segments that have changed since, which the base is no longer asked
//! about. When the second part has grown, both are made into one.

use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::Arc;

use hashbrown::HashTable;

use super::SegmentId;
use super::units::Units;

/// The listings of one unit that are remembered while its context is asked about; those of a unit
/// that is in more segments are looked up each time.
const FOUND_MAX: usize = 8;
/// The second part may have this share of the base's lines, and some more.
const SHARE: usize = 8;
const SMALL: usize = 1_000;

/// From every unit that is listed anywhere to the segments that list it.
#[derive(Debug, Default)]
pub(super) struct Listings {
    base: Arc<Index>,
    changed: Index,
    /// The segments that the second part is about, sorted.
    superseded: Box<[SegmentId]>,
}

/// Lines by the hash of their unit; a unit may have several.
#[derive(Debug, Default)]
struct Index(HashTable<Line>);

/// One line of a segment's lists.
#[derive(Debug, Clone, Copy)]
struct Line {
    listing: Listing,
    at: u32,
}

/// That a segment names a unit: its number, doubled, and one more if it excludes the unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Listing(u32);

/// What lists one unit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    listings: [Listing; FOUND_MAX],
    count: usize,
    /// There were too many to remember.
    pub(super) is_more: bool,
}

impl Listing {
    fn new(segment: SegmentId, is_excluded: bool) -> Self {
        Self(segment.0.wrapping_shl(1) | u32::from(is_excluded))
    }

    fn segment(self) -> SegmentId {
        SegmentId(self.0 >> 1)
    }

    fn is_excluded(self) -> bool {
        self.0 & 1 == 1
    }
}

impl Index {
    fn new<'u>(segments: impl Iterator<Item = (SegmentId, &'u Units)> + Clone) -> Self {
        let lines = segments.clone().map(|(_, units)| units.count());
        let mut index = HashTable::with_capacity(lines.fold(0, usize::saturating_add));
        for (segment, units) in segments {
            for line in units.lines() {
                let found = Line {
                    listing: Listing::new(segment, line.is_excluded),
                    at: line.at,
                };
                // There is room for all, so that nothing is ever hashed again.
                index.insert_unique(hash(line.unit), found, |_| 0);
            }
        }
        Self(index)
    }
}

impl Listings {
    /// The listings once some segments list other units; `units` are those of all segments by
    /// their numbers.
    pub(super) fn revised(&self, changed: &[SegmentId], units: &[Units]) -> Self {
        let mut superseded: Vec<SegmentId> = self.superseded.to_vec();
        superseded.extend(changed);
        superseded.sort_unstable();
        superseded.dedup();
        let lists = |id: &SegmentId| Some((*id, units.get(id.index())?));
        let lines = superseded.iter().filter_map(lists);
        let lines = lines
            .map(|(_, units)| units.count())
            .fold(0, usize::saturating_add);
        if lines > (self.base.0.len() / SHARE).saturating_add(SMALL) || self.base.0.is_empty() {
            let all = (0_u32..).map(SegmentId).zip(units);
            return Self {
                base: Arc::new(Index::new(all)),
                ..Self::default()
            };
        }
        Self {
            base: Arc::clone(&self.base),
            changed: Index::new(superseded.iter().filter_map(lists)),
            superseded: superseded.into(),
        }
    }

    /// What lists `unit`.
    pub(super) fn of(&self, unit: &str, units: &[Units]) -> Found {
        let mut found = Found {
            listings: [Listing(u32::MAX); FOUND_MAX],
            count: 0,
            is_more: false,
        };
        self.visit(unit, units, &mut |listing| found.add(listing));
        found
    }

    /// Whether one segment names `unit`, and if so, whether it includes it.
    pub(super) fn says(&self, segment: SegmentId, unit: &str, units: &[Units]) -> Option<bool> {
        let mut says = None;
        self.visit(unit, units, &mut |listing| {
            if listing.segment() == segment {
                says = Some(says.unwrap_or(true) && !listing.is_excluded());
            }
        });
        says
    }

    #[inline]
    fn visit(&self, unit: &str, units: &[Units], visit: &mut impl FnMut(Listing)) {
        let hash = hash(unit.as_bytes());
        let is_it = |line: &Line| {
            let units = units.get(line.listing.segment().index());
            units.and_then(|units| units.unit_at(line.at)) == Some(unit.as_bytes())
        };
        for line in self.base.0.iter_hash(hash) {
            // Where a superseded segment's line was, another unit may stand by now.
            let is_current = self.superseded.is_empty()
                || self
                    .superseded
                    .binary_search(&line.listing.segment())
                    .is_err();
            if is_current && is_it(line) {
                visit(line.listing);
            }
        }
        if !self.superseded.is_empty() {
            for line in self.changed.0.iter_hash(hash) {
                if is_it(line) {
                    visit(line.listing);
                }
            }
        }
    }
}

impl Found {
    fn add(&mut self, listing: Listing) {
        match self.listings.get_mut(self.count) {
            Some(slot) => {
                *slot = listing;
                self.count = self.count.saturating_add(1);
            }
            None => self.is_more = true,
        }
    }

    /// Whether a segment names the unit, and if so, whether it includes it: one that excludes it
    /// and includes it too says the former. Only where there were not too many to remember.
    #[inline]
    pub(super) fn says(&self, segment: SegmentId) -> Option<bool> {
        let mut says = None;
        for listing in self.listings.iter().take(self.count) {
            if listing.segment() == segment {
                says = Some(says.unwrap_or(true) && !listing.is_excluded());
            }
        }
        says
    }
}

#[inline]
fn hash(unit: &[u8]) -> u64 {
    // The bytes and not their length too: every lookup pays for it.
    let mut hasher = foldhash::fast::FixedState::default().build_hasher();
    hasher.write(unit);
    hasher.finish()
}
