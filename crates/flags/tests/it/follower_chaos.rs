//! The follower over a lossy wire: frames dropped, repeated and reordered at random.

use leverframe_flags::{
    Cursor, FlagUpdate, Follower, Position, RuleSet, SegmentUpdate, Step, Update,
};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use crate::shop::{boolean, closed, environment, key, open, segment, update, user};
use crate::wire::cursor;

const FLAGS: [&str; 4] = ["a", "b", "c", "d"];

/// What happens to the environment in one revision.
#[derive(Debug, Clone)]
enum Event {
    Move(usize, u32),
    Define(usize, u32),
    Remove(usize),
    Edit(u32),
}

/// The sender's side: the truth after every revision, and the frames that tell it.
#[derive(Default)]
struct Server {
    revision: u64,
    flags: Vec<FlagUpdate>,
    segments: Vec<SegmentUpdate>,
}

impl Server {
    fn snapshot(&self) -> Update {
        Update::Snapshot {
            cursor: cursor(0, self.revision, 0),
            flags: self.flags.clone(),
            segments: self.segments.clone(),
        }
    }

    /// Does what the event says; revisions have holds in between, as in an environment they do.
    fn happen(&mut self, event: &Event) -> Update {
        let previous = self.revision;
        self.revision += 1 + previous % 3;
        let (mut positions, mut flags, mut segments, mut removed_flags) =
            (vec![], vec![], vec![], vec![]);
        match event {
            Event::Move(flag, percentage) => {
                let position = position(*percentage);
                if let Some(known) = self
                    .flags
                    .iter_mut()
                    .find(|known| known.key.as_str() == FLAGS[*flag])
                {
                    known.position = position.clone();
                    positions.push((known.key.clone(), position));
                }
            }
            Event::Define(flag, number) => {
                let fields = json!({
                    "rules": [{"id": "r", "when": format!("segment s or n == {number}"), "serve": "on"}],
                });
                let mut defined = update(boolean(FLAGS[*flag], &fields), closed());
                if number % 5 == 0 {
                    defined.definition = Err(format!("bad bytes {number}"));
                }
                match self.flags.iter_mut().find(|known| known.key == defined.key) {
                    Some(known) => {
                        defined.position = known.position.clone();
                        *known = defined.clone();
                    }
                    None => self.flags.push(defined.clone()),
                }
                flags.push(defined);
            }
            Event::Remove(flag) => {
                self.flags
                    .retain(|known| known.key.as_str() != FLAGS[*flag]);
                removed_flags.push(key(FLAGS[*flag]));
            }
            Event::Edit(number) => {
                let edited = if number % 5 == 0 {
                    let mut edited = segment("s", &json!({}));
                    edited.definition = Err("bad bytes".to_owned());
                    edited
                } else {
                    segment("s", &json!({"include": [format!("u{number}")]}))
                };
                self.segments = vec![edited.clone()];
                segments.push(edited);
            }
        }
        Update::Change {
            cursor: cursor(previous, self.revision, 0),
            positions,
            flags,
            segments,
            removed_flags,
            removed_segments: vec![],
        }
    }
}

fn position(percentage: u32) -> Position {
    match percentage {
        0 => closed(),
        percentage => open(&percentage.to_string()),
    }
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (0..FLAGS.len(), 0_u32..=100).prop_map(|(flag, to)| Event::Move(flag, to)),
        3 => (0..FLAGS.len(), 0_u32..20).prop_map(|(flag, number)| Event::Define(flag, number)),
        1 => (0..FLAGS.len()).prop_map(Event::Remove),
        1 => (0_u32..20).prop_map(Event::Edit),
    ]
}

/// Every answer there is to see.
fn answers(follower: &Follower) -> Vec<String> {
    let mut all = Vec::new();
    for flag in FLAGS {
        for unit in 0..8 {
            for n in [1_i64, 7] {
                let context = user(&format!("u{unit}")).with("n", n);
                all.push(format!(
                    "{:?}",
                    follower.rule_set().evaluate(flag, &context)
                ));
            }
        }
    }
    all
}

