//! Percentages are exact or refused.

use leverframe_flags::{BUCKETS, Percentage};
use proptest::prelude::*;

#[test]
fn percentages_are_read_exactly_or_refused() {
    let read = [
        ("0", 0),
        ("0.001", 1),
        ("25", 25_000),
        ("25%", 25_000),
        ("33.333", 33_333),
        ("99.999", 99_999),
        ("100", 100_000),
        ("100.000", 100_000),
    ];
    for (text, thousandths) in read {
        assert_eq!(
            text.parse::<Percentage>().unwrap().thousandths(),
            thousandths,
            "{text}"
        );
    }
    let refused = [
        "", "%", "-1", "+1", "100.0001", "100.001", "101", "33.3333", "1e1", "1.", ".5", "1,5",
        " 1", "1 %", "٣", "nan", "1000",
    ];
    for text in refused {
        let error = text.parse::<Percentage>().unwrap_err().to_string();
        assert!(error.contains("at most three decimals"), "{text}: {error}");
    }
}

#[test]
fn a_number_in_json_is_read_like_the_text() {
    let read = |json: &str| serde_json::from_str::<Percentage>(json);
    assert_eq!(read("33.333").unwrap().thousandths(), 33_333);
    assert_eq!(read("25.0").unwrap().thousandths(), 25_000);
    assert_eq!(read("\"25%\"").unwrap().thousandths(), 25_000);
    for json in ["100.0001", "-1", "true", "null", "[]", "1e2"] {
        match read(json) {
            Err(_) => {}
            Ok(percentage) => assert_eq!((json, percentage), ("1e2", Percentage::FULL)),
        }
    }
}

proptest! {
    #[test]
    fn every_percentage_is_printed_and_read_without_loss(thousandths in 0..=BUCKETS) {
        let percentage = Percentage::from_thousandths(thousandths).unwrap();
        prop_assert_eq!(percentage.to_string().parse::<Percentage>().unwrap(), percentage);
        let json = serde_json::to_string(&percentage).unwrap();
        prop_assert_eq!(serde_json::from_str::<Percentage>(&json).unwrap(), percentage);
    }
}
