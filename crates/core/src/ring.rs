//! The ring: the last frames of one environment, encoded once and shared by every stream. A stream
//! holds only a cursor; who fell behind the ring gets a snapshot.

use std::collections::VecDeque;

use crate::limit::{RING_BYTES_MAX, RING_FRAMES_MAX};

/// Frames of one environment in chain order, bounded by [`RING_FRAMES_MAX`] and
/// [`RING_BYTES_MAX`]; the oldest go first.
#[derive(Debug, Clone)]
pub struct Ring<F> {
    links: VecDeque<Link<F>>,
    bytes: usize,
    head: Option<u64>,
}

#[derive(Debug, Clone)]
struct Link<F> {
    previous: u64,
    revision: u64,
    bytes: usize,
    frame: F,
}

impl<F> Default for Ring<F> {
    fn default() -> Self {
        Self {
            links: VecDeque::new(),
            bytes: 0,
            head: None,
        }
    }
}

impl<F: Clone> Ring<F> {
    /// Empty, and at no revision: everybody who asks needs a snapshot.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Empty, and at a revision: who stands there has missed nothing.
    #[must_use]
    pub fn starting_at(revision: u64) -> Self {
        Self {
            head: Some(revision),
            ..Self::default()
        }
    }

    /// Adds the frame that leads from `previous` to `revision`. A frame that does not continue the
    /// chain starts a new one.
    pub fn push(&mut self, previous: u64, revision: u64, bytes: usize, frame: F) {
        if self.head != Some(previous) {
            self.clear();
        }
        self.links.push_back(Link {
            previous,
            revision,
            bytes,
            frame,
        });
        self.bytes = self.bytes.saturating_add(bytes);
        self.head = Some(revision);
        while self.links.len() > RING_FRAMES_MAX || self.bytes > RING_BYTES_MAX {
            let Some(oldest) = self.links.pop_front() else {
                break;
            };
            self.bytes = self.bytes.saturating_sub(oldest.bytes);
        }
    }

    /// The frames that lead on from `revision`, oldest first, with the revision each leads to;
    /// nothing for who stands at the head. `None` when the ring cannot lead on from there: a
    /// snapshot is needed.
    pub fn after(&self, revision: u64) -> Option<impl Iterator<Item = (u64, F)>> {
        let start = if self.head == Some(revision) {
            self.links.len()
        } else {
            self.links
                .binary_search_by_key(&revision, |link| link.previous)
                .ok()?
        };
        Some(
            self.links
                .range(start..)
                .map(|link| (link.revision, link.frame.clone())),
        )
    }

    /// Forgets everything: everybody who asks needs a snapshot.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// The revision the last frame leads to.
    #[must_use]
    pub fn head(&self) -> Option<u64> {
        self.head
    }

    /// How many bytes of frames it holds.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(ring: &Ring<&'static str>, revision: u64) -> Option<Vec<(u64, &'static str)>> {
        ring.after(revision).map(Iterator::collect)
    }

    #[test]
    fn leads_on_from_every_revision_it_holds_and_from_no_other() {
        let mut ring = Ring::starting_at(3);
        assert_eq!(after(&ring, 3), Some(vec![]));
        ring.push(3, 5, 1, "a");
        ring.push(5, 9, 1, "b");
        assert_eq!(after(&ring, 3), Some(vec![(5, "a"), (9, "b")]));
        assert_eq!(after(&ring, 5), Some(vec![(9, "b")]));
        assert_eq!(after(&ring, 9), Some(vec![]));
        for elsewhere in [0, 2, 4, 7, 10] {
            assert_eq!(after(&ring, elsewhere), None, "revision {elsewhere}");
        }
    }

    #[test]
    fn a_frame_that_does_not_continue_the_chain_starts_a_new_one() {
        let mut ring = Ring::starting_at(3);
        ring.push(3, 5, 1, "a");
        ring.push(6, 7, 1, "b");
        assert_eq!(after(&ring, 3), None);
        assert_eq!(after(&ring, 6), Some(vec![(7, "b")]));
    }

    #[test]
    fn forgets_the_oldest_beyond_its_bounds() {
        let mut ring = Ring::starting_at(0);
        for revision in 1..=RING_FRAMES_MAX as u64 + 1 {
            ring.push(revision - 1, revision, 1, "f");
        }
        assert_eq!(after(&ring, 0), None);
        assert_eq!(
            after(&ring, 1).map(|frames| frames.len()),
            Some(RING_FRAMES_MAX)
        );

        let head = ring.head().unwrap_or_default();
        ring.push(head, head + 1, RING_BYTES_MAX, "huge");
        assert_eq!(after(&ring, head), Some(vec![(head + 1, "huge")]));
        assert_eq!(ring.bytes(), RING_BYTES_MAX);
        ring.push(
            head + 1,
            head + 2,
            RING_BYTES_MAX + 1,
            "more than it can hold",
        );
        assert_eq!(after(&ring, head + 1), None);
        assert_eq!(after(&ring, head + 2), Some(vec![]));
        assert_eq!(ring.bytes(), 0);
    }

    #[test]
    fn an_empty_ring_sends_everybody_to_a_snapshot() {
        let mut ring = Ring::new();
        assert_eq!(after(&ring, 0), None);
        ring.push(4, 5, 1, "a");
        ring.clear();
        assert_eq!(after(&ring, 5), None);
        assert_eq!(ring.head(), None);
    }
}
