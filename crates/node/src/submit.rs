//! The way in: a command goes to the writer, and a kill goes out ahead of it when that takes too long.

use leverframe_core::Command;
use tokio::sync::oneshot;

use crate::queue::{Job, Refused};
use crate::request::{Accepted, Request, SubmitError};
use crate::shared::Shared;
use crate::writer::try_out;

impl Shared {
    /// Has a command decided, stored and published.
    pub(crate) async fn submit(&self, request: Request) -> Result<Accepted, SubmitError> {
        if request.dry_run {
            let state = self.state();
            let meta = self.meta(&request)?;
            return try_out(&state, &request, &meta);
        }
        // A kill waits for the store only so long; then it goes out ahead of it.
        let kill = matches!(request.command, Command::Close { .. }).then(|| request.clone());
        let (reply, answer) = oneshot::channel();
        let job = Job {
            request,
            reply: Some(reply),
            brake: None,
            seen: self.state().revision(),
        };
        if let Err(Refused) = self.queue.push(job) {
            return match kill {
                Some(kill) if !self.stopping.is_cancelled() => self.brake(&kill),
                _ => Err(SubmitError::unavailable(
                    "too many changes are waiting, or the server is stopping; try again",
                )),
            };
        }
        let Some(kill) = kill else {
            return answer.await.unwrap_or_else(|_| {
                Err(SubmitError::unavailable(
                    "the writer has stopped; restart the server",
                ))
            });
        };
        match tokio::time::timeout(self.options.brake_after, answer).await {
            Ok(Ok(answered)) => answered,
            // The writer takes too long, or is gone.
            Ok(Err(_)) | Err(_) => self.brake(&kill),
        }
    }
}
