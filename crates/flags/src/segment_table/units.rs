//! The units that a segment lists, in one piece of memory: a hundred thousand names weigh little
//! more than their letters.

use std::sync::Arc;

use crate::definition::Segment;
use crate::limit::{SEGMENT_UNITS_MAX, UNIT_BYTES_MAX};
use crate::packed::{Malformed, Unpacking, pack_text};

/// The units of one segment: the excluded ones first, then the included ones, each packed as a
/// text. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Units {
    packed: Arc<[u8]>,
    included_from: u32,
    count: u32,
}

/// One unit: where it stands, and as what.
#[derive(Debug, Clone, Copy)]
pub(super) struct UnitLine<'u> {
    pub(super) at: u32,
    pub(super) is_excluded: bool,
    pub(super) unit: &'u [u8],
}

impl Units {
    /// The units of a segment that is valid, and so not longer than a `u32` counts.
    pub(super) fn of(segment: &Segment) -> Self {
        let mut packed = Vec::new();
        for unit in &segment.exclude {
            pack_text(&mut packed, unit);
        }
        let included_from = packed.len();
        for unit in &segment.include {
            pack_text(&mut packed, unit);
        }
        let count = segment.exclude.len().saturating_add(segment.include.len());
        Self {
            packed: packed.into(),
            included_from: u32::try_from(included_from).unwrap_or(u32::MAX),
            count: u32::try_from(count).unwrap_or(u32::MAX),
        }
    }

    /// Units that were packed; an error where they are not what [`Units::of`] makes.
    pub(crate) fn unpacked(packed: &[u8], included_from: usize) -> Result<Self, Malformed> {
        let (excluded, included) = packed.split_at_checked(included_from).ok_or(Malformed)?;
        let mut count = 0_u32;
        for part in [excluded, included] {
            let mut from = Unpacking::new(part);
            while !from.is_at_end() {
                if !(1..=UNIT_BYTES_MAX).contains(&from.text()?.len()) {
                    return Err(Malformed);
                }
                count = count.checked_add(1).ok_or(Malformed)?;
            }
        }
        let count_max = u32::try_from(SEGMENT_UNITS_MAX).unwrap_or(u32::MAX);
        if count > count_max || u32::try_from(packed.len()).is_err() {
            return Err(Malformed);
        }
        Ok(Self {
            packed: packed.into(),
            included_from: u32::try_from(included_from).map_err(|_| Malformed)?,
            count,
        })
    }

    pub(crate) fn packed(&self) -> &[u8] {
        &self.packed
    }

    /// Where the included ones begin.
    pub(crate) fn included_from(&self) -> usize {
        usize::try_from(self.included_from).unwrap_or(usize::MAX)
    }

    pub(super) fn count(&self) -> usize {
        usize::try_from(self.count).unwrap_or(usize::MAX)
    }

    pub(super) fn lists_included(&self) -> bool {
        self.included_from() < self.packed.len()
    }

    pub(super) fn lists_excluded(&self) -> bool {
        self.included_from > 0
    }

    /// The unit that stands at a place that [`UnitLine::at`] told.
    #[inline]
    pub(super) fn unit_at(&self, at: u32) -> Option<&[u8]> {
        let rest = self.packed.get(usize::try_from(at).ok()?..)?;
        Unpacking::new(rest).bytes().ok()
    }

    /// Every unit, in order.
    pub(super) fn lines(&self) -> impl Iterator<Item = UnitLine<'_>> {
        let mut from = Unpacking::new(&self.packed);
        std::iter::from_fn(move || {
            let at = self.packed.len().checked_sub(from.left())?;
            let unit = from.bytes().ok()?;
            Some(UnitLine {
                at: u32::try_from(at).ok()?,
                is_excluded: at < self.included_from(),
                unit,
            })
        })
    }

    /// The excluded and the included units, as a definition has them.
    pub(super) fn listed(&self) -> (Vec<Box<str>>, Vec<Box<str>>) {
        let mut exclude = Vec::new();
        let mut include = Vec::new();
        for line in self.lines() {
            let text = std::str::from_utf8(line.unit).unwrap_or_default();
            if line.is_excluded {
                exclude.push(text.into());
            } else {
                include.push(text.into());
            }
        }
        (exclude, include)
    }
}
