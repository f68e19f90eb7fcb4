//! The engine that decides rollouts, run on seeded traffic beside the fixed rules that others use: how
//! often each takes a good release back, and how soon it finds a bad one. Knows no server and no clock.

mod chance;
mod engine;
mod outcome;
mod report;
mod rules;
mod situation;
mod traffic;

pub(crate) use outcome::Share;
pub(crate) use report::{Report, report};

use std::num::NonZero;
use std::thread;

use engine::Engine;
use outcome::{Outcome, Tallied};
use rules::Rule;
use situation::Situation;

/// How many runs, and from which seed on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    pub(crate) runs: u32,
    pub(crate) seed: u64,
}

/// What every rule made of a situation, the engine first.
fn run_all(situation: &Situation, rules: &[Rule], extent: Extent) -> Vec<Tallied> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let parts: Vec<Vec<Vec<Outcome>>> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|worker| {
                scope.spawn(move || {
                    let mine = (0..extent.runs).skip(worker).step_by(threads);
                    mine.map(|run| one(situation, rules, extent.seed, run))
                        .collect()
                })
            })
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_default())
            .collect()
    });
    let mut all = vec![Vec::new(); rules.len() + 1];
    for outcomes in parts.into_iter().flatten() {
        for (rule, outcome) in outcomes.into_iter().enumerate() {
            if let Some(list) = all.get_mut(rule) {
                list.push(outcome);
            }
        }
    }
    all.into_iter().map(Tallied::of).collect()
}

/// One run: the same seed for each rule, so that all see the same luck.
fn one(situation: &Situation, rules: &[Rule], seed: u64, run: u32) -> Vec<Outcome> {
    let seed = seed
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .wrapping_add(u64::from(run));
    let engine = std::iter::once(Engine::run(situation, seed));
    engine
        .chain(rules.iter().map(|rule| rule.run(situation, seed)))
        .collect()
}
