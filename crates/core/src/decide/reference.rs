//! References between segments and between flags: they exist, and never lead round in a circle.

use std::collections::{BTreeMap, BTreeSet};

use leverframe_flags::limit::{PREREQUISITE_DEPTH_MAX, SEGMENT_DEPTH_MAX};
use leverframe_flags::{FlagKey, Segment, SegmentKey};

use crate::flag::FlagDefinition;
use crate::rejection::Rejection;
use crate::state::State;

use super::authority::Case;
use super::definition::invalid;

/// Every named segment exists.
pub(super) fn demand_segments<'s>(
    case: &Case<'_>,
    segments: impl IntoIterator<Item = &'s SegmentKey>,
) -> Result<(), Rejection> {
    for segment in segments {
        case.segment(segment)?;
    }
    Ok(())
}

/// The segments that `segment` refers to exist, and do not lead back to it or too far.
pub(super) fn demand_segment_references(
    case: &Case<'_>,
    segment: &Segment,
) -> Result<(), Rejection> {
    let own = segment.segments();
    demand_segments(case, own.iter().copied())?;
    let mut graph: BTreeMap<&str, BTreeSet<&str>> = case
        .state
        .segments()
        .map(|entry| {
            let next = entry.segment.segments();
            (
                entry.segment.key.as_str(),
                next.into_iter().map(SegmentKey::as_str).collect(),
            )
        })
        .collect();
    graph.insert(
        segment.key.as_str(),
        own.into_iter().map(SegmentKey::as_str).collect(),
    );
    check(
        &graph,
        segment.key.as_str(),
        SEGMENT_DEPTH_MAX,
        "when",
        "segments",
    )
}

/// The prerequisites of `definition`, in every environment, do not lead back to it or too far.
pub(super) fn demand_no_prerequisite_cycle(
    state: &State,
    definition: &FlagDefinition,
) -> Result<(), Rejection> {
    for (environment, rules) in &definition.environments {
        if rules.prerequisites.is_empty() {
            continue;
        }
        let names = |definition: &'_ FlagDefinition| -> Vec<FlagKey> {
            definition
                .prerequisites_in(environment.as_str())
                .iter()
                .map(|prerequisite| prerequisite.flag.clone())
                .collect()
        };
        let mut edges: BTreeMap<&str, Vec<FlagKey>> = state
            .flags()
            .filter(|flag| !flag.is_archived)
            .map(|flag| (flag.key().as_str(), names(&flag.definition)))
            .filter(|(_, next)| !next.is_empty())
            .collect();
        edges.insert(definition.key.as_str(), names(definition));
        let graph = edges
            .iter()
            .map(|(key, next)| (*key, next.iter().map(FlagKey::as_str).collect()))
            .collect();
        check(
            &graph,
            definition.key.as_str(),
            PREREQUISITE_DEPTH_MAX,
            &format!("environments.{environment}.prerequisites"),
            "prerequisites",
        )?;
    }
    Ok(())
}

type Graph<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// Refuses a circle through `start`, spelt out, and chains through it of more than `most` links.
/// Everything else in the graph was checked when it was written.
fn check(
    graph: &Graph<'_>,
    start: &str,
    most: usize,
    field: &str,
    noun: &str,
) -> Result<(), Rejection> {
    if let Some(path) = path_back(graph, start) {
        return Err(invalid(
            field,
            &format!("{noun} would lead round in a circle: {}", path.join(" → ")),
        ));
    }
    let mut reversed: Graph<'_> = BTreeMap::new();
    for (key, next) in graph {
        for other in next {
            reversed.entry(other).or_default().insert(key);
        }
    }
    let links = longest(graph, start) + longest(&reversed, start);
    if links > most {
        return Err(invalid(
            field,
            &format!("a chain of {links} {noun} is too long; {most} is the most"),
        ));
    }
    Ok(())
}

/// A path from `start` back to itself. Keeps its own stack, so that no chain is too deep for it.
fn path_back<'a>(graph: &Graph<'a>, start: &'a str) -> Option<Vec<&'a str>> {
    let mut came_from: BTreeMap<&str, &str> = BTreeMap::new();
    let mut open = vec![start];
    while let Some(key) = open.pop() {
        for next in graph.get(key).into_iter().flatten().copied() {
            if next == start {
                let mut path = vec![start];
                let mut at = key;
                while at != start {
                    path.push(at);
                    at = came_from.get(at).copied()?;
                }
                path.push(start);
                path.reverse();
                return Some(path);
            }
            if !came_from.contains_key(next) {
                came_from.insert(next, key);
                open.push(next);
            }
        }
    }
    None
}

/// The number of links of the longest chain from `start`, in a graph without circles: levels of
/// breadth are walked until none is left.
fn longest<'a>(graph: &Graph<'a>, start: &'a str) -> usize {
    let mut level = BTreeSet::from([start]);
    let mut links = 0;
    loop {
        let next: BTreeSet<&str> = level
            .iter()
            .filter_map(|key| graph.get(key))
            .flatten()
            .copied()
            .collect();
        if next.is_empty() || links > graph.len() {
            return links;
        }
        links += 1;
        level = next;
    }
}
