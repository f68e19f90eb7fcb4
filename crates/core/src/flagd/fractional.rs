//! `fractional`: a split, exactly or not at all.
//!
//! flagd gives the hash `h` to the first arm whose cumulative weight `c` of the total `w` exceeds
//! `(h * w) >> 32`, which is to say `h < c / w * 2^32`. Our splits do the same over 100 000. So both
//! draw one and the same border wherever `c / w` is a whole number of hundred-thousandths, and only
//! there is a split imported.

use leverframe_flags::{
    Arm, BUCKETS, Comparison, Expr, Hash, Literal, Percentage, Serve, Split, Test, VariantKey,
    murmur3_x86_32,
};
use serde_json::Value as Json;

use super::compare::{missing, present};
use super::node::{Node, Operation};
use super::operand::{Attribute, Operand, written};
use super::refusal::Refused;
use super::scalar::Scalar;
use super::targeting::{Bucketing, Targeting, guarded};

/// Most an engine takes as the sum of weights.
const TOTAL_MAX: u64 = 2_147_483_647;

/// An arm as it is written.
#[derive(Clone)]
struct Share<'d> {
    answer: Answer<'d>,
    weight: u64,
}

#[derive(Clone)]
enum Answer<'d> {
    /// Not looked at yet.
    At(Node<'d>),
    Variant(VariantKey),
}

/// What is hashed.
enum Key {
    /// Everybody has the same.
    Constant(String),
    /// The flag's key and the targeting key; null without the latter.
    Implicit,
    /// A text before the value of an attribute, with `cat`: a missing one is no text at all.
    Joined { salt: String, attribute: Attribute },
    /// The attribute itself, if it is a text.
    Bare(Attribute),
}

