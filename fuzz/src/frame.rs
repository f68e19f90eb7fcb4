//! Frames of a server, one a line, as a client takes them in. Each is applied whole or not at all,
//! nothing goes back, and what is known can be written down and read again.

use leverframe::fuzz;
use leverframe_flags::{
    Context, Cursor, EnvironmentKey, FlagUpdate, Follower, Reason, RuleSet, SegmentUpdate, Step,
    Update,
};

/// So that one input does not take longer than a thousand others.
const FRAMES_MAX: usize = 24;

/// All that a follower answers by.
#[derive(Debug, PartialEq)]
struct Known {
    cursor: Option<Cursor>,
    flags: Vec<FlagUpdate>,
    segments: Vec<SegmentUpdate>,
}

impl Known {
    fn by(follower: &Follower) -> Self {
        let rules = follower.rule_set();
        Self {
            cursor: follower.cursor().cloned(),
            flags: rules
                .flags()
                .map(|flag| FlagUpdate {
                    key: flag.key.clone(),
                    position: flag.position.clone(),
                    closed: (flag.closed.0.clone(), flag.closed.1.clone()),
                    definition: flag.definition().map(Box::new).map_err(str::to_owned),
                })
                .collect(),
            segments: rules.segments().collect(),
        }
    }
}

pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let environment = EnvironmentKey::new("prod").expect("a key");
    let mut follower = Follower::new(environment.clone());
    for line in text.split('\n').take(FRAMES_MAX) {
        let Ok(update) = fuzz::decode(line) else {
            continue;
        };
        let before = Known::by(&follower);
        let step = follower.apply(update.clone());
        let after = Known::by(&follower);
        match &step {
            Step::Applied { .. } => taken_whole(&update, &before, &after),
            Step::Gap { .. } | Step::Refused { .. } => {
                assert_eq!(before, after, "{step:?} changes nothing");
            }
            // A kill of what is closed already is only noted, by its number.
            Step::Duplicate { .. } => {
                let brake = |known: &Known| known.cursor.as_ref().map(|cursor| cursor.brake);
                assert!(brake(&before) <= brake(&after));
                assert_eq!(before.flags, after.flags, "{step:?} changes no answer");
                assert_eq!(
                    before.segments, after.segments,
                    "{step:?} changes no answer"
                );
            }
        }
        for flag in &after.flags {
            let outcome = follower
                .rule_set()
                .evaluate(flag.key.as_str(), &Context::new("u-1").at(1))
                .expect("the flag is there");
            if flag.position.is_closed() {
                assert_eq!(outcome.reason, Reason::Disabled);
            }
            if flag.definition.is_err() {
                assert_eq!(outcome.variant, flag.closed.0.as_str(), "{flag:?}");
            }
        }
    }
    packed(&follower);
    written_down(&follower, environment);
}

fn taken_whole(update: &Update, before: &Known, after: &Known) {
    let (Update::Snapshot { cursor, .. }
    | Update::Change { cursor, .. }
    | Update::Brake { cursor, .. }) = update;
    let now = after.cursor.as_ref().expect("something is known");
    if let Some(then) = &before.cursor
        && then.journal == now.journal
    {
        assert!(
            (then.epoch, then.revision) <= (now.epoch, now.revision),
            "nothing goes back: {then:?} to {now:?}"
        );
    }
    let has = |key: &str| after.flags.iter().any(|flag| flag.key.as_str() == key);
    match update {
        Update::Snapshot {
            flags, segments, ..
        } => {
            assert_eq!(now.revision, cursor.revision);
            assert!(flags.iter().all(|flag| has(flag.key.as_str())));
            assert!(
                after
                    .flags
                    .iter()
                    .all(|flag| flags.iter().any(|told| told.key == flag.key)),
                "what a snapshot does not name is gone"
            );
            assert!(after.segments.len() <= segments.len());
        }
        Update::Change {
            flags,
            removed_flags,
            positions,
            ..
        } => {
            assert_eq!(now.revision, cursor.revision);
            for flag in flags {
                assert!(has(flag.key.as_str()) || removed_flags.contains(&flag.key));
            }
            for (key, position) in positions {
                // The last word about a flag counts, and a definition comes with a position.
                let is_last = positions.iter().filter(|(other, _)| other == key).count() == 1
                    && flags.iter().all(|flag| flag.key != *key);
                let known = after.flags.iter().find(|flag| flag.key == *key);
                if let Some(known) = known.filter(|_| is_last) {
                    assert_eq!(known.position, *position);
                }
            }
        }
        Update::Brake { .. } => {
            assert_eq!(before.flags, after.flags, "a brake defines nothing");
            assert!(now.brake >= cursor.brake);
        }
    }
}

/// What is known goes to the disk and comes back.
fn written_down(follower: &Follower, environment: EnvironmentKey) {
    let Some(snapshot) = follower.snapshot() else {
        return;
    };
    let text = fuzz::encode(&snapshot).expect("what is known can be written");
    let back = fuzz::decode(&text).expect("what is written can be read");
    let mut another = Follower::new(environment);
    let step = another.apply(back);
    assert!(matches!(step, Step::Applied { .. }), "{step:?}");
    answer_alike(follower, &another);
}

/// What is known goes to the disk of a client and comes back.
fn packed(follower: &Follower) {
    let (Some(keepsake), Some(cursor)) = (follower.keepsake(), follower.cursor()) else {
        return;
    };
    let rules = RuleSet::unpack(&keepsake.pack()).expect("what is packed can be unpacked");
    let another = Follower::restored(cursor.clone(), rules);
    assert_eq!(another.cursor(), Some(cursor));
    answer_alike(follower, &another);
}

fn answer_alike(one: &Follower, other: &Follower) {
    assert_eq!(one.rule_set().len(), other.rule_set().len());
    for flag in one.rule_set().flags() {
        let (key, context) = (flag.key.as_str(), Context::new("u-1").at(1));
        let ours = one.rule_set().evaluate(key, &context);
        let theirs = other.rule_set().evaluate(key, &context);
        let (ours, theirs) = (ours.expect("an answer"), theirs.expect("an answer"));
        assert_eq!(ours.variant, theirs.variant, "{key}");
        assert_eq!(ours.value, theirs.value, "{key}");
    }
}
