//! Settings: where the server is and who we are. The only file that reads the environment.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use leverframe_flags::FlagKey;
use leverframe_wire::frame::DECLARED_FLAGS_MAX;
use reqwest::Url;
use tokio_tungstenite::tungstenite::http::HeaderValue;

/// How long [`crate::Client::connect`] waits for the first rule set when nothing else is said.
pub const CONNECT_TIMEOUT_DEFAULT: Duration = Duration::from_secs(3);

/// Most server URLs one client takes.
const URLS_MAX: usize = 16;
/// Longest application or build name, in bytes; longer ones are cut.
const NAME_BYTES_MAX: usize = 128;

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// No server was named.
    #[error("no server: set LEVER_URL or call .url(\"https://lever.example\")")]
    NoUrl,
    /// More than 16 servers were named.
    #[error("at most 16 server URLs; {count} were given")]
    TooManyUrls {
        /// How many there were.
        count: usize,
    },
    /// A URL cannot be used.
    #[error("server URL {number} cannot be used: {why}")]
    Url {
        /// Which of the URLs, from 1. Not the text, because people put secrets into URLs.
        number: usize,
        /// What is wrong with it.
        why: String,
    },
    /// No token was given.
    #[error("no token: set LEVER_TOKEN or call .token(…); `lever token create` makes one")]
    NoToken,
    /// The token has characters that cannot stand in an HTTP header.
    #[error("the token has characters that cannot be sent; was the whole file pasted?")]
    Token,
    /// The CA file cannot be used.
    #[error("the CA file {} cannot be used: {why}", path.display())]
    CaFile {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
    /// `connect` was called outside a Tokio runtime.
    #[error("connect must run inside a Tokio runtime, which also drives the connection")]
    NoRuntime,
}

/// An evaluator's token. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token(Box<str>);

impl Token {
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// `Bearer …`, marked so that no HTTP library prints it either.
    pub(crate) fn header(&self) -> Result<HeaderValue, SettingsError> {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", self.0))
            .map_err(|_| SettingsError::Token)?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// Where the server is, who we are, and what to do without it.
///
/// [`Settings::from_environment`] reads the variables below; the methods override them.
///
/// | variable | meaning |
/// |---|---|
/// | `LEVER_URL` | one or several server URLs, separated by commas; tried in turn |
/// | `LEVER_TOKEN` | the evaluator's token; it decides the environment |
/// | `LEVER_APPLICATION` | the application's name in `lever fleet` |
/// | `LEVER_BUILD` | the application's build, such as a commit |
/// | `LEVER_CACHE_DIR` | where the last good rule set is kept; nothing is kept when unset |
/// | `LEVER_FORCE_CLOSED` | flags this process keeps closed whatever the server says, separated by commas; `*` is all |
/// | `LEVER_CA_FILE` | a PEM file of further certificate authorities |
#[derive(Debug, Clone)]
pub struct Settings {
    pub(crate) urls: Vec<String>,
    pub(crate) token: Option<Token>,
    pub(crate) application: String,
    pub(crate) build: String,
    pub(crate) cache_dir: Option<PathBuf>,
    pub(crate) connect_timeout: Duration,
    pub(crate) force_closed: Vec<String>,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) flags: Option<Vec<String>>,
}

impl Settings {
    /// What the `LEVER_*` variables of this process say.
    #[must_use]
    pub fn from_environment() -> Self {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    /// [`Settings::from_environment`] with the environment as an argument, for tests.
    #[must_use]
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let given = |name: &str| {
            lookup(name)
                .map(|text| text.trim().to_owned())
                .filter(|text| !text.is_empty())
        };
        let list = |name: &str| {
            given(name)
                .map(|text| {
                    text.split(',')
                        .map(|item| item.trim().to_owned())
                        .filter(|item| !item.is_empty())
                        .collect::<Vec<_>>()
                })
                .unwrap_or_default()
        };
        Self {
            urls: list("LEVER_URL"),
            token: given("LEVER_TOKEN").map(|text| Token(text.into())),
            application: given("LEVER_APPLICATION").unwrap_or_else(|| "unnamed".to_owned()),
            build: given("LEVER_BUILD").unwrap_or_else(|| "unknown".to_owned()),
            cache_dir: given("LEVER_CACHE_DIR").map(PathBuf::from),
            connect_timeout: CONNECT_TIMEOUT_DEFAULT,
            force_closed: list("LEVER_FORCE_CLOSED"),
            ca_file: given("LEVER_CA_FILE").map(PathBuf::from),
            flags: None,
        }
    }

    /// The only server to follow.
    #[must_use]
    pub fn url(mut self, url: &str) -> Self {
        self.urls = vec![url.to_owned()];
        self
    }

    /// Several servers that serve the same journal; tried in turn.
    #[must_use]
    pub fn urls<'a>(mut self, urls: impl IntoIterator<Item = &'a str>) -> Self {
        self.urls = urls.into_iter().map(str::to_owned).collect();
        self
    }

