//! `eval`: deciding in process, by us, by peers, and by the least that could do.

mod case;
mod engine;
mod floor;

use std::sync::Arc;

use anyhow::Result;

use crate::allocation::calls_of;
use crate::catalogue::Catalogue;
use crate::peers;
use crate::table::Table;
use crate::timing::{Subject, took_ns, two_threads_over_one};
use case::{CASES, Case};
pub(crate) use case::{QUESTIONS, Question};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Turns each subject gets; the median of them counts
    #[arg(long, default_value_t = 201)]
    turns: usize,
    /// Turns of the comparison of two threads with one
    #[arg(long, default_value_t = 15)]
    thread_turns: usize,
    /// Only subjects whose name contains this
    #[arg(long)]
    only: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<Vec<Table>> {
    let mut tables = Vec::new();
    let catalogue = Arc::new(Catalogue::new());
    let contenders = Contenders {
        engine: engine::Engine::new(&catalogue)?,
        floor: floor::Floor::new(&catalogue),
        peers: peers::all(&catalogue),
    };
    for case in CASES {
        let mut subjects = contenders.subjects(&catalogue, *case);
        if let Some(wanted) = &args.only {
            subjects.retain(|subject| subject.name.contains(wanted.as_str()));
        }
        let times = took_ns(&subjects, args.turns);
        let ratios = two_threads_over_one(&subjects, args.thread_turns);
        let mut table = Table::new(&[
            case.title(),
            "ns",
            "best tenth",
            "allocations",
            "two threads over one",
            "on",
        ]);
        for ((subject, took), ratio) in subjects.iter().zip(times).zip(ratios) {
            let (allocations, on) = a_thousand(subject);
            table.row([
                subject.name.clone(),
                format!("{:.1}", took.median),
                format!("{:.1}", took.best_tenth),
                format!("{allocations:.1}"),
                format!("{ratio:.2}"),
                format!("{:.1} %", on * 100.0),
            ]);
        }
        tables.push(table.print());
    }
    Ok(tables)
}

struct Contenders {
    engine: engine::Engine,
    floor: floor::Floor,
    peers: Vec<Box<dyn peers::Peer>>,
}

impl Contenders {
    fn subjects(&self, catalogue: &Catalogue, case: Case) -> Vec<Subject> {
        let questions = case.questions(catalogue);
        let mut subjects = self.floor.subjects(catalogue, case, &questions);
        subjects.extend(self.engine.subjects(catalogue, case, &questions));
        for peer in &self.peers {
            subjects.push(peer.subject(catalogue, case.people(catalogue), &questions));
        }
        subjects
    }
}

/// Allocations for one evaluation, and the share of answers that were on.
fn a_thousand(subject: &Subject) -> (f64, f64) {
    const COUNT: usize = 4_096;
    let mut worker = (subject.factory)();
    let mut on = worker(COUNT);
    let calls = calls_of(|| on = worker(COUNT));
    (calls as f64 / COUNT as f64, on as f64 / COUNT as f64)
}
