//! Whatever is drawn: finite, in its place, and nothing that acts.

use leverframe_wire::admin::{ArmCounts, MeasurementView, PlanMetric, RateView, SoFar};
use proptest::prelude::*;

use super::*;

/// Every attribute that holds a number or a path.
fn numbers(svg: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (name, open) in [
        ("d", " d=\""),
        ("x", " x=\""),
        ("y", " y=\""),
        ("x1", " x1=\""),
        ("x2", " x2=\""),
        ("y1", " y1=\""),
        ("y2", " y2=\""),
        ("cx", " cx=\""),
        ("cy", " cy=\""),
        ("width", " width=\""),
        ("height", " height=\""),
    ] {
        for rest in svg.split(open).skip(1) {
            found.push(format!("{name}: {}", rest.split('"').next().unwrap()));
        }
    }
    found
}

fn assert_sound(svg: &str) {
    for number in numbers(svg) {
        let (_, value) = number.split_once(": ").unwrap();
        assert!(!value.contains("NaN") && !value.contains("inf"), "{number}");
        let parts = value.split(|c: char| !(c.is_ascii_digit() || c == '-' || c == '.'));
        for part in parts.filter(|part| !part.is_empty()) {
            let value: f64 = part.parse().unwrap_or_else(|_| panic!("{number}: {part}"));
            assert!((-200.0..=1_100.0).contains(&value), "{number}");
        }
    }
    for bad in ["style=", "<script", "onload", "javascript:", "{", "}"] {
        assert!(!svg.contains(bad), "{bad}");
    }
    assert_eq!(svg.matches("<svg").count(), svg.matches("</svg>").count());
    assert_eq!(svg.matches("<g").count(), svg.matches("</g>").count());
}

fn any_value() -> impl Strategy<Value = f64> {
    prop_oneof![
        8 => 0.0..100.0_f64,
        1 => any::<f64>(),
        1 => Just(f64::NAN),
        1 => Just(f64::INFINITY),
        1 => Just(-1e300),
    ]
}

fn any_points() -> impl Strategy<Value = Vec<Point>> {
    let point = (
        any::<i64>(),
        any_value(),
        any_value(),
        any_value(),
        any::<u8>(),
    );
    prop::collection::vec(point, 0..400).prop_map(|all| {
        all.into_iter()
            .map(|(at, value, low, high, kind)| match kind {
                0..40 => Point::gap(at),
                _ => Point {
                    at_ms: at,
                    value: Some(value),
                    band: Some((low, high)),
                },
            })
            .collect()
    })
}

fn plot(unit: Unit, points: Vec<Point>, (from_ms, until_ms): (i64, i64)) -> Plot {
    Plot {
        id: "p".to_owned(),
        title: "</title><script>alert(1)</script>".to_owned(),
        summary: "\"><img src=x onerror=alert(1)>".to_owned(),
        unit,
        from_ms,
        until_ms,
        lines: vec![
            Line {
                look: Look::Exposed,
                name: "exposed".to_owned(),
                points: points.clone(),
            },
            Line {
                look: Look::HeldBack,
                name: "held back".to_owned(),
                points: points.clone(),
            },
            Line {
                look: Look::Limit,
                name: "limit".to_owned(),
                points,
            },
        ],
        gaps: vec![(from_ms, until_ms), (until_ms, from_ms)],
        marks: vec![Mark {
            at_ms: from_ms,
            kind: MarkKind::Back,
            words: "<b>&\"'".to_owned(),
        }],
        looks: vec![from_ms, until_ms],
    }
}

