//! What `lever dev` shows: one block that is drawn over itself in a terminal, plain lines elsewhere.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use super::meter::{Meter, Tally};
use crate::output::{Tone, columns, inert, paint};

/// How often the block is drawn again.
const REDRAW_EVERY: Duration = Duration::from_millis(250);
/// How often something is looked for to print where nothing can be drawn over.
const LINE_EVERY: Duration = Duration::from_secs(5);
/// How many journal records the block shows.
pub(crate) const RECORDS: usize = 4;

/// What there is to show of a lever that a person may pull.
pub(crate) struct View {
    /// The lever with its glyph, such as `▲ open to 25 %`.
    pub(crate) position: String,
    pub(crate) is_closed: bool,
    pub(crate) revision: u64,
    pub(crate) confirmed: usize,
    pub(crate) expected: usize,
    /// The newest records of the journal, each in one line, the newest first.
    pub(crate) records: Vec<String>,
}

/// The terminal.
pub(crate) struct Scene {
    is_terminal: bool,
    drawn_lines: usize,
}

impl Scene {
    pub(crate) fn of_process() -> Self {
        Self {
            is_terminal: std::io::stdout().is_terminal(),
            drawn_lines: 0,
        }
    }

    /// Whether blocks can be drawn over each other.
    pub(crate) fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// How often something new is worth showing.
    pub(crate) fn pace(&self) -> Duration {
        if self.is_terminal {
            REDRAW_EVERY
        } else {
            LINE_EVERY
        }
    }

    /// Prints lines that stay. What was drawn before them stays, too.
    pub(crate) fn say(&mut self, lines: &[String]) {
        self.drawn_lines = 0;
        print(lines);
    }

    /// Shows a block over the last one. Each line is cut where the terminal ends: one that wraps would
    /// not be drawn over.
    pub(crate) fn draw(&mut self, lines: &[String]) {
        let columns = columns().unwrap_or(usize::MAX);
        let lines: Vec<String> = lines.iter().map(|line| cut(line, columns)).collect();
        if self.drawn_lines > 0 {
            // Nobody can be told that the terminal is gone.
            let _ = write!(std::io::stdout(), "\u{1b}[{}A\u{1b}[J", self.drawn_lines);
        }
        print(&lines);
        self.drawn_lines = lines.len();
    }
}

fn print(lines: &[String]) {
    let mut stdout = anstream::stdout().lock();
    for line in lines {
        let _ = writeln!(stdout, "{line}");
    }
    let _ = stdout.flush();
}

/// How a lever is, in one line.
pub(crate) fn lever_line(view: &View, tally: &Tally, now: &str) -> String {
    format!(
        "{now} new-checkout {} · r{} · {}/{} evaluators · {}",
        view.position,
        view.revision,
        view.confirmed,
        view.expected,
        traffic_line(tally),
    )
}

/// The last five seconds of the traffic, in one line.
pub(crate) fn traffic_line(tally: &Tally) -> String {
    format!(
        "{} req in 5 s · exposed {:.1} % · errors {:.2} %",
        tally.requests,
        tally.exposed_percent(),
        tally.error_percent(),
    )
}

/// How a lever is, with the last minute of the traffic.
pub(crate) fn lever_block(view: &View, meter: &Meter) -> Vec<String> {
    let tone = if view.is_closed {
        Tone::Braked
    } else {
        Tone::Raised
    };
    let everybody = if view.confirmed == view.expected {
        Tone::Good
    } else {
        Tone::Bad
    };
    let roll = format!(
        "{}/{} evaluators at r{}",
        view.confirmed, view.expected, view.revision
    );
    let mut lines = vec![
        String::new(),
        format!(
            "  new-checkout  prod  {}   {}",
            paint(tone, &view.position),
            paint(everybody, &roll)
        ),
    ];
    lines.extend(traffic(meter));
    lines.push(String::new());
    if view.is_closed {
        lines.push(format!(
            "  take it back: lever undo r{} -r \"…\"",
            view.revision
        ));
        lines.push(String::new());
    }
    let records = view.records.iter();
    lines.extend(records.map(|record| format!("  {}", paint(Tone::Quiet, &inert(record)))));
    lines
}

