//! Whatever people and ticks do to levers that are rolled out, drilled and frozen, in whatever order:
//! nothing opens by itself but on evidence, and a rollout and its lever never disagree.

use std::collections::BTreeSet;

use leverframe_core::access::Role;
use leverframe_core::analysis::{Finding, Share};
use leverframe_core::command::Terms;
use leverframe_core::drill::DrillResult;
use leverframe_core::effect::Settlement;
use leverframe_core::position::{is_opening, latch, lifts_latch};
use leverframe_core::rollout::{
    Both, Cause, Inconclusive, Observation, OnBad, Phase, Plan, Reading, Steer,
};
use leverframe_core::state::Snapshot;
use leverframe_core::{Command, Decision, Event, Rejection, State};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::journey::{BAKE_MS, cohort, glance, look, plan, rollback, share, start_with, steered};
use crate::properties::{Asked, ENVIRONMENTS, FLAGS, PEOPLE, any_asked, ask, world};
use crate::world::{World, key};

/// What happens next.
#[derive(Debug, Clone)]
enum Deed {
    /// What happens without rollouts, too.
    Asked(Box<Asked>),
    Start(&'static str, &'static str, &'static str, Box<Plan>, Terms),
    Steer(&'static str, Index, Steer, bool),
    Tick(Index, Box<Tick>),
    Rollback(&'static str, &'static str, &'static str),
    Freeze(&'static str, &'static str, i64),
    Thaw(&'static str),
    Drill(&'static str, &'static str),
    FinishDrill(Index),
    Settle(Index),
}

/// What a tick sees, right or wrong.
#[derive(Debug, Clone)]
struct Tick {
    finding: Finding,
    is_blind: bool,
    wait_ms: i64,
    share: Share,
    both: Both,
    has_new_build: bool,
    is_frozen: bool,
    is_stale: bool,
}

fn any_tick() -> impl Strategy<Value = Tick> {
    let finding = prop_oneof![
        4 => Just(Finding::Ok),
        1 => Just(Finding::Bad),
        2 => Just(Finding::Learning),
    ];
    let share = prop_oneof![
        8 => Just(Share::AsMeant),
        1 => Just(Share::TooFew),
        1 => Just(Share::TooMany),
    ];
    let rarely = || prop::bool::weighted(0.1);
    let both = (rarely(), rarely(), rarely(), any::<bool>(), any::<bool>()).prop_map(
        |(is_worse, is_outage, is_burning, is_step_recent, is_clean)| Both {
            is_worse,
            is_outage,
            is_burning,
            is_step_recent,
            is_clean,
            outlasts_retreat: is_clean.then_some(is_step_recent),
        },
    );
    let waits = select(vec![1_000, BAKE_MS, BAKE_MS, 7 * BAKE_MS]);
    let odd = (rarely(), rarely(), rarely(), rarely());
    (finding, share, both, waits, odd).prop_map(
        |(finding, share, both, wait_ms, (is_blind, has_new_build, is_frozen, is_stale))| Tick {
            finding,
            is_blind,
            wait_ms,
            share,
            both,
            has_new_build,
            is_frozen,
            is_stale,
        },
    )
}

fn any_plan() -> impl Strategy<Value = Box<Plan>> {
    (
        select(vec![OnBad::Close, OnBad::Retreat, OnBad::Freeze]),
        select(vec![
            Inconclusive::Ask,
            Inconclusive::Continue,
            Inconclusive::Close,
        ]),
        select(vec![0, 1, 2, 3]),
        select(vec![0, 3_600_000]),
    )
        .prop_map(|(on_bad, inconclusive, shape, warm_ms)| {
            let stages = match shape {
                0 => vec![share("5"), share("25"), share("100")],
                1 => vec![cohort("s1"), share("25"), share("100")],
                2 => vec![share("50"), look("ana"), share("100")],
                _ => vec![share("1"), share("60")],
            };
            Box::new(Plan {
                stages,
                on_bad,
                inconclusive,
                warm_ms,
                ..plan("p")
            })
        })
}

fn any_deed() -> impl Strategy<Value = Deed> {
    let who = || prop_oneof![3 => Just("ana"), 1 => select(PEOPLE.to_vec())];
    let flag = || select(FLAGS.to_vec());
    let place = || prop_oneof![3 => Just("prod"), 1 => select(ENVIRONMENTS.to_vec())];
    let steer = select(vec![
        Steer::Pause,
        Steer::Resume,
        Steer::Resume,
        Steer::Advance,
        Steer::Skip,
        Steer::Approve,
        Steer::RollBack,
    ]);
    let terms = (any::<bool>(), any::<bool>()).prop_map(|(replace, again)| Terms {
        replace,
        again,
        undeclared_too: false,
    });
    prop_oneof![
        6 => any_asked().prop_map(|asked| Deed::Asked(Box::new(asked))),
        6 => (who(), flag(), place(), any_plan(), terms)
            .prop_map(|(who, flag, place, plan, terms)| Deed::Start(who, flag, place, plan, terms)),
        5 => (who(), any::<Index>(), steer, any::<bool>())
            .prop_map(|(who, index, steer, sees)| Deed::Steer(who, index, steer, sees)),
        12 => (any::<Index>(), any_tick()).prop_map(|(index, tick)| Deed::Tick(index, Box::new(tick))),
        1 => (who(), flag(), place()).prop_map(|(who, flag, place)| Deed::Rollback(who, flag, place)),
        1 => (who(), place(), 1..7_200_000_i64)
            .prop_map(|(who, place, ms)| Deed::Freeze(who, place, ms)),
        1 => place().prop_map(Deed::Thaw),
        2 => (flag(), place()).prop_map(|(flag, place)| Deed::Drill(flag, place)),
        2 => any::<Index>().prop_map(Deed::FinishDrill),
        2 => any::<Index>().prop_map(Deed::Settle),
    ]
}

fn running(world: &World, index: Index) -> Option<Box<str>> {
    let ids: Vec<Box<str>> = world.state.running().map(|one| one.id.clone()).collect();
    (!ids.is_empty()).then(|| index.get(&ids).clone())
}

fn seen(world: &World, id: &str, tick: &Tick) -> Observation {
    let rollout = world.rollout(id);
    let mut seen = glance(world, rollout, tick.finding);
    if tick.is_blind
        && let Some(sight) = seen.sights.first_mut()
    {
        sight.reading = Reading::NoData;
    }
    seen.share = tick.share;
    seen.both = tick.both;
    seen.is_frozen = tick.is_frozen;
    seen.new_build = tick.has_new_build.then(|| "2.0".into());
    if tick.is_stale {
        seen.move_revision -= 1;
    }
    seen
}

/// Does it; what it did, if anything.
fn act(world: &mut World, deed: &Deed) -> Option<(Command, Vec<Event>)> {
    let (who, command) = match deed {
        Deed::Asked(asked) => return ask(world, asked),
        Deed::Start(who, flag, place, plan, terms) => (
            Some(*who),
            start_with(flag, place, (**plan).clone(), *terms),
        ),
        Deed::Steer(who, index, steer, sees) => {
            let id = running(world, *index)?;
            world.later(1_000);
            let seen = sees.then(|| glance(world, world.rollout(&id), Finding::Ok));
            (Some(*who), steered(&id, *steer, seen))
        }
        Deed::Tick(index, tick) => {
            let id = running(world, *index)?;
            world.later(tick.wait_ms);
            let seen = Box::new(seen(world, &id, tick));
            (None, Command::Observe { rollout: id, seen })
        }
        Deed::Rollback(who, flag, place) => (Some(*who), rollback(flag, place)),
        Deed::Freeze(who, place, ms) => (
            Some(*who),
            Command::Freeze {
                environment: key(place),
                until: world.now.plus_ms(*ms),
            },
        ),
        Deed::Thaw(place) => (
            Some("ana"),
            Command::Thaw {
                environment: key(place),
            },
        ),
        Deed::Drill(flag, place) => (
            Some("ana"),
            Command::StartDrill {
                flag: key(flag),
                environment: key(place),
            },
        ),
        Deed::FinishDrill(index) => {
            let drills: Vec<u64> = world.state.drills().map(|drill| drill.revision).collect();
            let drill = (!drills.is_empty()).then(|| *index.get(&drills))?;
            let result = DrillResult {
                confirmed_ms: None,
                expected: 1,
                confirmed: 0,
                missing: vec!["pod-1".into()],
            };
            (None, Command::FinishDrill { drill, result })
        }
        Deed::Settle(index) => {
            let effects: Vec<Box<str>> = world
                .state
                .effects()
                .map(|entry| entry.effect.id.clone())
                .collect();
            let effect = (!effects.is_empty()).then(|| index.get(&effects).clone())?;
            let settlement = Settlement::Nobody;
            (None, Command::SettleEffect { effect, settlement })
        }
    };
    let seen = match deed {
        Deed::Start(_, flag, place, ..) => world
            .state
            .flag(flag)
            .map(|flag| world.state.lever_revision(flag, place)),
        _ => None,
    };
    let mut ask = match who {
        Some(who) => world.by(who).because("because"),
        None => world.by_system(),
    };
    ask.meta.if_match = seen;
    let may_always = matches!(
        command,
        Command::Observe { .. } | Command::FinishDrill { .. } | Command::SettleEffect { .. }
    );
    match ask.ask(command.clone()) {
        Ok(Decision::Append(events)) => Some((command, events)),
        Err(why) if may_always => panic!("{command:?}: {why:?}"),
        Ok(_) | Err(Rejection::Conflict { .. } | _) => None,
    }
}

/// The causes by which the node itself may let more through.
fn is_evidence(cause: &Cause) -> bool {
    matches!(
        cause,
        Cause::Proved | Cause::Recovered | Cause::Cooled | Cause::Inconclusive
    )
}

fn nothing_opens_by_itself(before: &State, after: &State, command: &Command, who: Option<Role>) {
    for flag in before.flags() {
        for place in ENVIRONMENTS {
            let from = flag.position(place);
            let to = after.flag(flag.key().as_str()).unwrap().position(place);
            let opens = is_opening(from, to, &flag.definition.closed);
            if !opens && !lifts_latch(from, to) {
                continue;
            }
            match command {
                Command::Observe { rollout, .. } => {
                    let rollout = after.rollout(rollout).unwrap();
                    let last = rollout.moves.last().unwrap();
                    assert!(is_evidence(&last.cause), "{:?}", last.cause);
                    assert_eq!(
                        (&rollout.flag, rollout.environment.as_str()),
                        (flag.key(), place)
                    );
                    assert!(before.freeze(place, after.at()).is_none(), "frozen");
                    assert!(
                        !lifts_latch(from, to),
                        "a latch was lifted by {:?}",
                        last.cause
                    );
                }
                Command::FinishDrill { drill, .. } => {
                    let lever = flag.lever(place).unwrap();
                    assert_eq!(lever.moved_revision, *drill);
                }
                Command::SteerRollout { .. } => {
                    assert!(who.unwrap() >= Role::Operator);
                    assert!(!lifts_latch(from, to), "a latch was lifted by {command:?}");
                }
                _ => assert!(who.unwrap() >= Role::Operator, "{command:?}"),
            }
            assert!(!matches!(
                command,
                Command::Rollback { .. } | Command::Close { .. } | Command::Freeze { .. }
            ));
        }
    }
}

fn rollouts_and_levers_agree(state: &State) {
    let mut levers = BTreeSet::new();
    for rollout in state.running() {
        let place = rollout.environment.as_str();
        assert!(
            levers.insert((rollout.flag.clone(), place.to_owned())),
            "one a lever"
        );
        let flag = state.flag(rollout.flag.as_str()).unwrap();
        assert!(!flag.is_archived);
        let lever = flag.lever(place);
        assert_eq!(
            rollout.lever_revision,
            lever.map_or(0, |lever| lever.moved_revision)
        );
        let at = match &rollout.phase {
            Phase::Paused { at } => at,
            phase => phase,
        };
        let is_back = matches!(at, Phase::Retreated { to: None, .. });
        let is_latched = latch(flag.position(place)).is_some();
        assert!(
            !is_latched || is_back,
            "{:?} of a killed lever",
            rollout.phase
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn nothing_goes_forward_but_by_people_or_evidence(
        deeds in prop::collection::vec(any_deed(), 1..80)
    ) {
        let mut world = world();
        let mut told = BTreeSet::new();
        for deed in &deeds {
            let before = world.state.clone();
            let Some((command, events)) = act(&mut world, deed) else {
                prop_assert!(world.state == before);
                continue;
            };
            let who = world.entries.last().unwrap().record.actor.clone();
            let role = before.token(&who).map(|entry| entry.token.role);
            nothing_opens_by_itself(&before, &world.state, &command, role);
            rollouts_and_levers_agree(&world.state);
            for event in &events {
                if let Event::EffectWanted { effect } = event {
                    prop_assert!(told.insert(effect.id.clone()), "{} twice", effect.id);
                }
            }
        }
        prop_assert!(world.refolded() == world.state, "the journal folds to the state");
        let text = serde_json::to_string(&world.state.to_snapshot()).unwrap();
        let snapshot: Snapshot = serde_json::from_str(&text).unwrap();
        prop_assert!(State::from_snapshot(snapshot).unwrap() == world.state);
        let text = world.state.to_text().unwrap();
        prop_assert!(State::from_text(&text).unwrap() == world.state);
    }

    /// Whatever went before, a brake token stops a lever that is rolled out, at once.
    #[test]
    fn a_stop_is_never_refused(deeds in prop::collection::vec(any_deed(), 1..50)) {
        let mut world = world();
        for deed in &deeds {
            act(&mut world, deed);
        }
        let ids: Vec<_> = world.state.running().map(|one| (one.id.clone(), one.flag.clone(), one.environment.clone())).collect();
        for (index, (id, flag, place)) in ids.into_iter().enumerate() {
            let command = match index % 3 {
                0 => steered(&id, Steer::Pause, None),
                1 => rollback(flag.as_str(), place.as_str()),
                _ => crate::world::close([flag.as_str()], place.as_str()),
            };
            let answer = world.by("oncall").ask(command);
            prop_assert!(answer.is_ok(), "{:?}", answer);
            let rollout = world.rollout(&id);
            let is_stopped = rollout.is_over() || matches!(rollout.phase, Phase::Paused { .. });
            prop_assert!(is_stopped);
        }
    }
}
