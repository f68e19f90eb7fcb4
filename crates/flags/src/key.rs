//! Keys: the names people give to flags, segments, environments and variants.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::limit::KEY_BYTES_MAX;

/// Why a text is not a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The text is empty.
    #[error("a {noun} key must not be empty")]
    Empty {
        /// What the key would have named.
        noun: &'static str,
    },
    /// The text has more than [`KEY_BYTES_MAX`] bytes.
    #[error("a {noun} key has at most {KEY_BYTES_MAX} characters; this one has {length}")]
    TooLong {
        /// What the key would have named.
        noun: &'static str,
        /// Its length in bytes.
        length: usize,
    },
    /// The text has a character outside `[A-Za-z0-9._~-]`.
    #[error(
        "a {noun} key may hold only A-Z a-z 0-9 . _ ~ -; {found:?} stands at position {position}"
    )]
    Character {
        /// What the key would have named.
        noun: &'static str,
        /// The first character that is not allowed.
        found: char,
        /// Its position in characters, from 1.
        position: usize,
    },
}

fn check(noun: &'static str, text: &str) -> Result<(), KeyError> {
    if text.is_empty() {
        return Err(KeyError::Empty { noun });
    }
    if text.len() > KEY_BYTES_MAX {
        return Err(KeyError::TooLong {
            noun,
            length: text.len(),
        });
    }
    // `.` and `..` would be read as path segments by HTTP clients and file systems.
    let is_dots = text.bytes().all(|byte| byte == b'.');
    let stray = text.chars().enumerate().find(|(_, c)| {
        is_dots || !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '~' | '-'))
    });
    match stray {
        Some((index, found)) => Err(KeyError::Character {
            noun,
            found,
            position: index.saturating_add(1),
        }),
        None => Ok(()),
    }
}

macro_rules! key {
    ($(#[$doc:meta])* $name:ident, $noun:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks `text` against `[A-Za-z0-9._~-]{1,128}`.
            ///
            /// # Errors
            /// [`KeyError`] names the first thing that is wrong.
            pub fn new(text: &str) -> Result<Self, KeyError> {
                check($noun, text)?;
                Ok(Self(Arc::from(text)))
            }

            /// The key as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = KeyError;
            fn from_str(text: &str) -> Result<Self, KeyError> {
                Self::new(text)
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                &*self.0 == other
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                Self::new(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}

key!(
    /// The name of a flag.
    FlagKey, "flag"
);
key!(
    /// The name of a segment.
    SegmentKey, "segment"
);
key!(
    /// The name of an environment.
    EnvironmentKey, "environment"
);
key!(
    /// The name of a variant of a flag.
    VariantKey, "variant"
);
