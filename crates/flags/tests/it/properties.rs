//! The promises that the engine keeps, on random flags and contexts.

use std::collections::BTreeSet;

use leverframe_flags::{
    Arm, BUCKETS, Cause, Context, Definition, Exposure, Expression, FlagUpdate, Percentage,
    Position, Prerequisite, Reason, Rule, RuleSet, Segment, SegmentKey, SegmentUpdate, Serve,
    Split, VariantKey,
};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use crate::{shop, strategy};

const SEGMENTS: [&str; 6] = ["staff", "beta", "in", "~x", "1.2", "not"];

fn variant(name: &str) -> VariantKey {
    VariantKey::new(name).unwrap()
}

fn serve() -> impl Strategy<Value = Serve> {
    let one = prop::sample::select(vec!["low", "normal", "high"])
        .prop_map(|name| Serve::Variant(variant(name)));
    let split = (0..=BUCKETS, "[a-c]{0,2}").prop_map(|(first, salt)| {
        let arm = |name, weight| Arm {
            variant: variant(name),
            weight: Percentage::from_thousandths(weight).unwrap(),
        };
        Serve::Split(Split {
            split: vec![arm("high", first), arm("low", BUCKETS - first)],
            salt: salt.into(),
        })
    });
    prop_oneof![one, split]
}

fn definition(key: &'static str) -> impl Strategy<Value = Definition> {
    (
        serve(),
        vec((strategy::tree(true), serve()), 0..4),
        vec(prop::sample::select(vec!["f", "g", "h", "gone"]), 0..2),
        proptest::option::of(prop::sample::select(vec!["plan", "a.b", "age"])),
    )
        .prop_map(move |(open, rules, prerequisites, unit)| {
            let mut definition = shop::quality(key, &json!({}));
            definition.open = open;
            definition.unit = unit.map(Into::into);
            let prerequisites: BTreeSet<&str> = prerequisites
                .into_iter()
                .filter(|flag| *flag != key)
                .collect();
            definition.prerequisites = prerequisites
                .into_iter()
                .map(|flag| Prerequisite {
                    flag: shop::key(flag),
                    variants: Vec::new(),
                })
                .collect();
            definition.rules = rules
                .into_iter()
                .enumerate()
                .map(|(number, (tree, serve))| Rule {
                    id: number.to_string().into(),
                    when: Expression::new(tree).unwrap(),
                    serve,
                })
                .collect();
            definition
        })
}

fn exposure() -> impl Strategy<Value = Exposure> {
    let cohorts = vec(prop::sample::select(SEGMENTS.as_slice()), 0..3);
    let percentage = prop_oneof![Just(0), Just(BUCKETS), 0..=BUCKETS];
    (cohorts, percentage).prop_map(|(cohorts, thousandths)| Exposure {
        cohorts: cohorts
            .into_iter()
            .map(|name| SegmentKey::new(name).unwrap())
            .collect(),
        percentage: Percentage::from_thousandths(thousandths).unwrap(),
    })
}

fn position() -> impl Strategy<Value = Position> {
    prop_oneof![
        1 => Just(Position::start()),
        4 => exposure().prop_map(|exposure| Position::Open { exposure }),
        1 => prop::sample::select(vec!["low", "high", "none"])
            .prop_map(|name| Position::Pinned { variant: variant(name) }),
    ]
}

fn segments() -> impl Strategy<Value = Vec<SegmentUpdate>> {
    let one = (
        proptest::option::of(strategy::tree(false)),
        vec("[a-c]{1,2}", 0..3),
        vec("[a-c]{1,2}", 0..3),
    );
    vec(one, SEGMENTS.len()).prop_map(|all| {
        SEGMENTS
            .iter()
            .zip(all)
            .map(|(name, (tree, include, exclude))| {
                let boxed = |units: Vec<String>| units.into_iter().map(Into::into).collect();
                let key = SegmentKey::new(name).unwrap();
                let segment = Segment {
                    key: key.clone(),
                    when: tree.map(|tree| Expression::new(tree).unwrap()),
                    include: boxed(include),
                    exclude: boxed(exclude),
                };
                SegmentUpdate {
                    key,
                    definition: Ok(Box::new(segment)),
                }
            })
            .collect()
    })
}

fn world() -> impl Strategy<Value = (Vec<FlagUpdate>, Vec<SegmentUpdate>)> {
    let flag = |key| {
        (definition(key), position())
            .prop_map(|(definition, position)| shop::update(definition, position))
    };
    ((flag("f"), flag("g"), flag("h")), segments())
        .prop_map(|((f, g, h), segments)| (vec![f, g, h], segments))
}

fn at(flags: &[FlagUpdate], position: Position) -> Vec<FlagUpdate> {
    let mut flags = flags.to_vec();
    flags[0].position = position;
    flags
}

