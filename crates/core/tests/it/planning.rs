//! Plans: applied like definitions, checked like input, and never changed under a rollout that runs.

use leverframe_core::access::Role;
use leverframe_core::command::{PlanChoice, Survey, Terms};
use leverframe_core::limit::PLANS_MAX;
use leverframe_core::rollout::{Measure, Plan, Standing};
use leverframe_core::{Command, Decision, Rejection};

use crate::journey::{cohort, look, plan, share, stage};
use crate::world::{World, create_segment, key, scoped, segment, token};

fn apply(plan: Plan) -> Command {
    Command::ApplyPlan {
        plan: Box::new(plan),
    }
}

fn delete(key: &str) -> Command {
    Command::DeletePlan { plan: key.into() }
}

fn start_by(name: &str) -> Command {
    Command::StartRollout {
        flag: key("a"),
        environment: key("dev"),
        plan: PlanChoice::Named(name.into()),
        terms: Terms::default(),
        survey: Box::new(Survey::default()),
    }
}

#[test]
fn a_plan_is_added_replaced_by_who_has_seen_it_and_deleted() {
    let mut world = World::with_flags(["a"]);
    let first = world.by("ana").done(apply(plan("p")));
    let same = world.by("ana").ask(apply(plan("p")));
    assert_eq!(same, Ok(Decision::Unchanged { revision: first }));
    let mut other = plan("p");
    other.bake_ms = 1;
    let unseen = world.by("ana").refused(apply(other.clone()));
    assert_eq!(unseen, Rejection::MatchRequired { current: first });
    let second = world.by("ana").seen(first).done(apply(other));
    let stale = world.by("ana").seen(first).refused(delete("p"));
    assert!(matches!(stale, Rejection::Stale { .. }));
    world.by("ana").seen(second).done(delete("p"));
    assert!(world.state.plan("p").is_none());
    assert!(world.refolded() == world.state);
}

#[test]
fn a_brake_applies_no_plan_and_built_in_ones_stay_as_they_are() {
    let mut world = World::new();
    let denied = world.by("oncall").refused(apply(plan("p")));
    assert!(matches!(denied, Rejection::Denied { .. }));
    for name in ["safe", "internal"] {
        let refused = world.by("root").refused(apply(plan(name)));
        assert!(matches!(refused, Rejection::Conflict { .. }));
    }
}

#[test]
fn who_is_for_one_environment_changes_no_plan_of_all() {
    let mut world = World::new();
    let revision = world.by("ana").done(apply(plan("p")));
    world.admit(scoped(token("ops", Role::Operator), &["dev"], &[]));
    let mut loose = plan("p");
    loose.bake_ms = 1;
    for command in [apply(loose), delete("p")] {
        let denied = world.by("ops").seen(revision).refused(command);
        assert!(matches!(denied, Rejection::Denied { .. }));
    }
    world.by("ops").done(apply(plan("own")));
}

