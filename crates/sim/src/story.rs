//! The story: what happened, in words. The last part of it is kept for a failure; all of it goes
//! to whoever wants to read along.

use std::collections::VecDeque;

/// How many events a failure tells.
const TOLD: usize = 30;

#[derive(Debug, Default)]
pub(crate) struct Story {
    last: VecDeque<String>,
    whole: Option<Vec<String>>,
}

impl Story {
    pub(crate) fn keep_all(&mut self) {
        self.whole.get_or_insert_default();
    }

    pub(crate) fn tell(&mut self, at_ms: u64, what: &str) {
        let line = format!("{:>7}.{:03} s  {what}", at_ms / 1_000, at_ms % 1_000);
        if let Some(whole) = &mut self.whole {
            whole.push(line.clone());
        }
        if self.last.len() == TOLD {
            self.last.pop_front();
        }
        self.last.push_back(line);
    }

    pub(crate) fn last(&self) -> Vec<String> {
        self.last.iter().cloned().collect()
    }

    /// Everything since the last time, if all is kept.
    pub(crate) fn take_all(&mut self) -> Vec<String> {
        self.whole.as_mut().map(std::mem::take).unwrap_or_default()
    }
}
