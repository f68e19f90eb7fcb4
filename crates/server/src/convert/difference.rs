//! What changed between two definitions, line by line.

use leverframe_wire::admin::{Difference, DifferenceLine, Sign};
use serde::Serialize;
use similar::{ChangeTag, TextDiff};

use crate::limit::{DIFFERENCE_LINES_MAX, DIFFERENCE_TIME_MAX};

/// Lines that stayed around each change.
const AROUND: usize = 3;

/// The difference between two definitions of one thing, as YAML; nothing stands for none.
pub(crate) fn difference<T: Serialize>(
    noun: &str,
    key: &str,
    before: Option<&T>,
    after: Option<&T>,
) -> Difference {
    let mut lines = lines(&yaml(before), &yaml(after));
    let missing = (lines.len() > DIFFERENCE_LINES_MAX).then(|| {
        let more = lines.len() - DIFFERENCE_LINES_MAX;
        lines.truncate(DIFFERENCE_LINES_MAX);
        format!("{more} more lines are not shown")
    });
    Difference {
        noun: noun.to_owned(),
        key: key.to_owned(),
        lines,
        missing,
    }
}

fn yaml<T: Serialize>(definition: Option<&T>) -> String {
    definition.map_or_else(String::new, |definition| {
        serde_saphyr::to_string(definition)
            .unwrap_or_else(|error| format!("# cannot be written: {error}\n"))
    })
}

fn lines(before: &str, after: &str) -> Vec<DifferenceLine> {
    let diff = TextDiff::configure()
        .timeout(DIFFERENCE_TIME_MAX)
        .diff_lines(before, after);
    let mut lines = Vec::new();
    let mut end = 0;
    for group in diff.grouped_ops(AROUND) {
        let begin = group.first().map_or(0, |first| first.old_range().start);
        if begin > end {
            lines.push(line(Sign::Gap, &format!("{} lines", begin - end)));
        }
        end = group.last().map_or(end, |last| last.old_range().end);
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let sign = match change.tag() {
                ChangeTag::Equal => Sign::Kept,
                ChangeTag::Insert => Sign::Added,
                ChangeTag::Delete => Sign::Removed,
            };
            lines.push(line(sign, change.value().trim_end_matches('\n')));
        }
    }
    lines
}

fn line(sign: Sign, text: &str) -> DifferenceLine {
    DifferenceLine {
        sign,
        text: text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(difference: &Difference) -> Vec<String> {
        let sign = |sign| match sign {
            Sign::Kept => ' ',
            Sign::Added => '+',
            Sign::Removed => '-',
            Sign::Gap => '@',
        };
        let lines = difference.lines.iter();
        lines
            .map(|line| format!("{}{}", sign(line.sign), line.text))
            .collect()
    }

    #[test]
    fn only_what_changed_and_some_lines_around_it_are_shown() {
        let before: Vec<u32> = (0..20).collect();
        let mut after = before.clone();
        after[10] = 77;
        let difference = difference("flag", "f", Some(&before), Some(&after));
        assert_eq!(
            shown(&difference),
            [
                "@7 lines", " - 7", " - 8", " - 9", "-- 10", "+- 77", " - 11", " - 12", " - 13"
            ]
        );
        assert_eq!(difference.missing, None);
    }

    #[test]
    fn what_is_new_was_nothing_before_and_what_goes_is_nothing_after() {
        let new = difference("plan", "p", None, Some(&["a"]));
        assert_eq!(shown(&new), ["+- a"]);
        let gone = difference("plan", "p", Some(&["a"]), None);
        assert_eq!(shown(&gone), ["-- a"]);
        assert!(
            difference("plan", "p", Some(&["a"]), Some(&["a"]))
                .lines
                .is_empty()
        );
    }

    #[test]
    fn a_large_difference_is_cut_and_says_so() {
        let entries: Vec<usize> = (0..DIFFERENCE_LINES_MAX + 5).collect();
        let difference = difference("segment", "s", None, Some(&entries));
        assert_eq!(difference.lines.len(), DIFFERENCE_LINES_MAX);
        assert_eq!(difference.missing.unwrap(), "5 more lines are not shown");
    }
}
