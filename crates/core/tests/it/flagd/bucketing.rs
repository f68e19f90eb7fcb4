use leverframe_flags::{BUCKETS, Hash, murmur3_x86_32};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::{engine, imported, ours, rule_set, with_targeting};

fn agree(targeting: &Json, contexts: impl IntoIterator<Item = Json>) {
    let document = with_targeting(targeting);
    let set = rule_set(&document);
    let mut seen = std::collections::BTreeSet::new();
    for context in contexts {
        let wanted = engine::answer(&document, "f", &context);
        assert_eq!(ours(&set, &context), wanted, "{targeting} of {context}");
        seen.insert(wanted);
    }
    assert!(
        seen.len() > 1,
        "the contexts tell nothing apart: {targeting}"
    );
}

/// Users with and without a targeting key and an email.
fn users() -> Vec<Json> {
    let mut users: Vec<Json> = (0..400)
        .map(|number| json!({"targetingKey": format!("u-{number}"), "email": format!("{number}@acme.test"), "yes": number % 3 == 0}))
        .collect();
    users.extend([
        json!({}),
        json!({"targetingKey": "ana"}),
        json!({"email": "ana@acme.test"}),
        json!({"targetingKey": "ana", "email": ""}),
        json!({"targetingKey": "ana", "email": null, "yes": true}),
        // The vectors: the hashes 0, 1, 2^31 - 1, 2^31 and 2^32 - 1.
        json!({"email": "ejOoVL"}),
        json!({"email": "bY9fO-"}),
        json!({"email": "SI7p-"}),
        json!({"email": "6LvT0"}),
        json!({"email": "ceQdGm"}),
    ]);
    users
}

#[test]
fn everybody_keeps_their_variant_whatever_is_bucketed_by() {
    let arms = [json!(["a", 50]), json!(["b", 30]), json!(["c", 20])];
    let keys = [
        None,
        Some(json!({"cat": [{"var": "$flagd.flagKey"}, {"var": "targetingKey"}]})),
        Some(json!({"cat": ["salt-", {"var": "targetingKey"}]})),
        Some(json!({"cat": [{"var": "$flagd.flagKey"}, "-", 7, {"var": "email"}]})),
        Some(json!({"cat": [{"var": "$flagd.flagKey"}, {"var": ["email", "nobody"]}]})),
        Some(json!({"cat": [{"var": "email"}]})),
        Some(json!({"var": "email"})),
        Some(json!({"var": ["email", "nobody"]})),
        Some(json!({"var": "targetingKey"})),
        Some(json!({"var": ["targetingKey", "nobody"]})),
    ];
    for key in keys {
        let mut args: Vec<Json> = key.into_iter().collect();
        args.extend(arms.clone());
        let split = json!({"fractional": args});
        agree(&split, users());
        // In a rule, too, and where the default is not what is closed to.
        agree(&json!({"if": [{"var": "yes"}, split, "true"]}), users());
    }
}

#[test]
fn a_key_that_everybody_shares_gives_everybody_one_variant() {
    for key in ["ejOoVL", "SI7p-", "6LvT0", "ceQdGm"] {
        let targeting = json!({"fractional": [key, ["a", 1], ["b", 1]]});
        let document = with_targeting(&targeting);
        let wanted = if murmur3_x86_32(key.as_bytes()) < 1 << 31 {
            "a"
        } else {
            "b"
        };
        assert_eq!(engine::answer(&document, "f", &json!({})), wanted);
        assert_eq!(ours(&rule_set(&document), &json!({})), wanted);
    }
}

#[test]
fn the_vectors_fall_where_flagd_puts_them() {
    let document = with_targeting(&json!({"fractional": [{"var": "email"}, ["a", 1], ["b", 1]]}));
    let set = rule_set(&document);
    for (email, hash, variant) in [
        ("ejOoVL", 0, "a"),
        ("bY9fO-", 1, "a"),
        ("SI7p-", 2_147_483_647, "a"),
        ("6LvT0", 2_147_483_648, "b"),
        ("ceQdGm", 4_294_967_295, "b"),
    ] {
        assert_eq!(murmur3_x86_32(email.as_bytes()), hash);
        assert_eq!(ours(&set, &json!({"email": email})), variant, "{email}");
    }
}

