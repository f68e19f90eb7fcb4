//! What a step came to, read off the closing line of whatever ran in it.

/// Checks that passed and failed. A check is one test, or a whole step that has no tests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Tally {
    pub(crate) const ONE: Self = Self {
        passed: 1,
        failed: 0,
    };

    fn plus(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
        }
    }
}

/// A step that did its work.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub(crate) tally: Tally,
    /// What a reader should know beyond the numbers, such as the seeds.
    pub(crate) note: String,
}

impl Done {
    pub(crate) fn tests(tally: Tally) -> Self {
        Self {
            tally,
            note: String::new(),
        }
    }

    pub(crate) fn check() -> Self {
        Self::tests(Tally::ONE)
    }
}

/// A step that did not.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) why: String,
    /// Everything that was printed.
    pub(crate) output: String,
    pub(crate) tally: Tally,
}

impl Failed {
    pub(crate) fn new(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            output: String::new(),
            tally: Tally {
                passed: 0,
                failed: 1,
            },
        }
    }
}

/// The sum of every closing line of a known test runner; none when there is no such line.
pub(crate) fn closing_lines(output: &str) -> Option<Tally> {
    // What nextest shows of a test ends with a `test result:` of its own, which its summary counts.
    let has_summary = output.lines().any(|line| nextest_line(line).is_some());
    let mut sum: Option<Tally> = None;
    let mut add = |tally: Tally| sum = Some(sum.unwrap_or_default().plus(tally));
    let mut node = Tally::default();
    let mut python_ran: Option<u64> = None;
    for line in output.lines().map(str::trim) {
        if let Some(rest) = nextest_line(line) {
            add(Tally {
                passed: number_before(rest, " passed").unwrap_or(0),
                failed: number_before(rest, " failed").unwrap_or(0)
                    + number_before(rest, " timed out").unwrap_or(0),
            });
        } else if let Some(rest) = line.strip_prefix("test result:").filter(|_| !has_summary) {
            add(Tally {
                passed: number_before(rest, " passed").unwrap_or(0),
                failed: number_before(rest, " failed").unwrap_or(0),
            });
        } else if let Some(rest) = node_line(line, "pass") {
            node.passed = rest;
        } else if let Some(rest) = node_line(line, "fail") {
            node.failed = rest;
            add(node);
        } else if let Some(rest) = line.strip_prefix("Ran ") {
            // unittest: `Ran 9 tests in 1.2s`, then `OK` or `FAILED (failures=1, errors=2)`
            python_ran = number_before(rest, " test");
        } else if let Some(ran) = python_ran {
            let failed = ["failures=", "errors="]
                .iter()
                .filter_map(|word| number_after(line, word))
                .sum::<u64>();
            if line.starts_with("OK") || line.starts_with("FAILED") {
                let skipped = number_after(line, "skipped=").unwrap_or(0);
                add(Tally {
                    passed: ran.saturating_sub(failed + skipped),
                    failed,
                });
                python_ran = None;
            }
        }
    }
    sum
}

/// nextest closes with `Summary [   0.5s] 12 tests run: 11 passed, 1 failed, 0 skipped`.
fn nextest_line(line: &str) -> Option<&str> {
    line.trim().strip_prefix("Summary [")
}

/// Node's runner closes with `# pass 9` (TAP) or `ℹ pass 9` (spec).
fn node_line(line: &str, word: &str) -> Option<u64> {
    let rest = line
        .strip_prefix("# ")
        .or_else(|| line.strip_prefix("ℹ "))?;
    rest.strip_prefix(word)?.trim().parse().ok()
}

fn number_before(text: &str, word: &str) -> Option<u64> {
    let (before, _) = text.split_once(word)?;
    let digits = before
        .rfind(|c: char| !c.is_ascii_digit())
        .map_or(0, |at| at + 1);
    before.get(digits..)?.parse().ok()
}

fn number_after(text: &str, word: &str) -> Option<u64> {
    let (_, after) = text.split_once(word)?;
    let digits = after
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(after.len());
    after.get(..digits)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(passed: u64, failed: u64) -> Option<Tally> {
        Some(Tally { passed, failed })
    }

    #[test]
    fn the_closing_lines_of_every_runner_in_use_are_read() {
        let nextest = "    test result: ok. 1 passed; 0 failed; 0 ignored\n\
                            Summary [   0.504s] 12 tests run: 11 passed (1 slow), 1 failed, 3 skipped";
        assert_eq!(closing_lines(nextest), tally(11, 1));
        let cargo = "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured\n\
                     test result: FAILED. 1 passed; 2 failed; 0 ignored";
        assert_eq!(closing_lines(cargo), tally(4, 2));
        assert_eq!(
            closing_lines("ℹ tests 9\nℹ pass 8\nℹ fail 1\n"),
            tally(8, 1)
        );
        assert_eq!(
            closing_lines("# tests 9\n# pass 9\n# fail 0\n"),
            tally(9, 0)
        );
        let python = "Ran 9 tests in 1.2s\n\nFAILED (failures=1, errors=2, skipped=1)";
        assert_eq!(closing_lines(python), tally(5, 3));
        assert_eq!(closing_lines("Ran 1 test in 0.1s\n\nOK\n"), tally(1, 0));
    }

    #[test]
    fn output_without_a_closing_line_has_no_tally() {
        assert_eq!(closing_lines("Compiling leverframe\nall good\n"), None);
    }
}