proptest! {
    #[test]
    fn a_scale_keeps_the_order_and_its_bounds(
        low in any_value(), high in any_value(), one in any_value(), other in any_value(),
    ) {
        let scale = Scale::new(low, high);
        for value in [one, other, low, high] {
            let at = scale.at(value);
            prop_assert!((0.0..=1.0).contains(&at), "{low} {high} {value}: {at}");
        }
        if one <= other {
            prop_assert!(scale.at(one) <= scale.at(other));
        }
    }

    #[test]
    fn ticks_are_few_round_and_reach_the_top(high in 1e-6..1e9_f64, count in 1_usize..10) {
        let ticks = nice_ticks(high, count);
        prop_assert!(ticks.len() <= count + 1, "{ticks:?}");
        prop_assert!(ticks.windows(2).all(|pair| pair[0] < pair[1]), "{ticks:?}");
        prop_assert_eq!(ticks[0], 0.0);
        let top = *ticks.last().unwrap();
        prop_assert!(top >= high * (1.0 - 1e-6), "{high}: {ticks:?}");
        let step = ticks[1];
        let digit = step / 10_f64.powf(step.log10().floor() );
        let is_round = [1.0, 2.0, 5.0, 10.0].iter().any(|round| (digit - round).abs() < 1e-6);
        prop_assert!(is_round, "{step}");
    }

    #[test]
    fn ticks_of_anything_are_finite(high in any_value(), count in any::<usize>()) {
        let ticks = nice_ticks(high, count);
        prop_assert!(!ticks.is_empty() && ticks.len() <= 21);
        prop_assert!(ticks.iter().all(|tick| tick.is_finite()), "{high}: {ticks:?}");
    }

    #[test]
    fn times_are_within_and_few(from in any::<i64>(), span in 0..i64::MAX, count in 1_usize..8) {
        let until = from.saturating_add(span);
        let ticks = time_ticks(from, until, count);
        prop_assert!(ticks.len() <= count, "{ticks:?}");
        prop_assert!(ticks.iter().all(|tick| (from..=until).contains(tick)));
        prop_assert!(ticks.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn fewer_points_keep_what_sticks_out_and_what_is_missing(
        values in prop::collection::vec(prop::option::weighted(0.98, 0.0..100.0_f64), 1..3_000),
        most in 5_usize..200,
    ) {
        let points: Vec<Point> = values.iter().zip(0..)
            .map(|(value, at)| value.map_or(Point::gap(at), |value| Point::of(at, value)))
            .collect();
        let kept = decimate(&points, most);
        prop_assert!(kept.len() <= most.max(5), "{} of {most}", kept.len());
        prop_assert!(kept.windows(2).all(|pair| pair[0].at_ms < pair[1].at_ms));
        let highest = |points: &[Point]| points.iter().filter_map(|point| point.value).fold(f64::MIN, f64::max);
        let lowest = |points: &[Point]| points.iter().filter_map(|point| point.value).fold(f64::MAX, f64::min);
        prop_assert_eq!(highest(&kept), highest(&points));
        prop_assert_eq!(lowest(&kept), lowest(&points));
        let has_gap = |points: &[Point]| points.iter().any(|point| point.value.is_none());
        prop_assert_eq!(has_gap(&kept), has_gap(&points));
        prop_assert_eq!((kept.first(), kept.last()), (points.first(), points.last()));
        prop_assert!(kept.iter().all(|point| points.contains(point)), "nothing is made up");
    }

    #[test]
    fn whatever_is_drawn_is_finite_and_acts_on_nothing(
        points in any_points(), from in any::<i64>(), until in any::<i64>(), is_gauge in any::<bool>(),
    ) {
        let unit = if is_gauge { Unit::Number } else { Unit::Percent };
        let svg = plot(unit, points, (from, until)).to_string();
        assert_sound(&svg);
        prop_assert!(!svg.contains("<img") && !svg.contains("<b>"), "{svg}");
        prop_assert!(svg.len() < 60_000, "{} bytes", svg.len());
    }

    #[test]
    fn a_band_of_anything_is_finite(
        segments in prop::collection::vec((any::<i64>(), any::<i64>(), any_value()), 0..20),
        from in any::<i64>(), until in any::<i64>(), now in any::<i64>(),
    ) {
        let band = Band {
            id: "band".to_owned(),
            title: "Stages".to_owned(),
            summary: "<script>".to_owned(),
            from_ms: from,
            until_ms: until,
            segments: segments.into_iter().map(|(from_ms, until_ms, height)| Segment {
                from_ms, until_ms, height, kind: SegmentKind::Paused, label: "<script>alert(1)</script>".to_owned(),
            }).collect(),
            marks: vec![Mark { at_ms: now, kind: MarkKind::Page, words: "paged".to_owned() }],
            now_ms: Some(now),
        };
        assert_sound(&band.to_string());
    }
}

#[test]
fn charts_of_nothing_of_one_and_of_the_same_are_drawn() {
    for points in [
        Vec::new(),
        vec![Point::of(5, 0.0)],
        vec![Point::of(5, 3.0).within(1.0, 9.0)],
        (0..10_000).map(|at| Point::of(at, 0.0)).collect(),
        vec![Point::gap(1), Point::gap(2)],
        vec![Point::of(0, 1e308), Point::of(9, f64::MAX)],
    ] {
        let svg = plot(Unit::Number, points, (0, 10)).to_string();
        assert_sound(&svg);
        assert!(
            svg.contains("role=\"img\"") && svg.contains("<desc"),
            "{svg}"
        );
    }
}

fn measurement(at_s: i64, exposed: (u64, u64), held_back: (u64, u64)) -> MeasurementView {
    let counts = |(units, bad)| Some(ArmCounts { units, bad });
    let rate = |percent| {
        Some(RateView {
            percent,
            low: percent / 2.0,
            high: percent * 2.0,
        })
    };
    MeasurementView {
        metric: "errors".to_owned(),
        at: jiff::Timestamp::from_second(1_800_000_000 + at_s)
            .unwrap()
            .to_string(),
        length_ms: 10_000,
        lever_revision: 3,
        seen: "units".to_owned(),
        exposed: counts(exposed),
        held_back: counts(held_back),
        assigned: None,
        late: 0,
        value: None,
        so_far: Some(SoFar {
            exposed: rate(4.0),
            held_back: rate(1.0),
            limit: Some(1.2),
            counted: true,
        }),
        why: None,
    }
}

const FROM: i64 = 1_800_000_000_000;

#[test]
fn where_nothing_was_measured_no_line_is_drawn_and_it_is_said() {
    let mut all: Vec<MeasurementView> = (0..30)
        .filter(|index| !(10..15).contains(index))
        .map(|index| measurement(10 * index, (10, 1), (90, 1)))
        .collect();
    let blind = all.get_mut(20).unwrap();
    blind.seen = "error".to_owned();
    blind.why = Some("503".to_owned());
    (blind.exposed, blind.held_back, blind.so_far) = (None, None, None);
    let metric = PlanMetric::named("errors");
    let chart = MetricChart::of(&metric, None, (FROM, FROM + 300_000), &all, None, &[]);
    assert_eq!(chart.gaps, ["08:01:40 to 08:02:30", "08:04:10 to 08:04:20"]);
    let svg = chart.plot.to_string();
    assert_sound(&svg);
    let line = svg.split("class=\"line exposed\" d=\"").nth(1).unwrap();
    let line = line.split('"').next().unwrap();
    assert_eq!(line.matches('M').count(), 3, "three stretches: {line}");
    assert!(chart.plot.summary.contains("no data 2 times"));
    assert!(chart.rows.iter().any(|row| row.why == "503"));
}

#[test]
fn the_table_behind_a_chart_has_all_that_was_counted() {
    let all: Vec<MeasurementView> = (0..997)
        .map(|index| measurement(10 * index, (10, 1), (90, 2)))
        .collect();
    let metric = PlanMetric::named("errors");
    let until = FROM + 9_970_000;
    let chart = MetricChart::of(&metric, None, (FROM, until), &all, None, &[]);
    assert!(chart.rows.len() <= 40, "{}", chart.rows.len());
    let units: u64 = chart.rows.iter().map(|row| row.exposed.units).sum();
    let bad: u64 = chart.rows.iter().map(|row| row.held_back.bad).sum();
    assert_eq!((units, bad), (9_970, 1_994));
    assert_eq!(chart.legend.len(), 3);
    assert_eq!(chart.legend[1].1, "exposed 4 % (2 % to 8 %)");
}

#[test]
fn a_flags_rates_are_drawn_for_each_side_that_there_is() {
    let all: Vec<MeasurementView> = (0..200)
        .map(|index| measurement(10 * index, (10, 1), (0, 0)))
        .collect();
    let plot = rate_plot(
        "errors",
        "Errors",
        (FROM, FROM + 2_000_000),
        &all,
        Vec::new(),
    );
    assert_eq!(plot.lines.len(), 1);
    assert_eq!(plot.summary, "Bad at last: exposed 10 %.");
    assert!(plot.lines[0].points.len() <= 60);
    assert_sound(&plot.to_string());
    let nothing = rate_plot("errors", "Errors", (FROM, FROM), &[], Vec::new());
    assert_eq!(nothing.summary, "Nothing was measured in this time.");
    assert_sound(&nothing.to_string());
}
