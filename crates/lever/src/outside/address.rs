//! Where an entry leads, and how it shows who asks.

use std::path::{Path, PathBuf};

use leverframe_node::{Credentials, Endpoint, EndpointError, Secret};
use serde::Deserialize;

use super::secret::SecretPlace;
use super::{Keeper, Wrong, named, read_bounded};
use crate::span::{Span, SpanError};

/// Something with an address that may ask who is there.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Web {
    url: String,
    #[serde(default)]
    allow_private: bool,
    timeout: Option<String>,
    ca_file: Option<PathBuf>,
    bearer: Option<SecretPlace>,
    user: Option<String>,
    password: Option<SecretPlace>,
}

impl Web {
    pub(super) fn open(
        &self,
        keeper: &Keeper<'_>,
    ) -> Result<(Endpoint, Option<Credentials>), Wrong> {
        let url = Secret::new(self.url.as_str());
        let (timeout, ca_file) = (self.timeout.as_deref(), self.ca_file.as_deref());
        let endpoint = endpoint(&url, self.allow_private, timeout, ca_file)?;
        Ok((endpoint, self.credentials(keeper)?))
    }

    /// A bearer token, or user and password, or neither.
    fn credentials(&self, keeper: &Keeper<'_>) -> Result<Option<Credentials>, Wrong> {
        match (&self.bearer, &self.user, &self.password) {
            (None, None, None) => Ok(None),
            (Some(place), None, None) => {
                let token = keeper.fetch("bearer", place)?;
                Ok(Some(Credentials::Bearer(token)))
            }
            (None, Some(user), Some(place)) => Ok(Some(Credentials::Basic {
                user: user.clone(),
                password: keeper.fetch("password", place)?,
            })),
            _ => Err(Wrong::at(
                "bearer",
                "give a bearer, or a user and a password, or neither",
            )),
        }
    }
}

pub(super) fn endpoint(
    url: &Secret,
    allow_private: bool,
    timeout: Option<&str>,
    ca_file: Option<&Path>,
) -> Result<Endpoint, Wrong> {
    let mut endpoint = Endpoint::new(url)
        .map_err(|error| wrong(&error))?
        .allow_private(allow_private);
    if let Some(text) = timeout {
        let timeout = span(text)?.duration();
        endpoint = endpoint.within(timeout).map_err(|error| wrong(&error))?;
    }
    if let Some(path) = ca_file {
        let pem = read_bounded(path);
        let pem = pem.map_err(|why| Wrong::at("ca_file", named(path, &why)))?;
        endpoint = endpoint.trusting(pem.into_bytes());
    }
    Ok(endpoint)
}

pub(super) fn span(text: &str) -> Result<Span, Wrong> {
    text.parse()
        .map_err(|error: SpanError| Wrong::at("timeout", error.to_string()))
}

/// Splits `url: it begins with …` into the place and the rest.
fn wrong(error: &EndpointError) -> Wrong {
    let text = error.to_string();
    match text.split_once(": ") {
        Some((place, why)) => Wrong::at(place, why),
        None => Wrong::at("url", text),
    }
}
