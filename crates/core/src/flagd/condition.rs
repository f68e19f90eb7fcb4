//! JsonLogic in the place of a condition, as an expression that is true exactly when it is truthy
//! (or, where that is wanted, exactly when it is not).

use leverframe_flags::{Comparison, Expr, Literal, Subject, Test};
use serde_json::Value as Json;

use super::compare::{self, flipped, opposite};
use super::node::{Node, Operation, Reader};
use super::operand::Operand;
use super::refusal::Refused;
use super::scalar::Scalar;

impl<'d> Reader<'d> {
    pub(super) fn condition(&mut self, node: &Node<'d>, is_wanted: bool) -> Result<Expr, Refused> {
        let node = self.enter(node)?;
        match node.json {
            Json::Object(_) => {
                let operation = self.operation(&node)?;
                self.operation_holds(&operation, is_wanted)
            }
            Json::Array(_) => Err(node.refused("a list is not a condition")),
            _ => {
                let constant = super::operand::constant(&node)?;
                Ok(Expr::Constant(constant.is_truthy() == is_wanted))
            }
        }
    }

    /// The same of an operation.
    pub(super) fn operation_holds(
        &mut self,
        operation: &Operation<'d>,
        is_wanted: bool,
    ) -> Result<Expr, Refused> {
        match operation.name {
            "!" => {
                let [part] = operation.exactly()?.clone();
                self.condition(&part, !is_wanted)
            }
            "!!" => {
                let [part] = operation.exactly()?.clone();
                self.condition(&part, is_wanted)
            }
            "and" | "or" => self.joint(operation, is_wanted),
            "if" | "?:" => self.chosen(&operation.args, is_wanted),
            "==" => self.equality(operation, false, is_wanted),
            "===" => self.equality(operation, true, is_wanted),
            "!=" => self.equality(operation, false, !is_wanted),
            "!==" => self.equality(operation, true, !is_wanted),
            "<" => self.order(operation, Comparison::Less, is_wanted),
            "<=" => self.order(operation, Comparison::LessOrEqual, is_wanted),
            ">" => self.order(operation, Comparison::Greater, is_wanted),
            ">=" => self.order(operation, Comparison::GreaterOrEqual, is_wanted),
            "in" => self.within(operation, is_wanted),
            "starts_with" | "ends_with" => self.affix(operation, is_wanted),
            "sem_ver" => {
                let test = self.version_test(operation)?;
                Ok(if is_wanted {
                    test.holds()
                } else {
                    test.is_not_true()
                })
            }
            "var" => Ok(match self.var(operation)? {
                Operand::Attribute(attribute) => compare::truthiness(&attribute, is_wanted),
                Operand::Constant(constant) => Expr::Constant(constant.is_truthy() == is_wanted),
                Operand::Timestamp | Operand::List(_) => Expr::Constant(is_wanted),
            }),
            "fractional" => Err(operation.refused(
                "decides by chance in the place of a condition; here chance can only choose among \
                 variants",
            )),
            name => Err(unknown(operation, name)),
        }
    }

    fn joint(&mut self, operation: &Operation<'d>, is_wanted: bool) -> Result<Expr, Refused> {
        if operation.args.is_empty() {
            return Err(operation.refused("needs at least one argument"));
        }
        let mut parts = Vec::with_capacity(operation.args.len());
        for arg in &operation.args {
            parts.push(self.condition(arg, is_wanted)?);
        }
        // De Morgan: that not all are truthy means that any is not.
        let demands_all = (operation.name == "and") == is_wanted;
        Ok(if demands_all { all(parts) } else { any(parts) })
    }

