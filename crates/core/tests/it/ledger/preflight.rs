//! What a plan is told before it starts.

use leverframe_core::rollout::{MetricTraffic, Plan, Traffic, preflight};

fn traffic(units_per_minute: f64, bad_rate: f64) -> Traffic {
    let metric = |metric: &str, bad_rate| MetricTraffic {
        metric: metric.into(),
        units_per_minute,
        bad_rate,
    };
    Traffic {
        metrics: vec![metric("errors", bad_rate), metric("latency_p95", 0.03)],
        ..Traffic::default()
    }
}

#[test]
fn at_much_traffic_the_plan_stays_as_it_is_and_says_what_it_catches() {
    let found = preflight(&Plan::safe(), &traffic(3_000.0, 0.01));
    assert_eq!(found.plan, Plan::safe(), "{:?}", found.changes);
    assert!(found.refusals.is_empty() && found.warnings.is_empty());
    let second = &found.stages[1];
    assert!(
        second.sentence.starts_with("5 %: errors catches ≥ 3×"),
        "{second:?}"
    );
    assert!(second.sentence.contains("cannot prove <"), "{second:?}");
}

#[test]
fn a_stage_that_can_prove_nothing_is_left_out() {
    let found = preflight(&Plan::safe(), &traffic(6.0, 0.01));
    assert!(
        found.plan.stages.len() < Plan::safe().stages.len(),
        "{found:?}"
    );
    assert!(
        found.changes[0].starts_with("The 1 % stage would take"),
        "{found:?}"
    );
    assert_eq!(found.plan.check(), Ok(()));
    // The more there is to see, the less is changed.
    let more = preflight(&Plan::safe(), &traffic(300.0, 0.01));
    assert!(more.plan.stages.len() >= found.plan.stages.len());
}

#[test]
fn a_service_that_never_fails_is_given_the_time_to_prove_it() {
    let found = preflight(&Plan::safe(), &traffic(3_000.0, 0.0));
    let first = &found.stages[0].metrics[0];
    assert_eq!(first.catches, None);
    let after = first.proved_after_minutes.unwrap();
    assert!((100.0..200.0).contains(&after), "{after}");
    let hold = found.plan.hold_ms_max(0) as f64 / 60_000.0;
    assert!(hold >= after, "{hold} {after}");
}

#[test]
fn a_build_that_does_not_know_the_flag_and_a_source_that_is_away_refuse() {
    let mut traffic = traffic(3_000.0, 0.01);
    traffic.undeclared = vec!["pod-7".into()];
    traffic.unreachable = vec![("prom".into(), "connection refused".into())];
    let found = preflight(&Plan::safe(), &traffic);
    assert!(found.refusals[0].contains("pod-7"), "{found:?}");
    assert!(
        found.refusals[1].contains("prom does not answer"),
        "{found:?}"
    );
}

#[test]
fn where_nothing_was_seen_it_says_so_and_changes_nothing() {
    let found = preflight(&Plan::internal(), &Traffic::default());
    assert_eq!(found.plan, Plan::internal());
    assert_eq!(found.warnings.len(), 2);
    assert_eq!(
        found.stages[0].sentence,
        "staff: nothing to compare with; absolute limits alone decide"
    );
}