#[test]
fn weights_may_be_left_out_negative_or_nothing() {
    let arms = |arms: Json| json!({"if": [{"var": "yes"}, {"fractional": arms}, "true"]});
    agree(&arms(json!([["a"], ["b"]])), users());
    agree(&arms(json!([["a", 3], ["b"]])), users());
    agree(&arms(json!([["a", -5], ["b", 10], ["a", 0]])), users());
    agree(&arms(json!([["a", 0], ["b", 0]])), users());
    agree(&arms(json!([[null, 40], ["b", 60]])), users());
}

#[test]
fn an_arm_may_choose_its_variant_by_a_condition() {
    let vip = json!({"if": [{"var": "yes"}, "a", "b"]});
    agree(&json!({"fractional": [[vip, 25], ["c", 75]]}), users());
    let two = json!({"if": [{"==": [{"var": "email"}, "7@acme.test"]}, "true"]});
    agree(
        &json!({"fractional": [[vip, 25], [two, 25], ["false", 50]]}),
        users(),
    );
}

#[test]
fn weights_that_would_move_people_are_refused_with_the_share() {
    let refused = |arms: Json| {
        let import = imported(&with_targeting(&json!({"fractional": arms})));
        assert_eq!(import.flags.len(), 0);
        import.refusals[0].clone()
    };
    let refusal = refused(json!([["a", 1], ["b", 1], ["c", 1]]));
    assert_eq!(refusal.operator.as_deref(), Some("fractional"));
    assert_eq!(refusal.path, "$.flags.f.targeting.fractional");
    assert!(refusal.why.contains("1 of 3"), "{refusal}");
    refused(json!([["a", 1], ["b", 127]]));
    refused(json!([["a", 2_147_483_647], ["b", 1]]));
    refused(json!([["a", 0.5], ["b", 0.5]]));
}

#[test]
fn a_bare_attribute_hashes_without_a_salt_and_the_exposure_stays_apart() {
    let flag = |targeting: &Json| {
        imported(&with_targeting(targeting))
            .flags
            .remove(0)
            .definition
    };
    let bare = flag(&json!({"fractional": [{"var": "targetingKey"}, ["c", 1], ["b", 1]]}));
    assert_eq!((bare.hash, &*bare.salt), (Hash::Unsalted, "f/exposure"));
    let salted = flag(&json!({"fractional": [["c", 1], ["b", 1]]}));
    assert_eq!((salted.hash, &*salted.salt), (Hash::Native, "f/exposure"));
}

proptest! {
    /// The proof in `fractional.rs`, tried: where a cumulative weight is a whole number of
    /// hundred-thousandths of the total, both borders are one.
    #[test]
    fn borders_are_the_same_wherever_a_split_is_imported(
        total in prop::sample::select(vec![2_u64, 5, 8, 10, 16, 32, 100, 1_000, 3_125, 100_000, 200_000_000]),
        part in 0.0_f64..1.0,
        hash in any::<u32>(),
        near in -2_i64..=2,
    ) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "below total")]
        let below = (total as f64 * part) as u64;
        let ours = below * u64::from(BUCKETS);
        prop_assume!(ours.is_multiple_of(total));
        let ours = ours / total;
        // Hashes around the border, and any.
        let border = i64::try_from((u128::from(below) << 32) / u128::from(total)).unwrap() + near;
        for hash in [u64::from(hash), u64::try_from(border.clamp(0, u32::MAX.into())).unwrap()] {
            let flagd = (hash * total) >> 32 < below;
            let lever = (hash * u64::from(BUCKETS)) >> 32 < ours;
            prop_assert_eq!(flagd, lever, "{} of {} at {}", below, total, hash);
        }
    }
}
