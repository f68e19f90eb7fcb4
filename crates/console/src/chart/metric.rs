//! One metric of a rollout: both arms so far, their intervals, the limit, and what is missing.

use leverframe_wire::admin::{
    ArmCounts, Measure, MeasurementView, MetricEvidence, PlanMetric, RateView, RatioView, SoFar,
};

use super::plot::{Line, Look, Mark, Plot, Unit, percent_of};
use super::series::Point;
use super::svg::{clock, ms_of};

/// Rows of the table behind a chart at most; neighbouring intervals are counted together.
const ROWS_MAX: usize = 40;

/// A chart with its legend and the table behind it.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricChart {
    /// What is drawn.
    pub plot: Plot,
    /// What each line is and where it ends, in words.
    pub legend: Vec<(Look, String)>,
    /// The numbers, counted together by rows.
    pub rows: Vec<Row>,
    /// How many intervals were measured.
    pub intervals: usize,
    /// Whether the metric is a number and no rate.
    pub is_gauge: bool,
    /// Between which ratios the truth lies, in words.
    pub ratio: Option<String>,
    /// When nothing could be seen, in words.
    pub gaps: Vec<String>,
}

/// Some neighbouring intervals.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The begin of the first, in RFC 3339.
    pub at: String,
    /// Those exposed, as counted in each interval.
    pub exposed: ArmCounts,
    /// Those held back.
    pub held_back: ArmCounts,
    /// What was known of the exposed by then, in words.
    pub exposed_so_far: String,
    /// What was known of those held back.
    pub held_back_so_far: String,
    /// A gauge's number.
    pub value: String,
    /// Why some of it could not be used.
    pub why: String,
}

impl MetricChart {
    /// Of one metric of a plan: what was measured of it since `from_ms`, the oldest first.
    #[must_use]
    pub fn of(
        metric: &PlanMetric,
        evidence: Option<&MetricEvidence>,
        (from_ms, until_ms): (i64, i64),
        measurements: &[MeasurementView],
        ratio: Option<&RatioView>,
        marks: &[Mark],
    ) -> Self {
        let mine: Vec<&MeasurementView> = measurements
            .iter()
            .filter(|one| one.metric == metric.key)
            .filter(|one| ms_of(&one.at).is_some_and(|at| at >= from_ms && at <= until_ms))
            .collect();
        let is_gauge = matches!(metric.measure, Some(Measure::Gauge { .. }));
        let lines = if is_gauge {
            gauge_lines(metric, &mine)
        } else {
            rate_lines(metric, &mine, (from_ms, until_ms))
        };
        let blind = blind(&mine, until_ms);
        let mut plot = Plot {
            id: format!("chart-{}", word(&metric.key)),
            title: format!("{} over time", metric.key),
            summary: String::new(),
            unit: if is_gauge {
                Unit::Number
            } else {
                Unit::Percent
            },
            from_ms,
            until_ms,
            lines,
            gaps: blind,
            marks: marks.to_vec(),
            looks: mine.iter().filter_map(|one| ms_of(&one.at)).collect(),
        };
        let span = until_ms.saturating_sub(from_ms);
        let has_seconds = span < 86_400_000;
        let gaps: Vec<String> = plot
            .gaps
            .iter()
            .map(|(from, until)| {
                format!(
                    "{} to {}",
                    clock(*from, has_seconds),
                    clock(*until, has_seconds)
                )
            })
            .collect();
        let last =
            |of: fn(&SoFar) -> Option<RateView>| mine.iter().rev().find_map(|one| of(&one.so_far?));
        let legend = legend(
            &plot,
            last(|so_far| so_far.exposed),
            last(|so_far| so_far.held_back),
        );
        plot.summary = summary(&legend, evidence, gaps.len());
        Self {
            legend,
            rows: rows(&mine, &plot),
            intervals: mine.len(),
            is_gauge,
            ratio: ratio.and_then(ratio_words),
            gaps,
            plot,
        }
    }
}

/// Times between intervals that follow each other too late: nobody measured in them.
pub(super) fn holes(measured: &[&MeasurementView]) -> Vec<(i64, i64)> {
    let mut holes = Vec::new();
    for (one, next) in measured.iter().zip(measured.iter().skip(1)) {
        let (Some(at), Some(next)) = (ms_of(&one.at), ms_of(&next.at)) else {
            continue;
        };
        let end = at.saturating_add(one.length_ms.max(0));
        if next > end.saturating_add(one.length_ms.max(1) / 2) {
            holes.push((end, next));
        }
    }
    holes
}

