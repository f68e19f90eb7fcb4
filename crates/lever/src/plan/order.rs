//! Puts steps into an order in which each finds what it needs.

use std::collections::{BTreeMap, BTreeSet};

use super::step::Step;

/// `steps` with what is needed first; otherwise as they come. A circle keeps its order, and the
/// server refuses it.
pub(super) fn sorted(steps: Vec<Step>) -> Vec<Step> {
    let index: BTreeMap<(&'static str, String), usize> = steps
        .iter()
        .enumerate()
        .map(|(index, step)| {
            let definition = &step.definition;
            ((definition.noun(), definition.key().to_owned()), index)
        })
        .collect();
    let needs: Vec<Vec<usize>> = steps
        .iter()
        .map(|step| {
            step.definition
                .needs()
                .iter()
                .filter_map(|need| index.get(need).copied())
                .collect()
        })
        .collect();

    // Depth first without recursion: a chain may be as long as there are definitions.
    let mut order = Vec::with_capacity(steps.len());
    let mut seen = BTreeSet::new();
    for start in 0..steps.len() {
        let mut stack = vec![(start, false)];
        while let Some((step, is_ready)) = stack.pop() {
            if is_ready {
                order.push(step);
            } else if seen.insert(step) {
                stack.push((step, true));
                let needed = needs.get(step).into_iter().flatten();
                stack.extend(needed.rev().map(|need| (*need, false)));
            }
        }
    }
    let mut steps: Vec<Option<Step>> = steps.into_iter().map(Some).collect();
    order
        .into_iter()
        .filter_map(|step| steps.get_mut(step)?.take())
        .collect()
}
