//! People: start, pause, resume, skip, kill, lower, freeze, edit, whenever they like.

use leverframe_core::access::{Actor, Role};
use leverframe_core::command::{PlanChoice, Survey, Terms};
use leverframe_core::rollout::{Plan, Rollout, Steer};
use leverframe_core::{Command, Selection, State, Timestamp};
use leverframe_flags::{EnvironmentKey, FlagKey, Percentage};
use leverframe_store::Series;

use super::{BAKE_MS, ENVIRONMENT, FLAGS, HOLD_MS, Rollouts};
use crate::audit::Broken;
use crate::chance::Chance;
use crate::shop;

/// Who starts things, and who may only stop them.
pub(super) const OPERATOR: &str = "tok_ann";
const BRAKE: &str = "tok_dora";

impl Rollouts {
    /// Somebody does something, by way of whoever leads.
    pub(super) fn act(&mut self) -> Result<(), Broken> {
        let command = some_command(&self.state().clone(), self.now, &mut self.chance);
        let who = match self.chance.percent(30) && !is_start(&command) {
            true => BRAKE,
            false => OPERATOR,
        };
        let Some(leader) = &mut self.leader else {
            return Ok(());
        };
        let actor = Actor::Token { id: who.into() };
        let told = leader.submit(&command, &actor, self.now, &mut self.chance);
        self.story.push(told);
        self.look()
    }
}

fn is_start(command: &Command) -> bool {
    matches!(command, Command::StartRollout { .. })
}

/// The commands that the world begins with.
pub(super) fn opening() -> Vec<Command> {
    let token = |id: &str, role| Command::CreateToken {
        token: Box::new(shop::token(id, role, &[], &[], None)),
    };
    let mut commands = vec![token(OPERATOR, Role::Operator), token(BRAKE, Role::Brake)];
    commands.extend(FLAGS.map(|flag| Command::CreateFlag {
        definition: Box::new(shop::plain_flag(flag)),
    }));
    commands
}

fn some_command(state: &State, now: Timestamp, chance: &mut Chance) -> Command {
    let flag: FlagKey = shop::flag(FLAGS[chance.index(FLAGS.len())]);
    let environment: EnvironmentKey = shop::environment(ENVIRONMENT);
    let running = state.running_of(&flag, &environment);
    let Some(rollout) = running else {
        return start(flag, environment, chance);
    };
    let steer = |steer| steered(rollout, steer);
    match chance.below(20) {
        0..4 => steer(Steer::Pause),
        4..10 => steer(Steer::Resume),
        10 => steer(Steer::Skip),
        11 => Command::Rollback { flag, environment },
        12 => Command::Close {
            flags: Selection::Flags([flag].into()),
            environment,
        },
        13 => Command::Ramp {
            flag,
            environment,
            percentage: percent(1),
        },
        14 => Command::Freeze {
            environment,
            until: now.plus_ms(chance.between(5_000, 120_000) as i64),
        },
        15 => Command::Undo {
            revision: Some(rollout.lever_revision),
        },
        _ => start(flag, environment, chance),
    }
}

fn steered(rollout: &Rollout, steer: Steer) -> Command {
    Command::SteerRollout {
        rollout: rollout.id.clone(),
        steer,
        seen: None,
    }
}

fn start(flag: FlagKey, environment: EnvironmentKey, chance: &mut Chance) -> Command {
    Command::StartRollout {
        flag,
        environment,
        plan: PlanChoice::Inline(Box::new(plan(chance))),
        terms: Terms {
            replace: chance.percent(20),
            again: true,
            undeclared_too: false,
        },
        survey: Box::new(Survey::default()),
    }
}

/// 10, 50 and 100 %, watched by `errors`.
fn plan(chance: &mut Chance) -> Plan {
    let safe = Plan::safe();
    let mut metrics = safe.metrics.clone();
    metrics.retain(|metric| &*metric.key == "errors");
    let mut stages = safe.stages.clone();
    stages.truncate(3);
    for (stage, whole) in stages.iter_mut().zip([10, 50, 100]) {
        stage.to = leverframe_core::rollout::Target::Share {
            percentage: percent(whole),
        };
    }
    let on_bad = [
        leverframe_core::rollout::OnBad::Close,
        leverframe_core::rollout::OnBad::Close,
        leverframe_core::rollout::OnBad::Retreat,
        leverframe_core::rollout::OnBad::Freeze,
    ];
    Plan {
        key: "quick".into(),
        stages,
        metrics,
        bake_ms: BAKE_MS,
        hold_ms_max: HOLD_MS,
        warm_ms: BAKE_MS,
        settle_ms: 0,
        on_bad: on_bad[chance.index(on_bad.len())],
        page: vec!["pager".into()],
        notify: vec!["pager".into()],
        ..safe
    }
}

fn percent(whole: u32) -> Percentage {
    Percentage::from_thousandths(whole * 1_000).unwrap_or_default()
}

/// The row that the plan's metric is read from.
pub(super) fn series(flag: &str) -> Series {
    Series::new(ENVIRONMENT, flag, "errors")
}
