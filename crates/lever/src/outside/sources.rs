//! `[sources.NAME]`.

use std::path::PathBuf;

use leverframe_node::{Secret, SourceSettings};
use serde::Deserialize;

use super::address::{Web, endpoint};
use super::secret::SecretPlace;
use super::{Keeper, Wrong};

/// One source.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum SourceEntry {
    Prometheus(Web),
    Json(Web),
    Datadog {
        site: Option<String>,
        url: Option<String>,
        #[serde(default)]
        allow_private: bool,
        timeout: Option<String>,
        ca_file: Option<PathBuf>,
        api_key: SecretPlace,
        application_key: SecretPlace,
    },
}

impl SourceEntry {
    pub(super) fn settings(&self, keeper: &Keeper<'_>) -> Result<SourceSettings, Wrong> {
        match self {
            Self::Prometheus(web) => {
                let (endpoint, credentials) = web.open(keeper)?;
                Ok(SourceSettings::Prometheus {
                    endpoint,
                    credentials,
                })
            }
            Self::Json(web) => {
                let (endpoint, credentials) = web.open(keeper)?;
                Ok(SourceSettings::Json {
                    endpoint,
                    credentials,
                })
            }
            Self::Datadog {
                site,
                url,
                allow_private,
                timeout,
                ca_file,
                api_key,
                application_key,
            } => {
                let url = datadog(site.as_deref(), url.as_deref())?;
                let (timeout, ca_file) = (timeout.as_deref(), ca_file.as_deref());
                Ok(SourceSettings::Datadog {
                    endpoint: endpoint(&url, *allow_private, timeout, ca_file)?,
                    api_key: keeper.fetch("api_key", api_key)?,
                    application_key: keeper.fetch("application_key", application_key)?,
                })
            }
        }
    }
}

/// Where the API of a site of Datadog is.
fn datadog(site: Option<&str>, url: Option<&str>) -> Result<Secret, Wrong> {
    match (site, url) {
        (Some(_), Some(_)) => Err(Wrong::at("site", "name the site or the url, not both")),
        (None, Some(url)) => Ok(Secret::new(url)),
        (site, None) => {
            let site = site.unwrap_or("datadoghq.com");
            let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
            if site.is_empty() || !site.chars().all(is_host) {
                return Err(Wrong::at("site", "it is a site such as datadoghq.eu"));
            }
            Ok(Secret::new(["https://api.", site].concat()))
        }
    }
}