fn from_snapshot(snapshot: Update) -> Follower {
    let mut follower = Follower::new(environment());
    follower.apply(snapshot);
    follower
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// P5: whatever the wire does, the revision only grows, what is acknowledged is what is
    /// answered, and the end is the same as that of a fresh snapshot.
    #[test]
    fn lost_repeated_and_reordered_frames_never_mislead(
        events in vec(event(), 1..40),
        // For every frame: how often it arrives (0 is lost) and how far it is delayed.
        fates in vec(vec(0_usize..12, 0..3), 40),
        stale_snapshot_at in 0_usize..40,
    ) {
        let mut server = Server::default();
        let mut truth: Vec<(u64, Vec<String>)> = Vec::new();
        let mut wire: Vec<(usize, Update)> = Vec::new();
        let mut stale = server.snapshot();
        for (number, event) in events.iter().enumerate() {
            let frame = server.happen(event);
            truth.push((server.revision, answers(&from_snapshot(server.snapshot()))));
            for delay in &fates[number] {
                wire.push((number + delay, frame.clone()));
            }
            if number == stale_snapshot_at {
                stale = server.snapshot();
            }
        }
        // A snapshot that took long on its way.
        wire.push((stale_snapshot_at + 5, stale));
        wire.sort_by_key(|(arrival, _)| *arrival);

        let mut follower = from_snapshot(Server::default().snapshot());
        let mut revision = 0;
        for (_, frame) in wire {
            let step = follower.apply(frame);
            let cursor = follower.cursor().unwrap();
            prop_assert!(cursor.revision >= revision, "went back to {}", cursor.revision);
            revision = cursor.revision;
            prop_assert_eq!(follower.rule_set().revision(), revision);
            if let Step::Applied { acknowledgement, new_history } = step {
                prop_assert_eq!(new_history, None);
                prop_assert_eq!(acknowledgement.revision, revision);
                let (_, expected) = truth.iter().find(|(at, _)| *at == revision).unwrap();
                prop_assert_eq!(&answers(&follower), expected, "at revision {}", revision);
            }
        }
        follower.apply(server.snapshot());
        let fresh = from_snapshot(server.snapshot());
        prop_assert_eq!(answers(&follower), answers(&fresh));
        prop_assert_eq!(follower.acknowledgement(), fresh.acknowledgement());
        let sorted = |update: Option<Update>| match update {
            Some(Update::Snapshot { cursor, mut flags, segments }) => {
                flags.sort_by(|left, right| left.key.cmp(&right.key));
                (cursor, flags, segments)
            }
            other => panic!("{other:?}"),
        };
        prop_assert_eq!(sorted(follower.snapshot()), sorted(fresh.snapshot()));

        // What is left behind on disk is the same once more.
        let left = follower.keepsake().unwrap();
        let rules = RuleSet::unpack(&left.pack()).unwrap();
        let restored = Follower::restored(left.cursor().clone(), rules);
        prop_assert_eq!(answers(&restored), answers(&follower));
        prop_assert_eq!(restored.acknowledgement(), follower.acknowledgement());
        prop_assert_eq!(restored.snapshot(), follower.snapshot());
        prop_assert_eq!(restored.keepsake().unwrap().pack(), left.pack());
    }

    /// P2, P3: a brake closes whenever it arrives, and nothing that was sent before the kill was
    /// stored opens it again.
    #[test]
    fn a_braked_flag_is_closed_until_its_kill_is_stored(
        before in vec(event(), 0..10),
        during in vec(event(), 0..10),
        brake_at in 0_usize..10,
        copies in 1_usize..3,
    ) {
        let mut server = Server::default();
        server.happen(&Event::Edit(1));
        server.happen(&Event::Define(0, 1));
        server.happen(&Event::Move(0, 100));
        for event in &before {
            server.happen(event);
        }
        let mut follower = from_snapshot(server.snapshot());
        let decided_on = server.revision;
        let brake = Update::Brake {
            cursor: Cursor { brake: 1, ..cursor(0, decided_on, 1) },
            closed: vec![key("a")],
        };
        let mut is_braked = false;
        for (number, event) in during.iter().enumerate() {
            if matches!(event, Event::Remove(0) | Event::Move(0, 0)) {
                continue;
            }
            if number == brake_at {
                for _ in 0..copies {
                    follower.apply(brake.clone());
                }
                is_braked = true;
            }
            let mut frame = server.happen(event);
            if let Update::Change { cursor, .. } = &mut frame {
                cursor.brake = 1;
            }
            follower.apply(frame);
            if is_braked && let Some(outcome) = follower.rule_set().evaluate("a", &user("u1")) {
                prop_assert_eq!(outcome.variant, "off");
            }
        }
        // The kill is stored, and later somebody opens the flag again.
        follower.apply(brake);
        follower.apply(server.happen(&Event::Move(0, 0)));
        if let Some(outcome) = follower.rule_set().evaluate("a", &user("u1")) {
            prop_assert_eq!(outcome.variant, "off");
        }
        follower.apply(server.happen(&Event::Edit(1)));
        follower.apply(server.happen(&Event::Define(0, 1)));
        follower.apply(server.happen(&Event::Move(0, 100)));
        prop_assert_eq!(follower.rule_set().evaluate("a", &user("u1")).unwrap().variant, "on");
    }
}
