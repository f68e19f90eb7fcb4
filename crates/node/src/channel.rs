//! Through which people are told: pages, which wake somebody, and notices.
//!
//! Every channel gets the same [`Words`], in which no text acts any more, and the same id for the same
//! effect, so that a receiver can drop what it has already. Whoever cannot be told says why, without
//! a secret in it.

mod alertmanager;
mod command;
mod pagerduty;
mod settings;
mod slack;
mod teller;
mod webhook;
mod words;

pub use settings::{ChannelError, ChannelSettings, Channels};
pub use teller::{Teller, UnknownChannel};
pub use words::{Links, Words};

pub(crate) use teller::Round;

use async_trait::async_trait;

use crate::outgoing::{Answer, Outgoing, OutgoingError};

/// A way to tell somebody.
#[async_trait]
pub trait Channel: Send + Sync {
    /// Tells it once. Ends in bounded time. Told again under the same id it does not tell people
    /// twice, as far as the other side allows that.
    ///
    /// # Errors
    /// When it was not taken.
    async fn tell(&self, words: &Words) -> Result<Told, Untold>;
}

/// It was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// Whether it was read back there.
    pub read_back: bool,
}

/// It was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Untold {
    /// Why; without a secret in it.
    pub why: String,
    /// Whether the same may be taken a moment later.
    pub is_passing: bool,
}

impl Untold {
    /// It may be taken a moment later.
    #[must_use]
    pub fn passing(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            is_passing: true,
        }
    }

    /// It will be refused again, until somebody changes something.
    #[must_use]
    pub fn lasting(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            is_passing: false,
        }
    }

    /// What an answer with an unwelcome status means.
    fn status(outgoing: &Outgoing, answer: &Answer) -> Self {
        let said = outgoing.told(&String::from_utf8_lossy(&answer.body));
        let (place, status) = (outgoing.place(), answer.status);
        Self {
            why: format!("{place} answered with status {status}: {said}"),
            is_passing: status == 408 || status == 429 || status >= 500,
        }
    }
}

impl From<OutgoingError> for Untold {
    fn from(error: OutgoingError) -> Self {
        let is_passing = matches!(
            error,
            OutgoingError::Unknown { .. }
                | OutgoingError::Unreachable { .. }
                | OutgoingError::TimedOut { .. }
        );
        Self {
            why: error.to_string(),
            is_passing,
        }
    }
}
