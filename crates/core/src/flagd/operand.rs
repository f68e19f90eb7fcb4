//! What an operator looks at: an attribute, the clock, or constants.

use leverframe_flags::{Subject, TARGETING_KEY};
use serde_json::Value as Json;

use super::node::{Node, Operation, Reader};
use super::refusal::Refused;
use super::scalar::Scalar;

/// What an operator is given.
#[derive(Debug, Clone)]
pub(super) enum Operand {
    Constant(Scalar),
    List(Vec<Scalar>),
    Attribute(Attribute),
    /// `$flagd.timestamp`: seconds since 1970.
    Timestamp,
}

/// A `var`.
#[derive(Debug, Clone)]
pub(super) struct Attribute {
    pub(super) subject: Subject,
    /// What stands for it where it is missing: its default, or null.
    pub(super) missing: Scalar,
}

impl<'d> Reader<'d> {
    /// Reads what `operation` compares.
    pub(super) fn operand(
        &mut self,
        node: &Node<'d>,
        operation: &Operation<'d>,
    ) -> Result<Operand, Refused> {
        let node = self.enter(node)?;
        match node.json {
            Json::Array(items) => {
                let mut list = Vec::with_capacity(items.len());
                for item in node.items(items) {
                    list.push(constant(&item)?);
                }
                Ok(Operand::List(list))
            }
            Json::Object(_) => {
                let inner = self.operation(&node)?;
                match inner.name {
                    "var" => self.var(&inner),
                    "cat" => self
                        .joined(&inner)?
                        .ok_or_else(|| {
                            inner.refused(
                            "a text that is joined from attributes can only be what `fractional` \
                             buckets by",
                        )
                        })
                        .map(Operand::Constant),
                    name => Err(inner.refused(format!(
                        "the result of `{name}` cannot be what `{}` looks at; only attributes and \
                         constants can",
                        operation.name
                    ))),
                }
            }
            _ => constant(&node).map(Operand::Constant),
        }
    }

    /// A `var`: an attribute, or what flagd itself puts into the context.
    pub(super) fn var(&mut self, operation: &Operation<'d>) -> Result<Operand, Refused> {
        let (name, default) = match operation.args.as_slice() {
            [name] => (name, None),
            [name, default] => (name, Some(default)),
            _ => return Err(operation.refused("takes a name and perhaps a default")),
        };
        let name = self.enter(name)?;
        let Json::String(name) = name.json else {
            return Err(operation.refused("a name that is not a constant text cannot be looked up"));
        };
        match name.as_str() {
            "$flagd.flagKey" => return Ok(Operand::Constant(Scalar::Text(self.flag.to_owned()))),
            "$flagd.timestamp" => return Ok(Operand::Timestamp),
            TARGETING_KEY => {}
            other => check_name(other).map_err(|why| operation.refused(why))?,
        }
        let missing = match default {
            Some(default) => constant(&self.enter(default)?)?,
            None => Scalar::Null,
        };
        Ok(Operand::Attribute(Attribute {
            subject: subject(name),
            missing,
        }))
    }

    /// The text of a `cat` of constants; `None` when an attribute is among them.
    pub(super) fn joined(&mut self, operation: &Operation<'d>) -> Result<Option<Scalar>, Refused> {
        let mut text = String::new();
        for arg in &operation.args {
            match self.operand(arg, operation)? {
                Operand::Constant(scalar) => text.push_str(&written(&scalar, operation)?),
                _ => return Ok(None),
            }
        }
        Ok(Some(Scalar::Text(text)))
    }
}

/// A constant as `cat` writes it.
pub(super) fn written(scalar: &Scalar, operation: &Operation<'_>) -> Result<String, Refused> {
    scalar.to_text().ok_or_else(|| {
        operation.refused("a number with an exponent is written differently by each engine")
    })
}

pub(super) fn constant(node: &Node<'_>) -> Result<Scalar, Refused> {
    Scalar::from_json(node.json).ok_or_else(|| {
        node.refused(match node.json {
            Json::Number(_) => "a number that large is rounded by some engines",
            _ => "only a text, a number, true, false or null can stand here",
        })
    })
}

/// Names that mean the same to flagd and to us.
pub(super) fn check_name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("the whole context cannot be looked at, only attributes of it".to_owned());
    }
    if name.starts_with("$flagd") {
        return Err(format!("flagd puts no {name} into the context"));
    }
    if name.contains('\\') || name.starts_with("../") {
        return Err(
            "paths with `\\` or `../` mean different things to different engines".to_owned(),
        );
    }
    let is_index = |step: &str| step.bytes().all(|byte| byte.is_ascii_digit());
    if name.split('.').any(str::is_empty) || name.split('.').skip(1).any(is_index) {
        return Err("an item of a list cannot be looked up by its place".to_owned());
    }
    Ok(())
}

/// The attribute of a name, even where the name is a word of the `when` language.
fn subject(name: &str) -> Subject {
    if name == TARGETING_KEY {
        Subject::Unit
    } else {
        Subject::Named(name.into())
    }
}
