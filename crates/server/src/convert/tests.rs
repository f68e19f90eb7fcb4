use leverframe_flags::Percentage;
use leverframe_wire::admin;
use proptest::prelude::*;
use serde_json::json;

use super::definition::definition_view;
use super::percentage::number;
use super::{definition, percentage};

fn wire(patch: &serde_json::Value) -> admin::FlagDefinition {
    let mut flag = json!({
        "key": "img-quality",
        "kind": "ops",
        "type": "float",
        "variants": {"low": 1, "high": 2.5},
        "closed": "low",
        "open": {"split": [{"variant": "low", "weight": 33.333}, {"variant": "high", "weight": 66.667}]},
        "owner": "web",
    });
    for (name, value) in patch.as_object().unwrap() {
        flag[name] = value.clone();
    }
    serde_json::from_value(flag).unwrap()
}

fn field_of(patch: &serde_json::Value) -> String {
    let failure = definition(wire(patch)).unwrap_err();
    failure.field().unwrap().to_owned()
}

#[test]
fn a_definition_comes_back_as_it_was_sent() {
    let sent = wire(&json!({
        "tags": ["a"], "sunset": "2027-01-31", "unit": "account", "client_visible": true,
        "environments": {"prod": {
            "rules": [{"id": "beta", "when": "plan == \"beta\"", "serve": "high"}],
            "prerequisites": [{"flag": "other", "variants": ["on"]}],
        }},
    }));
    let core = definition(sent.clone()).unwrap();
    let mut back = definition_view(&core);
    // The whole number in a float flag has become a float.
    assert_eq!(back.variants["low"], json!(1.0));
    back.variants.insert("low".to_owned(), json!(1));
    assert_eq!(back, sent);
}

#[test]
fn an_error_names_the_field() {
    assert_eq!(field_of(&json!({"key": "no spaces"})), "definition.key");
    assert_eq!(
        field_of(&json!({"variants": {"low": 1, "high": "2"}})),
        "definition.variants.high"
    );
    assert_eq!(
        field_of(&json!({"variants": {"low": null}})),
        "definition.variants.low"
    );
    assert_eq!(field_of(&json!({"sunset": "soon"})), "definition.sunset");
    assert_eq!(field_of(&json!({"hash": "unleash"})), "definition.hash");
    assert_eq!(
        field_of(&json!({"open": {"split": [{"variant": "low", "weight": 100.0001}]}})),
        "definition.open.split[0].weight"
    );
    assert_eq!(
        field_of(
            &json!({"environments": {"prod": {"rules": [{"when": "plan ===", "serve": "low"}]}}})
        ),
        "definition.environments.prod.rules[0].when"
    );
    assert_eq!(
        field_of(&json!({"environments": {"prod": {"prerequisites": [{"flag": "a b"}]}}})),
        "definition.environments.prod.prerequisites[0].flag"
    );
}

proptest! {
    #[test]
    fn every_percentage_of_three_decimals_is_exact(thousandths in 0_u32..=100_000) {
        let exact = Percentage::from_thousandths(thousandths).unwrap();
        let written: f64 = exact.to_string().parse().unwrap();
        prop_assert_eq!(percentage("p", written).unwrap(), exact);
        prop_assert_eq!(number(exact), written);
    }
}

#[test]
fn a_percentage_that_is_not_exact_is_refused_and_never_rounded() {
    for number in [
        100.0001,
        100.001,
        -1.0,
        -0.0001,
        0.0001,
        33.3333,
        1e300,
        f64::NAN,
        f64::INFINITY,
    ] {
        assert!(percentage("p", number).is_err(), "{number}");
    }
    assert_eq!(
        percentage("p", -0.0).ok(),
        None,
        "a sign is not a percentage"
    );
}

proptest::proptest! {
    /// A plan that was read is shown as it was written, but for what it would say anyway.
    #[test]
    fn a_plan_comes_back_as_it_was_sent(
        shares in proptest::collection::btree_set(1_u32..=100_000, 1..6),
        bakes in proptest::collection::vec(proptest::option::of(1_u64..1_000_000_000), 6),
        holds in proptest::collection::vec(proptest::option::of(1_u64..1_000_000_000), 7),
        rates in (1_u32..100_000, proptest::option::of(1_u32..100_000)),
    ) {
        use leverframe_wire::admin::{PlanDefinition, PlanMetric, PlanStage, Span};
        let stages = shares.iter().zip(&bakes).zip(&holds).map(|((share, bake), hold)| PlanStage {
            percentage: Some(f64::from(*share) / 1_000.0),
            bake: bake.map(Span::from_ms),
            max_hold: hold.map(Span::from_ms),
            ..PlanStage::default()
        });
        let mut metric = PlanMetric::named("latency_p99");
        metric.tolerable = f64::from(rates.0) / 1_000.0;
        metric.ceiling = rates.1.map(|rate| f64::from(rate) / 1_000.0);
        let mut sent = PlanDefinition::of("p", stages.collect(), vec![metric]);
        sent.max_hold = holds.get(6).copied().flatten().map(Span::from_ms);
        let back = super::plan_view(&super::plan(&sent).unwrap());
        proptest::prop_assert_eq!(&back, &sent.settled());
        let again = super::plan(&back).unwrap();
        proptest::prop_assert_eq!(super::plan_view(&again), back);
    }
}
