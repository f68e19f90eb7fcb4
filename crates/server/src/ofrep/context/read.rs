//! From the text of a question to a context, without a tree of JSON in between.
//!
//! What is JSON and yet no context is not a failure of the reader but what it gives: so a text that
//! is both is called what it is first, no JSON, and whatever is read is read in one pass.

use std::borrow::Cow;
use std::fmt;

use leverframe_flags::limit::{CONTEXT_ATTRIBUTES_MAX, CONTEXT_DEPTH_MAX};
use leverframe_flags::{Attribute, Context, TARGETING_KEY};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Longest part of a name that is said back, in characters.
const NAME_SHOWN_MAX: usize = 80;

/// Why JSON is not a context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wrong {
    /// An object has this name twice.
    Twice(String),
    NotAnObject,
    /// So many attributes.
    TooMany(usize),
    /// This attribute nests too deep.
    TooDeep(String),
    UnitNotText,
}

type Read<T> = Result<T, Wrong>;

/// The body: an object with a context in it.
pub(super) struct Question;

impl<'de> DeserializeSeed<'de> for Question {
    type Value = Read<Context>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Question {
    type Value = Read<Context>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut context = None;
        let mut others: Vec<Cow<'de, str>> = Vec::new();
        let mut wrong = None;
        while let Some(name) = members.next_key_seed(Name)? {
            if name == "context" {
                let read = members.next_value_seed(Members)?;
                if context.replace(read).is_some() {
                    wrong.get_or_insert_with(|| twice(&name));
                }
            } else {
                // What is not known here is passed over, but is to be of one mind too.
                let depth = Depth(CONTEXT_DEPTH_MAX);
                if let Err(Unread::Twice(name)) = members.next_value_seed(depth)? {
                    wrong.get_or_insert(Wrong::Twice(name));
                }
                others.push(name);
            }
        }
        others.sort_unstable();
        if let Some(name) = first_twice(others.iter()) {
            wrong.get_or_insert_with(|| twice(name));
        }
        Ok(match wrong {
            Some(wrong) => Err(wrong),
            None => context.unwrap_or_else(|| Ok(Context::anonymous())),
        })
    }
}

/// The context itself.
struct Members;

impl<'de> DeserializeSeed<'de> for Members {
    type Value = Read<Context>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Members {
    type Value = Read<Context>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a context")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Ok(Context::anonymous()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Err(Wrong::NotAnObject))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Err(Wrong::NotAnObject))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Err(Wrong::NotAnObject))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Err(Wrong::NotAnObject))
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Err(Wrong::NotAnObject))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Err(Wrong::NotAnObject))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut read: Vec<(Cow<'de, str>, Option<Attribute>)> = Vec::with_capacity(8);
        let mut wrong = None;
        while let Some(name) = members.next_key_seed(Name)? {
            let value = match members.next_value_seed(Depth(CONTEXT_DEPTH_MAX))? {
                Ok(value) => value,
                Err(unread) => {
                    wrong.get_or_insert_with(|| match unread {
                        Unread::Twice(name) => Wrong::Twice(name),
                        Unread::TooDeep => Wrong::TooDeep(shown(&name)),
                    });
                    None
                }
            };
            let is_text = matches!(value, None | Some(Attribute::String(_)));
            if name == TARGETING_KEY && !is_text {
                wrong.get_or_insert(Wrong::UnitNotText);
            }
            read.push((name, value));
        }
        if let Some(wrong) = wrong {
            return Ok(Err(wrong));
        }
        // In their order they are put in without moving any, and the same ones meet.
        read.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
        if let Some(name) = first_twice(read.iter().map(|(name, _)| name)) {
            return Ok(Err(twice(name)));
        }
        if read.len() > CONTEXT_ATTRIBUTES_MAX {
            return Ok(Err(Wrong::TooMany(read.len())));
        }
        let mut context = Context::anonymous();
        for (name, value) in read {
            if let Some(value) = value {
                context.set(&name, value);
            }
        }
        Ok(Ok(context))
    }
}

/// One attribute, which may nest so much deeper. `null` is the same as absent.
#[derive(Clone, Copy)]
struct Depth(usize);

enum Unread {
    Twice(String),
    TooDeep,
}

type Value = Result<Option<Attribute>, Unread>;

impl<'de> DeserializeSeed<'de> for Depth {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Depth {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Ok(None))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Ok(Some(Attribute::Boolean(value))))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Ok(Some(Attribute::Integer(value))))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "an integer that is too large is compared as the float next to it"
        )]
        let float = value as f64;
        let attribute = i64::try_from(value).map_or(Attribute::Float(float), Attribute::Integer);
        Ok(Ok(Some(attribute)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Ok(value.is_finite().then_some(Attribute::Float(value))))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Ok(Some(Attribute::String(value.into()))))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let Some(depth) = self.0.checked_sub(1).map(Self) else {
            while items.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(Err(Unread::TooDeep));
        };
        let mut list = Vec::new();
        let mut unread = None;
        while let Some(item) = items.next_element_seed(depth)? {
            match item {
                Ok(item) => list.extend(item),
                Err(why) => {
                    unread.get_or_insert(why);
                }
            }
        }
        Ok(match unread {
            Some(why) => Err(why),
            None => Ok(Some(Attribute::List(list))),
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let Some(depth) = self.0.checked_sub(1).map(Self) else {
            while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(Err(Unread::TooDeep));
        };
        let mut read: Vec<(Cow<'de, str>, Option<Attribute>)> = Vec::new();
        let mut unread = None;
        while let Some(name) = members.next_key_seed(Name)? {
            match members.next_value_seed(depth)? {
                Ok(value) => read.push((name, value)),
                Err(why) => {
                    unread.get_or_insert(why);
                }
            }
        }
        read.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
        if let Some(name) = first_twice(read.iter().map(|(name, _)| name)) {
            unread.get_or_insert_with(|| Unread::Twice(shown(name)));
        }
        Ok(match unread {
            Some(why) => Err(why),
            None => Ok(Some(Attribute::Object(
                read.into_iter()
                    .filter_map(|(name, value)| Some((name.into(), value?)))
                    .collect(),
            ))),
        })
    }
}

/// A name, borrowed from the text unless it is written with escapes.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

/// The first of some sorted names that is there twice.
fn first_twice<'n, 'de: 'n>(
    names: impl Iterator<Item = &'n Cow<'de, str>> + Clone,
) -> Option<&'n Cow<'de, str>> {
    let next = names.clone().skip(1);
    names
        .zip(next)
        .find(|(name, next)| name == next)
        .map(|(name, _)| name)
}

fn twice(name: &str) -> Wrong {
    Wrong::Twice(shown(name))
}

fn shown(name: &str) -> String {
    name.chars().take(NAME_SHOWN_MAX).collect()
}
