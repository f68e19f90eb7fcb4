//! How runs ended.

use serde::Serialize;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum End {
    /// The release was convicted and taken back.
    Convicted,
    /// It went through all stages.
    Through,
    /// It waits for a person.
    #[default]
    Waits,
}

/// One run.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Outcome {
    pub(super) end: End,
    /// How long that took.
    pub(super) minutes: f64,
    /// Exposed units for which something went wrong until then.
    pub(super) users_hit: u64,
    /// How often it went back a step as a precaution.
    pub(super) retreats: u32,
    /// Whether it asked because nothing could be proved.
    pub(super) inconclusive: bool,
}

/// A share of runs, with Wilson's interval (1927) at 95 %. All from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Share {
    pub(crate) share: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// Many runs.
#[derive(Debug, Clone)]
pub(super) struct Tallied {
    outcomes: Vec<Outcome>,
}

impl Tallied {
    pub(super) fn of(outcomes: Vec<Outcome>) -> Self {
        Self { outcomes }
    }

    pub(super) fn runs(&self) -> usize {
        self.outcomes.len()
    }

    pub(super) fn share(&self, is_it: impl Fn(&Outcome) -> bool) -> Share {
        const Z: f64 = 1.96;
        let hits = self.outcomes.iter().filter(|one| is_it(one)).count();
        #[expect(clippy::cast_precision_loss, reason = "runs are few")]
        let (hits, n) = (hits as f64, self.outcomes.len().max(1) as f64);
        let p = hits / n;
        let centre = p + Z * Z / (2.0 * n);
        let spread = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
        let whole = 1.0 + Z * Z / n;
        Share {
            share: p,
            low: ((centre - spread) / whole).max(0.0),
            high: ((centre + spread) / whole).min(1.0),
        }
    }

    pub(super) fn convicted(&self) -> Share {
        self.share(|one| one.end == End::Convicted)
    }

    /// The median of those that ended so; none when none did.
    pub(super) fn median(&self, end: End, of: impl Fn(&Outcome) -> f64) -> Option<f64> {
        let ended = self.outcomes.iter().filter(|one| one.end == end);
        let mut values: Vec<f64> = ended.map(of).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied()
    }
}
