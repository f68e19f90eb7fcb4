//! The file of `lever serve --config`: whom the server asks for metrics, whom it tells, and how often it
//! looks.
//!
//! Secrets do not stand in it; an entry says where each is read from. It is read once, at the start.

mod address;
mod channels;
mod pace;
mod secret;
mod sources;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use leverframe_core::limit::NAME_BYTES_MAX;
use leverframe_node::{Channels, Links, Options, Outside, Resolver, Sources, SystemResolver};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use self::channels::ChannelEntry;
use self::pace::Pace;
use self::sources::SourceEntry;
use crate::failure::Failure;

/// Longest file, of this one and of those that it names.
const FILE_BYTES_MAX: u64 = 256 * 1024;
/// The name under which evaluators report; no source may have it.
const OWN_SOURCE: &str = "outcomes";

/// What the file says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    public_url: Option<String>,
    #[serde(default)]
    page: Vec<String>,
    #[serde(default)]
    notify: Vec<String>,
    #[serde(default)]
    pace: Pace,
    #[serde(default)]
    sources: BTreeMap<String, toml::Value>,
    #[serde(default)]
    channels: BTreeMap<String, toml::Value>,
}

/// What is wrong, and where: `channels.oncall: …`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {why}")]
struct Wrong {
    place: String,
    why: String,
}

impl Wrong {
    fn at(place: &str, why: impl Into<String>) -> Self {
        Self {
            place: place.to_owned(),
            why: why.into(),
        }
    }

    /// The same, further in.
    fn within(mut self, place: &str) -> Self {
        self.place = [place, ".", &self.place].concat();
        self
    }
}

/// Where secrets are read from.
struct Keeper<'k> {
    variable: &'k dyn Fn(&str) -> Option<String>,
}

/// Reads the file, and the secrets it points to. Nobody is called.
pub(crate) fn read(path: &Path) -> Result<Options, Failure> {
    let text = read_bounded(path).map_err(|why| Failure::file(path, why))?;
    let variable = |name: &str| std::env::var(name).ok();
    let keeper = Keeper {
        variable: &variable,
    };
    parse(&text, &keeper)
        .map_err(|wrong| Failure::usage([&path.display().to_string(), ": ", &wrong].concat()))
}

fn parse(text: &str, keeper: &Keeper<'_>) -> Result<Options, String> {
    let file: File = toml::from_str(text).map_err(|error| {
        // Its own words would show the line, and with it what stands there.
        let begin = error.span().map_or(0, |span| span.start);
        let before = text.bytes().take(begin);
        let line = before.filter(|byte| *byte == b'\n').count() + 1;
        format!("line {line}: {}", error.message())
    })?;
    file.open(keeper).map_err(|wrong| wrong.to_string())
}

impl File {
    fn open(self, keeper: &Keeper<'_>) -> Result<Options, Wrong> {
        let resolver: Arc<dyn Resolver> = Arc::new(SystemResolver);
        let mut sources = Sources::default();
        for (name, entry) in &self.sources {
            let place = ["sources.", name].concat();
            check_name(&place, name)?;
            if name == OWN_SOURCE {
                return Err(Wrong::at(&place, "evaluators report under that name"));
            }
            let entry: SourceEntry = understand(&place, entry)?;
            let settings = entry.settings(keeper);
            let settings = settings.map_err(|wrong| wrong.within(&place))?;
            let opened = sources.open(name, settings, &resolver);
            opened.map_err(|error| Wrong::at(&place, error.to_string()))?;
        }
        let mut channels = Channels::default();
        for (name, entry) in &self.channels {
            let place = ["channels.", name].concat();
            check_name(&place, name)?;
            let entry: ChannelEntry = understand(&place, entry)?;
            let settings = entry.settings(keeper);
            let settings = settings.map_err(|wrong| wrong.within(&place))?;
            let opened = channels.open(name, settings, &resolver);
            opened.map_err(|error| Wrong::at(&place, error.to_string()))?;
        }
        let named = |place: &str, names: Vec<String>| {
            let known = |name: &String| self.channels.contains_key(name);
            if let Some(unknown) = names.iter().find(|name| !known(name)) {
                let why = ["there is no [channels.", unknown, "]"].concat();
                return Err(Wrong::at(place, why));
            }
            Ok(names.into_iter().map(String::into_boxed_str).collect())
        };
        self.pace.options(Outside {
            page: named("page", self.page)?,
            notify: named("notify", self.notify)?,
            links: links(self.public_url.as_deref())?,
            sources,
            channels,
        })
    }
}

/// An entry by itself, so that what is wrong with it is said with its name.
fn understand<T: DeserializeOwned>(place: &str, entry: &toml::Value) -> Result<T, Wrong> {
    let entry = entry.clone().try_into();
    entry.map_err(|error: toml::de::Error| Wrong::at(place, error.message()))
}

fn links(public_url: Option<&str>) -> Result<Links, Wrong> {
    let Some(text) = public_url else {
        return Ok(Links::default());
    };
    let url: Option<reqwest::Url> = text.parse().ok();
    let is_web = |url: &reqwest::Url| matches!(url.scheme(), "http" | "https");
    match url.filter(is_web) {
        Some(url) => Ok(Links::to(Some(url))),
        None => Err(Wrong::at(
            "public_url",
            "it is where people open the server, such as https://lever.example",
        )),
    }
}

fn check_name(place: &str, name: &str) -> Result<(), Wrong> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.chars().all(is_plain) {
        let why = "a name has letters, digits, - _ and . in it, and is up to 64 long";
        return Err(Wrong::at(place, why));
    }
    Ok(())
}

fn read_bounded(path: &Path) -> Result<String, String> {
    use std::io::Read as _;
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text))
        .map_err(|error| error.to_string())?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err("it is longer than 256 KiB".to_owned());
    }
    Ok(text)
}

fn named(path: &Path, why: &str) -> String {
    format!("{}: {why}", path.display())
}
