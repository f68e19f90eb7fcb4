//! Records: one accepted command each, chained by hash. The journal is a list of them.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::command::{Idempotency, Why};
use crate::event::Event;
use crate::time::Timestamp;

/// One accepted command: one record, one revision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Its number, from 1 without holes.
    pub revision: u64,
    /// When it was decided.
    pub at: Timestamp,
    /// Who: a token's id, or `system`.
    pub actor: Box<str>,
    /// What people call the actor.
    pub actor_name: Box<str>,
    /// Through what.
    pub via: Box<str>,
    /// Why.
    #[serde(flatten)]
    pub why: Why,
    /// The key under which a repeat gets the same answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency: Option<Idempotency>,
    /// What became true.
    pub events: Vec<Event>,
}

/// A link of the hash chain: `SHA-256(previous link ‖ text of the record)`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Link([u8; 32]);

/// A record with its place in the chain: what a store keeps.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The record.
    pub record: Record,
    /// Its JSON text, exactly as hashed and stored.
    pub text: Box<str>,
    /// The link of the record before it.
    pub previous: Link,
    /// Its own link.
    pub link: Link,
}

/// Why a stored text is not the record it should be.
#[derive(Debug, thiserror::Error)]
pub enum EntryError {
    /// The text cannot be read: damaged, or of an event kind this version does not know.
    #[error("the record at revision {revision} cannot be read: {source}")]
    Unreadable {
        /// Where.
        revision: u64,
        /// Why.
        source: serde_json::Error,
    },
    /// The text is not what was hashed, or a record before it is missing.
    #[error("the record at revision {revision} does not continue the chain")]
    BrokenChain {
        /// Where.
        revision: u64,
    },
    /// The record says it is another one.
    #[error("the record at revision {revision} says it is revision {found}")]
    WrongRevision {
        /// Where.
        revision: u64,
        /// What it says.
        found: u64,
    },
}

impl Link {
    /// Before the first record.
    pub const START: Self = Self([0; 32]);

    /// The link of a record with this text after this one.
    #[must_use]
    pub fn next(self, text: &str) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(self.0);
        hasher.update(text.as_bytes());
        Self(hasher.finalize().into())
    }

    /// The bytes, as stored.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// From bytes as stored.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// From hexadecimal; `None` when it is not 64 hexadecimal digits.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        for (byte, index) in bytes.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(text.get(index..index + 2)?, 16).ok()?;
        }
        Some(Self(bytes))
    }

    /// In hexadecimal, as on the wire.
    #[must_use]
    pub fn to_hex(&self) -> String {
        // Every request with a token has its hash written out, and formatting is slow.
        const DIGITS: [char; 16] = [
            '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
        ];
        let digit = |half: u8| DIGITS.get(usize::from(half)).copied().unwrap_or_default();
        let mut text = String::with_capacity(64);
        for byte in self.0 {
            text.push(digit(byte >> 4));
            text.push(digit(byte & 15));
        }
        text
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.to_hex())
    }
}

impl Serialize for Link {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_hex())
    }
}

impl<'de> Deserialize<'de> for Link {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::from_hex(&text)
            .ok_or_else(|| serde::de::Error::custom("a link is 64 hexadecimal digits"))
    }
}

impl Entry {
    /// Chains a record to the one before it.
    ///
    /// # Errors
    /// When the record cannot be written as JSON that can be read again: a number in it is none.
    pub fn seal(record: Record, previous: Link) -> Result<Self, serde_json::Error> {
        let text: Box<str> = serde_json::to_string(&record)?.into();
        // What is not a number becomes null, and could never be read again: better no record.
        if text.contains("null") {
            serde_json::from_str::<Record>(&text)?;
        }
        let link = previous.next(&text);
        Ok(Self {
            record,
            text,
            previous,
            link,
        })
    }

    /// Reads a stored text and checks that it is the record at `revision` after `previous`.
    ///
    /// # Errors
    /// [`EntryError`] names the revision and what is wrong with it.
    pub fn open(
        revision: u64,
        text: Box<str>,
        previous: Link,
        link: Link,
    ) -> Result<Self, EntryError> {
        if previous.next(&text) != link {
            return Err(EntryError::BrokenChain { revision });
        }
        let record: Record = serde_json::from_str(&text)
            .map_err(|source| EntryError::Unreadable { revision, source })?;
        if record.revision != revision {
            return Err(EntryError::WrongRevision {
                revision,
                found: record.revision,
            });
        }
        Ok(Self {
            record,
            text,
            previous,
            link,
        })
    }
}
