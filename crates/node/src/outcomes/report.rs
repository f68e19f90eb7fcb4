//! Reports: what an evaluator says of one flag in one interval.

use leverframe_core::Timestamp;
use leverframe_flags::FlagKey;

/// The name under which every failure counts.
pub const ERRORS: &str = "errors";
/// The flag that what belongs to no flag is kept under.
pub const NO_FLAG: &str = "*";

/// What rows of a browser's outcomes begin with.
pub const BROWSER: &str = "browser:";

/// Who says it, and so what it may lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// An evaluator, or whoever has a token of one.
    Evaluator,
    /// Whoever has a client-side token, which can be read out of a page: anybody. What they say is
    /// kept in rows of its own, beginning with [`BROWSER`], and never mixed with the others'.
    Browser,
}

/// Everything that comes at once.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// Who says it, by a name of its own.
    pub instance: Box<str>,
    /// Counts up by one with every batch of an instance; only for what comes late.
    pub sequence: u64,
    /// Whether it may be forged.
    pub origin: Origin,
    /// Of flags.
    pub reports: Vec<Report>,
    /// Of the instance itself; not believed of browsers.
    pub gauges: Vec<Gauge>,
}

/// What one evaluator saw of one flag in one interval, or a part of that. Taking the same twice, or
/// parts in another order, makes no difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The begin of the interval in which the flag was asked.
    pub at: Timestamp,
    /// The flag.
    pub flag: FlagKey,
    /// Only units with a smaller hash are in it.
    pub threshold: u64,
    /// Names of outcomes; a unit's bits refer to their places.
    pub names: Vec<Box<str>>,
    /// The units.
    pub units: Vec<ReportedUnit>,
}

/// One unit in a [`Report`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportedUnit {
    /// Its hash.
    pub hash: u64,
    /// By which arm it was answered.
    pub arm: Arm,
    /// Which of the names were bad: the lowest bit is the first name.
    pub bad: u8,
    /// How long one of its outcomes took; the one with the smallest choice stands for all.
    pub latency: Option<Chosen>,
}

/// The time of one outcome, and the die it drew among those of its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Chosen {
    /// The die.
    pub choice: u16,
    /// The bucket, as [`leverframe_core::rollout::Histogram::bucket`] says.
    pub bucket: u8,
}

/// A number that an evaluator measures of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Gauge {
    /// The begin of the interval.
    pub at: Timestamp,
    /// Its name.
    pub name: Box<str>,
    /// The smallest value in the interval.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

/// By which arm a unit was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Arm {
    /// The percentage let it through.
    Exposed,
    /// The percentage held it back, or the lever is closed.
    HeldBack,
    /// A cohort let it through, or everybody is.
    Assigned,
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Taken {
    /// Units that will be counted when their interval is closed.
    pub counted: usize,
    /// Units whose interval is closed already.
    pub late: usize,
    /// Units that are of no interval that could be: of another grid, or of the future.
    pub astray: usize,
    /// Units of levers for which there is no room.
    pub no_room: usize,
}

impl Origin {
    /// What the names of its rows begin with.
    pub(super) fn prefix(self) -> &'static str {
        match self {
            Self::Evaluator => "",
            Self::Browser => BROWSER,
        }
    }
}

impl Arm {
    pub(super) const ALL: [Self; 3] = [Self::Exposed, Self::HeldBack, Self::Assigned];

    pub(super) fn bit(self) -> u8 {
        match self {
            Self::Exposed => 1,
            Self::HeldBack => 2,
            Self::Assigned => 4,
        }
    }

    /// The only arm in a set of bits; none where there are several.
    pub(super) fn only(bits: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|arm| arm.bit() == bits)
    }
}

/// Whether a text can name an outcome or a gauge: 1 to 64 of `a-z 0-9 _ . -`.
#[must_use]
pub fn is_outcome_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=leverframe_core::limit::NAME_BYTES_MAX).contains(&name.len())
        && name
            .bytes()
            .all(|byte| is_plain(byte) || b"_.-".contains(&byte))
}