    fn chosen(&mut self, args: &[Node<'d>], is_wanted: bool) -> Result<Expr, Refused> {
        match args {
            // Null.
            [] => Ok(Expr::Constant(!is_wanted)),
            [otherwise] => self.condition(otherwise, is_wanted),
            [condition, then, rest @ ..] => {
                let chosen = all(vec![
                    self.condition(condition, true)?,
                    self.condition(then, is_wanted)?,
                ]);
                let otherwise = all(vec![
                    self.condition(condition, false)?,
                    self.chosen(rest, is_wanted)?,
                ]);
                Ok(any(vec![chosen, otherwise]))
            }
        }
    }

    fn equality(
        &mut self,
        operation: &Operation<'d>,
        is_strict: bool,
        is_wanted: bool,
    ) -> Result<Expr, Refused> {
        let [left, right] = operation.exactly()?.clone();
        let pair = (
            self.operand(&left, operation)?,
            self.operand(&right, operation)?,
        );
        match pair {
            (Operand::Attribute(attribute), Operand::Constant(constant))
            | (Operand::Constant(constant), Operand::Attribute(attribute)) => {
                let is_disputed = !is_strict
                    && attribute.missing == Scalar::Null
                    && !matches!(constant, Scalar::Null | Scalar::Text(_))
                    && constant.to_number() == Some(0.0);
                if is_disputed {
                    self.remark(
                        "it compares with false or 0 by `==`, and flagd's engines disagree about a \
                         missing attribute there: it was imported as not equal, as in JavaScript",
                    );
                }
                Ok(compare::equality(
                    &attribute, &constant, is_strict, is_wanted,
                ))
            }
            (Operand::Constant(one), Operand::Constant(other)) => {
                let is_equal = if is_strict {
                    one == other
                } else {
                    one.loosely_equals(&other)
                };
                Ok(Expr::Constant(is_equal == is_wanted))
            }
            (Operand::Attribute(_), Operand::Attribute(_)) => {
                Err(operation.refused("two attributes cannot be compared with each other"))
            }
            (Operand::Timestamp, _) | (_, Operand::Timestamp) => Err(operation.refused(
                "the time can only be before or after: use <, <=, > or >= on $flagd.timestamp",
            )),
            (Operand::List(_), _) | (_, Operand::List(_)) => {
                Err(operation.refused("a list cannot be compared as a whole; use `in`"))
            }
        }
    }

    fn order(
        &mut self,
        operation: &Operation<'d>,
        comparison: Comparison,
        is_wanted: bool,
    ) -> Result<Expr, Refused> {
        let mut operands = Vec::with_capacity(operation.args.len());
        for arg in &operation.args {
            operands.push(self.operand(arg, operation)?);
        }
        match operands.as_slice() {
            [left, right] => ordered(operation, left, comparison, right, is_wanted),
            [low, middle, high]
                if matches!(comparison, Comparison::Less | Comparison::LessOrEqual) =>
            {
                let parts = vec![
                    ordered(operation, low, comparison, middle, is_wanted)?,
                    ordered(operation, middle, comparison, high, is_wanted)?,
                ];
                Ok(if is_wanted { all(parts) } else { any(parts) })
            }
            _ => Err(operation.refused(
                "compares two values, or with `<` and `<=` three; engines disagree about more",
            )),
        }
    }

    fn within(&mut self, operation: &Operation<'d>, is_wanted: bool) -> Result<Expr, Refused> {
        let [needle, haystack] = operation.exactly()?.clone();
        let pair = (
            self.operand(&needle, operation)?,
            self.operand(&haystack, operation)?,
        );
        match pair {
            (Operand::Attribute(attribute), Operand::List(list)) => {
                Ok(compare::membership(&attribute, &list, is_wanted))
            }
            (Operand::Constant(constant), Operand::List(list)) => {
                Ok(Expr::Constant(list.contains(&constant) == is_wanted))
            }
            (Operand::Constant(Scalar::Text(part)), Operand::Constant(Scalar::Text(whole))) => {
                Ok(Expr::Constant(whole.contains(&part) == is_wanted))
            }
            (Operand::Constant(constant), Operand::Attribute(attribute)) => {
                let literal = constant
                    .literal()
                    .ok_or_else(|| operation.refused("null cannot be looked for in an attribute"))?;
                let in_default = match (&attribute.missing, &literal) {
                    (Scalar::Null, _) => false,
                    (Scalar::Text(whole), Literal::String(part)) => whole.contains(&**part),
                    _ => return Err(operation.refused("this default is not a text to look into")),
                };
                let contains = Test::Contains(literal);
                Ok(compare::test(&attribute, in_default, contains, is_wanted))
            }
            (Operand::Attribute(_), Operand::Constant(_)) => Err(operation.refused(
                "whether an attribute is a part of a constant text cannot be asked; list the values \
                 it may have",
            )),
            (Operand::Attribute(_), Operand::Attribute(_)) => {
                Err(operation.refused("two attributes cannot be compared with each other"))
            }
            _ => Err(operation.refused(
                "looks for an attribute in a list, or for a constant in an attribute",
            )),
        }
    }

    fn affix(&mut self, operation: &Operation<'d>, is_wanted: bool) -> Result<Expr, Refused> {
        let affix = self.affix_test(operation)?;
        Ok(match affix {
            Affix::Constant(holds) => Expr::Constant(holds == is_wanted),
            Affix::Test {
                attribute,
                in_default,
                test,
            } => compare::test(&attribute, in_default, test, is_wanted),
        })
    }

    pub(super) fn affix_test(&mut self, operation: &Operation<'d>) -> Result<Affix, Refused> {
        let [whole, part] = operation.exactly()?.clone();
        let is_start = operation.name == "starts_with";
        let has = |whole: &str, part: &str| {
            if is_start {
                whole.starts_with(part)
            } else {
                whole.ends_with(part)
            }
        };
        let pair = (
            self.operand(&whole, operation)?,
            self.operand(&part, operation)?,
        );
        match pair {
            (Operand::Attribute(attribute), Operand::Constant(Scalar::Text(part))) => {
                let in_default = match &attribute.missing {
                    Scalar::Null => false,
                    Scalar::Text(whole) => has(whole, &part),
                    _ => return Err(operation.refused("this default is not a text")),
                };
                let test = if is_start {
                    Test::StartsWith(part.into())
                } else {
                    Test::EndsWith(part.into())
                };
                Ok(Affix::Test {
                    attribute,
                    in_default,
                    test,
                })
            }
            (Operand::Constant(Scalar::Text(whole)), Operand::Constant(Scalar::Text(part))) => {
                Ok(Affix::Constant(has(&whole, &part)))
            }
            _ => Err(operation.refused("looks at an attribute for a constant text")),
        }
    }
}

/// A `starts_with` or `ends_with`, read.
pub(super) enum Affix {
    Constant(bool),
    Test {
        attribute: super::operand::Attribute,
        in_default: bool,
        test: Test,
    },
}

fn ordered(
    operation: &Operation<'_>,
    left: &Operand,
    comparison: Comparison,
    right: &Operand,
    is_wanted: bool,
) -> Result<Expr, Refused> {
    let number =
        |constant: &Scalar| match constant {
            Scalar::Number(number) => Ok(*number),
            _ => Err(operation
                .refused("only numbers can be ordered; versions are compared with `sem_ver`")),
        };
    let default = || operation.refused("this default is not a number");
    match (left, right) {
        (Operand::Attribute(attribute), Operand::Constant(constant)) => {
            compare::order(attribute, comparison, number(constant)?, is_wanted).ok_or_else(default)
        }
        (Operand::Constant(constant), Operand::Attribute(attribute)) => {
            let comparison = flipped(comparison);
            compare::order(attribute, comparison, number(constant)?, is_wanted).ok_or_else(default)
        }
        (Operand::Timestamp, Operand::Constant(constant)) => {
            time(operation, comparison, number(constant)?, is_wanted)
        }
        (Operand::Constant(constant), Operand::Timestamp) => {
            time(operation, flipped(comparison), number(constant)?, is_wanted)
        }
        (Operand::Constant(one), Operand::Constant(other)) => {
            let order = number(one)?.partial_cmp(&number(other)?);
            let holds = order.is_some_and(|order| comparison.holds(order));
            Ok(Expr::Constant(holds == is_wanted))
        }
        _ => Err(operation.refused("compares one attribute, or the time, with numbers")),
    }
}

/// The time, which flagd counts in whole seconds: `s > 5` is the same as `s >= 6`.
fn time(
    operation: &Operation<'_>,
    comparison: Comparison,
    seconds: f64,
    is_wanted: bool,
) -> Result<Expr, Refused> {
    let comparison = if is_wanted {
        comparison
    } else {
        opposite(comparison)
    };
    let bound = match comparison {
        Comparison::Less | Comparison::GreaterOrEqual => seconds.ceil(),
        _ => seconds.floor() + 1.0,
    };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "saturates, and such a time is refused"
    )]
    let at = jiff::Timestamp::from_second(bound as i64)
        .map_err(|_| operation.refused("that is no time in seconds since 1970"))?;
    let before = Expr::test(Subject::Now, Test::Before(at));
    let is_before = matches!(comparison, Comparison::Less | Comparison::LessOrEqual);
    Ok(if is_before { before } else { Expr::not(before) })
}