/// The last minute of the traffic.
pub(crate) fn traffic(meter: &Meter) -> [String; 3] {
    let tally = meter.last(5);
    [
        format!("    traffic   {:>6} req/s", tally.requests / 5),
        format!(
            "    exposed   {:>6.1} %   {}",
            tally.exposed_percent(),
            plot(meter, Tally::exposed_percent, 100.0)
        ),
        format!(
            "    errors    {:>6.2} %   {}",
            tally.error_percent(),
            plot(meter, Tally::error_percent, 4.0)
        ),
    ]
}

/// The part of a line that fits; what colours it takes no room, and ends with it.
fn cut(line: &str, columns: usize) -> String {
    let mut kept = String::with_capacity(line.len());
    let mut room = columns;
    let mut rest = line.chars();
    while let Some(next) = rest.next() {
        if next == '\u{1b}' {
            kept.push(next);
            for part in rest.by_ref() {
                kept.push(part);
                if part.is_ascii_alphabetic() {
                    break;
                }
            }
        } else if room > 0 {
            room -= 1;
            kept.push(next);
        }
    }
    kept
}

/// The last minute as bars; a full bar is `top`.
fn plot(meter: &Meter, value: impl Fn(&Tally) -> f64, top: f64) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    meter
        .seconds()
        .map(|second| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "clamped to the eight bars there are"
            )]
            let bar = (value(second) / top * 8.0).clamp(0.0, 7.0) as usize;
            BARS.get(bar).copied().unwrap_or('█')
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view() -> View {
        View {
            position: "▲ open to 25 %".to_owned(),
            is_closed: false,
            revision: 7,
            confirmed: 11,
            expected: 12,
            records: vec!["r7 \u{1b}[2J evil".to_owned()],
        }
    }

    #[test]
    fn a_line_says_position_evaluators_exposure_and_errors() {
        let tally = Tally {
            requests: 1_000,
            exposed: 250,
            errors: 5,
        };
        assert_eq!(
            lever_line(&view(), &tally, "12:00:00"),
            "12:00:00 new-checkout ▲ open to 25 % · r7 · 11/12 evaluators · 1000 req in 5 s · exposed 25.0 % · errors 0.50 %"
        );
    }

    #[test]
    fn the_block_says_it_in_words_and_lets_no_reason_drive_the_terminal() {
        let lines = lever_block(&view(), &Meter::default()).join("\n");
        assert!(lines.contains("▲ open to 25 %"));
        assert!(lines.contains("11/12 evaluators at r7"));
        assert!(!lines.contains("\u{1b}[2J"));
    }

    #[test]
    fn a_line_that_is_cut_ends_its_colour() {
        let line = paint(Tone::Bad, "1234567890");
        let short = cut(&line, 4);
        assert_eq!(anstream::adapter::strip_str(&short).to_string(), "1234");
        assert!(short.ends_with("\u{1b}[0m"), "{short:?}");
    }

    #[test]
    fn no_line_of_the_block_is_longer_than_the_terminal_is_wide() {
        let mut view = view();
        view.records = vec!["r5 new-checkout open to 25 % in prod — looked fine".to_owned()];
        for columns in [0, 1, 20, 40] {
            for line in lever_block(&view, &Meter::default()) {
                let shown = anstream::adapter::strip_str(&cut(&line, columns)).to_string();
                assert!(shown.chars().count() <= columns, "{columns}: {shown:?}");
            }
        }
        let wide = lever_block(&view, &Meter::default()).join("\n");
        assert!(wide.contains("looked fine"), "{wide}");
    }
}
