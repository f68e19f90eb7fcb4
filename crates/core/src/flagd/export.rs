//! Printing one environment as a flagd document.
//!
//! A closed flag is ENABLED, has no targeting, and its `defaultVariant` is what it was closed to:
//! DISABLED, an absent flag and an absent default would all leave the decision to the caller.

use std::collections::BTreeMap;

use leverframe_flags::{
    BUCKETS, Definition, Exposure, FlagKey, Hash, Percentage, Position, Segment, SegmentKey, Serve,
    Split, Subject, VariantKey,
};
use serde_json::{Map, Value as Json, json};

use super::print::{Printer, is_text, var};
use super::refusal::{Refusal, Refused, Remark};
use super::segment;

/// A flag of the environment that is printed.
#[derive(Debug, Clone)]
pub struct ExportedFlag {
    /// Its definition there.
    pub definition: Definition,
    /// Its position there.
    pub position: Position,
    /// Who answers for it.
    pub owner: String,
}

/// A flagd document.
#[derive(Debug, Clone)]
pub struct Export {
    /// The document, without the flags that were refused.
    pub document: Json,
    /// The flags that flagd cannot be told.
    pub refusals: Vec<Refusal>,
    /// What should be known of the others.
    pub remarks: Vec<Remark>,
}

/// Prints an environment. In the dialect of flagd whose `fractional` hashes the UTF-8 text.
#[must_use]
pub fn export(environment: &str, flags: &[ExportedFlag], segments: &[Segment]) -> Export {
    let segments: BTreeMap<&SegmentKey, &Segment> = segments
        .iter()
        .map(|segment| (&segment.key, segment))
        .collect();
    let known: BTreeMap<&FlagKey, &ExportedFlag> = flags
        .iter()
        .map(|flag| (&flag.definition.key, flag))
        .collect();
    let mut export = Export {
        document: Json::Null,
        refusals: Vec::new(),
        remarks: Vec::new(),
    };
    let mut printed = Map::new();
    let mut evaluators = Map::new();
    for flag in flags {
        let key = &flag.definition.key;
        let mut printer = Printer::default();
        let outcome = answer(flag, &known, &mut printer).and_then(|answer| {
            let own = segment::evaluators(printer.asked, &segments)?;
            Ok((answer, own))
        });
        let (answer, own) = match outcome {
            Ok(done) => done,
            Err(why) => {
                let path = format!("$.flags.{key}");
                export
                    .refusals
                    .push(Refused::at(path, why).of(key.as_str()));
                continue;
            }
        };
        let remarks = printer.remarks.into_iter().map(|what| Remark {
            flag: key.to_string(),
            what,
        });
        export.remarks.extend(remarks);
        let (shared, inline): (Map<_, _>, Map<_, _>) = own
            .into_iter()
            .partition(|(_, evaluator)| is_inert(evaluator));
        evaluators.extend(shared);
        let json = flag_json(flag, answer.map(|logic| segment::replaced(logic, &inline)));
        printed.insert(key.to_string(), json);
    }
    let mut document = json!({"flags": printed, "metadata": {"flagSetId": environment}});
    if !evaluators.is_empty() {
        document["$evaluators"] = Json::Object(evaluators);
    }
    export.document = document;
    export
}

/// What a flag answers: always one variant, or what its targeting says.
enum Answer {
    Always(VariantKey),
    Logic(Json),
}

impl Answer {
    fn map(self, change: impl FnOnce(Json) -> Json) -> Self {
        match self {
            Self::Logic(logic) => Self::Logic(change(logic)),
            always @ Self::Always(_) => always,
        }
    }
}

/// Whether an engine that puts an evaluator in by replacing text takes it as it is: to JavaScript's
/// `replaceAll`, some characters after a dollar sign are commands.
fn is_inert(evaluator: &Json) -> bool {
    evaluator
        .to_string()
        .split('$')
        .skip(1)
        .all(|after| after.starts_with("flagd."))
}

fn flag_json(flag: &ExportedFlag, answer: Answer) -> Json {
    let definition = &flag.definition;
    let (default, targeting) = match answer {
        Answer::Always(variant) => (variant, None),
        Answer::Logic(logic) => (definition.closed.clone(), Some(logic)),
    };
    let mut variants = json!(definition.variants);
    if let Position::Closed { latch: Some(latch) } = &flag.position {
        variants[latch.variant.as_str()] = json!(latch.value);
    }
    let mut json = json!({
        "state": "ENABLED",
        "variants": variants,
        "defaultVariant": default,
        "metadata": {"owner": flag.owner},
    });
    if let Some(targeting) = targeting {
        json["targeting"] = targeting;
    }
    json
}

fn answer(
    flag: &ExportedFlag,
    known: &BTreeMap<&FlagKey, &ExportedFlag>,
    printer: &mut Printer,
) -> Result<Answer, String> {
    let definition = &flag.definition;
    let exposure = match &flag.position {
        Position::Closed { latch: Some(latch) } => {
            return Ok(Answer::Always(latch.variant.clone()));
        }
        Position::Closed { latch: None } => return Ok(Answer::Always(definition.closed.clone())),
        Position::Pinned { variant } => return Ok(Answer::Always(variant.clone())),
        Position::Open { exposure } => exposure,
    };
    if !prerequisites_are_met(definition, known)? {
        return Ok(Answer::Always(definition.closed.clone()));
    }
    if definition.stale_after_s.is_some() {
        printer.remarks.insert(
            "flagd does not close a flag whose configuration is older than stale_after".to_owned(),
        );
    }
    let speaker = Speaker { definition };
    let mut chain = Vec::new();
    for rule in &definition.rules {
        let at = |why| format!("rule {}: {why}", rule.id);
        chain.push(printer.condition(rule.when.tree(), true).map_err(at)?);
        chain.push(speaker.serve(&rule.serve)?);
    }
    speaker.exposure(exposure, printer, &mut chain)?;
    Ok(match chain.as_slice() {
        [Json::String(only)] => match definition.variants.get_key_value(only.as_str()) {
            Some((variant, _)) => Answer::Always(variant.clone()),
            None => return Err(format!("there is no variant {only}")),
        },
        [only] => Answer::Logic(only.clone()),
        _ => Answer::Logic(json!({"if": chain})),
    })
}

