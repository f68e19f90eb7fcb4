//! The recorder: adds up what guards say, and makes messages of it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use leverframe_wire::frame::MESSAGE_BYTES_MAX;
use leverframe_wire::outcome::{
    FlagOutcomes, GAUGES_MAX, Gauge, Grid, OUTCOME_NAMES_MAX, Outcomes, Unit, UnitParts,
};

use super::cut::Cut;
use super::kept::{Cell, Part};
use super::names::{Names, is_name};

/// Parts of an interval; a unit is always in the same one.
const PARTS: usize = 16;
/// Most intervals kept for a server that does not say that they are settled; the oldest goes whole.
const INTERVALS_MAX: usize = 30;
/// What a unit needs in JSON at most.
const UNIT_BYTES: usize = 40;
/// What a flag needs in JSON besides its units.
const FLAG_BYTES: usize = 1_024;
/// How much of a message outcomes may take.
const OUTCOMES_BYTES_MAX: usize = MESSAGE_BYTES_MAX / 2;
/// The last of 96 buckets is for what failed; see [`bucket`].
const FAILED_BUCKET: u8 = 95;

/// Who was answered, how, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Observed {
    pub(crate) unit: u64,
    /// 0 exposed, 1 held back, 2 assigned.
    pub(crate) arm: u8,
}

/// The outcomes of one client.
#[derive(Debug)]
pub(crate) struct Recorder {
    cut: Cut,
    pub(super) names: Names,
    parts: [Mutex<Intervals>; PARTS],
    gauges: Mutex<BTreeMap<i64, Gauges>>,
    sending: Mutex<Sending>,
    is_used: AtomicBool,
}

type Intervals = BTreeMap<i64, Part>;

#[derive(Debug, Default)]
struct Gauges {
    values: BTreeMap<Box<str>, (f64, f64)>,
    is_new: bool,
}

#[derive(Debug)]
struct Sending {
    sequence: u64,
    jitter: f64,
    /// Everything that is kept goes out anew: a new connection.
    everything: bool,
    settled_until_ms: i64,
}

impl Recorder {
    pub(crate) fn new() -> Self {
        let mut random = [0; 2];
        // Without randomness they are spread less, and no more than that.
        let _ = getrandom::fill(&mut random);
        Self {
            cut: Cut::new(),
            names: Names::new(),
            parts: std::array::from_fn(|_| Mutex::default()),
            gauges: Mutex::default(),
            sending: Mutex::new(Sending {
                sequence: 0,
                jitter: f64::from(u16::from_le_bytes(random)) / f64::from(u16::MAX),
                everything: false,
                settled_until_ms: i64::MIN,
            }),
            is_used: AtomicBool::new(false),
        }
    }

    /// Adds one outcome of an evaluation that began at `began`: `bad` has the bits of what failed.
    pub(super) fn record(
        &self,
        flag: u32,
        observed: Observed,
        began: Instant,
        bad: u64,
        took: Option<Duration>,
    ) {
        let Some(at) = self.cut.interval_of(began) else {
            return;
        };
        // What is plain every time is written only once.
        if !self.is_used.load(Ordering::Relaxed) {
            self.is_used.store(true, Ordering::Relaxed);
        }
        let latency = took.map(|took| {
            let die = self.cut.die(began).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ observed.unit;
            let [choice @ .., _, _, _, _, _, _] = mixed(die).to_le_bytes();
            (u16::from_le_bytes(choice), bucket(took, bad & 1 != 0))
        });
        let cell = Cell {
            arms: 1_u8.wrapping_shl(u32::from(observed.arm)),
            bad,
            latency,
            ..Cell::default()
        };
        let mut intervals = self.part(observed.unit);
        if !intervals.contains_key(&at) && intervals.len() >= INTERVALS_MAX {
            intervals.pop_first();
        }
        intervals
            .entry(at)
            .or_default()
            .add(observed.unit, flag, cell);
    }

