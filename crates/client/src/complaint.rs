//! Complaints: what is wrong with a flag is logged once per flag and cause, however often it is
//! asked for.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash};
use std::sync::atomic::{AtomicU64, Ordering};

/// Most different complaints that are remembered; further ones are not logged.
const SLOTS: usize = 1_024;
/// How far from its own slot a complaint may stand.
const PROBES_MAX: usize = 16;

/// A set of complaints already made. Takes no lock and allocates nothing, because a broken flag is
/// asked for as often as a whole one.
pub(crate) struct Complaints {
    slots: Box<[AtomicU64]>,
}

impl Complaints {
    pub(crate) fn new() -> Self {
        Self {
            slots: (0..SLOTS).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// Whether this is the first time; false too when there is no room to remember it.
    pub(crate) fn is_first(&self, flag: &str, cause: &str) -> bool {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(Complaint(flag, cause));
        // 0 marks a free slot.
        let mark = hash | 1;
        let start = usize::try_from(hash >> 32).unwrap_or(0);
        for probe in 0..PROBES_MAX {
            let Some(slot) = self.slots.get((start + probe) % SLOTS) else {
                return false;
            };
            // Reading first: a repeated complaint must not fight over the cache line.
            let taken = slot.load(Ordering::Relaxed);
            if taken == mark {
                return false;
            }
            if taken == 0 {
                match slot.compare_exchange(0, mark, Ordering::Relaxed, Ordering::Relaxed) {
                    Ok(_) => return true,
                    Err(now) if now == mark => return false,
                    Err(_) => {}
                }
            }
        }
        false
    }
}

#[derive(Hash)]
struct Complaint<'a>(&'a str, &'a str);

#[cfg(test)]
mod tests {
    use super::Complaints;

    #[test]
    fn a_complaint_is_made_once_per_flag_and_cause() {
        let complaints = Complaints::new();
        assert!(complaints.is_first("a", "unknown"));
        assert!(!complaints.is_first("a", "unknown"));
        assert!(complaints.is_first("a", "type"));
        assert!(complaints.is_first("b", "unknown"));
    }

    #[test]
    fn a_flood_of_different_complaints_stays_bounded() {
        let complaints = Complaints::new();
        let logged = (0..100_000)
            .filter(|n| complaints.is_first(&format!("flag-{n}"), "unknown"))
            .count();
        assert!(logged <= super::SLOTS, "{logged}");
    }
}
