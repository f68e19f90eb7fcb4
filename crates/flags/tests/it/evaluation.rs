//! What a flag answers: the design's order, step by step.

use leverframe_flags::{
    AnswerArm, Cause, Context, Latch, Outcome, Position, Reason, RuleSet, Value, bucket,
};
use serde_json::{Value as Json, json};

use crate::shop::{self, boolean, closed, open, open_to, pinned, quality, segment, update, user};

fn flags(flags: Vec<leverframe_flags::FlagUpdate>) -> RuleSet {
    RuleSet::compile(7, flags, Vec::new())
}

/// Variant, reason, arm and cause of an answer.
type Short<'a> = (&'a str, Reason, AnswerArm, Option<Cause>);

fn short<'a>(outcome: &Outcome<'a>) -> Short<'a> {
    (outcome.variant, outcome.reason, outcome.arm, outcome.cause)
}

fn ask<'a>(set: &'a RuleSet, context: &Context) -> Short<'a> {
    short(&set.evaluate("f", context).unwrap())
}

/// A unit whose exposure bucket of flag `f` is in this range of thousandths of a per cent.
fn user_at(buckets: std::ops::Range<u32>) -> Context {
    let unit = (0..)
        .map(|number| format!("u-{number}"))
        .find(|unit| buckets.contains(&bucket("f", unit)))
        .unwrap();
    user(&unit)
}

const ASSIGNED: AnswerArm = AnswerArm::Assigned;

#[test]
fn an_unknown_flag_has_no_answer() {
    assert_eq!(RuleSet::empty().evaluate("f", &user("u")), None);
    assert_eq!(
        shop::only(boolean("f", &json!({})), closed()).evaluate("g", &user("u")),
        None
    );
}

#[test]
fn a_closed_flag_gives_everybody_the_closed_variant() {
    let rules = json!({"rules": [{"id": "all", "when": "true", "serve": "on"}]});
    let set = shop::only(boolean("f", &rules), closed());
    let outcome = set.evaluate("f", &user("u")).unwrap();
    assert_eq!(short(&outcome), ("off", Reason::Disabled, ASSIGNED, None));
    assert_eq!(
        (outcome.value, outcome.revision, outcome.rule),
        (&Value::Boolean(false), 7, None)
    );
}

#[test]
fn a_latched_flag_gives_what_it_was_closed_to() {
    let latch = Latch {
        variant: "old".parse().unwrap(),
        value: Value::Integer(5),
    };
    let set = shop::only(
        quality("f", &json!({})),
        Position::Closed { latch: Some(latch) },
    );
    let outcome = set.evaluate("f", &user("u")).unwrap();
    assert_eq!(
        (outcome.variant, outcome.value),
        ("old", &Value::Integer(5))
    );
}

#[test]
fn a_pinned_flag_gives_everybody_that_variant_whatever_its_rules_and_prerequisites() {
    let fields = json!({
        "rules": [{"id": "all", "when": "true", "serve": "normal"}],
        "prerequisites": [{"flag": "gone"}],
    });
    let set = shop::only(quality("f", &fields), pinned("high"));
    assert_eq!(
        ask(&set, &user("u")),
        ("high", Reason::Static, ASSIGNED, None)
    );
    assert_eq!(
        ask(&set, &Context::anonymous()),
        ("high", Reason::Static, ASSIGNED, None)
    );
}

#[test]
fn a_pin_to_an_unknown_variant_closes() {
    let set = shop::only(quality("f", &json!({})), pinned("blue"));
    let cause = Some(Cause::UnknownVariant);
    assert_eq!(
        ask(&set, &user("u")),
        ("low", Reason::Default, ASSIGNED, cause)
    );
}

#[test]
fn the_first_true_rule_decides() {
    let set = shop::only(
        quality(
            "f",
            &json!({"rules": [
                {"id": "r1", "when": "plan == \"beta\"", "serve": "high"},
                {"id": "r2", "when": "age >= 18 and plan present", "serve": "normal"},
                {"id": "r3", "when": "plan == \"free\"", "serve": "low"},
            ]}),
        ),
        open("0"),
    );
    let table = [
        (json!({"plan": "beta", "age": 20}), Some("r1"), "high"),
        (json!({"plan": "pro", "age": 20}), Some("r2"), "normal"),
        (json!({"plan": "free", "age": 1}), Some("r3"), "low"),
        (json!({"age": 20}), None, "low"),
        (json!({"plan": 3}), None, "low"),
    ];
    for (context, rule, variant) in table {
        let outcome = set.evaluate("f", &shop::context(&context)).unwrap();
        assert_eq!(
            (outcome.rule, outcome.variant),
            (rule, variant),
            "{context}"
        );
        assert_eq!(outcome.arm, ASSIGNED);
        let matched = if rule.is_some() {
            Reason::TargetingMatch
        } else {
            Reason::Split
        };
        assert_eq!(outcome.reason, matched, "{context}");
    }
}