/// Spoils a plan, and the field that is complained of.
type Wrong = (fn(&mut Plan), &'static str);

#[test]
fn a_plan_that_is_wrong_is_refused_with_its_field() {
    let wrong: [Wrong; 12] = [
        (|plan| plan.stages.clear(), "stages"),
        (
            |plan| plan.stages = vec![share("5"), share("5")],
            "stages[1]",
        ),
        (
            |plan| plan.stages = vec![share("5"), share("1")],
            "stages[1]",
        ),
        (
            |plan| plan.stages = vec![share("5"), cohort("staff")],
            "stages[1]",
        ),
        (|plan| plan.bake_ms = -1, "stages[0].bake"),
        (|plan| plan.bake_ms = 0, "stages[0].bake"),
        (|plan| plan.hold_ms_max = 1, "stages[0].max_hold"),
        (|plan| plan.warm_ms = -1, "warm"),
        (|plan| plan.metrics.clear(), "metrics"),
        (
            |plan| plan.metrics[0].tolerance = f64::NAN,
            "metrics.errors",
        ),
        (
            |plan| plan.metrics[0].tolerable = f64::INFINITY,
            "metrics.errors",
        ),
        (
            |plan| {
                plan.metrics[0].measure = Measure::Gauge {
                    source: "s".into(),
                    query: "q".into(),
                    limit: f64::INFINITY,
                    above: false,
                    in_a_row: 3,
                };
            },
            "metrics.errors",
        ),
    ];
    let mut world = World::new();
    let staff = segment("staff", "plan == \"x\"");
    world.by("ana").done(create_segment(staff));
    for (spoil, expected) in wrong {
        let mut spoiled = plan("p");
        spoil(&mut spoiled);
        let before = world.revision();
        match world.by("ana").refused(apply(spoiled)) {
            Rejection::Invalid { field, .. } => assert_eq!(field, expected),
            other => panic!("{expected}: {other:?}"),
        }
        assert_eq!(world.revision(), before);
    }
}

#[test]
fn a_plan_names_segments_that_exist() {
    let mut world = World::with_flags(["a"]);
    let mut internal = plan("p");
    internal.stages = vec![cohort("staff"), share("100")];
    let missing = world.by("ana").refused(apply(internal.clone()));
    assert!(matches!(
        missing,
        Rejection::NotFound {
            noun: "segment",
            ..
        }
    ));
    let mut synthetic = plan("p");
    let first = leverframe_core::rollout::Target::Synthetic;
    synthetic.stages = vec![stage(first), share("100")];
    let missing = world.by("ana").refused(apply(synthetic));
    assert!(matches!(missing, Rejection::Invalid { .. }));
    let staff = segment("staff", "plan == \"x\"");
    world.by("ana").done(create_segment(staff));
    world.by("ana").done(apply(internal));
    // The segment may go while no rollout runs; a start then says so.
    let seen = world.state.segment("staff").unwrap().revision;
    let command = Command::DeleteSegment {
        segment: key("staff"),
    };
    world.by("ana").seen(seen).done(command);
    let missing = world.by("ana").refused(start_by("p"));
    assert!(matches!(
        missing,
        Rejection::NotFound {
            noun: "segment",
            ..
        }
    ));
}

#[test]
fn a_rollout_keeps_the_plan_it_started_with() {
    let mut world = World::with_flags(["a"]);
    let mut looking = plan("p");
    looking.stages.insert(1, look("ana"));
    let revision = world.by("ana").done(apply(looking.clone()));
    world.by("ana").done(start_by("p"));
    world.by("ana").seen(revision).done(delete("p"));
    assert_eq!(*world.running("a", "dev").plan, looking);
    assert!(world.refolded() == world.state);
}

#[test]
fn a_plan_that_is_not_there_is_named_with_the_nearest_that_is() {
    let mut world = World::with_flags(["a"]);
    let Rejection::NotFound { similar, .. } = world.by("ana").refused(start_by("saef")) else {
        panic!()
    };
    assert_eq!(similar.as_deref(), Some("safe"));
}

#[test]
fn there_are_only_so_many_plans() {
    let mut world = World::new();
    let plans = (0..PLANS_MAX).map(|number| leverframe_core::Event::PlanApplied {
        plan: plan(&format!("p{number}")).into(),
    });
    let meta = world.meta(leverframe_core::access::Actor::System);
    world.append(plans.collect(), &meta);
    let full = world.by("ana").refused(apply(plan("one-more")));
    assert!(matches!(full, Rejection::Full { .. }));
    let mut other = plan("p7");
    other.bake_ms = 1;
    let seen = world.state.plan("p7").unwrap().revision;
    world.by("ana").seen(seen).done(apply(other));
}

#[test]
fn what_browsers_say_may_hold_and_never_convict() {
    let mut world = World::with_flags(["a"]);
    let mut forged = plan("p");
    let mut seen_there = forged.metrics[0].clone();
    seen_there.key = "there".into();
    seen_there.measure = Measure::Outcomes {
        name: "browser:errors".into(),
    };
    forged.metrics.push(seen_there);
    let refused = world.by("ana").refused(apply(forged.clone()));
    assert!(refused.to_string().contains("can be forged"), "{refused}");
    if let Some(last) = forged.metrics.last_mut() {
        last.standing = Standing::Signals;
    }
    world.by("ana").done(apply(forged));
}
