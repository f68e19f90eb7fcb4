//! A picture on a terminal that is drawn anew in its place.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use super::Screen;
use crate::arguments::Format;
use crate::failure::Failure;

/// At most five pictures a second.
const REDRAW_MIN: Duration = Duration::from_millis(200);

/// A picture of a few lines, drawn over the one before it.
pub(crate) struct Live {
    columns: usize,
    /// How many rows of the terminal the last picture took.
    rows: usize,
    last: Vec<String>,
    drawn: Option<Instant>,
}

impl Live {
    /// Only where a person looks at a terminal.
    pub(crate) fn open(screen: &Screen) -> Option<Self> {
        let is_for_people = screen.format() == Format::Table && io::stdout().is_terminal();
        is_for_people.then(|| Self {
            columns: super::columns().unwrap_or(80),
            rows: 0,
            last: Vec::new(),
            drawn: None,
        })
    }

    /// Draws `lines`, each of which was made inert, if they differ.
    pub(crate) fn draw(&mut self, lines: &[String]) -> Result<(), Failure> {
        if self.last == lines {
            return Ok(());
        }
        if let Some(drawn) = self.drawn {
            std::thread::sleep(REDRAW_MIN.saturating_sub(drawn.elapsed()));
        }
        self.columns = super::columns().unwrap_or(self.columns);
        // Without colours the picture is still drawn in its place, so this goes round anstream.
        let back = match self.rows {
            0 => String::new(),
            rows => format!("\x1b[{rows}A\r\x1b[J"),
        };
        io::stdout()
            .write_all(back.as_bytes())
            .map_err(|error| Failure::failed(format!("stdout: {error}")))?;
        let mut text = lines.join("\n");
        text.push('\n');
        super::raw(text.as_bytes())?;
        self.rows = rows(lines, self.columns);
        self.last = lines.to_vec();
        self.drawn = Some(Instant::now());
        Ok(())
    }
}

/// How many rows these lines take where longer ones are broken.
fn rows(lines: &[String], columns: usize) -> usize {
    let width = |line: &String| {
        anstream::adapter::strip_str(line)
            .to_string()
            .chars()
            .count()
    };
    lines
        .iter()
        .map(|line| width(line).max(1).div_ceil(columns.max(1)))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::{Tone, paint};

    #[test]
    fn a_broken_line_is_drawn_over_whole_and_a_colour_takes_no_room() {
        let lines = |texts: &[&str]| -> Vec<String> {
            texts.iter().map(|text| (*text).to_owned()).collect()
        };
        assert_eq!(
            rows(&lines(&["", "12345", "1234567890", "12345678901"]), 10),
            5
        );
        assert_eq!(rows(&[paint(Tone::Bad, "1234567890")], 10), 1);
    }
}
