//! Names: flags and outcomes as small numbers, so that what is kept of a unit is small.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// Most flags whose outcomes one process reports.
const FLAGS_MAX: usize = 1_000;
/// Most names of outcomes in one process; `errors` is the first.
const OUTCOMES_MAX: usize = 64;
/// Longest name of an outcome or a gauge, in bytes.
const NAME_BYTES_MAX: usize = 64;

#[derive(Debug)]
pub(super) struct Names {
    flags: Register,
    outcomes: Register,
}

#[derive(Debug)]
struct Register {
    max: usize,
    inner: RwLock<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    numbers: HashMap<Arc<str>, u32>,
    names: Vec<Arc<str>>,
}

impl Names {
    pub(super) fn new() -> Self {
        let names = Self {
            flags: Register::new(FLAGS_MAX),
            outcomes: Register::new(OUTCOMES_MAX),
        };
        let _ = names.outcomes.number("errors");
        names
    }

    /// A flag's number; none when there are too many.
    pub(super) fn flag(&self, name: &str) -> Option<u32> {
        self.flags.number(name)
    }

    /// The bit of an outcome; none for one that is no name, or too many.
    pub(super) fn outcome(&self, name: &str) -> u64 {
        if !is_name(name) {
            return 0;
        }
        let number = self.outcomes.number(name);
        number
            .and_then(|number| 1_u64.checked_shl(number))
            .unwrap_or(0)
    }

    pub(super) fn flag_name(&self, number: u32) -> Option<Arc<str>> {
        self.flags.name(number)
    }

    pub(super) fn outcome_name(&self, number: u32) -> Option<Arc<str>> {
        self.outcomes.name(number)
    }
}

impl Register {
    fn new(max: usize) -> Self {
        Self {
            max,
            inner: RwLock::default(),
        }
    }

    fn number(&self, name: &str) -> Option<u32> {
        let known = {
            let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
            inner.numbers.get(name).copied()
        };
        known.or_else(|| self.add(name))
    }

    #[cold]
    fn add(&self, name: &str) -> Option<u32> {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = inner.numbers.get(name) {
            return Some(*number);
        }
        if inner.names.len() >= self.max {
            return None;
        }
        let number = u32::try_from(inner.names.len()).ok()?;
        let shared: Arc<str> = name.into();
        inner.names.push(Arc::clone(&shared));
        inner.numbers.insert(shared, number);
        if inner.names.len() == self.max {
            tracing::warn!(
                max = self.max,
                "too many names to report outcomes of; further ones are left out"
            );
        }
        Some(number)
    }

    fn name(&self, number: u32) -> Option<Arc<str>> {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        inner.names.get(number as usize).map(Arc::clone)
    }
}

/// Whether a text can name an outcome or a gauge: 1 to 64 of `a-z 0-9 _ . -`.
pub(super) fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=NAME_BYTES_MAX).contains(&name.len())
        && name
            .bytes()
            .all(|byte| is_plain(byte) || b"_.-".contains(&byte))
}
