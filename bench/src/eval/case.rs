//! Cases: which flags are asked about whom.

use crate::catalogue::{Catalogue, Dice, Person, Shape};

/// One kind of question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    /// (i) a plain boolean.
    Plain,
    /// (i) again, always the same flag and person: everything stays in the nearest cache.
    PlainHot,
    /// (ii) one attribute rule, then half of everybody by unit.
    Split,
    /// (ii) again, always the same flag and person.
    SplitHot,
    /// (iii) ten rules with a segment of 1 000 units each, of which the last matches.
    Layered,
}

pub(crate) const CASES: &[Case] = &[
    Case::Plain,
    Case::PlainHot,
    Case::Split,
    Case::SplitHot,
    Case::Layered,
];

/// A flag and a person, by their numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question {
    pub(crate) flag: usize,
    pub(crate) person: usize,
}

/// Questions before they repeat; a power of two.
pub(crate) const QUESTIONS: usize = 4_096;

impl Case {
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Plain => "(i) plain boolean, 6 000 flags in turn",
            Self::PlainHot => "(i) plain boolean, one flag",
            Self::Split => "(ii) attribute rule, then 50/50 by unit, 3 000 flags in turn",
            Self::SplitHot => "(ii) attribute rule, then 50/50 by unit, one flag",
            Self::Layered => "(iii) ten rules with segments of 1 000, the last matches",
        }
    }

    fn has_shape(self, shape: Shape) -> bool {
        match self {
            Self::Plain | Self::PlainHot => shape == Shape::Plain,
            Self::Split | Self::SplitHot => shape == Shape::Split,
            Self::Layered => shape == Shape::Layered,
        }
    }

    /// Who asks.
    pub(crate) fn people(self, catalogue: &Catalogue) -> &[Person] {
        match self {
            Self::Layered => &catalogue.last_layer,
            _ => &catalogue.people,
        }
    }

    pub(crate) fn questions(self, catalogue: &Catalogue) -> Vec<Question> {
        let flags: Vec<usize> = (0..catalogue.flags.len())
            .filter(|number| self.has_shape(catalogue.flags[*number].shape))
            .collect();
        let is_hot = matches!(self, Self::PlainHot | Self::SplitHot);
        let mut dice = Dice::new(7);
        (0..QUESTIONS)
            .map(|_| Question {
                flag: flags[if is_hot { 0 } else { dice.below(flags.len()) }],
                person: if is_hot {
                    0
                } else {
                    dice.below(self.people(catalogue).len())
                },
            })
            .collect()
    }
}
