//! Many evaluators in one process, for tests under load; each is a whole client of its own:
//!
//! ```text
//! LEVER_URL=http://127.0.0.1:5387 LEVER_TOKEN=… cargo run -p leverframe --example crowd -- 1000
//! ready 1000
//! all r8
//! ```
//!
//! It says when the last of them has come to a revision. A line on stdin is answered on stdout:
//! `ask FLAG UNIT` how many answer true, `standing` how many are connected and where they are,
//! `renew` ends one and starts another, which has said goodbye then.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::collections::BTreeMap;
use std::io::BufRead as _;
use std::time::Duration;

use leverframe::{Client, Context};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

/// How many connect at once at the start; the storm is for later.
const CONNECTING_MAX: usize = 64;

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(tracing::Level::ERROR)
        .with_ansi(false)
        .init();
    let count = std::env::args().nth(1).ok_or("usage: crowd COUNT")?;
    let count: usize = count.parse()?;
    let mut crowd = Crowd::start(count).await?;
    println!("ready {count}");
    let mut questions = questions();
    loop {
        tokio::select! {
            Some((number, revision)) = crowd.moves.recv() => crowd.moved(number, revision),
            question = questions.recv() => match question {
                Some(question) => println!("{}", crowd.answer(&question).await?),
                None => return Ok(()),
            },
        }
    }
}

struct Crowd {
    clients: BTreeMap<usize, Client>,
    /// The revision each has.
    reached: BTreeMap<usize, u64>,
    /// How many have each revision.
    at: BTreeMap<u64, usize>,
    started: usize,
    said: u64,
    moves: UnboundedReceiver<(usize, u64)>,
    mover: UnboundedSender<(usize, u64)>,
}

impl Crowd {
    async fn start(count: usize) -> Result<Self, Failure> {
        let (mover, moves) = unbounded_channel();
        let mut crowd = Self {
            clients: BTreeMap::new(),
            reached: BTreeMap::new(),
            at: BTreeMap::new(),
            started: 0,
            said: 0,
            moves,
            mover,
        };
        let mut connecting = JoinSet::new();
        for number in 0..count {
            if connecting.len() >= CONNECTING_MAX {
                crowd.joined(&mut connecting).await?;
            }
            connecting.spawn(connected(number));
        }
        while !connecting.is_empty() {
            crowd.joined(&mut connecting).await?;
        }
        crowd.started = count;
        Ok(crowd)
    }

    async fn joined(
        &mut self,
        connecting: &mut JoinSet<Result<(usize, Client), Failure>>,
    ) -> Result<(), Failure> {
        if let Some(connected) = connecting.join_next().await {
            let (number, client) = connected??;
            self.add(number, client);
        }
        Ok(())
    }

    /// Has every move of a client reported.
    fn add(&mut self, number: usize, client: Client) {
        let mut changes = client.changes();
        let mover = self.mover.clone();
        self.reach(number, *changes.borrow_and_update());
        self.clients.insert(number, client);
        tokio::spawn(async move {
            while changes.changed().await.is_ok() {
                let revision = *changes.borrow_and_update();
                if mover.send((number, revision)).is_err() {
                    return;
                }
            }
        });
    }

    fn moved(&mut self, number: usize, revision: u64) {
        // One that has left may have a last move under way.
        let Some(reached) = self.leave(number) else {
            return;
        };
        if revision < reached {
            println!("evaluator {number} went back from r{reached} to r{revision}");
        }
        self.reach(number, revision);
        let slowest = self.slowest();
        if slowest > self.said {
            self.said = slowest;
            println!("all r{slowest}");
        }
    }

    fn reach(&mut self, number: usize, revision: u64) {
        self.reached.insert(number, revision);
        *self.at.entry(revision).or_default() += 1;
    }

    fn leave(&mut self, number: usize) -> Option<u64> {
        let reached = self.reached.remove(&number)?;
        if let Some(count) = self.at.get_mut(&reached) {
            *count -= 1;
        }
        self.at.retain(|_, count| *count > 0);
        Some(reached)
    }

    fn slowest(&self) -> u64 {
        self.at.keys().next().copied().unwrap_or(0)
    }

    async fn answer(&mut self, question: &str) -> Result<String, Failure> {
        let words: Vec<&str> = question.split(' ').collect();
        let count = self.clients.len();
        Ok(match words.as_slice() {
            ["ask", flag, unit] => {
                let context = Context::new(unit);
                let is_on = |client: &&Client| client.is_on(flag, &context);
                let on = self.clients.values().filter(is_on).count();
                format!("asked {flag} {unit} {on} of {count}")
            }
            ["standing"] => {
                let standing = self.clients.values().map(Client::freshness);
                let connected = standing.filter(|standing| standing.connected).count();
                let newest = self.at.keys().next_back().copied().unwrap_or(0);
                let slowest = self.slowest();
                format!("standing {connected} of {count} r{slowest} to r{newest}")
            }
            ["renew"] => {
                if let Some((number, client)) = self.clients.pop_first() {
                    self.leave(number);
                    client.shutdown().await;
                }
                let (number, client) = connected(self.started).await?;
                self.started += 1;
                self.add(number, client);
                format!("renewed {number}")
            }
            _ => format!("what is {question}?"),
        })
    }
}

async fn connected(number: usize) -> Result<(usize, Client), Failure> {
    let client = Client::builder()
        .application("crowd")
        .connect_timeout(Duration::from_secs(30))
        .connect()
        .await?;
    if !client.freshness().connected {
        return Err(format!("evaluator {number} is not connected").into());
    }
    Ok((number, client))
}

/// The lines of stdin, read where they can block nothing else.
fn questions() -> UnboundedReceiver<String> {
    let (sender, questions) = unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    questions
}
