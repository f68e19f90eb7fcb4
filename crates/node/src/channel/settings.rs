//! The channels that the configuration names.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::Channel;
use super::alertmanager::Alertmanager;
use super::command::Program;
use super::pagerduty::PagerDuty;
use super::slack::Slack;
use super::webhook::{Signer, Webhook};
use crate::clock::Clock;
use crate::limit::{CHANNEL_ANSWER_BYTES_MAX, OUTGOING_TIME_MAX};
use crate::outgoing::{Endpoint, EndpointError, Outgoing, Resolver, Secret};
use crate::outside::{About, Listed};
use crate::source::Credentials;

/// One channel, as the configuration describes it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ChannelSettings {
    /// Alertmanager.
    Alertmanager {
        /// Its base address; `api/v2/alerts` comes behind it.
        endpoint: Endpoint,
        /// How to show who tells.
        credentials: Option<Credentials>,
    },
    /// PagerDuty, Events API v2.
    PagerDuty {
        /// The base address of its events, `https://events.pagerduty.com` but in tests.
        endpoint: Endpoint,
        /// The integration key of the service.
        routing_key: Secret,
    },
    /// Slack.
    Slack {
        /// The incoming webhook.
        endpoint: Endpoint,
        /// The same address as text, which is never told.
        webhook: Secret,
    },
    /// A receiver that follows Standard Webhooks.
    Webhook {
        /// Its whole address.
        endpoint: Endpoint,
        /// The key that signs, such as `whsec_…`.
        key: Secret,
    },
    /// A program of this machine.
    Command {
        /// The program by its whole path, and its arguments.
        argv: Vec<String>,
        /// How long it may take.
        timeout: Duration,
    },
}

impl ChannelSettings {
    fn about(&self) -> About {
        match self {
            Self::Alertmanager { endpoint, .. } => About::new("alertmanager", endpoint.place()),
            Self::PagerDuty { endpoint, .. } => About::new("pagerduty", endpoint.place()),
            Self::Slack { endpoint, .. } => About::new("slack", endpoint.place()),
            Self::Webhook { endpoint, .. } => About::new("webhook", endpoint.place()),
            // Its arguments may hold what nobody is to see.
            Self::Command { argv, .. } => {
                About::new("command", argv.first().cloned().unwrap_or_default())
            }
        }
    }
}

/// What is wrong with the entry of a channel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChannelError {
    /// Its address.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The key that signs is none.
    #[error("key: it is whsec_ and 24 to 64 bytes in Base64")]
    Key,
    /// The program is none.
    #[error("command: it begins with the whole path of a program, such as /usr/local/bin/page")]
    Command,
    /// The limit of time is none.
    #[error("timeout: it lasts longer than nothing and up to {} s", OUTGOING_TIME_MAX.as_secs())]
    Timeout,
}

/// Channels by name.
#[derive(Clone, Default)]
pub struct Channels {
    by_name: BTreeMap<Box<str>, (Arc<dyn Channel>, About)>,
}

impl Channels {
    /// Adds a channel, or takes the place of the one of that name.
    pub fn add(&mut self, name: &str, channel: Arc<dyn Channel>) {
        let about = About::new("of its own", String::new());
        self.by_name.insert(name.into(), (channel, about));
    }

    /// Adds one that the configuration describes. Nothing is called yet.
    ///
    /// # Errors
    /// When its entry cannot be used.
    pub fn open(
        &mut self,
        name: &str,
        settings: ChannelSettings,
        resolver: &Arc<dyn Resolver>,
    ) -> Result<(), ChannelError> {
        let outgoing = |endpoint, secrets: &[&Secret]| {
            Outgoing::new(endpoint, secrets, CHANNEL_ANSWER_BYTES_MAX, resolver)
        };
        let about = settings.about();
        let channel: Arc<dyn Channel> = match settings {
            ChannelSettings::Alertmanager {
                endpoint,
                credentials,
            } => {
                let secrets = credentials.as_ref().map(Credentials::secrets);
                let secrets = secrets.unwrap_or_default();
                let secrets: Vec<&Secret> = secrets.iter().collect();
                Arc::new(Alertmanager {
                    outgoing: outgoing(endpoint, &secrets)?,
                    credentials,
                })
            }
            ChannelSettings::PagerDuty {
                endpoint,
                routing_key,
            } => Arc::new(PagerDuty {
                outgoing: outgoing(endpoint, &[&routing_key])?,
                routing_key,
            }),
            ChannelSettings::Slack { endpoint, webhook } => Arc::new(Slack {
                outgoing: outgoing(endpoint, &[&webhook])?,
            }),
            ChannelSettings::Webhook { endpoint, key } => Arc::new(Webhook {
                outgoing: outgoing(endpoint, &[&key])?,
                signer: Signer::new(&key).ok_or(ChannelError::Key)?,
                clock: Clock::start(),
            }),
            ChannelSettings::Command { argv, timeout } => {
                if !Program::is_named(&argv) {
                    return Err(ChannelError::Command);
                }
                if timeout.is_zero() || timeout > OUTGOING_TIME_MAX {
                    return Err(ChannelError::Timeout);
                }
                Arc::new(Program { argv, timeout })
            }
        };
        self.by_name.insert(name.into(), (channel, about));
        Ok(())
    }

    pub(super) fn get(&self, name: &str) -> Option<&Arc<dyn Channel>> {
        self.by_name.get(name).map(|(channel, _)| channel)
    }

    /// All of them as people may see them, by name.
    pub fn listed(&self) -> impl Iterator<Item = Listed> {
        let all = self.by_name.iter();
        all.map(|(name, (_, about))| about.listed(name))
    }

    /// The names of all.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(|name| &**name)
    }
}

impl fmt::Debug for Channels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}