#[test]
fn a_rules_split_is_assigned_and_needs_a_unit() {
    let split = json!({"split": [
        {"variant": "normal", "weight": 50}, {"variant": "high", "weight": 50}
    ]});
    let set = shop::only(
        quality(
            "f",
            &json!({"rules": [{"id": "r", "when": "true", "serve": split}]}),
        ),
        open("100"),
    );
    assert_eq!(
        ask(&set, &user_at(0..50_000)),
        ("normal", Reason::Split, ASSIGNED, None)
    );
    assert_eq!(
        ask(&set, &user_at(50_000..100_000)),
        ("high", Reason::Split, ASSIGNED, None)
    );
    let nobody = set.evaluate("f", &Context::anonymous()).unwrap();
    assert_eq!(
        short(&nobody),
        ("low", Reason::Default, ASSIGNED, Some(Cause::NoUnit))
    );
    assert_eq!(nobody.rule, Some("r"));
}

#[test]
fn the_percentage_exposes_the_buckets_below_it_and_holds_the_others_back() {
    let set = shop::only(boolean("f", &json!({})), open("33.333"));
    assert_eq!(
        ask(&set, &user_at(33_300..33_333)),
        ("on", Reason::Split, AnswerArm::Exposed, None)
    );
    assert_eq!(
        ask(&set, &user_at(33_333..33_400)),
        ("off", Reason::Split, AnswerArm::HeldBack, None)
    );
    assert_eq!(
        ask(&set, &Context::anonymous()),
        ("off", Reason::Default, ASSIGNED, Some(Cause::NoUnit))
    );
}

#[test]
fn nobody_and_everybody_need_no_unit_and_are_no_evidence() {
    let nobody = Context::anonymous();
    let set = shop::only(boolean("f", &json!({})), open("0"));
    assert_eq!(ask(&set, &nobody), ("off", Reason::Static, ASSIGNED, None));
    let set = shop::only(boolean("f", &json!({})), open("100"));
    assert_eq!(ask(&set, &nobody), ("on", Reason::Static, ASSIGNED, None));
    assert_eq!(
        ask(&set, &user("u")),
        ("on", Reason::Static, ASSIGNED, None)
    );
}

#[test]
fn an_answer_after_rules_is_not_static() {
    let rules = json!({"rules": [{"id": "r", "when": "plan == \"beta\"", "serve": "off"}]});
    let set = shop::only(boolean("f", &rules), open("100"));
    assert_eq!(ask(&set, &user("u")), ("on", Reason::Split, ASSIGNED, None));
    let set = shop::only(boolean("f", &rules), open("0"));
    assert_eq!(
        ask(&set, &user("u")),
        ("off", Reason::Split, ASSIGNED, None)
    );
}

#[test]
fn cohorts_are_let_through_whole_and_are_no_evidence() {
    let set = RuleSet::compile(
        7,
        vec![update(boolean("f", &json!({})), open_to(&["staff"], "10"))],
        vec![segment(
            "staff",
            &json!({"when": "email ends_with \"@acme.test\""}),
        )],
    );
    let staff = user_at(50_000..100_000).with("email", "a@acme.test");
    assert_eq!(ask(&set, &staff), ("on", Reason::Split, ASSIGNED, None));
    let staff_without_unit = Context::anonymous().with("email", "a@acme.test");
    assert_eq!(
        ask(&set, &staff_without_unit),
        ("on", Reason::Split, ASSIGNED, None)
    );
    assert_eq!(ask(&set, &user_at(0..10_000)).2, AnswerArm::Exposed);
    assert_eq!(ask(&set, &user_at(10_000..100_000)).2, AnswerArm::HeldBack);
}

#[test]
fn an_open_split_is_independent_of_the_exposure() {
    let open_split = json!({"open": {"split": [
        {"variant": "normal", "weight": 50}, {"variant": "high", "weight": 50}
    ]}});
    let set = shop::only(quality("f", &open_split), open("20"));
    let (mut normal, mut high, mut held_back) = (0_i32, 0_i32, 0_i32);
    for number in 0..20_000 {
        match ask(&set, &user(&format!("u-{number}"))) {
            ("normal", Reason::Split, AnswerArm::Exposed, None) => normal += 1,
            ("high", Reason::Split, AnswerArm::Exposed, None) => high += 1,
            ("low", Reason::Split, AnswerArm::HeldBack, None) => held_back += 1,
            other => panic!("{other:?}"),
        }
    }
    // With one salt for both, the first arm would get everybody.
    assert!((normal - high).abs() < 250, "{normal} {high}");
    assert!((held_back - 16_000).abs() < 250, "{held_back}");

    let set = shop::only(quality("f", &open_split), open("100"));
    assert_eq!(ask(&set, &user("u")).1, Reason::Split);
    assert_eq!(
        ask(&set, &Context::anonymous()),
        ("low", Reason::Default, ASSIGNED, Some(Cause::NoUnit))
    );
}

