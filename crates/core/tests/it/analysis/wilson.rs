//! How far a share of runs can be from the truth.

/// The upper end of Wilson's interval (1927) at 99 %.
pub(super) fn upper(successes: usize, runs: usize) -> f64 {
    bound(successes, runs, 1.0)
}

/// The lower end.
pub(super) fn lower(successes: usize, runs: usize) -> f64 {
    bound(successes, runs, -1.0)
}

fn bound(successes: usize, runs: usize, side: f64) -> f64 {
    let z = 2.576;
    let (n, p) = (runs as f64, successes as f64 / runs as f64);
    let centre = p + z * z / (2.0 * n);
    let spread = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    (centre + side * spread) / (1.0 + z * z / n)
}
