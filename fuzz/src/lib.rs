//! What the fuzz targets check, one file each. Tests of the crates run the same files over the
//! committed corpus (`tests/it/corpus.rs`), on the stable toolchain.
#![forbid(unsafe_code)]

pub mod definition;
pub mod expression;
pub mod flagd;
pub mod frame;
pub mod ofrep;
pub mod packed;
pub mod snapshot;
pub mod socket;
