//! `load`: from text to a rule set that answers, and what that holds in memory.

use std::any::Any;
use std::hint::black_box;

use anyhow::Result;
use leverframe::Client;
use serde::de::IgnoredAny;

use crate::allocation::bytes_of;
use crate::catalogue::{Catalogue, FLAGS};
use crate::table::Table;
use crate::timing::medians_ms;
use crate::{ours, peers};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Turns each subject gets; the median of them counts
    #[arg(long, default_value_t = 21)]
    turns: usize,
}

pub(crate) fn run(args: &Args) -> Result<Vec<Table>> {
    let catalogue = Catalogue::new();
    Ok(vec![
        times(&catalogue, args.turns)?,
        memory(&catalogue, true)?,
        memory(&catalogue, false)?,
    ])
}

fn times(catalogue: &Catalogue, turns: usize) -> Result<Table> {
    let directory = tempfile::tempdir()?;
    let frame = ours::snapshot(catalogue, true)?;
    let (bare, slot) = ours::write_snapshots(directory.path(), &frame)?;
    let size = frame.len();
    let slot_size = usize::try_from(std::fs::metadata(&slot)?.len())?;
    let mut subjects: Vec<(String, usize, Box<dyn FnMut()>)> = vec![
        ("floor: our text scanned, nothing kept".to_owned(), size, {
            let frame = frame.clone();
            Box::new(move || {
                black_box(serde_json::from_str::<IgnoredAny>(&frame).is_ok());
            })
        }),
        ("floor: our text parsed to values".to_owned(), size, {
            let frame = frame.clone();
            Box::new(move || {
                black_box(serde_json::from_str::<serde_json::Value>(&frame).is_ok());
            })
        }),
        ("leverframe engine, from JSON".to_owned(), size, {
            let frame = frame.clone();
            Box::new(move || {
                black_box(ours::rule_set(&frame).is_ok());
            })
        }),
        (
            "leverframe client, from a file of JSON".to_owned(),
            size,
            Box::new(move || {
                black_box(Client::offline(&bare).is_ok());
            }),
        ),
        (
            "leverframe client, own snapshot".to_owned(),
            slot_size,
            Box::new(move || {
                black_box(Client::offline(&slot).is_ok());
            }),
        ),
    ];
    for loading in peers::loadings(catalogue, true)? {
        let size = loading.text.len();
        subjects.push((
            loading.name.to_owned(),
            size,
            Box::new(move || {
                black_box((loading.load)(&loading.text).is_ok());
            }),
        ));
    }
    let sizes: Vec<usize> = subjects.iter().map(|(_, size, _)| *size).collect();
    let mut work: Vec<(String, Box<dyn FnMut()>)> = subjects
        .into_iter()
        .map(|(name, _, work)| (name, work))
        .collect();
    let medians = medians_ms(&mut work, turns);
    let mut table = Table::new(&["load 10 000 flags, 1 010 segments", "ms", "MB"]);
    for (((name, _), ms), size) in work.iter().zip(medians).zip(sizes) {
        table.row([
            name.clone(),
            format!("{ms:.1}"),
            format!("{:.1}", size as f64 / 1e6),
        ]);
    }
    Ok(table.print())
}

fn memory(catalogue: &Catalogue, with_segments: bool) -> Result<Table> {
    let title = if with_segments {
        "heap held, whole set"
    } else {
        "heap held, flags without segments"
    };
    let flags = if with_segments {
        FLAGS
    } else {
        FLAGS / 10 * 9 - 1
    };
    let mut table = Table::new(&[title, "MB", "bytes a flag"]);
    let mut row = |name: &str, bytes: i64| {
        table.row([
            name.to_owned(),
            format!("{:.1}", bytes as f64 / 1e6),
            format!("{:.0}", bytes as f64 / flags as f64),
        ]);
    };
    let frame = ours::snapshot(catalogue, with_segments)?;
    let (held, bytes) = bytes_of(|| ours::rule_set(&frame));
    row("leverframe engine", bytes);
    drop(held);
    let directory = tempfile::tempdir()?;
    let (bare, _) = ours::write_snapshots(directory.path(), &frame)?;
    let (held, bytes) = bytes_of(|| Client::offline(bare));
    row("leverframe client", bytes);
    drop(held);
    for loading in peers::loadings(catalogue, with_segments)? {
        let (held, bytes): (Result<Box<dyn Any>>, i64) = bytes_of(|| (loading.load)(&loading.text));
        row(loading.name, bytes);
        drop(held);
    }
    Ok(table.print())
}
