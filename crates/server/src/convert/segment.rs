//! Segments.

use leverframe_flags::Segment;
use leverframe_wire::admin;

use super::checked;
use crate::problem::Failure;

/// A segment as it came.
pub(crate) fn segment(wire: admin::SegmentDefinition) -> Result<Segment, Failure> {
    Ok(Segment {
        key: checked("definition.key", &wire.key)?,
        when: wire
            .when
            .as_deref()
            .map(|when| checked("definition.when", when))
            .transpose()?,
        include: wire
            .include
            .into_iter()
            .map(String::into_boxed_str)
            .collect(),
        exclude: wire
            .exclude
            .into_iter()
            .map(String::into_boxed_str)
            .collect(),
    })
}

/// A segment, as it would have to be sent to make the same one.
pub(crate) fn segment_definition_view(segment: &Segment) -> admin::SegmentDefinition {
    admin::SegmentDefinition {
        key: segment.key.to_string(),
        when: segment.when.as_ref().map(ToString::to_string),
        include: segment.include.iter().map(ToString::to_string).collect(),
        exclude: segment.exclude.iter().map(ToString::to_string).collect(),
    }
}
