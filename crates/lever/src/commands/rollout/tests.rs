use jiff::Timestamp;
use leverframe_wire::admin::{
    ArmCounts, CacheEvidence, Confirmation, ConfirmationState, Evidence, MetricEvidence,
    PlanDefinition, PlanMetric, PlanStage, Preflight, Progress, Quantiles, Rollout, RolloutMove,
    RolloutState, ShareView, StageForecast, StageView, Told, Verdict,
};

use super::explain::explanation;
use super::history::history;
use super::news::news;
use super::picture::{clock, percentage, picture};
use super::preflight::forecast;
use super::stages;

fn now() -> Timestamp {
    "2026-11-21T12:12:20Z".parse().unwrap()
}

/// Without colours, as in a log.
fn plain(lines: &[String]) -> String {
    anstream::adapter::strip_str(&lines.join("\n")).to_string()
}

fn stage(label: &str, progress: Progress, took_ms: Option<i64>) -> StageView {
    StageView {
        label: label.to_owned(),
        progress,
        reached_at: None,
        took_ms,
    }
}

fn rollout() -> Rollout {
    let typed = stages::stages("1%,5%,25%,50%,100%").unwrap();
    let metrics = [
        PlanMetric::named("errors"),
        PlanMetric::named("latency_p95"),
    ];
    Rollout {
        id: "ro_01jd7".to_owned(),
        flag: "checkout".to_owned(),
        environment: "prod".to_owned(),
        plan: stages::plan(&typed, None, None, &metrics),
        state: RolloutState::Baking,
        stage: 1,
        since: "2026-11-21T12:09:10Z".to_owned(),
        sentence: "checkout goes on to 5 %".to_owned(),
        stages: vec![
            stage("1 %", Progress::Passed, Some(300_000)),
            stage("5 %", Progress::Current, Some(190_000)),
            stage("25 %", Progress::Ahead, None),
            stage("50 %", Progress::Ahead, None),
            stage("100 %", Progress::Ahead, None),
        ],
        started_by: "ana".to_owned(),
        started_at: "2026-11-21T12:04:10Z".to_owned(),
        reason: "first launch".to_owned(),
        moves: vec![
            made(9_300, "checkout starts at 1 %"),
            made(9_317, "checkout goes on to 5 %"),
        ],
        told: Vec::new(),
    }
}

fn made(revision: u64, sentence: &str) -> RolloutMove {
    RolloutMove {
        revision,
        at: "2026-11-21T12:09:10.250Z".to_owned(),
        to: RolloutState::Baking,
        stage: 1,
        cause: "proved".to_owned(),
        by: "system".to_owned(),
        sentence: sentence.to_owned(),
    }
}

fn metric(name: &str, verdict: Verdict, bad: u64, sentence: &str) -> MetricEvidence {
    let arm = |bad, units| Some(ArmCounts { units, bad });
    MetricEvidence {
        metric: name.to_owned(),
        verdict,
        sentence: sentence.to_owned(),
        exposed: arm(bad, 8_400),
        held_back: arm(290, 100_000),
        exposed_total: arm(bad, 9_000),
        held_back_total: arm(300, 110_000),
        ln_e_bad: Some(-1.5),
        ln_e_bad_limit: Some(200.0_f64.ln()),
        ln_e_ok: Some(30.0),
        ln_e_ok_limit: Some(20.0_f64.ln()),
    }
}

fn evidence() -> Evidence {
    Evidence {
        rollout: rollout(),
        at: "2026-11-21T12:12:20Z".to_owned(),
        frozen: None,
        analysed_ms: 190_000,
        bake_ms: 600_000,
        lasted_ms: 190_000,
        hold_ms_max: 3_600_000,
        metrics: vec![
            metric("errors", Verdict::Ok, 26, "no sign of harm"),
            metric("latency_p95", Verdict::Learning, 30, "1900 more users"),
        ],
        shared_harm: false,
        share: ShareView::AsMeant,
        users_hit: 26,
        holds: vec!["latency_p95: waiting for 1900 more users, about 12 min".to_owned()],
        next: Some("25 % when both are ok".to_owned()),
    }
}

fn fleet() -> Confirmation {
    Confirmation {
        environment: "prod".to_owned(),
        revision: 9_317,
        state: ConfirmationState::Confirmed,
        expected: 412,
        confirmed: 412,
        elapsed_ms: None,
        confirm_ms: Some(Quantiles {
            p50: 100.0,
            p99: 900.0,
            max: 950.0,
        }),
        stragglers: Vec::new(),
        caches: CacheEvidence::default(),
    }
}

