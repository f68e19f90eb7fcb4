//! A rule set as bytes, from which it can be had again without reading any text: what an evaluator
//! keeps on disk and starts from.
//!
//! ```text
//! version, revision
//! bodies:   each once, however many flags share it
//! segments: key, and the packed units with the condition, or why it cannot be read
//! flags:    key, the body's number or why there is none, the position, and the closed variant and
//!           value where the definition does not say the same
//! ```
//! Bodies, segments and flags each come after their count; segments and flags are sorted by key.

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::HashMap;

use super::RuleSet;
use super::body::{Body, Shared};
use super::flag::{Flag, Parts};
use super::roster::Roster;
use crate::key::{FlagKey, SegmentKey, VariantKey};
use crate::packed::{
    Malformed, Unpacking, pack_bytes, pack_count, pack_number, pack_position, pack_text,
    pack_value, unpack_position, unpack_value,
};
use crate::position::{Latch, Position};
use crate::segment_table::{Kept, SegmentTable, Source, Units};

/// Raised with every change of the form.
const VERSION: u64 = 1;

const UNREADABLE: u8 = 0;
const READABLE: u8 = 1;
const WITH_CONDITION: u8 = 2;

const AS_DEFINED: u8 = 0;
const APART: u8 = 1;

/// Bytes are not a rule set: altered, cut short, or written by another version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PackedError {
    /// They are in the form of another version.
    #[error("it is in the form of another version")]
    Version,
    /// They are in no known form.
    #[error("it is malformed")]
    Malformed,
}

impl From<Malformed> for PackedError {
    fn from(Malformed: Malformed) -> Self {
        Self::Malformed
    }
}

impl RuleSet {
    /// The rule set as bytes, which [`RuleSet::unpack`] reads. What the process itself keeps
    /// closed is not part of it.
    #[must_use]
    pub fn pack(&self) -> Vec<u8> {
        self.packed(&|_| false)
    }

    /// [`RuleSet::pack`] with some flags as closed.
    pub(crate) fn packed(&self, is_braked: &dyn Fn(&FlagKey) -> bool) -> Vec<u8> {
        let mut into = Vec::new();
        pack_number(&mut into, VERSION);
        pack_number(&mut into, self.revision);
        let mut numbers: HashMap<&[u8], u64, foldhash::fast::FixedState> = HashMap::default();
        let mut bodies = Vec::new();
        let mut next = 1_u64;
        for body in self.roster.iter().filter_map(|flag| flag.body().ok()) {
            numbers.entry(body.packed()).or_insert_with(|| {
                pack_bytes(&mut bodies, body.packed());
                let number = next;
                next = next.saturating_add(1);
                number
            });
        }
        pack_count(&mut into, numbers.len());
        into.append(&mut bodies);

        pack_count(&mut into, self.segments.sources().count());
        for (key, source) in self.segments.sources() {
            pack_text(&mut into, key.as_str());
            pack_segment(&mut into, source);
        }

        pack_count(&mut into, self.roster.len());
        for flag in self.roster.iter() {
            pack_text(&mut into, flag.key().as_str());
            match flag.body() {
                Ok(body) => {
                    let number = numbers.get(body.packed()).copied();
                    pack_number(&mut into, number.unwrap_or_default());
                }
                Err(why) => {
                    pack_number(&mut into, 0);
                    pack_text(&mut into, why);
                }
            }
            if is_braked(flag.key()) && !flag.position().is_closed() {
                let latch = flag.closed().map(|(variant, value)| Latch {
                    variant: variant.clone(),
                    value: value.clone(),
                });
                pack_position(&mut into, &Position::Closed { latch });
            } else {
                pack_position(&mut into, flag.position());
            }
            match flag.closed() {
                Some((variant, value)) if flag.is_closed_apart() => {
                    into.push(APART);
                    pack_text(&mut into, variant.as_str());
                    pack_value(&mut into, value);
                }
                _ => into.push(AS_DEFINED),
            }
        }
        into
    }

