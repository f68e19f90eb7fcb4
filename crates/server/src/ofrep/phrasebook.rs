//! The text of every answer that a rule set can give, written once for each rule set and copied
//! into bulk answers: of ten thousand flags, formatting takes longer than deciding.

mod shelf;

use std::io::Write as _;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use leverframe_flags::{AnswerArm, Context, FlagIndex, FlagView, Outcome, Reason, RuleSet, Value};

use super::answer::Answer;
use crate::limit::PHRASES_BYTES_MAX;

pub(crate) use shelf::Phrasebooks;

/// The phrases of one rule set.
#[derive(Debug)]
pub(super) struct Phrasebook {
    /// Whose phrases these are. Weak, so that no old rule set is kept for its text.
    rules: Weak<RuleSet>,
    /// Whether answers may change although the rule set does not.
    asks_the_time: bool,
    text: Vec<u8>,
    /// By the flag's number.
    flags: Vec<Phrases>,
    /// Where each variant's beginning is in the text, flag by flag.
    beginnings: Vec<Range<usize>>,
    /// From the reason on, by reason and arm.
    endings: Endings,
    /// How long the last answer with every flag was, for the next one's buffer.
    bytes_hint: AtomicUsize,
}

/// What is written down of one flag.
#[derive(Debug)]
enum Phrases {
    /// The whole answer, because everybody gets the same.
    Whole(Range<usize>),
    /// A beginning for each variant; this is the first one's number.
    Variants { first: usize },
    /// Nothing: its text would be too long to keep.
    None,
}

impl Phrasebook {
    fn new(rules: &Arc<RuleSet>) -> Self {
        let mut book = Self {
            rules: Arc::downgrade(rules),
            asks_the_time: rules.asks_the_time(),
            text: Vec::new(),
            flags: Vec::with_capacity(rules.len()),
            beginnings: Vec::new(),
            endings: Endings::new(rules.revision()),
            bytes_hint: AtomicUsize::new(0),
        };
        for (number, flag) in (0_u32..).zip(rules.flags()) {
            let phrases = book.phrases(rules, FlagIndex::from_number(number), &flag);
            book.flags.push(phrases);
        }
        book.text.shrink_to_fit();
        book.beginnings.shrink_to_fit();
        book
    }

    fn phrases(&mut self, rules: &RuleSet, index: FlagIndex, flag: &FlagView<'_>) -> Phrases {
        let start = self.text.len();
        let first = self.beginnings.len();
        let phrases = if let Some(outcome) = rules.fixed(index) {
            write_answer(&mut self.text, flag.key.as_str(), &outcome);
            Phrases::Whole(start..self.text.len())
        } else if flag.variants().next().is_some() {
            for (variant, value) in flag.variants() {
                let start = self.text.len();
                write_beginning(&mut self.text, flag.key.as_str(), variant.as_str(), value);
                self.beginnings.push(start..self.text.len());
            }
            Phrases::Variants { first }
        } else {
            Phrases::None
        };
        if self.text.len() > PHRASES_BYTES_MAX {
            self.text.truncate(start);
            self.beginnings.truncate(first);
            return Phrases::None;
        }
        phrases
    }

    /// Whether these are the phrases of this very rule set.
    fn is_of(&self, rules: &Arc<RuleSet>) -> bool {
        std::ptr::eq(self.rules.as_ptr(), Arc::as_ptr(rules))
    }

    /// Whether answers may change although the rule set does not.
    pub(super) fn asks_the_time(&self) -> bool {
        self.asks_the_time
    }

