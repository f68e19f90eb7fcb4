//! The floor: the least a program could do and still give these answers, written by hand for each
//! case. A pointer that can be swapped, names in a hash map, the same hash of the same bytes; no
//! variants, no reasons, no rules that somebody could change.

use std::sync::Arc;

use arc_swap::{ArcSwap, Cache};
use hashbrown::HashMap;
use leverframe_flags::murmur3_x86_32;

use super::case::{Case, QUESTIONS, Question};
use crate::catalogue::{Catalogue, STAFF, Shape, WIDE_SEGMENTS};
use crate::timing::{Subject, Worker};

type Fast = foldhash::fast::FixedState;

pub(crate) struct Floor {
    world: Arc<ArcSwap<World>>,
}

struct World {
    names: HashMap<String, u32, Fast>,
    flags: Vec<Bare>,
    /// From a unit to the wide segments that list it, as bits.
    layers: HashMap<String, u16, Fast>,
}

enum Bare {
    Fixed(bool),
    /// The flag's key, which is its salt.
    Split(Box<str>),
    Layered(u16),
}

struct BareContext {
    unit: String,
    plan: String,
}

impl World {
    #[inline]
    fn answer(&self, flag: u32, context: &BareContext) -> bool {
        match &self.flags[flag as usize] {
            Bare::Fixed(value) => *value,
            Bare::Split(salt) => context.plan == STAFF || is_in_half(salt, &context.unit),
            Bare::Layered(rules) => self
                .layers
                .get(context.unit.as_str())
                .is_some_and(|listed| listed & rules != 0),
        }
    }
}

/// Whether a unit is in the first half, by the hash of salt and unit in one piece.
#[inline]
fn is_in_half(salt: &str, unit: &str) -> bool {
    let mut bytes = [0_u8; 128];
    let (salt, unit) = (salt.as_bytes(), unit.as_bytes());
    bytes[..salt.len()].copy_from_slice(salt);
    bytes[salt.len()..salt.len() + unit.len()].copy_from_slice(unit);
    murmur3_x86_32(&bytes[..salt.len() + unit.len()]) < 1 << 31
}

impl Floor {
    pub(crate) fn new(catalogue: &Catalogue) -> Self {
        let mut layers: HashMap<String, u16, Fast> = HashMap::default();
        for (number, segment) in catalogue.segments.iter().rev().enumerate() {
            // The narrow ones too, so that the map is as large as it has to be.
            let bit = if number < WIDE_SEGMENTS {
                1 << number
            } else {
                0
            };
            for unit in &segment.units {
                *layers.entry(unit.clone()).or_default() |= bit;
            }
        }
        let world = World {
            names: (0..)
                .zip(&catalogue.flags)
                .map(|(number, flag)| (flag.key.clone(), number))
                .collect(),
            flags: catalogue
                .flags
                .iter()
                .map(|flag| match flag.shape {
                    Shape::Plain | Shape::Listed { .. } => Bare::Fixed(true),
                    Shape::Split => Bare::Split(flag.key.as_str().into()),
                    Shape::Layered => Bare::Layered((1 << WIDE_SEGMENTS) - 1),
                })
                .collect(),
            layers,
        };
        Self {
            world: Arc::new(ArcSwap::from_pointee(world)),
        }
    }

    pub(crate) fn subjects(
        &self,
        catalogue: &Catalogue,
        case: Case,
        questions: &[Question],
    ) -> Vec<Subject> {
        let people: Arc<Vec<BareContext>> = Arc::new(
            case.people(catalogue)
                .iter()
                .map(|person| BareContext {
                    unit: person.unit.clone(),
                    plan: person.plan.to_owned(),
                })
                .collect(),
        );
        let named: Arc<Vec<(String, usize)>> = Arc::new(
            questions
                .iter()
                .map(|asked| (catalogue.flags[asked.flag].key.clone(), asked.person))
                .collect(),
        );
        let numbered: Arc<Vec<(u32, usize)>> = Arc::new(
            questions
                .iter()
                .map(|asked| (u32::try_from(asked.flag).unwrap_or(0), asked.person))
                .collect(),
        );
        let (world, these) = (Arc::clone(&self.world), Arc::clone(&people));
        let by_name = Subject::new("floor, by name", move || {
            let (named, people) = (Arc::clone(&named), Arc::clone(&these));
            let mut cache = Cache::new(Arc::clone(&world));
            Box::new(move |count| {
                let mut on = 0;
                for turn in 0..count {
                    let (name, person) = &named[turn % QUESTIONS];
                    let world = cache.load();
                    let Some(number) = world.names.get(name.as_str()) else {
                        continue;
                    };
                    on += u64::from(world.answer(*number, &people[*person]));
                }
                on
            }) as Worker
        });
        let world = Arc::clone(&self.world);
        let by_number = Subject::new("floor, by number", move || {
            let (numbered, people) = (Arc::clone(&numbered), Arc::clone(&people));
            let mut cache = Cache::new(Arc::clone(&world));
            Box::new(move |count| {
                let mut on = 0;
                for turn in 0..count {
                    let (number, person) = numbered[turn % QUESTIONS];
                    on += u64::from(cache.load().answer(number, &people[person]));
                }
                on
            }) as Worker
        });
        vec![by_name, by_number]
    }
}
