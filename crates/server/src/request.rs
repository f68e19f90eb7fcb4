//! Requests as handlers get them: bounded, checked, and refused with the name of what is wrong.

mod body;
mod change;
mod duplicates;
mod path;
mod query;
#[cfg(test)]
mod tests;

pub(crate) use body::{Json, parse_json, read_body};
pub(crate) use change::{Change, Remove};
#[cfg(feature = "fuzz")]
pub(crate) use duplicates::refuse as refuse_duplicates;
pub(crate) use path::Path;
pub(crate) use query::Query;
