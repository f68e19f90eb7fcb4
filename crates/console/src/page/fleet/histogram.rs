//! How long changes take to arrive, as bars.

use std::fmt::{Display, Formatter, Result};

use askama::filters::HtmlSafe;
use leverframe_wire::admin::Propagated;

use crate::text::{count, grouped};

const BAR: u64 = 24;
const HEIGHT: u64 = 100;

/// Bars, one for each group of times, with a summary in words for whoever does not see them.
#[derive(Debug)]
pub(super) struct Histogram<'a>(pub(super) &'a [Propagated]);

impl Histogram<'_> {
    fn total(&self) -> u64 {
        self.0.iter().map(|group| group.acknowledgements).sum()
    }

    /// What most of them took.
    pub(super) fn summary(&self) -> String {
        let total = self.total();
        let mut so_far = 0;
        for group in self.0 {
            so_far += group.acknowledgements;
            if so_far * 100 >= total * 99 && total > 0 {
                let within = group.within_ms.map_or_else(
                    || "longer than 5 s".to_owned(),
                    |ms| format!("at most {ms} ms"),
                );
                return format!(
                    "Of {} of the last twenty changes, 99 in 100 took {within}.",
                    count(&total, "acknowledgement", "acknowledgements")
                );
            }
        }
        String::new()
    }
}

/// What a group is called.
pub(super) fn name(group: &Propagated) -> String {
    match group.within_ms {
        Some(ms) if ms >= 1_000 => format!("{} s", ms / 1_000),
        Some(ms) => format!("{ms} ms"),
        None => "more".to_owned(),
    }
}

impl Display for Histogram<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let most = self.0.iter().map(|group| group.acknowledgements).max();
        let most = most.unwrap_or(0).max(1);
        let width = self.0.len() as u64 * BAR;
        write!(
            f,
            "<svg class=\"histogram\" viewBox=\"0 0 {width} {}\" role=\"img\" aria-label=\"{}\">",
            HEIGHT + 28,
            self.summary()
        )?;
        for (place, group) in (0_u64..).zip(self.0) {
            let has = group.acknowledgements;
            // One that is there can be seen.
            let height = (has * HEIGHT / most).max(u64::from(has > 0) * 2);
            let (x, y) = (place * BAR, 14 + HEIGHT - height);
            write!(
                f,
                "<rect class=\"bar\" x=\"{}\" y=\"{y}\" width=\"{}\" height=\"{height}\"><title>{}: {}</title></rect>",
                x + 2,
                BAR - 4,
                name(group),
                grouped(has)
            )?;
            // The last but one would stand on the last one's toes.
            let is_named = place % 3 == 2 && place + 2 != self.0.len() as u64;
            if is_named || group.within_ms.is_none() {
                write!(
                    f,
                    "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                    x + BAR / 2,
                    HEIGHT + 26,
                    name(group)
                )?;
            }
        }
        write!(f, "</svg>")
    }
}

// Numbers and fixed words alone.
impl HtmlSafe for Histogram<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_says_where_99_in_100_are() {
        let group = |within_ms, acknowledgements| Propagated {
            within_ms,
            acknowledgements,
        };
        let groups = [group(Some(1), 90), group(Some(5), 9), group(None, 1)];
        assert_eq!(
            Histogram(&groups).summary(),
            "Of 100 acknowledgements of the last twenty changes, 99 in 100 took at most 5 ms."
        );
        assert_eq!(Histogram(&[]).summary(), "");
        assert!(Histogram(&[]).to_string().starts_with("<svg"));
    }
}
