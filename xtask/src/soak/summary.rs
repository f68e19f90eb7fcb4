//! What the parts of a soak told, side by side.

use std::time::Duration;

use crate::outcome::closing_lines;

/// One part's line, and those of its figures.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) time: Duration,
    pub(super) passed: bool,
    pub(super) told: Told,
}

/// What a part's tests said of themselves.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) tests: u64,
    seeds: Vec<String>,
    figures: Vec<String>,
}

impl Told {
    /// Reads the lines `seed: …` and `figure: …`. The first thing that a test says stands behind its
    /// name, `test name ... `.
    pub(super) fn read(output: &str) -> Self {
        let mut told = Self {
            tests: closing_lines(output).map_or(0, |tally| tally.passed + tally.failed),
            ..Self::default()
        };
        for line in output.lines() {
            let said = match line.strip_prefix("test ") {
                Some(named) => named.split_once(" ... ").map_or("", |(_, said)| said),
                None => line,
            };
            if let Some(seed) = said.strip_prefix("seed: ") {
                told.seeds.push(seed.to_owned());
            } else if let Some(figure) = said.strip_prefix("figure: ") {
                told.figures.push(figure.to_owned());
            }
        }
        told
    }
}

/// The table and, alone on the last line, `N passed, N failed`.
pub(super) fn table(rows: &[Row]) -> String {
    let mut text = String::new();
    for row in rows {
        let verdict = if row.passed { "ok" } else { "FAILED" };
        let tests = match row.told.tests {
            0 => String::new(),
            tests => format!("{tests} tests"),
        };
        let seeds = match row.told.seeds.as_slice() {
            [] => String::new(),
            seeds => format!("seed {}", seeds.join(", ")),
        };
        let line = format!(
            "{verdict:6}  {:12} {:>7.1} s  {tests:9}  {seeds}",
            row.name,
            row.time.as_secs_f64()
        );
        text.push_str(line.trim_end());
        text.push('\n');
        for figure in &row.told.figures {
            text.extend(["          ", figure, "\n"]);
        }
    }
    let passed = rows.iter().filter(|row| row.passed).count();
    format!("{text}\n{passed} passed, {} failed", rows.len() - passed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "running 2 tests\n\
        test line::lost ... seed: 17\n\
        progress: 100 of 1000\n\
        figure: 5 lost\n\
        ok\n\
        test line::half_open ... figure: after 14.1 s\n\
        ok\n\n\
        test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 80 filtered out\n";

    #[test]
    fn seeds_and_figures_are_read_wherever_a_test_says_them() {
        let told = Told::read(OUTPUT);
        assert_eq!(told.tests, 2);
        assert_eq!(told.seeds, ["17"]);
        assert_eq!(told.figures, ["5 lost", "after 14.1 s"]);
    }

    #[test]
    fn the_summary_says_of_each_part_its_verdict_seed_and_figures_and_counts_the_parts() {
        let row = |name, passed| Row {
            name,
            time: Duration::from_millis(2_500),
            passed,
            told: Told::read(OUTPUT),
        };
        let text = table(&[row("line", true), row("storm", false)]);
        assert!(
            text.contains("ok      line             2.5 s  2 tests    seed 17\n"),
            "{text}"
        );
        assert!(text.contains("FAILED  storm"), "{text}");
        assert!(text.contains("\n          after 14.1 s\n"), "{text}");
        assert_eq!(text.lines().last(), Some("1 passed, 1 failed"));
    }
}
