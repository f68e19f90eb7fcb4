//! A server that does nothing by itself: the test says what it sends and reads what it hears.

#![expect(clippy::result_large_err, reason = "the library's signature")]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use futures_util::{SinkExt, StreamExt};
use leverframe::{Builder, Client, Settings};
use leverframe_wire::frame::{Acknowledge, Hello, Message, STREAM_PATH, SUBPROTOCOL};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{self};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

use crate::DEADLINE;

pub(crate) const TOKEN: &str = "lv_test-token";

/// What is done with whoever knocks.
#[derive(Debug, Clone)]
pub(crate) enum Door {
    Open,
    /// Answered with this status and, if given, a `Retry-After`.
    Shut(u16, Option<&'static str>),
    /// Let in at the TCP level and left without an answer.
    Silent,
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    door: Arc<Mutex<Door>>,
    knocks: Arc<Mutex<u32>>,
    connections: mpsc::UnboundedReceiver<Connection>,
    accepting: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap()).await
    }

    pub(crate) async fn start_at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let door = Arc::new(Mutex::new(Door::Open));
        let knocks = Arc::new(Mutex::new(0));
        let (sender, connections) = mpsc::unbounded_channel();
        let (accept_door, accept_knocks) = (Arc::clone(&door), Arc::clone(&knocks));
        let accepting = tokio::spawn(async move {
            let mut silent = Vec::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                *accept_knocks.lock().unwrap() += 1;
                let door = accept_door.lock().unwrap().clone();
                if matches!(door, Door::Silent) {
                    silent.push(stream);
                    continue;
                }
                if let Some(connection) = Connection::accept(stream, door).await {
                    let _ = sender.send(connection);
                }
            }
        });
        Self {
            address,
            door,
            knocks,
            connections,
            accepting,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn set_door(&self, door: Door) {
        *self.door.lock().unwrap() = door;
    }

    /// How often somebody has come.
    pub(crate) fn knocks(&self) -> u32 {
        *self.knocks.lock().unwrap()
    }

    /// Settings that lead here and nowhere else, whatever the environment says.
    pub(crate) fn settings(&self) -> Settings {
        Settings::from_lookup(|_| None)
            .url(&self.url())
            .token(TOKEN)
            .application("shop")
            .build_id("3f2a9c1")
            .connect_timeout(DEADLINE)
    }

    pub(crate) fn builder(&self) -> Builder {
        self.settings().into()
    }

    /// The next client that has come through the handshake.
    pub(crate) async fn connection(&mut self) -> Connection {
        tokio::time::timeout(DEADLINE, self.connections.recv())
            .await
            .expect("nobody came in time")
            .unwrap()
    }

    /// A client that follows, at `snapshot`, which it has acknowledged.
    pub(crate) async fn follow(
        &mut self,
        settings: Settings,
        snapshot: &Value,
    ) -> (Client, Connection) {
        self.follow_by(settings.into(), snapshot).await
    }

    pub(crate) async fn follow_by(
        &mut self,
        builder: Builder,
        snapshot: &Value,
    ) -> (Client, Connection) {
        let connecting = tokio::spawn(builder.connect());
        let mut connection = self.connection().await;
        connection.hello().await;
        connection.send(snapshot).await;
        connection.acknowledge().await;
        (connecting.await.unwrap().unwrap(), connection)
    }

    /// Stops listening; whoever is connected stays so.
    pub(crate) fn stop(self) -> SocketAddr {
        self.accepting.abort();
        self.address
    }
}

