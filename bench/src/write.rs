//! `write`: changes that are acknowledged because they are on disk, one at a time and many at once.

use std::fs::File;
use std::io::Write as _;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use rusqlite::Connection as Sqlite;
use serde_json::json;

use crate::http::Connection;
use crate::server::{Binary, Data, ENVIRONMENT, Server, boolean, open, why};
use crate::table::Table;
use crate::timing::quantile;

/// Bytes that one change adds to a journal, roughly.
const RECORD_BYTES: usize = 400;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Changes one after another
    #[arg(long, default_value_t = 2_000)]
    repeats: usize,
    /// Writers at once
    #[arg(long, default_value_t = 64)]
    writers: usize,
    /// How long they write, in seconds
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    #[command(flatten)]
    binary: Binary,
}

pub(crate) fn run(args: &Args) -> Result<Vec<Table>> {
    let data = Data::new()?;
    let server = data.serve(&args.binary)?;
    let mut admin = server.admin()?;
    for number in 0..args.writers {
        let flag = flag(number);
        admin.post(
            "/api/v1/flags",
            &json!({"definition": boolean(&flag), "why": why()}),
        )?;
        open(&mut admin, &flag, 1.0)?;
    }
    let mut table = Table::new(&["one change, stored and acknowledged", "p50 ms", "p99 ms"]);
    // In turns, so that a disk that is slow for a while is slow for all of them.
    let mut sync = Sync::new(&data)?;
    let mut journal = Journal::new(&data)?;
    let (mut floor, mut sqlite, mut ours) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 0..args.repeats {
        floor.push(timed(|| sync.append())?);
        sqlite.push(timed(|| journal.append())?);
        ours.push(timed(|| ramp(&mut admin, 0, turn))?);
    }
    for (name, ms) in [
        ("floor: append and fdatasync", floor),
        ("floor: SQLite append, WAL, synchronous=FULL", sqlite),
        ("leverframe, over HTTP", ours),
    ] {
        let quantile = |share| format!("{:.3}", quantile(ms.clone(), share));
        table.row([name.to_owned(), quantile(0.5), quantile(0.99)]);
    }
    let alone = table.print();

    let (count, took) = together(args, &server)?;
    let mut table = Table::new(&["writers at once", "changes/s"]);
    table.row([
        args.writers.to_string(),
        format!("{:.0}", count as f64 / took.as_secs_f64()),
    ]);
    server.stop()?;
    Ok(vec![alone, table.print()])
}

fn timed(act: impl FnOnce() -> Result<()>) -> Result<f64> {
    let started = Instant::now();
    act()?;
    Ok(started.elapsed().as_secs_f64() * 1e3)
}

fn flag(number: usize) -> String {
    format!("written-{number}")
}

/// One change that is never the same as the one before.
fn ramp(connection: &mut Connection, number: usize, turn: usize) -> Result<()> {
    let path = format!(
        "/api/v1/flags/{}/environments/{ENVIRONMENT}/ramp",
        flag(number)
    );
    let percentage = 2 + turn % 2;
    connection
        .post(&path, &json!({"percentage": percentage, "why": why()}))
        .map(drop)
}

/// How many changes the writers got acknowledged, and how long that took.
fn together(args: &Args, server: &Server) -> Result<(usize, Duration)> {
    let barrier = Barrier::new(args.writers);
    let wanted = Duration::from_secs(args.seconds);
    let began = Instant::now();
    let counts = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..args.writers)
            .map(|number| {
                let barrier = &barrier;
                scope.spawn(move || -> Result<(usize, Duration)> {
                    let mut connection = server.admin()?;
                    barrier.wait();
                    let started = Instant::now();
                    let mut count = 0;
                    while started.elapsed() < wanted {
                        ramp(&mut connection, number, count)?;
                        count += 1;
                    }
                    Ok((count, started.elapsed()))
                })
            })
            .collect();
        writers
            .into_iter()
            .map(|writer| writer.join().ok().context("a writer panicked")?)
            .collect::<Result<Vec<_>>>()
    })?;
    let longest = counts.iter().map(|(_, took)| *took).max();
    Ok((
        counts.iter().map(|(count, _)| count).sum(),
        longest.unwrap_or_else(|| began.elapsed()),
    ))
}

struct Sync {
    file: File,
}

impl Sync {
    fn new(data: &Data) -> Result<Self> {
        let file = File::create(data.path().join("floor.log"))?;
        Ok(Self { file })
    }

    fn append(&mut self) -> Result<()> {
        self.file.write_all(&[7; RECORD_BYTES])?;
        self.file.sync_data()?;
        Ok(())
    }
}

struct Journal {
    sqlite: Sqlite,
}

impl Journal {
    fn new(data: &Data) -> Result<Self> {
        let sqlite = Sqlite::open(data.path().join("floor.db"))?;
        sqlite.pragma_update(None, "journal_mode", "wal")?;
        sqlite.pragma_update(None, "synchronous", "full")?;
        sqlite.execute(
            "CREATE TABLE entry (revision INTEGER PRIMARY KEY, record BLOB)",
            [],
        )?;
        Ok(Self { sqlite })
    }

    fn append(&mut self) -> Result<()> {
        self.sqlite
            .prepare_cached("INSERT INTO entry (record) VALUES (?1)")?
            .execute([vec![7_u8; RECORD_BYTES]])?;
        Ok(())
    }
}
