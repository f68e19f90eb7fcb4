//! Every segment of a rule set, and the one lookup that finds which of them list a unit.

mod listings;
mod readable;
mod units;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::context::Context;
use crate::definition::Segment;
use crate::expression::{Expression, Subject};
use crate::key::SegmentKey;
use crate::limit::{SEGMENT_DEPTH_MAX, SEGMENT_VISITS_MAX};
use crate::matcher::{Compiler, Matcher, Reads};
use crate::truth::Truth;
use crate::update::SegmentUpdate;
use listings::{Found, Listings};
pub(crate) use units::Units;

/// The number of a segment: its own as long as one rule set grows out of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SegmentId(u32);

/// Every segment, compiled. Immutable; a change makes another table that shares what is the same.
#[derive(Debug, Default)]
pub(crate) struct SegmentTable {
    /// Never shrinks, so that a number never means two segments.
    ids: BTreeMap<SegmentKey, SegmentId>,
    /// By number; `None` where the segment is gone.
    entries: Vec<Option<Arc<Entry>>>,
    /// By number: what can be told of a segment without going to its entry.
    kinds: Vec<Kind>,
    /// By number: what the segments that can be asked about list.
    units: Vec<Units>,
    listings: Arc<Listings>,
}

#[derive(Debug)]
struct Entry {
    key: SegmentKey,
    source: Source,
    compiled: Result<Compiled, Box<str>>,
}

/// A segment as it came: valid by itself, or why not.
pub(crate) type Source = Result<Arc<Kept>, Box<str>>;

/// A valid segment without its key.
#[derive(Debug, PartialEq)]
pub(crate) struct Kept {
    pub(crate) when: Option<Expression>,
    pub(crate) units: Units,
}

#[derive(Debug)]
struct Compiled {
    when: Option<(Matcher, Box<[Subject]>)>,
    kind: Kind,
}

/// What a segment decides by.
#[derive(Debug, Clone, Copy, Default)]
struct Kind {
    /// Whether it can be asked about at all.
    is_readable: bool,
    lists_included: bool,
    lists_excluded: bool,
    has_condition: bool,
}

impl SegmentTable {
    /// This table with some segments defined anew and some gone, and the segments that became
    /// readable or unreadable by it, or are unreadable for another reason.
    pub(crate) fn revised(
        &self,
        updates: Vec<SegmentUpdate>,
        removed: &[SegmentKey],
    ) -> (Self, BTreeSet<SegmentKey>) {
        let mut sources: BTreeMap<SegmentKey, Source> = self
            .entries()
            .map(|entry| (entry.key.clone(), entry.source.clone()))
            .collect();
        for key in removed {
            sources.remove(key);
        }
        for update in updates {
            sources.insert(update.key.clone(), checked(update));
        }

        self.with_sources(sources)
    }

    /// This table with these segments and no others, and what [`SegmentTable::revised`] tells.
    pub(crate) fn with_sources(
        &self,
        sources: BTreeMap<SegmentKey, Source>,
    ) -> (Self, BTreeSet<SegmentKey>) {
        let mut ids = self.ids.clone();
        for key in sources.keys() {
            let next = u32::try_from(ids.len()).unwrap_or(u32::MAX);
            ids.entry(key.clone()).or_insert(SegmentId(next));
        }
        let mut entries: Vec<Option<Arc<Entry>>> = Vec::new();
        entries.resize_with(ids.len(), || None);
        let unreadable = readable::find_unreadable(&sources);
        for (key, source) in sources {
            let Some(id) = ids.get(&key).copied() else {
                continue;
            };
            let why = unreadable.get(&key).map(|why| &**why);
            let entry = match self.entry(id) {
                Some(known) if known.is_same(&source, why) => Arc::clone(known),
                _ => Arc::new(Entry::new(key, source, why, &ids)),
            };
            if let Some(slot) = entries.get_mut(id.index()) {
                *slot = Some(entry);
            }
        }

        let kind = |entry: &Option<Arc<Entry>>| {
            let compiled = entry.as_ref()?.compiled.as_ref().ok()?;
            Some(compiled.kind)
        };
        let units = |entry: &Option<Arc<Entry>>| {
            let entry = entry.as_ref().filter(|entry| entry.compiled.is_ok())?;
            Some(entry.source.as_ref().ok()?.units.clone())
        };
        let mut revised = Self {
            ids,
            kinds: entries
                .iter()
                .map(|entry| kind(entry).unwrap_or_default())
                .collect(),
            units: entries
                .iter()
                .map(|entry| units(entry).unwrap_or_default())
                .collect(),
            entries,
            listings: Arc::clone(&self.listings),
        };
        let nothing = Units::default();
        let lists = |id: SegmentId| self.units.get(id.index()).unwrap_or(&nothing);
        let listed: Vec<SegmentId> = (0_u32..)
            .map(SegmentId)
            .zip(&revised.units)
            .filter(|(id, units)| lists(*id) != *units)
            .map(|(id, _)| id)
            .collect();
        if !listed.is_empty() {
            revised.listings = Arc::new(self.listings.revised(&listed, &revised.units));
        }
        let changed = revised
            .ids
            .iter()
            .filter(|(key, _)| self.find(key).err() != revised.find(key).err())
            .map(|(key, _)| key.clone())
            .collect();
        (revised, changed)
    }

