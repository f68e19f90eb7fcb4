//! The long poll: for networks that let no WebSocket pass. Every poll acknowledges the answer
//! before.

use std::time::Duration;

use leverframe_wire::frame::{
    Acknowledge, Counts, FRAME_BYTES_MAX, POLL_PATH, Poll, PollAnswer, SILENCE_MS_MAX,
};
use leverframe_wire::outcome::Outcomes;
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use tokio::time::{Instant, sleep, timeout};

use super::evaluator::Reply;
use super::pending::Pending;
use super::socket::retry_after;
use super::{CONNECT_MAX, Ended, Follow, ticking};
use crate::settings::Endpoint;

/// How long the server may wait for news: short enough that its silence is noticed as soon as on a
/// WebSocket.
const WAIT: Duration = Duration::from_secs(10);
const ANSWER_MAX: Duration = Duration::from_millis(SILENCE_MS_MAX);
/// Longest wait for the answer to a goodbye.
const GOODBYE_MAX: Duration = Duration::from_secs(1);
/// After so long, a WebSocket is tried again.
const TRY_WEB_SOCKET: Duration = Duration::from_secs(600);
/// Polls that bring nothing come no faster than this, whatever the server does.
const EMPTY_APART: Duration = Duration::from_millis(500);

impl Follow {
    /// Follows one server by long poll until that ends.
    pub(super) async fn poll(&mut self, endpoint: &Endpoint) -> Ended {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured((*self.tls).clone())
            .no_proxy()
            .connect_timeout(CONNECT_MAX)
            .build();
        let line = match client {
            Ok(client) => Line {
                client,
                url: endpoint.http(POLL_PATH),
                authorization: self.authorization.clone(),
            },
            Err(error) => return Ended::Lost(error.without_url().to_string()),
        };
        let Err(ended) = self.ask_again_and_again(&line).await;
        ended
    }

    async fn ask_again_and_again(
        &mut self,
        line: &Line,
    ) -> Result<std::convert::Infallible, Ended> {
        let began = Instant::now();
        let mut is_connected = false;
        let mut acknowledge: Option<Pending> = None;
        let mut counts: Vec<Counts> = self.evaluator.counts_unconfirmed();
        counts.reverse();
        let mut outcomes: Vec<Outcomes> = Vec::new();
        while began.elapsed() < TRY_WEB_SOCKET || acknowledge.is_some() {
            let asked_at = Instant::now();
            // The first poll and those that carry something else do not wait.
            let wait = if !is_connected || counts.len() > 1 || outcomes.len() > 1 {
                Duration::ZERO
            } else if self.evaluator.reports_outcomes() {
                // An interval that is over must not wait for news.
                self.evaluator
                    .outcomes_every()
                    .map_or(WAIT, |every| every.min(WAIT))
            } else {
                WAIT
            };
            if outcomes.is_empty() {
                outcomes = self.evaluator.outcomes_due(false);
                outcomes.reverse();
            }
            let batch = counts.pop();
            let due = outcomes.pop();
            let sequence = batch.as_ref().map(|batch| batch.sequence);
            let said = acknowledge.as_ref().map(|said| said.acknowledge.clone());
            let asking = line.ask(Poll {
                outcomes: due,
                ..self.question(said, batch, wait)
            });
            let asking = timeout(ANSWER_MAX, asking);
            let answer = match ticking(&mut self.evaluator, &mut self.stop, asking).await {
                None => {
                    self.take_leave_by_poll(line, acknowledge).await;
                    return Err(Ended::Stopped);
                }
                Some(Err(_)) => return Err(Ended::Lost("no answer".to_owned())),
                Some(Ok(answer)) => answer?,
            };
            if !is_connected {
                is_connected = true;
                tracing::info!("following by long poll");
                self.evaluator.connected();
            }
            if let Some(said) = acknowledge.take() {
                self.evaluator.acknowledged(&said);
            }
            if let Some(sequence) = sequence {
                self.evaluator.counts_confirmed(sequence);
            }
            if let Some(grid) = &answer.grid {
                self.evaluator.told(grid);
            }
            for frame in &answer.frames {
                match self.evaluator.apply(frame.get()) {
                    Reply::Acknowledge(pending) => acknowledge = Some(pending),
                    // The next hello has no cursor, and so asks for a snapshot.
                    Reply::Silence | Reply::Resync(_) => {}
                    Reply::Leave(why) => return Err(Ended::Mistrusted(why)),
                }
            }
            self.evaluator.caught_up();
            self.evaluator.save().await;
            if counts.is_empty() {
                counts = self.evaluator.counts_due();
                counts.reverse();
            }
            let is_idle = answer.frames.is_empty()
                && counts.is_empty()
                && outcomes.is_empty()
                && !wait.is_zero();
            if is_idle && asked_at.elapsed() < EMPTY_APART {
                let pause = sleep(EMPTY_APART);
                // A wish to stop is noticed by the next poll.
                let _ = ticking(&mut self.evaluator, &mut self.stop, pause).await;
            }
        }
        Err(Ended::TryWebSocket)
    }

    fn question(
        &self,
        acknowledge: Option<Acknowledge>,
        counts: Option<Counts>,
        wait: Duration,
    ) -> Poll {
        Poll {
            hello: self.evaluator.hello(),
            acknowledge,
            counts,
            outcomes: None,
            goodbye: false,
            wait_ms: u64::try_from(wait.as_millis()).unwrap_or(0),
        }
    }

    async fn take_leave_by_poll(&mut self, line: &Line, acknowledge: Option<Pending>) {
        let acknowledge = acknowledge.map(|said| said.acknowledge);
        let counts = self.evaluator.counts_now().into_iter().next();
        let goodbye = Poll {
            goodbye: true,
            // One message; of several the others are lost with the process.
            outcomes: self.evaluator.outcomes_due(true).into_iter().next(),
            ..self.question(acknowledge, counts, Duration::ZERO)
        };
        // Whoever does not answer a goodbye has heard it or never will.
        let _ = timeout(GOODBYE_MAX, line.ask(goodbye)).await;
    }
}

/// Where polls go.
struct Line {
    client: reqwest::Client,
    url: Url,
    authorization: HeaderValue,
}

impl Line {
    async fn ask(&self, poll: Poll) -> Result<PollAnswer, Ended> {
        let lost = |error: reqwest::Error| Ended::Lost(error.without_url().to_string());
        let mut response = self
            .client
            .post(self.url.clone())
            .header(AUTHORIZATION, self.authorization.clone())
            .json(&poll)
            .send()
            .await
            .map_err(lost)?;
        match response.status().as_u16() {
            200 => {}
            status @ (401 | 403) => return Err(Ended::Unauthorised(status)),
            429 | 503 => return Err(Ended::Busy(retry_after(response.headers()))),
            status => return Err(Ended::Lost(format!("the poll was answered with {status}"))),
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(lost)? {
            if body.len() + chunk.len() > FRAME_BYTES_MAX {
                return Err(Ended::Mistrusted("its answer is too large".to_owned()));
            }
            body.extend_from_slice(&chunk);
        }
        if poll.goodbye {
            return Ok(PollAnswer {
                frames: Vec::new(),
                grid: None,
            });
        }
        serde_json::from_slice(&body)
            .map_err(|error| Ended::Mistrusted(format!("its answer cannot be read: {error}")))
    }
}
