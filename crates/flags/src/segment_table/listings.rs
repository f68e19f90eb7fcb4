//! The inverted index: from a unit to the segments that name it.

use hashbrown::HashMap;

use super::SegmentId;

/// From every unit that is listed anywhere to the segments that list it.
#[derive(Debug, Default)]
pub(super) struct Listings {
    by_unit: HashMap<Box<str>, Box<[Listing]>, foldhash::fast::FixedState>,
}

/// One segment that names a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Listing {
    segment: SegmentId,
    /// Excluded by name, which beats everything else.
    pub(super) is_excluded: bool,
}

impl Listings {
    pub(super) fn new<'a>(
        segments: impl Iterator<Item = (SegmentId, &'a [Box<str>], &'a [Box<str>])>,
    ) -> Self {
        let mut all: Vec<(&str, Listing)> = Vec::new();
        for (segment, include, exclude) in segments {
            let listing = |is_excluded| Listing {
                segment,
                is_excluded,
            };
            all.extend(exclude.iter().map(|unit| (&**unit, listing(true))));
            all.extend(include.iter().map(|unit| (&**unit, listing(false))));
        }
        // Exclusions first, so that they are the ones kept below.
        all.sort_unstable_by_key(|(unit, listing)| (*unit, listing.segment, !listing.is_excluded));
        all.dedup_by_key(|(unit, listing)| (*unit, listing.segment));
        let mut by_unit = HashMap::default();
        for group in all.chunk_by(|(left, _), (right, _)| left == right) {
            if let Some((unit, _)) = group.first() {
                let listings = group.iter().map(|(_, listing)| *listing).collect();
                by_unit.insert(Box::from(*unit), listings);
            }
        }
        by_unit.shrink_to_fit();
        Self { by_unit }
    }

    /// The segments that name `unit`, sorted by number.
    pub(super) fn of(&self, unit: &str) -> &[Listing] {
        self.by_unit.get(unit).map_or(&[], |listings| listings)
    }
}

/// What one segment says of the unit, if it names it.
pub(super) fn find(listings: &[Listing], segment: SegmentId) -> Option<Listing> {
    let index = listings
        .binary_search_by_key(&segment, |listing| listing.segment)
        .ok()?;
    listings.get(index).copied()
}
