//! `--explain`: the steps, in words and as data.

use leverframe_flags::{Context, RuleSet, bucket};
use serde_json::json;

use crate::shop::{self, boolean, closed, context, open_to, pinned, segment, update, user};

fn shop_set() -> RuleSet {
    let fields = json!({
        "prerequisites": [{"flag": "payments"}],
        "rules": [
            {"id": "beta", "when": "plan == \"beta\" and age >= 18", "serve": "on"},
            {"id": "eu", "when": "country in [\"NO\", \"SE\"]", "serve": "on"},
        ],
    });
    RuleSet::compile(
        7,
        vec![
            update(boolean("new-checkout", &fields), open_to(&["staff"], "25")),
            update(boolean("payments", &json!({})), pinned("on")),
            update(boolean("killed", &json!({})), closed()),
        ],
        vec![segment("staff", &json!({"include": ["ann"]}))],
    )
}

#[test]
fn every_step_is_told_in_words() {
    // Somebody whom a quarter does not reach.
    let unit = (0..)
        .map(|number| format!("u-{number}"))
        .find(|unit| bucket("new-checkout", unit) > 25_000)
        .unwrap();
    let who = context(&json!({"targetingKey": unit, "plan": "beta", "country": 47}));
    let explanation = shop_set().explain("new-checkout", &who).unwrap();
    let at = leverframe_flags::Percentage::from_thousandths(bucket("new-checkout", &unit)).unwrap();
    assert_eq!(
        explanation.to_string(),
        format!(
            "position: open to staff + 25 %\n\
             prerequisite payments gives on: met\n\
             rule beta: plan == \"beta\" and age >= 18 is unknown (age is missing)\n\
             rule eu: country in [\"NO\", \"SE\"] is unknown (country is the number 47, which this cannot test)\n\
             cohort staff: false\n\
             open to 25 %: targetingKey \"{unit}\" is at {at} %: held back\n\
             answer: off (false) · SPLIT · held back · r7"
        )
    );
}

#[test]
fn the_steps_end_with_the_one_that_decided() {
    let set = shop_set();
    let table = [
        (
            "new-checkout",
            user("u-1").with("plan", "beta").with("age", 20),
            "rule",
        ),
        ("new-checkout", user("ann"), "cohort"),
        ("new-checkout", Context::anonymous(), "exposure"),
        ("killed", user("u-1"), "position"),
        ("payments", user("u-1"), "position"),
    ];
    for (flag, who, last) in table {
        let explanation = set.explain(flag, &who).unwrap();
        let json = serde_json::to_value(&explanation).unwrap();
        assert_eq!(
            json["steps"].as_array().unwrap().last().unwrap()["step"],
            last,
            "{json}"
        );
        let outcome = set.evaluate(flag, &who).unwrap();
        assert_eq!(json["variant"], outcome.variant);
        assert_eq!(json["reason"], outcome.reason.as_str());
        assert_eq!(json["revision"], 7);
    }
    assert_eq!(set.explain("none", &user("u-1")), None);
}

#[test]
fn what_is_in_the_way_is_said() {
    let mut broken = update(boolean("f", &json!({})), shop::open("100"));
    broken.definition = Err("bad bytes".to_owned());
    let set = RuleSet::compile(1, vec![broken], Vec::new());
    let text = set.explain("f", &user("u")).unwrap().to_string();
    assert!(text.contains("it cannot be read: bad bytes"), "{text}");
    assert!(
        text.contains("this evaluator cannot read the definition"),
        "{text}"
    );

    let needy = boolean("f", &json!({"prerequisites": [{"flag": "gone"}]}));
    let set = shop::only(needy, shop::open("100"));
    let text = set.explain("f", &user("u")).unwrap().to_string();
    assert!(
        text.contains("prerequisite gone does not exist: not met"),
        "{text}"
    );
}
