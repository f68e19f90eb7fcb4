//! How many connections the process can hold, whatever is wanted.

use crate::settings::Settings;

/// Descriptors that are the journal's, the logs' and of those who are being turned away.
const OTHERS: usize = 256;
/// One of so many seats is for requests alone.
const SEATS_FOR_A_REQUEST: usize = 16;

/// The settings with bounds that the limit of open files leaves room for. Streams never have all the
/// seats: the brake is free.
pub(crate) fn fitted(settings: Settings) -> Settings {
    // Not Linux: accepting says so when there are no more.
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    within(settings, descriptors(&limits))
}

fn within(settings: Settings, descriptors: Option<usize>) -> Settings {
    let wanted = settings.connections_max;
    let possible = descriptors.map_or(wanted, |descriptors| {
        descriptors.saturating_sub(OTHERS).max(descriptors / 2)
    });
    if possible >= wanted {
        return settings;
    }
    tracing::warn!(
        descriptors,
        wanted,
        possible,
        "the limit of open files leaves room for fewer connections than wanted; raise it (ulimit -n)"
    );
    let streams = possible - possible.div_ceil(SEATS_FOR_A_REQUEST);
    Settings {
        connections_max: possible,
        streams_max: settings.streams_max.min(streams),
        ..settings
    }
}

/// The soft limit of open files.
fn descriptors(limits: &str) -> Option<usize> {
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn streams_leave_seats_for_requests_however_few_files_may_be_open() {
        for descriptors in [Some(64), Some(1_024), Some(20_000), Some(1_000_000), None] {
            let settings = Settings::at("127.0.0.1:0".parse().unwrap());
            let wanted = settings.connections_max;
            let fitted = within(settings, descriptors);
            assert!(
                fitted.streams_max < fitted.connections_max,
                "{descriptors:?}"
            );
            assert!(fitted.connections_max <= wanted, "{descriptors:?}");
            assert!(descriptors.is_none_or(|all| fitted.connections_max < all));
        }
        let few = within(Settings::at("127.0.0.1:0".parse().unwrap()), Some(1_024));
        assert_eq!((few.connections_max, few.streams_max), (768, 720));
    }

    #[test]
    fn the_limit_of_open_files_is_found() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \nMax open files            1024                 524288               files     \n";
        assert_eq!(descriptors(limits), Some(1024));
        assert_eq!(
            descriptors(
                "Max open files            unlimited            unlimited            files"
            ),
            None
        );
    }
}
