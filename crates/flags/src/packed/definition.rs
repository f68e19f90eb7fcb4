//! Definitions, without their flag's key: salts that follow from the key are packed as following
//! from it, so that flags which do the same have the same bytes, and share what those compile to.

use std::collections::BTreeMap;

use super::{Malformed, Unpacking, pack_count, pack_number, pack_text, pack_value, unpack_value};
use crate::definition::{Arm, Definition, Hash, Prerequisite, Rule, Serve, Split};
use crate::key::{FlagKey, VariantKey};
use crate::percentage::Percentage;
use crate::value::{Value, ValueType};

/// How a salt follows from the flag's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PackedSalt<'b> {
    /// It is the key.
    Key,
    /// It is the key and `/open`: what an open split gets when a file names none.
    KeyOpen,
    /// It is a text of its own.
    Text(&'b str),
}

const KEY: u8 = 0;
const KEY_OPEN: u8 = 1;
const TEXT: u8 = 2;

const VALUE_TYPES: [ValueType; 5] = [
    ValueType::Boolean,
    ValueType::String,
    ValueType::Integer,
    ValueType::Float,
    ValueType::Object,
];
const UNSALTED: u8 = 1 << 3;
const CLIENT_VISIBLE: u8 = 1 << 4;
const HAS_UNIT: u8 = 1 << 5;
const HAS_STALE_AFTER: u8 = 1 << 6;

impl<'b> PackedSalt<'b> {
    pub(crate) fn of(key: &FlagKey, salt: &'b str) -> Self {
        match salt.strip_prefix(key.as_str()) {
            Some("") => Self::Key,
            Some("/open") => Self::KeyOpen,
            _ => Self::Text(salt),
        }
    }

    fn pack(self, into: &mut Vec<u8>) {
        match self {
            Self::Key => into.push(KEY),
            Self::KeyOpen => into.push(KEY_OPEN),
            Self::Text(text) => {
                into.push(TEXT);
                pack_text(into, text);
            }
        }
    }

    fn unpack(from: &mut Unpacking<'b>) -> Result<Self, Malformed> {
        Ok(match from.byte()? {
            KEY => Self::Key,
            KEY_OPEN => Self::KeyOpen,
            TEXT => Self::Text(from.text()?),
            _ => return Err(Malformed),
        })
    }

    fn spelled(self, key: &FlagKey) -> Box<str> {
        match self {
            Self::Key => key.as_str().into(),
            Self::KeyOpen => format!("{key}/open").into(),
            Self::Text(text) => text.into(),
        }
    }
}

/// Packs a definition that is valid.
pub(crate) fn pack_definition(into: &mut Vec<u8>, definition: &Definition) {
    let value_type = VALUE_TYPES
        .iter()
        .position(|known| *known == definition.value_type);
    let mut head = value_type.and_then(|at| u8::try_from(at).ok()).unwrap_or(0);
    let marks = [
        (definition.hash == Hash::Unsalted, UNSALTED),
        (definition.client_visible, CLIENT_VISIBLE),
        (definition.unit.is_some(), HAS_UNIT),
        (definition.stale_after_s.is_some(), HAS_STALE_AFTER),
    ];
    for (is_set, mark) in marks {
        head |= if is_set { mark } else { 0 };
    }
    into.push(head);
    pack_count(into, definition.variants.len());
    for (variant, value) in &definition.variants {
        pack_text(into, variant.as_str());
        pack_value(into, value);
    }
    pack_variant(into, definition, &definition.closed);
    PackedSalt::of(&definition.key, &definition.salt).pack(into);
    pack_serve(into, definition, &definition.open);
    pack_count(into, definition.rules.len());
    for rule in &definition.rules {
        pack_text(into, &rule.id);
        pack_text(into, &rule.when.to_string());
        pack_serve(into, definition, &rule.serve);
    }
    pack_count(into, definition.prerequisites.len());
    for prerequisite in &definition.prerequisites {
        pack_text(into, prerequisite.flag.as_str());
        pack_count(into, prerequisite.variants.len());
        for variant in &prerequisite.variants {
            pack_text(into, variant.as_str());
        }
    }
    if let Some(unit) = &definition.unit {
        pack_text(into, unit);
    }
    if let Some(stale_after_s) = definition.stale_after_s {
        pack_number(into, u64::from(stale_after_s));
    }
}

