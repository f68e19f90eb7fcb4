//! Every safety is missed: a world without it breaks the promise that the safety is there for,
//! within some hundred seeds, most within a dozen.

use leverframe_sim::{Plant, Profile, World};

/// Within how many seeds a plant has to be found; most are within a few.
const SEEDS: u64 = 600;

/// Takes `plant` away and looks for the first seed that breaks one of `promises`.
fn find(plant: Plant, promises: &str, profile: fn(u64) -> Profile) {
    let mut others = Vec::new();
    for seed in 1..=SEEDS {
        let Err(failure) = World::new(seed, profile(seed))
            .with(plant)
            .try_run(Profile::TURNS)
        else {
            continue;
        };
        if promises
            .split(' ')
            .any(|promise| promise == failure.promise)
        {
            println!("{plant:?} is found by seed {seed}: {}", failure.what);
            return;
        }
        others.push(format!("seed {seed}: {} {}", failure.promise, failure.what));
    }
    panic!("{plant:?} did not break {promises} in {SEEDS} seeds; instead: {others:#?}");
}

macro_rules! plants {
    ($($name:ident: $plant:ident breaks $promise:literal in $profile:expr;)*) => {
        $(#[test]
        fn $name() {
            find(Plant::$plant, $promise, $profile);
        })*

        #[test]
        fn every_plant_has_a_test() {
            let tested = [$(Plant::$plant),*];
            assert!(Plant::ALL.iter().all(|plant| tested.contains(plant)));
        }
    };
}

plants! {
    a_missing_sync_is_found: SkipTheSync breaks "P5" in Profile::of_seed;
    publishing_before_the_append_is_found: PublishBeforeAppend breaks "P5" in Profile::of_seed;
    answering_before_the_append_is_found: AnswerBeforeAppend breaks "P5" in Profile::of_seed;
    an_ignored_fence_is_found: IgnoreTheFence breaks "P5" in Profile::of_seed;
    a_latch_that_an_edit_lifts_is_found: LatchForgottenOnEdit breaks "P3" in Profile::of_seed;
    a_latch_that_a_restart_forgets_is_found: LatchForgottenOnRestart breaks "P5" in Profile::of_seed;
    a_latch_that_a_restore_forgets_is_found: LatchForgottenOnRestore breaks "P3" in Profile::of_seed;
    a_latch_that_a_restore_forgets_where_nothing_had_moved_is_found: LatchForgottenWhereNothingMoved breaks "P3" in Profile::of_seed;
    a_brake_that_asks_for_a_reason_is_found: BrakeAsksForAReason breaks "P2" in |_| Profile::blackout();
    a_guard_that_sleeps_is_found: GuardIsAsleep breaks "P2" in Profile::of_seed;
    an_acknowledgement_ahead_of_its_time_is_found: AcknowledgeBeforeApply breaks "P4" in Profile::of_seed;
    a_follower_that_goes_back_is_found: FollowerAcceptsOlder breaks "P5" in Profile::of_seed;
    a_follower_that_skips_gaps_is_found: FollowerSkipsGaps breaks "P3 P5 P7" in Profile::of_seed;
    a_roll_that_forgets_the_silent_is_found: RollForgetsTheSilent breaks "P4" in Profile::of_seed;
    an_acknowledgement_that_counts_for_too_much_is_found: AcknowledgementsCountForTheHead breaks "P4" in Profile::of_seed;
    a_repeat_that_is_done_twice_is_found: RepeatsAreNew breaks "P5" in Profile::of_seed;
    a_ramp_that_moves_people_is_found: RampMovesPeople breaks "P8" in Profile::of_seed;
    a_roll_that_trusts_the_wall_clock_is_found: RollTrustsTheWallClock breaks "P4" in Profile::of_seed;
    an_old_snapshot_for_joiners_is_found: JoinersGetOldSnapshots breaks "live" in Profile::of_seed;
    a_kill_that_needs_the_store_is_found: BrakeNeedsTheStore breaks "P2" in |_| Profile::blackout();
    a_kill_that_is_not_kept_beside_the_journal_is_found: BrakesAreNotKept breaks "P3" in |_| Profile::blackout();
    a_kill_that_a_start_forgets_is_found: BrakesForgottenOnStart breaks "P3" in |_| Profile::blackout();
    a_kill_that_is_not_tried_again_is_found: BrakesGivenUp breaks "P3" in |_| Profile::blackout();
    a_kill_that_is_stored_in_another_name_is_found: BrakesStoredByNobody breaks "P9" in |_| Profile::blackout();
    a_kill_that_is_stored_twice_is_found: BrakesStoredTwice breaks "P5" in |_| Profile { store_trouble: 950, ..Profile::blackout() };
    a_number_of_a_kill_that_comes_again_is_found: BrakeNumbersBeginAgain breaks "P3 P4" in |_| Profile::blackout();
    a_joiner_that_sees_killed_flags_open_is_found: JoinersSeeBrakedFlagsOpen breaks "P3" in |_| Profile::blackout();
    a_kill_that_is_released_before_it_is_stored_is_found: ReleasedWhileOutstanding breaks "P3" in |_| Profile::blackout();
}
