//! What a rollout's page says, by how it came to stand where it stands.

use leverframe_wire::admin::{
    Evidence, MetricEvidence, PlanDefinition, PlanMetric, PlanStage, Progress, Rollout as View,
    RolloutMove, RolloutState, ShareView, StageView, Told, Verdict,
};

use super::steering::verbs;
use super::*;
use crate::chart::SegmentKind;

fn made(revision: u64, at: &str, to: RolloutState, stage: usize, cause: &str) -> RolloutMove {
    RolloutMove {
        revision,
        at: format!("2026-11-21T12:{at}Z"),
        to,
        stage,
        cause: cause.to_owned(),
        by: "ana".to_owned(),
        sentence: format!("It was {cause}"),
    }
}

fn evidence(state: RolloutState, moves: Vec<RolloutMove>) -> Evidence {
    let stages = [1.0, 5.0].map(|percentage| PlanStage {
        percentage: Some(percentage),
        ..PlanStage::default()
    });
    let plan = PlanDefinition::of("safe", stages.into(), vec![PlanMetric::named("errors")]);
    let stages = plan.stages.iter().map(|stage| StageView {
        label: stage.label(),
        progress: Progress::Current,
        reached_at: None,
        took_ms: None,
    });
    let rollout = View {
        id: "ro_1".to_owned(),
        flag: "checkout".to_owned(),
        environment: "prod".to_owned(),
        state,
        stage: moves.last().map_or(0, |last| last.stage),
        since: "2026-11-21T12:00:00Z".to_owned(),
        sentence: moves
            .last()
            .map(|last| last.sentence.clone())
            .unwrap_or_default(),
        stages: stages.collect(),
        started_by: "ana".to_owned(),
        started_at: "2026-11-21T12:00:00Z".to_owned(),
        reason: "none given".to_owned(),
        told: Vec::new(),
        moves,
        plan,
    };
    Evidence {
        rollout,
        at: String::new(),
        frozen: None,
        analysed_ms: 0,
        bake_ms: 0,
        lasted_ms: 0,
        hold_ms_max: 0,
        metrics: Vec::new(),
        shared_harm: false,
        share: ShareView::AsMeant,
        users_hit: 0,
        holds: Vec::new(),
        next: None,
    }
}

fn started() -> RolloutMove {
    made(1, "00:00", RolloutState::Baking, 0, "started")
}

/// How it says that it came to this.
fn how_of(state: RolloutState, cause: &str) -> String {
    let moves = vec![started(), made(2, "05:00", state, 0, cause)];
    let how = how(&evidence(state, moves).rollout);
    how.map(|badge| badge.to_string()).unwrap_or_default()
}

#[test]
fn each_way_to_an_end_is_told_from_the_others() {
    for (state, cause, said) in [
        (RolloutState::RolledBack, "harm", "convicted by evidence"),
        (RolloutState::RolledBack, "limit", "convicted by evidence"),
        (
            RolloutState::RolledBack,
            "inconclusive",
            "nothing could be proved",
        ),
        (
            RolloutState::RolledBack,
            "rolled-back-by-hand",
            "by a person",
        ),
        (
            RolloutState::Retreated,
            "shared-harm",
            "a precaution, nobody is convicted",
        ),
        (RolloutState::Retreated, "blind", "nothing could be seen"),
        (
            RolloutState::Ended,
            "killed",
            "the lever was closed by hand",
        ),
        (
            RolloutState::Ended,
            "moved-by-hand",
            "the lever was moved by hand",
        ),
        (
            RolloutState::Ended,
            "replaced",
            "another one took its place",
        ),
        (RolloutState::Paused, "paused-by-hand", "by a person"),
        (
            RolloutState::Paused,
            "moved-by-hand",
            "the lever was moved by hand",
        ),
        (RolloutState::Paused, "outage", "stopped by evidence"),
        (RolloutState::Done, "cooled", "by evidence"),
        (RolloutState::Done, "skipped", "by a person"),
    ] {
        let how = how_of(state, cause);
        assert!(how.contains(said), "{state:?} {cause}: {how}");
    }
    assert_eq!(how_of(RolloutState::Baking, "proved"), "");
}