fn pack_variant(into: &mut Vec<u8>, definition: &Definition, variant: &VariantKey) {
    let number = definition
        .variants
        .keys()
        .position(|known| known == variant);
    pack_count(into, number.unwrap_or(usize::MAX));
}

/// No arms at all stand for one variant: a split has one at least.
fn pack_serve(into: &mut Vec<u8>, definition: &Definition, serve: &Serve) {
    match serve {
        Serve::Variant(variant) => {
            pack_count(into, 0);
            pack_variant(into, definition, variant);
        }
        Serve::Split(split) => {
            pack_count(into, split.split.len());
            for arm in &split.split {
                pack_variant(into, definition, &arm.variant);
                pack_number(into, u64::from(arm.weight.thousandths()));
            }
            PackedSalt::of(&definition.key, &split.salt).pack(into);
        }
    }
}

/// Reads the definition of flag `key`. What it says is not checked against anything else:
/// [`Definition::validate`] does that.
pub(crate) fn unpack_definition(key: &FlagKey, bytes: &[u8]) -> Result<Definition, Malformed> {
    let mut from = Unpacking::new(bytes);
    let head = from.byte()?;
    if head & 0x80 != 0 {
        return Err(Malformed);
    }
    let value_type = *VALUE_TYPES.get(usize::from(head & 0x7)).ok_or(Malformed)?;
    let variants = unpack_variants(&mut from)?;
    let names: Vec<&VariantKey> = variants.keys().collect();
    let closed = variant(&mut from, &names)?;
    let salt = PackedSalt::unpack(&mut from)?.spelled(key);
    let open = serve(&mut from, key, &names)?;
    let mut rules = Vec::new();
    for _ in 0..from.count()? {
        rules.push(Rule {
            id: from.text()?.into(),
            when: from.text()?.parse().map_err(|_| Malformed)?,
            serve: serve(&mut from, key, &names)?,
        });
    }
    let mut prerequisites = Vec::new();
    for _ in 0..from.count()? {
        let flag = FlagKey::new(from.text()?).map_err(|_| Malformed)?;
        let mut variants = Vec::new();
        for _ in 0..from.count()? {
            variants.push(VariantKey::new(from.text()?).map_err(|_| Malformed)?);
        }
        prerequisites.push(Prerequisite { flag, variants });
    }
    let unit = if head & HAS_UNIT == 0 {
        None
    } else {
        Some(from.text()?.into())
    };
    let stale_after_s = if head & HAS_STALE_AFTER == 0 {
        None
    } else {
        Some(from.number_u32()?)
    };
    from.end()?;
    Ok(Definition {
        key: key.clone(),
        value_type,
        closed,
        open,
        rules,
        prerequisites,
        unit,
        salt,
        hash: if head & UNSALTED == 0 {
            Hash::Native
        } else {
            Hash::Unsalted
        },
        client_visible: head & CLIENT_VISIBLE != 0,
        stale_after_s,
        variants,
    })
}

/// In the order of their names, which is what numbers mean.
fn unpack_variants(from: &mut Unpacking<'_>) -> Result<BTreeMap<VariantKey, Value>, Malformed> {
    let mut variants = BTreeMap::new();
    for _ in 0..from.count()? {
        let variant = VariantKey::new(from.text()?).map_err(|_| Malformed)?;
        if variants
            .last_key_value()
            .is_some_and(|(last, _)| *last >= variant)
        {
            return Err(Malformed);
        }
        variants.insert(variant, unpack_value(from)?);
    }
    Ok(variants)
}

fn variant(from: &mut Unpacking<'_>, names: &[&VariantKey]) -> Result<VariantKey, Malformed> {
    let number = usize::try_from(from.number()?).map_err(|_| Malformed)?;
    names
        .get(number)
        .map(|name| VariantKey::clone(name))
        .ok_or(Malformed)
}

fn serve(
    from: &mut Unpacking<'_>,
    key: &FlagKey,
    names: &[&VariantKey],
) -> Result<Serve, Malformed> {
    let count = from.count()?;
    if count == 0 {
        return Ok(Serve::Variant(variant(from, names)?));
    }
    let mut split = Vec::new();
    for _ in 0..count {
        split.push(Arm {
            variant: variant(from, names)?,
            weight: Percentage::from_thousandths(from.number_u32()?).ok_or(Malformed)?,
        });
    }
    Ok(Serve::Split(Split {
        split,
        salt: PackedSalt::unpack(from)?.spelled(key),
    }))
}
