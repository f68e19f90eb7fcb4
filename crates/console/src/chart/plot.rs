//! Lines over time with a limit, intervals, gaps and what happened.

use std::fmt::{Display, Formatter, Result, Write as _};

use askama::filters::HtmlSafe;

use super::scale::{Scale, nice_ticks, time_ticks};
use super::series::{POINTS_MAX, Point, decimate};
use super::svg::{Num, Part, Text, moment};
use crate::text::{grouped, percent};

/// The height of the part that has lines, and where it begins below what happened, in pixels.
const HEIGHT: f64 = 150.0;
const TOP: f64 = 22.0;
/// The room for the times below.
const BOTTOM: f64 = 20.0;
/// Curves are stretched from a square of this size.
const SIDE: f64 = 1_000.0;
/// How many labelled values and times there are at most.
const VALUES_MAX: usize = 4;
const TIMES_MAX: usize = 3;
/// What is wider than this, as a part of the scale's unit, rests on too little to set the scale.
const WIDE: f64 = 0.5;

/// What the values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Parts of a hundred; the scale never goes beyond.
    Percent,
    /// Numbers of a gauge.
    Number,
}

/// How a line looks: a colour, a dash and a sign of its own, so that no one of them says it alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Those exposed.
    Exposed,
    /// Those held back.
    HeldBack,
    /// What must not be exceeded.
    Limit,
    /// Anything else.
    Plain,
}

impl Look {
    fn class(self) -> &'static str {
        match self {
            Self::Exposed => "exposed",
            Self::HeldBack => "held-back",
            Self::Limit => "limit",
            Self::Plain => "otherwise",
        }
    }
}

/// A line's look beside its name in a legend.
#[must_use]
pub fn swatch(look: &Look) -> Swatch {
    Swatch(*look)
}

/// What [`swatch`] gives.
#[derive(Debug, Clone, Copy)]
pub struct Swatch(Look);

impl Display for Swatch {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let class = self.0.class();
        let sign = match self.0 {
            Look::HeldBack => {
                format!("<rect class=\"sign {class}\" x=\"18\" y=\"3\" width=\"8\" height=\"8\"/>")
            }
            Look::Exposed | Look::Plain => {
                format!("<circle class=\"sign {class}\" cx=\"22\" cy=\"7\" r=\"4\"/>")
            }
            Look::Limit => String::new(),
        };
        write!(
            f,
            "<svg class=\"swatch\" width=\"28\" height=\"14\" aria-hidden=\"true\"><path class=\"line {class}\" d=\"M1 7H22\"/>{sign}</svg>"
        )
    }
}

impl HtmlSafe for Swatch {}

/// A line.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// How it looks.
    pub look: Look,
    /// What it is.
    pub name: String,
    /// Its points, in the order of time.
    pub points: Vec<Point>,
}

/// What sort of thing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkKind {
    /// A step forward.
    Step,
    /// A step back, or the end by harm.
    Back,
    /// Somebody stopped it, or it waits.
    Stop,
    /// Somebody was paged.
    Page,
    /// Anything else.
    Other,
}

impl MarkKind {
    fn glyph(self) -> &'static str {
        match self {
            Self::Step => "▲",
            Self::Back => "↩",
            Self::Stop => "⏸",
            Self::Page => "☎",
            Self::Other => "◦",
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::Step => "step",
            Self::Back => "back",
            Self::Stop => "stop",
            Self::Page => "page",
            Self::Other => "other",
        }
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// When, in milliseconds.
    pub at_ms: i64,
    /// What sort.
    pub kind: MarkKind,
    /// In words.
    pub words: String,
}

impl Mark {
    /// Draws it over the whole height, `x` being a part of the width.
    pub(super) fn draw(&self, x: f64, top: f64, bottom: f64, out: &mut String) {
        let _ = write!(
            out,
            "<g class=\"mark {}\"><title>{}</title><line x1=\"{x}\" x2=\"{x}\" y1=\"{}\" y2=\"{}\"/><text x=\"{x}\" y=\"{}\" text-anchor=\"{}\">{}</text></g>",
            self.kind.class(),
            Text(&self.words),
            Num(top),
            Num(bottom),
            Num(top - 3.0),
            anchor(x),
            self.kind.glyph(),
            x = Part(x),
        );
    }
}

/// A letter at the edge goes inwards.
pub(super) fn anchor(x: f64) -> &'static str {
    match x {
        x if x < 0.04 => "start",
        x if x > 0.96 => "end",
        _ => "middle",
    }
}

