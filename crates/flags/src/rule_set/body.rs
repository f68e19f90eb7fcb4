//! Bodies: definitions without their flags' keys, packed for keeping and compiled for asking. Flags
//! that do the same share one body, so that ten thousand switches weigh little more than their
//! names.

use std::sync::Arc;

use hashbrown::HashMap;

use super::program::{Program, Variants};
use crate::definition::{Definition, joined};
use crate::key::FlagKey;
use crate::packed::{Malformed, pack_definition, pack_text, pack_value, unpack_definition};
use crate::position::Position;
use crate::segment_table::SegmentTable;

/// A valid definition without its flag's key.
#[derive(Debug)]
pub(super) struct Body {
    packed: Box<[u8]>,
    stale_after_s: Option<u32>,
    is_client_visible: bool,
    asks_segments: bool,
    program: Result<Program, Box<str>>,
}

impl Body {
    fn new(
        packed: Box<[u8]>,
        definition: &Definition,
        variants: Variants,
        segments: &SegmentTable,
    ) -> Self {
        Self {
            packed,
            stale_after_s: definition.stale_after_s,
            is_client_visible: definition.client_visible,
            asks_segments: definition
                .rules
                .iter()
                .any(|rule| rule.when.asks_segments()),
            program: Program::new(definition, variants, segments).map_err(Into::into),
        }
    }

    pub(super) fn packed(&self) -> &[u8] {
        &self.packed
    }

    /// What it compiled to, or why it does not.
    #[inline]
    pub(super) fn program(&self) -> Result<&Program, &str> {
        self.program.as_ref().map_err(|why| &**why)
    }

    /// The definition again, as that of flag `key`.
    pub(super) fn definition(&self, key: &FlagKey) -> Result<Definition, Malformed> {
        unpack_definition(key, &self.packed)
    }

    pub(super) fn is_client_visible(&self) -> bool {
        self.is_client_visible
    }

    /// How old the configuration may be before the flag closes, in milliseconds.
    pub(super) fn stale_after_ms(&self) -> Option<u64> {
        Some(u64::from(self.stale_after_s?).saturating_mul(1_000))
    }

    pub(super) fn asks_segments(&self) -> bool {
        self.asks_segments
    }
}

/// Bodies, variants and positions that several flags of one revision have in common.
#[derive(Debug, Default)]
pub(super) struct Shared {
    bodies: Interned<Arc<Body>>,
    variants: Interned<Variants>,
    positions: Interned<Arc<Position>>,
    scratch: Vec<u8>,
}

type Interned<T> = HashMap<Box<[u8]>, T, foldhash::fast::FixedState>;

impl Shared {
    /// The body of a definition as it came; `known` is the flag's body until now, over the same
    /// segments.
    pub(super) fn body(
        &mut self,
        key: &FlagKey,
        mut definition: Definition,
        known: Option<&Arc<Body>>,
        segments: &SegmentTable,
    ) -> Result<Arc<Body>, Box<str>> {
        if definition.key != *key {
            return Err(format!("the definition is that of flag {}", definition.key).into());
        }
        definition.normalise();
        definition.validate().map_err(|errors| joined(&errors))?;
        let mut packed = std::mem::take(&mut self.scratch);
        packed.clear();
        pack_definition(&mut packed, &definition);
        let body = match known {
            // Why it does not compile may be another by now.
            Some(known) if known.program.is_ok() && *known.packed == *packed => Arc::clone(known),
            _ => self.share(&packed, &definition, segments),
        };
        self.scratch = packed;
        Ok(body)
    }

    /// The body of a definition that was packed; an error where that cannot be.
    pub(super) fn packed_body(
        &mut self,
        packed: &[u8],
        segments: &SegmentTable,
    ) -> Result<Arc<Body>, Malformed> {
        let key = stand_in(packed)?;
        let definition = unpack_definition(&key, packed)?;
        definition.validate().map_err(|_| Malformed)?;
        Ok(self.share(packed, &definition, segments))
    }

    /// A body over other segments.
    pub(super) fn resolved(
        &mut self,
        key: &FlagKey,
        body: &Arc<Body>,
        segments: &SegmentTable,
    ) -> Arc<Body> {
        match body.definition(key) {
            Ok(definition) => self.share(&body.packed, &definition, segments),
            Err(Malformed) => Arc::clone(body),
        }
    }

    fn share(
        &mut self,
        packed: &[u8],
        definition: &Definition,
        segments: &SegmentTable,
    ) -> Arc<Body> {
        if let Some(body) = self.bodies.get(packed) {
            return Arc::clone(body);
        }
        let variants = self.variants(definition);
        let body = Arc::new(Body::new(packed.into(), definition, variants, segments));
        self.bodies.insert(packed.into(), Arc::clone(&body));
        body
    }

    fn variants(&mut self, definition: &Definition) -> Variants {
        let mut packed = Vec::new();
        for (variant, value) in &definition.variants {
            pack_text(&mut packed, variant.as_str());
            pack_value(&mut packed, value);
        }
        let variants = || {
            let variants = definition.variants.iter();
            variants
                .map(|(variant, value)| (variant.clone(), value.clone()))
                .collect()
        };
        Arc::clone(self.variants.entry(packed.into()).or_insert_with(variants))
    }

    pub(super) fn position(&mut self, position: Position) -> Arc<Position> {
        let mut packed = std::mem::take(&mut self.scratch);
        packed.clear();
        crate::packed::pack_position(&mut packed, &position);
        let shared = match self.positions.get(&*packed) {
            Some(known) => Arc::clone(known),
            None => {
                let position = Arc::new(position);
                self.positions
                    .insert(packed.as_slice().into(), Arc::clone(&position));
                position
            }
        };
        self.scratch = packed;
        shared
    }
}

/// A key for a definition whose flags are not known yet. What follows from the key is packed as
/// following from it, so any will do that no other text of the definition could follow from.
fn stand_in(packed: &[u8]) -> Result<FlagKey, Malformed> {
    let mut number = 0_u32;
    loop {
        let key = format!("~{number}~");
        let occurs = packed
            .windows(key.len())
            .any(|window| window == key.as_bytes());
        if !occurs {
            return FlagKey::new(&key).map_err(|_| Malformed);
        }
        number = number.checked_add(1).ok_or(Malformed)?;
    }
}
