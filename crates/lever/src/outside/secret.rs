//! Where a secret is read from.

use std::fmt;
use std::path::{Path, PathBuf};

use leverframe_node::Secret;
use serde::de::{Error, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use super::{Keeper, Wrong, named, read_bounded};

/// Where a secret is read from. Written into the file itself it is refused, and not shown: files are
/// copied, shown and kept in git.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SecretPlace {
    /// `{ env = "NAME" }`.
    Variable(String),
    /// `{ file = "/path" }`.
    File(PathBuf),
}

impl Keeper<'_> {
    pub(super) fn fetch(&self, field: &str, place: &SecretPlace) -> Result<Secret, Wrong> {
        let (text, shown) = match place {
            SecretPlace::Variable(name) => {
                let shown = ["the environment variable ", name].concat();
                let text = (self.variable)(name);
                let missing = || Wrong::at(field, [&shown, " is not set"].concat());
                (text.ok_or_else(missing)?, shown.clone())
            }
            SecretPlace::File(path) => {
                let text = read_bounded(path);
                let text = text.map_err(|why| Wrong::at(field, named(path, &why)))?;
                (text, shown(path))
            }
        };
        let text = text.trim();
        if text.is_empty() {
            return Err(Wrong::at(field, [&shown, " is empty"].concat()));
        }
        if text.chars().any(char::is_control) {
            let why = [&shown, " has more than one line, or characters that act"].concat();
            return Err(Wrong::at(field, why));
        }
        Ok(Secret::new(text))
    }
}

fn shown(path: &Path) -> String {
    format!("the file {}", path.display())
}

impl<'de> Deserialize<'de> for SecretPlace {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PlaceVisitor)
    }
}

struct PlaceVisitor;

/// What serde would say instead shows the value.
fn in_the_clear<E: Error>() -> E {
    E::custom(
        "a secret does not stand in this file: write { env = \"NAME\" } or { file = \"/path\" }",
    )
}

impl<'de> Visitor<'de> for PlaceVisitor {
    type Value = SecretPlace;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{ env = \"NAME\" } or { file = \"/path\" }")
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<SecretPlace, E> {
        Err(in_the_clear())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<SecretPlace, E> {
        Err(in_the_clear())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<SecretPlace, E> {
        Err(in_the_clear())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SecretPlace, A::Error> {
        let Some((key, value)) = map.next_entry::<String, String>()? else {
            return Err(A::Error::invalid_value(Unexpected::Map, &self));
        };
        if map.next_key::<String>()?.is_some() {
            return Err(A::Error::invalid_value(Unexpected::Map, &self));
        }
        match key.as_str() {
            "env" => Ok(SecretPlace::Variable(value)),
            "file" => Ok(SecretPlace::File(value.into())),
            _ => Err(A::Error::unknown_field(&key, &["env", "file"])),
        }
    }
}