/// The times of which nothing can be said: intervals without anything, and those that were not measured.
fn blind(mine: &[&MeasurementView], until_ms: i64) -> Vec<(i64, i64)> {
    let mut gaps = holes(mine);
    gaps.extend(mine.iter().filter(|one| is_blind(one)).filter_map(|one| {
        let at = ms_of(&one.at)?;
        Some((at, at.saturating_add(one.length_ms.max(0)).min(until_ms)))
    }));
    gaps.sort_unstable();
    let mut merged: Vec<(i64, i64)> = Vec::new();
    for (from, until) in gaps.into_iter().filter(|(from, until)| until > from) {
        match merged.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(until),
            _ => merged.push((from, until)),
        }
    }
    merged
}

/// Nothing of an interval can be drawn.
fn is_blind(one: &MeasurementView) -> bool {
    let units = |arm: Option<ArmCounts>| arm.map_or(0, |arm| arm.units);
    let counted = [one.exposed, one.held_back, one.assigned];
    one.value.is_none() && counted.into_iter().all(|arm| units(arm) == 0)
}

fn rate_lines(
    metric: &PlanMetric,
    mine: &[&MeasurementView],
    (from_ms, until_ms): (i64, i64),
) -> Vec<Line> {
    let line = |look, name: &str, of: fn(&MeasurementView) -> Option<RateView>| {
        let points = points(mine, |one| {
            let at = ms_of(&one.at)?.saturating_add(one.length_ms.max(0));
            let rate = of(one)?;
            Some(Point::of(at, rate.percent).within(rate.low, rate.high))
        });
        Line {
            look,
            name: name.to_owned(),
            points,
        }
    };
    let mut lines = vec![
        line(Look::HeldBack, "held back", |one| one.so_far?.held_back),
        line(Look::Exposed, "exposed", |one| one.so_far?.exposed),
    ];
    let limits = points(mine, |one| {
        let at = ms_of(&one.at)?.saturating_add(one.length_ms.max(0));
        Some(Point::of(at, one.so_far?.limit?))
    });
    if limits.iter().any(|point| point.value.is_some()) {
        lines.push(Line {
            look: Look::Limit,
            name: "limit".to_owned(),
            points: limits,
        });
    }
    if let Some(ceiling) = metric.ceiling {
        lines.push(Line {
            look: Look::Limit,
            name: "ceiling".to_owned(),
            points: vec![Point::of(from_ms, ceiling), Point::of(until_ms, ceiling)],
        });
    }
    lines
}

fn gauge_lines(metric: &PlanMetric, mine: &[&MeasurementView]) -> Vec<Line> {
    let points = points(mine, |one| Some(Point::of(ms_of(&one.at)?, one.value?)));
    let mut lines = Vec::new();
    if let Some(Measure::Gauge { limit, .. }) = &metric.measure {
        let ends = [points.first(), points.last()].into_iter().flatten();
        lines.push(Line {
            look: Look::Limit,
            name: "limit".to_owned(),
            points: ends.map(|point| Point::of(point.at_ms, *limit)).collect(),
        });
    }
    lines.insert(
        0,
        Line {
            look: Look::Exposed,
            name: metric.key.clone(),
            points,
        },
    );
    lines
}

/// The points of one line. It is broken where nothing could be seen and where it has no value, such as
/// that of the exposed while nobody is; before it has begun it is nothing.
fn points(mine: &[&MeasurementView], of: impl Fn(&MeasurementView) -> Option<Point>) -> Vec<Point> {
    let holes = holes(mine);
    let mut holes = holes.iter().peekable();
    let mut points = Vec::new();
    let mut has_begun = false;
    for one in mine {
        let Some(at) = ms_of(&one.at) else { continue };
        while let Some((from, _)) = holes.next_if(|(_, until)| *until <= at) {
            if has_begun {
                points.push(Point::gap(*from));
            }
        }
        match of(one).filter(|_| !is_blind(one)) {
            Some(point) => {
                has_begun = true;
                points.push(point);
            }
            None if has_begun => points.push(Point::gap(at)),
            None => {}
        }
    }
    points
}

