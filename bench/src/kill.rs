//! `kill`: from the request to the last acknowledgement, durable write included, and what an
//! evaluator costs the server in memory.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::json;

use crate::bare;
use crate::evaluators::Weight;
use crate::process::Process;
use crate::server::{Binary, Data, Server, boolean, confirmation, kill, open, why};
use crate::table::Table;
use crate::timing::quantile;

/// Flags in the environment beside the one that is killed.
const OTHERS: usize = 100;
/// Bytes of the frame that tells of a kill, roughly; what the floor sends.
const FRAME_BYTES: usize = 300;
const FLAG: &str = "new-checkout";
/// Turns that are not measured.
const WARM_UP: usize = 5;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many evaluators; several times for several figures
    #[arg(long, default_values_t = [1, 100, 1_000])]
    evaluators: Vec<usize>,
    /// Kills for each figure
    #[arg(long, default_value_t = 100)]
    repeats: usize,
    /// What the evaluators are
    #[arg(long, value_enum, default_value_t = Weight::Real)]
    weight: Weight,
    #[command(flatten)]
    binary: Binary,
}

pub(crate) fn run(args: &Args) -> Result<Vec<Table>> {
    let mut kills = Table::new(&["kill", "evaluators", "p50 ms", "p99 ms", "max ms"]);
    let mut work = Table::new(&[
        "processor time of one change",
        "evaluators",
        "the server's ms",
        "the evaluators' ms",
    ]);
    let mut memory = Table::new(&[
        "server memory for each evaluator",
        "evaluators",
        "resident KiB",
        "private dirty KiB",
    ]);
    for count in &args.evaluators {
        let floor = floor(*count, args.repeats)?;
        row(
            &mut kills,
            "floor: bare sockets, there and back, no write",
            *count,
            &floor.took_ms,
        );
        worked(&mut work, "floor", *count, &floor.worked);
        let measured = measure(args, *count)?;
        row(
            &mut kills,
            "leverframe, as the server confirms it",
            *count,
            &measured.confirmed_ms,
        );
        row(
            &mut kills,
            "leverframe, seen from outside",
            *count,
            &measured.outside_ms,
        );
        worked(&mut work, "leverframe", *count, &measured.worked);
        let kib = |bytes: f64| format!("{:.1}", bytes / 1024.0);
        memory.row([
            format!("{:?} evaluators", args.weight),
            count.to_string(),
            kib(measured.resident_each),
            kib(measured.dirty_each),
        ]);
    }
    Ok(vec![kills.print(), work.print(), memory.print()])
}

fn row(table: &mut Table, name: &str, count: usize, ms: &[f64]) {
    let quantile = |share| format!("{:.2}", quantile(ms.to_vec(), share));
    table.row([
        name.to_owned(),
        count.to_string(),
        quantile(0.5),
        quantile(0.99),
        quantile(1.0),
    ]);
}

fn worked(table: &mut Table, name: &str, count: usize, worked: &Worked) {
    let ms = |time: Duration| format!("{:.2}", time.as_secs_f64() * 1e3);
    table.row([
        name.to_owned(),
        count.to_string(),
        ms(worked.server),
        ms(worked.evaluators),
    ]);
}

/// Processor time, of both processes on all their threads.
struct Worked {
    server: Duration,
    evaluators: Duration,
}

struct Floor {
    worked: Worked,
    took_ms: Vec<f64>,
}

struct Measured {
    worked: Worked,
    confirmed_ms: Vec<f64>,
    outside_ms: Vec<f64>,
    resident_each: f64,
    dirty_each: f64,
}

fn measure(args: &Args, count: usize) -> Result<Measured> {
    let data = Data::new()?;
    let server = data.serve(&args.binary)?;
    let mut admin = server.admin()?;
    for number in 0..OTHERS {
        let definition = boolean(&format!("other-{number}"));
        admin.post(
            "/api/v1/flags",
            &json!({"definition": definition, "why": why()}),
        )?;
    }
    admin.post(
        "/api/v1/flags",
        &json!({"definition": boolean(FLAG), "why": why()}),
    )?;
    open(&mut admin, FLAG, 100.0)?;
    let token = server.evaluator_token()?;
    let idle = server.memory()?;
    let evaluators = start(&server.address().to_owned(), &token, count, args.weight)?;
    let mut confirmed_ms = Vec::new();
    let mut outside_ms = Vec::new();
    let mut before = (server.worked()?, evaluators.worked()?);
    // The first few warm everybody up.
    for turn in 0..args.repeats + WARM_UP {
        if turn == WARM_UP {
            before = (server.worked()?, evaluators.worked()?);
        }
        let opened = open(&mut admin, FLAG, 100.0)?;
        let state = confirmation(&mut admin, opened)?;
        if state["confirmed"].as_u64() != u64::try_from(count).ok() {
            bail!("not everybody follows: {state}");
        }
        std::thread::sleep(Duration::from_millis(5));
        let started = Instant::now();
        let killed = kill(&mut admin, FLAG)?;
        let said = confirmation(&mut admin, killed)?;
        let outside = started.elapsed();
        if said["state"] != "confirmed" {
            bail!("not confirmed: {said}");
        }
        if turn >= WARM_UP {
            outside_ms.push(outside.as_secs_f64() * 1e3);
            confirmed_ms.push(said["elapsed_ms"].as_f64().context("elapsed_ms")?);
        }
    }
    // Opened and killed.
    let changes = u32::try_from(args.repeats)? * 2;
    let worked = Worked {
        server: (server.worked()? - before.0) / changes,
        evaluators: (evaluators.worked()? - before.1) / changes,
    };
    let (resident_each, dirty_each) = each(&server, idle, count)?;
    drop(evaluators);
    server.stop()?;
    Ok(Measured {
        worked,
        confirmed_ms,
        outside_ms,
        resident_each,
        dirty_each,
    })
}

fn each(server: &Server, idle: crate::process::Memory, count: usize) -> Result<(f64, f64)> {
    let now = server.memory()?;
    let count = count as f64;
    Ok((
        (now.resident - idle.resident) / count,
        (now.private_dirty - idle.private_dirty) / count,
    ))
}

/// Evaluators in a process of their own, all there.
pub(crate) fn start(address: &str, token: &str, count: usize, weight: Weight) -> Result<Process> {
    let weight = match weight {
        Weight::Real => "real",
        Weight::Light => "light",
        Weight::Bare => "bare",
    };
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(["evaluators", address, "--count", &count.to_string()])
        .args(["--weight", weight])
        .env("BENCH_TOKEN", token);
    let (process, line) = Process::start(&mut command)?;
    if line.trim() != "ready" {
        bail!("the evaluators are not ready: {line}");
    }
    Ok(process)
}

fn floor(count: usize, repeats: usize) -> Result<Floor> {
    let mut evaluators = None;
    let floor = bare::there_and_back(count, FRAME_BYTES, repeats + WARM_UP, |address| {
        let started = start(address, "", count, Weight::Bare)?;
        let before = started.worked()?;
        evaluators = Some((started, before));
        Ok(())
    })?;
    let (evaluators, before) = evaluators.context("no evaluators were started")?;
    let all = u32::try_from(repeats + WARM_UP)?;
    Ok(Floor {
        worked: Worked {
            server: floor.worked / all,
            evaluators: (evaluators.worked()? - before) / all,
        },
        took_ms: floor.took_ms[WARM_UP..].to_vec(),
    })
}
