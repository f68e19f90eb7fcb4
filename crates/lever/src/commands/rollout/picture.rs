//! A rollout as a picture of a few lines: the same for `status`, for the live view and at the end of
//! a wait.

use jiff::Timestamp;
use leverframe_wire::admin::{
    ArmCounts, Confirmation, ConfirmationState, Evidence, MetricEvidence, Progress, Rollout,
    RolloutState, StageView, Verdict,
};

use crate::output::{Tone, ago, inert, milliseconds, paint};

/// Everything about a rollout that fits into a glance.
pub(crate) fn picture(
    evidence: &Evidence,
    fleet: Option<&Confirmation>,
    now: Timestamp,
) -> Vec<String> {
    let rollout = &evidence.rollout;
    let mut lines = vec![
        headline(rollout, now),
        format!("  {}", stages(rollout, evidence)),
    ];
    if rollout.state.is_over() || rollout.state == RolloutState::Retreated {
        lines.push(format!("  {}", inert(&rollout.sentence)));
    }
    if !rollout.state.is_over() {
        let width = evidence
            .metrics
            .iter()
            .map(|one| one.metric.chars().count());
        let width = width.max().unwrap_or_default();
        lines.extend(evidence.metrics.iter().map(|one| metric(one, width)));
    }
    lines.extend(
        evidence
            .frozen
            .iter()
            .map(|why| format!("  {} {}", paint(Tone::Braked, "‖ FROZEN:"), inert(why))),
    );
    lines.push(format!("  {}", last_line(evidence, fleet)));
    if !rollout.state.is_over() {
        lines.extend(
            evidence
                .holds
                .iter()
                .map(|why| format!("  · {}", inert(why))),
        );
    }
    lines
}

/// `checkout  prod  ro_01jd7k  ▶ RUNNING  stage 2/5 (5 %)   started 4 min ago by ana`.
pub(crate) fn headline(rollout: &Rollout, now: Timestamp) -> String {
    let (tone, glyph, word) = state_words(rollout.state);
    let label = rollout.stages.get(rollout.stage).map(|stage| &stage.label);
    let stage = match label {
        Some(label) if !rollout.state.is_over() && rollout.state != RolloutState::Warm => format!(
            "  stage {}/{} ({})",
            rollout.stage.saturating_add(1),
            rollout.stages.len(),
            inert(label)
        ),
        _ => String::new(),
    };
    format!(
        "{}  {}  {}  {}{stage}   started {} by {}",
        paint(Tone::Strong, &inert(&rollout.flag)),
        inert(&rollout.environment),
        inert(&rollout.id),
        paint(tone, &format!("{glyph} {word}")),
        ago(&rollout.started_at, now),
        inert(&rollout.started_by),
    )
}

/// A state by colour, glyph and word.
pub(crate) fn state_words(state: RolloutState) -> (Tone, &'static str, &'static str) {
    match state {
        RolloutState::Baking => (Tone::Raised, "▶", "RUNNING"),
        RolloutState::Holding => (Tone::Held, "▷", "HOLDING"),
        RolloutState::Asking => (Tone::Held, "?", "ASKING"),
        RolloutState::Looking => (Tone::Held, "?", "WAITS FOR A LOOK"),
        RolloutState::Retreated => (Tone::Braked, "◀", "RETREATED"),
        RolloutState::Warm => (Tone::Raised, "▶", "WARM"),
        RolloutState::Paused => (Tone::Braked, "‖", "PAUSED"),
        RolloutState::Done => (Tone::Good, "✓", "DONE"),
        RolloutState::RolledBack => (Tone::Bad, "■", "ROLLED BACK"),
        RolloutState::Ended => (Tone::Braked, "□", "ENDED"),
    }
}

/// `1 % ✓ 5m00   5 % ▶ 3m10/10m   25 % ·`.
fn stages(rollout: &Rollout, evidence: &Evidence) -> String {
    let parts: Vec<String> = rollout
        .stages
        .iter()
        .map(|stage| format!("{} {}", inert(&stage.label), progress(stage, evidence)))
        .collect();
    parts.join("   ")
}