    /// The number of a segment that can be asked about, or why it cannot.
    pub(crate) fn find(&self, key: &SegmentKey) -> Result<SegmentId, String> {
        let absent = || format!("segment {key} does not exist");
        let id = *self.ids.get(key).ok_or_else(absent)?;
        let entry = self.entry(id).ok_or_else(absent)?;
        match &entry.compiled {
            Ok(_) => Ok(id),
            Err(why) => Err(format!("segment {key} cannot be read: {why}")),
        }
    }

    /// The name of a segment.
    pub(crate) fn key(&self, id: SegmentId) -> Option<&SegmentKey> {
        self.entry(id).map(|entry| &entry.key)
    }

    /// Every segment as it came, by name.
    pub(crate) fn sources(&self) -> impl Iterator<Item = (&SegmentKey, &Source)> {
        self.ids.values().filter_map(|id| {
            let entry = self.entry(*id)?;
            Some((&entry.key, &entry.source))
        })
    }

    /// Whether any condition looks at the time.
    pub(crate) fn asks_the_time(&self) -> bool {
        self.entries().any(|entry| {
            let compiled = entry.compiled.as_ref().ok();
            let when = compiled.and_then(|compiled| compiled.when.as_ref());
            when.is_some_and(|(_, subjects)| subjects.contains(&Subject::Now))
        })
    }

    fn entry(&self, id: SegmentId) -> Option<&Arc<Entry>> {
        self.entries.get(id.index())?.as_ref()
    }

    fn entries(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.entries.iter().flatten()
    }

    fn compiled(&self, id: SegmentId) -> Option<&Compiled> {
        self.entry(id)?.compiled.as_ref().ok()
    }

    fn condition(&self, id: SegmentId) -> Option<&(Matcher, Box<[Subject]>)> {
        self.compiled(id)?.when.as_ref()
    }
}

