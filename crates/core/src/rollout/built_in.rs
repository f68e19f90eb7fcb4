//! Plans that are always there.

use leverframe_flags::{Percentage, SegmentKey};

use super::{Inconclusive, Measure, Metric, OnBad, Plan, Stage, Standing, Target};

const MINUTE_MS: i64 = 60_000;

impl Plan {
    /// A plan that is built in, by its name.
    #[must_use]
    pub fn built_in(key: &str) -> Option<Self> {
        match key {
            "safe" => Some(Self::safe()),
            "internal" => Some(Self::internal()),
            _ => None,
        }
    }

    /// 1, 5, 25, 50 and 100 %, each for ten minutes at least, then an hour in which one in a hundred
    /// is held back.
    #[must_use]
    pub fn safe() -> Self {
        Self {
            key: "safe".into(),
            // At a small share a sharper margin keeps a release that is twice as bad waiting for proof
            // where it is seen least, so that it is convicted later.
            stages: [
                (1, Some(6.0)),
                (5, Some(4.0)),
                (25, None),
                (50, None),
                (100, None),
            ]
            .map(|(whole, margin)| Stage {
                margin,
                ..share(whole)
            })
            .into(),
            bake_ms: 10 * MINUTE_MS,
            // At 1 % of 3 000 requests a minute a service that never fails is proved after two hours.
            hold_ms_max: 150 * MINUTE_MS,
            metrics: vec![
                metric(
                    "errors",
                    Measure::Outcomes {
                        name: "errors".into(),
                    },
                ),
                metric(
                    "latency_p95",
                    Measure::Latency {
                        limit_ms: None,
                        quantile: 0.95,
                        growth: 1.2,
                    },
                ),
            ],
            on_bad: OnBad::Close,
            inconclusive: Inconclusive::Ask,
            hold_back: Percentage::from_thousandths(1_000).unwrap_or_default(),
            warm_ms: 60 * MINUTE_MS,
            settle_ms: 10_000,
            notify: Vec::new(),
            page: Vec::new(),
        }
    }

    /// What is watched of a lever that a person opened, for an hour.
    #[must_use]
    pub fn watch(percentage: Percentage) -> Self {
        Self {
            key: "watch".into(),
            stages: vec![stage(Target::Share { percentage })],
            hold_ms_max: 60 * MINUTE_MS,
            // It watches the exposure that a person chose, all of it.
            hold_back: Percentage::ZERO,
            ..Self::safe()
        }
    }

    /// As `safe`, with the cohorts `staff` and `beta` first.
    #[must_use]
    pub fn internal() -> Self {
        let cohort = |key: &str| {
            let cohorts = key.parse::<SegmentKey>().into_iter().collect();
            stage(Target::Cohorts { cohorts })
        };
        let safe = Self::safe();
        let stages = [cohort("staff"), cohort("beta")].into_iter();
        Self {
            key: "internal".into(),
            stages: stages.chain(safe.stages.iter().cloned()).collect(),
            ..safe
        }
    }
}

fn share(whole: u32) -> Stage {
    stage(Target::Share {
        percentage: Percentage::from_thousandths(whole * 1_000).unwrap_or_default(),
    })
}

fn stage(to: Target) -> Stage {
    Stage {
        to,
        bake_ms: None,
        hold_ms_max: None,
        margin: None,
    }
}

fn metric(key: &str, measure: Measure) -> Metric {
    Metric {
        key: key.into(),
        standing: Standing::Convicts,
        tolerance: 1.2,
        tolerable: 0.001,
        ceiling: None,
        measure,
    }
}
