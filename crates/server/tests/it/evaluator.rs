//! An evaluator played by hand over a WebSocket library that is not ours.

use futures_util::{SinkExt, StreamExt};
use leverframe_wire::frame::{Acknowledge, Cursor, Frame, Hello, Message, SUBPROTOCOL};
use tokio::net::TcpStream;
use tokio_tungstenite::MaybeTlsStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message as Text};

use crate::world::{PATIENCE, World};

pub(crate) struct Evaluator {
    pub(crate) socket: tokio_tungstenite::WebSocketStream<MaybeTlsStream<TcpStream>>,
    instance: String,
}

impl Evaluator {
    /// Opens the socket and says nothing yet.
    pub(crate) async fn connect(
        world: &World,
        token: &str,
        instance: &str,
    ) -> Result<Self, tungstenite::Error> {
        let mut request = format!("ws://{}/api/v1/stream", world.address)
            .into_client_request()
            .unwrap();
        let headers = request.headers_mut();
        headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
        headers.insert("sec-websocket-protocol", SUBPROTOCOL.parse().unwrap());
        let (socket, response) = tokio_tungstenite::connect_async(request).await?;
        assert_eq!(response.headers()["sec-websocket-protocol"], SUBPROTOCOL);
        Ok(Self {
            socket,
            instance: instance.to_owned(),
        })
    }

    /// Connects, says hello, and applies its first snapshot.
    pub(crate) async fn follow(world: &World, token: &str, instance: &str) -> (Self, Frame) {
        let mut evaluator = Self::connect(world, token, instance).await.unwrap();
        evaluator.hello(None).await;
        let frame = evaluator.frame().await;
        evaluator.acknowledge(&frame.cursor).await;
        (evaluator, frame)
    }

    pub(crate) async fn hello(&mut self, cursor: Option<Cursor>) {
        let hello = Hello {
            instance: self.instance.clone(),
            application: "shop".to_owned(),
            build: "b1".to_owned(),
            client: "by-hand/0".to_owned(),
            cursor,
            outcomes: false,
            flags: None,
        };
        self.say(&Message::Hello(hello)).await;
    }

    pub(crate) async fn say(&mut self, message: &Message) {
        let text = serde_json::to_string(message).unwrap();
        self.socket.send(Text::text(text)).await.unwrap();
    }

    pub(crate) async fn acknowledge(&mut self, cursor: &Cursor) {
        self.say(&Message::Acknowledge(Self::acknowledgement(cursor)))
            .await;
    }

    pub(crate) fn acknowledgement(cursor: &Cursor) -> Acknowledge {
        Acknowledge {
            journal: cursor.journal.clone(),
            epoch: cursor.epoch,
            revision: cursor.revision,
            brake: cursor.brake,
            head: cursor.head.clone(),
            refused: Vec::new(),
        }
    }

    /// The next frame; pings are answered on the way.
    pub(crate) async fn frame(&mut self) -> Frame {
        let next = async {
            loop {
                match self
                    .socket
                    .next()
                    .await
                    .expect("the stream goes on")
                    .unwrap()
                {
                    Text::Text(text) => return serde_json::from_str(&text).unwrap(),
                    Text::Ping(_) | Text::Pong(_) => {}
                    other => panic!("{other:?}"),
                }
            }
        };
        tokio::time::timeout(PATIENCE, next)
            .await
            .expect("a frame comes")
    }

    /// Reads until the server closes; the code it closes with.
    pub(crate) async fn closed(&mut self) -> u16 {
        let next = async {
            loop {
                match self.socket.next().await {
                    Some(Ok(Text::Close(Some(close)))) => return close.code.into(),
                    Some(Ok(_)) => {}
                    other => panic!("{other:?}"),
                }
            }
        };
        tokio::time::timeout(PATIENCE, next)
            .await
            .expect("it is closed")
    }
}