fn progress(stage: &StageView, evidence: &Evidence) -> String {
    let took = stage.took_ms.map(clock).unwrap_or_default();
    match stage.progress {
        Progress::Passed => format!("{} {took}", paint(Tone::Good, "✓")),
        Progress::Current if evidence.rollout.state.is_over() => format!("▷ {took}"),
        Progress::Current => format!(
            "{} {}/{}",
            paint(Tone::Raised, "▶"),
            clock(evidence.analysed_ms),
            clock(evidence.bake_ms)
        ),
        Progress::Left => format!("{} {took}", paint(Tone::Bad, "✗")),
        Progress::Ahead => paint(Tone::Quiet, "·"),
    }
    .trim_end()
    .to_owned()
}

/// `  errors  canary 0.31 %  base 0.29 %   ▶ learning: …`.
fn metric(metric: &MetricEvidence, width: usize) -> String {
    let (tone, glyph, word) = verdict_words(metric.verdict);
    let name = inert(&metric.metric);
    let arm = |name: &str, counts: Option<ArmCounts>| {
        let counts = counts.unwrap_or_default();
        match counts.percent_bad() {
            Some(percent) => format!("{name} {}", percentage(percent)),
            None => format!("{name} –"),
        }
    };
    format!(
        "  {name:width$}  {:<15} {:<13}  {} {}",
        arm("canary", metric.exposed),
        arm("base", metric.held_back),
        paint(tone, &format!("{glyph} {word}:")),
        inert(&metric.sentence),
    )
}

/// A verdict by colour, glyph and word.
pub(super) fn verdict_words(verdict: Verdict) -> (Tone, &'static str, &'static str) {
    match verdict {
        Verdict::Bad => (Tone::Bad, "✗", "bad"),
        Verdict::Ok => (Tone::Good, "✓", "ok"),
        Verdict::Learning => (Tone::Quiet, "…", "learning"),
        Verdict::NoData => (Tone::Braked, "∅", "no data"),
        Verdict::Error => (Tone::Braked, "!", "error"),
        Verdict::Untrusted => (Tone::Braked, "≠", "untrusted"),
    }
}

/// Two digits that say something: `4.1 %`, `0.31 %`, `0.004 %`.
pub(super) fn percentage(percent: f64) -> String {
    if percent == 0.0 {
        "0 %".to_owned()
    } else if percent >= 9.95 {
        format!("{percent:.0} %")
    } else if percent >= 0.995 {
        format!("{percent:.1} %")
    } else if percent >= 0.0995 {
        format!("{percent:.2} %")
    } else {
        format!("{percent:.3} %")
    }
}

fn last_line(evidence: &Evidence, fleet: Option<&Confirmation>) -> String {
    let mut parts = Vec::new();
    if let Some(fleet) = fleet {
        parts.push(match fleet.state {
            ConfirmationState::Nobody => {
                format!("nobody follows {}", inert(&fleet.environment))
            }
            ConfirmationState::Confirmed | ConfirmationState::Pending => {
                let slowest = fleet
                    .confirm_ms
                    .map(|times| format!(" (p99 {})", milliseconds(times.p99)))
                    .unwrap_or_default();
                let count = format!(
                    "evaluators {}/{} at r{}{slowest}",
                    fleet.confirmed, fleet.expected, fleet.revision
                );
                if fleet.state == ConfirmationState::Pending {
                    paint(Tone::Bad, &format!("✗ {count}"))
                } else {
                    count
                }
            }
        });
    }
    parts.push(format!("users hit so far: {}", evidence.users_hit));
    if !evidence.rollout.state.is_over() {
        parts.extend(
            evidence
                .next
                .iter()
                .map(|next| format!("next: {}", inert(next))),
        );
    }
    parts.join("   ")
}

/// `42s`, `3m10`, `1h05m`.
pub(super) fn clock(ms: i64) -> String {
    let seconds = ms.max(0) / 1_000;
    let (minutes, hours) = (seconds / 60, seconds / 3_600);
    if hours > 0 {
        format!("{hours}h{:02}m", minutes % 60)
    } else if minutes == 0 {
        format!("{seconds}s")
    } else if seconds % 60 == 0 {
        format!("{minutes}m")
    } else {
        format!("{minutes}m{:02}", seconds % 60)
    }
}
