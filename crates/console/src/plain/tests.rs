use leverframe_wire::admin::{Arm, EnvironmentRules, Kind};
use proptest::prelude::*;

use super::*;

fn flag(rules: Vec<Rule>, prerequisites: Vec<Prerequisite>) -> FlagDefinition {
    FlagDefinition {
        key: "checkout".to_owned(),
        kind: Kind::Release,
        value_type: ValueType::Boolean,
        variants: [
            ("on".to_owned(), true.into()),
            ("off".to_owned(), false.into()),
        ]
        .into(),
        closed: "off".to_owned(),
        open: Serve::Variant("on".to_owned()),
        owner: "team-pay".to_owned(),
        description: String::new(),
        tags: std::collections::BTreeSet::new(),
        runbook: String::new(),
        sunset: None,
        client_visible: false,
        stale_after_s: None,
        closing: None,
        unit: None,
        salt: None,
        hash: None,
        environments: [(
            "prod".to_owned(),
            EnvironmentRules {
                rules,
                prerequisites,
            },
        )]
        .into(),
    }
}

fn rule(when: &str, serve: Serve) -> Rule {
    Rule {
        id: "r".to_owned(),
        when: when.to_owned(),
        serve,
    }
}

#[test]
fn conditions_read_as_people_would_say_them() {
    for (when, words) in [
        (r#"plan == "beta""#, r#"plan is "beta""#),
        (
            r#"plan == "beta" and country in ["NO", "SE"]"#,
            r#"plan is "beta" and country is one of "NO", "SE""#,
        ),
        (
            r#"email ends_with "@acme.test" or segment staff"#,
            r#"email ends with "@acme.test" or they are in the segment staff"#,
        ),
        (
            r#"not age < 18 and account.tier != "free""#,
            r#"not age is below 18 and account.tier is not "free""#,
        ),
        (
            r#"app_version semver >= "2.4.0""#,
            r#"app_version is at least the version "2.4.0""#,
        ),
        ("ip in 10.0.0.0/8", "ip is in the network 10.0.0.0/8"),
        (
            r#"signup before "2026-01-01T00:00:00Z""#,
            r#"signup is before "2026-01-01T00:00:00Z""#,
        ),
        ("email missing", "email is not known"),
        ("email present", "email is known"),
        (
            "segment in [staff, beta]",
            "they are in one of the segments staff, beta",
        ),
        (
            r#"a == 1 or (b == 2 and c == 3)"#,
            "a is 1 or (b is 2 and c is 3)",
        ),
        (
            r#"not (a == 1 or b == 2)"#,
            "it is not so that (a is 1 or b is 2)",
        ),
        (
            r#"targetingKey not in ["u-1", "u-2"]"#,
            r#"the user is none of "u-1", "u-2""#,
        ),
        (
            r#"`http.user agent` contains "a == b""#,
            r#"`http.user agent` contains "a == b""#,
        ),
        ("true", "always"),
    ] {
        assert_eq!(condition(when), words, "{when}");
    }
}

#[test]
fn a_flag_is_told_in_the_order_in_which_it_is_decided() {
    let split = Serve::Split {
        split: vec![
            Arm {
                variant: "on".to_owned(),
                weight: 33.3,
            },
            Arm {
                variant: "off".to_owned(),
                weight: 66.7,
            },
        ],
        salt: String::new(),
    };
    let on = Serve::Variant("on".to_owned());
    let asked = Prerequisite {
        flag: "accounts".to_owned(),
        variants: Vec::new(),
    };
    let definition = flag(
        vec![rule(r#"plan == "beta""#, on), rule("true", split)],
        vec![asked],
    );
    let open = Position::Open {
        exposure: Exposure {
            cohorts: vec!["staff".to_owned()],
            percentage: 5.0,
        },
    };
    assert_eq!(
        Plain::new(&definition, "prod", Some(&open)).lines(),
        [
            "Only while accounts is not closed to them; otherwise they get the closed variant.",
            r#"1. If plan is "beta" → everybody gets on"#,
            "2. Always → 33.3 % get on, 66.7 % get off",
            "Whoever is in staff gets on.",
            "Of everybody else 5 % get on, the rest off.",
        ]
    );
    let dev = Plain::new(&definition, "dev", Some(&open));
    assert!(dev.rules.is_empty());
}

#[test]
fn a_lever_that_is_not_open_decides_before_any_rule() {
    let definition = flag(
        vec![rule("true", Serve::Variant("on".to_owned()))],
        Vec::new(),
    );
    let killed = Position::Closed {
        latched: true,
        variant: "off".to_owned(),
        value: false.into(),
    };
    let first = Plain::new(&definition, "prod", Some(&killed))
        .first
        .unwrap();
    assert!(
        first.starts_with("The lever was killed: everybody gets off."),
        "{first}"
    );
    let everybody = Position::Open {
        exposure: Exposure {
            cohorts: Vec::new(),
            percentage: 100.0,
        },
    };
    let all = Plain::new(&flag(Vec::new(), Vec::new()), "prod", Some(&everybody));
    assert_eq!(all.lines(), ["Everybody gets on."]);
}

proptest! {
    #[test]
    fn no_text_is_lost_in_words(value in "[a-z <>&\\\\\"=]{0,20}") {
        let quoted = format!("{value:?}");
        let words = condition(&format!("plan == {quoted} and age < 3"));
        prop_assert!(words.contains(&quoted), "{words}");
        prop_assert!(words.ends_with("and age is below 3"), "{words}");
    }

    #[test]
    fn any_text_is_said_somehow(text in ".{0,60}") {
        let _ = condition(&text);
    }
}
