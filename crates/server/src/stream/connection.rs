//! One evaluator's WebSocket after the handshake: one task, a place and a decoder.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use leverframe_core::state::TokenEntry;
use leverframe_node::{Feed, Head, Next, Place};
use leverframe_wire::frame::{MESSAGE_BYTES_MAX, Message, SILENCE_MS_MAX};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::sync::watch;

use super::follower::Follower;
use super::outcomes::grid_frame;
use super::socket::{CloseCode, Decoder, Heard, PING, close_frame, pong_frame};
use super::stay::Stay;
use crate::app::App;

/// How long a hello, and each write, may take.
const PATIENCE: Duration = Duration::from_millis(SILENCE_MS_MAX);
/// A reader must take at least this many bytes a second, beyond the first [`PATIENCE`].
const BYTES_PER_S_MIN: u64 = 64 * 1024;
/// How often in a row an evaluator may ask for a snapshot without applying one.
const RESYNCS_MAX: u32 = 5;
/// How much is read at once; on the stack, so that an idle connection has no buffer.
const READ_BYTES: usize = 4 * 1024;

/// Why a connection ends.
#[derive(Debug)]
enum End {
    /// It is closed with this code and these words.
    Close(CloseCode, String),
    /// The evaluator said goodbye.
    Goodbye,
    /// There is nobody to say anything to.
    Gone(std::io::Error),
}

impl From<std::io::Error> for End {
    fn from(error: std::io::Error) -> Self {
        Self::Gone(error)
    }
}

struct Connection<S> {
    socket: S,
    decoder: Decoder,
    head: watch::Receiver<Head>,
    stay: Stay,
    token: Arc<TokenEntry>,
    place: Option<Place>,
    beat: u64,
    last_heard: Instant,
    resyncs: u32,
    standing: Standing,
    /// Whether to look for news: at first, and after each change of the head.
    is_news_due: bool,
    reports_outcomes: bool,
}

/// How what the evaluator has goes together with what is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// Frames after its place build on what it has.
    Fits,
    /// They do not: it is sent everything anew.
    Astray,
    /// It has a record that was lost here.
    Ahead,
}

/// Follows until either side has had enough. `already` is what came with the handshake.
pub(super) async fn run<S>(
    app: App,
    token: Arc<TokenEntry>,
    feed: Arc<Feed>,
    mut socket: S,
    already: Bytes,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut decoder = Decoder::new(MESSAGE_BYTES_MAX);
    decoder.feed(&already);
    drop(already);
    let (stay, place, reports_outcomes) = match greet(&app, &feed, &mut socket, &mut decoder).await
    {
        Ok(greeted) => greeted,
        Err(end) => return part(&mut socket, end, "-").await,
    };
    let head = feed.subscribe();
    let beat = head.borrow().beat;
    let mut connection = Connection {
        socket,
        decoder,
        beat,
        head,
        stay,
        token,
        place,
        last_heard: Instant::now(),
        resyncs: 0,
        standing: Standing::Fits,
        is_news_due: true,
        reports_outcomes,
    };
    let Err(end) = connection.follow(&app).await;
    let Connection {
        mut socket, stay, ..
    } = connection;
    let instance = Arc::clone(&stay.follower.instance);
    if matches!(end, End::Goodbye) {
        stay.goodbye();
    } else {
        drop(stay);
    }
    part(&mut socket, end, &instance).await;
}

