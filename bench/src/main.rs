//! Figures: Leverframe, its peers and the floors under both, measured in one run.
//! docs/explanation/performance.md says what is measured and what came out.

mod all;
mod allocation;
mod bare;
mod catalogue;
mod eval;
mod evaluators;
mod goals;
mod http;
mod kill;
mod load;
mod machine;
mod ofrep;
mod ours;
mod peers;
mod process;
mod server;
mod set;
mod table;
mod timing;
mod write;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(about)]
struct Arguments {
    #[command(subcommand)]
    figure: Figure,
}

#[derive(Debug, Subcommand)]
enum Figure {
    /// Deciding in process: time, allocations, threads, counting
    Eval(eval::Args),
    /// Loading the set, and what it takes in memory
    Load(load::Args),
    /// From a kill's request to its last acknowledgement
    Kill(kill::Args),
    /// Changes that are stored: one at a time, and many writers at once
    Write(write::Args),
    /// A server with the whole set: memory, and start to first answer
    Set(set::Args),
    /// Deciding over HTTP, one flag and all of them
    Ofrep(ofrep::Args),
    /// All of these, and every goal beside what came out
    All(all::Args),
    /// Evaluators in a process of their own; started by the other figures
    #[command(hide = true)]
    Evaluators(evaluators::Args),
    /// The floor under deciding over HTTP; started by its figure
    #[command(hide = true)]
    BareHttp,
}

fn main() -> Result<()> {
    let figure = Arguments::parse().figure;
    if !matches!(figure, Figure::Evaluators(_) | Figure::BareHttp) {
        println!("machine: {}\n", machine::describe());
    }
    match figure {
        Figure::Eval(args) => eval::run(&args).map(drop),
        Figure::Load(args) => load::run(&args).map(drop),
        Figure::Kill(args) => kill::run(&args).map(drop),
        Figure::Write(args) => write::run(&args).map(drop),
        Figure::Set(args) => set::run(&args).map(drop),
        Figure::Ofrep(args) => ofrep::run(&args).map(drop),
        Figure::All(args) => all::run(&args),
        Figure::Evaluators(args) => evaluators::run(args),
        Figure::BareHttp => bare::serve_http(),
    }
}
