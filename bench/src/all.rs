//! `all`: every figure with its defaults, one after another, and then the goals.

use anyhow::Result;
use clap::Parser;

use crate::table::Table;
use crate::{eval, goals, kill, load, ofrep, set, write};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    ofrep: ofrep::Args,
}

/// A figure's arguments as if none were given.
#[derive(Debug, Parser)]
struct Defaults<A: clap::Args> {
    #[command(flatten)]
    args: A,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let mut tables: Vec<Table> = Vec::new();
    tables.extend(eval::run(&defaults())?);
    tables.extend(load::run(&defaults())?);
    tables.extend(kill::run(&defaults())?);
    tables.extend(write::run(&defaults())?);
    tables.extend(set::run(&defaults())?);
    tables.extend(ofrep::run(&args.ofrep)?);
    goals::judged(&tables)?.print();
    Ok(())
}

fn defaults<A: clap::Args>() -> A {
    Defaults::parse_from(["bench"]).args
}
