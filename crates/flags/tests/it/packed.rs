//! Rule sets as bytes: what comes back is what went in, and nothing that bytes can say does harm.

use leverframe_flags::{Latch, Position, RuleSet, Value, VariantKey};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use crate::shop::{boolean, closed, key, open, open_to, pinned, quality, segment, update, user};
use crate::strategy;

/// One flag of every kind that there is, over segments of every kind.
fn everything() -> RuleSet {
    let split = json!({"split": [
        {"variant": "low", "weight": 33.333}, {"variant": "high", "weight": 66.667},
    ]});
    let mut salted = split.clone();
    salted["salt"] = json!("~0~");
    let rules = json!({
        "rules": [
            {"id": "staff", "when": "plan == \"staff\" or segment beta", "serve": "high"},
            {"id": "some", "when": "not (country in [\"NO\", \"SE\"]) and now before \"2030-01-01\"",
             "serve": split},
            {"id": "own", "when": "true", "serve": salted},
        ],
        "open": split, "unit": "account", "client_visible": true, "stale_after_s": 30,
        "prerequisites": [{"flag": "plain", "variants": ["on"]}, {"flag": "pinned"}],
    });
    let object = json!({
        "type": "object", "open": "on",
        "variants": {
            "off": {}, "on": {"n": [0, -1, 1e-3, 18_446_744_073_709_551_615_u64, null, "ä\u{0}"]},
        },
    });
    let float = json!({"type": "float", "variants": {"off": 0, "on": -2.5}, "hash": "unsalted"});
    let text = json!({"type": "string", "variants": {"off": "", "on": "🦀"}, "salt": "other"});
    let mut unreadable = update(boolean("unreadable", &json!({})), open("100"));
    unreadable.definition = Err("bad bytes".to_owned());
    let lost = json!({"rules": [{"id": "r", "when": "segment nowhere", "serve": "on"}]});
    let latched = Position::Closed {
        latch: Some(Latch {
            variant: VariantKey::new("gone").unwrap(),
            value: Value::Boolean(true),
        }),
    };
    let mut elsewhere = update(boolean("elsewhere", &json!({})), closed());
    elsewhere.closed.1 = Value::Boolean(true);
    let mut broken = segment("broken", &json!({}));
    broken.definition = Err("bad bytes".to_owned());
    RuleSet::compile(
        7,
        vec![
            update(boolean("plain", &json!({})), open("100")),
            update(boolean("twin", &json!({})), open("12.5")),
            update(boolean("pinned", &json!({})), pinned("on")),
            update(boolean("closed", &json!({})), closed()),
            update(boolean("latched", &json!({})), latched),
            update(
                boolean("cohorts", &json!({})),
                open_to(&["beta", "staff"], "1"),
            ),
            update(boolean("lost", &lost), open("100")),
            update(quality("rules", &rules), open("50")),
            update(boolean("object", &object), open("50")),
            update(boolean("float", &float), open("50")),
            update(boolean("text", &text), open("50")),
            elsewhere,
            unreadable,
        ],
        vec![
            segment(
                "beta",
                &json!({"include": ["u-1", "u-2"], "exclude": ["u-3", "ä"]}),
            ),
            segment(
                "staff",
                &json!({"when": "plan == \"staff\" and not segment beta"}),
            ),
            broken,
        ],
    )
}

fn assert_same(left: &RuleSet, right: &RuleSet) {
    assert_eq!(left.revision(), right.revision());
    assert_eq!(left.len(), right.len());
    for (left, right) in left.flags().zip(right.flags()) {
        assert_eq!(left.key, right.key);
        assert_eq!(left.position, right.position, "{}", left.key);
        assert_eq!(left.closed, right.closed, "{}", left.key);
        assert_eq!(left.definition(), right.definition(), "{}", left.key);
    }
    assert!(left.segments().eq(right.segments()));
    assert!(left.refused().eq(right.refused()));
}

#[test]
fn a_rule_set_comes_back_from_its_bytes() {
    let set = everything();
    let bytes = set.pack();
    let back = RuleSet::unpack(&bytes).unwrap();
    assert_same(&set, &back);
    assert_eq!(back.pack(), bytes);
    let refused: Vec<&str> = back.refused().map(|(flag, _)| flag.as_str()).collect();
    assert_eq!(refused, ["lost", "unreadable"]);
    let staff = user("u-1").with("plan", "staff").with("account", "a-7");
    for context in [user("u-1"), user("u-3"), user("u-9"), staff] {
        for flag in set.flags() {
            let name = flag.key.as_str();
            assert_eq!(set.evaluate(name, &context), back.evaluate(name, &context));
            assert_eq!(set.explain(name, &context), back.explain(name, &context));
        }
    }
    assert!(
        RuleSet::unpack(&RuleSet::empty().pack())
            .unwrap()
            .is_empty()
    );
}

#[test]
fn bytes_that_end_too_early_or_too_late_are_refused() {
    let bytes = everything().pack();
    for length in 0..bytes.len() {
        assert!(RuleSet::unpack(&bytes[..length]).is_err(), "{length}");
    }
    let longer: Vec<u8> = bytes.iter().copied().chain([0]).collect();
    assert!(RuleSet::unpack(&longer).is_err());
}

#[test]
fn no_bit_that_is_flipped_does_harm() {
    let bytes = everything().pack();
    let context = user("u-1").with("plan", "staff");
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << bit;
            // The checksum is the caller's; here it is enough that what is taken is a rule set.
            let Ok(set) = RuleSet::unpack(&flipped) else {
                continue;
            };
            assert_same(&set, &RuleSet::unpack(&set.pack()).unwrap());
            for flag in set.flags() {
                assert!(set.evaluate(flag.key.as_str(), &context).is_some());
            }
        }
    }
}

#[test]
fn flags_that_do_the_same_answer_by_their_own_names() {
    let flags = ["one", "two", "three"].map(|name| update(boolean(name, &json!({})), open("50")));
    let together = RuleSet::compile(1, flags.to_vec(), Vec::new());
    for flag in flags {
        let alone = RuleSet::compile(1, vec![flag.clone()], Vec::new());
        for number in 0..200 {
            let context = user(&format!("u-{number}"));
            assert_eq!(
                together.evaluate(flag.key.as_str(), &context),
                alone.evaluate(flag.key.as_str(), &context)
            );
        }
    }
    assert!(together.find("four").is_none());
    assert_eq!(together.flag("two").unwrap().key, &key("two"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn conditions_come_back_from_their_bytes(
        trees in vec(strategy::tree(false), 1..4),
        context in strategy::context(),
    ) {
        let rules: Vec<_> = (0..)
            .zip(&trees)
            .filter_map(|(number, tree)| {
                let when = leverframe_flags::Expression::new(tree.clone()).ok()?;
                Some(json!({"id": format!("r{number}"), "when": when, "serve": "on"}))
            })
            .collect();
        let flag = update(boolean("f", &json!({"rules": rules})), open("50"));
        let set = RuleSet::compile(1, vec![flag], Vec::new());
        let back = RuleSet::unpack(&set.pack()).unwrap();
        assert_same(&set, &back);
        prop_assert_eq!(set.explain("f", &context), back.explain("f", &context));
    }

    #[test]
    fn no_bytes_do_harm(bytes in vec(any::<u8>(), 0..200)) {
        let mut versioned = vec![1, 1];
        versioned.extend(&bytes);
        for bytes in [bytes, versioned] {
            if let Ok(set) = RuleSet::unpack(&bytes) {
                assert_same(&set, &RuleSet::unpack(&set.pack()).unwrap());
            }
        }
    }
}
