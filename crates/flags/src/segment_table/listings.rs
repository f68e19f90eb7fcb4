//! The inverted index: from a unit to the segments that name it. It holds no text of its own; every
//! unit stands in the segment that named it first.

use std::hash::BuildHasher as _;
use std::sync::Arc;

use hashbrown::HashTable;

use super::SegmentId;
use crate::definition::Segment;

/// From every unit that is listed anywhere to the segments that list it.
#[derive(Debug, Default)]
pub(super) struct Listings {
    /// By the hash of the unit.
    groups: HashTable<Group>,
    listings: Box<[Listing]>,
    sources: Sources,
}

/// One segment that names a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Listing {
    segment: SegmentId,
    /// Excluded by name, which beats everything else.
    pub(super) is_excluded: bool,
}

/// The listings of one unit: where its text is, and where they are.
#[derive(Debug, Clone, Copy)]
struct Group {
    text: Place,
    first: u32,
    count: u32,
}

/// One line of a segment's lists: the excluded units first, then the included ones.
#[derive(Debug, Clone, Copy)]
struct Place {
    segment: SegmentId,
    line: u32,
}

/// By number: the segments that can be asked about.
#[derive(Debug, Default)]
struct Sources(Vec<Option<Arc<Segment>>>);

impl Sources {
    fn text(&self, place: Place) -> Option<&str> {
        let segment = self.0.get(place.segment.index())?.as_deref()?;
        let line = usize::try_from(place.line).ok()?;
        let unit = match line.checked_sub(segment.exclude.len()) {
            Some(included) => segment.include.get(included),
            None => segment.exclude.get(line),
        };
        unit.map(|unit| &**unit)
    }

    /// Every line of every segment.
    fn lines(&self) -> impl Iterator<Item = (Place, Listing, &str)> {
        (0_u32..).zip(&self.0).flat_map(|(number, segment)| {
            let segment_id = SegmentId(number);
            let lists = segment.iter().flat_map(|segment| {
                let excluded = segment.exclude.iter().map(|unit| (true, unit));
                excluded.chain(segment.include.iter().map(|unit| (false, unit)))
            });
            (0_u32..)
                .zip(lists)
                .map(move |(line, (is_excluded, unit))| {
                    let place = Place {
                        segment: segment_id,
                        line,
                    };
                    let listing = Listing {
                        segment: segment_id,
                        is_excluded,
                    };
                    (place, listing, &**unit)
                })
        })
    }
}

impl Listings {
    pub(super) fn new(segments: Vec<Option<Arc<Segment>>>) -> Self {
        let sources = Sources(segments);
        let lines = sources.lines().count();
        let mut groups: HashTable<Group> = HashTable::with_capacity(lines);
        let rehash = |group: &Group| sources.text(group.text).map_or(0, hash);
        // First how many lines each unit has, then where they go. Lines come in the order of the
        // segments' numbers, exclusions first, and so do the listings of each unit.
        for (text, _, unit) in sources.lines() {
            groups
                .entry(
                    hash(unit),
                    |group| sources.text(group.text) == Some(unit),
                    rehash,
                )
                .and_modify(|group| group.count = group.count.saturating_add(1))
                .or_insert(Group {
                    text,
                    first: 0,
                    count: 1,
                });
        }
        let mut next = 0_u32;
        for group in &mut groups {
            group.first = next;
            next = next.saturating_add(std::mem::take(&mut group.count));
        }
        let nothing = Listing {
            segment: SegmentId(u32::MAX),
            is_excluded: false,
        };
        let mut listings = vec![nothing; lines];
        for (_, listing, unit) in sources.lines() {
            let is_it = |group: &Group| sources.text(group.text) == Some(unit);
            let Some(group) = groups.find_mut(hash(unit), is_it) else {
                continue;
            };
            let end = group.count.saturating_add(1);
            let Some([before @ .., last]) = slots_mut(&mut listings, group.first, end) else {
                continue;
            };
            // A segment that excludes a unit and includes it too says the former.
            if before
                .last()
                .is_some_and(|known| known.segment == listing.segment)
            {
                continue;
            }
            *last = listing;
            group.count = group.count.saturating_add(1);
        }
        groups.shrink_to_fit(rehash);
        Self {
            groups,
            listings: listings.into(),
            sources,
        }
    }

    /// The segments that name `unit`, sorted by number.
    pub(super) fn of(&self, unit: &str) -> &[Listing] {
        let is_it = |group: &Group| self.sources.text(group.text) == Some(unit);
        let group = self.groups.find(hash(unit), is_it);
        group
            .and_then(|group| slots(&self.listings, group.first, group.count))
            .unwrap_or(&[])
    }
}

fn slots(listings: &[Listing], first: u32, count: u32) -> Option<&[Listing]> {
    let first = usize::try_from(first).ok()?;
    let count = usize::try_from(count).ok()?;
    listings.get(first..first.checked_add(count)?)
}

fn slots_mut(listings: &mut [Listing], first: u32, count: u32) -> Option<&mut [Listing]> {
    let first = usize::try_from(first).ok()?;
    let count = usize::try_from(count).ok()?;
    listings.get_mut(first..first.checked_add(count)?)
}

fn hash(unit: &str) -> u64 {
    foldhash::fast::FixedState::default().hash_one(unit)
}

/// What one segment says of the unit, if it names it.
pub(super) fn find(listings: &[Listing], segment: SegmentId) -> Option<Listing> {
    let index = listings
        .binary_search_by_key(&segment, |listing| listing.segment)
        .ok()?;
    listings.get(index).copied()
}
