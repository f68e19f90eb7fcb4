//! The summary: a line for each step, and the closing line.

use std::time::Duration;

use crate::outcome::Tally;

/// One step's line.
pub(crate) struct Line {
    pub(crate) name: &'static str,
    pub(crate) time: Duration,
    pub(crate) tally: Tally,
    pub(crate) note: String,
    /// Not run: what it stands on failed.
    pub(crate) skipped: bool,
}

impl Line {
    pub(crate) fn skipped(name: &'static str, because: &str) -> Self {
        Self {
            name,
            time: Duration::ZERO,
            tally: Tally::default(),
            note: format!("{because} failed"),
            skipped: true,
        }
    }
}

/// The table and, alone on the last line, `N passed, N failed`, with `, N skipped` where a step had
/// nothing to stand on.
pub(crate) fn summary(lines: &[Line]) -> String {
    let mut text = String::new();
    let (mut passed, mut failed, mut time) = (0, 0, Duration::ZERO);
    for line in lines {
        passed += line.tally.passed;
        failed += line.tally.failed;
        time += line.time;
        let word = match line.tally.failed {
            _ if line.skipped => "skip",
            0 => "ok",
            _ => "FAILED",
        };
        text.push_str(&row(word, line.name, line.time, &counted(line)));
    }
    text.push_str(&row("", "together", time, ""));
    let skipped = lines.iter().filter(|line| line.skipped).count();
    let skipped = match skipped {
        0 => String::new(),
        steps => format!(", {steps} skipped"),
    };
    format!("{text}\n{passed} passed, {failed} failed{skipped}")
}

fn row(word: &str, name: &str, time: Duration, about: &str) -> String {
    let row = format!("{word:6}  {name:12} {:>7.1} s  {about}", time.as_secs_f64());
    format!("{}\n", row.trim_end())
}

/// How many checks, and the step's own note.
pub(crate) fn counted(line: &Line) -> String {
    let Tally { passed, failed } = line.tally;
    let counts = match (passed, failed) {
        (_, 1..) => format!("{passed} passed, {failed} failed"),
        (0..=1, 0) => String::new(),
        _ => format!("{passed} tests"),
    };
    [counts, line.note.clone()]
        .iter()
        .filter(|part| !part.is_empty())
        .cloned()
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &'static str, passed: u64, failed: u64) -> Line {
        Line {
            name,
            time: Duration::from_millis(1_500),
            tally: Tally { passed, failed },
            note: String::new(),
            skipped: false,
        }
    }

    #[test]
    fn a_step_that_had_nothing_to_stand_on_is_told_and_counts_as_neither() {
        let text = summary(&[line("build", 0, 1), Line::skipped("test", "build")]);
        assert_eq!(text.lines().last(), Some("0 passed, 1 failed, 1 skipped"));
        assert!(
            text.contains("skip    test             0.0 s  build failed"),
            "{text}"
        );
    }

    #[test]
    fn the_closing_line_stands_alone_and_adds_up() {
        let text = summary(&[line("format", 1, 0), line("test", 40, 2)]);
        assert_eq!(text.lines().last(), Some("41 passed, 2 failed"));
        assert!(
            text.contains("FAILED  test             1.5 s  40 passed, 2 failed"),
            "{text}"
        );
    }
}
