//! Tells an effect: a page to the first channel that takes it, a notice to every one.

use std::time::Duration;

use leverframe_core::effect::{Effect, Settlement, Urgency};

use super::{Channels, Links, Told, Untold, Words};
use crate::limit::{CHANNEL_PAUSE, CHANNEL_TRIES_MAX};

/// Tells effects through channels.
#[derive(Debug)]
pub struct Teller {
    channels: Channels,
    links: Links,
    pause: Duration,
}

/// A plan names a channel that is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no channel {name}; {}", known(names))]
pub struct UnknownChannel {
    /// The name.
    pub name: String,
    /// Those that there are.
    pub names: Vec<String>,
}

fn known(names: &[String]) -> String {
    if names.is_empty() {
        return "the server's file names none (lever serve --config)".to_owned();
    }
    format!("the server's file names {}", names.join(", "))
}

/// How far the telling of one effect has come.
#[derive(Debug, Default)]
pub(crate) struct Round {
    taken: Vec<(Box<str>, Told)>,
    failed: Vec<Box<str>>,
}

impl Teller {
    /// Tells through these channels, with links to the server.
    #[must_use]
    pub fn new(channels: Channels, links: Links) -> Self {
        Self {
            channels,
            links,
            pause: CHANNEL_PAUSE,
        }
    }

    /// Looks whether every channel that a plan names is there.
    ///
    /// # Errors
    /// When one is not.
    pub fn check<'n>(
        &self,
        names: impl IntoIterator<Item = &'n str>,
    ) -> Result<(), UnknownChannel> {
        for name in names {
            if self.channels.get(name).is_none() {
                return Err(UnknownChannel {
                    name: name.to_owned(),
                    names: self.channels.names().map(str::to_owned).collect(),
                });
            }
        }
        Ok(())
    }

    /// Tells it, each channel with a few tries, and says what came of it. The same effect told again
    /// goes out under the same id.
    pub async fn tell(&self, effect: &Effect) -> Settlement {
        let mut round = Round::default();
        self.go_on(effect, &mut round).await;
        round.settlement(effect)
    }

    /// Tries whom is still to be told; whether nobody is any more.
    pub(crate) async fn go_on(&self, effect: &Effect, round: &mut Round) -> bool {
        let words = Words::of(effect, &self.links);
        round.failed.clear();
        for name in &effect.channels {
            if round.has(name) {
                continue;
            }
            match self.tell_one(name, &words).await {
                Ok(told) => {
                    round.taken.push((name.clone(), told));
                    if effect.urgency == Urgency::Page {
                        return true;
                    }
                }
                Err(why) => {
                    tracing::warn!(effect = %words.id, channel = %name, %why, "could not tell");
                    round.failed.push([name, ": ", &why].concat().into());
                }
            }
        }
        round.failed.is_empty()
    }

    async fn tell_one(&self, name: &str, words: &Words) -> Result<Told, String> {
        let Some(channel) = self.channels.get(name) else {
            return Err("no channel of that name is in the server's file".to_owned());
        };
        let mut pause = self.pause;
        let mut tries = 1;
        loop {
            match channel.tell(words).await {
                Ok(told) => return Ok(told),
                Err(Untold { why, is_passing }) if !is_passing || tries >= CHANNEL_TRIES_MAX => {
                    return Err(why);
                }
                Err(_) => {
                    tokio::time::sleep(pause).await;
                    pause *= 3;
                    tries += 1;
                }
            }
        }
    }
}

impl Round {
    fn has(&self, name: &str) -> bool {
        self.taken.iter().any(|(taken, _)| **taken == *name)
    }

    /// Why those who could not be told could not, a sentence each.
    pub(crate) fn failed(&self) -> &[Box<str>] {
        &self.failed
    }

    /// What came of it.
    pub(crate) fn settlement(self, effect: &Effect) -> Settlement {
        if effect.channels.is_empty() {
            return Settlement::Nobody;
        }
        if self.taken.is_empty() {
            return Settlement::Failed { why: self.failed };
        }
        Settlement::Delivered {
            read_back: self.taken.iter().all(|(_, told)| told.read_back),
            channels: self.taken.into_iter().map(|(name, _)| name).collect(),
            failed: self.failed,
        }
    }
}