#[test]
fn a_rollout_is_a_picture_of_a_few_lines() {
    assert_eq!(
        plain(&picture(&evidence(), Some(&fleet()), now())),
        "\
checkout  prod  ro_01jd7  ▶ RUNNING  stage 2/5 (5 %)   started 8 min ago by ana
  1 % ✓ 5m   5 % ▶ 3m10/10m   25 % ·   50 % ·   100 % ·
  errors       canary 0.31 %   base 0.29 %    ✓ ok: no sign of harm
  latency_p95  canary 0.36 %   base 0.29 %    … learning: 1900 more users
  evaluators 412/412 at r9317 (p99 900 ms)   users hit so far: 26   next: 25 % when both are ok
  · latency_p95: waiting for 1900 more users, about 12 min"
    );
}

#[test]
fn a_rollout_that_was_rolled_back_says_why_and_where() {
    let mut evidence = evidence();
    let rollout = &mut evidence.rollout;
    rollout.state = RolloutState::RolledBack;
    rollout.sentence = "4.1 % of users fail against 0.3 %".to_owned();
    rollout.stages.get_mut(1).unwrap().progress = Progress::Left;
    evidence.users_hit = 137;
    assert_eq!(
        plain(&picture(&evidence, None, now())),
        "\
checkout  prod  ro_01jd7  ■ ROLLED BACK   started 8 min ago by ana
  1 % ✓ 5m   5 % ✗ 3m10   25 % ·   50 % ·   100 % ·
  4.1 % of users fail against 0.3 %
  users hit so far: 137"
    );
}

#[test]
fn what_is_frozen_or_missing_stands_out() {
    let mut evidence = evidence();
    evidence.frozen = Some("prod is frozen by bo (INC-9)".to_owned());
    evidence.metrics = vec![MetricEvidence {
        exposed: None,
        held_back: None,
        ..metric("errors", Verdict::NoData, 0, "nobody reports outcomes")
    }];
    let fleet = Confirmation {
        state: ConfirmationState::Nobody,
        ..fleet()
    };
    let text = plain(&picture(&evidence, Some(&fleet), now()));
    assert!(
        text.contains("‖ FROZEN: prod is frozen by bo (INC-9)"),
        "{text}"
    );
    assert!(
        text.contains("errors  canary –        base –         ∅ no data: nobody reports outcomes"),
        "{text}"
    );
    assert!(text.contains("nobody follows prod"), "{text}");
}

#[test]
fn nothing_from_elsewhere_drives_the_terminal() {
    let mut evidence = evidence();
    let evil = "\u{1b}[2J\u{202e}";
    evidence.rollout.sentence = evil.to_owned();
    evidence.rollout.started_by = evil.to_owned();
    evidence.rollout.reason = evil.to_owned();
    evidence.rollout.state = RolloutState::Retreated;
    evidence
        .rollout
        .stages
        .push(stage(evil, Progress::Ahead, None));
    evidence.frozen = Some(evil.to_owned());
    evidence.next = Some(evil.to_owned());
    evidence.holds = vec![evil.to_owned()];
    evidence.metrics = vec![metric(evil, Verdict::Error, 1, evil)];
    evidence.rollout.moves.push(made(9_320, evil));
    evidence.rollout.told.push(Told {
        id: evil.to_owned(),
        revision: 57,
        page: true,
        title: evil.to_owned(),
        state: evil.to_owned(),
        sentence: evil.to_owned(),
    });
    let shown = [
        picture(&evidence, None, now()),
        explanation(&evidence, now()),
        history(&evidence.rollout, now()),
        news(None, &evidence),
        news(Some(&self::evidence()), &evidence),
    ];
    for lines in shown {
        let text = plain(&lines);
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
        assert!(!lines.join("").contains(evil), "{text:?}");
    }
}

#[test]
fn a_log_gets_a_line_for_each_thing_that_is_new() {
    let before = evidence();
    assert_eq!(
        news(None, &before),
        ["2026-11-21 12:12:20 UTC  ro_01jd7 of checkout in prod is running at stage 5 %"]
    );
    assert_eq!(news(Some(&before), &before), [""; 0]);
    let mut now = evidence();
    now.rollout
        .moves
        .push(made(9_320, "checkout goes on to 25 %"));
    now.metrics = vec![
        metric("errors", Verdict::Learning, 26, "30000 more users"),
        metric("latency_p95", Verdict::Learning, 30, "1200 more users"),
    ];
    assert_eq!(
        news(Some(&before), &now),
        [
            "2026-11-21 12:09:10 UTC  r9320  checkout goes on to 25 %",
            "2026-11-21 12:12:20 UTC  errors is learning: 30000 more users",
        ]
    );
}

