//! The last day as a line: a glyph for each change at its time, by its kind.

use std::fmt::{Display, Formatter, Result};

use askama::filters::{Html, HtmlSafe, escape};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use leverframe_wire::admin::RecordView;

use crate::text::count;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// The drawing, in its own units.
const WIDTH: i64 = 960;
const MARGIN: i64 = 16;
const BASE: i64 = 84;
/// How wide a glyph is, and how many stand on one another before they are counted.
const COLUMN: i64 = 16;
const STACK_MAX: usize = 4;

/// The records of a day, drawn.
pub(super) struct Axis<'a> {
    /// Any order.
    pub(super) records: &'a [RecordView],
    /// The right end.
    pub(super) now: Timestamp,
}

/// What a record did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Kill,
    Open,
    RolledBack,
    Rollout,
    Definition,
    Other,
}

impl Kind {
    const ALL: [Self; 6] = [
        Self::Kill,
        Self::Open,
        Self::RolledBack,
        Self::Rollout,
        Self::Definition,
        Self::Other,
    ];

    pub(super) fn of(record: &RecordView) -> Self {
        let has = |is: &dyn Fn(&str, &str) -> bool| {
            let mut changes = record.changes.iter();
            changes.any(|change| is(&change.noun, &change.sentence))
        };
        let closes =
            |noun: &str, sentence: &str| noun == "lever" && sentence.contains(" closed in ");
        let is_rollout = has(&|noun, _| noun == "rollout");
        match () {
            () if is_rollout && has(&closes) => Self::RolledBack,
            () if is_rollout => Self::Rollout,
            () if has(&closes) => Self::Kill,
            () if has(&|noun, _| noun == "lever") => Self::Open,
            () if has(&|noun, _| noun == "flag" || noun == "segment") => Self::Definition,
            () => Self::Other,
        }
    }

    pub(super) fn glyph(self) -> &'static str {
        match self {
            Self::Kill => "■",
            Self::Open => "●",
            Self::RolledBack => "↩",
            Self::Rollout => "▶",
            Self::Definition => "✎",
            Self::Other => "◇",
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::Kill | Self::RolledBack => "bad",
            Self::Open => "good",
            Self::Rollout => "busy",
            Self::Definition | Self::Other => "quiet",
        }
    }

    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Kill => "closed",
            Self::Open => "opened or pinned",
            Self::RolledBack => "rolled back",
            Self::Rollout => "rollout moved",
            Self::Definition => "definition changed",
            Self::Other => "other",
        }
    }
}

impl Axis<'_> {
    fn x(&self, at: Timestamp) -> i64 {
        let ago_ms = (self.now.as_millisecond() - at.as_millisecond()).clamp(0, DAY_MS);
        let width = WIDTH - 2 * MARGIN;
        WIDTH - MARGIN - ago_ms * width / DAY_MS
    }

    /// Each column of glyphs: where it is, and what stands in it.
    fn columns(&self) -> Vec<(i64, Vec<Kind>)> {
        let mut columns: Vec<(i64, Vec<Kind>)> = Vec::new();
        for record in self.records {
            let Ok(at) = record.at.parse::<Timestamp>() else {
                continue;
            };
            let column = self.x(at) / COLUMN;
            let kind = Kind::of(record);
            match columns.iter_mut().find(|(known, _)| *known == column) {
                Some((_, kinds)) => kinds.push(kind),
                None => columns.push((column, vec![kind])),
            }
        }
        columns
    }

    /// What it shows, in a sentence.
    fn summary(&self) -> String {
        let counted: Vec<String> = Kind::ALL
            .into_iter()
            .filter_map(|kind| {
                let all = self.records.iter().filter(|one| Kind::of(one) == kind);
                let number = all.count();
                (number > 0).then(|| format!("{number} {}", kind.words()))
            })
            .collect();
        let all = count(&self.records.len(), "change", "changes");
        match counted.is_empty() {
            true => "No change in the last 24 hours".to_owned(),
            false => format!("{all} in the last 24 hours: {}", counted.join(", ")),
        }
    }
}