/// Waits for the first message, which says who is there.
async fn greet<S>(
    app: &App,
    feed: &Arc<Feed>,
    socket: &mut S,
    decoder: &mut Decoder,
) -> Result<(Stay, Option<Place>, bool), End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let hello = async {
        loop {
            match next(decoder)? {
                Some(Heard::Text(text)) => match message(&text)? {
                    Message::Hello(hello) => return Ok(hello),
                    _ => return Err(policy("the first message is a hello")),
                },
                Some(Heard::Close) => return Err(End::Close(CloseCode::Normal, String::new())),
                Some(Heard::Ping(_) | Heard::Pong) => {}
                None => read(socket, decoder).await?,
            }
        }
    };
    let hello = tokio::select! {
        hello = tokio::time::timeout(PATIENCE, hello) => {
            hello.map_err(|_| policy("no hello came"))??
        }
        () = app.draining.cancelled() => return Err(going_away()),
    };
    let follower = Follower::new(app.node().clone(), Arc::clone(feed), &hello.instance)
        .map_err(|error| policy(&error.to_string()))?;
    let (stay, place) = Stay::begin(app.clone(), follower, &hello)
        .map_err(|full| End::Close(CloseCode::TryLater, full.to_string()))?;
    Ok((stay, place, hello.outcomes))
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    async fn follow(&mut self, app: &App) -> Result<Infallible, End> {
        // Waited for as long as this lasts, not anew for each frame and each acknowledgement.
        let replaced = self.stay.replaced();
        let mut replaced = std::pin::pin!(replaced);
        let mut draining = std::pin::pin!(app.draining.cancelled());
        if let Some(grid) = self.grid_frame() {
            write(&mut self.socket, &[grid]).await?;
        }
        loop {
            self.take_in().await?;
            self.send_news().await?;
            let Self {
                socket,
                decoder,
                head,
                ..
            } = self;
            tokio::select! {
                changed = head.changed() => {
                    if changed.is_err() {
                        return Err(going_away());
                    }
                    self.is_news_due = true;
                }
                read = read(socket, decoder) => {
                    read?;
                    self.last_heard = Instant::now();
                }
                () = &mut replaced => {
                    return Err(policy("a newer connection of this instance took this one's place"));
                }
                () = &mut draining => return Err(going_away()),
            }
            // Whatever woke it: a heartbeat may have come while it read or wrote.
            self.beat(app).await?;
        }
    }

    /// Understands what was read.
    async fn take_in(&mut self) -> Result<(), End> {
        while let Some(heard) = next(&mut self.decoder)? {
            match heard {
                Heard::Text(text) => self.take_in_message(&text)?,
                Heard::Ping(payload) => write(&mut self.socket, &[pong_frame(&payload)]).await?,
                Heard::Pong => self.stay.follower.heard(),
                Heard::Close => return Err(End::Close(CloseCode::Normal, String::new())),
            }
        }
        Ok(())
    }

    fn take_in_message(&mut self, text: &str) -> Result<(), End> {
        match message(text)? {
            Message::Acknowledge(told) => {
                self.resyncs = 0;
                self.stay.follower.acknowledge(told, self.place.as_ref());
            }
            Message::Counts(counts) => {
                self.stay.follower.heard();
                self.stay.follower.count(&counts);
            }
            Message::Outcomes(outcomes) => {
                self.stay.follower.heard();
                self.stay.follower.take_outcomes(outcomes);
            }
            Message::Resync { why } => {
                tracing::info!(
                    environment = %self.stay.follower.feed.environment(),
                    instance = %self.stay.follower.instance,
                    why = %why.chars().take(200).collect::<String>().escape_debug(),
                    "an evaluator asks for a snapshot"
                );
                self.resyncs += 1;
                if self.resyncs > RESYNCS_MAX {
                    return Err(policy("too many snapshots asked for without applying one"));
                }
                self.standing = Standing::Astray;
            }
            Message::Goodbye => return Err(End::Goodbye),
            Message::Hello(_) => return Err(policy("only the first message is a hello")),
        }
        Ok(())
    }

    /// Sends what the evaluator has not got.
    async fn send_news(&mut self) -> Result<(), End> {
        // After most acknowledgements there is nothing to look for.
        let is_due = self.is_news_due
            || self.standing == Standing::Astray
            || self.head.has_changed().unwrap_or(true);
        if !is_due {
            return Ok(());
        }
        self.is_news_due = false;
        self.head.mark_unchanged();
        let feed = &self.stay.follower.feed;
        if self.standing == Standing::Ahead {
            let now = *self.head.borrow();
            let is_passed = self
                .place
                .as_ref()
                .is_none_or(|place| (now.epoch, now.revision) > (place.epoch, place.revision));
            if !is_passed {
                return Ok(());
            }
            // What it has is not part of this history, so nothing can build on it.
            self.standing = Standing::Astray;
        }
        let next = match (&self.place, self.standing) {
            (_, Standing::Astray) => feed.next(None),
            (place, _) => feed.next(place.as_ref()),
        };
        match next {
            Next::UpToDate | Next::Preparing => {}
            Next::Frames { frames, place } => {
                // Before it is written: the acknowledgement may be here before the write returns.
                if self.place.replace(place).is_none() {
                    self.stay.follower.snapshot_sent();
                }
                self.standing = Standing::Fits;
                write(&mut self.socket, &frames).await?;
            }
            Next::Ahead => {
                self.standing = Standing::Ahead;
                tracing::error!(
                    environment = %feed.environment(),
                    instance = %self.stay.follower.instance,
                    has = self.place.as_ref().map(|place| place.revision),
                    here = feed.revision(),
                    "an evaluator has a newer revision than this journal: history was lost here; it keeps what it has"
                );
            }
        }
        Ok(())
    }

    /// At each heartbeat: is the evaluator still there, and is it still allowed?
    async fn beat(&mut self, app: &App) -> Result<(), End> {
        let beat = self.head.borrow().beat;
        if beat == self.beat {
            return Ok(());
        }
        self.beat = beat;
        if self.last_heard.elapsed() > app.settings.silence_max {
            return Err(policy("nothing was heard for too long"));
        }
        let state = app.node().state();
        let works = state
            .token(&self.token.token.id)
            .is_some_and(|entry| entry.works_at(app.node().wall_now()));
        if !works {
            let why = "this token has expired or was revoked".to_owned();
            return Err(End::Close(CloseCode::Unauthenticated, why));
        }
        let ping = Bytes::from_static(PING);
        match self.grid_frame() {
            Some(grid) => write(&mut self.socket, &[grid, ping]).await,
            None => write(&mut self.socket, &[ping]).await,
        }
    }

    /// How time is cut, for those who report outcomes.
    fn grid_frame(&self) -> Option<Bytes> {
        let grid = self.reports_outcomes.then(|| self.stay.follower.grid())?;
        grid_frame(grid)
    }
}