#[test]
fn an_explanation_has_the_numbers() {
    let text = plain(&explanation(&evidence(), now()));
    for part in [
        "analysed 3m10 of a bake of 10m; lasts 3m10 of at most 1h00m",
        "stage: canary 26 bad of 8400 units (0.31 %), base 290 bad of 100000 units (0.29 %)",
        "total: canary 26 bad of 9000 units",
        "E_bad = 0.22, convicts at 200",
        "E_ok = 10^13.0, proves at 20",
        "why it does not move:",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn a_history_says_whom_it_told_and_whether_that_went_out() {
    let mut rollout = rollout();
    let told = |state: &str, sentence: &str| Told {
        id: "ro_01jd7-r9320-page".to_owned(),
        revision: 57,
        page: true,
        title: "checkout rolled back".to_owned(),
        state: state.to_owned(),
        sentence: sentence.to_owned(),
    };
    rollout.told = vec![
        told("delivered", "went to oncall"),
        told("failed", "oncall: 503"),
    ];
    let text = plain(&history(&rollout, now()));
    assert!(
        text.contains("✓ page \"checkout rolled back\": went to oncall"),
        "{text}"
    );
    assert!(
        text.contains("✗ page \"checkout rolled back\": oncall: 503"),
        "{text}"
    );
    assert!(
        text.contains("r9317 by system  checkout goes on to 5 %"),
        "{text}"
    );
}

#[test]
fn a_forecast_says_what_each_stage_could_prove() {
    let preflight = Preflight {
        flag: "checkout".to_owned(),
        environment: "prod".to_owned(),
        ready: false,
        refusals: vec!["2 evaluators do not declare checkout".to_owned()],
        remarks: vec!["1 % and 5 % are merged".to_owned()],
        stages: vec![StageForecast {
            label: "5 %".to_owned(),
            sentence: "catches ≥ 5× within 4 min; cannot prove < 2×".to_owned(),
            catches: Some(5.0),
            within_min: Some(4.0),
            proved_after_min: Some(6.0),
            cannot_prove_below: Some(2.0),
        }],
        plan: PlanDefinition::of("safe", Vec::new(), Vec::new()),
    };
    assert_eq!(
        plain(&forecast(&preflight)),
        "\
✗ checkout in prod by plan safe: may not start
  ✗ 2 evaluators do not declare checkout
  5 %  catches ≥ 5× within 4 min; cannot prove < 2×
  · 1 % and 5 % are merged"
    );
}

#[test]
fn stages_are_typed_as_they_are_called() {
    let labels = |text: &str| -> Vec<String> {
        let typed = stages::stages(text).unwrap();
        let plan = stages::plan(&typed, None, None, &[]);
        plan.stages.iter().map(PlanStage::label).collect()
    };
    assert_eq!(
        labels("staff, beta+friends,synthetic,0.5%,look:ana,100%"),
        [
            "staff",
            "beta + friends",
            "synthetic",
            "0.5 %",
            "look: ana",
            "100 %"
        ]
    );
    for (text, why) in [
        ("5", "write 5%"),
        ("1%,,5%", "key"),
        ("101%", "100"),
        ("-1%", "-1"),
        ("look:", "who looks"),
        ("a b", "a b"),
    ] {
        let refusal = stages::stages(text).unwrap_err();
        assert!(refusal.contains(why), "{text}: {refusal}");
    }
    assert!(stages::metric("latency_p99").is_ok());
    assert!(stages::metric("apdex").unwrap_err().contains("errors"));
}

#[test]
fn times_and_shares_are_as_short_as_they_can_be_read() {
    for (ms, told) in [
        (0, "0s"),
        (42_900, "42s"),
        (300_000, "5m"),
        (190_000, "3m10"),
        (3_900_000, "1h05m"),
        (-5, "0s"),
    ] {
        assert_eq!(clock(ms), told);
    }
    for (percent, told) in [
        (0.0, "0 %"),
        (0.004, "0.004 %"),
        (0.31, "0.31 %"),
        (4.1, "4.1 %"),
        (25.0, "25 %"),
        (99.96, "100 %"),
    ] {
        assert_eq!(percentage(percent), told);
    }
}
