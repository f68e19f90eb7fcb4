//! The catalogue: the seeded set of flags and segments that everybody is measured on, in a form
//! that belongs to nobody.

/// Flags in the catalogue.
pub(crate) const FLAGS: usize = 10_000;
/// Segments in the catalogue, beside the wide ones.
pub(crate) const SEGMENTS: usize = 1_000;
/// Units listed in each of them.
pub(crate) const SEGMENT_UNITS: usize = 100;
/// Segments that the layered flag looks through.
pub(crate) const WIDE_SEGMENTS: usize = 10;
/// Units listed in each of the wide ones.
pub(crate) const WIDE_UNITS: usize = 1_000;
/// Different people who ask.
pub(crate) const PEOPLE: usize = 1_000;

const SEED: u64 = 0x6c65_7665_7266_7261;
/// Units are drawn from this many.
const POPULATION: u64 = 1_000_000;
/// The plan that the rules of split flags are about, and that nobody who asks has.
pub(crate) const STAFF: &str = "staff";

/// What a flag does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Case (i): on for everybody.
    Plain,
    /// Case (ii): on for staff, else for half of everybody by their unit.
    Split,
    /// On for one segment, else for a quarter of everybody.
    Listed { segment: usize },
    /// Case (iii): ten rules, each about one wide segment.
    Layered,
}

pub(crate) struct Flag {
    pub(crate) key: String,
    pub(crate) shape: Shape,
}

pub(crate) struct Segment {
    pub(crate) key: String,
    pub(crate) units: Vec<String>,
}

/// Somebody about whom a flag is asked.
pub(crate) struct Person {
    pub(crate) unit: String,
    pub(crate) plan: &'static str,
    pub(crate) country: &'static str,
    pub(crate) app_version: &'static str,
}

pub(crate) struct Catalogue {
    pub(crate) flags: Vec<Flag>,
    /// The narrow ones first, then the wide ones.
    pub(crate) segments: Vec<Segment>,
    /// People from the whole population.
    pub(crate) people: Vec<Person>,
    /// People of the last wide segment only.
    pub(crate) last_layer: Vec<Person>,
}

impl Catalogue {
    pub(crate) fn new() -> Self {
        let mut dice = Dice::new(SEED);
        let mut segments: Vec<Segment> = (0..SEGMENTS)
            .map(|number| Segment {
                key: format!("cohort-{number:04}"),
                units: (0..SEGMENT_UNITS).map(|_| dice.unit()).collect(),
            })
            .collect();
        // Beyond the population, so that nobody is in two of them.
        segments.extend((0..WIDE_SEGMENTS).map(|number| {
            Segment {
                key: format!("wide-{number}"),
                units: (0..WIDE_UNITS)
                    .map(|index| format!("user-{:07}", 2_000_000 + number * WIDE_UNITS + index))
                    .collect(),
            }
        }));
        let flags = (0..FLAGS)
            .map(|number| Flag {
                key: format!(
                    "{}-{}-{number:05}",
                    dice.pick(&["checkout", "search", "billing", "profile", "mail", "admin"]),
                    dice.pick(&["express", "layout", "ranking", "cache", "limit", "export"]),
                ),
                shape: match number {
                    7 => Shape::Layered,
                    _ => match number % 10 {
                        0..=5 => Shape::Plain,
                        6..=8 => Shape::Split,
                        _ => Shape::Listed {
                            segment: number / 10,
                        },
                    },
                },
            })
            .collect();
        let people = (0..PEOPLE).map(|_| dice.unit()).collect::<Vec<_>>();
        let people = people
            .into_iter()
            .map(|unit| Person::new(unit, &mut dice))
            .collect();
        let last_layer = segments[SEGMENTS + WIDE_SEGMENTS - 1]
            .units
            .clone()
            .into_iter()
            .map(|unit| Person::new(unit, &mut dice))
            .collect();
        Self {
            flags,
            segments,
            people,
            last_layer,
        }
    }

    pub(crate) fn wide_segments(&self) -> &[Segment] {
        &self.segments[SEGMENTS..]
    }
}

impl Person {
    fn new(unit: String, dice: &mut Dice) -> Self {
        Self {
            unit,
            plan: dice.pick(&["free", "pro", "team"]),
            country: dice.pick(&["NO", "SE", "DE", "FR", "PL"]),
            app_version: dice.pick(&["2.3.1", "2.4.0", "2.5.2"]),
        }
    }
}

/// SplitMix64: the same numbers everywhere from one seed.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound).unwrap_or(u64::MAX)).unwrap_or(0)
    }

    fn pick(&mut self, among: &[&'static str]) -> &'static str {
        among[self.below(among.len())]
    }

    fn unit(&mut self) -> String {
        format!("user-{:07}", self.next() % POPULATION)
    }
}
