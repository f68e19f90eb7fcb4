//! The stages of a rollout over time: how far it was let through, and when it stood still.

use std::fmt::{Display, Formatter, Result, Write as _};

use askama::filters::HtmlSafe;

use super::plot::{Mark, draw_times};
use super::scale::Scale;
use super::svg::{Num, Part, Text};

/// The height of the part that has stages, and where it begins, in pixels.
const HEIGHT: f64 = 64.0;
const TOP: f64 = 22.0;
const BOTTOM: f64 = 20.0;
/// A segment that is narrower than this part of the width has no words on it; the table has them.
const WORDS_MIN: f64 = 0.11;
/// The narrowest that can be seen.
const WIDTH_MIN: f64 = 0.004;
/// Most segments that are drawn; the table has all.
const SEGMENTS_MAX: usize = 200;

/// What a rollout did for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SegmentKind {
    /// Collected evidence, or waited for it.
    Stage,
    /// Waited for a person.
    Asking,
    /// Stood still.
    Paused,
    /// Had been taken back as a precaution.
    Retreated,
    /// Was open, and kept the way back warm.
    Warm,
}

impl SegmentKind {
    fn class(self) -> &'static str {
        match self {
            Self::Stage => "stage",
            Self::Asking => "asking",
            Self::Paused => "paused",
            Self::Retreated => "retreated",
            Self::Warm => "warm",
        }
    }

    /// How it is called, and its glyph.
    #[must_use]
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Stage => ("▶", "collects evidence"),
            Self::Asking => ("!", "waits for a person"),
            Self::Paused => ("⏸", "paused"),
            Self::Retreated => ("↓", "taken back as a precaution"),
            Self::Warm => ("▶", "warm"),
        }
    }
}

/// One stretch of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// From when, in milliseconds.
    pub from_ms: i64,
    /// Until when.
    pub until_ms: i64,
    /// What it did.
    pub kind: SegmentKind,
    /// How far it was let through, in words.
    pub label: String,
    /// The same as a part of the way, 0 to 1.
    pub height: f64,
}

/// The band.
#[derive(Debug, Clone, PartialEq)]
pub struct Band {
    /// Its name on the page.
    pub id: String,
    /// What is drawn, in a few words.
    pub title: String,
    /// What it shows, for who does not see it.
    pub summary: String,
    /// From when, in milliseconds.
    pub from_ms: i64,
    /// Until when.
    pub until_ms: i64,
    /// The stretches, in the order of time.
    pub segments: Vec<Segment>,
    /// What happened.
    pub marks: Vec<Mark>,
    /// Now, while it goes on.
    pub now_ms: Option<i64>,
}

impl Display for Band {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let id = Text(&self.id);
        let time = Scale::of_time(self.from_ms, self.until_ms);
        let floor = TOP + HEIGHT;
        let mut out = String::new();
        let _ = write!(
            out,
            "<svg class=\"chart band\" width=\"100%\" height=\"{}\" role=\"img\" aria-labelledby=\"{id}-title {id}-desc\"><title id=\"{id}-title\">{}</title><desc id=\"{id}-desc\">{}</desc>",
            Num(floor + BOTTOM),
            Text(&self.title),
            Text(&self.summary),
        );
        let _ = write!(
            out,
            "<rect class=\"ground\" width=\"100%\" y=\"{}\" height=\"{}\"/>",
            Num(TOP),
            Num(HEIGHT)
        );
        for segment in self.segments.iter().take(SEGMENTS_MAX) {
            draw(segment, &time, &mut out);
        }
        for mark in &self.marks {
            mark.draw(time.at_time(mark.at_ms), TOP, floor, &mut out);
        }
        if let Some(now) = self.now_ms {
            let x = Part(time.at_time(now));
            let _ = write!(
                out,
                "<g class=\"mark now\"><title>now</title><line x1=\"{x}\" x2=\"{x}\" y1=\"{}\" y2=\"{}\"/></g>",
                Num(TOP - 6.0),
                Num(floor)
            );
        }
        let span = self.until_ms.saturating_sub(self.from_ms);
        out.push_str("<g class=\"words\">");
        draw_times(&time, (self.from_ms, span), floor, &mut out);
        out.push_str("</g></svg>");
        f.write_str(&out)
    }
}

impl HtmlSafe for Band {}

fn draw(segment: &Segment, time: &Scale, out: &mut String) {
    let (x, end) = (
        time.at_time(segment.from_ms),
        time.at_time(segment.until_ms),
    );
    let width = (end - x).max(WIDTH_MIN).min(1.0 - x);
    let part = if segment.height.is_finite() {
        segment.height.clamp(0.12, 1.0)
    } else {
        0.12
    };
    let height = HEIGHT * part;
    let y = TOP + HEIGHT - height;
    let (glyph, what) = segment.kind.words();
    let _ = write!(
        out,
        "<g class=\"segment {}\"><title>{}: {what}</title><rect x=\"{}\" width=\"{}\" y=\"{}\" height=\"{}\"/>",
        segment.kind.class(),
        Text(&segment.label),
        Part(x),
        Part(width),
        Num(y),
        Num(height),
    );
    if width >= WORDS_MIN {
        let _ = write!(
            out,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{glyph} {}</text>",
            Part(x + width / 2.0),
            Num(if height > 24.0 { y + 16.0 } else { y - 5.0 }),
            Text(&short(&segment.label)),
        );
    }
    out.push_str("</g>");
}

/// The begin of what is too long for a segment.
fn short(label: &str) -> String {
    const CHARS_MAX: usize = 14;
    if label.chars().count() <= CHARS_MAX {
        return label.to_owned();
    }
    label.chars().take(CHARS_MAX - 1).chain(['…']).collect()
}