fn admit(
    door: &Door,
    request: &Request,
    mut response: Response,
) -> Result<Response, ErrorResponse> {
    let refuse = |status: u16, retry_after: Option<&str>| {
        let mut refusal = ErrorResponse::new(None);
        *refusal.status_mut() = StatusCode::from_u16(status).unwrap();
        if let Some(seconds) = retry_after {
            refusal
                .headers_mut()
                .insert("retry-after", HeaderValue::from_str(seconds).unwrap());
        }
        Err(refusal)
    };
    let header = |name: &str| {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    if let Door::Shut(status, retry_after) = door {
        return refuse(*status, *retry_after);
    }
    if request.uri().path() != STREAM_PATH {
        return refuse(404, None);
    }
    if header("authorization") != Some(&format!("Bearer {TOKEN}")) {
        return refuse(401, None);
    }
    if header("sec-websocket-protocol") != Some(SUBPROTOCOL) {
        return refuse(400, None);
    }
    response.headers_mut().insert(
        "sec-websocket-protocol",
        HeaderValue::from_static(SUBPROTOCOL),
    );
    Ok(response)
}

/// One client's connection, from the server's side.
pub(crate) struct Connection<S = TcpStream> {
    socket: WebSocketStream<S>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// The server's half of the handshake.
    pub(crate) async fn accept(stream: S, door: Door) -> Option<Self> {
        let answer = move |request: &Request, response: Response| admit(&door, request, response);
        let socket = accept_hdr_async(stream, answer).await.ok()?;
        Some(Self { socket })
    }

    pub(crate) async fn send(&mut self, frame: &Value) {
        self.send_text(&frame.to_string()).await;
    }

    pub(crate) async fn send_text(&mut self, text: &str) {
        self.socket
            .send(tungstenite::Message::text(text))
            .await
            .unwrap();
    }

    pub(crate) async fn ping(&mut self) {
        self.socket
            .send(tungstenite::Message::Ping("beat".into()))
            .await
            .unwrap();
    }

    /// The next message, or `None` at the end. Pings are answered on the way.
    pub(crate) async fn try_message(&mut self) -> Option<Message> {
        loop {
            let next = tokio::time::timeout(DEADLINE, self.socket.next())
                .await
                .expect("nothing was said in time");
            match next {
                Some(Ok(tungstenite::Message::Text(text))) => {
                    return Some(serde_json::from_str(text.as_str()).unwrap());
                }
                Some(Ok(tungstenite::Message::Ping(_))) => self.socket.flush().await.unwrap(),
                Some(Ok(tungstenite::Message::Close(_))) => {
                    // The library has queued the answer.
                    let _ = self.socket.flush().await;
                    return None;
                }
                Some(Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    pub(crate) async fn message(&mut self) -> Message {
        self.try_message().await.expect("the client hung up")
    }

    /// The next pong.
    pub(crate) async fn pong(&mut self) {
        let pong = async {
            while !matches!(
                self.socket.next().await,
                Some(Ok(tungstenite::Message::Pong(_)))
            ) {}
        };
        tokio::time::timeout(DEADLINE, pong).await.expect("no pong");
    }

    /// The payload of the next thing said, which is a ping. It is answered with what is said next.
    pub(crate) async fn heard_ping(&mut self) -> Vec<u8> {
        let next = tokio::time::timeout(DEADLINE, self.socket.next()).await;
        match next.expect("nothing was said in time") {
            Some(Ok(tungstenite::Message::Ping(payload))) => payload.to_vec(),
            other => panic!("not a ping: {other:?}"),
        }
    }

    pub(crate) async fn hello(&mut self) -> Hello {
        match self.message().await {
            Message::Hello(hello) => hello,
            other => panic!("not a hello: {other:?}"),
        }
    }

    pub(crate) async fn acknowledge(&mut self) -> Acknowledge {
        match self.message().await {
            Message::Acknowledge(acknowledge) => acknowledge,
            other => panic!("not an acknowledgement: {other:?}"),
        }
    }

    /// Reads until the client has hung up; gives what it said before.
    pub(crate) async fn until_end(mut self) -> Vec<Message> {
        let mut said = Vec::new();
        while let Some(message) = self.try_message().await {
            said.push(message);
        }
        said
    }

    pub(crate) async fn close(mut self, code: u16) {
        let reason = CloseFrame {
            code: code.into(),
            reason: "".into(),
        };
        let _ = self.socket.close(Some(reason)).await;
    }
}
