//! Who belongs to a segment.

use leverframe_flags::{Context, FlagUpdate, Follower, RuleSet, SegmentUpdate, Truth, limit};
use serde_json::json;

use crate::shop::{self, context, open, segment, update, user};
use crate::wire::{applied, changed, cursor, snapshot_of};

/// Whether a context belongs to segment `s` of these.
fn belongs(segments: Vec<SegmentUpdate>, context: &Context) -> Truth {
    let fields = json!({"rules": [
        {"id": "in", "when": "segment s", "serve": "high"},
        {"id": "out", "when": "not segment s", "serve": "normal"},
    ]});
    let set = RuleSet::compile(
        1,
        vec![update(shop::quality("f", &fields), open("0"))],
        segments,
    );
    assert_eq!(set.refused().next(), None);
    match set.evaluate("f", context).unwrap().rule {
        Some("in") => Truth::True,
        Some("out") => Truth::False,
        _ => Truth::Unknown,
    }
}

#[test]
fn a_unit_belongs_by_name_or_by_condition_unless_it_is_excluded() {
    let segments = || {
        vec![segment(
            "s",
            &json!({
                "when": "plan == \"beta\"",
                "include": ["ann", "both"],
                "exclude": ["eve", "both"],
            }),
        )]
    };
    let table = [
        (json!({"targetingKey": "ann"}), Truth::True),
        (json!({"targetingKey": "bob", "plan": "beta"}), Truth::True),
        (json!({"targetingKey": "bob", "plan": "free"}), Truth::False),
        (json!({"targetingKey": "bob"}), Truth::Unknown),
        (json!({"targetingKey": "eve", "plan": "beta"}), Truth::False),
        (json!({"targetingKey": "both"}), Truth::False),
        // Without a unit it cannot be told who is listed.
        (json!({"plan": "beta"}), Truth::Unknown),
        (json!({"plan": "free"}), Truth::Unknown),
    ];
    for (who, truth) in table {
        assert_eq!(belongs(segments(), &context(&who)), truth, "{who}");
    }
}

#[test]
fn a_segment_of_nothing_has_no_members_and_one_of_a_condition_needs_no_unit() {
    assert_eq!(
        belongs(vec![segment("s", &json!({}))], &Context::anonymous()),
        Truth::False
    );
    let by_condition = vec![segment("s", &json!({"when": "plan == \"beta\""}))];
    let beta = Context::anonymous().with("plan", "beta");
    assert_eq!(belongs(by_condition, &beta), Truth::True);
    let included = vec![segment(
        "s",
        &json!({"include": ["ann"], "when": "plan == \"beta\""}),
    )];
    assert_eq!(belongs(included, &beta), Truth::True);
}

#[test]
fn segments_may_ask_about_segments() {
    let segments = vec![
        segment(
            "s",
            &json!({"when": "segment staff and not segment interns"}),
        ),
        segment("staff", &json!({"include": ["ann", "ian"]})),
        segment("interns", &json!({"include": ["ian"]})),
    ];
    assert_eq!(belongs(segments.clone(), &user("ann")), Truth::True);
    assert_eq!(belongs(segments.clone(), &user("ian")), Truth::False);
    assert_eq!(belongs(segments, &user("bob")), Truth::False);
}

#[test]
fn one_unit_in_many_segments_is_told_apart() {
    for wanted in 0..50 {
        let segments: Vec<SegmentUpdate> = (0..50)
            .map(|number| {
                let include: Vec<String> =
                    (0..20).map(|unit| format!("u{}", unit * number)).collect();
                let name = if number == wanted {
                    "s".to_owned()
                } else {
                    format!("s{number}")
                };
                segment(&name, &json!({"include": include}))
            })
            .collect();
        for unit in 0..60 {
            let is_member = (0..20).any(|factor| factor * wanted == unit);
            assert_eq!(
                belongs(segments.clone(), &user(&format!("u{unit}"))),
                Truth::from(is_member),
                "{unit} {wanted}"
            );
        }
    }
}

