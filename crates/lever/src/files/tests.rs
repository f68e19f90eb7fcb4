use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use leverframe_wire::admin::{
    Arm, EnvironmentRules, FlagDefinition, Kind, Prerequisite, Rule, SegmentDefinition, Serve,
    ValueType,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn flag(key: &str) -> FlagDefinition {
    serde_json::from_value(json!({
        "key": key, "kind": "release", "type": "boolean", "variants": {"on": true, "off": false},
        "closed": "off", "open": "on", "owner": "team-pay", "sunset": "2026-12-31",
        "environments": {"prod": {"rules": [
            {"id": "beta", "when": "plan == \"beta\"", "serve": "on"},
        ]}},
    }))
    .unwrap()
}

fn segment(key: &str) -> SegmentDefinition {
    serde_json::from_value(json!({"key": key, "include": ["ana"]})).unwrap()
}

fn definitions() -> Definitions {
    Definitions {
        flags: [("new-checkout".to_owned(), flag("new-checkout"))].into(),
        segments: [("staff".to_owned(), segment("staff"))].into(),
        plans: BTreeMap::new(),
    }
}

fn put(directory: &Path, file: &str, text: &str) {
    let path = directory.join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn refusal(directory: &Path) -> String {
    let failure = read(directory).unwrap_err();
    assert_eq!(failure.exit.code(), 2, "{failure}");
    failure.to_string()
}

#[test]
fn what_is_written_is_read_again_and_written_the_same() {
    let home = tempfile::tempdir().unwrap();
    for (name, flags, segments) in [
        ("flags", "new-checkout.yaml", "segments/staff.yaml"),
        (
            "elsewhere",
            "flags/new-checkout.yaml",
            "segments/staff.yaml",
        ),
    ] {
        let directory = home.path().join(name);
        let first = write(&directory, &definitions()).unwrap();
        assert_eq!((first.unchanged, first.foreign.len()), (0, 0));
        assert!(directory.join(flags).is_file(), "{flags}");
        assert!(directory.join(segments).is_file(), "{segments}");
        assert_eq!(read(&directory).unwrap(), definitions());
        let second = write(&directory, &definitions()).unwrap();
        assert_eq!((second.unchanged, second.foreign.len()), (2, 0));
    }
}

#[test]
fn a_file_says_its_fields_in_a_stable_order() {
    let home = tempfile::tempdir().unwrap();
    write(home.path(), &definitions()).unwrap();
    let text = std::fs::read_to_string(home.path().join("flags/new-checkout.yaml")).unwrap();
    insta_like(
        &text,
        "key: new-checkout\nkind: release\ntype: boolean\nvariants:\n  off: false\n  on: true\n\
         closed: off\nopen: on\nowner: team-pay\nsunset: 2026-12-31\nenvironments:\n  prod:\n    \
         rules:\n      - id: beta\n        when: plan == \"beta\"\n        serve: on\n",
    );
}

/// The same text up to the quotes a writer may choose.
fn insta_like(text: &str, wanted: &str) {
    let unquoted = |text: &str| text.replace(['"', '\''], "");
    assert_eq!(unquoted(text), unquoted(wanted), "{text}");
}

#[test]
fn an_unknown_field_is_refused_by_file_and_name() {
    let home = tempfile::tempdir().unwrap();
    write(home.path(), &definitions()).unwrap();
    put(
        home.path(),
        "segments/x.yaml",
        "key: x\nwehn: plan == \"beta\"\n",
    );
    let refusal = refusal(home.path());
    assert!(refusal.contains("segments/x.yaml"), "{refusal}");
    assert!(refusal.contains("wehn"), "{refusal}");
    assert!(refusal.contains("nothing changed"), "{refusal}");
}

#[test]
fn a_position_in_a_file_is_refused() {
    let home = tempfile::tempdir().unwrap();
    write(home.path(), &definitions()).unwrap();
    let path = home.path().join("flags/new-checkout.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text + "position: open\n").unwrap();
    assert!(refusal(home.path()).contains("position"));
}

#[test]
fn a_bad_condition_is_refused_by_file_field_and_character() {
    let home = tempfile::tempdir().unwrap();
    let mut bad = definitions();
    let rules = bad
        .flags
        .values_mut()
        .flat_map(|flag| flag.environments.values_mut())
        .flat_map(|environment| &mut environment.rules);
    for rule in rules {
        rule.when = "plan === 1".to_owned();
    }
    write(home.path(), &bad).unwrap();
    let refusal = refusal(home.path());
    assert!(
        refusal.contains("new-checkout.yaml: environments.prod.rules[0].when:"),
        "{refusal}"
    );
    assert!(refusal.contains("character"), "{refusal}");
}

#[test]
fn two_files_cannot_define_one_key() {
    let home = tempfile::tempdir().unwrap();
    write(home.path(), &definitions()).unwrap();
    put(
        home.path(),
        "segments/copy.yaml",
        "key: staff\ninclude: [bob]\n",
    );
    let refusal = refusal(home.path());
    assert!(refusal.contains("copy.yaml"), "{refusal}");
    assert!(refusal.contains("staff.yaml"), "{refusal}");
}

#[test]
fn a_field_that_stands_twice_is_refused() {
    let home = tempfile::tempdir().unwrap();
    put(
        home.path(),
        "segments/x.yaml",
        "key: x\ninclude: [a]\ninclude: [b]\n",
    );
    assert!(refusal(home.path()).contains("include"));
}

#[test]
fn a_name_that_leads_elsewhere_is_refused() {
    let home = tempfile::tempdir().unwrap();
    put(home.path(), "segments/x.yaml", "key: ../x\ninclude: [a]\n");
    assert!(refusal(home.path()).contains("key"));
}

#[cfg(unix)]
#[test]
fn links_are_not_followed() {
    let outside = tempfile::tempdir().unwrap();
    put(outside.path(), "staff.yaml", "key: staff\ninclude: [a]\n");
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(home.path().join("segments")).unwrap();
    let link = home.path().join("segments/staff.yaml");
    std::os::unix::fs::symlink(outside.path().join("staff.yaml"), &link).unwrap();
    assert!(refusal(home.path()).contains("links are not followed"));

    // Writing replaces the link and leaves alone what it led to.
    write(home.path(), &definitions()).unwrap();
    assert!(std::fs::symlink_metadata(&link).unwrap().is_file());
    let there = std::fs::read_to_string(outside.path().join("staff.yaml")).unwrap();
    assert_eq!(there, "key: staff\ninclude: [a]\n");

    let linked = home.path().join("linked");
    std::fs::create_dir_all(&linked).unwrap();
    std::os::unix::fs::symlink(outside.path(), linked.join("segments")).unwrap();
    put(&linked, "flags/new-checkout.yaml", "");
    assert!(write(&linked, &definitions()).is_err());
}

#[test]
fn what_is_not_ours_is_left_alone_and_named() {
    let home = tempfile::tempdir().unwrap();
    put(home.path(), "flags/README.md", "# Flags\n");
    put(home.path(), "flags/old.yaml", "key: old\n");
    let written = write(home.path(), &definitions()).unwrap();
    assert_eq!(written.foreign, [home.path().join("flags/old.yaml")]);
    assert!(home.path().join("flags/README.md").is_file());
}

#[test]
fn an_empty_or_missing_directory_is_not_an_empty_set() {
    let home = tempfile::tempdir().unwrap();
    assert!(refusal(home.path()).contains("no definition"));
    assert!(refusal(&home.path().join("missing")).contains("not a directory"));
    put(home.path(), "flags/a.yml", "key: a\n");
    assert!(refusal(home.path()).contains("call it .yaml"));
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        // What YAML could read as something else.
        prop::sample::select(vec![
            "yes",
            "no",
            "on",
            "off",
            "null",
            "~",
            "true",
            "1",
            "1.0",
            "0x10",
            "1e3",
            "-",
            "- a",
            "a: b",
            "#x",
            " lead",
            "trail ",
            "",
            "a\nb",
            "a\n",
            "\"q\"",
            "'q'",
            "2026-12-31",
            "!t",
            "&a",
            "*a",
            "{}",
            "[]",
            "%",
            "@",
            "`",
            "|",
            ">",
            "é\u{202e}",
            "\t",
            ".inf",
            ".nan",
            "<<",
            "=",
            "012",
            "1_000",
            "12:30:45",
            "\\",
            "a #b",
            "🦀",
        ])
        .prop_map(str::to_owned),
        "[ -~äé]{0,40}",
    ]
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop::num::f64::NORMAL.prop_map(Value::from),
        text().prop_map(Value::from),
    ]
}

fn object() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(text(), inner, 0..4)
                .prop_map(|object| Value::Object(object.into_iter().collect())),
        ]
    })
}

