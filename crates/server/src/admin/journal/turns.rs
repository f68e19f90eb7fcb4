//! Who may read the whole journal now: it is much work, and nobody is to wait for a page meanwhile.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limit::EXPORTS_MAX;
use crate::problem::Failure;

/// Turns at reading the whole journal.
pub(crate) struct Turns {
    verify: Arc<Semaphore>,
    export: Arc<Semaphore>,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            verify: Arc::new(Semaphore::new(1)),
            export: Arc::new(Semaphore::new(EXPORTS_MAX)),
        }
    }
}

impl Turns {
    /// The only turn at verifying.
    ///
    /// # Errors
    /// 503 while somebody else has it.
    pub(super) fn verify(&self) -> Result<OwnedSemaphorePermit, Failure> {
        let turn = Arc::clone(&self.verify).try_acquire_owned();
        turn.map_err(|_| {
            Failure::unavailable(
                "the journal is being verified already; ask again when that is done",
                5,
            )
        })
    }

    /// A turn at exporting.
    ///
    /// # Errors
    /// 503 while there are enough.
    pub(crate) fn export(&self) -> Result<OwnedSemaphorePermit, Failure> {
        let turn = Arc::clone(&self.export).try_acquire_owned();
        turn.map_err(|_| {
            Failure::unavailable(
                format!("{EXPORTS_MAX} exports are under way; ask again when one is done"),
                5,
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_turn_at_verifying_and_it_comes_back() {
        let turns = Turns::default();
        let turn = turns.verify().unwrap();
        assert_eq!(turns.verify().unwrap_err().status().as_u16(), 503);
        drop(turn);
        assert!(turns.verify().is_ok());
    }

    #[test]
    fn there_are_only_so_many_exports_at_once() {
        let turns = Turns::default();
        let taken: Vec<_> = (0..EXPORTS_MAX).map(|_| turns.export().unwrap()).collect();
        assert!(turns.export().is_err());
        drop(taken);
        assert!(turns.export().is_ok());
    }
}
