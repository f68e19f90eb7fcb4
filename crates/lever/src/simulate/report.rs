//! What is simulated and what came of it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::outcome::{End, Share, Tallied};
use super::rules::{RULES, Rule};
use super::situation::Situation;
use super::{Extent, run_all};

/// Everything.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Report {
    pub(crate) runs: u32,
    pub(crate) seed: u64,
    pub(crate) plan: &'static str,
    /// A row a rule, ours first, at 3 000 requests a minute and a base rate of 1 %.
    pub(crate) rows: Vec<RuleRow>,
    /// The engine in other situations.
    pub(crate) situations: Vec<SituationRow>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct RuleRow {
    pub(crate) rule: &'static str,
    /// Good releases that were taken back.
    pub(crate) false_rollback: Share,
    /// The same, with five users for whom everything fails.
    pub(crate) broken_users: Share,
    /// The same, with requests in bursts of five.
    pub(crate) bursts: Share,
    /// Good releases that were taken back because both arms failed.
    pub(crate) shared_outage: Share,
    /// Bad releases that were taken back, by how many times as bad they are.
    pub(crate) detected: BTreeMap<&'static str, Share>,
    /// How long that took, in the median.
    pub(crate) median_minutes: BTreeMap<&'static str, Option<f64>>,
    /// How many users it hit, in the median.
    pub(crate) users_hit: BTreeMap<&'static str, Option<f64>>,
}

/// The engine in one situation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct SituationRow {
    pub(crate) situation: &'static str,
    pub(crate) runs: usize,
    pub(crate) convicted: Share,
    /// Went back a step as a precaution at least once; convicts nobody.
    pub(crate) retreated: Share,
    /// Asked a person, because nothing could be proved.
    pub(crate) inconclusive: Share,
    /// Went through all stages by itself.
    pub(crate) through: Share,
    /// How long that took, in the median.
    pub(crate) median_minutes: Option<f64>,
}

const GOOD: Situation = Situation::GOOD;
const TIMES: [(&str, f64); 3] = [("2x", 2.0), ("5x", 5.0), ("20x", 20.0)];

/// Runs everything, telling what it is at.
pub(crate) fn report(extent: Extent, tell: &dyn Fn(&str)) -> Report {
    let run = |name: &'static str, situation: Situation, rules: &[Rule]| {
        tell(name);
        run_all(&situation, rules, extent)
    };
    let good = run("a good release", GOOD, &RULES);
    let outage = run("an outage of both arms", Situation::OUTAGE, &RULES);
    let broken_users = Situation {
        broken_users: 5,
        ..GOOD
    };
    let broken = run("five users for whom everything fails", broken_users, &RULES);
    let bursts = run(
        "requests in bursts of five",
        Situation { burst: 5, ..GOOD },
        &RULES,
    );
    let worse = TIMES.map(|(name, times)| (name, run(name, Situation::worse(times), &RULES)));
    let names = std::iter::once("leverframe, plan safe").chain(RULES.iter().map(|rule| rule.name));
    let rows = names.enumerate().filter_map(|(index, rule)| {
        let found = |of: &dyn Fn(&Tallied) -> Option<f64>| {
            worse
                .iter()
                .filter_map(|(name, all)| Some((*name, of(all.get(index)?))))
                .collect()
        };
        Some(RuleRow {
            rule,
            false_rollback: good.get(index)?.convicted(),
            broken_users: broken.get(index)?.convicted(),
            bursts: bursts.get(index)?.convicted(),
            shared_outage: outage.get(index)?.convicted(),
            detected: worse
                .iter()
                .filter_map(|(name, all)| Some((*name, all.get(index)?.convicted())))
                .collect(),
            median_minutes: found(&|all| all.median(End::Convicted, |one| one.minutes)),
            #[expect(clippy::cast_precision_loss, reason = "users of an hour")]
            users_hit: found(&|all| all.median(End::Convicted, |one| one.users_hit as f64)),
        })
    });
    let rows = rows.collect();
    let fewer = Extent {
        runs: extent.runs.div_ceil(4),
        ..extent
    };
    let known = [
        ("good release", &good),
        ("outage of both arms", &outage),
        ("five permanently broken users", &broken),
        ("bursts of five", &bursts),
    ];
    let known = known
        .into_iter()
        .filter_map(|(name, all)| Some(situation_row(name, all.first()?)));
    let other = |name: &'static str, situation: Situation| {
        tell(name);
        situation_row(name, run_all(&situation, &[], fewer).first()?).into()
    };
    let at = |requests_per_minute: f64, base_rate: f64| Situation {
        requests_per_minute,
        base_rate,
        ..GOOD
    };
    let others: [(&'static str, Situation); 7] = [
        ("good, 300 requests/min", at(300.0, 0.01)),
        ("good, 60 requests/min", at(60.0, 0.01)),
        ("good, base rate 0.1 %", at(3_000.0, 0.001)),
        ("good, 300 requests/min, base rate 0.1 %", at(300.0, 0.001)),
        ("clean service, no errors at all", at(3_000.0, 0.0)),
        (
            "5x, 300 requests/min",
            Situation {
                times: 5.0,
                ..at(300.0, 0.01)
            },
        ),
        (
            "20x, 60 requests/min",
            Situation {
                times: 20.0,
                ..at(60.0, 0.01)
            },
        ),
    ];
    let others: Vec<Option<SituationRow>> = others
        .into_iter()
        .map(|(name, situation)| other(name, situation))
        .collect();
    Report {
        runs: extent.runs,
        seed: extent.seed,
        plan: "safe",
        rows,
        situations: known.chain(others.into_iter().flatten()).collect(),
    }
}

fn situation_row(situation: &'static str, all: &Tallied) -> SituationRow {
    SituationRow {
        situation,
        runs: all.runs(),
        convicted: all.convicted(),
        retreated: all.share(|one| one.retreats > 0),
        inconclusive: all.share(|one| one.inconclusive),
        through: all.share(|one| one.end == End::Through),
        median_minutes: all
            .median(End::Through, |one| one.minutes)
            .or_else(|| all.median(End::Convicted, |one| one.minutes)),
    }
}
