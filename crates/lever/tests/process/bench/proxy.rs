//! A faulty line: a proxy on loopback between evaluators and a server, for the faults that a
//! machine without control of its network cannot make otherwise.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::frames::Frames;

/// How long a line that is idle takes to notice that its fault was changed.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What the line does to everything that passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    /// Nothing.
    Good,
    /// Lets one byte a second through to the evaluator.
    Trickle,
    /// Takes everything, both ways, and lets nothing through: half open.
    Swallowing,
    /// Ends every connection, and takes no new one.
    Cut,
}

/// What happens to the next frames from the server to an evaluator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mishap {
    Drop,
    Duplicate,
    /// It comes after the one that follows it.
    Overtaken,
}

/// A line between evaluators and a server.
pub(crate) struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    server: String,
    line: Mutex<Line>,
    mishaps: Mutex<VecDeque<Mishap>>,
    is_over: AtomicBool,
}

impl Proxy {
    /// A good line to the server at `server`.
    pub(crate) fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            server: server.to_owned(),
            line: Mutex::new(Line::Good),
            mishaps: Mutex::default(),
            is_over: AtomicBool::new(false),
        });
        let of_listener = Arc::clone(&shared);
        std::thread::spawn(move || of_listener.listen(&listener));
        Self { address, shared }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn set(&self, line: Line) {
        *self.shared.line.lock().unwrap() = line;
    }

    /// What happens to the next frames, one after another. Pings and the like pass.
    pub(crate) fn befall(&self, mishaps: &[Mishap]) {
        self.shared.mishaps.lock().unwrap().extend(mishaps);
    }

    /// Whether everything that was to happen has.
    pub(crate) fn has_befallen(&self) -> bool {
        self.shared.mishaps.lock().unwrap().is_empty()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
    }
}

impl Shared {
    fn line(&self) -> Line {
        if self.is_over.load(Ordering::Relaxed) {
            return Line::Cut;
        }
        *self.line.lock().unwrap()
    }

    fn listen(self: &Arc<Self>, listener: &TcpListener) {
        while !self.is_over.load(Ordering::Relaxed) {
            match listener.accept() {
                Ok((evaluator, _)) if self.line() != Line::Cut => self.connect(evaluator),
                Ok(_) => {}
                Err(_) => std::thread::sleep(LOOK_EVERY),
            }
        }
    }

    fn connect(self: &Arc<Self>, evaluator: TcpStream) {
        let Ok(server) = TcpStream::connect(&self.server) else {
            return;
        };
        for stream in [&evaluator, &server] {
            stream.set_nodelay(true).unwrap();
            stream.set_nonblocking(false).unwrap();
            stream.set_read_timeout(Some(LOOK_EVERY)).unwrap();
        }
        let (up, down) = (Arc::clone(self), Arc::clone(self));
        let (to_server, from_server) = (server.try_clone().unwrap(), server);
        let (from_evaluator, to_evaluator) = (evaluator.try_clone().unwrap(), evaluator);
        std::thread::spawn(move || up.carry(from_evaluator, to_server, None));
        std::thread::spawn(move || down.carry(from_server, to_evaluator, Some(Frames::default())));
    }

    /// Carries bytes one way until either side ends. `frames` takes them apart on the way to an
    /// evaluator.
    fn carry(&self, mut from: TcpStream, mut to: TcpStream, mut frames: Option<Frames>) {
        let mut buffer = [0; 16 * 1024];
        loop {
            let line = self.line();
            let is_trickle = line == Line::Trickle && frames.is_some();
            let room = if is_trickle { 1 } else { buffer.len() };
            let count = match from.read(&mut buffer[..room]) {
                _ if line == Line::Cut => break,
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if is_only_idle(&error) => continue,
                Err(_) => break,
            };
            match line {
                Line::Swallowing => continue,
                Line::Trickle if is_trickle => std::thread::sleep(Duration::from_secs(1)),
                _ => {}
            }
            let bytes = &buffer[..count];
            let passed = match &mut frames {
                Some(frames) if !is_trickle => frames.pass(bytes, || self.next_mishap()),
                _ => bytes.to_vec(),
            };
            if to.write_all(&passed).is_err() {
                break;
            }
        }
        // Either may have ended by itself.
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    }

    fn next_mishap(&self) -> Option<Mishap> {
        self.mishaps.lock().unwrap().pop_front()
    }
}

fn is_only_idle(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
