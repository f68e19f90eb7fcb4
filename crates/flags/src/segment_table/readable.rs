//! Which segments can be asked: those whose whole chain of references can be read.

use std::collections::{BTreeMap, BTreeSet};

use super::Source;
use crate::key::SegmentKey;
use crate::limit::SEGMENT_DEPTH_MAX;

/// The segments that cannot be asked, with the reason.
///
/// Works in rounds, each of which finds the segments that ask only about those found before. So
/// it is bounded whatever the references are, and needs no recursion: what is left after
/// [`SEGMENT_DEPTH_MAX`] rounds is in a circle, in too long a chain, or asks about one that is.
pub(super) fn find_unreadable(
    sources: &BTreeMap<SegmentKey, Source>,
) -> BTreeMap<SegmentKey, Box<str>> {
    let mut found: BTreeSet<&SegmentKey> = BTreeSet::new();
    let mut left: Vec<(&SegmentKey, BTreeSet<&SegmentKey>)> = sources
        .iter()
        .filter_map(|(key, source)| Some((key, source.as_ref().ok()?.segments())))
        .collect();
    for _ in 0..SEGMENT_DEPTH_MAX {
        let (next, rest): (Vec<_>, Vec<_>) = left
            .into_iter()
            .partition(|(_, asked)| asked.is_subset(&found));
        left = rest;
        if next.is_empty() {
            break;
        }
        found.extend(next.into_iter().map(|(key, _)| key));
    }

    let mut unreadable: BTreeMap<SegmentKey, Box<str>> = sources
        .iter()
        .filter_map(|(key, source)| Some((key.clone(), source.as_ref().err()?.clone())))
        .collect();
    for (key, asked) in left {
        unreadable.insert(key.clone(), why(&asked, sources).into());
    }
    unreadable
}

fn why(asked: &BTreeSet<&SegmentKey>, sources: &BTreeMap<SegmentKey, Source>) -> String {
    for key in asked {
        match sources.get(*key) {
            None => return format!("it asks about segment {key}, which does not exist"),
            Some(Err(why)) => {
                return format!("it asks about segment {key}, which cannot be read: {why}");
            }
            Some(Ok(_)) => {}
        }
    }
    format!(
        "the segments it asks about refer to each other in a circle, \
         in a chain longer than {SEGMENT_DEPTH_MAX}, or to one that cannot be read"
    )
}
