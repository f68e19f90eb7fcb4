//! Many seeds. `LEVER_SIM_SEEDS` says how many, `LEVER_SIM_SEED` where they begin.

use leverframe_sim::{Profile, Report, World};

/// How many seeds there are without anybody saying so.
const SEEDS: u64 = 1_000;
/// Into how many tests they are divided, so that the harness runs them side by side.
const PARTS: u64 = 4;

/// Lives through one part of the seeds.
fn live(part: u64) -> Report {
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse::<u64>().ok())
    };
    let first = number("LEVER_SIM_SEED").unwrap_or(1);
    let seeds = number("LEVER_SIM_SEEDS").unwrap_or(SEEDS);
    let mine = (0..seeds).filter(|seed| seed % PARTS == part);
    let mut report = Report::default();
    let mut lived = 0;
    for seed in mine.map(|seed| first.wrapping_add(seed)) {
        report.add(&World::new(seed, Profile::of_seed(seed)).run(Profile::TURNS));
        lived += 1;
    }
    println!(
        "seeds: {lived} of {seeds} from {first}, every {PARTS}th from {}",
        first.wrapping_add(part)
    );
    println!("{report}");
    report
}

/// What must have happened for these seeds to prove anything.
fn demand_everything_happened(report: &Report) {
    if std::env::var_os("LEVER_SIM_SEEDS").is_some() {
        return;
    }
    for (name, figure) in report.figures() {
        assert!(
            figure > 0,
            "in none of the worlds there were any {name}: they prove nothing of it"
        );
    }
}

#[test]
fn every_promise_holds_in_the_first_quarter_of_the_seeds() {
    demand_everything_happened(&live(0));
}

#[test]
fn every_promise_holds_in_the_second_quarter_of_the_seeds() {
    demand_everything_happened(&live(1));
}

#[test]
fn every_promise_holds_in_the_third_quarter_of_the_seeds() {
    demand_everything_happened(&live(2));
}

#[test]
fn every_promise_holds_in_the_last_quarter_of_the_seeds() {
    demand_everything_happened(&live(3));
}

#[test]
fn a_calm_world_confirms_what_it_kills() {
    let mut report = Report::default();
    for seed in 0..10 {
        report.add(&World::new(seed, Profile::calm()).run(Profile::TURNS));
    }
    assert!(report.confirmed > 0 && report.kills > 0, "{report}");
    assert_eq!(
        (report.stragglers, report.gaps, report.refused, report.lost),
        (0, 0, 0, 0),
        "{report}"
    );
}
