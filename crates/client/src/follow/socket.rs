//! The WebSocket: frames down, acknowledgements, refusals, counts and the goodbye up.

use std::pin::pin;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use leverframe_wire::frame::{
    Counts, FRAME_BYTES_MAX, Message, SILENCE_MS_MAX, STREAM_PATH, SUBPROTOCOL,
};
use leverframe_wire::outcome::Notice;
use tokio::net::TcpStream;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::header::{
    AUTHORIZATION, RETRY_AFTER, SEC_WEBSOCKET_PROTOCOL,
};
use tokio_tungstenite::tungstenite::http::{HeaderMap, HeaderValue};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Bytes, Error};
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config,
};

use super::evaluator::{Evaluator, Reply};
use super::pending::Pending;
use super::{CONNECT_MAX, Ended, Follow, TICK, ticking};
use crate::settings::Endpoint;

const SILENCE_MAX: Duration = Duration::from_millis(SILENCE_MS_MAX);
/// Longest wait for the server's half of the closing handshake.
const CLOSE_MAX: Duration = Duration::from_secs(1);
/// The code with which a server closes a stream whose token no longer works.
const TOKEN_REFUSED: u16 = 4401;
/// Frames are rare and mostly small.
const BUFFER_BYTES: usize = 16 * 1024;

/// How every notice begins, and no frame.
const NOTICE_BEGIN: &str = r#"{"type":"#;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

impl Follow {
    /// Follows one server over a WebSocket until that ends.
    pub(super) async fn web_socket(&mut self, endpoint: &Endpoint) -> Ended {
        // In a box, because a TLS handshake in progress is large.
        let connecting = Box::pin(timeout(CONNECT_MAX, self.connect(endpoint)));
        let socket = match ticking(&mut self.evaluator, &mut self.stop, connecting).await {
            None => return Ended::Stopped,
            Some(Err(_)) => return Ended::Lost("no answer".to_owned()),
            Some(Ok(Err(ended))) => return ended,
            Some(Ok(Ok(socket))) => socket,
        };
        tracing::debug!(server = endpoint.name(), "connected");
        let mut line = Line {
            socket,
            silence: Duration::ZERO,
            listened_at: Instant::now(),
        };
        let Err(ended) = self.converse(&mut line).await;
        ended
    }

    /// Says hello, then listens and answers. Ends only by saying how.
    async fn converse(&mut self, line: &mut Line) -> Result<std::convert::Infallible, Ended> {
        line.send(&Message::Hello(self.evaluator.hello())).await?;
        if let Some(known) = self.evaluator.connected() {
            line.acknowledge(&self.evaluator, known).await?;
        }
        line.send_counts(self.evaluator.next_counts_unconfirmed())
            .await?;
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut outcomes = pin!(sleep(Duration::ZERO));
        loop {
            let outcomes_every = self.evaluator.outcomes_every();
            tokio::select! {
                biased;
                () = self.stop.wished() => {
                    self.take_leave(line).await;
                    return Err(Ended::Stopped);
                }
                // Before the clock: what is there already counts first.
                message = line.socket.next() => {
                    let message = message.unwrap_or(Err(Error::ConnectionClosed));
                    self.hear(line, message.map_err(lost)?).await?;
                }
                _ = tick.tick() => {
                    if line.silence_so_far() >= SILENCE_MAX {
                        return Err(Ended::Lost("the server fell silent".to_owned()));
                    }
                    if self.evaluator.is_snapshot_overdue() {
                        return Err(Ended::Lost("the snapshot asked for never came".to_owned()));
                    }
                    let due = self.evaluator.counts_due();
                    line.send_counts(due.into_iter().next()).await?;
                    self.evaluator.tick().await;
                }
                () = &mut outcomes, if outcomes_every.is_some() => {
                    for due in self.evaluator.outcomes_due(false) {
                        line.send(&Message::Outcomes(due)).await?;
                    }
                    outcomes.as_mut().reset(Instant::now() + outcomes_every.unwrap_or(TICK));
                }
            }
        }
    }