fn policy(why: &str) -> End {
    End::Close(CloseCode::Policy, why.to_owned())
}

fn going_away() -> End {
    End::Close(
        CloseCode::GoingAway,
        "the server is stopping; connect again".to_owned(),
    )
}

fn next(decoder: &mut Decoder) -> Result<Option<Heard>, End> {
    decoder
        .next()
        .map_err(|violation| End::Close(violation.close_code(), violation.to_string()))
}

fn message(text: &str) -> Result<Message, End> {
    serde_json::from_str(text).map_err(|error| policy(&format!("not a message: {error}")))
}

/// Reads what is there. Waits without holding a buffer.
async fn read<S: AsyncRead + Unpin>(socket: &mut S, decoder: &mut Decoder) -> Result<(), End> {
    let count = std::future::poll_fn(|context| {
        let mut scratch = [0; READ_BYTES];
        let mut buffer = ReadBuf::new(&mut scratch);
        std::task::ready!(std::pin::Pin::new(&mut *socket).poll_read(context, &mut buffer))?;
        decoder.feed(buffer.filled());
        std::task::Poll::Ready(Ok::<_, std::io::Error>(buffer.filled().len()))
    })
    .await?;
    if count == 0 {
        return Err(End::Gone(std::io::ErrorKind::UnexpectedEof.into()));
    }
    Ok(())
}

/// Writes whole frames, in a time that a reader who still reads can keep.
async fn write<S: AsyncWrite + Unpin>(socket: &mut S, frames: &[Bytes]) -> Result<(), End> {
    let bytes: u64 = frames.iter().map(|frame| frame.len() as u64).sum();
    let at_most = PATIENCE + Duration::from_secs(bytes / BYTES_PER_S_MIN);
    let all = async {
        for frame in frames {
            socket.write_all(frame).await?;
        }
        socket.flush().await
    };
    match tokio::time::timeout(at_most, all).await {
        Ok(written) => Ok(written?),
        Err(_) => Err(End::Gone(std::io::ErrorKind::TimedOut.into())),
    }
}

/// Says why, if there is somebody to say it to, and closes.
async fn part<S: AsyncWrite + Unpin>(socket: &mut S, end: End, instance: &str) {
    let (code, why) = match &end {
        End::Close(code, why) => (*code, why.as_str()),
        End::Goodbye => (CloseCode::Normal, ""),
        End::Gone(error) => {
            tracing::debug!(instance, %error, "an evaluator's connection is gone");
            return;
        }
    };
    tracing::debug!(
        instance,
        code = code.number(),
        why,
        "an evaluator's connection is closed"
    );
    let goodbye = async {
        socket.write_all(&close_frame(code, why)).await?;
        socket.shutdown().await
    };
    // Whether the other side still reads it makes no difference.
    let _ = tokio::time::timeout(Duration::from_secs(1), goodbye).await;
}

#[cfg(test)]
mod tests;
