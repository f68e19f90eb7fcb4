//! `-e`: where.

use clap::Args;

use super::scalar::environment_key;

/// Where a command looks or acts.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct PlaceArgs {
    /// The environment; LEVER_ENV or a configuration file may name one for reading, never for a
    /// change where openings are guarded
    #[arg(short, long = "env", value_name = "ENV", value_parser = environment_key)]
    pub(crate) environment: Option<String>,
}