    async fn hear(&mut self, line: &mut Line, message: tungstenite::Message) -> Result<(), Ended> {
        line.silence = Duration::ZERO;
        match message {
            tungstenite::Message::Text(text) => self.take_in(line, text.as_str()).await,
            tungstenite::Message::Binary(bytes) => match std::str::from_utf8(&bytes) {
                Ok(text) => self.take_in(line, text).await,
                Err(_) => Err(Ended::Mistrusted("it sends what is not text".to_owned())),
            },
            tungstenite::Message::Ping(_) => {
                self.evaluator.heard();
                // The library has queued the pong.
                within_silence(line.socket.flush()).await
            }
            tungstenite::Message::Pong(payload) => {
                let Ok(sequence) = <[u8; 8]>::try_from(&*payload) else {
                    return Ok(());
                };
                self.evaluator
                    .counts_confirmed(u64::from_be_bytes(sequence));
                line.send_counts(self.evaluator.next_counts_unconfirmed())
                    .await
            }
            tungstenite::Message::Close(Some(reason)) => Err(match u16::from(reason.code) {
                TOKEN_REFUSED => Ended::Unauthorised(401),
                _ => Ended::Lost(format!("closed by the server: {reason}")),
            }),
            tungstenite::Message::Close(None) => {
                Err(Ended::Lost("closed by the server".to_owned()))
            }
            tungstenite::Message::Frame(_) => Ok(()),
        }
    }

    async fn take_in(&mut self, line: &mut Line, text: &str) -> Result<(), Ended> {
        if text.starts_with(NOTICE_BEGIN) {
            self.take_notice(text);
            return Ok(());
        }
        match self.evaluator.apply(text) {
            Reply::Silence => {}
            Reply::Acknowledge(pending) => {
                line.acknowledge(&self.evaluator, pending).await?;
                self.evaluator.save().await;
            }
            Reply::Resync(why) => line.send(&Message::Resync { why }).await?,
            Reply::Leave(why) => return Err(Ended::Mistrusted(why)),
        }
        Ok(())
    }

    /// Reads until the server has said how it cuts time, if there is anything to be said of outcomes.
    async fn await_grid(&mut self, line: &mut Line) {
        while self.evaluator.reports_outcomes() && self.evaluator.outcomes_every().is_none() {
            match line.socket.next().await {
                Some(Ok(tungstenite::Message::Text(text))) => self.take_notice(text.as_str()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            }
        }
    }

    fn take_notice(&mut self, text: &str) {
        // One that this version does not know is of no use to it.
        if let Ok(Notice::Grid(grid)) = serde_json::from_str(text) {
            self.evaluator.told(&grid);
        }
    }

    /// Last counts, goodbye, and the closing handshake; all at best effort.
    async fn take_leave(&mut self, line: &mut Line) {
        // A connection that has just begun: the server has yet to say how it cuts time.
        let _ = timeout(CLOSE_MAX / 2, self.await_grid(line)).await;
        let leaving = async {
            for due in self.evaluator.outcomes_due(true) {
                line.send(&Message::Outcomes(due)).await?;
            }
            for batch in self.evaluator.counts_now() {
                line.send(&Message::Counts(batch)).await?;
            }
            line.send(&Message::Goodbye).await?;
            line.socket.close(None).await.map_err(lost)?;
            while let Some(Ok(message)) = line.socket.next().await {
                if message.is_close() {
                    break;
                }
            }
            Ok::<(), Ended>(())
        };
        // Whoever does not answer a goodbye has heard it or never will.
        let _ = timeout(CLOSE_MAX, leaving).await;
    }

    /// The opening handshake.
    fn connect(
        &self,
        endpoint: &Endpoint,
    ) -> impl Future<Output = Result<Socket, Ended>> + Send + 'static {
        let url = endpoint.web_socket(STREAM_PATH);
        let authorization = self.authorization.clone();
        let connector = Connector::Rustls(self.tls.clone());
        async move {
            let mut request = url
                .as_str()
                .into_client_request()
                .map_err(|error| Ended::Lost(error.to_string()))?;
            let headers = request.headers_mut();
            headers.insert(AUTHORIZATION, authorization);
            headers.insert(
                SEC_WEBSOCKET_PROTOCOL,
                HeaderValue::from_static(SUBPROTOCOL),
            );
            let config = WebSocketConfig::default()
                .read_buffer_size(BUFFER_BYTES)
                .write_buffer_size(0)
                .max_message_size(Some(FRAME_BYTES_MAX))
                .max_frame_size(Some(FRAME_BYTES_MAX));
            // Acknowledgements are small and somebody waits for them: no delay on the socket.
            connect_async_tls_with_config(request, Some(config), true, Some(connector))
                .await
                .map(|(socket, _)| socket)
                .map_err(|error| refused(&error))
        }
    }
}

