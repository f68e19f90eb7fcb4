//! Protocol types: what travels between a server, its evaluators and its operators. Knows JSON
//! shapes and nothing of what they mean; `leverframe-flags` and `leverframe-core` have the meaning.
#![deny(missing_docs)]
#![cfg_attr(test, expect(clippy::unwrap_used, reason = "a test may panic"))]

#[cfg(feature = "admin")]
pub mod admin;
pub mod frame;
pub mod ofrep;
pub mod outcome;