/// Whether `f` gives this context what it gives the exposed.
fn is_through(set: &RuleSet, context: &Context) -> bool {
    let outcome = set.evaluate("f", context).unwrap();
    outcome.rule.is_none() && outcome.variant != "low"
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Never a panic, always an answer, and the explanation tells the same.
    #[test]
    fn every_flag_answers_every_context(
        (flags, segments) in world(),
        context in strategy::context(),
    ) {
        let set = RuleSet::compile(9, flags, segments);
        prop_assert_eq!(set.refused().next(), None);
        for flag in ["f", "g", "h"] {
            let outcome = set.evaluate(flag, &context).unwrap();
            let explanation = set.explain(flag, &context).unwrap();
            prop_assert_eq!(explanation.variant.as_str(), outcome.variant);
            prop_assert_eq!(&explanation.value, outcome.value);
            prop_assert_eq!(explanation.reason, outcome.reason.as_str());
            prop_assert_eq!(explanation.arm, outcome.arm.as_str());
            prop_assert_eq!(explanation.rule.as_deref(), outcome.rule);
            explanation.to_string();
            let variants = &set.flag(flag).unwrap().definition().unwrap().variants;
            prop_assert_eq!(variants.get(outcome.variant), Some(outcome.value));
            if outcome.cause.is_some() {
                prop_assert_eq!(outcome.variant, "low");
                prop_assert_eq!(outcome.reason, Reason::Default);
            }
        }
        prop_assert_eq!(set.evaluate("gone", &context), None);
    }

    /// P1, P3: whatever the definition, the segments and the context are.
    #[test]
    fn closed_is_closed(
        (flags, segments) in world(),
        context in strategy::context(),
        is_readable in any::<bool>(),
    ) {
        let mut flags = at(&flags, Position::start());
        if !is_readable {
            flags[0].definition = Err("bad bytes".to_owned());
        }
        let set = RuleSet::compile(9, flags, segments);
        let outcome = set.evaluate("f", &context).unwrap();
        prop_assert_eq!(outcome.variant, "low");
        prop_assert_eq!(outcome.reason, Reason::Disabled);
    }

    /// P8: an exposure that grows only ever adds people, and changes nobody's variant.
    #[test]
    fn a_ramp_only_adds_people(
        (flags, segments) in world(),
        context in strategy::context(),
        smaller in exposure(),
        larger in exposure(),
    ) {
        let mut larger = larger;
        larger.cohorts.extend(smaller.cohorts.iter().cloned());
        larger.percentage = larger.percentage.max(smaller.percentage);
        prop_assert!(smaller.is_within(&larger));
        let compile = |exposure| {
            RuleSet::compile(9, at(&flags, Position::Open { exposure }), segments.clone())
        };
        let (before, after) = (compile(smaller), compile(larger));
        if is_through(&before, &context) {
            prop_assert_eq!(
                before.evaluate("f", &context).unwrap().variant,
                after.evaluate("f", &context).unwrap().variant
            );
        }
    }

    /// `is_within` is right about every context.
    #[test]
    fn who_is_within_an_exposure_is_let_through_by_it(
        (flags, segments) in world(),
        context in strategy::context(),
        one in exposure(),
        other in exposure(),
    ) {
        let mut flags = flags;
        let definition = flags[0].definition.as_mut().unwrap();
        definition.open = Serve::Variant(variant("high"));
        let compile = |exposure| {
            RuleSet::compile(9, at(&flags, Position::Open { exposure }), segments.clone())
        };
        if one.is_within(&other) && is_through(&compile(one), &context) {
            prop_assert!(is_through(&compile(other), &context));
        }
    }

    /// Closing a flag never opens another one.
    #[test]
    fn closing_one_flag_opens_no_other(
        (flags, segments) in world(),
        context in strategy::context(),
    ) {
        let mut without_rules = flags;
        for flag in &mut without_rules {
            flag.definition.as_mut().unwrap().rules.clear();
        }
        let before = RuleSet::compile(9, without_rules.clone(), segments.clone());
        let after = RuleSet::compile(9, at(&without_rules, Position::start()), segments);
        for flag in ["g", "h"] {
            if before.evaluate(flag, &context).unwrap().variant == "low" {
                prop_assert_eq!(after.evaluate(flag, &context).unwrap().variant, "low");
            }
        }
    }

    /// What is decided by chance is marked so, and nothing else is.
    #[test]
    fn only_a_compared_bucket_is_evidence(
        (flags, segments) in world(),
        context in strategy::context(),
    ) {
        use leverframe_flags::AnswerArm::{Assigned, Exposed};
        let set = RuleSet::compile(9, flags.clone(), segments);
        let outcome = set.evaluate("f", &context).unwrap();
        let is_chance = match &flags[0].position {
            Position::Open { exposure } => {
                exposure.percentage != Percentage::ZERO && exposure.percentage != Percentage::FULL
            }
            _ => false,
        };
        if outcome.arm != Assigned {
            prop_assert!(is_chance && outcome.rule.is_none());
            prop_assert_eq!(outcome.reason, Reason::Split);
            prop_assert_ne!(outcome.cause, Some(Cause::NoUnit));
        }
        if outcome.arm == Exposed {
            prop_assert_eq!(outcome.cause, None);
        }
    }
}
