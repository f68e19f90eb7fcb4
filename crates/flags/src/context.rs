//! Contexts: about whom or what a flag is asked.

use serde_json::Value as Json;

use crate::limit::{CONTEXT_ATTRIBUTES_MAX, CONTEXT_DEPTH_MAX, UNIT_BYTES_MAX};

/// The attribute name under which OpenFeature, and so every wire of ours, carries the unit.
pub const TARGETING_KEY: &str = "targetingKey";

/// Up to so many attributes are looked through one by one.
const SCANNED_MAX: usize = 12;

/// About whom or what a flag is asked: a unit and attributes. Time comes in with it, because the
/// engine has no clock.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Context {
    unit: Option<Box<str>>,
    /// Sorted by name; few enough that a search beats a hash.
    attributes: Vec<(Box<str>, Attribute)>,
    at_ms: Option<i64>,
}

/// The value of one attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Attribute {
    /// `true` or `false`.
    Boolean(bool),
    /// A signed 64-bit integer.
    Integer(i64),
    /// A finite float.
    Float(f64),
    /// UTF-8 text.
    String(Box<str>),
    /// Values in order.
    List(Vec<Attribute>),
    /// Named values, sorted by name.
    Object(Vec<(Box<str>, Attribute)>),
}

/// Why a JSON text is not a context.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContextError {
    /// The context is not a JSON object.
    #[error("a context is a JSON object")]
    NotAnObject,
    /// More than [`CONTEXT_ATTRIBUTES_MAX`] attributes.
    #[error("a context has at most {CONTEXT_ATTRIBUTES_MAX} attributes; this one has {count}")]
    TooManyAttributes {
        /// How many there were.
        count: usize,
    },
    /// An attribute nests deeper than [`CONTEXT_DEPTH_MAX`].
    #[error("attribute {name:?} nests deeper than {CONTEXT_DEPTH_MAX}")]
    TooDeep {
        /// The attribute.
        name: String,
    },
    /// The targeting key is not a text.
    #[error("targetingKey is a text")]
    UnitNotText,
}

impl Context {
    /// A context about `unit` (the targeting key): a user, an account, a job.
    #[must_use]
    pub fn new(unit: &str) -> Self {
        Self {
            unit: bounded_unit(unit),
            ..Self::default()
        }
    }

    /// A context about nobody in particular: buckets cannot be computed from it.
    #[must_use]
    pub fn anonymous() -> Self {
        Self::default()
    }

    /// Sets one attribute; the last value given to a name counts. Setting [`TARGETING_KEY`] to a
    /// text sets the unit. Above [`CONTEXT_ATTRIBUTES_MAX`] further names are left out, and so
    /// unknown.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Attribute>) -> Self {
        self.set(name, value.into());
        self
    }

    /// [`Context::with`] for a context that is filled in a loop.
    pub fn set(&mut self, name: &str, value: Attribute) {
        if name == TARGETING_KEY {
            if let Attribute::String(unit) = &value {
                self.unit = bounded_unit(unit);
            }
            return;
        }
        match self
            .attributes
            .binary_search_by(|(known, _)| (**known).cmp(name))
        {
            Ok(index) => {
                if let Some(slot) = self.attributes.get_mut(index) {
                    slot.1 = value;
                }
            }
            Err(index) if self.attributes.len() < CONTEXT_ATTRIBUTES_MAX => {
                self.attributes.insert(index, (name.into(), value));
            }
            Err(_) => {}
        }
    }

    /// States the time of the question, in milliseconds since 1970-01-01 UTC.
    #[must_use]
    pub fn at(mut self, now_ms: i64) -> Self {
        self.at_ms = Some(now_ms);
        self
    }

    /// Reads an OFREP context: `targetingKey` is the unit, `null` is the same as absent.
    ///
    /// # Errors
    /// [`ContextError`] names what is wrong.
    pub fn from_json(json: &Json) -> Result<Self, ContextError> {
        let object = json.as_object().ok_or(ContextError::NotAnObject)?;
        if object.len() > CONTEXT_ATTRIBUTES_MAX {
            return Err(ContextError::TooManyAttributes {
                count: object.len(),
            });
        }
        let mut context = Self::default();
        for (name, value) in object {
            if name == TARGETING_KEY && !matches!(value, Json::String(_) | Json::Null) {
                return Err(ContextError::UnitNotText);
            }
            match Attribute::from_json(value, CONTEXT_DEPTH_MAX) {
                Ok(Some(attribute)) => context.set(name, attribute),
                Ok(None) => {}
                Err(TooDeep) => {
                    return Err(ContextError::TooDeep {
                        name: name.chars().take(80).collect(),
                    });
                }
            }
        }
        Ok(context)
    }

    /// The unit: whom buckets are computed for.
    #[must_use]
    pub fn unit(&self) -> Option<&str> {
        self.unit.as_deref()
    }

    /// One attribute by its whole name.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        // Most names differ in length already, so that a few are compared faster than searched.
        if self.attributes.len() <= SCANNED_MAX {
            let mut attributes = self.attributes.iter();
            return attributes
                .find(|(known, _)| **known == *name)
                .map(|(_, value)| value);
        }
        let index = self
            .attributes
            .binary_search_by(|(known, _)| (**known).cmp(name))
            .ok()?;
        self.attributes.get(index).map(|(_, value)| value)
    }

    /// All attributes, sorted by name.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, &Attribute)> {
        self.attributes.iter().map(|(name, value)| (&**name, value))
    }

    /// The time of the question, in milliseconds since 1970-01-01 UTC, if it was stated.
    #[must_use]
    pub fn at_ms(&self) -> Option<i64> {
        self.at_ms
    }
}

fn bounded_unit(unit: &str) -> Option<Box<str>> {
    (!unit.is_empty() && unit.len() <= UNIT_BYTES_MAX).then(|| unit.into())
}

struct TooDeep;

impl Attribute {
    fn from_json(json: &Json, depth_left: usize) -> Result<Option<Self>, TooDeep> {
        let deeper = || depth_left.checked_sub(1).ok_or(TooDeep);
        Ok(match json {
            Json::Null => None,
            Json::Bool(value) => Some(Self::Boolean(*value)),
            Json::Number(number) => number.as_i64().map(Self::Integer).or_else(|| {
                number
                    .as_f64()
                    .filter(|float| float.is_finite())
                    .map(Self::Float)
            }),
            Json::String(text) => Some(Self::String(text.as_str().into())),
            Json::Array(items) => {
                let depth_left = deeper()?;
                let mut list = Vec::with_capacity(items.len());
                for item in items {
                    list.extend(Self::from_json(item, depth_left)?);
                }
                Some(Self::List(list))
            }
            Json::Object(fields) => {
                let depth_left = deeper()?;
                let mut object = Vec::with_capacity(fields.len());
                for (name, value) in fields {
                    if let Some(value) = Self::from_json(value, depth_left)? {
                        object.push((name.as_str().into(), value));
                    }
                }
                object.sort_by(|(left, _): &(Box<str>, Self), (right, _)| left.cmp(right));
                Some(Self::Object(object))
            }
        })
    }
}

impl From<bool> for Attribute {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}
impl From<i64> for Attribute {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}
impl From<i32> for Attribute {
    fn from(value: i32) -> Self {
        Self::Integer(value.into())
    }
}
impl From<f64> for Attribute {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}
impl From<&str> for Attribute {
    fn from(value: &str) -> Self {
        Self::String(value.into())
    }
}
impl From<String> for Attribute {
    fn from(value: String) -> Self {
        Self::String(value.into())
    }
}
