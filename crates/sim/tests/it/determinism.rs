//! A seed tells the same story every time, or a failing one could not be looked at.

use leverframe_sim::{Profile, World};

#[test]
fn a_seed_tells_the_same_story_every_time() {
    for seed in [3, 14, 159] {
        let story = || {
            let mut world = World::new(seed, Profile::stormy()).telling();
            let report = world.run(Profile::TURNS);
            (report, world.story())
        };
        let (first, again) = (story(), story());
        assert!(first.1.len() > 100, "there is no story");
        assert_eq!(first, again, "seed {seed}");
    }
}
