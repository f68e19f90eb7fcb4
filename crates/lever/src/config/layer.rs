//! One source of settings after the other, the strongest first.

use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::source::{Source, Sourced};
use super::surroundings::Surroundings;
use crate::arguments::GlobalArgs;
use crate::failure::Failure;
use crate::profile;

/// Longest configuration file.
const CONFIG_BYTES_MAX: u64 = 64 * 1024;

/// What one source says.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    pub(super) source: Source,
    pub(super) urls: Vec<String>,
    pub(super) token: Option<String>,
    environment: Option<String>,
    ca_file: Option<PathBuf>,
}

/// A configuration file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigFile {
    #[serde(default)]
    url: Urls,
    token: Option<String>,
    environment: Option<String>,
    ca_file: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(untagged)]
enum Urls {
    #[default]
    None,
    One(String),
    Several(Vec<String>),
}

/// All sources, the strongest first.
pub(super) struct Layers {
    pub(super) layers: Vec<Layer>,
    pub(super) remarks: Vec<String>,
}

impl Layer {
    pub(super) fn environment(&self) -> Option<Sourced<String>> {
        self.environment.clone().map(|value| Sourced {
            value,
            source: self.source.clone(),
        })
    }

    pub(super) fn ca_file(&self) -> Option<Sourced<PathBuf>> {
        self.ca_file.clone().map(|value| Sourced {
            value,
            source: self.source.clone(),
        })
    }
}

impl Layers {
    pub(super) fn gather(
        global: &GlobalArgs,
        surroundings: &Surroundings,
    ) -> Result<Self, Failure> {
        let flags = Layer {
            source: Source::Flag,
            urls: global.url.clone(),
            token: global.token.clone(),
            environment: None,
            ca_file: global.ca_file.clone(),
        };
        let owned = |name: &str| surroundings.variable(name).map(str::to_owned);
        let variables = Layer {
            source: Source::Variable,
            urls: surroundings
                .variable("LEVER_URL")
                .map(crate::arguments::split_list)
                .unwrap_or_default(),
            token: owned("LEVER_TOKEN"),
            environment: owned("LEVER_ENV"),
            ca_file: owned("LEVER_CA_FILE").map(PathBuf::from),
        };
        // Whoever types the server and the token must not be stopped by a broken file: it may be
        // a kill.
        let is_enough = (!flags.urls.is_empty() || !variables.urls.is_empty())
            && (flags.token.is_some() || variables.token.is_some());

        let mut layers = vec![flags, variables];
        let mut remarks = Vec::new();
        let files = [
            surroundings.project_file().map(Source::Project),
            surroundings.config_file("config.toml").map(Source::File),
            surroundings.state_file("profile.toml").map(Source::Profile),
        ];
        for source in files.into_iter().flatten() {
            match Layer::read(source) {
                Ok(layer) => layers.extend(layer),
                Err(failure) if is_enough => remarks.push(failure.to_string()),
                Err(failure) => return Err(failure),
            }
        }
        Ok(Self { layers, remarks })
    }
}

impl Layer {
    /// Reads a file; `None` when there is none.
    fn read(source: Source) -> Result<Option<Self>, Failure> {
        let Some(path) = source.file().cloned() else {
            return Ok(None);
        };
        let layer = if matches!(source, Source::Profile(_)) {
            profile::read(&path)
                .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?
                .map(|profile| Self {
                    source,
                    urls: vec![profile.url],
                    token: Some(profile.token),
                    environment: profile.environment,
                    ca_file: None,
                })
        } else {
            Self::read_config(&path, source)?
        };
        if layer.as_ref().is_some_and(|layer| layer.token.is_some()) {
            refuse_readable_by_others(&path)?;
        }
        Ok(layer)
    }

    fn read_config(path: &Path, source: Source) -> Result<Option<Self>, Failure> {
        let text = match read_regular(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::usage(format!("{}: {error}", path.display()))),
        };
        let file: ConfigFile = toml::from_str(&text).map_err(|error| {
            // Only the message: the error's own form quotes the line, which may hold the token.
            let line = error.span().map_or(1, |span| {
                1 + text
                    .get(..span.start)
                    .unwrap_or_default()
                    .matches('\n')
                    .count()
            });
            Failure::usage(format!("{}:{line}: {}", path.display(), error.message()))
        })?;
        // A relative path is meant from where the file is, not from where the command is typed.
        let beside = path.parent().unwrap_or(Path::new(""));
        Ok(Some(Self {
            source,
            urls: match file.url {
                Urls::None => Vec::new(),
                Urls::One(url) => vec![url],
                Urls::Several(urls) => urls,
            },
            token: file.token,
            environment: file.environment,
            ca_file: file.ca_file.map(|ca_file| beside.join(ca_file)),
        }))
    }
}

/// Reads a file that is one: a pipe that nobody writes to would keep a kill waiting for ever.
fn read_regular(path: &Path) -> io::Result<String> {
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::other("is not a regular file"));
    }
    if metadata.len() > CONFIG_BYTES_MAX {
        return Err(io::Error::other(format!(
            "is larger than {CONFIG_BYTES_MAX} bytes"
        )));
    }
    std::fs::read_to_string(path)
}

/// A token that everybody on this machine can read is nobody's.
fn refuse_readable_by_others(path: &Path) -> Result<(), Failure> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let metadata = std::fs::metadata(path)
            .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(Failure::usage(format!(
                "{0} holds a token and can be read by others (mode {mode:o}): chmod 600 {0}",
                path.display()
            )));
        }
    }
    Ok(())
}