impl Display for Axis<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let summary = self.summary();
        let Ok(summary) = escape(&summary, Html);
        write!(
            f,
            "<svg class=\"day\" viewBox=\"0 0 {WIDTH} 108\" role=\"img\" aria-label=\"{summary}\">\
             <line class=\"base\" x1=\"{MARGIN}\" y1=\"{BASE}\" x2=\"{}\" y2=\"{BASE}\"/>",
            WIDTH - MARGIN
        )?;
        let first_hour = self.now.as_millisecond().div_euclid(HOUR_MS);
        for hour in (first_hour - 23)..=first_hour {
            let Ok(at) = Timestamp::from_millisecond(hour * HOUR_MS) else {
                continue;
            };
            let x = self.x(at);
            let clock = at.to_zoned(TimeZone::UTC);
            let is_named = clock.hour().rem_euclid(3) == 0;
            let length = if is_named { 8 } else { 4 };
            write!(
                f,
                "<line class=\"tick\" x1=\"{x}\" y1=\"{BASE}\" x2=\"{x}\" y2=\"{}\"/>",
                BASE + length
            )?;
            if is_named && x < WIDTH - 3 * MARGIN {
                write!(
                    f,
                    "<text class=\"hour\" x=\"{x}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                    BASE + 21,
                    clock.strftime("%H:%M")
                )?;
            }
        }
        write!(
            f,
            "<text class=\"hour\" x=\"{}\" y=\"{}\" text-anchor=\"end\">now</text>",
            WIDTH - 2,
            BASE + 21
        )?;
        for (column, kinds) in self.columns() {
            let x = column * COLUMN + COLUMN / 2;
            let mut y = BASE - 6;
            for kind in kinds.iter().take(STACK_MAX) {
                write!(
                    f,
                    "<text class=\"mark {}\" x=\"{x}\" y=\"{y}\" text-anchor=\"middle\">{}</text>",
                    kind.class(),
                    kind.glyph()
                )?;
                y -= 17;
            }
            if kinds.len() > STACK_MAX {
                let more = kinds.len() - STACK_MAX;
                // The newest column is at the edge, where a number would be cut off.
                let (x, anchor) = match x + COLUMN < WIDTH {
                    true => (x, "middle"),
                    false => (WIDTH - 1, "end"),
                };
                write!(
                    f,
                    "<text class=\"hour\" x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">+{more}</text>"
                )?;
            }
        }
        f.write_str("</svg><p class=\"legend\">")?;
        for (index, kind) in Kind::ALL.into_iter().enumerate() {
            let before = if index > 0 { " " } else { "" };
            write!(
                f,
                "{before}<span><span class=\"mark {}\" aria-hidden=\"true\">{}</span> {}</span>",
                kind.class(),
                kind.glyph(),
                kind.words()
            )?;
        }
        f.write_str("</p>")
    }
}

// What is put in is numbers and words of its own.
impl HtmlSafe for Axis<'_> {}

#[cfg(test)]
mod tests {
    use leverframe_wire::admin::Change;

    use super::*;

    fn record(at: &str, noun: &str, sentence: &str) -> RecordView {
        RecordView {
            revision: 1,
            at: at.to_owned(),
            actor: "a".to_owned(),
            actor_name: "ana".to_owned(),
            via: "console".to_owned(),
            reason: "x".to_owned(),
            incident: None,
            changes: vec![Change {
                noun: noun.to_owned(),
                key: "k".to_owned(),
                environment: None,
                from: None,
                to: None,
                sentence: sentence.to_owned(),
            }],
            hash: String::new(),
        }
    }

    #[test]
    fn each_change_stands_at_its_time_and_many_at_once_are_counted() {
        let mut records = vec![
            record("2026-11-21T00:00:00Z", "lever", "k closed in prod"),
            record("2026-11-20T12:00:00Z", "flag", "k edited"),
            record("never", "flag", "k edited"),
        ];
        for _ in 0..6 {
            records.push(record(
                "2026-11-21T11:59:00Z",
                "lever",
                "k open to 5 % in prod",
            ));
        }
        let now = "2026-11-21T12:00:00Z".parse().unwrap();
        let axis = Axis {
            records: &records,
            now,
        };
        let svg = axis.to_string();
        assert!(
            svg.contains("9 changes in the last 24 hours: 1 closed, 6 opened"),
            "{svg}"
        );
        assert!(svg.contains(">+2</text>"), "{svg}");
        assert!(
            svg.contains(">09:00</text>") && svg.contains(">now</text>"),
            "{svg}"
        );
        let middle = axis.x("2026-11-21T00:00:00Z".parse().unwrap());
        assert_eq!(middle, WIDTH / 2);
    }

    #[test]
    fn a_record_is_of_the_kind_that_matters_most_in_it() {
        let mut back = record("", "lever", "k closed in prod");
        back.changes.push(Change {
            noun: "rollout".to_owned(),
            ..back.changes.first().unwrap().clone()
        });
        assert_eq!(Kind::of(&back), Kind::RolledBack);
        assert_eq!(
            Kind::of(&record("", "lever", "k closed in prod")),
            Kind::Kill
        );
        assert_eq!(
            Kind::of(&record("", "lever", "k pinned to on in prod")),
            Kind::Open
        );
        assert_eq!(Kind::of(&record("", "token", "t created")), Kind::Other);
    }
}
