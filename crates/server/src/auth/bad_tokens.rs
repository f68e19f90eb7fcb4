//! How often an address has shown a token that does not work.
//!
//! A token that works is never held up, whoever shares its address: whether it works is found out
//! first, and only one that does not is counted. So whoever guesses is told to wait, and nobody can
//! be locked out of the brake by somebody else's guesses.

use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::http::HeaderMap;

use crate::limit::{BAD_TOKENS_COUNTERS, BAD_TOKENS_WINDOW_S};

/// Where a connection comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Tokens that did not work, by address, in a fixed number of counters: two addresses may share
/// one, which costs neither of them anything as long as its token works.
#[derive(Debug)]
pub(crate) struct BadTokens {
    /// In each the second its window began, and how many there were since.
    counters: Box<[AtomicU64]>,
    /// Seeded anew with each start, so that nobody can aim at a counter.
    seed: RandomState,
    began: Instant,
}

impl Default for BadTokens {
    fn default() -> Self {
        Self {
            counters: (0..BAD_TOKENS_COUNTERS)
                .map(|_| AtomicU64::new(0))
                .collect(),
            seed: RandomState::new(),
            began: Instant::now(),
        }
    }
}

impl BadTokens {
    /// Counts one more. When there were more than `most` in this window, says how many seconds it
    /// has left.
    pub(super) fn count(&self, from: IpAddr, most: u32) -> Option<u32> {
        let now_s = u32::try_from(self.began.elapsed().as_secs()).unwrap_or(u32::MAX);
        self.count_at(from, most, now_s)
    }

    fn count_at(&self, from: IpAddr, most: u32, now_s: u32) -> Option<u32> {
        let hash = self.seed.hash_one(network(from));
        let number = usize::try_from(hash % self.counters.len() as u64).unwrap_or(0);
        let counter = self.counters.get(number)?;
        let is_over = |start_s: u32| now_s.saturating_sub(start_s) >= BAD_TOKENS_WINDOW_S;
        let more = |packed| match unpacked(packed) {
            (start_s, _) if is_over(start_s) => Some(packed_of(now_s, 1)),
            (start_s, count) => Some(packed_of(start_s, count.saturating_add(1))),
        };
        let counted = counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        let (start_s, count) = unpacked(counted.unwrap_or_else(|kept| kept));
        let left_s = BAD_TOKENS_WINDOW_S.saturating_sub(now_s.saturating_sub(start_s));
        (!is_over(start_s) && count >= most).then_some(left_s)
    }
}

/// The address a request comes from. A proxy is believed where it is on this machine, as
/// docs/how-to/run-behind-a-proxy.md has it; of what it says only what it added itself.
pub(super) fn address(peer: Option<Peer>, headers: &HeaderMap) -> IpAddr {
    let peer = peer.map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |peer| {
        peer.0.to_canonical()
    });
    if !peer.is_loopback() {
        return peer;
    }
    headers
        .get_all("x-forwarded-for")
        .iter()
        .next_back()
        .and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok())
        .map_or(peer, |address: IpAddr| address.to_canonical())
}

/// One customer has a whole /64 of IPv6.
fn network(address: IpAddr) -> IpAddr {
    const HALF: u128 = !0 << 64;
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(six) => Ipv6Addr::from_bits(six.to_bits() & HALF).into(),
    }
}

fn unpacked(packed: u64) -> (u32, u32) {
    let half = |bits: u64| u32::try_from(bits & u64::from(u32::MAX)).unwrap_or(u32::MAX);
    (half(packed >> 32), half(packed))
}

fn packed_of(start_s: u32, count: u32) -> u64 {
    u64::from(start_s) << 32 | u64::from(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn so_many_are_just_refused_and_the_window_passes() {
        let seen = BadTokens::default();
        let count = |now_s| seen.count_at(ip("192.0.2.1"), 3, now_s);
        assert_eq!([count(100), count(100), count(110)], [None; 3]);
        assert_eq!(count(110), Some(BAD_TOKENS_WINDOW_S - 10));
        assert_eq!(count(100 + BAD_TOKENS_WINDOW_S - 1), Some(1));
        assert_eq!(count(100 + BAD_TOKENS_WINDOW_S), None, "a new window");
        assert_eq!(
            seen.count_at(ip("192.0.2.1"), 0, 1_000),
            None,
            "the first of a window is never too many"
        );
    }

    #[test]
    fn memory_does_not_grow_with_addresses_and_a_network_is_one() {
        let seen = BadTokens::default();
        for number in 0..100_000_u128 {
            let address = Ipv6Addr::from_bits(number << 64);
            let _ = seen.count_at(address.into(), 1, 5);
        }
        assert_eq!(seen.counters.len(), BAD_TOKENS_COUNTERS);
        let seen = BadTokens::default();
        assert_eq!(seen.count_at(ip("2001:db8::1"), 1, 5), None);
        assert!(seen.count_at(ip("2001:db8::2"), 1, 5).is_some());
    }

    #[test]
    fn a_proxy_is_believed_only_on_this_machine_and_only_in_what_it_added() {
        let said = |lines: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append("x-forwarded-for", HeaderValue::from_static(line));
            }
            headers
        };
        let from = |peer: &str, lines: &[&'static str]| address(Some(Peer(ip(peer))), &said(lines));
        assert_eq!(from("127.0.0.1", &["198.51.100.7"]), ip("198.51.100.7"));
        assert_eq!(
            from("::ffff:127.0.0.1", &["10.0.0.1, 198.51.100.7"]),
            ip("198.51.100.7")
        );
        assert_eq!(
            from("::1", &["10.0.0.1", "198.51.100.7"]),
            ip("198.51.100.7")
        );
        assert_eq!(from("127.0.0.1", &["nonsense"]), ip("127.0.0.1"));
        assert_eq!(from("127.0.0.1", &[]), ip("127.0.0.1"));
        assert_eq!(from("203.0.113.9", &["198.51.100.7"]), ip("203.0.113.9"));
    }
}
