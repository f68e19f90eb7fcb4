//! What a node may ask and tell outside: from the server's own file, never from the journal, so that
//! no secret is in it.

use leverframe_core::effect::{Effect, Urgency};

use crate::channel::{Channels, Links};
use crate::source::Sources;

/// The world outside, as the configuration names it.
#[derive(Debug, Clone, Default)]
pub struct Outside {
    /// Systems that may be asked for metrics.
    pub sources: Sources,
    /// Ways to tell people.
    pub channels: Channels,
    /// Where messages lead back to.
    pub links: Links,
    /// The channels that are paged where a plan names none.
    pub page: Vec<Box<str>>,
    /// The channels that are notified where a plan names none.
    pub notify: Vec<Box<str>>,
}

/// A source or a channel as people may see it: without a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// What plans call it.
    pub name: Box<str>,
    /// What it is, as the file says it, such as `prometheus`.
    pub kind: &'static str,
    /// Scheme, host and port of it, or the path of a program.
    pub place: String,
}

/// What is known of a source or a channel beside its name.
#[derive(Debug, Clone, Default)]
pub(crate) struct About {
    pub(crate) kind: &'static str,
    pub(crate) place: String,
}

impl About {
    pub(crate) fn new(kind: &'static str, place: String) -> Self {
        Self { kind, place }
    }

    pub(crate) fn listed(&self, name: &str) -> Listed {
        Listed {
            name: name.into(),
            kind: self.kind,
            place: self.place.clone(),
        }
    }
}

impl Outside {
    /// An effect with whom it goes to: whom its plan names, or who is told otherwise.
    pub(crate) fn addressed(&self, mut effect: Effect) -> Effect {
        if effect.channels.is_empty() {
            effect.channels = match effect.urgency {
                Urgency::Page => self.page.clone(),
                Urgency::Notify => self.notify.clone(),
            };
        }
        effect
    }
}
