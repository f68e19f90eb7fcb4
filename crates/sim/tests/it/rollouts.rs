//! Rollouts under leaders that die, sources that fail and people who change their minds; and every
//! safety that is taken away is missed. `LEVER_SIM_SEEDS` and `LEVER_SIM_SEED` as for the other world.

use leverframe_sim::{RolloutReport, Rollouts, Slip};

/// How many seeds there are without anybody saying so.
const SEEDS: u64 = 60;
/// Within how many seeds a slip has to be found.
const SLIP_SEEDS: u64 = 300;

#[test]
fn no_rollout_breaks_a_promise_whatever_goes_wrong() {
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse::<u64>().ok())
    };
    let first = number("LEVER_SIM_SEED").unwrap_or(1);
    let seeds = number("LEVER_SIM_SEEDS").unwrap_or(SEEDS);
    let mut report = RolloutReport::default();
    for seed in (0..seeds).map(|seed| first.wrapping_add(seed)) {
        report.add(&Rollouts::new(seed).run(Rollouts::TURNS));
    }
    println!("rollouts, {seeds} seeds from {first}: {report}");
    if number("LEVER_SIM_SEEDS").is_none() {
        for (name, figure) in report.figures() {
            assert!(figure > 0, "in none of the worlds there were any {name}");
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_rollouts() {
    let once = Rollouts::new(7).run(Rollouts::TURNS);
    assert_eq!(once, Rollouts::new(7).run(Rollouts::TURNS));
}

#[test]
fn every_slip_is_found() {
    for slip in Slip::ALL {
        let found = (1..=SLIP_SEEDS).find_map(|seed| {
            let failure = Rollouts::new(seed).with(slip).try_run(Rollouts::TURNS);
            failure.err().map(|failure| (seed, failure))
        });
        let Some((seed, failure)) = found else {
            panic!("{slip:?} broke nothing in {SLIP_SEEDS} seeds");
        };
        println!(
            "{slip:?} is found by seed {seed}: {} {}",
            failure.promise, failure.what
        );
        let promises = promises(slip);
        assert!(promises.contains(&failure.promise), "{slip:?}: {failure}");
    }
}

/// The promises that a safety is there for.
fn promises(slip: Slip) -> &'static [&'static str] {
    match slip {
        Slip::FenceIsIgnored => &["P5"],
        Slip::SettledFirst | Slip::EffectsForgotten | Slip::EffectsRenamed => &["effects"],
        // What is decided on an old state wants its effects by old names, too.
        Slip::StopsAreOverruled => &["P6", "effects"],
        Slip::BlindIsProved
        | Slip::BakesByTheClock
        | Slip::LeversStayBehind
        | Slip::FoldedUnstored
        | Slip::HarmIsOverlooked => &["P6"],
    }
}
