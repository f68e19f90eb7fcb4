//! Rollouts in a few words: a small plan, a start as `ana` would give it, and what a tick may see.

use leverframe_core::analysis::{Counts, EValue, Finding, Judgement, Share};
use leverframe_core::command::{PlanChoice, Survey, Terms};
use leverframe_core::rollout::{
    Both, Detail, Inconclusive, Measure, Metric, Observation, OnBad, Part, Phase, Plan, Reading,
    Rollout, Sight, Stage, Standing, Steer, Target,
};
use leverframe_core::{Command, Decision, Rejection};
use leverframe_flags::SegmentKey;

use crate::world::{World, key, percent};

pub(crate) const BAKE_MS: i64 = 600_000;
pub(crate) const HOLD_MS: i64 = 3_600_000;

/// 5, 25 and 100 %, watched by `errors`, with an hour of warm time.
pub(crate) fn plan(name: &str) -> Plan {
    Plan {
        key: name.into(),
        stages: ["5", "25", "100"].map(share).into(),
        bake_ms: BAKE_MS,
        hold_ms_max: HOLD_MS,
        metrics: vec![Metric {
            key: "errors".into(),
            standing: Standing::Convicts,
            tolerance: 1.2,
            tolerable: 0.001,
            ceiling: None,
            measure: Measure::Outcomes {
                name: "errors".into(),
            },
        }],
        on_bad: OnBad::Close,
        inconclusive: Inconclusive::Ask,
        hold_back: percent("1"),
        warm_ms: HOLD_MS,
        settle_ms: 0,
        notify: vec!["chat".into()],
        page: vec!["pager".into()],
    }
}

pub(crate) fn share(text: &str) -> Stage {
    stage(Target::Share {
        percentage: percent(text),
    })
}

pub(crate) fn cohort(name: &str) -> Stage {
    stage(Target::Cohorts {
        cohorts: [key::<SegmentKey>(name)].into(),
    })
}

pub(crate) fn look(by: &str) -> Stage {
    stage(Target::Look {
        by: by.into(),
        links: vec!["https://example.org/board".into()],
    })
}

pub(crate) fn stage(to: Target) -> Stage {
    Stage {
        to,
        bake_ms: None,
        hold_ms_max: None,
        margin: None,
    }
}

pub(crate) fn start(flag: &str, environment: &str, plan: Plan) -> Command {
    start_with(flag, environment, plan, Terms::default())
}

pub(crate) fn start_with(flag: &str, environment: &str, plan: Plan, terms: Terms) -> Command {
    Command::StartRollout {
        flag: key(flag),
        environment: key(environment),
        plan: PlanChoice::Inline(Box::new(plan)),
        terms,
        survey: Box::new(Survey {
            builds: ["1.0".into()].into(),
            ..Survey::default()
        }),
    }
}

pub(crate) fn rollback(flag: &str, environment: &str) -> Command {
    Command::Rollback {
        flag: key(flag),
        environment: key(environment),
    }
}

/// A tick that knows nothing but that nothing is wrong, at the world's time.
pub(crate) fn glance(world: &World, rollout: &Rollout, finding: Finding) -> Observation {
    let flag = world.state.flag(rollout.flag.as_str()).unwrap();
    let lever = flag.lever(rollout.environment.as_str());
    let metrics = rollout.plan.metrics.iter();
    Observation {
        now: world.now,
        looked_since: rollout.since,
        move_revision: rollout.moves.last().unwrap().revision,
        lever_revision: lever.map_or(0, |lever| lever.moved_revision),
        is_frozen: false,
        analysed_ms: world.now.ms_since(rollout.since),
        sights: metrics
            .map(|metric| Sight {
                metric: metric.key.clone(),
                reading: judged(finding),
            })
            .collect(),
        new_build: None,
        share: Share::AsMeant,
        both: Both::default(),
        users_hit: 0,
    }
}

fn judged(finding: Finding) -> Reading {
    Reading::Judged {
        judgement: Judgement {
            finding,
            harm: None,
            total: Counts::default(),
            stage: Counts::default(),
            e_bad: EValue::NOTHING,
            e_ok: EValue::NOTHING,
        },
        detail: Detail::default(),
    }
}

impl World {
    /// Starts a rollout as `ana` would: with a reason, having looked. Its name.
    pub(crate) fn roll(&mut self, flag: &str, environment: &str, plan: Plan) -> Box<str> {
        let seen = self.etag(flag, environment);
        let command = start(flag, environment, plan);
        self.by("ana").because("launch").seen(seen).done(command);
        self.running(flag, environment).id.clone()
    }

    pub(crate) fn running(&self, flag: &str, environment: &str) -> &Rollout {
        self.state
            .running_of(&key(flag), &key(environment))
            .unwrap()
    }

    pub(crate) fn rollout(&self, id: &str) -> &Rollout {
        self.state.rollout(id).unwrap()
    }

    pub(crate) fn stage_of(&self, id: &str) -> Option<usize> {
        match self.rollout(id).phase {
            Phase::Stage { index, .. } => Some(index),
            _ => None,
        }
    }

    /// A tick sees this, and what follows from it is made.
    pub(crate) fn observe(
        &mut self,
        id: &str,
        see: impl FnOnce(&mut Observation),
    ) -> Result<Decision, Rejection> {
        let mut seen = glance(self, self.rollout(id), Finding::Learning);
        see(&mut seen);
        self.by_system().ask(observe(id, seen))
    }

    /// The bake is over and everything is proved.
    pub(crate) fn prove(&mut self, id: &str) -> u64 {
        self.later(BAKE_MS);
        let seen = glance(self, self.rollout(id), Finding::Ok);
        self.by_system().done(observe(id, seen))
    }

    /// The release is convicted.
    pub(crate) fn convict(&mut self, id: &str) -> u64 {
        self.later(1_000);
        let seen = glance(self, self.rollout(id), Finding::Bad);
        self.by_system().done(observe(id, seen))
    }

    pub(crate) fn steer(
        &mut self,
        who: &str,
        id: &str,
        steer: Steer,
    ) -> Result<Decision, Rejection> {
        self.later(1_000);
        self.by(who)
            .because("because")
            .ask(steered(id, steer, None))
    }
}

pub(crate) fn observe(id: &str, seen: Observation) -> Command {
    Command::Observe {
        rollout: id.into(),
        seen: Box::new(seen),
    }
}

pub(crate) fn steered(id: &str, steer: Steer, seen: Option<Observation>) -> Command {
    Command::SteerRollout {
        rollout: id.into(),
        steer,
        seen: seen.map(Box::new),
    }
}

pub(crate) fn baking(index: usize) -> Phase {
    Phase::Stage {
        index,
        part: Part::Baking,
    }
}
