//! Keeping once what thousands of flags have in common: a state that was read holds each name and
//! each word of its flags as a text of its own, and most of them are the same few.

use std::collections::BTreeSet;
use std::sync::Arc;

use leverframe_flags::{EnvironmentKey, Position, Serve, VariantKey};

use super::{Before, Flag, Touched};
use crate::flag::FlagDefinition;

/// What was seen so far.
#[derive(Default)]
pub(super) struct Thrift {
    variants: BTreeSet<VariantKey>,
    environments: BTreeSet<EnvironmentKey>,
    words: BTreeSet<Arc<str>>,
}

impl Thrift {
    pub(super) fn flag(&mut self, flag: &mut Flag) {
        // Nobody else holds one that was just read.
        if let Some(definition) = Arc::get_mut(&mut flag.definition) {
            self.definition(definition);
        }
        let levers = std::mem::take(&mut flag.levers);
        flag.levers = levers
            .into_iter()
            .map(|(environment, mut lever)| {
                self.position(&mut lever.position);
                once(&mut self.words, &mut lever.moved_by);
                if let Some(reason) = &mut lever.reason {
                    once(&mut self.words, reason);
                }
                (self.environment(environment), lever)
            })
            .collect();
    }

    pub(super) fn touched(&mut self, touched: &mut Touched) {
        once(&mut self.words, &mut touched.actor);
        for before in &mut touched.before {
            if let Before::Position {
                environment,
                from,
                to,
                ..
            } = before
            {
                once(&mut self.environments, environment);
                self.position(from);
                self.position(to);
            }
        }
        touched.before.shrink_to_fit();
    }

    fn definition(&mut self, definition: &mut FlagDefinition) {
        let variants = std::mem::take(&mut definition.variants);
        definition.variants = variants
            .into_iter()
            .map(|(mut variant, value)| {
                once(&mut self.variants, &mut variant);
                (variant, value)
            })
            .collect();
        once(&mut self.variants, &mut definition.closed);
        self.serve(&mut definition.open);
        let environments = std::mem::take(&mut definition.environments);
        definition.environments = environments
            .into_iter()
            .map(|(environment, mut rules)| {
                for rule in &mut rules.rules {
                    self.serve(&mut rule.serve);
                }
                rules.rules.shrink_to_fit();
                (self.environment(environment), rules)
            })
            .collect();
    }

    fn serve(&mut self, serve: &mut Serve) {
        match serve {
            Serve::Variant(variant) => once(&mut self.variants, variant),
            Serve::Split(split) => {
                for arm in &mut split.split {
                    once(&mut self.variants, &mut arm.variant);
                }
                split.split.shrink_to_fit();
            }
        }
    }

    fn position(&mut self, position: &mut Position) {
        match position {
            Position::Closed { latch: Some(latch) } => {
                once(&mut self.variants, &mut latch.variant);
            }
            Position::Pinned { variant } => once(&mut self.variants, variant),
            Position::Closed { latch: None } | Position::Open { .. } => {}
        }
    }

    fn environment(&mut self, mut environment: EnvironmentKey) -> EnvironmentKey {
        once(&mut self.environments, &mut environment);
        environment
    }
}

/// Makes it the same as the one that was seen first.
fn once<T: Ord + Clone>(seen: &mut BTreeSet<T>, one: &mut T) {
    match seen.get(one) {
        Some(first) => *one = first.clone(),
        None => {
            seen.insert(one.clone());
        }
    }
}