/// A chart of lines.
#[derive(Debug, Clone, PartialEq)]
pub struct Plot {
    /// Its name on the page: a word that no other chart has.
    pub id: String,
    /// What is drawn, in a few words.
    pub title: String,
    /// The same with what it shows, for who does not see it.
    pub summary: String,
    /// What the values are.
    pub unit: Unit,
    /// From when, in milliseconds.
    pub from_ms: i64,
    /// Until when.
    pub until_ms: i64,
    /// The lines; a limit among them.
    pub lines: Vec<Line>,
    /// The times without data: from, until. Lines have no points in them.
    pub gaps: Vec<(i64, i64)>,
    /// What happened.
    pub marks: Vec<Mark>,
    /// When somebody looked, in milliseconds.
    pub looks: Vec<i64>,
}

impl Plot {
    /// What a value is called.
    #[must_use]
    pub fn value(&self, value: f64) -> String {
        match self.unit {
            Unit::Percent => percent_of(value),
            Unit::Number if value.fract() == 0.0 && (0.0..1e15).contains(&value) =>
            {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a whole number in the range that was just asked for"
                )]
                grouped(value as u64)
            }
            Unit::Number => format!("{}", (value * 1_000.0).round() / 1_000.0),
        }
    }

    /// The highest value that the scale has to show.
    fn top(&self) -> f64 {
        let all = || self.lines.iter().flat_map(|line| &line.points);
        let is_firm = |point: &&Point| match (self.unit, point.band) {
            (Unit::Percent, Some((low, high))) => high - low < 100.0 * WIDE,
            _ => true,
        };
        let highest = |points: &mut dyn Iterator<Item = f64>| {
            points.filter(|value| value.is_finite()).fold(0.0, f64::max)
        };
        let firm = highest(&mut all().filter(is_firm).filter_map(|point| point.value));
        let top = if firm > 0.0 {
            // The end of each line is shown with its interval.
            let ends = self
                .lines
                .iter()
                .filter_map(|line| line.points.last()?.band);
            let end = highest(&mut ends.map(|(_, high)| high));
            firm.max(end.min(3.0 * firm))
        } else {
            highest(&mut all().filter_map(|point| point.value))
        };
        match self.unit {
            Unit::Percent => top.min(100.0),
            Unit::Number => top,
        }
    }
}

/// A rate as its chart and table say it: two figures that matter.
pub(super) fn percent_of(value: f64) -> String {
    let digits = match value.abs() {
        v if v >= 10.0 => 10.0,
        v if v >= 1.0 => 10.0,
        _ => 100.0,
    };
    percent(&((value * digits).round() / digits))
}

impl Display for Plot {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let (id, time) = (Text(&self.id), Scale::of_time(self.from_ms, self.until_ms));
        let ticks = nice_ticks(self.top(), VALUES_MAX);
        let values = Scale::new(0.0, ticks.last().copied().unwrap_or(1.0));
        let span = self.until_ms.saturating_sub(self.from_ms);
        let y = |value: f64| TOP + HEIGHT * (1.0 - values.at(value));
        write!(
            f,
            "<svg class=\"chart\" width=\"100%\" height=\"{}\" role=\"img\" aria-labelledby=\"{id}-title {id}-desc\"><title id=\"{id}-title\">{}</title><desc id=\"{id}-desc\">{}</desc>",
            Num(TOP + HEIGHT + BOTTOM),
            Text(&self.title),
            Text(&self.summary),
        )?;
        let mut out = String::new();
        out.push_str("<g class=\"grid\">");
        for tick in &ticks {
            let at = Num(y(*tick));
            let _ = write!(out, "<line x1=\"0\" x2=\"100%\" y1=\"{at}\" y2=\"{at}\"/>");
        }
        out.push_str("</g>");
        for (from, until) in &self.gaps {
            let (x, end) = (time.at_time(*from), time.at_time(*until));
            let _ = write!(
                out,
                "<g class=\"no-data\"><title>no data</title><rect x=\"{}\" width=\"{}\" y=\"{}\" height=\"{}\"/></g>",
                Part(x),
                Part((end - x).max(0.0)),
                Num(TOP),
                Num(HEIGHT),
            );
        }
        for mark in &self.marks {
            let x = time.at_time(mark.at_ms);
            mark.draw(x, TOP, TOP + HEIGHT, &mut out);
        }
        let _ = write!(
            out,
            "<svg y=\"{}\" width=\"100%\" height=\"{}\" viewBox=\"0 0 {SIDE} {SIDE}\" preserveAspectRatio=\"none\">",
            Num(TOP),
            Num(HEIGHT),
        );
        let drawn: Vec<(&Line, Vec<Point>)> = self
            .lines
            .iter()
            .map(|line| (line, decimate(&line.points, POINTS_MAX)))
            .collect();
        for (line, points) in &drawn {
            area(line, points, &time, &values, &mut out);
        }
        self.draw_looks(&time, &mut out);
        for (line, points) in &drawn {
            path(line, points, &time, &values, &mut out);
        }
        out.push_str("</svg>");
        for (line, points) in &drawn {
            ends(line, points, &time, &y, &mut out);
        }
        out.push_str("<g class=\"words\">");
        for tick in &ticks {
            let _ = write!(
                out,
                "<text x=\"2\" y=\"{}\">{}</text>",
                Num(y(*tick) - 3.0),
                Text(&self.value(*tick))
            );
        }
        draw_times(&time, (self.from_ms, span), TOP + HEIGHT, &mut out);
        out.push_str("</g>");
        f.write_str(&out)?;
        f.write_str("</svg>")
    }
}

