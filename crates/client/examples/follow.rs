//! Follows a server and prints what a flag answers, at the start and whenever something changed:
//!
//! ```text
//! LEVER_URL=http://127.0.0.1:5387 LEVER_TOKEN=… cargo run -p leverframe --example follow -- new-checkout u-1
//! r7 new-checkout true
//! r8 new-checkout false
//! ```
//!
//! A line on stdin asks again, for the unit on it, and the answer ends with that unit. SIGINT ends it
//! with a goodbye. What the client has to say goes to stderr.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::io::BufRead as _;
use std::pin::pin;

use leverframe::{Client, Context};
use tokio::sync::mpsc;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
    let mut arguments = std::env::args().skip(1);
    let flag = arguments.next().ok_or("usage: follow FLAG [UNIT]")?;
    let unit = arguments.next().unwrap_or_else(|| "u-1".to_owned());

    let mut builder = Client::builder();
    if std::env::var_os("LEVER_APPLICATION").is_none() {
        builder = builder.application("follow");
    }
    let client = builder.connect().await?;
    let mut changes = client.changes();
    let mut questions = questions();
    let answer = |revision: u64, unit: &str| {
        let is_on = client.is_on(&flag, &Context::new(unit));
        format!("r{revision} {flag} {is_on}")
    };
    let mut interrupted = pin!(tokio::signal::ctrl_c());
    // Polled once, so that from the first line on an interruption ends it with a goodbye.
    tokio::select! {
        biased;
        early = &mut interrupted => return Ok(early?),
        () = std::future::ready(()) => {}
    }
    println!("{}", answer(*changes.borrow_and_update(), &unit));
    loop {
        tokio::select! {
            changed = changes.changed() => {
                changed?;
                println!("{}", answer(*changes.borrow_and_update(), &unit));
            }
            Some(asked) = questions.recv() => {
                println!("{} {asked}", answer(*changes.borrow(), &asked));
            }
            now = &mut interrupted => {
                now?;
                break;
            }
        }
    }
    client.shutdown().await;
    Ok(())
}

/// The lines of stdin, read where they can block nothing else.
fn questions() -> mpsc::UnboundedReceiver<String> {
    let (sender, questions) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    questions
}