#[test]
fn the_verdict_says_the_worst_there_is_first() {
    let mut seen = evidence(RolloutState::Baking, vec![started()]);
    assert_eq!(story::verdict(&seen), "At 1 %: nothing was counted yet.");
    let metric = |verdict, sentence: &str| MetricEvidence {
        metric: sentence.to_owned(),
        verdict,
        sentence: sentence.to_owned(),
        exposed: None,
        held_back: None,
        exposed_total: None,
        held_back_total: None,
        ln_e_bad: None,
        ln_e_bad_limit: None,
        ln_e_ok: None,
        ln_e_ok_limit: None,
    };
    seen.metrics = vec![
        metric(Verdict::Ok, "errors are few"),
        metric(Verdict::Learning, "it is fast; waiting for 3 more units"),
    ];
    assert_eq!(
        story::verdict(&seen),
        "At 1 %: no sign of harm so far (errors are few, and it is fast)."
    );
    seen.metrics
        .push(metric(Verdict::NoData, "cpu has no data"));
    assert_eq!(story::verdict(&seen), "At 1 %: cpu has no data.");
    seen.metrics.push(metric(Verdict::Bad, "9 % fail"));
    assert_eq!(story::verdict(&seen), "At 1 %: 9 % fail.");
    let moves = vec![
        started(),
        made(2, "01:00", RolloutState::Paused, 0, "paused-by-hand"),
    ];
    let paused = evidence(RolloutState::Paused, moves);
    assert_eq!(story::verdict(&paused), "It was paused-by-hand.");
}

#[test]
fn the_band_has_a_stretch_for_each_thing_it_did_and_ends_where_it_ended() {
    let moves = vec![
        started(),
        made(2, "10:00", RolloutState::Holding, 0, "not-proved"),
        made(3, "12:00", RolloutState::Baking, 1, "proved"),
        made(4, "13:00", RolloutState::Paused, 1, "paused-by-hand"),
        made(5, "14:00", RolloutState::Baking, 1, "resumed"),
        made(6, "15:00", RolloutState::Retreated, 0, "shared-harm"),
        made(7, "20:00", RolloutState::RolledBack, 0, "harm"),
    ];
    let mut over = evidence(RolloutState::RolledBack, moves);
    over.rollout.told = vec![Told {
        id: "ro_1-r7-page".to_owned(),
        revision: 7,
        page: true,
        title: "rolled back".to_owned(),
        state: "failed".to_owned(),
        sentence: "503".to_owned(),
    }];
    let now = "2026-11-21T18:00:00Z".parse().unwrap();
    let band = drawing::band(&over, now);
    let kinds: Vec<_> = band
        .segments
        .iter()
        .map(|one| (one.kind, one.label.as_str()))
        .collect();
    assert_eq!(
        kinds,
        [
            (SegmentKind::Stage, "1 %"),
            (SegmentKind::Stage, "5 %"),
            (SegmentKind::Paused, "5 %"),
            (SegmentKind::Stage, "5 %"),
            (SegmentKind::Retreated, "1 %"),
        ]
    );
    assert_eq!(band.until_ms - band.from_ms, 20 * 60_000, "not until now");
    assert_eq!(band.now_ms, None);
    assert!(
        band.summary
            .starts_with("1 % for 12 min, then 5 % for 1 min, then 5 % paused")
    );
    let svg = band.to_string();
    assert!(svg.contains("class=\"mark page\""), "{svg}");
    assert_eq!(drawing::stretches(&over, now).len(), 5);
}

#[test]
fn only_what_makes_sense_is_offered_and_only_to_who_may() {
    let all = Powers {
        may_stop: true,
        may_go_on: true,
    };
    let of = |state, powers| {
        let verbs = verbs(&evidence(state, vec![started()]).rollout, powers);
        verbs
            .into_iter()
            .map(Verb::path)
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(of(RolloutState::Baking, all), "rollback pause advance skip");
    assert_eq!(
        of(RolloutState::Looking, all),
        "rollback pause approve skip"
    );
    assert_eq!(of(RolloutState::Paused, all), "rollback resume");
    assert_eq!(of(RolloutState::Done, all), "");
    let brake = Powers {
        may_go_on: false,
        ..all
    };
    assert_eq!(of(RolloutState::Holding, brake), "rollback pause");
    assert_eq!(of(RolloutState::Paused, brake), "rollback");
    assert_eq!(of(RolloutState::Baking, Powers::default()), "");
    let watch = evidence(
        RolloutState::Baking,
        vec![made(1, "00:00", RolloutState::Baking, 0, "watched")],
    );
    assert_eq!(verbs(&watch.rollout, all), [Verb::RollBack]);
}
