//! What traffic is like, and what is wrong with it.

/// A service and a release.
#[derive(Debug, Clone, Copy)]
pub(super) struct Situation {
    /// Requests in a minute.
    pub(super) requests_per_minute: f64,
    /// The part of units for whom something goes wrong without the release, from 0 to 1.
    pub(super) base_rate: f64,
    /// How many times as often with it.
    pub(super) times: f64,
    /// An outage of both arms: from which minute, to which, and how many times the base rate.
    pub(super) outage: Option<(f64, f64, f64)>,
    /// Users for whom everything goes wrong, whichever arm they are in.
    pub(super) broken_users: u32,
    /// How many requests each unit makes at once; they go wrong together.
    pub(super) burst: u64,
}

impl Situation {
    /// 3 000 requests a minute of units of their own, one in a hundred of which fail; a good release.
    pub(super) const GOOD: Self = Self {
        requests_per_minute: 3_000.0,
        base_rate: 0.01,
        times: 1.0,
        outage: None,
        broken_users: 0,
        burst: 1,
    };

    /// A release that fails so many times as often.
    pub(super) const fn worse(times: f64) -> Self {
        Self {
            times,
            ..Self::GOOD
        }
    }

    /// Ten minutes in which both arms fail ten times as often, from the middle of the third stage on.
    pub(super) const OUTAGE: Self = Self {
        outage: Some((25.0, 35.0, 10.0)),
        ..Self::GOOD
    };

    /// How often things go wrong for nobody's fault at this minute.
    pub(super) fn rate(&self, minute: f64) -> f64 {
        match self.outage {
            Some((from, to, times)) if (from..to).contains(&minute) => self.base_rate * times,
            _ => self.base_rate,
        }
    }
}
