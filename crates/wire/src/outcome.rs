//! Outcomes: what went well or not after a flag had answered, from an evaluator to its server.
//!
//! The server cuts time into intervals and says so ([`Grid`]). An evaluator adds up what it sees in
//! the interval in which the flag was asked, and keeps that until the server says that the interval is
//! settled: folded and stored. Until then it sends it again after every new connection; taking the same
//! twice makes no difference.

use serde::{Deserialize, Serialize};

/// Most flags in one message.
pub const OUTCOME_FLAGS_MAX: usize = 1_000;
/// Most names of outcomes of one flag in one message, `errors` among them.
pub const OUTCOME_NAMES_MAX: usize = 8;
/// Most gauges in one message.
pub const GAUGES_MAX: usize = 64;

/// What a server says apart from frames.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Notice {
    /// How time is cut, and up to when it is settled. Only for those who said in their hello that they
    /// report outcomes.
    Grid(Grid),
}

/// How a server cuts time: the k-th interval is from `k · interval_ms` to `(k + 1) · interval_ms` of
/// the server's own clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "admin", derive(utoipa::ToSchema))]
pub struct Grid {
    /// How long an interval is, in milliseconds.
    pub interval_ms: i64,
    /// How long after its end an interval is closed, in milliseconds.
    pub watermark_ms: i64,
    /// The server's clock, which never jumps.
    pub now_ms: i64,
    /// Every interval that ends here or before is settled: nobody has to keep what they said of it.
    pub settled_until_ms: i64,
}

/// What an evaluator saw in one interval, or a part of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "admin", derive(utoipa::ToSchema))]
pub struct Outcomes {
    /// Counts up by one with every message of one instance.
    pub sequence: u64,
    /// The begin of the interval, by the server's clock.
    pub at_ms: i64,
    /// By flag.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<FlagOutcomes>,
    /// Numbers that the process measures of itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gauges: Vec<Gauge>,
}

/// The units of one flag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "admin", derive(utoipa::ToSchema))]
pub struct FlagOutcomes {
    /// The flag.
    pub flag: String,
    /// Only units with a smaller hash are in it; all, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<u64>,
    /// Names of outcomes, at most [`OUTCOME_NAMES_MAX`].
    pub names: Vec<String>,
    /// The units, as `[hash, what]`.
    #[cfg_attr(feature = "admin", schema(value_type = Vec<Vec<u64>>))]
    pub units: Vec<Unit>,
}

/// One unit: its hash, and in one number, from the lowest bit, its arm (2 bits: 0 exposed, 1 held back,
/// 2 assigned), which of the names were bad (8 bits), whether there is a latency (1 bit), its bucket (7
/// bits), and the die that its outcome drew among those of the unit (16 bits).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit(pub u64, pub u64);

/// What the second number of a [`Unit`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnitParts {
    /// 0 exposed, 1 held back, 2 assigned.
    pub arm: u8,
    /// Which of the names were bad; the lowest bit is the first.
    pub bad: u8,
    /// The bucket of a latency and the die of its outcome.
    pub latency: Option<(u8, u16)>,
}

/// A gauge of one interval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "admin", derive(utoipa::ToSchema))]
pub struct Gauge {
    /// Its name.
    pub name: String,
    /// The smallest value.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

/// Outcomes of applications in other languages, and of browsers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "admin", derive(utoipa::ToSchema))]
pub struct ReportOutcomes {
    /// An id of the running process or page, made at its start: 1 to 128 visible ASCII characters.
    pub instance: String,
    /// Counts up with every request of the instance; one that was taken already is not taken again.
    pub sequence: u64,
    /// What went well and what did not.
    pub outcomes: Vec<ReportedOutcome>,
}

/// How something went that a flag had a say in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "admin", derive(utoipa::ToSchema))]
pub struct ReportedOutcome {
    /// The flag.
    pub flag: String,
    /// The context that it was asked about, with `targetingKey` as the unit. The server asks the flag
    /// again, by the rules in force, to know on which side the unit is.
    pub context: serde_json::Map<String, serde_json::Value>,
    /// How it went.
    pub outcome: Went,
    /// In which way it failed, counted under this name, too: 1 to 64 of `a-z 0-9 _ . -`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How long it took, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<f64>,
    /// How long ago the flag was asked, in milliseconds. What is older than the server's watermark
    /// is late, and is not counted.
    #[serde(default)]
    pub age_ms: u64,
}

/// How something went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "admin", derive(utoipa::ToSchema))]
pub enum Went {
    /// Well.
    Ok,
    /// Not.
    Bad,
}

/// What became of reported outcomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "admin", derive(utoipa::ToSchema))]
pub struct OutcomesTaken {
    /// Counted when their interval is closed.
    pub counted: usize,
    /// Too late to be counted.
    pub late: usize,
    /// No evidence: of a flag that there is not or may not be seen, without a unit, or answered by
    /// a rule.
    pub ignored: usize,
    /// Whether this request had been taken before, and so was not taken again.
    pub repeated: bool,
}

const BUCKET_MAX: u8 = 0x7f;

impl Unit {
    /// Packs a unit; a bucket above 127 counts as 127.
    #[must_use]
    pub fn pack(hash: u64, parts: UnitParts) -> Self {
        let (has_latency, bucket, choice) = match parts.latency {
            Some((bucket, choice)) => (1, bucket.min(BUCKET_MAX), choice),
            None => (0, 0, 0),
        };
        let what = u64::from(parts.arm & 3)
            | u64::from(parts.bad) << 2
            | has_latency << 10
            | u64::from(bucket) << 11
            | u64::from(choice) << 18;
        Self(hash, what)
    }

    /// What it says of the unit.
    #[must_use]
    pub fn parts(self) -> UnitParts {
        let byte = |shift: u32, mask: u8| u8::try_from(self.1 >> shift & u64::from(mask));
        let choice = u16::try_from(self.1 >> 18 & u64::from(u16::MAX)).unwrap_or(0);
        let has_latency = self.1 >> 10 & 1 == 1;
        UnitParts {
            arm: byte(0, 3).unwrap_or(0),
            bad: byte(2, u8::MAX).unwrap_or(0),
            latency: has_latency.then(|| (byte(11, BUCKET_MAX).unwrap_or(0), choice)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_unpacked_as_it_was_packed() {
        for arm in 0..3 {
            for bad in [0, 1, 0b1010_0101, 255] {
                for latency in [None, Some((0, 0)), Some((95, 7)), Some((127, u16::MAX))] {
                    let parts = UnitParts { arm, bad, latency };
                    assert_eq!(Unit::pack(5, parts).parts(), parts);
                }
            }
        }
    }
}
