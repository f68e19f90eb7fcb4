//! Salts, as far as they follow from their flag's key: so that flags which do the same share what
//! they compile to.

use std::borrow::Cow;

use crate::bucket::BucketSalt;
use crate::key::FlagKey;
use crate::packed::PackedSalt;

/// A salt, hashed as far as it can be without the flag.
#[derive(Debug)]
pub(super) enum Salt {
    /// The flag's key.
    Key,
    /// The flag's key and `/open`.
    KeyOpen,
    /// A text of its own.
    Text(Box<(BucketSalt, Box<str>)>),
}

impl Salt {
    pub(super) fn new(key: &FlagKey, salt: &str) -> Self {
        match PackedSalt::of(key, salt) {
            PackedSalt::Key => Self::Key,
            PackedSalt::KeyOpen => Self::KeyOpen,
            PackedSalt::Text(text) => Self::text(text),
        }
    }

    pub(super) fn none() -> Self {
        Self::text("")
    }

    fn text(text: &str) -> Self {
        Self::Text(Box::new((BucketSalt::new(text), text.into())))
    }

    /// The salt of a flag whose hashed key is `key`.
    #[inline]
    pub(super) fn of(&self, key: BucketSalt) -> BucketSalt {
        match self {
            Self::Key => key,
            Self::KeyOpen => key.and("/open"),
            Self::Text(text) => text.0,
        }
    }

    /// The salt's text, for people.
    pub(super) fn spelled<'a>(&'a self, key: &'a FlagKey) -> Cow<'a, str> {
        match self {
            Self::Key => Cow::Borrowed(key.as_str()),
            Self::KeyOpen => Cow::Owned(format!("{key}/open")),
            Self::Text(text) => Cow::Borrowed(&text.1),
        }
    }
}
