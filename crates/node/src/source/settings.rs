//! The sources that the configuration names.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::datadog::Datadog;
use super::json::Json;
use super::prometheus::Prometheus;
use super::{Credentials, Source};
use crate::outgoing::{Endpoint, EndpointError, Outgoing, Resolver, Secret};
use crate::outside::{About, Listed};

use crate::limit::SOURCE_ANSWER_BYTES_MAX;

/// One source, as the configuration describes it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum SourceSettings {
    /// Prometheus, or what speaks its query API.
    Prometheus {
        /// Its base address; `api/v1/query` comes behind it.
        endpoint: Endpoint,
        /// How to show who asks.
        credentials: Option<Credentials>,
    },
    /// An endpoint that answers with JSON.
    Json {
        /// Its whole address.
        endpoint: Endpoint,
        /// How to show who asks.
        credentials: Option<Credentials>,
    },
    /// Datadog.
    Datadog {
        /// The base address of its API, such as `https://api.datadoghq.eu`.
        endpoint: Endpoint,
        /// The API key.
        api_key: Secret,
        /// The application key.
        application_key: Secret,
    },
}

impl SourceSettings {
    fn about(&self) -> About {
        match self {
            Self::Prometheus { endpoint, .. } => About::new("prometheus", endpoint.place()),
            Self::Json { endpoint, .. } => About::new("json", endpoint.place()),
            Self::Datadog { endpoint, .. } => About::new("datadog", endpoint.place()),
        }
    }
}

/// Sources by name.
#[derive(Clone, Default)]
pub struct Sources {
    by_name: BTreeMap<Box<str>, (Arc<dyn Source>, About)>,
}

impl Sources {
    /// Adds a source, or takes the place of the one of that name.
    pub fn add(&mut self, name: &str, source: Arc<dyn Source>) {
        let about = About::new("of its own", String::new());
        self.by_name.insert(name.into(), (source, about));
    }

    /// Adds one that the configuration describes. Nothing is called yet.
    ///
    /// # Errors
    /// When its entry cannot be used.
    pub fn open(
        &mut self,
        name: &str,
        settings: SourceSettings,
        resolver: &Arc<dyn Resolver>,
    ) -> Result<(), EndpointError> {
        let outgoing = |endpoint, secrets: Vec<Secret>| {
            let secrets: Vec<&Secret> = secrets.iter().collect();
            Outgoing::new(endpoint, &secrets, SOURCE_ANSWER_BYTES_MAX, resolver)
        };
        let secrets = |credentials: &Option<Credentials>| {
            let secrets = credentials.as_ref().map(Credentials::secrets);
            secrets.unwrap_or_default()
        };
        let about = settings.about();
        let source: Arc<dyn Source> = match settings {
            SourceSettings::Prometheus {
                endpoint,
                credentials,
            } => {
                let outgoing = outgoing(endpoint, secrets(&credentials))?;
                Arc::new(Prometheus::new(outgoing, credentials))
            }
            SourceSettings::Json {
                endpoint,
                credentials,
            } => {
                let outgoing = outgoing(endpoint, secrets(&credentials))?;
                Arc::new(Json::new(outgoing, credentials))
            }
            SourceSettings::Datadog {
                endpoint,
                api_key,
                application_key,
            } => {
                let secrets = vec![api_key.clone(), application_key.clone()];
                let outgoing = outgoing(endpoint, secrets)?;
                Arc::new(Datadog::new(outgoing, api_key, application_key))
            }
        };
        self.by_name.insert(name.into(), (source, about));
        Ok(())
    }

    pub(super) fn get(&self, name: &str) -> Option<&Arc<dyn Source>> {
        self.by_name.get(name).map(|(source, _)| source)
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

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}
