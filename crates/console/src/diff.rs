//! What an edit changes, line by line.

use leverframe_wire::admin::{FlagDefinition, SegmentDefinition};

/// How many lines that did not change are shown around one that did.
const AROUND: usize = 2;
/// Most lines that are compared one with another; of more than this it is only said what goes and
/// what comes.
const COMPARED_MAX: usize = 1_500;
/// Most lines that are shown.
const SHOWN_MAX: usize = 400;
/// Most characters of a line that are shown.
const CHARS_MAX: usize = 400;

/// What happened to a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It stays.
    Kept,
    /// It comes.
    Added,
    /// It goes.
    Removed,
    /// Lines that stay and are not shown.
    Gap,
}

/// One line of a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What happened to it.
    pub fate: Fate,
    /// What it says.
    pub text: String,
}

impl Line {
    fn new(fate: Fate, text: &str) -> Self {
        let mut text: String = text.to_owned();
        if let Some((end, _)) = text.char_indices().nth(CHARS_MAX) {
            text.truncate(end);
            text.push('…');
        }
        Self { fate, text }
    }

    /// The sign in front of it.
    #[must_use]
    pub fn sign(&self) -> &'static str {
        match self.fate {
            Fate::Kept => "\u{a0}",
            Fate::Added => "+",
            Fate::Removed => "−",
            Fate::Gap => "…",
        }
    }

    /// Its class, and what it is called for those who do not see its sign.
    #[must_use]
    pub fn class(&self) -> &'static str {
        match self.fate {
            Fate::Kept => "kept",
            Fate::Added => "added",
            Fate::Removed => "removed",
            Fate::Gap => "gap",
        }
    }
}

/// What changes between two definitions, as their JSON is written.
#[must_use]
pub fn definitions(from: Option<&FlagDefinition>, to: Option<&FlagDefinition>) -> Vec<Line> {
    let text = |definition: Option<&FlagDefinition>| definition.map_or_else(Vec::new, json);
    lines(&text(from), &text(to))
}

/// What changes between two segments.
#[must_use]
pub fn segments(from: Option<&SegmentDefinition>, to: Option<&SegmentDefinition>) -> Vec<Line> {
    let text = |definition: Option<&SegmentDefinition>| definition.map_or_else(Vec::new, json);
    lines(&text(from), &text(to))
}

