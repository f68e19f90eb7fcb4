//! Expressions as JsonLogic: for each one condition that is truthy exactly when it is true, and one
//! that is truthy exactly when it is false, because unknown is neither.
//!
//! Every comparison is fenced by a test of the attribute's type, since JsonLogic would coerce it. The
//! tests are of a kind that no engine fails on: `starts_with` an empty text is true of texts alone.

use std::collections::BTreeSet;

use leverframe_flags::{
    Comparison, Expr, Literal, Predicate, SegmentKey, Subject, TARGETING_KEY, Test,
};
use serde_json::{Value as Json, json};

use super::compare::opposite;
use super::operand::check_name;

/// A segment asked for, and whether for belonging to it or for not belonging.
pub(super) type Asked = (SegmentKey, bool);

/// Prints expressions, and writes down the segments they ask about.
#[derive(Default)]
pub(super) struct Printer {
    pub(super) asked: BTreeSet<Asked>,
    pub(super) remarks: BTreeSet<String>,
}

/// The name of the evaluator that stands for a segment.
pub(super) fn evaluator((segment, belongs): &Asked) -> String {
    let word = if *belongs { "segment" } else { "not-segment" };
    format!("{word}.{segment}")
}

impl Printer {
    /// # Errors
    /// What flagd cannot say, in words.
    pub(super) fn condition(&mut self, expr: &Expr, is_wanted: bool) -> Result<Json, String> {
        Ok(match expr {
            Expr::Constant(value) => json!(*value == is_wanted),
            Expr::Not(part) => self.condition(part, !is_wanted)?,
            Expr::All(parts) => {
                self.joint(parts, if is_wanted { "and" } else { "or" }, is_wanted)?
            }
            Expr::Any(parts) => {
                self.joint(parts, if is_wanted { "or" } else { "and" }, is_wanted)?
            }
            Expr::Test(Predicate::Segment { any_of }) => {
                let references = any_of
                    .iter()
                    .map(|segment| {
                        let asked = (segment.clone(), is_wanted);
                        let reference = json!({"$ref": evaluator(&asked)});
                        self.asked.insert(asked);
                        reference
                    })
                    .collect();
                join(if is_wanted { "or" } else { "and" }, references)
            }
            Expr::Test(Predicate::Attribute {
                subject: Subject::Now,
                test,
            }) => self.time(test, is_wanted)?,
            Expr::Test(Predicate::Attribute { subject, test }) => {
                attribute_test(&var(subject)?, test, is_wanted)
                    .map_err(|why| format!("`{subject} {test}`: {why}"))?
            }
        })
    }

    fn joint(&mut self, parts: &[Expr], word: &str, is_wanted: bool) -> Result<Json, String> {
        let parts = parts
            .iter()
            .map(|part| self.condition(part, is_wanted))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(join(word, parts))
    }

    /// flagd knows the time in whole seconds.
    fn time(&mut self, test: &Test, is_wanted: bool) -> Result<Json, String> {
        let (comparison, ms) = match test {
            Test::Before(at) => (Comparison::Less, at.as_millisecond()),
            Test::After(at) => (Comparison::Greater, at.as_millisecond()),
            Test::Compare(comparison, Literal::Integer(ms)) => (*comparison, *ms),
            // The server always states the time, and so does flagd.
            Test::Missing => return Ok(json!(!is_wanted)),
            _ => return Err(format!("`now {test}` cannot be asked of flagd's clock")),
        };
        let comparison = if is_wanted {
            comparison
        } else {
            opposite(comparison)
        };
        let sign = match comparison {
            Comparison::Equal | Comparison::NotEqual => {
                return Err(format!("`now {test}` cannot be asked of flagd's clock"));
            }
            other => other.as_str(),
        };
        let is_between_seconds = ms.rem_euclid(1_000) != 0
            || matches!(comparison, Comparison::Greater | Comparison::LessOrEqual);
        if is_between_seconds {
            self.remarks.insert(format!(
                "`now {test}` holds to the second in flagd, whose clock has no milliseconds"
            ));
        }
        Ok(json!({sign: [{"var": "$flagd.timestamp"}, ms.div_euclid(1_000)]}))
    }
}

/// The attribute as a `var`.
pub(super) fn var(subject: &Subject) -> Result<Json, String> {
    match subject {
        Subject::Unit => Ok(json!({"var": TARGETING_KEY})),
        Subject::Now => Err("the time is no attribute".to_owned()),
        Subject::Named(name) => {
            check_name(name).map_err(|why| format!("the attribute {subject}: {why}"))?;
            Ok(json!({"var": &**name}))
        }
    }
}

/// One of several; alone it needs no word.
pub(super) fn join(word: &str, mut parts: Vec<Json>) -> Json {
    match parts.len() {
        1 => parts.pop().unwrap_or_default(),
        _ => json!({word: parts}),
    }
}

