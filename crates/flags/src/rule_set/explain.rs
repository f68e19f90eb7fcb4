//! How an answer came about, for `lever eval --explain`.

use std::fmt;

use serde::Serialize;

use super::RuleSet;
use super::decide::Witness;
use super::flag::{Flag, Hold};
use super::program::{CompiledRule, CompiledSplit, Program};
use super::unit::Unit;
use crate::context::{Context, TARGETING_KEY};
use crate::definition::{Prerequisite, Rule};
use crate::key::{FlagKey, SegmentKey};
use crate::matcher::Reads;
use crate::percentage::Percentage;
use crate::position::Position;
use crate::segment_table::{SegmentId, SegmentTable, Segments};
use crate::truth::Truth;
use crate::value::Value;

/// An answer, and every step that led to it, in order. The last step decided.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The flag.
    pub flag: FlagKey,
    /// The decided value.
    pub value: Value,
    /// The name of the decided variant.
    pub variant: String,
    /// Why, in OpenFeature's words.
    pub reason: &'static str,
    /// How the context came to its variant.
    pub arm: &'static str,
    /// The id of the rule that decided, if one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// What was in the way, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<&'static str>,
    /// The revision of the environment that answered.
    pub revision: u64,
    /// What was looked at.
    pub steps: Vec<ExplanationStep>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum ExplanationStep {
    /// The process keeps the flag closed (`LEVER_FORCE_CLOSED`).
    ForcedClosed,
    /// A kill that the journal has not stored yet.
    Braked,
    /// The configuration is older than the flag allows.
    Stale,
    /// This evaluator could not read the flag.
    Unreadable {
        /// Why.
        why: String,
    },
    /// The position.
    Position {
        /// What it is.
        position: Position,
    },
    /// A prerequisite.
    Prerequisite {
        /// The flag that was asked.
        flag: FlagKey,
        /// The variant it gave; absent when there is no such flag.
        variant: Option<String>,
        /// Whether that meets it.
        is_met: bool,
    },
    /// A rule.
    Rule {
        /// Its id.
        id: String,
        /// Its condition.
        when: String,
        /// Whether it holds.
        truth: Truth,
        /// What was unknown on the way, in words.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        unknown: Vec<String>,
    },
    /// A cohort that the flag is opened to.
    Cohort {
        /// The segment.
        segment: SegmentKey,
        /// Whether the context belongs to it.
        truth: Truth,
    },
    /// The percentage that the flag is opened to.
    Exposure {
        /// The percentage.
        percentage: Percentage,
        /// The unit and its bucket; absent where none was needed or none could be computed.
        #[serde(skip_serializing_if = "Option::is_none")]
        bucket: Option<Bucket>,
    },
    /// A split.
    Split {
        /// Its salt.
        salt: String,
        /// The unit and its bucket; absent when the context has no unit.
        #[serde(skip_serializing_if = "Option::is_none")]
        bucket: Option<Bucket>,
    },
}

/// The bucket of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bucket {
    /// The attribute that holds the unit.
    pub attribute: String,
    /// The unit.
    pub unit: String,
    /// Its bucket, in thousandths of a per cent.
    pub bucket: u32,
}

impl RuleSet {
    pub(super) fn explanation(&self, flag: &Flag, context: &Context) -> Option<Explanation> {
        let definition = flag.body().ok().and_then(|body| {
            let definition = body.definition(flag.key());
            definition.ok()
        });
        let mut recorder = Recorder {
            table: &self.segments,
            key: flag.key(),
            rules: definition.map_or_else(Vec::new, |definition| definition.rules),
            steps: Vec::new(),
        };
        let is_forced = flag.hold() == Some(Hold::Forced);
        if is_forced {
            recorder.steps.push(ExplanationStep::ForcedClosed);
        } else {
            recorder.steps.push(ExplanationStep::Position {
                position: Position::clone(flag.position()),
            });
            if !flag.position().is_closed() {
                recorder.steps.extend(in_the_way(flag));
            }
        }
        let decision = self.decision(flag, context, &mut recorder);
        let outcome = flag.outcome(decision, self.revision)?;
        Some(Explanation {
            flag: flag.key().clone(),
            value: outcome.value.clone(),
            variant: outcome.variant.to_owned(),
            reason: outcome.reason.as_str(),
            arm: outcome.arm.as_str(),
            rule: outcome.rule.map(str::to_owned),
            cause: outcome.cause.map(crate::outcome::Cause::as_str),
            revision: outcome.revision,
            steps: recorder.steps,
        })
    }
}

fn in_the_way(flag: &Flag) -> Option<ExplanationStep> {
    match (flag.hold(), flag.refusal()) {
        (Some(Hold::Braked), _) => Some(ExplanationStep::Braked),
        (_, Some(why)) => Some(ExplanationStep::Unreadable {
            why: why.to_owned(),
        }),
        (Some(Hold::Stale), None) => Some(ExplanationStep::Stale),
        (Some(Hold::Forced) | None, None) => None,
    }
}

struct Recorder<'s> {
    table: &'s SegmentTable,
    key: &'s FlagKey,
    /// As they are written, in the order of the compiled ones.
    rules: Vec<Rule>,
    steps: Vec<ExplanationStep>,
}