    /// Notes a number that the process measures of itself.
    pub(crate) fn gauge(&self, name: &str, value: f64) {
        if !is_name(name) || !value.is_finite() {
            return;
        }
        let Some(at) = self.cut.interval_of(Instant::now()) else {
            return;
        };
        let mut gauges = lock(&self.gauges);
        if !gauges.contains_key(&at) && gauges.len() >= INTERVALS_MAX {
            gauges.pop_first();
        }
        let interval = gauges.entry(at).or_default();
        if !interval.values.contains_key(name) && interval.values.len() >= GAUGES_MAX {
            return;
        }
        interval.is_new = true;
        let (min, max) = interval.values.entry(name.into()).or_insert((value, value));
        *min = min.min(value);
        *max = max.max(value);
    }

    /// A server says how it cuts time, the first time on a connection or again. What is settled is
    /// kept no more.
    pub(crate) fn told(&self, grid: &Grid, is_first_of_connection: bool) {
        let is_cut_otherwise = self.cut.tell(grid, is_first_of_connection);
        let mut sending = lock(&self.sending);
        sending.everything |= is_first_of_connection;
        sending.settled_until_ms = grid.settled_until_ms;
        let interval_ms = grid.interval_ms.max(1);
        let is_settled =
            |at: i64| at.saturating_add(interval_ms) <= grid.settled_until_ms || is_cut_otherwise;
        for part in &self.parts {
            // What was never sent is sent once more, so that it is known to be late.
            lock(part).retain(|at, part| !is_settled(*at) || (!is_cut_otherwise && part.is_new()));
        }
        lock(&self.gauges).retain(|at, _| !is_settled(*at));
    }

    /// How often to ask for what is due; none while there is no server that wants it.
    pub(crate) fn look_every(&self) -> Option<Duration> {
        self.cut.look_every()
    }

    /// Whether anything was ever reported.
    pub(crate) fn is_used(&self) -> bool {
        self.is_used.load(Ordering::Relaxed) || !lock(&self.gauges).is_empty()
    }

    /// Messages of the intervals that are over, or of all of them before the process ends.
    pub(crate) fn due(&self, is_last: bool) -> Vec<Outcomes> {
        if self.cut.look_every().is_none() {
            return Vec::new();
        }
        let mut sending = lock(&self.sending);
        let until = if is_last {
            i64::MAX
        } else {
            self.cut.due_until(Instant::now(), sending.jitter)
        };
        let mut messages = Vec::new();
        for at in self.intervals() {
            if at > until {
                break;
            }
            let everything = sending.everything && at >= sending.settled_until_ms;
            let by_flag = self.take(at, everything);
            let gauges = self.take_gauges(at, everything);
            self.write(&mut messages, &mut sending.sequence, at, by_flag, gauges);
        }
        sending.everything = false;
        messages
    }