impl<'d> Targeting<'d, '_> {
    pub(super) fn fractional(
        &mut self,
        operation: &Operation<'d>,
        guard: &Expr,
    ) -> Result<(), Refused> {
        let (key, arms) = self.key(operation)?;
        let mut shares = Vec::with_capacity(arms.len());
        for arm in arms {
            shares.push(self.share(operation, arm)?);
        }
        if shares.is_empty() {
            return Err(operation.refused("has no arms"));
        }
        self.split(operation, &key, &shares, guard)
    }

    fn key<'o>(&mut self, operation: &'o Operation<'d>) -> Result<(Key, &'o [Node<'d>]), Refused> {
        let Some((first, arms)) = operation.args.split_first() else {
            return Err(operation.refused("has no arms"));
        };
        let first = self.reader.enter(first)?;
        if first.json.is_array() {
            return Ok((Key::Implicit, &operation.args));
        }
        if first.json.is_object() {
            let inner = self.reader.operation(&first)?;
            if inner.name == "cat" {
                return Ok((self.joined_key(&inner)?, arms));
            }
        }
        let key = match self.reader.operand(&first, operation)? {
            Operand::Constant(Scalar::Text(text)) => Key::Constant(text),
            Operand::Attribute(attribute) => Key::Bare(attribute),
            _ => {
                return Err(operation
                    .refused("buckets by an attribute, or by a text that `cat` puts before one"));
            }
        };
        Ok((key, arms))
    }

    fn joined_key(&mut self, cat: &Operation<'d>) -> Result<Key, Refused> {
        let mut salt = String::new();
        for (index, arg) in cat.args.iter().enumerate() {
            match self.reader.operand(arg, cat)? {
                Operand::Constant(constant) => salt.push_str(&written(&constant, cat)?),
                Operand::Attribute(attribute) if index + 1 == cat.args.len() => {
                    return Ok(Key::Joined { salt, attribute });
                }
                _ => {
                    return Err(cat.refused(
                        "a bucket is computed from constants before one attribute, which comes \
                         last",
                    ));
                }
            }
        }
        Ok(Key::Constant(salt))
    }

    fn share(&mut self, operation: &Operation<'d>, arm: &Node<'d>) -> Result<Share<'d>, Refused> {
        let arm = self.reader.enter(arm)?;
        let malformed = || {
            operation
                .refused("an arm is a list of a variant and a whole number, such as [\"on\", 25]")
        };
        let items = arm.json.as_array().ok_or_else(malformed)?;
        let (answer, weight) = match items.as_slice() {
            [answer] => (answer, 1),
            [answer, Json::Number(weight)] => {
                let weight = weight.as_i64().ok_or_else(|| {
                    operation.refused(format!(
                        "{weight} is not a whole number, and engines disagree about such a weight"
                    ))
                })?;
                // Negative ones count as nothing.
                (answer, u64::try_from(weight).unwrap_or(0))
            }
            [_, _] => {
                return Err(operation.refused("a weight that is computed cannot be kept"));
            }
            _ => return Err(malformed()),
        };
        Ok(Share {
            answer: Answer::At(arm.item(0, answer)),
            weight,
        })
    }

    /// Adds the split of `shares`, one for each way in which its arms' variants are chosen.
    fn split(
        &mut self,
        operation: &Operation<'d>,
        key: &Key,
        shares: &[Share<'d>],
        guard: &Expr,
    ) -> Result<(), Refused> {
        if *guard == Expr::Constant(false) {
            return Ok(());
        }
        let mut arms: Vec<(VariantKey, u64)> = Vec::with_capacity(shares.len());
        for (index, share) in shares.iter().enumerate() {
            let node = match &share.answer {
                Answer::Variant(variant) => {
                    arms.push((variant.clone(), share.weight));
                    continue;
                }
                Answer::At(node) => self.reader.enter(node)?,
            };
            let with = |answer| {
                let mut shares = shares.to_vec();
                if let Some(slot) = shares.get_mut(index) {
                    slot.answer = answer;
                }
                shares
            };
            if !node.json.is_object() {
                let answer = super::operand::constant(&node)?;
                let variant = self.variant(&answer).map_err(|why| node.refused(why))?;
                arms.push((variant, share.weight));
                continue;
            }
            let inner = self.reader.operation(&node)?;
            if inner.name != "if" && inner.name != "?:" {
                return Err(inner.refused(
                    "cannot be computed inside an arm; only `if` can choose the variant of one",
                ));
            }
            // The choice comes out of the arm: a split for each of its branches.
            let mut rest = inner.args.as_slice();
            while let [condition, then, others @ ..] = rest {
                let holds = guarded(guard, self.reader.condition(condition, true)?);
                self.split(operation, key, &with(Answer::At(then.clone())), &holds)?;
                rest = others;
            }
            let otherwise = match rest.first() {
                Some(node) => Answer::At(node.clone()),
                None => Answer::Variant(self.default.clone()),
            };
            return self.split(operation, key, &with(otherwise), guard);
        }
        self.serve_split(operation, key, &arms, guard)
    }

    fn serve_split(
        &mut self,
        operation: &Operation<'d>,
        key: &Key,
        arms: &[(VariantKey, u64)],
        guard: &Expr,
    ) -> Result<(), Refused> {
        let total: u64 = arms
            .iter()
            .fold(0, |sum, (_, weight)| sum.saturating_add(*weight));
        if total > TOTAL_MAX {
            return Err(operation.refused(format!("weights add up to at most {TOTAL_MAX}")));
        }
        if total == 0 {
            // Null, whatever the key.
            self.serve(guard, Serve::Variant(self.default.clone()));
            return Ok(());
        }
        let fixed =
            |text: &str| Serve::Variant(arm_of(arms, total, text).unwrap_or(self.default).clone());
        let default = Serve::Variant(self.default.clone());
        let is_closed_by_default = self.default == self.closed;
        match key {
            Key::Constant(text) => {
                let serve = fixed(text);
                self.serve(guard, serve);
            }
            Key::Implicit => {
                let split = self.shares(operation, arms, total, Some(self.reader.flag), None)?;
                if is_closed_by_default {
                    // What a split gives without a unit.
                    self.serve(guard, split);
                } else {
                    let unit = present(&leverframe_flags::Subject::Unit);
                    self.serve(&guarded(guard, unit), split);
                    self.serve(guard, default);
                }
            }
            Key::Joined { salt, attribute } => {
                let unit = unit_of(attribute);
                let subject = &attribute.subject;
                let absent = fixed(&format!(
                    "{salt}{}",
                    written(&attribute.missing, operation)?
                ));
                let empty = fixed(salt);
                let salt = (!salt.is_empty()).then_some(salt.as_str());
                let split = self.shares(operation, arms, total, salt, unit)?;
                let is_closed_anyway =
                    unit.is_none() && absent == Serve::Variant(self.closed.clone());
                if !is_closed_anyway {
                    self.serve(&guarded(guard, missing(subject)), absent);
                }
                if unit.is_some() {
                    if attribute.missing == Scalar::Null {
                        self.reader.remark(
                            "it buckets by `cat` of an attribute; flagd's engines disagree about \
                             contexts that lack it, and here they are hashed without it, as \
                             JsonLogic documents",
                        );
                    }
                    self.serve(&guarded(guard, is_empty(attribute)), empty);
                }
                self.serve(guard, split);
            }
            Key::Bare(attribute) => {
                let unit = unit_of(attribute);
                let absent = match &attribute.missing {
                    Scalar::Text(text) => Some(fixed(text)),
                    Scalar::Null => None,
                    _ => return Err(operation.refused("a default to bucket by is a text")),
                };
                let empty = fixed("");
                let split = self.shares(operation, arms, total, None, unit)?;
                if absent.is_none() && unit.is_some() {
                    self.reader.remark(
                        "it buckets by an attribute; flagd's engines disagree about contexts that \
                         lack it, and here they get the default variant",
                    );
                }
                if unit.is_some() {
                    // Anything but a text is not hashed.
                    self.serve(&guarded(guard, is_filled(attribute)), split);
                    self.serve(&guarded(guard, is_empty(attribute)), empty);
                    if let Some(absent) = absent {
                        self.serve(&guarded(guard, missing(&attribute.subject)), absent);
                    }
                    self.serve(guard, default);
                } else {
                    let absent = absent.unwrap_or(default);
                    if is_closed_by_default && absent == Serve::Variant(self.closed.clone()) {
                        self.serve(guard, split);
                    } else {
                        self.serve(&guarded(guard, present(&attribute.subject)), split);
                        self.serve(guard, absent);
                    }
                }
            }
        }
        Ok(())
    }

    /// The split itself, which must fit the flag's other splits.
    fn shares(
        &mut self,
        operation: &Operation<'d>,
        arms: &[(VariantKey, u64)],
        total: u64,
        salt: Option<&str>,
        unit: Option<&str>,
    ) -> Result<Serve, Refused> {
        let bucketing = Bucketing {
            unit: unit.map(Into::into),
            hash: match salt {
                Some(_) => Hash::Native,
                None => Hash::Unsalted,
            },
        };
        if *self.bucketing.get_or_insert_with(|| bucketing.clone()) != bucketing {
            return Err(operation.refused(
                "buckets by something else than another `fractional` of this flag, and a flag has \
                 one unit; make two flags of it",
            ));
        }
        let mut below = 0_u64;
        let mut split = Vec::with_capacity(arms.len());
        for (variant, weight) in arms.iter().filter(|(_, weight)| *weight > 0) {
            below += weight;
            let thousandths = weight * u64::from(BUCKETS);
            let is_exact = (below * u64::from(BUCKETS)).is_multiple_of(total);
            let percentage = u32::try_from(thousandths / total)
                .ok()
                .and_then(Percentage::from_thousandths)
                .filter(|_| is_exact && thousandths.is_multiple_of(total))
                .ok_or_else(|| {
                    operation.refused(format!(
                        "{weight} of {total} is not a whole number of thousandths of a per cent, \
                         so some people would change their variant; use weights that are, such as \
                         33333, 33333 and 33334"
                    ))
                })?;
            split.push(Arm {
                variant: variant.clone(),
                weight: percentage,
            });
        }
        Ok(Serve::Split(Split {
            split,
            salt: salt.unwrap_or(self.reader.flag).into(),
        }))
    }
}

/// `None` for the targeting key.
fn unit_of(attribute: &Attribute) -> Option<&str> {
    match &attribute.subject {
        leverframe_flags::Subject::Named(name) => Some(name),
        _ => None,
    }
}

fn is_empty(attribute: &Attribute) -> Expr {
    compare_to_nothing(attribute, Comparison::Equal)
}

/// A text, and not the empty one.
fn is_filled(attribute: &Attribute) -> Expr {
    compare_to_nothing(attribute, Comparison::NotEqual)
}

fn compare_to_nothing(attribute: &Attribute, comparison: Comparison) -> Expr {
    let nothing = Literal::String("".into());
    Expr::test(
        attribute.subject.clone(),
        Test::Compare(comparison, nothing),
    )
}

/// The variant of a key that is known.
fn arm_of<'a>(arms: &'a [(VariantKey, u64)], total: u64, key: &str) -> Option<&'a VariantKey> {
    let bucket = (u64::from(murmur3_x86_32(key.as_bytes())) * total) >> 32;
    let mut below = 0;
    arms.iter()
        .find(|(_, weight)| {
            below += weight;
            bucket < below
        })
        .map(|(variant, _)| variant)
}
