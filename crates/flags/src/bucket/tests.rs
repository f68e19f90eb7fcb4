use proptest::prelude::*;

use super::*;

#[test]
fn the_hash_gives_flagds_vectors() {
    let vectors = [
        ("ejOoVL", 0),
        ("bY9fO-", 1),
        ("SI7p-", 2_147_483_647),
        ("6LvT0", 2_147_483_648),
        ("ceQdGm", 4_294_967_295),
    ];
    for (text, hash) in vectors {
        assert_eq!(murmur3_x86_32(text.as_bytes()), hash, "{text}");
    }
}

#[test]
fn the_hash_gives_the_reference_implementations_vectors() {
    // The vectors that are passed around among implementations, for seed 0.
    assert_eq!(murmur3_x86_32(b""), 0);
    assert_eq!(murmur3_x86_32(&[0, 0, 0, 0]), 0x2362_f9de);
    assert_eq!(murmur3_x86_32(&[0xff, 0xff, 0xff, 0xff]), 0x7629_3b50);
    assert_eq!(murmur3_x86_32(&[0x21, 0x43, 0x65, 0x87]), 0xf55b_516b);
    assert_eq!(murmur3_x86_32(&[0x21, 0x43, 0x65]), 0x7e4a_8634);
    assert_eq!(murmur3_x86_32(&[0x21, 0x43]), 0xa0f7_b07a);
    assert_eq!(murmur3_x86_32(&[0x21]), 0x7266_1cf4);
    assert_eq!(murmur3_x86_32(&[0, 0, 0]), 0x85f0_b427);
    assert_eq!(murmur3_x86_32(&[0, 0]), 0x30f4_c306);
    assert_eq!(murmur3_x86_32(&[0]), 0x514e_28b7);
}

#[test]
fn the_first_and_the_last_bucket_are_reached() {
    assert_eq!(bucket("", "ejOoVL"), 0);
    assert_eq!(bucket("", "ceQdGm"), BUCKETS - 1);
    assert_eq!(bucket("", "SI7p-"), BUCKETS / 2 - 1);
    assert_eq!(bucket("", "6LvT0"), BUCKETS / 2);
}

/// χ² over 1000 groups of buckets. With 999 degrees of freedom the statistic stays below 1168 in
/// 99.99 % of uniform samples; ids and salts are fixed, so the test either always passes or never.
#[test]
fn buckets_of_a_million_ids_are_uniform() {
    const GROUPS: usize = 1_000;
    let ids: u32 = if cfg!(debug_assertions) {
        200_000
    } else {
        1_000_000
    };
    for salt in ["new-checkout", "img-quality", ""] {
        let salt = BucketSalt::new(salt);
        let mut counts = vec![0_u32; GROUPS];
        for id in 0..ids {
            counts[salt.bucket(&format!("user-{id}")) as usize * GROUPS / BUCKETS as usize] += 1;
        }
        let expected = f64::from(ids) / GROUPS as f64;
        let chi_squared: f64 = counts
            .iter()
            .map(|count| (f64::from(*count) - expected).powi(2) / expected)
            .sum();
        assert!(chi_squared < 1_168.0, "{chi_squared}");
        assert!(chi_squared > 840.0, "too even to be a hash: {chi_squared}");
    }
}

proptest! {
    #[test]
    fn hashing_in_two_parts_is_hashing_the_whole(salt in ".{0,20}", unit in ".{0,40}") {
        let whole = format!("{salt}{unit}");
        prop_assert_eq!(
            bucket(&salt, &unit),
            scaled(murmur3_x86_32(whole.as_bytes()))
        );
    }

    #[test]
    fn a_bucket_is_always_below_the_number_of_buckets(salt in ".*", unit in ".*") {
        prop_assert!(bucket(&salt, &unit) < BUCKETS);
    }
}