fn serve() -> impl Strategy<Value = Serve> {
    prop_oneof![
        Just(Serve::Variant("off".to_owned())),
        Just(Serve::Variant("1".to_owned())),
        (0_u32..=100_000, text()).prop_map(|(thousandths, salt)| Serve::Split {
            split: vec![
                Arm {
                    variant: "a".to_owned(),
                    weight: f64::from(thousandths) / 1_000.0,
                },
                Arm {
                    variant: "null".to_owned(),
                    weight: f64::from(100_000 - thousandths) / 1_000.0,
                },
            ],
            salt,
        }),
    ]
}

prop_compose! {
    fn any_flag()(
        value in object(),
        number in scalar(),
        open in serve(),
        rule_serve in serve(),
        texts in prop::collection::vec(text(), 6),
        tags in prop::collection::btree_set(text(), 0..3),
        stale_after_s in prop::option::of(1_u32..),
        client_visible in any::<bool>(),
    ) -> FlagDefinition {
        let text = |index: usize| texts.get(index).cloned().unwrap_or_default();
        FlagDefinition {
            closing: None,
            key: "k".to_owned(),
            kind: Kind::Ops,
            value_type: ValueType::Object,
            variants: BTreeMap::from([("off".to_owned(), value), ("1".to_owned(), number)]),
            closed: "off".to_owned(),
            open,
            owner: text(0),
            description: text(1),
            tags: tags.into_iter().collect::<BTreeSet<_>>(),
            runbook: text(2),
            sunset: Some(text(3)),
            client_visible,
            stale_after_s,
            unit: Some(text(4)),
            salt: None,
            hash: Some("native".to_owned()),
            environments: BTreeMap::from([("prod".to_owned(), EnvironmentRules {
                rules: vec![Rule {
                    id: text(5),
                    when: "plan == \"beta\"".to_owned(),
                    serve: rule_serve,
                }],
                prerequisites: vec![Prerequisite {
                    flag: "other".to_owned(),
                    variants: vec!["on".to_owned()],
                }],
            })]),
        }
    }
}

proptest! {
    #[test]
    fn no_text_or_value_changes_on_its_way_through_a_file(flag in any_flag()) {
        let home = tempfile::tempdir().unwrap();
        let definitions = Definitions {
            flags: BTreeMap::from([("k".to_owned(), flag)]),
            segments: BTreeMap::new(), plans: BTreeMap::new(), };
        write(home.path(), &definitions).unwrap();
        let text = std::fs::read_to_string(home.path().join("flags/k.yaml")).unwrap();
        let back = match read(home.path()) {
            Ok(back) => back,
            Err(failure) => panic!("{failure}\n{text}"),
        };
        prop_assert_eq!(&back, &definitions, "{}", text);
        prop_assert_eq!(write(home.path(), &back).unwrap().unchanged, 1);
    }
}