/// All of `parts`; what is constant decides or goes.
pub(super) fn all(parts: Vec<Expr>) -> Expr {
    if parts.contains(&Expr::Constant(false)) {
        return Expr::Constant(false);
    }
    Expr::all(without(parts, true))
}

/// Any of `parts`; what is constant decides or goes.
pub(super) fn any(parts: Vec<Expr>) -> Expr {
    if parts.contains(&Expr::Constant(true)) {
        return Expr::Constant(true);
    }
    Expr::any(without(parts, false))
}

fn without(parts: Vec<Expr>, neutral: bool) -> Vec<Expr> {
    let mut kept: Vec<Expr> = Vec::with_capacity(parts.len());
    for part in parts {
        if part != Expr::Constant(neutral) && !kept.contains(&part) {
            kept.push(part);
        }
    }
    kept
}

pub(super) fn unknown(operation: &Operation<'_>, name: &str) -> Refused {
    let why = match name {
        "fractionalEvaluation" => {
            "is the old form of `fractional` and hashes differently; move the file to `fractional` \
             first"
        }
        "+" | "-" | "*" | "/" | "%" | "max" | "min" => "arithmetic cannot be said in a rule",
        "map" | "filter" | "reduce" | "all" | "some" | "none" | "merge" => {
            "lists cannot be walked in a rule; `in` asks whether a list holds a value"
        }
        "missing" | "missing_some" => {
            "counts an empty text as missing; ask for each attribute with {\"==\": [{\"var\": …}, null]}"
        }
        _ => "is not an operator that rules have",
    };
    operation.refused(why)
}