/// A connection that stands.
struct Line {
    socket: Socket,
    /// How long we have listened and heard nothing.
    silence: Duration,
    listened_at: Instant,
}

impl Line {
    /// Asked at every tick. Time in which this process did not run says nothing of the server: who
    /// was stopped for an hour has not listened for an hour.
    fn silence_so_far(&mut self) -> Duration {
        let listened = self.listened_at.elapsed().min(TICK * 2);
        self.listened_at = Instant::now();
        self.silence += listened;
        self.silence
    }

    async fn send(&mut self, message: &Message) -> Result<(), Ended> {
        let text =
            serde_json::to_string(message).map_err(|error| Ended::Lost(error.to_string()))?;
        within_silence(self.socket.send(tungstenite::Message::text(text))).await
    }

    async fn acknowledge(&mut self, evaluator: &Evaluator, pending: Pending) -> Result<(), Ended> {
        self.send(&Message::Acknowledge(pending.acknowledge.clone()))
            .await?;
        evaluator.acknowledged(&pending);
        Ok(())
    }

    /// Sends one batch, and a ping whose pong says that it has arrived; the next goes out then. Many
    /// at once would fill the connection while nobody here reads, and the server, which may be
    /// writing a large snapshot, does not read either: both would stand until one gives up.
    async fn send_counts(&mut self, batch: Option<Counts>) -> Result<(), Ended> {
        let Some(batch) = batch else {
            return Ok(());
        };
        let payload = Bytes::copy_from_slice(&batch.sequence.to_be_bytes());
        self.send(&Message::Counts(batch)).await?;
        within_silence(self.socket.send(tungstenite::Message::Ping(payload))).await
    }
}

/// A server that does not take what we send is as gone as one that does not speak.
async fn within_silence(sending: impl Future<Output = Result<(), Error>>) -> Result<(), Ended> {
    match timeout(SILENCE_MAX, sending).await {
        Ok(sent) => sent.map_err(lost),
        Err(_) => Err(Ended::Lost("the server takes nothing any more".to_owned())),
    }
}

fn lost(error: Error) -> Ended {
    match error {
        Error::Capacity(error) => Ended::Mistrusted(error.to_string()),
        error => Ended::Lost(error.to_string()),
    }
}

/// Why a handshake failed, from what came back.
fn refused(error: &Error) -> Ended {
    match error {
        Error::Http(response) => match response.status().as_u16() {
            status @ (401 | 403) => Ended::Unauthorised(status),
            429 | 503 => Ended::Busy(retry_after(response.headers())),
            status => Ended::Proxy(format!("the handshake was answered with {status}")),
        },
        Error::Protocol(error) => Ended::Proxy(error.to_string()),
        error => Ended::Lost(error.to_string()),
    }
}

/// A `Retry-After` in seconds; dates are not worth a clock.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds))
}
