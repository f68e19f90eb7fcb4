//! Where the servers, the token and the environment come from, the first that says so:
//! a flag, then `LEVER_URL`, `LEVER_TOKEN` and `LEVER_ENV`, then `.lever.toml`, then
//! `$XDG_CONFIG_HOME/lever/config.toml`, then the profile of a local `lever dev` or `lever serve`.
//!
//! A token in a file is meant for the server that the file names. So that a `.lever.toml` of a
//! strange repository cannot send it elsewhere, it goes only to URLs of the same file, or to URLs
//! given by flag or variable (and a profile's token only ever to its own server). Nor can it make
//! anybody trust its certificate authorities for a server that it does not name.

mod layer;
mod source;
mod surroundings;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use reqwest::Url;

use crate::arguments::GlobalArgs;
use crate::failure::Failure;

use layer::{Layer, Layers};
pub(crate) use source::{Source, Sourced};
pub(crate) use surroundings::Surroundings;

/// Where `lever serve` listens when nobody says otherwise.
const DEFAULT_URL: &str = "http://127.0.0.1:5387";

/// What this invocation talks to, and where it knows that from.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// Never empty.
    pub(crate) servers: Sourced<Vec<Url>>,
    pub(crate) token: Option<Sourced<String>>,
    pub(crate) environment: Option<Sourced<String>>,
    pub(crate) ca_file: Option<Sourced<PathBuf>>,
    /// What was found and not used, in sentences.
    pub(crate) remarks: Vec<String>,
}

impl Config {
    /// Puts flags, variables and files together.
    ///
    /// # Errors
    /// A URL that is none; a file that is not readable, not valid, or holds a token that others
    /// can read, unless flags and variables say all that is needed.
    pub(crate) fn resolve(
        global: &GlobalArgs,
        surroundings: &Surroundings,
    ) -> Result<Self, Failure> {
        let layers = Layers::gather(global, surroundings)?;
        let mut remarks = layers.remarks;
        let layers = layers.layers;

        let servers = match layers.iter().find(|layer| !layer.urls.is_empty()) {
            Some(layer) => Sourced {
                value: parse_urls(&layer.urls, &layer.source)?,
                source: layer.source.clone(),
            },
            None => Sourced {
                value: parse_urls(&[DEFAULT_URL.to_owned()], &Source::Default)?,
                source: Source::Default,
            },
        };
        let mut token = None;
        for layer in &layers {
            let Some(secret) = &layer.token else { continue };
            if may_see(layer, &servers)? {
                token = Some(Sourced {
                    value: secret.clone(),
                    source: layer.source.clone(),
                });
                break;
            }
            remarks.push(format!(
                "the token of {} is not shown to {}, which comes from {}; name the server by \
                 --url or LEVER_URL if you mean it",
                layer.source,
                join(&servers.value),
                servers.source
            ));
        }
        let mut ca_file = None;
        for found in layers.iter().filter_map(Layer::ca_file) {
            if may_vouch(&found.source, &servers.source, token.as_ref()) {
                ca_file = Some(found);
                break;
            }
            remarks.push(format!(
                "the authorities of {} are not trusted here: they are for servers that it names \
                 itself, and not for a token of another file",
                found.source
            ));
        }
        Ok(Self {
            environment: layers.iter().find_map(Layer::environment),
            ca_file,
            servers,
            token,
            remarks,
        })
    }
}

/// Whether the token of `layer` may be shown to `servers`.
fn may_see(layer: &Layer, servers: &Sourced<Vec<Url>>) -> Result<bool, Failure> {
    // A variable is there in every directory, and the project in this one may be a stranger's.
    let is_ambient = layer.source == Source::Variable;
    if is_ambient
        && matches!(servers.source, Source::Project(_))
        && !servers.value.iter().all(crate::api::is_loopback)
    {
        return Ok(false);
    }
    if layer.source.is_typed() || layer.source == servers.source {
        return Ok(true);
    }
    let own = parse_urls(&layer.urls, &layer.source)?;
    if servers.value.iter().all(|url| own.contains(url)) {
        return Ok(true);
    }
    let is_bound = matches!(layer.source, Source::Profile(_)) || !own.is_empty();
    Ok(servers.source.is_typed() && !is_bound)
}

/// Whether authorities from `source` may vouch for `servers`. Those of a project may not where more
/// than the project itself is at stake: whoever wrote it could stand between this person and a
/// server that this person trusts.
fn may_vouch(source: &Source, servers: &Source, token: Option<&Sourced<String>>) -> bool {
    let is_own_token = token.is_none_or(|token| token.source.is_typed() || token.source == *source);
    !matches!(source, Source::Project(_)) || (source == servers && is_own_token)
}

fn parse_urls(texts: &[String], source: &Source) -> Result<Vec<Url>, Failure> {
    texts
        .iter()
        .map(|text| {
            let url = Url::parse(text.trim()).map_err(|error| {
                Failure::usage(format!("{text:?} from {source} is not a URL: {error}"))
            })?;
            let is_usable = matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.username().is_empty()
                && url.password().is_none()
                && url.query().is_none()
                && url.fragment().is_none();
            if is_usable {
                Ok(url)
            } else {
                Err(Failure::usage(format!(
                    "{text:?} from {source} is not a server: write https://host:port"
                )))
            }
        })
        .collect()
}

fn join(urls: &[Url]) -> String {
    let urls: Vec<&str> = urls.iter().map(Url::as_str).collect();
    urls.join(", ")
}
