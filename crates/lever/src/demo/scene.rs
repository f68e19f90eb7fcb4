//! What `lever dev` shows: one block that is drawn over itself in a terminal, plain lines elsewhere.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use super::meter::{Meter, Tally};
use crate::output::{Tone, columns, inert, paint};

/// How often the block is drawn again.
pub(crate) const REDRAW_EVERY: Duration = Duration::from_millis(250);
/// How often a line is printed where nothing can be drawn over.
pub(crate) const LINE_EVERY: Duration = Duration::from_secs(5);
/// How many journal records the block shows.
pub(crate) const RECORDS: usize = 4;

/// What there is to show.
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

    /// How often [`Scene::show`] is worth calling.
    pub(crate) fn pace(&self) -> Duration {
        if self.is_terminal {
            REDRAW_EVERY
        } else {
            LINE_EVERY
        }
    }

    /// Prints lines that stay.
    pub(crate) fn say(&self, lines: &[String]) {
        let mut stdout = anstream::stdout().lock();
        for line in lines {
            // Nobody can be told that the terminal is gone.
            let _ = writeln!(stdout, "{line}");
        }
        let _ = stdout.flush();
    }

    /// Shows how things are: over the last block, or as one more line.
    pub(crate) fn show(&mut self, view: &View, meter: &Meter, now: &str) {
        if !self.is_terminal {
            return self.say(&[line(view, &meter.last(5), now)]);
        }
        let lines = block(view, meter, columns().unwrap_or(usize::MAX));
        let mut stdout = anstream::stdout().lock();
        if self.drawn_lines > 0 {
            let _ = write!(stdout, "\u{1b}[{}A\u{1b}[J", self.drawn_lines);
        }
        for line in &lines {
            let _ = writeln!(stdout, "{line}");
        }
        let _ = stdout.flush();
        self.drawn_lines = lines.len();
    }
}

fn line(view: &View, tally: &Tally, now: &str) -> String {
    format!(
        "{now} new-checkout {} · r{} · {}/{} evaluators · {} req in 5 s · exposed {:.1} % · errors {:.2} %",
        view.position,
        view.revision,
        view.confirmed,
        view.expected,
        tally.requests,
        tally.exposed_percent(),
        tally.error_percent(),
    )
}

/// No line is longer than `columns`: one that wraps would not be drawn over.
fn block(view: &View, meter: &Meter, columns: usize) -> Vec<String> {
    let tally = meter.last(5);
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
    let mut line = Line::of(columns);
    let lever = line
        .plain("  new-checkout  prod  ")
        .painted(tone, &view.position)
        .plain("   ")
        .painted(
            everybody,
            &format!(
                "{}/{} evaluators at r{}",
                view.confirmed, view.expected, view.revision
            ),
        )
        .take();
    let plain = |text: String| Line::of(columns).plain(&text).take();
    let mut lines = vec![
        String::new(),
        lever,
        plain(format!("    traffic   {:>6} req/s", tally.requests / 5)),
        plain(format!(
            "    exposed   {:>6.1} %   {}",
            tally.exposed_percent(),
            plot(meter, Tally::exposed_percent, 100.0)
        )),
        plain(format!(
            "    errors    {:>6.2} %   {}",
            tally.error_percent(),
            plot(meter, Tally::error_percent, 4.0)
        )),
        String::new(),
    ];
    if view.is_closed {
        lines.push(plain(format!(
            "  take it back: lever undo r{} -r \"…\"",
            view.revision
        )));
        lines.push(String::new());
    }
    for record in &view.records {
        let mut line = Line::of(columns);
        line.plain("  ").painted(Tone::Quiet, &inert(record));
        lines.push(line.take());
    }
    lines
}

/// A line in the making that is cut where the terminal ends.
struct Line {
    text: String,
    room: usize,
}

impl Line {
    fn of(columns: usize) -> Self {
        Self {
            text: String::new(),
            room: columns,
        }
    }

    fn plain(&mut self, text: &str) -> &mut Self {
        let text = self.cut(text);
        self.text.push_str(&text);
        self
    }

    fn painted(&mut self, tone: Tone, text: &str) -> &mut Self {
        let text = self.cut(text);
        self.text.push_str(&paint(tone, &text));
        self
    }

    fn cut(&mut self, text: &str) -> String {
        let text: String = text.chars().take(self.room).collect();
        self.room -= text.chars().count();
        text
    }

    fn take(&mut self) -> String {
        std::mem::take(&mut self.text)
    }
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
            line(&view(), &tally, "12:00:00"),
            "12:00:00 new-checkout ▲ open to 25 % · r7 · 11/12 evaluators · 1000 req in 5 s · exposed 25.0 % · errors 0.50 %"
        );
    }

    #[test]
    fn the_block_says_it_in_words_and_lets_no_reason_drive_the_terminal() {
        let lines = block(&view(), &Meter::default(), usize::MAX).join("\n");
        assert!(lines.contains("▲ open to 25 %"));
        assert!(lines.contains("11/12 evaluators at r7"));
        assert!(!lines.contains("\u{1b}[2J"));
    }

    #[test]
    fn no_line_of_the_block_is_longer_than_the_terminal_is_wide() {
        let mut view = view();
        view.records = vec!["r5 new-checkout open to 25 % in prod — looked fine".to_owned()];
        for columns in [0, 1, 20, 40] {
            for line in block(&view, &Meter::default(), columns) {
                let shown = anstream::adapter::strip_str(&line).to_string();
                assert!(shown.chars().count() <= columns, "{columns}: {shown:?}");
            }
        }
        let wide = block(&view, &Meter::default(), 200).join("\n");
        assert!(wide.contains("looked fine"), "{wide}");
    }
}