#[test]
fn an_unsalted_split_hashes_the_unit_alone_and_leaves_the_exposure_its_salt() {
    let definition = quality(
        "f",
        &json!({"hash": "unsalted", "unit": "email", "open": {"split": [
            {"variant": "normal", "weight": 50}, {"variant": "high", "weight": 50}
        ]}}),
    );
    let set = shop::only(definition, open("50"));
    for number in 0..200 {
        let email = format!("{number}@acme.test");
        let expected = match (bucket("f", &email), bucket("", &email)) {
            (50_000.., _) => "low",
            (_, ..50_000) => "normal",
            _ => "high",
        };
        let context = user("other").with("email", email.as_str());
        assert_eq!(ask(&set, &context).0, expected, "{email}");
    }
}

#[test]
fn the_unit_may_be_another_attribute_as_text_or_integer() {
    let set = shop::only(boolean("f", &json!({"unit": "account.id"})), open("50"));
    for number in [-5_i64, 0, 7, 12_345, i64::MIN, i64::MAX] {
        let is_on = bucket("f", &number.to_string()) < 50_000;
        let as_number = shop::context(&json!({"account": {"id": number}}));
        let as_text = user("other").with("account.id", number.to_string());
        for context in [as_number, as_text] {
            assert_eq!(
                ask(&set, &context).0,
                if is_on { "on" } else { "off" },
                "{number}"
            );
        }
    }
    for id in [
        json!(true),
        json!(1.5),
        json!(""),
        json!("x".repeat(2_000)),
        Json::Null,
    ] {
        let context = shop::context(&json!({"targetingKey": "u", "account": {"id": id}}));
        assert_eq!(ask(&set, &context).3, Some(Cause::NoUnit), "{id}");
    }
}

#[test]
fn a_prerequisite_is_met_by_any_variant_but_the_closed_one() {
    let needs = |variants: Json| {
        boolean(
            "f",
            &json!({"prerequisites": [{"flag": "p", "variants": variants}]}),
        )
    };
    let unmet = ("off", Reason::Default, ASSIGNED, Some(Cause::Prerequisite));
    let table = [
        (json!([]), open("100"), "on"),
        (json!([]), pinned("high"), "on"),
        (json!(["normal"]), open("100"), "on"),
        (json!(["high"]), open("100"), "off"),
        (json!([]), closed(), "off"),
        (json!([]), open("0"), "off"),
        (json!([]), pinned("low"), "off"),
        // The closed variant never meets, even where a definition says so.
        (json!(["low"]), pinned("low"), "off"),
        (json!(["low"]), closed(), "off"),
        (json!([]), pinned("blue"), "off"),
    ];
    for (variants, position, variant) in table {
        let set = flags(vec![
            update(needs(variants.clone()), open("100")),
            update(quality("p", &json!({})), position.clone()),
        ]);
        let answer = ask(&set, &user("u"));
        assert_eq!(answer.0, variant, "{variants} {position:?}");
        if variant == "off" {
            assert_eq!(answer, unmet, "{variants} {position:?}");
        }
    }
    let set = flags(vec![update(needs(json!([])), open("100"))]);
    assert_eq!(
        ask(&set, &user("u")),
        unmet,
        "the prerequisite does not exist"
    );
}

#[test]
fn prerequisites_in_a_circle_close_every_flag_of_it() {
    let ring = |flag: &str, next: &str| {
        update(
            boolean(flag, &json!({"prerequisites": [{"flag": next}]})),
            open("100"),
        )
    };
    let set = flags(vec![ring("f", "g"), ring("g", "h"), ring("h", "f")]);
    for flag in ["f", "g", "h"] {
        let outcome = set.evaluate(flag, &user("u")).unwrap();
        let cause = Some(Cause::PrerequisiteCycle);
        assert_eq!(short(&outcome), ("off", Reason::Default, ASSIGNED, cause));
    }
}

#[test]
fn a_chain_of_prerequisites_may_be_sixteen_long() {
    let chain = |length: usize| {
        flags(
            (0..=length)
                .map(|number| {
                    let fields = if number == length {
                        json!({})
                    } else {
                        json!({"prerequisites": [{"flag": format!("f{}", number + 1)}]})
                    };
                    update(boolean(&format!("f{number}"), &fields), open("100"))
                })
                .collect(),
        )
    };
    let ask = |set: &RuleSet| set.evaluate("f0", &user("u")).unwrap().cause;
    assert_eq!(ask(&chain(16)), None);
    assert_eq!(ask(&chain(17)), Some(Cause::PrerequisiteCycle));
}