pub(super) fn is_text(var: &Json) -> Json {
    json!({"starts_with": [var, ""]})
}

/// True of numbers, and of no other scalar. Lists and objects are not told apart.
fn is_number(var: &Json) -> Vec<Json> {
    vec![
        json!({"!": is_text(var)}),
        json!({"!==": [var, null]}),
        json!({"!==": [var, true]}),
        json!({"!==": [var, false]}),
    ]
}

fn is_of_kind(var: &Json, literal: &Literal) -> Vec<Json> {
    match literal {
        Literal::String(_) => vec![is_text(var)],
        Literal::Integer(_) | Literal::Float(_) => is_number(var),
        Literal::Boolean(_) => vec![json!({"or": [
            {"===": [var, true]}, {"===": [var, false]},
        ]})],
    }
}

fn attribute_test(var: &Json, test: &Test, is_wanted: bool) -> Result<Json, String> {
    Ok(match test {
        Test::Missing if is_wanted => json!({"===": [var, null]}),
        Test::Missing => json!({"!==": [var, null]}),
        Test::Compare(comparison, literal) => {
            let comparison = if is_wanted {
                *comparison
            } else {
                opposite(*comparison)
            };
            compare(var, comparison, literal)?
        }
        Test::In(items) => {
            let list = items.iter().map(constant).collect::<Result<Vec<_>, _>>()?;
            let among = json!({"in": [var, list]});
            if is_wanted {
                among
            } else {
                let kind = items.first().map(|item| is_of_kind(var, item));
                fenced(kind.unwrap_or_default(), json!({"!": among}))
            }
        }
        Test::StartsWith(text) => affix("starts_with", var, text, is_wanted),
        Test::EndsWith(text) => affix("ends_with", var, text, is_wanted),
        Test::Version(comparison, version) => {
            let comparison = if is_wanted {
                *comparison
            } else {
                opposite(*comparison)
            };
            let sign = match comparison {
                Comparison::Equal => "=",
                other => other.as_str(),
            };
            let version = version.to_string();
            // A number is no version, though some engines would take it for one.
            fenced(vec![is_text(var)], json!({"sem_ver": [var, sign, version]}))
        }
        Test::Contains(literal) => contains(var, literal, is_wanted)?,
        Test::Matches(_) => return Err("flagd has no regular expressions".to_owned()),
        Test::Network(_) => return Err("flagd knows no networks".to_owned()),
        Test::Before(_) | Test::After(_) => return Err("flagd reads no dates".to_owned()),
    })
}

fn compare(var: &Json, comparison: Comparison, literal: &Literal) -> Result<Json, String> {
    let wanted = constant(literal)?;
    Ok(match comparison {
        // Strict, so it is of the type already.
        Comparison::Equal => json!({"===": [var, wanted]}),
        Comparison::NotEqual => fenced(is_of_kind(var, literal), json!({"!==": [var, wanted]})),
        order => fenced(
            is_of_kind(var, literal),
            json!({order.as_str(): [var, wanted]}),
        ),
    })
}

fn affix(word: &str, var: &Json, text: &str, is_wanted: bool) -> Json {
    let test = json!({word: [var, text]});
    if is_wanted {
        test
    } else {
        fenced(vec![is_text(var)], json!({"!": test}))
    }
}

/// A part of a text, or an item of a list. `merge` makes a list of anything, and of a list that list:
/// only a list is not in what `merge` makes of it.
fn contains(var: &Json, literal: &Literal, is_wanted: bool) -> Result<Json, String> {
    let part = constant(literal)?;
    let asked = |whole: Json| {
        let within = json!({"in": [part, whole]});
        if is_wanted {
            within
        } else {
            json!({"!": within})
        }
    };
    let merged = json!({"merge": [var]});
    let is_list = json!({"!": {"in": [var, merged]}});
    let in_list = fenced(vec![is_list], asked(merged));
    Ok(match literal {
        Literal::String(_) => json!({"or": [
            fenced(vec![is_text(var)], asked(var.clone())),
            in_list,
        ]}),
        _ => in_list,
    })
}

fn fenced(mut fence: Vec<Json>, test: Json) -> Json {
    fence.push(test);
    join("and", fence)
}

fn constant(literal: &Literal) -> Result<Json, String> {
    Ok(match literal {
        Literal::Boolean(value) => json!(value),
        Literal::Integer(value) if value.unsigned_abs() < 1 << 53 => json!(value),
        Literal::Integer(value) => {
            return Err(format!("{value} is so large that some engines round it"));
        }
        Literal::Float(value) => json!(value),
        Literal::String(text) => json!(&**text),
    })
}