impl SegmentId {
    fn index(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

fn checked(update: SegmentUpdate) -> Source {
    let segment = update.definition?;
    match segment.validate() {
        Ok(()) if segment.key == update.key => Ok(Arc::new(Kept {
            units: Units::of(&segment),
            when: segment.when,
        })),
        Ok(()) => Err(format!("its definition is that of segment {}", segment.key).into()),
        Err(errors) => Err(crate::definition::joined(&errors).into()),
    }
}

impl Kept {
    /// The segments that its condition asks about.
    pub(crate) fn segments(&self) -> BTreeSet<&SegmentKey> {
        let when = self.when.as_ref();
        when.map(Expression::segments).unwrap_or_default()
    }

    /// The segment again, as that of `key`.
    pub(crate) fn segment(&self, key: &SegmentKey) -> Segment {
        let (exclude, include) = self.units.listed();
        Segment {
            key: key.clone(),
            when: self.when.clone(),
            include,
            exclude,
        }
    }
}

impl Entry {
    fn new(
        key: SegmentKey,
        source: Source,
        unreadable: Option<&str>,
        ids: &BTreeMap<SegmentKey, SegmentId>,
    ) -> Self {
        let compiled = match (&source, unreadable) {
            (_, Some(why)) => Err(why.into()),
            (Err(why), None) => Err(why.clone()),
            (Ok(segment), None) => Compiled::new(segment, ids),
        };
        Self {
            key,
            source,
            compiled,
        }
    }

    fn is_same(&self, source: &Source, unreadable: Option<&str>) -> bool {
        let same_source = match (&self.source, source) {
            (Ok(left), Ok(right)) => Arc::ptr_eq(left, right) || left == right,
            (Err(left), Err(right)) => left == right,
            _ => false,
        };
        same_source && self.compiled.as_ref().err().map(|why| &**why) == unreadable
    }
}

impl Compiled {
    fn new(segment: &Kept, ids: &BTreeMap<SegmentKey, SegmentId>) -> Result<Self, Box<str>> {
        let mut compiler = Compiler::default();
        let matcher = segment
            .when
            .as_ref()
            .map(|when| compiler.compile(when.tree(), &|key| ids.get(key).copied()))
            .transpose()
            .map_err(|absent| format!("segment {} does not exist", absent.0))?;
        Ok(Self {
            kind: Kind {
                is_readable: true,
                lists_included: segment.units.lists_included(),
                lists_excluded: segment.units.lists_excluded(),
                has_condition: matcher.is_some(),
            },
            when: matcher.map(|matcher| (matcher, compiler.into_subjects())),
        })
    }
}

/// The segments of one context, asked one after another.
pub(crate) struct Segments<'s, 'c> {
    table: &'s SegmentTable,
    context: &'c Context,
    /// What lists the context's unit, once it has been looked up.
    found: Option<Found>,
    visits_left: u32,
    depth_left: usize,
}

impl<'s, 'c> Segments<'s, 'c> {
    #[inline]
    pub(crate) fn new(table: &'s SegmentTable, context: &'c Context) -> Self {
        Self {
            table,
            context,
            found: None,
            visits_left: SEGMENT_VISITS_MAX,
            depth_left: SEGMENT_DEPTH_MAX,
        }
    }

    /// Whether the context belongs to a segment: it is not excluded, and it is included by name
    /// or meets the condition.
    #[inline]
    pub(crate) fn holds(&mut self, id: SegmentId) -> Truth {
        let kind = self.table.kinds.get(id.index()).copied();
        let kind = kind.unwrap_or_default();
        if let Some(found) = &self.found
            && kind.only_lists()
            && !found.is_more
        {
            return Truth::from(found.says(id) == Some(true));
        }
        self.holds_by(id, kind)
    }

    /// [`Segments::holds`] the long way; apart, so that the short one is worth having in a loop.
    #[inline(never)]
    fn holds_by(&mut self, id: SegmentId, kind: Kind) -> Truth {
        if !kind.is_readable {
            return Truth::Unknown;
        }
        let (included, excluded) = match self.context.unit() {
            // Lists name units; without one they cannot be asked.
            None => (
                unknown_if(kind.lists_included),
                unknown_if(kind.lists_excluded),
            ),
            Some(unit) if kind.lists_included || kind.lists_excluded => match self.says(id, unit) {
                Some(is_included) => return Truth::from(is_included),
                None => (Truth::False, Truth::False),
            },
            Some(_) => (Truth::False, Truth::False),
        };
        let condition = if kind.has_condition {
            self.table.condition(id)
        } else {
            None
        };
        let when = condition.map_or(Truth::False, |(matcher, subjects)| {
            self.asked(matcher, subjects)
        });
        included.or(when).and(excluded.not())
    }

    /// Whether a segment names the unit, and if so, whether it includes it.
    fn says(&mut self, id: SegmentId, unit: &str) -> Option<bool> {
        let SegmentTable {
            listings, units, ..
        } = self.table;
        let found = self.found.get_or_insert_with(|| listings.of(unit, units));
        if found.is_more {
            listings.says(id, unit, units)
        } else {
            found.says(id)
        }
    }

    /// Asks a segment's condition, which may ask about further segments; unknown once that has
    /// gone on for too long.
    fn asked(&mut self, matcher: &Matcher, subjects: &[Subject]) -> Truth {
        let (Some(visits_left), Some(depth_left)) = (
            self.visits_left.checked_sub(1),
            self.depth_left.checked_sub(1),
        ) else {
            return Truth::Unknown;
        };
        self.visits_left = visits_left;
        let depth_before = std::mem::replace(&mut self.depth_left, depth_left);
        let truth = matcher.ask(&mut Reads::new(self.context, subjects), self);
        self.depth_left = depth_before;
        truth
    }
}

impl Kind {
    /// Whether it can be asked about and looks at nothing but its lists.
    #[inline]
    fn only_lists(self) -> bool {
        self.is_readable && !self.has_condition
    }
}

fn unknown_if(lists: bool) -> Truth {
    if lists { Truth::Unknown } else { Truth::False }
}
