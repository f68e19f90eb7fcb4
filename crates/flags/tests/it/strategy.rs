//! Random trees, contexts and flags.

use leverframe_flags::{
    Attribute, Comparison, Context, Expr, Literal, Pattern, Predicate, SegmentKey, Subject, Test,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// Few names, so that conditions and contexts often meet.
const NAMES: [&str; 8] = [
    "plan",
    "age",
    "a.b",
    "in",
    "now",
    "with space",
    "tick`\\",
    "targetingKey",
];

fn text() -> impl Strategy<Value = Box<str>> {
    prop_oneof![
        Just("beta".to_owned()),
        Just("2.1.0".to_owned()),
        Just("10.1.2.3".to_owned()),
        Just("2026-01-01T00:00:00Z".to_owned()),
        "[a-c\"\\\\\u{202e}\u{0}\n ]{0,6}",
        any::<String>(),
    ]
    .prop_map(Into::into)
}

fn number() -> impl Strategy<Value = Literal> {
    prop_oneof![
        (-3_i64..3).prop_map(Literal::Integer),
        any::<i64>().prop_map(Literal::Integer),
        (-6_i32..6).prop_map(|halves| Literal::Float(f64::from(halves) / 2.0)),
        any::<f64>()
            .prop_filter("finite", |number| number.is_finite())
            .prop_map(Literal::Float),
    ]
}

fn literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        any::<bool>().prop_map(Literal::Boolean),
        number(),
        text().prop_map(Literal::String),
    ]
}

fn items() -> impl Strategy<Value = Vec<Literal>> {
    prop_oneof![
        vec(any::<bool>().prop_map(Literal::Boolean), 1..3),
        vec(number(), 1..6),
        vec(text().prop_map(Literal::String), 1..6),
    ]
}

fn comparison() -> impl Strategy<Value = Comparison> {
    prop::sample::select(vec![
        Comparison::Equal,
        Comparison::NotEqual,
        Comparison::Less,
        Comparison::LessOrEqual,
        Comparison::Greater,
        Comparison::GreaterOrEqual,
    ])
}

fn subject() -> impl Strategy<Value = Subject> {
    prop_oneof![
        Just(Subject::Unit),
        Just(Subject::Now),
        prop::sample::select(NAMES.as_slice()).prop_map(|name| Subject::Named(name.into())),
        "[a-z_.-]{1,4}".prop_map(|name| Subject::Named(name.into())),
        "\\PC{1,4}".prop_map(|name| Subject::Named(name.into())),
    ]
}

fn network() -> impl Strategy<Value = ipnet::IpNet> {
    prop_oneof![
        (any::<[u8; 4]>(), 0_u8..=32)
            .prop_map(|(address, prefix)| { ipnet::IpNet::new(address.into(), prefix).unwrap() }),
        (any::<[u16; 8]>(), 0_u8..=128)
            .prop_map(|(address, prefix)| { ipnet::IpNet::new(address.into(), prefix).unwrap() }),
    ]
}

fn version() -> impl Strategy<Value = semver::Version> {
    (
        "[0-9]{1,3}",
        0_u64..9,
        0_u64..9,
        "(-rc[.][1-9]|-[a-z]{1,12})?",
    )
        .prop_map(|(major, minor, patch, pre)| {
            let major: u64 = major.parse().unwrap();
            format!("{major}.{minor}.{patch}{pre}").parse().unwrap()
        })
}

fn instant() -> impl Strategy<Value = jiff::Timestamp> {
    prop_oneof![
        Just("2026-01-01T00:00:00Z".parse().unwrap()),
        (-300_000_000_000_i64..253_000_000_000, 0_i32..1_000_000_000)
            .prop_map(|(seconds, nanos)| jiff::Timestamp::new(seconds, nanos).unwrap()),
    ]
}

fn test() -> impl Strategy<Value = Test> {
    let equality = prop::sample::select(vec![Comparison::Equal, Comparison::NotEqual]);
    prop_oneof![
        (equality, literal()).prop_map(|(sign, literal)| Test::Compare(sign, literal)),
        (comparison(), number()).prop_map(|(sign, number)| Test::Compare(sign, number)),
        items().prop_map(Test::In),
        text().prop_map(Test::StartsWith),
        text().prop_map(Test::EndsWith),
        literal().prop_map(Test::Contains),
        prop::sample::select(vec!["^b", "\\d+", "(?i)BETA", "a|\"", "\u{202e}"])
            .prop_map(|source| Test::Matches(Pattern::new(source).unwrap())),
        (comparison(), version()).prop_map(|(sign, version)| Test::Version(sign, version)),
        vec(network(), 1..4).prop_map(Test::Network),
        instant().prop_map(Test::Before),
        instant().prop_map(Test::After),
        Just(Test::Missing),
    ]
}

fn segment() -> impl Strategy<Value = SegmentKey> {
    prop::sample::select(vec!["staff", "beta", "in", "~x", "1.2", "not"])
        .prop_map(|name| SegmentKey::new(name).unwrap())
}

fn predicate(with_segments: bool) -> BoxedStrategy<Predicate> {
    let attribute =
        (subject(), test()).prop_map(|(subject, test)| Predicate::Attribute { subject, test });
    if with_segments {
        prop_oneof![
            4 => attribute,
            1 => vec(segment(), 1..3).prop_map(|any_of| Predicate::Segment { any_of }),
        ]
        .boxed()
    } else {
        attribute.boxed()
    }
}

/// Random trees, in whatever shape a program may build them.
pub(crate) fn tree(with_segments: bool) -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![
        8 => predicate(with_segments).prop_map(Expr::Test),
        1 => any::<bool>().prop_map(Expr::Constant),
    ];
    leaf.prop_recursive(5, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Expr::All),
            vec(inner.clone(), 0..4).prop_map(Expr::Any),
            inner.prop_map(|part| Expr::Not(Box::new(part))),
        ]
    })
}

fn attribute() -> impl Strategy<Value = Attribute> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Attribute::Boolean),
        prop_oneof![-3_i64..3, any::<i64>()].prop_map(Attribute::Integer),
        any::<f64>().prop_map(Attribute::Float),
        text().prop_map(Attribute::String),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Attribute::List),
            vec(("[ab]".prop_map(Box::from), inner), 0..4).prop_map(Attribute::Object),
        ]
    })
}

/// Random contexts, with and without a unit and a time.
pub(crate) fn context() -> impl Strategy<Value = Context> {
    let named = (
        prop_oneof![
            prop::sample::select(NAMES.as_slice()).prop_map(str::to_owned),
            Just("a".to_owned()),
            "[a-z_.-]{1,4}",
        ],
        attribute(),
    );
    (
        proptest::option::of("\\PC{0,12}"),
        vec(named, 0..8),
        proptest::option::of(any::<i64>()),
    )
        .prop_map(|(unit, attributes, at_ms)| {
            let mut context = unit.map_or_else(Context::anonymous, |unit| Context::new(&unit));
            for (name, value) in attributes {
                context.set(&name, value);
            }
            match at_ms {
                Some(at_ms) => context.at(at_ms),
                None => context,
            }
        })
}
