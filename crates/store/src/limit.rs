//! Every bound of the store, in one place.

/// Most measurements kept; the oldest go first.
pub const MEASUREMENTS_MAX: u64 = 2_000_000;
/// Most measurements given by one reading; what is after them is read by the next one.
pub const MEASUREMENTS_READ_MAX: usize = 100_000;
/// Most that one reason or one private note of a measurement may be, in bytes.
pub const MEASUREMENT_NOTE_BYTES_MAX: usize = 1024 * 1024;
/// Longest environment, flag or metric of a measurement, in bytes.
pub const MEASUREMENT_NAME_BYTES_MAX: usize = 256;
/// Most sessions kept; the one that would end first goes first.
pub const SESSIONS_MAX: u64 = 1_000;
