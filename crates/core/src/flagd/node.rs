//! One place in a targeting, and the reader that walks it within bounds.

use serde_json::{Map, Value as Json};

use super::refusal::Refused;
use crate::limit::{TARGETING_DEPTH_MAX, TARGETING_NODES_MAX};

/// A JSON value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Node<'d> {
    pub(super) json: &'d Json,
    pub(super) path: String,
    depth: usize,
}

/// An operator and what it is given.
pub(super) struct Operation<'d> {
    pub(super) name: &'d str,
    pub(super) args: Vec<Node<'d>>,
    pub(super) path: String,
}

impl<'d> Node<'d> {
    pub(super) fn new(json: &'d Json, path: String) -> Self {
        Self {
            json,
            path,
            depth: 0,
        }
    }

    /// The item at `index` of this, which is a list.
    pub(super) fn item(&self, index: usize, json: &'d Json) -> Self {
        Self {
            json,
            path: format!("{}[{index}]", self.path),
            depth: self.depth + 1,
        }
    }

    pub(super) fn items(&self, list: &'d [Json]) -> Vec<Self> {
        (0..)
            .zip(list)
            .map(|(at, json)| self.item(at, json))
            .collect()
    }

    pub(super) fn refused(&self, why: impl Into<String>) -> Refused {
        Refused::at(&self.path, why)
    }
}

impl<'d> Operation<'d> {
    pub(super) fn refused(&self, why: impl Into<String>) -> Refused {
        Refused::at(&self.path, why).about(self.name)
    }

    /// The arguments, which are exactly `N`.
    pub(super) fn exactly<const N: usize>(&self) -> Result<&[Node<'d>; N], Refused> {
        self.args.as_slice().try_into().map_err(|_| {
            self.refused(format!(
                "takes {N} arguments here, and is given {}",
                self.args.len()
            ))
        })
    }
}

/// What one flag's targeting is read with.
#[derive(Debug)]
pub(super) struct Reader<'d> {
    pub(super) flag: &'d str,
    evaluators: Option<&'d Map<String, Json>>,
    nodes_left: usize,
    pub(super) remarks: Vec<String>,
}

impl<'d> Reader<'d> {
    pub(super) fn new(flag: &'d str, evaluators: Option<&'d Map<String, Json>>) -> Self {
        Self {
            flag,
            evaluators,
            nodes_left: TARGETING_NODES_MAX,
            remarks: Vec::new(),
        }
    }

    /// What `node` stands for: itself, or the evaluator that it refers to.
    pub(super) fn enter(&mut self, node: &Node<'d>) -> Result<Node<'d>, Refused> {
        let mut node = node.clone();
        loop {
            self.nodes_left = self.nodes_left.checked_sub(1).ok_or_else(|| {
                node.refused(format!(
                    "the targeting has more than {TARGETING_NODES_MAX} parts"
                ))
            })?;
            if node.depth > TARGETING_DEPTH_MAX {
                return Err(node.refused(format!(
                    "the targeting nests deeper than {TARGETING_DEPTH_MAX}, or an evaluator \
                     refers to itself"
                )));
            }
            let Some(name) = reference(node.json) else {
                return Ok(node);
            };
            let evaluator = name
                .as_str()
                .and_then(|name| self.evaluators?.get(name))
                .ok_or_else(|| {
                    node.refused(format!("there is no evaluator {name} in $evaluators"))
                        .about("$ref")
                })?;
            node = Node {
                json: evaluator,
                path: node.path,
                depth: node.depth + 1,
            };
        }
    }

    /// The operator of an object that [`Reader::enter`] gave.
    pub(super) fn operation(&self, node: &Node<'d>) -> Result<Operation<'d>, Refused> {
        let mut entries = node.json.as_object().into_iter().flatten();
        let (Some((name, given)), None) = (entries.next(), entries.next()) else {
            return Err(node.refused("an operation is an object of exactly one operator"));
        };
        let path = format!("{}.{name}", node.path);
        let inner = Node {
            json: given,
            path: path.clone(),
            depth: node.depth + 1,
        };
        let args = match given {
            Json::Array(list) => inner.items(list),
            _ => vec![inner],
        };
        Ok(Operation { name, args, path })
    }

    pub(super) fn remark(&mut self, what: impl Into<String>) {
        let what = what.into();
        if !self.remarks.contains(&what) {
            self.remarks.push(what);
        }
    }
}

fn reference(json: &Json) -> Option<&Json> {
    let object = json.as_object()?;
    (object.len() == 1).then(|| object.get("$ref"))?
}
