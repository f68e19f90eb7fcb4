//! `[channels.NAME]`.

use std::path::PathBuf;
use std::time::Duration;

use leverframe_node::{ChannelSettings, Secret};
use serde::Deserialize;

use super::address::{Web, endpoint, span};
use super::secret::SecretPlace;
use super::{Keeper, Wrong};
use crate::span::Span;

/// Where PagerDuty takes events, outside of the EU.
const PAGERDUTY: &str = "https://events.pagerduty.com";
/// How long a command may take when its entry does not say.
const COMMAND_TIME: Duration = Duration::from_secs(10);

/// One channel.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum ChannelEntry {
    Alertmanager(Web),
    #[serde(rename = "pagerduty")]
    PagerDuty {
        routing_key: SecretPlace,
        url: Option<String>,
        #[serde(default)]
        allow_private: bool,
        timeout: Option<String>,
        ca_file: Option<PathBuf>,
    },
    Slack {
        webhook: SecretPlace,
        #[serde(default)]
        allow_private: bool,
        timeout: Option<String>,
        ca_file: Option<PathBuf>,
    },
    Webhook {
        url: String,
        key: SecretPlace,
        #[serde(default)]
        allow_private: bool,
        timeout: Option<String>,
        ca_file: Option<PathBuf>,
    },
    Command {
        command: Vec<String>,
        timeout: Option<String>,
    },
}

impl ChannelEntry {
    pub(super) fn settings(&self, keeper: &Keeper<'_>) -> Result<ChannelSettings, Wrong> {
        match self {
            Self::Alertmanager(web) => {
                let (endpoint, credentials) = web.open(keeper)?;
                Ok(ChannelSettings::Alertmanager {
                    endpoint,
                    credentials,
                })
            }
            Self::PagerDuty {
                routing_key,
                url,
                allow_private,
                timeout,
                ca_file,
            } => {
                let url = Secret::new(url.as_deref().unwrap_or(PAGERDUTY));
                let (timeout, ca_file) = (timeout.as_deref(), ca_file.as_deref());
                Ok(ChannelSettings::PagerDuty {
                    endpoint: endpoint(&url, *allow_private, timeout, ca_file)?,
                    routing_key: keeper.fetch("routing_key", routing_key)?,
                })
            }
            Self::Slack {
                webhook,
                allow_private,
                timeout,
                ca_file,
            } => {
                let webhook = keeper.fetch("webhook", webhook)?;
                let (timeout, ca_file) = (timeout.as_deref(), ca_file.as_deref());
                Ok(ChannelSettings::Slack {
                    endpoint: endpoint(&webhook, *allow_private, timeout, ca_file)?,
                    webhook,
                })
            }
            Self::Webhook {
                url,
                key,
                allow_private,
                timeout,
                ca_file,
            } => {
                let url = Secret::new(url.as_str());
                let (timeout, ca_file) = (timeout.as_deref(), ca_file.as_deref());
                Ok(ChannelSettings::Webhook {
                    endpoint: endpoint(&url, *allow_private, timeout, ca_file)?,
                    key: keeper.fetch("key", key)?,
                })
            }
            Self::Command { command, timeout } => {
                let timeout = timeout.as_deref().map(span).transpose()?;
                Ok(ChannelSettings::Command {
                    argv: command.clone(),
                    timeout: timeout.map_or(COMMAND_TIME, Span::duration),
                })
            }
        }
    }
}
