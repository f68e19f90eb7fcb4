//! What a test looks at, read from the context once.

use crate::context::{Attribute, Context};
use crate::expression::Subject;

/// The value a test looks at, borrowed from the context.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Operand<'c> {
    Boolean(bool),
    Integer(i64),
    Float(f64),
    Text(&'c str),
    List(&'c [Attribute]),
    Object,
}

impl<'c> Operand<'c> {
    /// Reads `subject` from the context.
    pub(crate) fn read(context: &'c Context, subject: &Subject) -> Option<Self> {
        match subject {
            Subject::Unit => context.unit().map(Self::Text),
            Subject::Now => context.at_ms().map(Self::Integer),
            Subject::Named(name) => Self::named(context, name),
        }
    }

    /// Reads an attribute by its whole name, else by its path into nested objects.
    pub(crate) fn named(context: &'c Context, name: &str) -> Option<Self> {
        if let Some(attribute) = context.attribute(name) {
            return Some(Self::from(attribute));
        }
        if name == crate::context::TARGETING_KEY {
            return context.unit().map(Self::Text);
        }
        let mut path = name.split('.');
        let mut attribute = context.attribute(path.next()?)?;
        let mut is_nested = false;
        for step in path {
            is_nested = true;
            let Attribute::Object(fields) = attribute else {
                return None;
            };
            // Not a binary search: a hand-built object need not be sorted.
            attribute = fields
                .iter()
                .find(|(field, _)| &**field == step)
                .map(|(_, value)| value)?;
        }
        is_nested.then(|| Self::from(attribute))
    }

    /// The value's type and, where it is short, the value, for an explanation.
    pub(crate) fn described(self) -> String {
        match self {
            Self::Boolean(value) => format!("the boolean {value}"),
            Self::Integer(value) => format!("the number {value}"),
            Self::Float(value) => format!("the number {value:?}"),
            Self::Text(text) => {
                let shown: String = text.chars().take(40).collect();
                format!("the text {shown:?}")
            }
            Self::List(_) => "a list".to_owned(),
            Self::Object => "an object".to_owned(),
        }
    }
}

impl<'c> From<&'c Attribute> for Operand<'c> {
    fn from(attribute: &'c Attribute) -> Self {
        match attribute {
            Attribute::Boolean(value) => Self::Boolean(*value),
            Attribute::Integer(value) => Self::Integer(*value),
            Attribute::Float(value) => Self::Float(*value),
            Attribute::String(text) => Self::Text(text),
            Attribute::List(items) => Self::List(items),
            Attribute::Object(_) => Self::Object,
        }
    }
}

/// How many attributes of one flag are read at most once; further ones are read each time.
const REMEMBERED: usize = 8;

/// The attributes that a set of conditions asks about, read at most once.
pub(crate) struct Reads<'s, 'c> {
    context: &'c Context,
    subjects: &'s [Subject],
    slots: [Slot<'c>; REMEMBERED],
}

#[derive(Clone, Copy)]
enum Slot<'c> {
    Unread,
    Read(Option<Operand<'c>>),
}

impl<'s, 'c> Reads<'s, 'c> {
    pub(crate) fn new(context: &'c Context, subjects: &'s [Subject]) -> Self {
        Self {
            context,
            subjects,
            slots: [Slot::Unread; REMEMBERED],
        }
    }

    pub(crate) fn read(&mut self, slot: usize) -> Option<Operand<'c>> {
        let known = self.slots.get_mut(slot);
        if let Some(Slot::Read(operand)) = known {
            return *operand;
        }
        let operand = Operand::read(self.context, self.subjects.get(slot)?);
        if let Some(empty) = known {
            *empty = Slot::Read(operand);
        }
        operand
    }
}