    /// The rule set that [`RuleSet::pack`] made bytes of, compiled. Total: whatever the bytes are,
    /// it ends with a rule set or an error.
    ///
    /// # Errors
    /// [`PackedError`] where the bytes are none that this version packs.
    pub fn unpack(bytes: &[u8]) -> Result<Self, PackedError> {
        let mut from = Unpacking::new(bytes);
        if from.number()? != VERSION {
            return Err(PackedError::Version);
        }
        let revision = from.number()?;
        let mut packed_bodies = Vec::new();
        for _ in 0..from.count()? {
            packed_bodies.push(from.bytes()?);
        }
        let (segments, _) = SegmentTable::default().with_sources(unpack_segments(&mut from)?);
        let mut shared = Shared::default();
        let bodies = packed_bodies
            .into_iter()
            .map(|packed| shared.packed_body(packed, &segments))
            .collect::<Result<Vec<Arc<Body>>, Malformed>>()?;

        let mut set = Self {
            revision,
            ..Self::default()
        };
        let count = from.count()?;
        let mut flags: Vec<Flag> = Vec::with_capacity(count.min(from.left() / FLAG_BYTES_MIN));
        for _ in 0..count {
            let flag = unpack_flag(&mut from, &bodies, &segments, &mut shared)?;
            if flags.last().is_some_and(|last| last.key() >= flag.key()) {
                return Err(PackedError::Malformed);
            }
            set.note_refusal(flag.key(), flag.refusal());
            flags.push(flag);
        }
        from.end()?;
        if !flags.is_empty() {
            set.roster = Roster::new(flags, 1);
        }
        set.segments = Arc::new(segments);
        Ok(set)
    }
}

/// A key of one letter, a body, a position, and how it is closed.
const FLAG_BYTES_MIN: usize = 5;

fn pack_segment(into: &mut Vec<u8>, source: &Source) {
    let segment = match source {
        Ok(segment) => segment,
        Err(why) => {
            into.push(UNREADABLE);
            pack_text(into, why);
            return;
        }
    };
    match &segment.when {
        Some(when) => {
            into.push(WITH_CONDITION);
            pack_text(into, &when.to_string());
        }
        None => into.push(READABLE),
    }
    pack_count(into, segment.units.included_from());
    pack_bytes(into, segment.units.packed());
}

fn unpack_segments(from: &mut Unpacking<'_>) -> Result<BTreeMap<SegmentKey, Source>, Malformed> {
    let mut sources: BTreeMap<SegmentKey, Source> = BTreeMap::new();
    for _ in 0..from.count()? {
        let key = SegmentKey::new(from.text()?).map_err(|_| Malformed)?;
        if sources
            .last_key_value()
            .is_some_and(|(last, _)| *last >= key)
        {
            return Err(Malformed);
        }
        let source = unpack_segment(from, &key)?;
        sources.insert(key, source);
    }
    Ok(sources)
}

fn unpack_segment(from: &mut Unpacking<'_>, key: &SegmentKey) -> Result<Source, Malformed> {
    let when = match from.byte()? {
        UNREADABLE => return Ok(Err(from.text()?.into())),
        READABLE => None,
        WITH_CONDITION => Some(from.text()?.parse().map_err(|_| Malformed)?),
        _ => return Err(Malformed),
    };
    let included_from = usize::try_from(from.number()?).map_err(|_| Malformed)?;
    let kept = Kept {
        when,
        units: Units::unpacked(from.bytes()?, included_from)?,
    };
    if kept.segments().contains(key) {
        return Err(Malformed);
    }
    Ok(Ok(Arc::new(kept)))
}

fn unpack_flag(
    from: &mut Unpacking<'_>,
    bodies: &[Arc<Body>],
    segments: &SegmentTable,
    shared: &mut Shared,
) -> Result<Flag, Malformed> {
    let key = FlagKey::new(from.text()?).map_err(|_| Malformed)?;
    let number = usize::try_from(from.number()?).map_err(|_| Malformed)?;
    let body = match number.checked_sub(1) {
        Some(index) => Ok(Arc::clone(bodies.get(index).ok_or(Malformed)?)),
        None => Err(from.text()?.into()),
    };
    let position = shared.position(unpack_position(from)?);
    let closed = match from.byte()? {
        AS_DEFINED => None,
        APART => {
            let variant = VariantKey::new(from.text()?).map_err(|_| Malformed)?;
            Some((variant, unpack_value(from)?))
        }
        _ => return Err(Malformed),
    };
    // Without one of the two there would be nothing to close it to.
    if closed.is_none() && body.as_ref().map_or(true, |body| body.program().is_err()) {
        return Err(Malformed);
    }
    let parts = Parts {
        key,
        position,
        closed,
        body,
        hold: None,
    };
    Ok(Flag::assemble(parts, segments))
}
