//! Environments, and which of them are guarded.

use askama::Template;
use leverframe_wire::admin::Environment;

use crate::badge::{Badge, Tone};
use crate::shell::Shell;
use crate::stored::Stored;

/// Environments, and which of them are guarded.
#[derive(Debug, Template)]
#[template(path = "settings_environments.html")]
pub struct Environments {
    /// Around it.
    pub shell: Shell,
    /// Those that the visitor may see.
    pub environments: Vec<Environment>,
    /// Why the visitor may change none of them, where that is so.
    pub refusal: Option<String>,
    /// What was asked for and refused.
    pub asked: AskedEnvironment,
    /// What came of the form before this page.
    pub stored: Option<Stored>,
}

/// The environment that somebody wants to add.
#[derive(Debug, Default)]
pub struct AskedEnvironment {
    /// Its name.
    pub key: String,
    /// Whether it is to be guarded.
    pub guarded: bool,
    /// Why.
    pub reason: String,
}

fn standing(environment: &Environment) -> Badge {
    if environment.guarded {
        Badge::new("▲", "guarded", Tone::Warning)
    } else {
        Badge::new("△", "not guarded", Tone::Quiet)
    }
}
