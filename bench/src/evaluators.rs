//! `evaluators`: many evaluators in one process of their own, which another figure starts.
//!
//! Real ones are `leverframe` clients, whole. Light ones speak the same protocol over a socket of
//! their own: they read each frame's cursor and acknowledge it, and keep no flags; for as many as
//! two cores could not hold otherwise. Bare ones are the floor: they answer every line with a line.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use leverframe::{Client, Settings};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Weight {
    /// Clients as applications have them
    Real,
    /// The protocol without a rule set
    Light,
    /// Lines answered with lines
    Bare,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Address and port of the server
    address: String,
    #[arg(long, default_value_t = 1)]
    count: usize,
    #[arg(long, value_enum, default_value_t = Weight::Real)]
    weight: Weight,
    /// The token they all show
    #[arg(long, env = "BENCH_TOKEN", default_value = "")]
    token: String,
}

pub(crate) fn run(args: Args) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match args.weight {
            Weight::Real => real(&args).await,
            Weight::Light => light(&args).await,
            Weight::Bare => bare(&args).await,
        }
    })
}

/// Says that everybody is there, and waits for the end of standard input.
async fn ready() -> Result<()> {
    println!("ready");
    let mut rest = Vec::new();
    tokio::io::stdin().read_to_end(&mut rest).await?;
    Ok(())
}

async fn real(args: &Args) -> Result<()> {
    let mut clients = Vec::with_capacity(args.count);
    for number in 0..args.count {
        let settings = Settings::from_lookup(|_| None)
            .url(&format!("http://{}", args.address))
            .token(&args.token)
            .application("bench")
            .build_id(&number.to_string())
            .connect_timeout(Duration::from_secs(30));
        let client = Client::connect(settings).await?;
        if !client.freshness().connected {
            bail!("evaluator {number} is not connected");
        }
        clients.push(client);
    }
    ready().await
}

async fn light(args: &Args) -> Result<()> {
    let mut tasks = JoinSet::new();
    let (said, mut heard) = tokio::sync::mpsc::unbounded_channel();
    for number in 0..args.count {
        let stream = upgraded(args).await?;
        tasks.spawn(follow(stream, number, said.clone()));
        heard.recv().await.context("an evaluator ended")?;
    }
    tokio::select! {
        ended = ready() => ended,
        Some(ended) = tasks.join_next() => ended?,
    }
}

/// A connection that has become a WebSocket.
async fn upgraded(args: &Args) -> Result<BufReader<TcpStream>> {
    let mut stream = TcpStream::connect(&args.address).await?;
    stream.set_nodelay(true)?;
    let request = format!(
        "GET {} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-protocol: {}\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        leverframe_wire::frame::STREAM_PATH,
        args.address,
        args.token,
        leverframe_wire::frame::SUBPROTOCOL,
    );
    stream.write_all(request.as_bytes()).await?;
    let mut reader = BufReader::with_capacity(4096, stream);
    let mut line = String::new();
    reader.read_line(&mut line).await?;
    if !line.starts_with("HTTP/1.1 101") {
        bail!("not switched: {line}");
    }
    while line != "\r\n" {
        line.clear();
        reader.read_line(&mut line).await?;
    }
    Ok(reader)
}

#[derive(Deserialize)]
struct HasCursor {
    cursor: leverframe_wire::frame::Cursor,
}

async fn follow(
    mut stream: BufReader<TcpStream>,
    number: usize,
    said: tokio::sync::mpsc::UnboundedSender<()>,
) -> Result<()> {
    let hello = format!(
        r#"{{"type":"hello","instance":"light-{number}","application":"bench","build":"light","client":"bench/1"}}"#
    );
    send(&mut stream, 0x1, hello.as_bytes()).await?;
    let mut payload = Vec::new();
    loop {
        let opcode = receive(&mut stream, &mut payload).await?;
        match opcode {
            0x1 => {
                let HasCursor { cursor } = serde_json::from_slice(&payload)?;
                let acknowledge = format!(
                    r#"{{"type":"acknowledge","journal":"{}","epoch":{},"revision":{},"brake":{},"head":"{}"}}"#,
                    cursor.journal, cursor.epoch, cursor.revision, cursor.brake, cursor.head
                );
                send(&mut stream, 0x1, acknowledge.as_bytes()).await?;
                let _ = said.send(());
            }
            0x9 => send(&mut stream, 0xA, &payload).await?,
            0x8 => bail!("the server closed evaluator {number}"),
            _ => {}
        }
    }
}

/// Sends one masked frame; a mask of zero leaves the bytes as they are.
async fn send(stream: &mut BufReader<TcpStream>, opcode: u8, payload: &[u8]) -> Result<()> {
    let mut frame = vec![0x80 | opcode];
    match u16::try_from(payload.len())? {
        length @ 0..=125 => frame.push(0x80 | u8::try_from(length)?),
        length => {
            frame.push(0x80 | 126);
            frame.extend(length.to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    stream.get_mut().write_all(&frame).await?;
    Ok(())
}

/// Reads one frame, whole and unmasked as servers send them, and gives its opcode.
async fn receive(stream: &mut BufReader<TcpStream>, payload: &mut Vec<u8>) -> Result<u8> {
    let opcode = stream.read_u8().await? & 0x0F;
    let length = match stream.read_u8().await? & 0x7F {
        126 => u64::from(stream.read_u16().await?),
        127 => stream.read_u64().await?,
        short => u64::from(short),
    };
    payload.resize(usize::try_from(length)?, 0);
    stream.read_exact(payload).await?;
    Ok(opcode)
}

async fn bare(args: &Args) -> Result<()> {
    let mut tasks = JoinSet::new();
    for _ in 0..args.count {
        let stream = TcpStream::connect(&args.address).await?;
        stream.set_nodelay(true)?;
        tasks.spawn(async move {
            let mut stream = BufReader::with_capacity(1024, stream);
            let mut line = Vec::new();
            loop {
                line.clear();
                if stream.read_until(b'\n', &mut line).await? == 0 {
                    return anyhow::Ok(());
                }
                stream.get_mut().write_all(&line).await?;
            }
        });
    }
    ready().await
}
