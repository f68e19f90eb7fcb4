//! How fast the server looks: `[pace]`.

use leverframe_node::{Grid, Options, Outside};
use serde::Deserialize;

use super::Wrong;
use crate::span::{Span, SpanError};

/// Times, each as `10s`; what is absent stays as it is.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pace {
    tick: Option<String>,
    interval: Option<String>,
    watermark: Option<String>,
    sample_interval: Option<String>,
    sample_watermark: Option<String>,
    canary_every: Option<String>,
}

/// No shorter, so that a slip of the finger does not keep a processor busy.
const SHORTEST_MS: u64 = 10;
/// No longer: what happens in between is seen too late.
const LONGEST_MS: u64 = 3_600_000;

impl Pace {
    /// How a node is to run.
    pub(super) fn options(&self, outside: Outside) -> Result<Options, Wrong> {
        let usual = Options::default();
        let of = |place: &str, text: &Option<String>, usual| match text {
            None => Ok(usual),
            Some(text) => time(place, text),
        };
        let canary_every = match self.canary_every.as_deref() {
            None => usual.canary_every,
            Some("never") => None,
            Some(text) => Some(
                text.parse::<Span>()
                    .map(Span::duration)
                    .map_err(|error| Wrong::at("pace.canary_every", error.to_string()))?,
            ),
        };
        Ok(Options {
            outside,
            tick: of("pace.tick", &self.tick, usual.tick)?,
            outcomes: Grid {
                length: of("pace.interval", &self.interval, usual.outcomes.length)?,
                watermark: of("pace.watermark", &self.watermark, usual.outcomes.watermark)?,
            },
            samples: Grid {
                length: of(
                    "pace.sample_interval",
                    &self.sample_interval,
                    usual.samples.length,
                )?,
                watermark: of(
                    "pace.sample_watermark",
                    &self.sample_watermark,
                    usual.samples.watermark,
                )?,
            },
            canary_every,
            ..usual
        })
    }
}

fn time(place: &str, text: &str) -> Result<std::time::Duration, Wrong> {
    let span: Span = text
        .parse()
        .map_err(|error: SpanError| Wrong::at(place, error.to_string()))?;
    let duration = span.duration();
    if (SHORTEST_MS..=LONGEST_MS).contains(&u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
    {
        return Ok(duration);
    }
    Err(Wrong::at(place, "it is from 10ms up to 1h"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn options(text: &str) -> Result<Options, Wrong> {
        let pace: Pace = toml::from_str(text).unwrap();
        pace.options(Outside::default())
    }

    #[test]
    fn what_is_named_changes_and_the_rest_stays() {
        let options = options("interval = \"500ms\"\ncanary_every = \"never\"").unwrap();
        assert_eq!(options.outcomes.length, Duration::from_millis(500));
        assert_eq!(
            options.outcomes.watermark,
            Options::default().outcomes.watermark
        );
        assert_eq!(options.canary_every, None);
    }

    #[test]
    fn a_time_that_is_none_or_too_short_is_told_with_its_place() {
        for text in ["tick = \"soon\"", "tick = \"1ms\"", "tick = \"2h\""] {
            assert_eq!(options(text).unwrap_err().place, "pace.tick", "{text}");
        }
    }
}
