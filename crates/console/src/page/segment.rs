//! One segment: who belongs to it, who uses it, and the form that changes it.

use askama::Template;
use leverframe_wire::admin::{self, SegmentDefinition};

use super::segments::members;
use crate::Link;
use crate::diff::{self, Line};
use crate::shell::Shell;

/// Most units that are shown one by one.
const UNITS_SHOWN_MAX: usize = 50;

/// One segment, or one that is to be made.
#[derive(Debug, Template)]
#[template(path = "segment.html")]
pub struct Segment {
    /// Around it.
    pub shell: Shell,
    /// The segment as it is stored; none for one that is to be made.
    pub stored: Option<admin::Segment>,
    /// The revision that the form was made from.
    pub if_match: u64,
    /// What is typed.
    pub draft: SegmentDraft,
    /// What it would change, where that was asked for.
    pub preview: Option<SegmentPreview>,
    /// Where the condition cannot be read.
    pub caret: Option<String>,
    /// Why, as it was typed.
    pub reason: String,
    /// Whether this visitor may edit segments.
    pub is_editor: bool,
}

/// A segment as it is typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SegmentDraft {
    /// Its name.
    pub key: String,
    /// The condition.
    pub when: String,
    /// Who belongs to it, a line each.
    pub include: String,
    /// Who never does, a line each.
    pub exclude: String,
    /// Whether the lists are too long to be typed, and stay as they are.
    pub keeps_lists: bool,
}

/// What an edit would do.
#[derive(Debug, Clone, Default)]
pub struct SegmentPreview {
    /// The segment line by line.
    pub lines: Vec<Line>,
    /// Whether a guarded environment asks for a reason.
    pub is_opening: bool,
    /// Whether it is so already.
    pub is_unchanged: bool,
}

/// Longest lists that a form shows, in bytes: a form has its bound, too.
const LISTS_BYTES_MAX: usize = 60_000;

impl SegmentDraft {
    /// What is stored, to be edited.
    #[must_use]
    pub fn of(definition: &SegmentDefinition) -> Self {
        let bytes = |units: &[String]| units.iter().map(|unit| unit.len() + 1).sum::<usize>();
        let is_odd = |unit: &String| unit.trim() != unit || unit.contains(['\n', '\r']);
        let all = || definition.include.iter().chain(&definition.exclude);
        let keeps_lists = bytes(&definition.include) + bytes(&definition.exclude) > LISTS_BYTES_MAX
            || all().any(is_odd);
        let lines = |units: &[String]| match keeps_lists {
            true => String::new(),
            false => units.join("\n"),
        };
        Self {
            key: definition.key.clone(),
            when: definition.when.clone().unwrap_or_default(),
            include: lines(&definition.include),
            exclude: lines(&definition.exclude),
            keeps_lists,
        }
    }
}

impl SegmentPreview {
    /// Of an edit, or of a segment that is to be made.
    #[must_use]
    pub fn new(from: Option<&SegmentDefinition>, to: &SegmentDefinition) -> Self {
        Self {
            lines: diff::segments(from, Some(to)),
            is_opening: false,
            is_unchanged: from == Some(to),
        }
    }
}

impl Segment {
    fn action(&self) -> Link {
        match &self.stored {
            Some(stored) => self.shell.link(["segments", &stored.definition.key]),
            None => self.shell.link(["segments"]),
        }
    }

    fn delete_link(&self, key: &str) -> Link {
        self.shell.link(["segments", key, "delete"])
    }

    /// Where a user of the segment is looked at: `flag checkout` or `segment staff`.
    fn user_link(&self, user: &str) -> Option<Link> {
        let (noun, key) = user.split_once(' ')?;
        match noun {
            "flag" => Some(self.shell.flag_link(key)),
            "segment" => Some(self.shell.link(["segments", key])),
            _ => None,
        }
    }

    fn lists(&self) -> Vec<(&'static str, &[String])> {
        let stored = self.stored.as_ref().map(|stored| &stored.definition);
        let lists = stored.map_or_else(Vec::new, |stored| {
            vec![
                ("Always", stored.include.as_slice()),
                ("Never", &stored.exclude),
            ]
        });
        lists
            .into_iter()
            .filter(|(_, units)| !units.is_empty())
            .collect()
    }

    fn shown<'u>(&self, units: &'u [String]) -> &'u [String] {
        units.get(..UNITS_SHOWN_MAX).unwrap_or(units)
    }

    fn more(&self, units: &[String]) -> usize {
        units.len().saturating_sub(UNITS_SHOWN_MAX)
    }
}