fn json(definition: &impl serde::Serialize) -> Vec<String> {
    let text = serde_json::to_string_pretty(definition).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// What changes between two lists of lines, with a little of what stays around it.
#[must_use]
pub fn lines(from: &[String], to: &[String]) -> Vec<Line> {
    let mut shown = brief(&compare(from, to));
    if shown.len() > SHOWN_MAX {
        let more = shown.len() - SHOWN_MAX;
        shown.truncate(SHOWN_MAX);
        shown.push(Line::new(Fate::Gap, &format!("and {more} lines more")));
    }
    shown
}

/// Every line with its fate. The longest common subsequence stays.
fn compare(from: &[String], to: &[String]) -> Vec<Line> {
    let same = |(a, b): &(&String, &String)| a == b;
    let head = from.iter().zip(to).take_while(same).count();
    let (from_rest, to_rest) = (
        from.get(head..).unwrap_or(&[]),
        to.get(head..).unwrap_or(&[]),
    );
    let tail = from_rest
        .iter()
        .rev()
        .zip(to_rest.iter().rev())
        .take_while(same)
        .count();
    let middle = |lines: &'_ [String]| lines.len() - tail;
    let (a, kept) = from_rest.split_at(middle(from_rest));
    let (b, _) = to_rest.split_at(middle(to_rest));
    let line = |fate: Fate| move |text: &String| Line::new(fate, text);

    let mut out: Vec<Line> = from.iter().take(head).map(line(Fate::Kept)).collect();
    if a.len() > COMPARED_MAX || b.len() > COMPARED_MAX {
        out.extend(a.iter().map(line(Fate::Removed)));
        out.extend(b.iter().map(line(Fate::Added)));
    } else {
        out.extend(common(a, b));
    }
    out.extend(kept.iter().map(line(Fate::Kept)));
    out
}

fn common(a: &[String], b: &[String]) -> Vec<Line> {
    // How many lines `a[i..]` and `b[j..]` have in common, row by row from the end.
    let mut rows: Vec<Vec<u16>> = vec![vec![0; b.len() + 1]];
    for one in a.iter().rev() {
        let below = rows.last().map_or(&[][..], Vec::as_slice);
        let mut row = vec![0_u16; b.len() + 1];
        for (j, other) in b.iter().enumerate().rev() {
            let at = |row: &[u16], index: usize| row.get(index).copied().unwrap_or_default();
            let best = match one == other {
                true => at(below, j + 1).saturating_add(1),
                false => at(below, j).max(at(&row, j + 1)),
            };
            if let Some(place) = row.get_mut(j) {
                *place = best;
            }
        }
        rows.push(row);
    }
    rows.reverse();
    let length = |i: usize, j: usize| {
        let row = rows.get(i).map_or(&[][..], Vec::as_slice);
        row.get(j).copied().unwrap_or_default()
    };
    let (mut i, mut j) = (0, 0);
    let mut out = Vec::new();
    loop {
        match (a.get(i), b.get(j)) {
            (Some(one), Some(other)) if one == other => {
                out.push(Line::new(Fate::Kept, one));
                (i, j) = (i + 1, j + 1);
            }
            (Some(one), other) if other.is_none() || length(i + 1, j) >= length(i, j + 1) => {
                out.push(Line::new(Fate::Removed, one));
                i += 1;
            }
            (_, Some(other)) => {
                out.push(Line::new(Fate::Added, other));
                j += 1;
            }
            _ => return out,
        }
    }
}

/// Without the lines that stay far from any that does not.
fn brief(all: &[Line]) -> Vec<Line> {
    let is_near = |index: usize| {
        let around = all
            .iter()
            .skip(index.saturating_sub(AROUND))
            .take(AROUND + 1 + index.min(AROUND));
        around.into_iter().any(|line| line.fate != Fate::Kept)
    };
    let mut out: Vec<Line> = Vec::new();
    for (index, line) in all.iter().enumerate() {
        if is_near(index) {
            out.push(line.clone());
        } else if out.last().is_none_or(|last| last.fate != Fate::Gap) {
            out.push(Line::new(Fate::Gap, ""));
        }
    }
    match out.iter().all(|line| line.fate == Fate::Gap) {
        true => Vec::new(),
        false => out,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn owned(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|line| (*line).to_owned()).collect()
    }

    fn told(from: &[&str], to: &[&str]) -> Vec<String> {
        lines(&owned(from), &owned(to))
            .into_iter()
            .map(|line| format!("{}{}", line.sign(), line.text))
            .collect()
    }

    #[test]
    fn what_changed_is_shown_with_a_little_around_it() {
        let from = ["a", "b", "c", "d", "e", "f", "g"];
        assert_eq!(
            told(&from, &["a", "b", "c", "D", "e", "f", "g"]),
            [
                "…", "\u{a0}b", "\u{a0}c", "−d", "+D", "\u{a0}e", "\u{a0}f", "…"
            ]
        );
        assert!(told(&from, &from).is_empty());
        assert_eq!(told(&[], &["a"]), ["+a"]);
    }

    #[test]
    fn ten_thousand_lines_that_are_all_different_are_told_at_once() {
        let from: Vec<String> = (0..10_000).map(|n| format!("a{n}")).collect();
        let to: Vec<String> = (0..10_000).map(|n| format!("b{n}")).collect();
        assert_eq!(lines(&from, &to).len(), SHOWN_MAX + 1);
    }

    proptest! {
        #[test]
        fn the_lines_that_stay_and_come_are_the_new_text(
            from in prop::collection::vec("[a-d]", 0..12), to in prop::collection::vec("[a-d]", 0..12)
        ) {
            let all = compare(&from, &to);
            let having = |unwanted: Fate| -> Vec<String> {
                all.iter().filter(|line| line.fate != unwanted).map(|line| line.text.clone()).collect()
            };
            prop_assert_eq!(having(Fate::Removed), to);
            prop_assert_eq!(having(Fate::Added), from);
        }
    }
}
