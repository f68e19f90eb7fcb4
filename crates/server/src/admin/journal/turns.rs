//! Who may read the journal now: it is much work, and nobody is to wait for a page meanwhile.

use std::sync::Arc;

use leverframe_node::StoreError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limit::{EXPORTS_MAX, JOURNAL_READS_MAX, JOURNAL_TURN_WAIT_MAX};
use crate::problem::Failure;

/// Turns at reading the journal: in part for an answer, or whole.
pub(crate) struct Turns {
    read: Arc<Semaphore>,
    verify: Arc<Semaphore>,
    export: Arc<Semaphore>,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            read: Arc::new(Semaphore::new(JOURNAL_READS_MAX)),
            verify: Arc::new(Semaphore::new(1)),
            export: Arc::new(Semaphore::new(EXPORTS_MAX)),
        }
    }
}

impl Turns {
    /// Reads in turn. The turn is over when the reading is, and not when whoever asked goes away.
    ///
    /// # Errors
    /// 503 when no turn comes for long, and as the reading fails.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Failure> {
        let turn = Arc::clone(&self.read).acquire_owned();
        let Ok(Ok(turn)) = tokio::time::timeout(JOURNAL_TURN_WAIT_MAX, turn).await else {
            return Err(Failure::unavailable(
                "too many read the journal now; ask again in a moment",
                1,
            ));
        };
        let reading = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            read()
        });
        match reading.await {
            Ok(read) => Ok(read?),
            Err(error) => Err(Failure::new("internal", error.to_string())),
        }
    }

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

    #[tokio::test]
    async fn a_reading_that_nobody_waits_for_keeps_its_turn_until_it_is_over() {
        let turns = Turns::default();
        let mut hung = Vec::new();
        for _ in 0..JOURNAL_READS_MAX {
            let (release, released) = std::sync::mpsc::channel::<()>();
            let (begin, mut begun) = tokio::sync::mpsc::channel(1);
            let reading = turns.read(move || {
                begin.blocking_send(()).ok();
                released.recv().ok();
                Ok(())
            });
            tokio::select! {
                _ = reading => unreachable!("it hangs"),
                _ = begun.recv() => {}
            }
            hung.push(release);
        }
        assert_eq!(turns.read.available_permits(), 0);
        let late = turns.read(|| Ok(()));
        tokio::pin!(late);
        assert!(futures_util::poll!(&mut late).is_pending());
        hung.pop();
        assert!(late.await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn who_gets_no_turn_for_long_is_told() {
        let turns = Turns::default();
        let all = u32::try_from(JOURNAL_READS_MAX).unwrap();
        let _taken = Arc::clone(&turns.read)
            .acquire_many_owned(all)
            .await
            .unwrap();
        let told = turns.read(|| Ok(())).await.unwrap_err();
        assert_eq!(told.status().as_u16(), 503);
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
