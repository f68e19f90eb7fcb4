//! How the shop's checkout ends for each visit: by the legacy path, and by the release that is rolled
//! out. Pure: the same visits in the same order end the same way.

use std::collections::VecDeque;

use super::visitors::Visit;

/// How often the bank declines whatever the shop does, in visits of ten thousand.
const DECLINED: u32 = 60;
/// How often the broken release fails.
const BROKEN: u32 = 600;
/// How many payment sessions the bad release can have at a time.
const SESSIONS_MAX: usize = 10;
/// How long it forgets to give one back, in milliseconds.
const SESSION_MS: u64 = 1_000;
/// How long it waits for one before it gives up, in milliseconds.
const GIVES_UP_MS: u32 = 1_500;

/// The release that is rolled out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Release {
    /// As good as the legacy path.
    Good,
    /// It holds every payment session for a second too long. A few a second find one free; at 5 % of
    /// 200 visitors a second the pool runs dry.
    Bad,
    /// It fails for one visitor in seventeen, however few there are.
    Broken,
}

/// How a visit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct End {
    /// Whether the visitor could not pay.
    pub(crate) is_failure: bool,
    /// How long it took, in milliseconds.
    pub(crate) took_ms: u32,
}

/// The checkout.
#[derive(Debug)]
pub(crate) struct Till {
    release: Release,
    /// When each payment session that is in use is given back.
    sessions: VecDeque<u64>,
}

impl Till {
    pub(crate) fn with(release: Release) -> Self {
        Self {
            release,
            sessions: VecDeque::new(),
        }
    }

    /// Serves a visit, by the release when the visitor is exposed to it. Visits come in the order of
    /// time.
    pub(crate) fn serve(&mut self, visit: &Visit, is_exposed: bool) -> End {
        let fails = |share: u32| End {
            is_failure: visit.luck < share,
            took_ms: visit.took_ms,
        };
        if !is_exposed {
            return fails(DECLINED);
        }
        match self.release {
            Release::Good => fails(DECLINED),
            Release::Broken => fails(BROKEN),
            Release::Bad => {
                if self.finds_session(visit.arrives_ms) {
                    return fails(DECLINED);
                }
                End {
                    is_failure: true,
                    took_ms: GIVES_UP_MS,
                }
            }
        }
    }

    /// Takes a payment session, if one is free.
    fn finds_session(&mut self, arrives_ms: u64) -> bool {
        while self
            .sessions
            .front()
            .is_some_and(|until| *until <= arrives_ms)
        {
            self.sessions.pop_front();
        }
        let is_free = self.sessions.len() < SESSIONS_MAX;
        if is_free {
            self.sessions.push_back(arrives_ms + SESSION_MS);
        }
        is_free
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::visitors::Visitors;

    /// How many fail of those exposed in twenty seconds, when every so many-th visitor is.
    fn failures(release: Release, seed: u64, one_in: u32) -> (usize, usize) {
        let mut visitors = Visitors::of(seed, 200);
        let mut till = Till::with(release);
        let exposed = std::iter::from_fn(|| visitors.until(20_000))
            .filter(|visit| visit.visitor % one_in == 0)
            .map(|visit| till.serve(&visit, true))
            .collect::<Vec<End>>();
        let failed = exposed.iter().filter(|end| end.is_failure).count();
        (failed, exposed.len())
    }

    #[test]
    fn the_bad_release_needs_load_to_fail() {
        for seed in 0..50 {
            let (few, of) = failures(Release::Bad, seed, 100);
            assert!(few <= 3, "seed {seed}: {few} of {of} at 1 %");
            let (many, of) = failures(Release::Bad, seed, 15);
            assert!(many * 100 > of * 10, "seed {seed}: {many} of {of} at 7 %");
        }
    }

    #[test]
    fn the_good_release_fails_no_more_than_the_legacy_path() {
        let mut visitors = Visitors::of(7, 200);
        let mut till = Till::with(Release::Good);
        while let Some(visit) = visitors.until(20_000) {
            assert_eq!(till.serve(&visit, true), till.serve(&visit, false));
        }
    }
}
