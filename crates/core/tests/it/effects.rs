//! Effects: wanted in the record of the transition, once, and settled once.

use std::collections::BTreeSet;

use leverframe_core::effect::{Settlement, Urgency};
use leverframe_core::limit::{EFFECTS_KEPT_MAX, ROLLOUTS_KEPT_MAX};
use leverframe_core::rollout::Steer;
use leverframe_core::{Command, Decision, Event, Rejection, State};

use crate::journey::{plan, steered};
use crate::world::{World, create, flag};

fn settle(effect: &str) -> Command {
    Command::SettleEffect {
        effect: effect.into(),
        settlement: Settlement::Delivered {
            channels: vec!["pager".into()],
            read_back: true,
            failed: Vec::new(),
        },
    }
}

fn wanted(world: &World) -> Vec<(Box<str>, Urgency)> {
    let effects = world.state.unsettled();
    effects
        .map(|entry| (entry.effect.id.clone(), entry.effect.urgency))
        .collect()
}

fn drain(world: &mut World) {
    for (id, _) in wanted(world) {
        world.by_system().done(settle(&id));
    }
}

#[test]
fn a_conviction_pages_where_it_is_guarded_and_notifies_elsewhere() {
    for (environment, urgency, channel) in [
        ("prod", Urgency::Page, "pager"),
        ("dev", Urgency::Notify, "chat"),
    ] {
        let mut world = World::with_flags(["a"]);
        let id = world.roll("a", environment, plan("p"));
        drain(&mut world);
        let revision = world.convict(&id);
        let told: Vec<_> = world.state.unsettled().cloned().collect();
        assert_eq!(told.len(), 1, "one transition, one effect");
        let effect = &told[0].effect;
        assert_eq!(effect.urgency, urgency);
        assert_eq!(effect.channels, [channel.into()]);
        assert_eq!(effect.message.revision, revision);
        assert_eq!(&*effect.message.started_by, "ana");
        assert_eq!(&*effect.message.owner, "team-a");
        let undo = format!("lever undo r{revision} -r \"…\"");
        assert_eq!(*effect.message.undo, *undo);
    }
}

#[test]
fn an_effect_is_settled_once_and_only_by_the_node() {
    let mut world = World::with_flags(["a"]);
    world.roll("a", "prod", plan("p"));
    let (id, _) = wanted(&world)[0].clone();
    let denied = world.by("root").because("x").refused(settle(&id));
    assert!(matches!(denied, Rejection::Denied { .. }));
    world.by_system().done(settle(&id));
    let again = world.by_system().ask(settle(&id));
    assert!(matches!(again, Ok(Decision::Unchanged { .. })));
    let missing = world.by_system().refused(settle("ro_nothing-r1-page"));
    assert!(matches!(missing, Rejection::NotFound { .. }));
    assert_eq!(world.state.unsettled().count(), 0);
    assert!(world.refolded() == world.state);
}

#[test]
fn every_transition_has_a_name_of_its_own_for_its_effect() {
    let mut world = World::with_flags(["a", "b"]);
    let mut seen = BTreeSet::new();
    for flag in ["a", "b"] {
        let id = world.roll(flag, "prod", plan("p"));
        for steer in [Steer::Pause, Steer::Resume, Steer::Pause, Steer::RollBack] {
            let who = "ana";
            world.by(who).because("x").done(steered(&id, steer, None));
        }
    }
    for entry in &world.entries {
        for event in &entry.record.events {
            if let Event::EffectWanted { effect } = event {
                assert!(seen.insert(effect.id.clone()), "{}", effect.id);
            }
        }
    }
    assert!(seen.len() >= 6, "{seen:?}");
}

#[test]
fn a_restored_journal_does_not_reuse_the_names_of_what_was_told() {
    let mut world = World::with_flags(["a"]);
    let id = world.roll("a", "prod", plan("p"));
    let at_backup = world.state.clone();
    let lost = world.convict(&id);
    let told: BTreeSet<_> = wanted(&world).into_iter().map(|(id, _)| id).collect();
    world.state = at_backup;
    world.by("root").done(Command::Restore {
        epoch: 2,
        keep_closed: Vec::new(),
    });
    while world.revision() + 1 < lost {
        let another = flag(&format!("f{}", world.revision()));
        world.by("ana").done(create(another));
    }
    let revision = world.convict(&id);
    let now: Vec<_> = wanted(&world)
        .into_iter()
        .filter(|(id, _)| id.contains(&format!("r{revision}-")))
        .collect();
    assert_eq!(now.len(), 1);
    assert!(!told.contains(&now[0].0), "{now:?}");
}

#[test]
fn what_is_settled_and_what_is_over_is_kept_up_to_a_bound_and_stored_alike() {
    let mut world = World::with_flags(["a"]);
    let first = world.roll("a", "dev", plan("p"));
    let rounds = ROLLOUTS_KEPT_MAX.max(EFFECTS_KEPT_MAX / 2) + 2;
    for _ in 0..rounds {
        let id = world.running("a", "dev").id.clone();
        let back = steered(&id, Steer::RollBack, None);
        world.by("ana").done(back);
        drain(&mut world);
        world.roll("a", "dev", plan("p"));
    }
    assert!(world.state.rollout(&first).is_none());
    assert_eq!(world.state.rollouts().count(), ROLLOUTS_KEPT_MAX + 1);
    let settled = world.state.effects().count() - world.state.unsettled().count();
    assert_eq!(settled, EFFECTS_KEPT_MAX);
    let text = world.state.to_text().unwrap();
    assert!(State::from_text(&text).unwrap() == world.state);
}
