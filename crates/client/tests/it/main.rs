//! The client against a server that the test drives by hand.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod frames;
mod server;

#[cfg(feature = "fuzz")]
mod corpus;
mod counts;
mod disk;
mod follow;
mod freshness;
#[cfg(feature = "tower")]
mod gate;
mod modes;
#[cfg(feature = "openfeature")]
mod openfeature;
mod poll;
mod reading;
mod tls;
mod trouble;

use std::time::Duration;

/// Longest a test waits for anything.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// Waits until `is_so`, which something else in this process makes so.
pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::task::yield_now().await;
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), waiting)
        .await
        .unwrap_or_else(|_| panic!("never: {what}"));
}