    /// The evaluator's token.
    #[must_use]
    pub fn token(mut self, token: &str) -> Self {
        let token = token.trim();
        self.token = (!token.is_empty()).then(|| Token(token.into()));
        self
    }

    /// The application's name in `lever fleet`.
    #[must_use]
    pub fn application(mut self, application: &str) -> Self {
        application.clone_into(&mut self.application);
        self
    }

    /// The application's build, such as a commit.
    #[must_use]
    pub fn build_id(mut self, build: &str) -> Self {
        build.clone_into(&mut self.build);
        self
    }

    /// The flags that this build knows, so that a rollout is not begun for a fleet that does not. Up
    /// to 500 are said; when none are declared the server cannot tell.
    #[must_use]
    pub fn declare<'a>(mut self, flags: impl IntoIterator<Item = &'a str>) -> Self {
        self.flags
            .get_or_insert_default()
            .extend(flags.into_iter().map(str::to_owned));
        self
    }

    /// Keeps the last good rule set in this directory, which is made if it is missing. Processes
    /// with the same token may share it.
    #[must_use]
    pub fn cache_dir(mut self, directory: impl AsRef<Path>) -> Self {
        self.cache_dir = Some(directory.as_ref().to_owned());
        self
    }

    /// How long connecting waits for the first rule set before it starts anyway.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Keeps these flags closed in this process whatever the server says, besides those of
    /// `LEVER_FORCE_CLOSED`; `*` is all.
    #[must_use]
    pub fn force_closed<'a>(mut self, flags: impl IntoIterator<Item = &'a str>) -> Self {
        self.force_closed
            .extend(flags.into_iter().map(str::to_owned));
        self
    }

    /// A PEM file of certificate authorities to trust besides the system's.
    #[must_use]
    pub fn ca_file(mut self, file: impl AsRef<Path>) -> Self {
        self.ca_file = Some(file.as_ref().to_owned());
        self
    }

    pub(crate) fn endpoints(&self) -> Result<Vec<Endpoint>, SettingsError> {
        if self.urls.is_empty() {
            return Err(SettingsError::NoUrl);
        }
        if self.urls.len() > URLS_MAX {
            return Err(SettingsError::TooManyUrls {
                count: self.urls.len(),
            });
        }
        self.urls
            .iter()
            .enumerate()
            .map(|(index, text)| {
                Endpoint::new(text).map_err(|why| SettingsError::Url {
                    number: index + 1,
                    why,
                })
            })
            .collect()
    }

    /// The declared flags, as far as they can be said.
    pub(crate) fn declared(&self) -> Option<Vec<String>> {
        let flags = self.flags.iter().flatten();
        let said = flags.filter(|flag| FlagKey::new(flag).is_ok());
        let said = said.take(DECLARED_FLAGS_MAX).cloned().collect();
        self.flags.is_some().then_some(said)
    }

    pub(crate) fn bounded_names(&self) -> (String, String) {
        let bounded = |name: &str| {
            let mut end = name.len().min(NAME_BYTES_MAX);
            while !name.is_char_boundary(end) {
                end -= 1;
            }
            name[..end].to_owned()
        };
        (bounded(&self.application), bounded(&self.build))
    }
}

/// One server: the same place for a WebSocket and for HTTP.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    base: Url,
}

impl Endpoint {
    fn new(text: &str) -> Result<Self, String> {
        let mut base = Url::parse(text).map_err(|error| error.to_string())?;
        let scheme = match base.scheme() {
            "http" | "ws" => "http",
            "https" | "wss" => "https",
            _ => return Err("it must begin with http, https, ws or wss".to_owned()),
        };
        // ws and http are alike to the URL standard ("special"), so this cannot fail for them.
        base.set_scheme(scheme)
            .map_err(|()| "its scheme cannot be used".to_owned())?;
        if !base.username().is_empty() || base.password().is_some() {
            return Err("it must not hold a user or password; the token goes apart".to_owned());
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err("it must not have a query or a fragment".to_owned());
        }
        Ok(Self { base })
    }

    /// Host and port, for the log.
    pub(crate) fn name(&self) -> String {
        let host = self.base.host_str().unwrap_or("?");
        match self.base.port_or_known_default() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    pub(crate) fn http(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        let prefix = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{prefix}{path}"));
        url
    }

    pub(crate) fn web_socket(&self, path: &str) -> Url {
        let mut url = self.http(path);
        let scheme = if self.is_encrypted() { "wss" } else { "ws" };
        let changed = url.set_scheme(scheme);
        debug_assert!(changed.is_ok(), "http and ws are both special schemes");
        url
    }

    pub(crate) fn is_encrypted(&self) -> bool {
        self.base.scheme() == "https"
    }

    /// Whether a token sent without TLS stays on this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        match self.base.host_str() {
            Some("localhost") => true,
            Some(host) => host
                .trim_matches(['[', ']'])
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback()),
            None => false,
        }
    }
}

#[cfg(test)]
mod tests;
