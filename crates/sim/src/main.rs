//! Lives through one seed and tells the whole story: `cargo run -p leverframe-sim -- <seed> [turns]`.
#![expect(clippy::print_stdout, reason = "a command for people: it prints")]

use std::process::ExitCode;

use leverframe_sim::{Profile, World};

fn main() -> ExitCode {
    let mut numbers = std::env::args()
        .skip(1)
        .map(|argument| argument.parse::<u64>().ok());
    let seed = numbers.next().unwrap_or(Some(1));
    let turns = numbers.next().unwrap_or(Some(Profile::TURNS));
    let (Some(seed), Some(turns)) = (seed, turns) else {
        println!("usage: cargo run -p leverframe-sim -- <seed> [turns]");
        return ExitCode::from(2);
    };
    let mut world = World::new(seed, Profile::of_seed(seed)).telling();
    let ran = world.try_run(turns);
    for line in world.story() {
        println!("{line}");
    }
    match ran {
        Ok(report) => {
            println!("\nevery promise held: {report}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            println!("\n{failure}");
            ExitCode::from(3)
        }
    }
}
