//! Why a call failed, in words that hold no secret.

use std::error::Error;
use std::net::IpAddr;
use std::time::Duration;

/// Why a call failed. Of its address only scheme, host and port are told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OutgoingError {
    /// The address is not a public one, and the entry does not allow that.
    #[error(
        "{host} leads to {address}, which is not a public address; if that is meant, write \
         allow_private = true into its entry"
    )]
    Private {
        /// Which name, or the address itself.
        host: String,
        /// Where it leads.
        address: IpAddr,
    },
    /// Nobody knows the name.
    #[error("the name {host} cannot be looked up: {why}")]
    Unknown {
        /// Which name.
        host: String,
        /// What the resolver says.
        why: String,
    },
    /// There is no connection, or it broke.
    #[error("{place} cannot be reached: {why}")]
    Unreachable {
        /// Scheme, host and port.
        place: String,
        /// What the system says.
        why: String,
    },
    /// It took too long.
    #[error("{place} did not answer within {} ms", limit.as_millis())]
    TimedOut {
        /// Scheme, host and port.
        place: String,
        /// How long it may take.
        limit: Duration,
    },
    /// It points elsewhere.
    #[error("{place} redirects; redirects are not followed: name the last address itself")]
    Redirects {
        /// Scheme, host and port.
        place: String,
    },
    /// It says too much.
    #[error("{place} answered with more than {bytes_max} bytes")]
    TooLong {
        /// Scheme, host and port.
        place: String,
        /// How much is read.
        bytes_max: usize,
    },
}

/// The first error of this kind among the causes.
pub(super) fn cause<'e, E: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e E> {
    causes(error).find_map(|error| error.downcast_ref())
}

/// What the last cause says: the system's own words, such as `Connection refused`.
pub(super) fn deepest(error: &(dyn Error + 'static)) -> String {
    causes(error)
        .last()
        .map_or_else(|| error.to_string(), ToString::to_string)
}

fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'e (dyn Error + 'static)| {
        let error: &'e (dyn Error + 'static) = *error;
        error.source()
    })
}