#[test]
fn a_flag_over_segments_in_a_circle_or_too_deep_is_refused_and_says_why() {
    let why = |segments: Vec<SegmentUpdate>| {
        let fields = json!({"rules": [{"id": "r", "when": "segment s", "serve": "on"}]});
        let flag = update(shop::boolean("f", &fields), open("100"));
        let set = RuleSet::compile(1, vec![flag], segments);
        set.refused().next().map(|(_, why)| why.to_owned())
    };
    let asks =
        |name: &str, other: &str| segment(name, &json!({"when": format!("segment {other}")}));
    let circle = why(vec![asks("s", "t"), asks("t", "s")]).unwrap();
    assert!(circle.contains("circle"), "{circle}");
    let itself = why(vec![asks("s", "s")]).unwrap();
    assert!(itself.contains("asks about itself"), "{itself}");
    let absent = why(vec![asks("s", "t")]).unwrap();
    assert!(
        absent.contains("segment t, which does not exist"),
        "{absent}"
    );
    let mut unreadable = segment("t", &json!({}));
    unreadable.definition = Err("bad bytes".to_owned());
    let unreadable = why(vec![asks("s", "t"), unreadable]).unwrap();
    assert!(unreadable.contains("bad bytes"), "{unreadable}");

    let chain = |length: usize| {
        let name = |level: usize| {
            if level == 0 {
                "s".to_owned()
            } else {
                format!("s{level}")
            }
        };
        let mut segments: Vec<SegmentUpdate> = (0..length - 1)
            .map(|level| asks(&name(level), &name(level + 1)))
            .collect();
        segments.push(segment(&name(length - 1), &json!({"include": ["ann"]})));
        segments
    };
    assert_eq!(why(chain(limit::SEGMENT_DEPTH_MAX)), None);
    assert_eq!(
        belongs(chain(limit::SEGMENT_DEPTH_MAX), &user("ann")),
        Truth::True
    );
    assert!(
        why(chain(limit::SEGMENT_DEPTH_MAX + 1))
            .unwrap()
            .contains("longer than 8")
    );
}

#[test]
fn segments_that_fan_out_are_unknown_instead_of_asked_a_billion_times() {
    let asks_often = |next: &str| vec![format!("(a missing and segment {next})"); 100].join(" or ");
    let mut segments: Vec<SegmentUpdate> = (1..7)
        .map(|level| {
            segment(
                &format!("s{level}"),
                &json!({"when": asks_often(&format!("s{}", level + 1))}),
            )
        })
        .collect();
    segments.push(segment("s", &json!({"when": asks_often("s1")})));
    segments.push(segment("s7", &json!({"when": "b == 1"})));
    assert_eq!(belongs(segments, &user("u")), Truth::Unknown);
}

#[test]
fn a_unit_may_be_in_any_number_of_segments_and_edits_of_them_are_seen() {
    const SEGMENTS: usize = 20;
    let name = |number: usize| format!("s{number:02}");
    let listing = |number: usize, lists: &[&str], excludes: &[&str]| {
        segment(
            &name(number),
            &json!({"include": lists, "exclude": excludes}),
        )
    };
    let flags: Vec<FlagUpdate> = (0..SEGMENTS)
        .map(|number| {
            let when = format!("segment {}", name(number));
            let fields = json!({"rules": [{"id": "r", "when": when, "serve": "on"}]});
            update(shop::boolean(&name(number), &fields), open("0"))
        })
        .collect();
    let is_in = |follower: &Follower, unit: &str| -> Vec<usize> {
        let rules = follower.rule_set();
        let asked = |number: &usize| {
            let outcome = rules.evaluate(&name(*number), &user(unit)).unwrap();
            outcome.value.as_bool() == Some(true)
        };
        (0..SEGMENTS).filter(asked).collect()
    };
    let all = (0..SEGMENTS).map(|number| listing(number, &["many", "many", "few"], &[]));
    let mut follower = Follower::new(shop::environment());
    follower.apply(snapshot_of(cursor(0, 5, 0), flags, all.collect()));
    assert_eq!(is_in(&follower, "many").len(), SEGMENTS);
    assert!(is_in(&follower, "none").is_empty());

    // Edited one after another, each edit is told apart from what stood there before.
    let edits = [
        listing(3, &["few"], &["many"]),
        listing(4, &["another-one-and-longer", "few"], &[]),
        listing(5, &["many", "few"], &["many"]),
        listing(3, &["many", "few"], &[]),
    ];
    for (edit, revision) in edits.into_iter().zip(6..) {
        applied(follower.apply(changed(
            cursor(revision - 1, revision, 0),
            vec![],
            vec![edit],
        )));
    }
    let expected: Vec<usize> = (0..SEGMENTS)
        .filter(|number| ![4, 5].contains(number))
        .collect();
    assert_eq!(is_in(&follower, "many"), expected);
    assert_eq!(is_in(&follower, "few").len(), SEGMENTS);
    assert_eq!(is_in(&follower, "another-one-and-longer"), [4]);
}