    fn intervals(&self) -> Vec<i64> {
        let mut all: Vec<i64> = lock(&self.gauges).keys().copied().collect();
        for part in &self.parts {
            all.extend(lock(part).keys().copied());
        }
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The units of one interval by flag, and below which fingerprint they are.
    fn take(&self, at: i64, everything: bool) -> (u64, BTreeMap<u32, Vec<(u64, Cell)>>) {
        let threshold = |part: &Mutex<Intervals>| {
            let intervals = lock(part);
            intervals.get(&at).map_or(u64::MAX, |part| part.threshold)
        };
        let threshold = self.parts.iter().map(threshold).min().unwrap_or(u64::MAX);
        let mut by_flag: BTreeMap<u32, Vec<(u64, Cell)>> = BTreeMap::new();
        for part in &self.parts {
            if let Some(part) = lock(part).get_mut(&at) {
                part.lower(threshold);
                for (unit, flag, cell) in part.take(everything, threshold) {
                    by_flag.entry(flag).or_default().push((unit, cell));
                }
            }
        }
        (threshold, by_flag)
    }

    fn take_gauges(&self, at: i64, everything: bool) -> Vec<Gauge> {
        let mut gauges = lock(&self.gauges);
        let Some(interval) = gauges.get_mut(&at) else {
            return Vec::new();
        };
        let is_new = std::mem::take(&mut interval.is_new);
        if !(everything || is_new) {
            return Vec::new();
        }
        let values = interval.values.iter();
        values
            .map(|(name, (min, max))| Gauge {
                name: name.to_string(),
                min: *min,
                max: *max,
            })
            .collect()
    }

    fn write(
        &self,
        messages: &mut Vec<Outcomes>,
        sequence: &mut u64,
        at_ms: i64,
        (threshold, by_flag): (u64, BTreeMap<u32, Vec<(u64, Cell)>>),
        gauges: Vec<Gauge>,
    ) {
        let mut begin = |gauges| {
            *sequence += 1;
            Outcomes {
                sequence: *sequence,
                at_ms,
                flags: Vec::new(),
                gauges,
            }
        };
        let mut bytes = gauges.len() * FLAG_BYTES / 4;
        let mut message = (!gauges.is_empty()).then(|| begin(gauges));
        for (flag, units) in by_flag {
            let Some(flag) = self.names.flag_name(flag) else {
                continue;
            };
            let mut units = units.as_slice();
            while !units.is_empty() {
                if bytes + FLAG_BYTES + UNIT_BYTES > OUTCOMES_BYTES_MAX {
                    messages.extend(message.take());
                    bytes = 0;
                }
                let room = (OUTCOMES_BYTES_MAX - bytes - FLAG_BYTES) / UNIT_BYTES;
                // A unit that both arms have answered is there twice.
                let (now, later) = units.split_at(units.len().min((room / 3).max(1)));
                units = later;
                let part = self.flag_outcomes(&flag, threshold, now);
                bytes += FLAG_BYTES + part.units.len() * UNIT_BYTES;
                message
                    .get_or_insert_with(|| begin(Vec::new()))
                    .flags
                    .push(part);
            }
        }
        messages.extend(message);
    }

    fn flag_outcomes(&self, flag: &str, threshold: u64, units: &[(u64, Cell)]) -> FlagOutcomes {
        let all_bad = units.iter().fold(1, |bad, (_, cell)| bad | cell.bad);
        // `errors` is the lowest bit, and so always among them.
        let numbers: Vec<u32> = (0..u64::BITS)
            .filter(|number| all_bad >> number & 1 == 1)
            .take(OUTCOME_NAMES_MAX)
            .collect();
        let names = numbers
            .iter()
            .map(|number| {
                self.names
                    .outcome_name(*number)
                    .map_or_else(String::new, |name| name.to_string())
            })
            .collect();
        let packed = units.iter().flat_map(|(unit, cell)| {
            let bad = numbers.iter().zip(0..).fold(0, |bad, (number, place)| {
                let is_bad = cell.bad >> number & 1 == 1;
                bad | u8::from(is_bad) << place
            });
            let arms = (0..3).filter(|arm| cell.arms >> arm & 1 == 1);
            arms.map(move |arm| {
                let latency = cell.latency.map(|(choice, bucket)| (bucket, choice));
                Unit::pack(*unit, UnitParts { arm, bad, latency })
            })
        });
        FlagOutcomes {
            flag: flag.to_owned(),
            threshold: (threshold != u64::MAX).then_some(threshold),
            names,
            units: packed.collect(),
        }
    }

    fn part(&self, unit: u64) -> MutexGuard<'_, Intervals> {
        // The lowest bits: the highest say whether it is kept.
        let index = usize::try_from(unit % PARTS as u64).unwrap_or(0);
        match self.parts.get(index) {
            Some(part) => lock(part),
            None => lock(&self.parts[0]),
        }
    }
}

/// Buckets as the server has them: below 1 ms, then each a tenth longer; the last but one is endless.
pub(super) fn bucket(took: Duration, failed: bool) -> u8 {
    if failed {
        return FAILED_BUCKET;
    }
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    let mut limit = 1_000_u64;
    let mut bucket = 0;
    while micros >= limit && bucket < FAILED_BUCKET - 1 {
        limit += limit.div_ceil(10);
        bucket += 1;
    }
    bucket
}

fn mixed(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ (hash >> 33)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
