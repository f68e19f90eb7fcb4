//! What a process writes, line by line, waited for with a deadline.

use std::io::{BufRead as _, BufReader, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::PATIENCE;

/// The lines of one stream of a process.
pub(super) struct Lines {
    coming: Receiver<String>,
    /// Everything so far, also what was not taken yet.
    all: Arc<Mutex<String>>,
}

impl Lines {
    pub(super) fn of(stream: impl Read + Send + 'static) -> Self {
        let (sender, coming) = channel();
        let all = Arc::new(Mutex::new(String::new()));
        let kept = Arc::clone(&all);
        std::thread::spawn(move || {
            let mut reader = BufReader::new(stream);
            let mut bytes = Vec::new();
            while reader.read_until(b'\n', &mut bytes).is_ok_and(|n| n > 0) {
                let line = String::from_utf8_lossy(&bytes).into_owned();
                kept.lock().unwrap().push_str(&line);
                // Nobody may be waiting any more; the process must not block on a full pipe.
                let _ = sender.send(line.trim_end_matches('\n').to_owned());
                bytes.clear();
            }
        });
        Self { coming, all }
    }

    /// The next line; `None` at the end.
    #[track_caller]
    pub(super) fn next(&self) -> Option<String> {
        self.next_within(PATIENCE)
    }

    #[track_caller]
    fn next_within(&self, patience: Duration) -> Option<String> {
        match self.coming.recv_timeout(patience) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => {
                panic!("no line for {patience:?}; so far:\n{}", self.so_far())
            }
        }
    }

    /// Reads until a line is good, and gives that one.
    #[track_caller]
    pub(super) fn until(&self, is_good: impl Fn(&str) -> bool) -> String {
        self.until_within(PATIENCE, is_good)
    }

    /// The same for what takes long.
    #[track_caller]
    pub(super) fn until_within(
        &self,
        patience: Duration,
        is_good: impl Fn(&str) -> bool,
    ) -> String {
        let deadline = Instant::now() + patience;
        while let Some(line) = self.next_within(patience) {
            if is_good(&line) {
                return line;
            }
            assert!(Instant::now() < deadline, "never came:\n{}", self.so_far());
        }
        panic!("it ended before that:\n{}", self.so_far())
    }

    /// Waits for the end and gives all of it.
    #[track_caller]
    pub(super) fn rest(&self) -> String {
        self.rest_within(PATIENCE)
    }

    /// The same of what says nothing for longer.
    #[track_caller]
    pub(super) fn rest_within(&self, patience: Duration) -> String {
        while self.next_within(patience).is_some() {}
        self.so_far()
    }

    pub(super) fn so_far(&self) -> String {
        self.all.lock().unwrap().clone()
    }
}
