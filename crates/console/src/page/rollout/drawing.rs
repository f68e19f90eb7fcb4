//! A rollout's moves as a band of stages, and as what happened on its charts.

use jiff::Timestamp;
use leverframe_wire::admin::{Evidence, Rollout, RolloutMove, RolloutState};

use crate::chart::{Band, Mark, MarkKind, Segment, SegmentKind};
use crate::text::span as lasting;

/// Shorter than this nothing can be drawn, in milliseconds.
const SPAN_MS_MIN: i64 = 2_000;

/// A stretch of time as a row of the table behind the band.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stretch {
    /// When it began, in RFC 3339.
    pub(super) at: String,
    /// How far it was let through.
    pub(super) label: String,
    /// What it did.
    pub(super) what: String,
    /// How long, in milliseconds.
    pub(super) ms: i64,
}

fn ms(at: &str) -> i64 {
    at.parse::<Timestamp>().map_or(0, Timestamp::as_millisecond)
}

/// From the start to the end, or to now.
pub(super) fn span(rollout: &Rollout, now: Timestamp) -> (i64, i64) {
    let first = rollout.moves.first();
    let from = first.map_or_else(|| ms(&rollout.started_at), |first| ms(&first.at));
    let last = rollout.moves.last().filter(|_| rollout.state.is_over());
    let until = last.map_or(now.as_millisecond(), |last| ms(&last.at));
    (from, until.max(from.saturating_add(SPAN_MS_MIN)))
}

fn kind(state: RolloutState) -> Option<SegmentKind> {
    match state {
        RolloutState::Baking | RolloutState::Holding => Some(SegmentKind::Stage),
        RolloutState::Asking | RolloutState::Looking => Some(SegmentKind::Asking),
        RolloutState::Retreated => Some(SegmentKind::Retreated),
        RolloutState::Warm => Some(SegmentKind::Warm),
        RolloutState::Paused => Some(SegmentKind::Paused),
        RolloutState::Done | RolloutState::RolledBack | RolloutState::Ended => None,
    }
}

fn label(rollout: &Rollout, made: &RolloutMove) -> String {
    if made.to == RolloutState::Warm {
        return "warm".to_owned();
    }
    let stage = rollout.stages.get(made.stage);
    stage.map_or_else(|| "nobody".to_owned(), |stage| stage.label.clone())
}

fn segments(rollout: &Rollout, until_ms: i64) -> Vec<Segment> {
    let moves = &rollout.moves;
    let ends = moves.iter().skip(1).map(|next| ms(&next.at));
    let stages = f64::from(u32::try_from(rollout.stages.len().max(1)).unwrap_or(u32::MAX));
    let mut segments: Vec<Segment> = Vec::new();
    for (made, end) in moves.iter().zip(ends.chain([until_ms])) {
        let Some(kind) = kind(made.to) else { continue };
        let reached = f64::from(u32::try_from(made.stage).unwrap_or(u32::MAX)) + 1.0;
        let label = label(rollout, made);
        match segments.last_mut() {
            // Baking becomes holding, and is the same to the eye.
            Some(last) if last.kind == kind && last.label == label => last.until_ms = end,
            _ => segments.push(Segment {
                from_ms: ms(&made.at),
                until_ms: end,
                kind,
                label,
                height: reached / stages,
            }),
        }
    }
    segments
}

/// The rows of the table behind the band.
pub(super) fn stretches(evidence: &Evidence, now: Timestamp) -> Vec<Stretch> {
    let rollout = &evidence.rollout;
    let (_, until) = span(rollout, now);
    segments(rollout, until)
        .into_iter()
        .map(|segment| Stretch {
            at: Timestamp::from_millisecond(segment.from_ms)
                .map(|at| at.to_string())
                .unwrap_or_default(),
            what: segment.kind.words().1.to_owned(),
            ms: segment.until_ms.saturating_sub(segment.from_ms),
            label: segment.label,
        })
        .collect()
}

/// The band of stages.
pub(super) fn band(evidence: &Evidence, now: Timestamp) -> Band {
    let rollout = &evidence.rollout;
    let (from_ms, until_ms) = span(rollout, now);
    let segments = segments(rollout, until_ms);
    let said: Vec<String> = segments
        .iter()
        .map(|segment| {
            let ms = segment.until_ms.saturating_sub(segment.from_ms);
            let what = match segment.kind {
                SegmentKind::Stage => String::new(),
                kind => format!(" {}", kind.words().1),
            };
            format!("{}{what} for {}", segment.label, lasting(&ms))
        })
        .collect();
    let end = rollout.moves.last().filter(|_| rollout.state.is_over());
    let end = end.map_or(String::new(), |last| format!(". {}", last.sentence));
    Band {
        id: "band".to_owned(),
        title: format!("Stages of the rollout of {} over time", rollout.flag),
        summary: format!("{}{end}", said.join(", then ")),
        from_ms,
        until_ms,
        segments,
        marks: marks(rollout),
        now_ms: (!rollout.state.is_over()).then(|| now.as_millisecond()),
    }
}

/// What happened: each transition, and the pages that went out for it.
pub(super) fn marks(rollout: &Rollout) -> Vec<Mark> {
    let is_paged = |revision: u64| {
        let mut told = rollout.told.iter();
        told.any(|told| told.page && told.revision == revision)
    };
    rollout
        .moves
        .iter()
        .skip(1)
        .map(|made| Mark {
            at_ms: ms(&made.at),
            kind: match (made.to, made.cause.as_str()) {
                _ if is_paged(made.revision) => MarkKind::Page,
                (RolloutState::RolledBack | RolloutState::Retreated, _) => MarkKind::Back,
                (RolloutState::Paused | RolloutState::Asking, _) => MarkKind::Stop,
                (_, "proved" | "advanced" | "skipped" | "looked" | "recovered" | "cooled") => {
                    MarkKind::Step
                }
                _ => MarkKind::Other,
            },
            words: match is_paged(made.revision) {
                true => format!("r{}: {} (paged)", made.revision, made.sentence),
                false => format!("r{}: {}", made.revision, made.sentence),
            },
        })
        .collect()
}
