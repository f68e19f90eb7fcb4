//! A targeting as rules: JsonLogic in the place of an answer, read into a list of which the first
//! that holds decides.

use std::collections::BTreeMap;

use leverframe_flags::{Expr, Hash, Serve, Value, VariantKey};
use serde_json::Value as Json;

use super::compare::over;
use super::condition::{Affix, all, unknown};
use super::node::{Node, Operation, Reader};
use super::operand::Operand;
use super::refusal::Refused;
use super::scalar::Scalar;

/// What is served to whom.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Decided {
    pub(super) when: Expr,
    pub(super) serve: Serve,
}

/// What all splits of one flag are computed from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bucketing {
    pub(super) unit: Option<Box<str>>,
    pub(super) hash: Hash,
}

/// Reads one flag's targeting.
pub(super) struct Targeting<'d, 'v> {
    pub(super) reader: Reader<'d>,
    pub(super) variants: &'v BTreeMap<VariantKey, Value>,
    pub(super) default: &'v VariantKey,
    pub(super) closed: &'v VariantKey,
    pub(super) decided: Vec<Decided>,
    pub(super) bucketing: Option<Bucketing>,
}

impl<'d> Targeting<'d, '_> {
    /// Adds what `node` answers to those for whom `guard` holds; afterwards each of them is
    /// decided.
    pub(super) fn decide(&mut self, node: &Node<'d>, guard: &Expr) -> Result<(), Refused> {
        let node = self.reader.enter(node)?;
        match node.json {
            Json::Object(_) => {
                let operation = self.reader.operation(&node)?;
                self.decide_operation(&operation, guard)
            }
            Json::Array(_) => Err(node.refused("a list is not the name of a variant")),
            _ => {
                let answer = super::operand::constant(&node)?;
                let variant = self.variant(&answer).map_err(|why| node.refused(why))?;
                self.serve(guard, Serve::Variant(variant));
                Ok(())
            }
        }
    }

    pub(super) fn serve(&mut self, guard: &Expr, serve: Serve) {
        if *guard != Expr::Constant(false) {
            self.decided.push(Decided {
                when: guard.clone(),
                serve,
            });
        }
    }

    /// The variant that an answer names; null is the default.
    pub(super) fn variant(&self, answer: &Scalar) -> Result<VariantKey, String> {
        if *answer == Scalar::Null {
            return Ok(self.default.clone());
        }
        let name = answer
            .to_text()
            .ok_or("a number with an exponent is written differently by each engine")?;
        self.variants
            .get_key_value(name.as_str())
            .map(|(variant, _)| variant.clone())
            .ok_or_else(|| {
                let known: Vec<&str> = self.variants.keys().map(VariantKey::as_str).collect();
                format!(
                    "answers {name:?}, which is no variant (there are {}), and flagd would leave \
                     the decision to the caller",
                    known.join(", ")
                )
            })
    }

    fn decide_operation(&mut self, operation: &Operation<'d>, guard: &Expr) -> Result<(), Refused> {
        match operation.name {
            "if" | "?:" => self.chain(&operation.args, guard),
            "and" | "or" => self.joint(operation, &operation.args, guard),
            "fractional" => self.fractional(operation, guard),
            "!" | "!!" | "==" | "===" | "!=" | "!==" | "<" | "<=" | ">" | ">=" | "in" => {
                let holds = self.reader.operation_holds(operation, true)?;
                self.answer(operation, &guarded(guard, holds), &Scalar::Boolean(true))?;
                self.answer(operation, guard, &Scalar::Boolean(false))
            }
            "starts_with" | "ends_with" => {
                let (holds, fails) = match self.reader.affix_test(operation)? {
                    Affix::Constant(holds) => (Expr::Constant(holds), Expr::Constant(!holds)),
                    Affix::Test {
                        attribute,
                        in_default,
                        test,
                    } => {
                        let holds = Expr::test(attribute.subject.clone(), test);
                        let fails = Expr::not(holds.clone());
                        if attribute.missing == Scalar::Null {
                            (holds, fails)
                        } else {
                            (
                                over(&attribute, in_default, true, vec![holds]),
                                over(&attribute, in_default, false, vec![fails]),
                            )
                        }
                    }
                };
                self.three_ways(operation, guard, holds, fails)
            }
            "sem_ver" => {
                let test = self.reader.version_test(operation)?;
                self.three_ways(operation, guard, test.holds(), test.fails())
            }
            "var" => match self.reader.var(operation)? {
                Operand::Constant(constant) => self.answer(operation, guard, &constant),
                _ => Err(operation.refused(
                    "takes the variant's name from the context; write a rule for each variant",
                )),
            },
            "cat" => match self.reader.joined(operation)? {
                Some(text) => self.answer(operation, guard, &text),
                None => Err(operation.refused(
                    "builds the variant's name from the context; write a rule for each variant",
                )),
            },
            name => Err(unknown(operation, name)),
        }
    }

    fn chain(&mut self, args: &[Node<'d>], guard: &Expr) -> Result<(), Refused> {
        match args {
            [] => {
                self.serve(guard, Serve::Variant(self.default.clone()));
                Ok(())
            }
            [otherwise] => self.decide(otherwise, guard),
            [condition, then, rest @ ..] => {
                let holds = self.reader.condition(condition, true)?;
                self.decide(then, &guarded(guard, holds))?;
                self.chain(rest, guard)
            }
        }
    }

    /// `and` answers its first falsy argument, `or` its first truthy one; else the last.
    fn joint(
        &mut self,
        operation: &Operation<'d>,
        args: &[Node<'d>],
        guard: &Expr,
    ) -> Result<(), Refused> {
        match args {
            [] => Err(operation.refused("needs at least one argument")),
            [last] => self.decide(last, guard),
            [first, rest @ ..] => {
                let holds = guarded(guard, self.reader.condition(first, true)?);
                if operation.name == "and" {
                    self.joint(operation, rest, &holds)?;
                    self.decide_falsy(first, guard)
                } else {
                    self.decide_truthy(first, &holds)?;
                    self.joint(operation, rest, guard)
                }
            }
        }
    }

    /// What a falsy argument of `and` answers, where every truthy case was decided before.
    fn decide_falsy(&mut self, node: &Node<'d>, guard: &Expr) -> Result<(), Refused> {
        match self.boolean(node)? {
            Some(operation) => self.answer(&operation, guard, &Scalar::Boolean(false)),
            None => self.decide(node, guard),
        }
    }

    /// What a truthy argument of `or` answers.
    fn decide_truthy(&mut self, node: &Node<'d>, guard: &Expr) -> Result<(), Refused> {
        match self.boolean(node)? {
            Some(operation) => self.answer(&operation, guard, &Scalar::Boolean(true)),
            None => self.decide(node, guard),
        }
    }

    /// The operation at `node`, if it never answers anything but true and false.
    fn boolean(&mut self, node: &Node<'d>) -> Result<Option<Operation<'d>>, Refused> {
        let node = self.reader.enter(node)?;
        if !node.json.is_object() {
            return Ok(None);
        }
        let operation = self.reader.operation(&node)?;
        let is_boolean = matches!(
            operation.name,
            "!" | "!!" | "==" | "===" | "!=" | "!==" | "<" | "<=" | ">" | ">=" | "in"
        );
        Ok(is_boolean.then_some(operation))
    }

    /// True, false, or null where there is nothing to test.
    fn three_ways(
        &mut self,
        operation: &Operation<'d>,
        guard: &Expr,
        holds: Expr,
        fails: Expr,
    ) -> Result<(), Refused> {
        self.answer(operation, &guarded(guard, holds), &Scalar::Boolean(true))?;
        self.answer(operation, &guarded(guard, fails), &Scalar::Boolean(false))?;
        self.answer(operation, guard, &Scalar::Null)
    }

    fn answer(
        &mut self,
        operation: &Operation<'d>,
        guard: &Expr,
        answer: &Scalar,
    ) -> Result<(), Refused> {
        if *guard == Expr::Constant(false) {
            return Ok(());
        }
        let variant = self.variant(answer).map_err(|why| operation.refused(why))?;
        self.serve(guard, Serve::Variant(variant));
        Ok(())
    }

    /// The rules, and what everybody else gets. A rule that changes nothing is left out.
    pub(super) fn settled(decided: Vec<Decided>, default: &VariantKey) -> (Vec<Decided>, Serve) {
        let mut rules = Vec::new();
        let mut open = Serve::Variant(default.clone());
        for one in decided {
            if one.when == Expr::Constant(true) {
                open = one.serve;
                break;
            }
            rules.push(one);
        }
        while matches!(open, Serve::Variant(_))
            && rules.last().is_some_and(|last| last.serve == open)
        {
            rules.pop();
        }
        (rules, open)
    }
}

/// Both; a constant decides or goes.
pub(super) fn guarded(guard: &Expr, condition: Expr) -> Expr {
    all(vec![guard.clone(), condition])
}