/// flagd has no prerequisites, but where the other flag gives everybody the same, they are settled.
fn prerequisites_are_met(
    definition: &Definition,
    known: &BTreeMap<&FlagKey, &ExportedFlag>,
) -> Result<bool, String> {
    let mut are_met = true;
    for prerequisite in &definition.prerequisites {
        let other = known.get(&prerequisite.flag);
        match other.map(|other| (other, &other.position)) {
            None | Some((_, Position::Closed { .. })) => are_met = false,
            Some((other, Position::Pinned { variant })) => {
                are_met &= *variant != other.definition.closed
                    && (prerequisite.variants.is_empty()
                        || prerequisite.variants.contains(variant));
            }
            Some((_, Position::Open { .. })) => {
                return Err(format!(
                    "its prerequisite {} is open, and flagd has no prerequisites",
                    prerequisite.flag
                ));
            }
        }
    }
    Ok(are_met)
}

/// Says what one flag serves.
struct Speaker<'f> {
    definition: &'f Definition,
}

impl Speaker<'_> {
    fn closed(&self) -> Json {
        json!(self.definition.closed)
    }

    fn unit(&self) -> Subject {
        match &self.definition.unit {
            None => Subject::Unit,
            Some(name) => Subject::Named(name.clone()),
        }
    }

    /// Whether there is a unit to compute a bucket from: a text, or a whole number.
    fn has_unit(&self) -> Result<Json, String> {
        let subject = self.unit();
        let unit = var(&subject)?;
        if subject == Subject::Unit {
            return Ok(json!({"!!": [unit]}));
        }
        Ok(json!({"or": [
            {"and": [is_text(&unit), {"!==": [unit, ""]}]},
            {"and": [
                {"!": is_text(&unit)},
                {"!==": [unit, null]}, {"!==": [unit, true]}, {"!==": [unit, false]},
                {"===": [{"%": [unit, 1]}, 0]},
            ]},
        ]}))
    }

    fn fractional(&self, salt: &str, arms: &[(&str, Percentage)]) -> Result<Json, String> {
        let unit = var(&self.unit())?;
        let key = if salt.is_empty() {
            json!({"cat": [unit]})
        } else {
            json!({"cat": [salt, unit]})
        };
        let mut all = vec![key];
        all.extend(
            arms.iter()
                .filter(|(_, weight)| *weight > Percentage::ZERO)
                .map(|(arm, weight)| json!([arm, weight.thousandths()])),
        );
        Ok(json!({"fractional": all}))
    }

    fn split(&self, split: &Split) -> Result<Json, String> {
        let arms: Vec<(&str, Percentage)> = split
            .split
            .iter()
            .map(|arm| (arm.variant.as_str(), arm.weight))
            .collect();
        let salt = match self.definition.hash {
            Hash::Native => &*split.salt,
            Hash::Unsalted => "",
        };
        self.fractional(salt, &arms)
    }

    fn serve(&self, serve: &Serve) -> Result<Json, String> {
        Ok(match serve {
            Serve::Variant(variant) => json!(variant),
            Serve::Split(split) => {
                json!({"if": [self.has_unit()?, self.split(split)?, self.closed()]})
            }
        })
    }

    /// Ends a chain of conditions and answers.
    fn exposure(
        &self,
        exposure: &Exposure,
        printer: &mut Printer,
        chain: &mut Vec<Json>,
    ) -> Result<(), String> {
        let definition = self.definition;
        let percentage = exposure.percentage;
        if percentage == Percentage::FULL {
            chain.push(self.serve(&definition.open)?);
            return Ok(());
        }
        if !exposure.cohorts.is_empty() {
            let cohorts = leverframe_flags::Predicate::Segment {
                any_of: exposure.cohorts.iter().cloned().collect(),
            };
            chain.push(printer.condition(&leverframe_flags::Expr::Test(cohorts), true)?);
            chain.push(self.serve(&definition.open)?);
        }
        if percentage == Percentage::ZERO {
            chain.push(self.closed());
            return Ok(());
        }
        let rest = Percentage::from_thousandths(BUCKETS - percentage.thousandths())
            .unwrap_or(Percentage::ZERO);
        let inside = match &definition.open {
            Serve::Variant(open) => self.fractional(
                &definition.salt,
                &[
                    (open.as_str(), percentage),
                    (definition.closed.as_str(), rest),
                ],
            )?,
            Serve::Split(split) => {
                let drawn =
                    self.fractional(&definition.salt, &[("in", percentage), ("out", rest)])?;
                json!({"if": [{"===": [drawn, "in"]}, self.split(split)?, self.closed()]})
            }
        };
        chain.extend([self.has_unit()?, inside, self.closed()]);
        Ok(())
    }
}