fn rate_words(rate: RateView) -> String {
    format!(
        "{} ({} to {})",
        percent_of(rate.percent),
        percent_of(rate.low),
        percent_of(rate.high)
    )
}

fn legend(
    plot: &Plot,
    exposed: Option<RateView>,
    held_back: Option<RateView>,
) -> Vec<(Look, String)> {
    plot.lines
        .iter()
        .map(|line| {
            let end = line.points.iter().rev().find_map(|point| point.value);
            let rate = match line.look {
                Look::Exposed => exposed,
                Look::HeldBack => held_back,
                Look::Limit | Look::Plain => None,
            };
            let words = match (end, rate) {
                (None, _) => format!("{}: nothing yet", line.name),
                (Some(_), Some(rate)) if plot.unit == Unit::Percent => {
                    format!("{} {}", line.name, rate_words(rate))
                }
                (Some(end), _) => format!("{} {}", line.name, plot.value(end)),
            };
            (line.look, words)
        })
        .collect()
}

fn summary(legend: &[(Look, String)], evidence: Option<&MetricEvidence>, gaps: usize) -> String {
    let mut parts: Vec<String> = Vec::new();
    parts.extend(evidence.map(|evidence| evidence.sentence.clone()));
    let ends: Vec<&str> = legend.iter().map(|(_, words)| words.as_str()).collect();
    if !ends.is_empty() {
        parts.push(format!("At last: {}", ends.join("; ")));
    }
    match gaps {
        0 => {}
        1 => parts.push("There was no data once".to_owned()),
        more => parts.push(format!("There was no data {more} times")),
    }
    parts.push("The table below has the numbers.".to_owned());
    parts.join(". ")
}

fn ratio_words(ratio: &RatioView) -> Option<String> {
    let times = |ratio: f64| match ratio {
        r if r >= 10.0 => format!("{r:.0}"),
        r if r >= 1.0 => format!("{r:.1}"),
        r => format!("{r:.2}"),
    };
    match (ratio.low > 0.0, ratio.high) {
        (false, None) => None,
        (false, Some(high)) => Some(format!("at most {} times as bad", times(high))),
        (true, None) => Some(format!("at least {} times as bad", times(ratio.low))),
        (true, Some(high)) => Some(format!(
            "between {} and {} times as bad",
            times(ratio.low),
            times(high)
        )),
    }
}

fn rows(mine: &[&MeasurementView], plot: &Plot) -> Vec<Row> {
    let size = mine.len().div_ceil(ROWS_MAX).max(1);
    mine.chunks(size)
        .filter_map(|pool| {
            let first = pool.first()?;
            let sum = |arm: fn(&MeasurementView) -> Option<ArmCounts>| {
                let all = pool.iter().filter_map(|one| arm(one));
                all.fold(ArmCounts::default(), |sum, one| ArmCounts {
                    units: sum.units.saturating_add(one.units),
                    bad: sum.bad.saturating_add(one.bad),
                })
            };
            let last = pool.iter().rev().find_map(|one| one.so_far);
            let said = |rate: Option<RateView>| rate.map_or_else(|| "–".to_owned(), rate_words);
            let value = pool.iter().rev().find_map(|one| one.value);
            let missing = pool.iter().filter(|one| is_blind(one)).count();
            let why = pool.iter().find_map(|one| one.why.clone());
            Some(Row {
                at: first.at.clone(),
                exposed: sum(|one| one.exposed),
                held_back: sum(|one| one.held_back),
                exposed_so_far: said(last.and_then(|last| last.exposed)),
                held_back_so_far: said(last.and_then(|last| last.held_back)),
                value: value.map_or_else(|| "–".to_owned(), |value| plot.value(value)),
                why: match (why, missing) {
                    (Some(why), _) => why,
                    (None, 0) => String::new(),
                    (None, missing) => format!("no data in {missing} of {}", pool.len()),
                },
            })
        })
        .collect()
}

/// A key as a word that is fit for an id: what is not a letter or a digit is written as its number.
fn word(key: &str) -> String {
    key.chars()
        .map(|c| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' => c.to_string(),
            c => format!("_{:x}", u32::from(c)),
        })
        .collect()
}
