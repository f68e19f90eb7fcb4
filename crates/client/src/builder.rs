//! The builder: from settings to a client.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::acknowledged::{Acknowledged, Observer};
use crate::board::Board;
use crate::cache::DiskCache;
use crate::client::{Client, Parts};
use crate::follow::{Evaluator, Follow, Identity};
use crate::freshness::{Source, Standing};
use crate::settings::{Endpoint, Settings, SettingsError};
use crate::tls;

/// [`Settings`] on their way to a [`Client`].
#[derive(Clone)]
pub struct Builder {
    settings: Settings,
    observer: Option<Observer>,
}

impl Builder {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            settings,
            observer: None,
        }
    }

    /// [`Settings::url`].
    #[must_use]
    pub fn url(mut self, url: &str) -> Self {
        self.settings = self.settings.url(url);
        self
    }

    /// [`Settings::urls`].
    #[must_use]
    pub fn urls<'a>(mut self, urls: impl IntoIterator<Item = &'a str>) -> Self {
        self.settings = self.settings.urls(urls);
        self
    }

    /// [`Settings::token`].
    #[must_use]
    pub fn token(mut self, token: &str) -> Self {
        self.settings = self.settings.token(token);
        self
    }

    /// [`Settings::application`].
    #[must_use]
    pub fn application(mut self, application: &str) -> Self {
        self.settings = self.settings.application(application);
        self
    }

    /// [`Settings::build_id`].
    #[must_use]
    pub fn build_id(mut self, build: &str) -> Self {
        self.settings = self.settings.build_id(build);
        self
    }

    /// [`Settings::declare`].
    #[must_use]
    pub fn declare<'a>(mut self, flags: impl IntoIterator<Item = &'a str>) -> Self {
        self.settings = self.settings.declare(flags);
        self
    }

    /// [`Settings::cache_dir`].
    #[must_use]
    pub fn cache_dir(mut self, directory: impl AsRef<Path>) -> Self {
        self.settings = self.settings.cache_dir(directory);
        self
    }

    /// [`Settings::connect_timeout`].
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.settings = self.settings.connect_timeout(timeout);
        self
    }

    /// [`Settings::force_closed`].
    #[must_use]
    pub fn force_closed<'a>(mut self, flags: impl IntoIterator<Item = &'a str>) -> Self {
        self.settings = self.settings.force_closed(flags);
        self
    }

    /// [`Settings::ca_file`].
    #[must_use]
    pub fn ca_file(mut self, file: impl AsRef<Path>) -> Self {
        self.settings = self.settings.ca_file(file);
        self
    }

    /// Calls `observer` after every acknowledgement that goes out, on the following task.
    #[must_use]
    pub fn on_acknowledge(
        mut self,
        observer: impl Fn(&Acknowledged) + Send + Sync + 'static,
    ) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// [`Client::connect`] with these settings.
    ///
    /// # Errors
    /// As [`Client::connect`].
    pub async fn connect(self) -> Result<Client, SettingsError> {
        let settings = self.settings;
        let endpoints = settings.endpoints()?;
        let token = settings.token.as_ref().ok_or(SettingsError::NoToken)?;
        let authorization = token.header()?;
        let is_encrypted = endpoints.iter().any(Endpoint::is_encrypted);
        let tls = tls::client_config(is_encrypted, settings.ca_file.as_deref())?;
        let runtime =
            tokio::runtime::Handle::try_current().map_err(|_| SettingsError::NoRuntime)?;
        for endpoint in &endpoints {
            if !endpoint.is_encrypted() && !endpoint.is_loopback() {
                tracing::warn!(
                    server = endpoint.name(),
                    "the token travels unencrypted; use https"
                );
            }
        }

        let board = Board::new();
        let standing = Arc::new(Standing::new(Source::Nothing));
        let (revisions, mut first) = watch::channel(0);
        let (stop, stopped) = watch::channel(false);
        let cache = settings
            .cache_dir
            .as_deref()
            .map(|directory| DiskCache::new(directory, token));
        let mut evaluator = Evaluator::new(
            Identity::new(&settings),
            Arc::clone(&board),
            Arc::clone(&standing),
            revisions.clone(),
            cache,
            self.observer,
        );
        evaluator.force_closed(&settings.force_closed);
        evaluator.load_cache().await;
        let follow = Follow::new(evaluator, endpoints, authorization, tls, stopped);
        let client = Client::from_parts(Parts {
            board,
            standing: Arc::clone(&standing),
            revisions,
            stop,
            follow: Some(runtime.spawn(follow.run())),
        });

        let from_server = async {
            while standing.freshness().source != Source::Server {
                if first.changed().await.is_err() {
                    break;
                }
            }
        };
        if tokio::time::timeout(settings.connect_timeout, from_server)
            .await
            .is_err()
        {
            let freshness = client.freshness();
            tracing::warn!(
                source = ?freshness.source,
                revision = freshness.revision,
                "no rule set from the server in time; starting without"
            );
        }
        Ok(client)
    }
}

impl From<Settings> for Builder {
    fn from(settings: Settings) -> Self {
        Self::new(settings)
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