impl HtmlSafe for Plot {}

/// The times below a chart.
pub(super) fn draw_times(time: &Scale, (from_ms, span_ms): (i64, i64), y: f64, out: &mut String) {
    for tick in time_ticks(from_ms, from_ms.saturating_add(span_ms), TIMES_MAX) {
        let x = time.at_time(tick);
        let _ = write!(
            out,
            "<line x1=\"{x}\" x2=\"{x}\" y1=\"{}\" y2=\"{}\"/><text x=\"{x}\" y=\"{}\" text-anchor=\"{}\">{}</text>",
            Num(y),
            Num(y + 4.0),
            Num(y + 16.0),
            match x {
                x if x < 0.08 => "start",
                x if x > 0.92 => "end",
                _ => "middle",
            },
            Text(&moment(tick, span_ms)),
            x = Part(x),
        );
    }
}

impl Plot {
    /// A short stroke at the floor for each time somebody looked.
    fn draw_looks(&self, time: &Scale, out: &mut String) {
        let step = self.looks.len().div_ceil(POINTS_MAX).max(1);
        out.push_str("<path class=\"looks\" d=\"");
        for at in self.looks.iter().step_by(step) {
            let _ = write!(out, "M{} {SIDE}v-30", Num(SIDE * time.at_time(*at)));
        }
        out.push_str("\"/>");
    }
}

/// Runs of points that have data.
fn runs(points: &[Point]) -> impl Iterator<Item = &[Point]> {
    points
        .split(|point| point.value.is_none())
        .filter(|run| !run.is_empty())
}

fn path(line: &Line, points: &[Point], time: &Scale, values: &Scale, out: &mut String) {
    let _ = write!(out, "<path class=\"line {}\" d=\"", line.look.class());
    for run in runs(points) {
        for (index, point) in run.iter().enumerate() {
            let (x, y) = place(point, time, values);
            let verb = if index == 0 { 'M' } else { 'L' };
            let _ = write!(out, "{verb}{} {}", Num(x), Num(y));
        }
    }
    out.push_str("\"/>");
}

fn place(point: &Point, time: &Scale, values: &Scale) -> (f64, f64) {
    let value = point.value.unwrap_or_default();
    (
        SIDE * time.at_time(point.at_ms),
        SIDE * (1.0 - values.at(value)),
    )
}

/// The interval around a line.
fn area(line: &Line, points: &[Point], time: &Scale, values: &Scale, out: &mut String) {
    let mut d = String::new();
    for run in runs(points) {
        let with: Vec<(i64, (f64, f64))> = run
            .iter()
            .filter_map(|point| Some((point.at_ms, point.band?)))
            .collect();
        if with.len() < 2 {
            continue;
        }
        let at = |(ms, value): (i64, f64)| {
            format!(
                "{} {}",
                Num(SIDE * time.at_time(ms)),
                Num(SIDE * (1.0 - values.at(value)))
            )
        };
        let over = with.iter().map(|(ms, (_, high))| at((*ms, *high)));
        let under = with.iter().rev().map(|(ms, (low, _))| at((*ms, *low)));
        let corners: Vec<String> = over.chain(under).collect();
        let _ = write!(d, "M{}Z", corners.join("L"));
    }
    if !d.is_empty() {
        let _ = write!(
            out,
            "<path class=\"band {}\" d=\"{d}\"/>",
            line.look.class()
        );
    }
}

/// The sign of a line, where it ends and where a point stands alone.
fn ends(line: &Line, points: &[Point], time: &Scale, y: &impl Fn(f64) -> f64, out: &mut String) {
    if line.look == Look::Limit {
        return;
    }
    for run in runs(points) {
        let Some(last) = run.last() else { continue };
        let (cx, cy) = (
            Part(time.at_time(last.at_ms)),
            y(last.value.unwrap_or_default()),
        );
        let class = line.look.class();
        let _ = match line.look {
            // Half of the sign is left of the point, which a part of the width cannot say.
            Look::HeldBack => write!(
                out,
                "<svg class=\"sign {class}\" x=\"{cx}\" y=\"{}\" overflow=\"visible\"><rect x=\"-4\" y=\"-4\" width=\"8\" height=\"8\"/></svg>",
                Num(cy)
            ),
            _ => write!(
                out,
                "<circle class=\"sign {class}\" cx=\"{cx}\" cy=\"{}\" r=\"4\"/>",
                Num(cy)
            ),
        };
    }
}
