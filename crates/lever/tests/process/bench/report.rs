//! What a long test tells `cargo xtask soak`: its seed, how far it is, and its figure.
#![expect(clippy::print_stdout, reason = "this is what it prints")]

/// The seed of this run: the one asked for, or any.
pub(crate) fn seed() -> u64 {
    let asked = std::env::var("LEVER_SOAK_SEED").ok();
    let seed = asked.map_or_else(
        || u64::from(std::process::id()) ^ any(),
        |seed| seed.parse().expect("LEVER_SOAK_SEED is a number"),
    );
    println!("seed: {seed}");
    seed
}

/// How far it is, for a person who waits.
pub(crate) fn progress(text: &str) {
    println!("progress: {text}");
}

/// What came of it, in figures.
pub(crate) fn figure(text: &str) {
    println!("figure: {text}");
}

/// How long the long one goes on, in minutes.
pub(crate) fn minutes() -> u64 {
    let asked = std::env::var("LEVER_SOAK_MINUTES").ok();
    asked.map_or(20, |minutes| {
        minutes.parse().expect("LEVER_SOAK_MINUTES is a number")
    })
}

fn any() -> u64 {
    use std::hash::{BuildHasher as _, RandomState};
    RandomState::new().hash_one(0) % 1_000_000
}
