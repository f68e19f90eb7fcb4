//! The saver: writes the disk cache off the following task, at most once a second.

use std::sync::Arc;
use std::time::Duration;

use leverframe_flags::Keepsake;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::cache::{DiskCache, Stored};

/// Shortest time between two writes; what comes in between is written together.
const APART: Duration = Duration::from_secs(1);

/// Writes the disk cache.
pub(crate) struct Saver {
    cache: Arc<DiskCache>,
    is_due: bool,
    started_at: Option<Instant>,
    running: Option<JoinHandle<bool>>,
}

impl Saver {
    pub(crate) fn new(cache: DiskCache) -> Self {
        Self {
            cache: Arc::new(cache),
            is_due: false,
            started_at: None,
            running: None,
        }
    }

    /// There is something new to write.
    pub(crate) fn mark(&mut self) {
        self.is_due = true;
    }

    /// Starts a write if one is due, none is running, and the last is long enough ago.
    pub(crate) async fn write_if_due(&mut self, keepsake: impl FnOnce() -> Option<Keepsake>) {
        if self.running.as_ref().is_some_and(JoinHandle::is_finished) {
            self.settle().await;
        }
        let is_too_soon = self
            .started_at
            .is_some_and(|started| started.elapsed() < APART);
        if self.is_due && self.running.is_none() && !is_too_soon {
            self.start(keepsake());
        }
    }

    /// Writes what is due and waits for it.
    pub(crate) async fn finish(&mut self, keepsake: impl FnOnce() -> Option<Keepsake>) {
        self.settle().await;
        if self.is_due {
            self.start(keepsake());
            self.settle().await;
        }
    }

    fn start(&mut self, keepsake: Option<Keepsake>) {
        self.is_due = false;
        let Some(keepsake) = keepsake else { return };
        self.started_at = Some(Instant::now());
        let cache = Arc::clone(&self.cache);
        self.running = Some(tokio::task::spawn_blocking(move || {
            write(&cache, &keepsake)
        }));
    }

    async fn settle(&mut self) {
        if let Some(running) = self.running.take() {
            let is_done = running.await.unwrap_or(true);
            self.is_due |= !is_done;
        }
    }
}

/// Whether that is done with; false to try again.
fn write(cache: &DiskCache, keepsake: &Keepsake) -> bool {
    match cache.store(keepsake) {
        Ok(Stored::Written | Stored::NotNewer) => true,
        Ok(Stored::Busy) => false,
        Err(error) => {
            // Not tried again until something changes: a full disk does not empty by itself.
            tracing::warn!(%error, "the disk cache cannot be written; going on without it");
            true
        }
    }
}
