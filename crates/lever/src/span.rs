//! Lengths of time as people type them: the same as in the API and in files.

pub(crate) use leverframe_wire::admin::{Span, SpanError};
