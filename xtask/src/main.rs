//! The project's own commands: `cargo xtask test`, `soak`, `tidy`, `codegen`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command for people: it prints"
)]
#![cfg_attr(test, expect(clippy::unwrap_used, reason = "a test may panic"))]

mod bench;
mod codegen;
mod fuzz;
mod need;
mod outcome;
mod program;
mod report;
mod soak;
mod step;
mod tidy;
mod tree;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::bench::Bench;

/// Builds, checks and tests Leverframe.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Runs every check and test; installs what it needs by package name, and says what.
    Test {
        /// Only this step; may be given several times.
        #[arg(long, value_name = "STEP")]
        only: Vec<String>,
        /// Lists the steps and what they need.
        #[arg(long)]
        list: bool,
    },
    /// Runs what takes long: faults made on purpose, crowds, and load for twenty minutes.
    Soak {
        /// Only this part; may be given several times.
        #[arg(long, value_name = "PART")]
        only: Vec<String>,
        /// How long the load goes on, in minutes.
        #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
        minutes: u64,
        /// The seed to repeat; any other every time when absent.
        #[arg(long)]
        seed: Option<u64>,
        /// Lists the parts and what they need.
        #[arg(long)]
        list: bool,
    },
    /// Checks what no compiler checks: dependency law, licences, file sizes, links, pages.
    Tidy,
    /// Rewrites every page that is made from the code.
    Codegen,
    /// Fuzzes every target of `fuzz/` for a while, or one. Needs cargo-fuzz and a nightly toolchain.
    Fuzz {
        /// The one target.
        target: Option<String>,
        /// For how long each.
        #[arg(long, default_value_t = 60)]
        seconds: u32,
    },
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().task {
        Task::Test { list: true, .. } => {
            step::list();
            Ok(true)
        }
        Task::Test { only, .. } => step::run_all(&Bench::new(), &only),
        Task::Soak { list: true, .. } => {
            soak::list();
            Ok(true)
        }
        Task::Soak {
            only,
            minutes,
            seed,
            ..
        } => soak::run_all(&Bench::new(), &only, &soak::Wish { minutes, seed }),
        Task::Tidy => tidy::run_alone(&Bench::new()),
        Task::Fuzz { target, seconds } => {
            fuzz::run_alone(&Bench::new(), target.as_deref(), seconds)
        }
        Task::Codegen => codegen::run(&Bench::new()).map(|()| true),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