impl Witness for Recorder<'_> {
    fn prerequisite(&mut self, prerequisite: &Prerequisite, variant: Option<&str>, is_met: bool) {
        self.steps.push(ExplanationStep::Prerequisite {
            flag: prerequisite.flag.clone(),
            variant: variant.map(str::to_owned),
            is_met,
        });
    }

    fn rule<'s, 'c>(
        &mut self,
        index: usize,
        compiled: &CompiledRule,
        truth: Truth,
        program: &Program,
        reads: &mut Reads<'s, 'c>,
        segments: &mut Segments<'s, 'c>,
    ) {
        let Some(rule) = self.rules.get(index) else {
            return;
        };
        let mut unknown = Vec::new();
        if truth == Truth::Unknown {
            compiled.when.for_each_unknown(
                program.subjects(),
                reads,
                segments,
                self.table,
                &mut |what| {
                    if !unknown.contains(&what) {
                        unknown.push(what);
                    }
                },
            );
        }
        self.steps.push(ExplanationStep::Rule {
            id: rule.id.to_string(),
            when: rule.when.to_string(),
            truth,
            unknown,
        });
    }

    fn cohort(&mut self, segment: SegmentId, truth: Truth) {
        if let Some(segment) = self.table.key(segment) {
            self.steps.push(ExplanationStep::Cohort {
                segment: segment.clone(),
                truth,
            });
        }
    }

    fn exposure(
        &mut self,
        program: &Program,
        percentage: Percentage,
        bucket: Option<(Unit<'_>, u32)>,
    ) {
        self.steps.push(ExplanationStep::Exposure {
            percentage,
            bucket: bucket.map(|bucket| Bucket::new(program, bucket)),
        });
    }

    fn split(&mut self, program: &Program, split: &CompiledSplit, bucket: Option<(Unit<'_>, u32)>) {
        self.steps.push(ExplanationStep::Split {
            salt: split.salt.spelled(self.key).into_owned(),
            bucket: bucket.map(|bucket| Bucket::new(program, bucket)),
        });
    }
}

impl Bucket {
    fn new(program: &Program, (unit, bucket): (Unit<'_>, u32)) -> Self {
        Self {
            attribute: program.unit_attribute().unwrap_or(TARGETING_KEY).to_owned(),
            unit: unit.to_string(),
            bucket,
        }
    }

    /// Where the bucket lies, as a percentage.
    fn percentage(&self) -> Percentage {
        Percentage::from_thousandths(self.bucket).unwrap_or(Percentage::FULL)
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            attribute, unit, ..
        } = self;
        write!(f, "{attribute} {unit:?} is at {} %", self.percentage())
    }
}

impl fmt::Display for Explanation {
    /// One line for every step, and one for the answer.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            writeln!(f, "{step}")?;
        }
        write!(f, "answer: {} ({})", self.variant, self.value)?;
        write!(f, " · {} · {}", self.reason, self.arm)?;
        if let Some(cause) = self.cause {
            write!(f, " · {cause}")?;
        }
        write!(f, " · r{}", self.revision)
    }
}

impl fmt::Display for ExplanationStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ForcedClosed => f.write_str("this process keeps it closed (LEVER_FORCE_CLOSED)"),
            Self::Braked => f.write_str("killed; the journal has not stored the kill yet"),
            Self::Stale => f.write_str("the configuration is older than stale_after: closed"),
            Self::Unreadable { why } => write!(f, "closed, because it cannot be read: {why}"),
            Self::Position { position } => write!(f, "position: {position}"),
            Self::Prerequisite {
                flag,
                variant,
                is_met,
            } => {
                let verdict = if *is_met { "met" } else { "not met" };
                match variant {
                    Some(variant) => write!(f, "prerequisite {flag} gives {variant}: {verdict}"),
                    None => write!(f, "prerequisite {flag} does not exist: {verdict}"),
                }
            }
            Self::Rule {
                id,
                when,
                truth,
                unknown,
            } => {
                write!(f, "rule {id}: {when} is {truth}")?;
                if !unknown.is_empty() {
                    write!(f, " ({})", unknown.join("; "))?;
                }
                Ok(())
            }
            Self::Cohort { segment, truth } => write!(f, "cohort {segment}: {truth}"),
            Self::Exposure {
                percentage,
                bucket: None,
            } if *percentage == Percentage::FULL || *percentage == Percentage::ZERO => {
                write!(f, "open to {percentage} %: no bucket is needed")
            }
            Self::Exposure {
                percentage,
                bucket: None,
            } => write!(f, "open to {percentage} %: there is no unit to tell by"),
            Self::Exposure {
                percentage,
                bucket: Some(bucket),
            } => {
                let is_below = bucket.bucket < percentage.thousandths();
                let verdict = if is_below { "exposed" } else { "held back" };
                write!(f, "open to {percentage} %: {bucket}: {verdict}")
            }
            Self::Split { salt, bucket: None } => {
                write!(f, "split {salt:?}: there is no unit to tell by")
            }
            Self::Split {
                salt,
                bucket: Some(bucket),
            } => write!(f, "split {salt:?}: {bucket}"),
        }
    }
}
