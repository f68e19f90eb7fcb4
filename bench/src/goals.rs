//! The goals, each beside its figure. Figures are looked up in the tables that were printed, so that
//! what is judged is what was shown.

use anyhow::{Context as _, Result};

use crate::table::Table;

/// What is wanted of one figure.
struct Goal {
    work: &'static str,
    bound: Bound,
    /// A part of the title of its table, the beginning of its row, and its column.
    title: &'static str,
    row: &'static str,
    column: &'static str,
    /// The row of the floor in the same table.
    floor: Option<&'static str>,
}

#[derive(Clone, Copy)]
enum Bound {
    AtMost(f64),
    AtLeast(f64),
    /// As a share of the floor.
    OfTheFloor(f64),
    /// No worse than the best peer of the same table.
    AtMostThePeer,
    /// At most this much more than another row.
    Beyond(&'static str, f64),
}

impl Goal {
    const fn of(
        work: &'static str,
        bound: Bound,
        title: &'static str,
        row: &'static str,
        column: &'static str,
        floor: Option<&'static str>,
    ) -> Self {
        Self {
            work,
            bound,
            title,
            row,
            column,
            floor,
        }
    }
}

/// How the rows of peers begin.
const PEERS: [&str; 4] = ["unleash", "eppo", "launchdarkly", "flagd"];
const ENGINE: &str = "leverframe engine, by name";
const NUMBER: &str = "leverframe engine, by number";
const CLIENT: &str = "leverframe client, by name, counted";
const CONFIRMED: [&str; 3] = [
    "leverframe, as the server confirms it | 1 |",
    "leverframe, as the server confirms it | 100 |",
    "leverframe, as the server confirms it | 1000 |",
];
const BARE: [Option<&str>; 3] = [
    Some("floor: bare sockets, there and back, no write | 1 |"),
    Some("floor: bare sockets, there and back, no write | 100 |"),
    Some("floor: bare sockets, there and back, no write | 1000 |"),
];
const BY_NAME: Option<&str> = Some("floor, by name");
const BY_NUMBER: Option<&str> = Some("floor, by number");
const PARSED: Option<&str> = Some("floor: our text parsed");
const AXUM: Option<&str> = Some("floor: bare axum");
const SYNCED: Option<&str> = Some("floor: append and fdatasync");

#[rustfmt::skip] // A table, one line a goal.
const GOALS: &[Goal] = &[
    Goal::of("evaluate (i) by name, ns", Bound::AtMost(30.0), "(i) plain boolean, 6 000", ENGINE, "ns", BY_NAME),
    Goal::of("evaluate (i) by handle, ns", Bound::AtMost(6.0), "(i) plain boolean, 6 000", NUMBER, "ns", BY_NUMBER),
    Goal::of("evaluate (ii) by name, ns", Bound::AtMost(60.0), "(ii) attribute rule, then 50/50 by unit, 3 000", ENGINE, "ns", BY_NAME),
    Goal::of("evaluate (ii) by handle, ns", Bound::AtMost(35.0), "(ii) attribute rule, then 50/50 by unit, 3 000", NUMBER, "ns", BY_NUMBER),
    Goal::of("evaluate (ii), one flag, by name, ns", Bound::AtMost(60.0), "(ii) attribute rule, then 50/50 by unit, one", ENGINE, "ns", BY_NAME),
    Goal::of("evaluate (ii), one flag, by handle, ns", Bound::AtMost(35.0), "(ii) attribute rule, then 50/50 by unit, one", NUMBER, "ns", BY_NUMBER),
    Goal::of("evaluate (iii) by name, ns", Bound::AtMost(60.0), "(iii)", ENGINE, "ns", BY_NAME),
    Goal::of("allocations of an evaluation", Bound::AtMost(0.0), "(ii) attribute rule, then 50/50 by unit, 3 000", CLIENT, "allocations", None),
    Goal::of("counting, ns more", Bound::Beyond(ENGINE, 15.0), "(i) plain boolean, 6 000", CLIENT, "ns", None),
    Goal::of("two threads over one, counting", Bound::AtLeast(1.9), "(i) plain boolean, 6 000", CLIENT, "two threads over one", None),
    Goal::of("load from JSON, ms", Bound::AtMost(35.0), "load 10 000", "leverframe engine, from JSON", "ms", PARSED),
    Goal::of("load our own snapshot, ms", Bound::AtMost(10.0), "load 10 000", "leverframe client, own snapshot", "ms", None),
    Goal::of("heap for a flag, bytes", Bound::AtMost(1_000.0), "heap held, whole set", "leverframe engine", "bytes a flag", None),
    Goal::of("process start to first right answer, ms", Bound::AtMost(80.0), "a server with 10 000", "process start", "figure", None),
    Goal::of("server memory with the set, idle, MB", Bound::AtMost(40.0), "a server with 10 000", "idle, resident", "figure", None),
    Goal::of("OFREP one flag, of the floor", Bound::OfTheFloor(0.85), "one flag of 10 000", "leverframe", "requests/s", AXUM),
    Goal::of("OFREP one flag, p99 ms", Bound::AtMostThePeer, "one flag of 10 000", "leverframe", "p99 ms", AXUM),
    Goal::of("OFREP bulk of 10, requests/s", Bound::AtLeast(58_000.0), "all of 10 flags", "leverframe", "requests/s", None),
    Goal::of("OFREP bulk of 10 000, requests/s", Bound::AtLeast(600.0), "all of 10 000 flags", "leverframe", "requests/s", None),
    Goal::of("kill, 1 evaluator, p50 ms", Bound::AtMost(1.0), "kill", CONFIRMED[0], "p50 ms", BARE[0]),
    Goal::of("kill, 100 evaluators, p50 ms", Bound::AtMost(4.0), "kill", CONFIRMED[1], "p50 ms", BARE[1]),
    Goal::of("kill, 1 000 evaluators, p50 ms", Bound::AtMost(16.0), "kill", CONFIRMED[2], "p50 ms", BARE[2]),
    Goal::of("server memory for an evaluator, KiB", Bound::AtMost(8.0), "server memory for each", "Real evaluators | 1000 |", "resident KiB", None),
    Goal::of("one change, p50 ms", Bound::AtMost(0.5), "one change, stored", "leverframe", "p50 ms", SYNCED),
    Goal::of("64 writers, changes/s", Bound::AtLeast(5_000.0), "writers at once", "64 |", "changes/s", None),
];

/// Every goal, beside what the tables say of it.
pub(crate) fn judged(tables: &[Table]) -> Result<Table> {
    let mut result = Table::new(&["work", "goal", "measured", "floor", "best peer", "met"]);
    for goal in GOALS {
        let table = tables
            .iter()
            .find(|table| table.title().contains(goal.title))
            .with_context(|| format!("no table {:?}", goal.title))?;
        let at = |row: &str| {
            table
                .figure(row, goal.column)
                .with_context(|| format!("no row {row:?} in {:?}", goal.title))
        };
        let found = at(goal.row)?;
        let floor = goal.floor.map(at).transpose()?;
        let peers = table.figures(&PEERS, goal.column);
        let is_more_better = matches!(goal.bound, Bound::AtLeast(_) | Bound::OfTheFloor(_));
        let peer = peers.into_iter().reduce(|one, other| {
            if (one > other) == is_more_better {
                one
            } else {
                other
            }
        });
        let (wanted, measured, is_met) = match goal.bound {
            Bound::AtMost(most) => (format!("≤ {most}"), found, found <= most),
            Bound::AtLeast(least) => (format!("≥ {least}"), found, found >= least),
            Bound::OfTheFloor(share) => {
                let measured = found / floor.context("a share of the floor needs one")?;
                (format!("≥ {share}"), measured, measured >= share)
            }
            Bound::AtMostThePeer => (
                "≤ the peer's".to_owned(),
                found,
                peer.is_some_and(|peer| found <= peer),
            ),
            Bound::Beyond(row, most) => {
                let measured = found - at(row)?;
                (format!("≤ +{most}"), measured, measured <= most)
            }
        };
        let shown = |figure: Option<f64>| figure.map_or_else(|| "–".to_owned(), short);
        result.row([
            goal.work.to_owned(),
            wanted,
            short(measured),
            shown(floor),
            shown(peer),
            if is_met { "yes" } else { "NO" }.to_owned(),
        ]);
    }
    Ok(result)
}

fn short(figure: f64) -> String {
    if figure.abs() >= 100.0 {
        format!("{figure:.0}")
    } else if figure.abs() >= 10.0 {
        format!("{figure:.1}")
    } else {
        format!("{figure:.2}")
    }
}
