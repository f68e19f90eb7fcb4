//! Refuses JSON in which an object has the same name twice.

use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::problem::Failure;

/// Goes through the whole text, keeping nothing but the names of the objects it is in. Its depth
/// is bounded by `serde_json`'s own limit of 128.
pub(crate) fn refuse(bytes: &[u8]) -> Result<(), Failure> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    match Walk
        .deserialize(&mut deserializer)
        .and_then(|()| deserializer.end())
    {
        Ok(()) => Ok(()),
        Err(error) if error.is_data() => {
            let text = error.to_string();
            let name = text.split_once('\u{1}').map(|(name, _)| name.to_owned());
            match name {
                Some(name) => Err(Failure::invalid(
                    name,
                    "this name comes twice in one object",
                )),
                None => Err(Failure::bad_request(text)),
            }
        }
        Err(error) => Err(Failure::bad_request(format!(
            "the body is not JSON: {error}"
        ))),
    }
}

struct Walk;

impl<'de> DeserializeSeed<'de> for Walk {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Walk)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let mut names = HashSet::new();
        while let Some(Name(name)) = fields.next_key()? {
            if names.contains(&name) {
                // The control character marks the end of the name for the caller above.
                return Err(serde::de::Error::custom(format_args!("{name}\u{1}")));
            }
            names.insert(name);
            fields.next_value_seed(Walk)?;
        }
        Ok(())
    }
}

/// Owned, because a name may be written with escapes.
#[derive(Deserialize)]
struct Name(String);
