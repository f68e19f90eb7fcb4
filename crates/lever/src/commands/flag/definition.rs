//! The parts of a definition as options, for `create` and `edit` alike.

use clap::ValueEnum;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use leverframe_wire::admin::{FlagDefinition, Kind, Serve};

use super::values;
use crate::arguments::{serve, variant_key};
use crate::failure::Failure;
use crate::span::Span;

/// The parts of a definition; what is not given stays as it is.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Definition")]
pub(super) struct DefinitionArgs {
    /// Who answers for it
    #[arg(long, value_name = "OWNER")]
    pub(super) owner: Option<String>,

    /// What it is for
    #[arg(long, value_name = "KIND")]
    pub(super) kind: Option<KindName>,

    /// The named values: low=40,normal=70; for objects JSON
    #[arg(long, value_name = "NAME=VALUE,…")]
    pub(super) variants: Vec<String>,

    /// The safe variant
    #[arg(long, value_name = "VARIANT", value_parser = variant_key)]
    pub(super) closed: Option<String>,

    /// What the exposed get: a variant, or a split such as a=50,b=50
    #[arg(long, value_name = "SERVE", value_parser = serve)]
    pub(super) open: Option<Serve>,

    /// When it should be gone: a date, or in how long (30d)
    #[arg(long, value_name = "DATE", value_parser = sunset)]
    pub(super) sunset: Option<Sunset>,

    /// What closing does, in words
    #[arg(long, value_name = "TEXT")]
    pub(super) runbook: Option<String>,

    /// One line for people
    #[arg(long, value_name = "TEXT")]
    pub(super) description: Option<String>,

    /// A word to group flags by; repeat for several; those given replace those there are
    #[arg(long, value_name = "TAG")]
    pub(super) tag: Vec<String>,

    /// Whether client-side tokens may see its values
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    pub(super) client_visible: Option<bool>,

    /// Closed by an evaluator itself once its configuration is older than this
    #[arg(long, value_name = "DURATION")]
    pub(super) stale_after: Option<Span>,

    /// When closing does harm, as in "unsafe after 25% — old code cannot read the orders"; or safe
    #[arg(long, value_name = "TEXT")]
    pub(super) closing: Option<String>,

    /// The attribute that buckets are computed from; the targeting key when absent
    #[arg(long, value_name = "ATTRIBUTE")]
    pub(super) unit: Option<String>,

    /// The salt of the exposure's bucket; another one moves everybody
    #[arg(long, value_name = "TEXT")]
    pub(super) salt: Option<String>,
}

/// [`Kind`] as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum KindName {
    /// Lets a release through; must have a sunset date
    Release,
    /// A brake for operations
    Kill,
    /// Lets background work through
    Job,
    /// An operational setting that stays
    Ops,
    /// A comparison of variants
    Experiment,
    /// Who may use what
    Permission,
}

impl From<KindName> for Kind {
    fn from(name: KindName) -> Self {
        match name {
            KindName::Release => Self::Release,
            KindName::Kill => Self::Kill,
            KindName::Job => Self::Job,
            KindName::Ops => Self::Ops,
            KindName::Experiment => Self::Experiment,
            KindName::Permission => Self::Permission,
        }
    }
}

/// A date, or how long until it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sunset {
    On(Date),
    In(Span),
}

fn sunset(text: &str) -> Result<Sunset, String> {
    if let Ok(date) = text.parse::<Date>() {
        return Ok(Sunset::On(date));
    }
    text.parse()
        .map(Sunset::In)
        .map_err(|_| "write a date such as 2026-12-31, or in how long, such as 30d".to_owned())
}

impl Sunset {
    /// `2026-12-31`, in UTC.
    fn date(self, now: Timestamp) -> Result<String, Failure> {
        let date = match self {
            Self::On(date) => date,
            Self::In(span) => {
                let days = i64::try_from(span.seconds().div_ceil(86_400)).unwrap_or(i64::MAX);
                now.to_zoned(TimeZone::UTC)
                    .date()
                    .checked_add(days.days())
                    .map_err(|error| Failure::usage(format!("--sunset: {error}")))?
            }
        };
        Ok(date.to_string())
    }
}

impl DefinitionArgs {
    /// Whether nothing is given.
    pub(super) fn is_empty(&self) -> bool {
        let Self {
            owner,
            kind,
            variants,
            closed,
            open,
            sunset,
            runbook,
            description,
            tag,
            client_visible,
            stale_after,
            closing,
            unit,
            salt,
        } = self;
        owner.is_none()
            && kind.is_none()
            && variants.is_empty()
            && closed.is_none()
            && open.is_none()
            && sunset.is_none()
            && runbook.is_none()
            && description.is_none()
            && tag.is_empty()
            && client_visible.is_none()
            && stale_after.is_none()
            && closing.is_none()
            && unit.is_none()
            && salt.is_none()
    }

    /// Writes what is given into `definition`.
    ///
    /// # Errors
    /// Exit 2 for values that the flag's type does not have.
    pub(super) fn write(
        &self,
        definition: &mut FlagDefinition,
        now: Timestamp,
    ) -> Result<(), Failure> {
        if !self.variants.is_empty() {
            definition.variants = values::parse(&self.variants, definition.value_type)
                .map_err(|why| Failure::usage(format!("--variants: {why}")))?;
        }
        if let Some(owner) = &self.owner {
            definition.owner.clone_from(owner);
        }
        if let Some(kind) = self.kind {
            definition.kind = kind.into();
        }
        if let Some(closed) = &self.closed {
            definition.closed.clone_from(closed);
        }
        if let Some(open) = &self.open {
            definition.open = open.clone();
        }
        if let Some(sunset) = self.sunset {
            definition.sunset = Some(sunset.date(now)?);
        }
        if let Some(runbook) = &self.runbook {
            definition.runbook.clone_from(runbook);
        }
        if let Some(description) = &self.description {
            definition.description.clone_from(description);
        }
        if !self.tag.is_empty() {
            definition.tags = self.tag.iter().cloned().collect();
        }
        if let Some(client_visible) = self.client_visible {
            definition.client_visible = client_visible;
        }
        if let Some(stale_after) = self.stale_after {
            let seconds = u32::try_from(stale_after.seconds())
                .ok()
                .filter(|seconds| *seconds > 0)
                .ok_or_else(|| {
                    Failure::usage("--stale-after: write a time from 1s up, such as 5m")
                })?;
            definition.stale_after_s = Some(seconds);
        }
        if let Some(closing) = &self.closing {
            definition.closing = (closing.trim() != "safe").then(|| closing.clone());
        }
        if let Some(unit) = &self.unit {
            definition.unit = Some(unit.clone());
        }
        if let Some(salt) = &self.salt {
            definition.salt = Some(salt.clone());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sunset_is_a_date_or_a_time_from_now() {
        let now: Timestamp = "2026-11-21T23:59:00Z".parse().unwrap();
        let date = |text: &str| sunset(text).unwrap().date(now).unwrap();
        assert_eq!(date("2026-12-31"), "2026-12-31");
        assert_eq!(date("30d"), "2026-12-21");
        assert_eq!(date("1h"), "2026-11-22");
        for text in ["soon", "2026-02-30", "30", ""] {
            assert!(sunset(text).is_err(), "{text}");
        }
    }
}