#[test]
fn prerequisites_that_fan_out_are_cut_off_instead_of_asked_a_million_times() {
    // Twenty flags a level, each of which asks all twenty of the next: 20^8 questions.
    let all = |level: usize| -> Vec<Json> {
        (0..20)
            .map(|n| json!({"flag": format!("l{level}-{n}")}))
            .collect()
    };
    let mut list = vec![update(
        boolean("f", &json!({"prerequisites": all(0)})),
        open("100"),
    )];
    for level in 0..8 {
        for n in 0..20 {
            let fields = if level == 7 {
                json!({})
            } else {
                json!({"prerequisites": all(level + 1)})
            };
            list.push(update(
                boolean(&format!("l{level}-{n}"), &fields),
                open("100"),
            ));
        }
    }
    let set = flags(list);
    assert_eq!(ask(&set, &user("u")).3, Some(Cause::PrerequisiteCycle));
}

#[test]
fn a_flag_that_cannot_be_read_is_closed_by_itself() {
    let mut broken = update(boolean("f", &json!({})), pinned("on"));
    broken.definition = Err("unknown field \"shape\"".to_owned());
    let mut wrong = update(boolean("wrong", &json!({})), open("100"));
    wrong.definition.as_mut().unwrap().open =
        leverframe_flags::Serve::Variant("blue".parse().unwrap());
    let lost = boolean(
        "lost",
        &json!({"rules": [{"id": "r", "when": "segment gone", "serve": "on"}]}),
    );
    let set = flags(vec![
        broken,
        wrong,
        update(lost, open("100")),
        update(boolean("cohort", &json!({})), open_to(&["gone"], "5")),
        update(boolean("fine", &json!({})), open("100")),
    ]);
    let undecodable = ("off", Reason::Default, ASSIGNED, Some(Cause::Undecodable));
    for flag in ["f", "wrong", "lost", "cohort"] {
        assert_eq!(
            short(&set.evaluate(flag, &user("u")).unwrap()),
            undecodable,
            "{flag}"
        );
    }
    assert_eq!(set.evaluate("fine", &user("u")).unwrap().variant, "on");
    let refused: Vec<(&str, &str)> = set
        .refused()
        .map(|(flag, why)| (flag.as_str(), why))
        .collect();
    assert_eq!(refused.len(), 4);
    assert_eq!(refused[0], ("cohort", "segment gone does not exist"));
    assert_eq!(refused[1], ("f", "unknown field \"shape\""));
    assert_eq!(refused[2], ("lost", "segment gone does not exist"));
    assert!(refused[3].1.contains("open names variant blue"));
}

#[test]
fn a_float_flag_gives_floats_even_when_its_file_says_whole_numbers() {
    let fields = json!({"type": "float", "variants": {"low": 1, "normal": 2}});
    let set = shop::only(quality("f", &fields), open("100"));
    assert_eq!(
        set.evaluate("f", &user("u")).unwrap().value,
        &Value::Float(2.0)
    );
}

#[test]
fn a_number_answers_as_the_name_does() {
    let set = flags(
        (0..200)
            .map(|number| update(quality(&format!("f{number}"), &json!({})), open("100")))
            .collect(),
    );
    for number in 0..200 {
        let name = format!("f{number}");
        let index = set.find(&name).unwrap();
        assert_eq!(set.flag_at(index).unwrap().key.as_str(), name);
        assert_eq!(
            set.evaluate_index(index, &user("u")),
            set.evaluate(&name, &user("u"))
        );
    }
    let keys: Vec<&str> = set.flags().map(|flag| flag.key.as_str()).collect();
    assert!(keys.is_sorted());
    assert_eq!((keys.len(), set.len()), (200, 200));
}

#[test]
fn an_answer_says_which_of_the_definitions_variants_it_is() {
    // In the order of their names: high, low, normal.
    let rules = json!({"rules": [{"id": "r", "when": "plan == \"pro\"", "serve": "high"}]});
    let set = |position| shop::only(quality("f", &rules), position);
    let number = |position: Position, context: &Context| {
        set(position).evaluate("f", context).unwrap().variant_number
    };
    let pro = user("u").with("plan", "pro");
    assert_eq!(number(closed(), &pro), Some(1));
    assert_eq!(number(pinned("normal"), &pro), Some(2));
    assert_eq!(number(open("100"), &pro), Some(0));
    assert_eq!(number(open("100"), &user("u")), Some(2));
    assert_eq!(number(open("50"), &Context::anonymous()), Some(1));
    let latch = Latch {
        variant: "older".parse().unwrap(),
        value: Value::Integer(10),
    };
    let latched = Position::Closed { latch: Some(latch) };
    assert_eq!(
        number(latched, &pro),
        None,
        "the definition has no such variant"
    );
}
