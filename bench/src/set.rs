//! `set`: a server with the whole catalogue: its memory, and its start to the first right answer.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::json;

use crate::catalogue::{Catalogue, Shape};
use crate::evaluators::Weight;
use crate::http::Connection;
use crate::server::{Binary, Data, Server};
use crate::table::Table;
use crate::timing::median;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Starts that are timed
    #[arg(long, default_value_t = 7)]
    repeats: usize,
    /// Evaluators that hold the whole set, for the memory each costs the server
    #[arg(long, default_value_t = 100)]
    evaluators: usize,
    #[command(flatten)]
    binary: Binary,
}

pub(crate) fn run(args: &Args) -> Result<Vec<Table>> {
    let catalogue = Catalogue::new();
    let data = Data::new()?;
    let server = data.serve(&args.binary)?;
    let began = Instant::now();
    server.fill(&catalogue)?;
    println!("filled in {:.1} s\n", began.elapsed().as_secs_f64());
    let token = server.evaluator_token()?;
    server.stop()?;

    let mut starts = Vec::new();
    let mut table = Table::new(&["a server with 10 000 flags", "figure"]);
    for turn in 0..args.repeats {
        let server = data.serve(&args.binary)?;
        starts.push(first_answer(&server, &catalogue, &token)?);
        if turn + 1 == args.repeats {
            memory(&mut table, args, &server, &token)?;
        }
        server.stop()?;
    }
    table.row([
        "process start to first right answer, ms".to_owned(),
        format!("{:.0}", median(starts)),
    ]);
    Ok(vec![table.print()])
}

/// Milliseconds from the start of the process to its first right answer over OFREP.
fn first_answer(server: &Server, catalogue: &Catalogue, token: &str) -> Result<f64> {
    let layered = catalogue
        .flags
        .iter()
        .find(|flag| flag.shape == Shape::Layered)
        .map_or("", |flag| flag.key.as_str());
    let mut connection = Connection::open(server.address(), token)?;
    let context = json!({"targetingKey": catalogue.last_layer[0].unit});
    let answer = connection.post(
        &format!("/ofrep/v1/evaluate/flags/{layered}"),
        &json!({"context": context}),
    )?;
    let took = server.started().elapsed();
    if answer["value"] != true {
        bail!("a wrong answer: {answer}");
    }
    Ok(took.as_secs_f64() * 1e3)
}

fn memory(table: &mut Table, args: &Args, server: &Server, token: &str) -> Result<()> {
    std::thread::sleep(Duration::from_secs(2));
    let megabytes = |bytes: f64| format!("{:.1}", bytes / 1e6);
    let idle = server.memory()?;
    table.row(["idle, resident MB".to_owned(), megabytes(idle.resident)]);
    table.row([
        "idle, private dirty MB".to_owned(),
        megabytes(idle.private_dirty),
    ]);
    let evaluators = crate::kill::start(server.address(), token, args.evaluators, Weight::Light)?;
    std::thread::sleep(Duration::from_secs(2));
    let connected = server.memory()?;
    let each = |after: f64, before: f64| {
        format!("{:.1}", (after - before) / 1024.0 / args.evaluators as f64)
    };
    table.row([
        format!("for each of {} evaluators, resident KiB", args.evaluators),
        each(connected.resident, idle.resident),
    ]);
    table.row([
        format!(
            "for each of {} evaluators, private dirty KiB",
            args.evaluators
        ),
        each(connected.private_dirty, idle.private_dirty),
    ]);
    drop(evaluators);
    Ok(())
}
