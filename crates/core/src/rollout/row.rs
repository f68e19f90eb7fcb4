//! Under which name the measurements of a metric are kept: by what is seen, not by who asks, so that
//! rollouts, probes and charts read the same rows.

use sha2::{Digest as _, Sha256};

use super::Measure;

/// The row of all the times that outcomes of a flag took, whatever limits they are held against.
pub const LATENCY_ROW: &str = "latency";

/// The row that a metric is read from: the name of the outcome, [`LATENCY_ROW`], or the source and a
/// digest of what it is asked.
#[must_use]
pub fn row_key(measure: &Measure) -> Box<str> {
    match measure {
        Measure::Outcomes { name } => name.clone(),
        Measure::Latency { .. } => LATENCY_ROW.into(),
        Measure::Counters {
            source,
            exposed,
            exposed_bad,
            held_back,
            held_back_bad,
            ..
        } => source_row(source, &[exposed, exposed_bad, held_back, held_back_bad]),
        Measure::Gauge { source, query, .. } => source_row(source, &[query]),
    }
}

/// The row of what a source answers to these queries. Limits are no part of it.
#[must_use]
pub fn source_row(source: &str, queries: &[&str]) -> Box<str> {
    let mut digest = Sha256::new();
    for query in queries {
        // The length first, so that no two lists of queries run into the same text.
        digest.update((query.len() as u64).to_be_bytes());
        digest.update(query.as_bytes());
    }
    let digest = digest.finalize();
    let mut row = String::with_capacity(source.len() + 17);
    row.push_str(source);
    row.push(':');
    for byte in digest.iter().take(8) {
        for half in [byte >> 4, byte & 0xf] {
            row.extend(char::from_digit(u32::from(half), 16));
        }
    }
    row.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gauge(query: &str, limit: f64) -> Measure {
        Measure::Gauge {
            source: "prom".into(),
            query: query.into(),
            limit,
            above: false,
            in_a_row: 3,
        }
    }

    fn counters(queries: [&str; 4], convicts: bool) -> Measure {
        let [exposed, exposed_bad, held_back, held_back_bad] = queries.map(Box::from);
        Measure::Counters {
            source: "prom".into(),
            exposed,
            exposed_bad,
            held_back,
            held_back_bad,
            convicts,
        }
    }

    #[test]
    fn a_row_stays_the_same_from_one_version_to_the_next() {
        // Rows outlive the process; a new digest would lose what was measured.
        assert_eq!(&*row_key(&gauge("up", 1.0)), "prom:dd9116216ba4a425");
    }

    #[test]
    fn metrics_that_ask_the_same_share_a_row_whatever_their_limits() {
        assert_eq!(row_key(&gauge("up", 1.0)), row_key(&gauge("up", 2.0)));
        assert_ne!(row_key(&gauge("up", 1.0)), row_key(&gauge("down", 1.0)));
        let four = ["a", "b", "c", "d"];
        assert_eq!(
            row_key(&counters(four, true)),
            row_key(&counters(four, false))
        );
    }

    #[test]
    fn text_moved_from_one_query_to_the_next_is_another_row() {
        let one = row_key(&counters(["ab", "c", "d", "e"], false));
        let other = row_key(&counters(["a", "bc", "d", "e"], false));
        assert_ne!(one, other);
    }

    #[test]
    fn outcomes_go_by_their_name_and_all_latencies_share_a_row() {
        let outcomes = Measure::Outcomes {
            name: "errors".into(),
        };
        assert_eq!(&*row_key(&outcomes), "errors");
        let latency = Measure::Latency {
            limit_ms: Some(200),
            quantile: 0.95,
            growth: 1.2,
        };
        assert_eq!(&*row_key(&latency), LATENCY_ROW);
    }
}
