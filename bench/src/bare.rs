//! Bare servers: the floors under the figures that cross a socket.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::Bytes;
use axum::http::header;
use axum::routing::post;
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::mpsc;

use crate::process;

/// What a bare server took.
pub(crate) struct Taken {
    /// Each time, in milliseconds.
    pub(crate) took_ms: Vec<f64>,
    /// What its threads worked for all of them.
    pub(crate) worked: Duration,
}

/// Sends a line of `bytes` to every one of `count` connections and waits until all have answered,
/// `repeats` times. `ready` is called with the address.
pub(crate) fn there_and_back(
    count: usize,
    bytes: usize,
    repeats: usize,
    ready: impl FnOnce(&str) -> Result<()> + Send,
) -> Result<Taken> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let (answered, mut answers) = mpsc::unbounded_channel();
        let accepting = tokio::spawn(async move {
            let mut writers: Vec<OwnedWriteHalf> = Vec::new();
            while writers.len() < count {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                let (reader, writer) = stream.into_split();
                writers.push(writer);
                let answered = answered.clone();
                tokio::spawn(async move {
                    let mut lines = BufReader::with_capacity(1024, reader);
                    let mut line = Vec::new();
                    while lines
                        .read_until(b'\n', &mut line)
                        .await
                        .is_ok_and(|read| read > 0)
                    {
                        line.clear();
                        let _ = answered.send(());
                    }
                });
            }
            anyhow::Ok(writers)
        });
        tokio::task::block_in_place(|| ready(&address))?;
        let mut writers = accepting.await??;
        let mut line = vec![b'x'; bytes];
        line.push(b'\n');
        let line: Arc<[u8]> = line.into();
        let mut took_ms = Vec::with_capacity(repeats);
        let before = process::worked("self")?;
        for _ in 0..repeats {
            tokio::time::sleep(Duration::from_millis(2)).await;
            let started = Instant::now();
            let line = Arc::clone(&line);
            let writing = tokio::spawn(async move {
                for writer in &mut writers {
                    writer.write_all(&line).await?;
                }
                anyhow::Ok(writers)
            });
            for _ in 0..count {
                answers.recv().await.context("a connection ended")?;
            }
            took_ms.push(started.elapsed().as_secs_f64() * 1e3);
            writers = writing.await??;
        }
        Ok(Taken {
            took_ms,
            worked: process::worked("self")? - before,
        })
    })
}

#[derive(Debug, Deserialize)]
struct Question {
    #[serde(default)]
    context: serde_json::Value,
}

/// `bare-http`: an axum handler that parses a question and formats an answer, and decides nothing.
pub(crate) fn serve_http() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let router = Router::new().route("/ofrep/v1/evaluate/flags/{key}", post(answer));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        axum::serve(listener, router).await?;
        Ok(())
    })
}

async fn answer(
    axum::extract::Path(key): axum::extract::Path<String>,
    body: Bytes,
) -> ([(header::HeaderName, &'static str); 1], String) {
    let is_about_somebody = serde_json::from_slice::<Question>(&body)
        .is_ok_and(|question| question.context["targetingKey"].is_string());
    let text = format!(
        r#"{{"key":"{key}","value":{is_about_somebody},"variant":"on","reason":"SPLIT","metadata":{{"revision":1,"arm":"exposed"}}}}"#
    );
    ([(header::CONTENT_TYPE, "application/json")], text)
}
