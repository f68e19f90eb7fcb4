//! Following: the task that keeps the rule set up to date, over a WebSocket where one passes and by
//! long poll where none does.

mod backoff;
mod evaluator;
mod identity;
mod outbox;
mod pending;
mod poll;
mod saver;
mod socket;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tokio_tungstenite::tungstenite::http::HeaderValue;

use self::backoff::{Backoff, dice};
pub(crate) use self::evaluator::Evaluator;
pub(crate) use self::identity::Identity;
use crate::settings::Endpoint;

/// How often ages are looked at, counts are flushed if it is time, and so on.
const TICK: Duration = Duration::from_secs(1);
/// Longest wait for a connection to stand.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// Handshakes in a row that fail as a proxy would make them fail before the long poll is tried.
const PROXY_FAILURES_MAX: u32 = 2;
/// A failure that lasts is logged again this often.
const REMIND: Duration = Duration::from_secs(60);

/// Why a connection ended or never stood.
#[derive(Debug)]
enum Ended {
    /// We were told to stop, and have said goodbye.
    Stopped,
    /// The connection was lost, or nobody answers.
    Lost(String),
    /// The server has too much to do.
    Busy(Option<Duration>),
    /// The token is refused.
    Unauthorised(u16),
    /// Something between us and the server does not let a WebSocket pass.
    Proxy(String),
    /// What the server says must not be followed.
    Mistrusted(String),
    /// The long poll has lasted; it is time to try a WebSocket again.
    TryWebSocket,
}

/// The following task.
pub(crate) struct Follow {
    evaluator: Evaluator,
    endpoints: Vec<Endpoint>,
    authorization: HeaderValue,
    tls: Arc<ClientConfig>,
    stop: Stop,
}

/// The wish to stop.
#[derive(Clone)]
struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Waits for it. A client that is gone wishes it too.
    async fn wished(&mut self) {
        let _ = self.0.wait_for(|is_wished| *is_wished).await;
    }
}

impl Follow {
    pub(crate) fn new(
        evaluator: Evaluator,
        endpoints: Vec<Endpoint>,
        authorization: HeaderValue,
        tls: Arc<ClientConfig>,
        stop: watch::Receiver<bool>,
    ) -> Self {
        Self {
            evaluator,
            endpoints,
            authorization,
            tls,
            stop: Stop(stop),
        }
    }

    pub(crate) async fn run(mut self) {
        let mut backoff = Backoff::default();
        let mut proxy_failures = 0_u32;
        let mut complaint = Reminder::default();
        for turn in 0_usize.. {
            let Some(endpoint) = self.endpoints.get(turn % self.endpoints.len()).cloned() else {
                break;
            };
            let may_poll = proxy_failures >= PROXY_FAILURES_MAX;
            let was_polling = may_poll;
            let began = Instant::now();
            let ended = if may_poll {
                self.poll(&endpoint).await
            } else {
                self.web_socket(&endpoint).await
            };
            let had_connected = self.evaluator.disconnected();
            if had_connected {
                backoff.reset();
                complaint = Reminder::default();
            }
            proxy_failures = match &ended {
                Ended::Proxy(_) if !was_polling => proxy_failures.saturating_add(1),
                // One more failure of a WebSocket leads back here.
                _ if was_polling => PROXY_FAILURES_MAX - 1,
                _ => 0,
            };
            let server = endpoint.name();
            let wait = match ended {
                Ended::Stopped => break,
                Ended::TryWebSocket => Duration::ZERO,
                Ended::Busy(retry_after) => {
                    let wait = backoff.after(retry_after, dice());
                    complaint.make(|| {
                        tracing::info!(server, ?wait, "the server asks to come back later");
                    });
                    wait
                }
                Ended::Unauthorised(status) => {
                    let wait = Backoff::unauthorised(dice());
                    tracing::error!(
                        server,
                        status,
                        ?wait,
                        "the server refuses the token; nothing new is learned until it is accepted"
                    );
                    wait
                }
                Ended::Mistrusted(why) => {
                    tracing::error!(server, why, "this server is not followed");
                    backoff.next(dice())
                }
                Ended::Proxy(why) => {
                    complaint.make(|| {
                        tracing::warn!(server, why, "a WebSocket does not pass");
                    });
                    backoff.next(dice())
                }
                Ended::Lost(why) => {
                    complaint.make(|| {
                        tracing::warn!(server, why, "no connection; going on with what is known");
                    });
                    backoff.next(dice())
                }
            };
            tracing::debug!(after = ?began.elapsed(), ?wait, "trying again");
            if ticking(&mut self.evaluator, &mut self.stop, sleep(wait))
                .await
                .is_none()
            {
                break;
            }
        }
        self.evaluator.finish().await;
    }
}

/// Runs `work` while the evaluator goes on noticing its age. `None` when we were told to stop.
async fn ticking<T>(
    evaluator: &mut Evaluator,
    stop: &mut Stop,
    work: impl Future<Output = T>,
) -> Option<T> {
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tokio::pin!(work);
    loop {
        tokio::select! {
            biased;
            () = stop.wished() => return None,
            done = &mut work => return Some(done),
            _ = tick.tick() => evaluator.tick().await,
        }
    }
}

/// Lets a complaint that repeats through only once a minute.
#[derive(Default)]
struct Reminder(Option<Instant>);

impl Reminder {
    fn make(&mut self, complain: impl FnOnce()) {
        if self.0.is_none_or(|last| last.elapsed() >= REMIND) {
            self.0 = Some(Instant::now());
            complain();
        }
    }
}
