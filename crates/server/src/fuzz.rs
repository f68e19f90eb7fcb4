//! Doors for `fuzz/`, to what reads bytes that anybody may send. No part of the public face.

use leverframe_core::flag::FlagDefinition;
use leverframe_flags::{Context, Segment};
use leverframe_wire::admin;

use crate::convert;
use crate::request;
use crate::stream::fuzz;

pub use fuzz::{Spoken, hear};

/// A definition as it comes in a request.
///
/// # Errors
/// Which field is wrong, and how.
pub fn definition(wire: admin::FlagDefinition) -> Result<FlagDefinition, String> {
    convert::definition(wire).map_err(|failure| failure.detail().to_owned())
}

/// A definition as it goes out.
#[must_use]
pub fn definition_view(definition: &FlagDefinition) -> admin::FlagDefinition {
    convert::definition_view(definition)
}

/// A segment as it comes in a request.
///
/// # Errors
/// Which field is wrong, and how.
pub fn segment(wire: admin::SegmentDefinition) -> Result<Segment, String> {
    convert::segment(wire).map_err(|failure| failure.detail().to_owned())
}

/// A segment as it goes out.
#[must_use]
pub fn segment_view(segment: &Segment) -> admin::SegmentDefinition {
    convert::segment_definition_view(segment)
}

/// The context in the body of an OFREP question.
///
/// # Errors
/// What is wrong with the body.
pub fn ofrep_context(bytes: &[u8]) -> Result<Context, String> {
    crate::ofrep::context_of(bytes)
}

/// Whether an object in a JSON text has a name twice.
#[must_use]
pub fn has_a_name_twice(bytes: &[u8]) -> bool {
    request::refuse_duplicates(bytes).is_err_and(|failure| failure.field().is_some())
}
