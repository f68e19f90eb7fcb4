//! `-o`: a format, and for `export` a directory.

use std::ffi::OsStr;
use std::path::PathBuf;

use clap::builder::{PossibleValue, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, Command, ValueEnum};

/// How an answer is written to stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Table,
    /// One JSON document
    Json,
    /// One YAML document
    Yaml,
    /// One JSON document a line, one for each item of a list
    Ndjson,
    /// Only names, one a line
    Name,
}

impl Format {
    /// Whether a program reads it.
    pub(crate) fn is_machine(self) -> bool {
        !matches!(self, Self::Table)
    }
}

/// What `-o` was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OutputChoice {
    Format(Format),
    Directory(PathBuf),
}

/// Reads [`OutputChoice`]: a directory only where the command writes one, so that a misspelt format
/// is a usage error everywhere else.
#[derive(Debug, Clone, Copy)]
pub(super) struct OutputParser;

/// The one command whose `-o` may name a directory.
const WRITES_DIRECTORY: &str = "export";

impl TypedValueParser for OutputParser {
    type Value = OutputChoice;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<OutputChoice, clap::Error> {
        let format = value
            .to_str()
            .and_then(|text| Format::from_str(text, false).ok());
        match format {
            Some(format) => Ok(OutputChoice::Format(format)),
            None if command.get_name() == WRITES_DIRECTORY && !value.is_empty() => {
                Ok(OutputChoice::Directory(PathBuf::from(value)))
            }
            None => {
                // Clap's own parser words the refusal, with the formats there are.
                let known: Vec<PossibleValue> = self.formats().collect();
                clap::builder::PossibleValuesParser::new(known)
                    .parse_ref(command, argument, value)
                    .and_then(|_| Err(clap::Error::new(ErrorKind::InvalidValue)))
            }
        }
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.formats()))
    }
}

impl OutputParser {
    fn formats(self) -> impl Iterator<Item = PossibleValue> {
        Format::value_variants()
            .iter()
            .filter_map(ValueEnum::to_possible_value)
    }
}
