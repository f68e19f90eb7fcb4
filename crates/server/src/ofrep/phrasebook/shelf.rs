//! The phrasebooks in use.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use leverframe_flags::{EnvironmentKey, RuleSet};

use super::Phrasebook;

/// The phrasebook of each environment whose flags somebody asked for all at once.
#[derive(Debug, Default)]
pub(crate) struct Phrasebooks {
    books: Mutex<HashMap<EnvironmentKey, Arc<Phrasebook>>>,
}

impl Phrasebooks {
    /// The phrasebook of a rule set; written now if it is the first time that it is asked for.
    pub(in crate::ofrep) fn of(
        &self,
        environment: &EnvironmentKey,
        rules: &Arc<RuleSet>,
    ) -> Arc<Phrasebook> {
        // Held while a book is written, because whoever waits would otherwise write the same.
        let mut books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(book) = books.get(environment)
            && book.is_of(rules)
        {
            return Arc::clone(book);
        }
        // Those of environments that are gone go with their rule sets.
        books.retain(|_, book| book.rules.strong_count() > 0);
        let book = Arc::new(Phrasebook::new(rules));
        books.insert(environment.clone(), Arc::clone(&book));
        book
    }
}