    /// The answers of all flags that `sees` lets through, as the items of a JSON array. `rules` is
    /// the rule set the book was made for.
    pub(super) fn write_all(
        &self,
        into: &mut Vec<u8>,
        rules: &RuleSet,
        context: &Context,
        sees: Option<&dyn Fn(&FlagView<'_>) -> bool>,
    ) {
        let start = into.len();
        if sees.is_none() {
            into.reserve(self.bytes_hint.load(Ordering::Relaxed));
        }
        for (number, phrases) in (0_u32..).zip(&self.flags) {
            let index = FlagIndex::from_number(number);
            if let Some(sees) = sees
                && !rules.flag_at(index).is_some_and(|flag| sees(&flag))
            {
                continue;
            }
            if into.len() > start {
                into.push(b',');
            }
            self.write(into, phrases, rules, index, context);
        }
        if sees.is_none() {
            // A little more than this one, because the next may be about somebody else.
            let bytes = into.len() - start;
            self.bytes_hint
                .store(bytes + bytes / 32 + 64, Ordering::Relaxed);
        }
    }

    fn write(
        &self,
        into: &mut Vec<u8>,
        phrases: &Phrases,
        rules: &RuleSet,
        index: FlagIndex,
        context: &Context,
    ) {
        if let Phrases::Whole(range) = phrases {
            into.extend_from_slice(self.text.get(range.clone()).unwrap_or_default());
            return;
        }
        let Some(outcome) = rules.evaluate_index(index, context) else {
            return;
        };
        match (self.beginning(phrases, &outcome), outcome.cause) {
            (Some(beginning), None) => {
                into.extend_from_slice(beginning);
                self.endings.write(into, &outcome);
            }
            _ => {
                if let Some(flag) = rules.flag_at(index) {
                    write_answer(into, flag.key.as_str(), &outcome);
                }
            }
        }
    }

    fn beginning(&self, phrases: &Phrases, outcome: &Outcome<'_>) -> Option<&[u8]> {
        let Phrases::Variants { first } = phrases else {
            return None;
        };
        let number = usize::try_from(outcome.variant_number?).ok()?;
        self.text.get(self.beginnings.get(first + number)?.clone())
    }
}

/// What follows the reason's opening quote, for every reason and arm, without the last two braces.
#[derive(Debug)]
struct Endings([[Box<[u8]>; 3]; 5]);

impl Endings {
    fn new(revision: u64) -> Self {
        let reasons = [
            Reason::Static,
            Reason::TargetingMatch,
            Reason::Split,
            Reason::Disabled,
            Reason::Default,
        ];
        let arms = [AnswerArm::Exposed, AnswerArm::HeldBack, AnswerArm::Assigned];
        Self(reasons.map(|reason| {
            arms.map(|arm| {
                let text = format!(
                    r#"{reason}","metadata":{{"revision":{revision},"arm":"{}""#,
                    arm.as_str()
                );
                text.into_bytes().into()
            })
        }))
    }

    fn write(&self, into: &mut Vec<u8>, outcome: &Outcome<'_>) {
        let [first, second, third, fourth, fifth] = &self.0;
        let [exposed, held_back, assigned] = match outcome.reason {
            Reason::Static => first,
            Reason::TargetingMatch => second,
            Reason::Split => third,
            Reason::Disabled => fourth,
            Reason::Default => fifth,
        };
        into.extend_from_slice(match outcome.arm {
            AnswerArm::Exposed => exposed,
            AnswerArm::HeldBack => held_back,
            AnswerArm::Assigned => assigned,
        });
        if let Some(rule) = outcome.rule {
            into.extend_from_slice(br#","rule":"#);
            write_json(into, rule);
        }
        into.extend_from_slice(b"}}");
    }
}

fn write_beginning(into: &mut Vec<u8>, key: &str, variant: &str, value: &Value) {
    into.extend_from_slice(br#"{"key":"#);
    write_json(into, key);
    into.extend_from_slice(br#","value":"#);
    write_json(into, value);
    into.extend_from_slice(br#","variant":"#);
    write_json(into, variant);
    into.extend_from_slice(br#","reason":""#);
}

fn write_answer(into: &mut Vec<u8>, key: &str, outcome: &Outcome<'_>) {
    write_json(into, &Answer::new(key, outcome));
}

/// Texts, numbers and what is made of them can always be written to memory.
fn write_json(into: &mut Vec<u8>, value: &(impl serde::Serialize + ?Sized)) {
    let start = into.len();
    if let Err(error) = serde_json::to_writer(&mut *into, value) {
        tracing::error!(%error, "a value could not be written; please report this");
        into.truncate(start);
        let _ = into.write_all(b"null");
    }
}

#[cfg(test)]
mod tests;
