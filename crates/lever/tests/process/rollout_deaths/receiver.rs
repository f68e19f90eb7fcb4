//! A receiver of webhooks that remembers what it was told, and can let one wait for its answer.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

/// A receiver on a loopback address. Its thread ends with the process.
pub(super) struct Receiver {
    address: SocketAddr,
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    released: Condvar,
}

#[derive(Default)]
struct State {
    /// The id of each delivery.
    told: Vec<String>,
    /// The next page waits.
    holds: bool,
    /// One waits.
    is_holding: bool,
}

impl Receiver {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let inner: Arc<Inner> = Arc::default();
        let shared = Arc::clone(&inner);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || shared.serve(stream));
            }
        });
        Self { address, inner }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/page", self.address)
    }

    /// The ids of the pages of a rollout, as often as they came.
    pub(super) fn pages(&self, rollout: &str) -> Vec<String> {
        let state = self.inner.state.lock().unwrap();
        let is_page = |id: &&String| id.starts_with(rollout) && id.ends_with("-page");
        state.told.iter().filter(is_page).cloned().collect()
    }

    /// The next page is taken and not answered, until it is released.
    pub(super) fn hold(&self) {
        self.inner.state.lock().unwrap().holds = true;
    }

    pub(super) fn is_holding(&self) -> bool {
        self.inner.state.lock().unwrap().is_holding
    }

    pub(super) fn release(&self) {
        let mut state = self.inner.state.lock().unwrap();
        state.holds = false;
        state.is_holding = false;
        self.inner.released.notify_all();
    }
}

impl Inner {
    fn serve(&self, stream: TcpStream) {
        let mut reader = BufReader::new(stream);
        while let Some(id) = read(&mut reader) {
            let mut state = self.state.lock().unwrap();
            let waits = state.holds && id.ends_with("-page");
            state.told.push(id);
            if waits {
                state.is_holding = true;
                state = self
                    .released
                    .wait_while(state, |state| state.holds)
                    .unwrap();
            }
            drop(state);
            let answer = b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n";
            if reader.get_mut().write_all(answer).is_err() {
                return;
            }
        }
    }
}

/// The id of the next message; none when the other side has gone, or has not said all of it.
fn read(reader: &mut BufReader<TcpStream>) -> Option<String> {
    let (mut id, mut length) = (None, 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(": ").unwrap_or((line, ""));
        match name.to_ascii_lowercase().as_str() {
            "webhook-id" => id = Some(value.to_owned()),
            "content-length" => length = value.parse().ok()?,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    id
}
