//! Peers: engines of others, given the same catalogue in their own formats.

use anyhow::Result;

use crate::catalogue::{Catalogue, Person};
use crate::eval::Question;
use crate::timing::Subject;

#[cfg(feature = "eppo")]
mod eppo;
#[cfg(feature = "flagd")]
mod flagd;
#[cfg(feature = "launchdarkly")]
mod launchdarkly;
#[cfg(feature = "yggdrasil")]
mod yggdrasil;

/// An engine that has loaded the catalogue.
pub(crate) trait Peer {
    /// Asks the questions by name, in turn.
    fn subject(&self, catalogue: &Catalogue, people: &[Person], questions: &[Question]) -> Subject;
}

/// How an engine loads the catalogue, for the figures about loading.
pub(crate) struct Loading {
    pub(crate) name: &'static str,
    /// The catalogue in the engine's format.
    pub(crate) text: String,
    /// Loads it and gives what has to be kept.
    pub(crate) load: fn(&str) -> Result<Box<dyn std::any::Any>>,
}

/// Every peer that was built in, ready to be asked.
pub(crate) fn all(catalogue: &Catalogue) -> Vec<Box<dyn Peer>> {
    let _ = catalogue;
    let peers: Vec<Result<Box<dyn Peer>>> = vec![
        #[cfg(feature = "yggdrasil")]
        yggdrasil::Yggdrasil::new(catalogue).map(boxed),
        #[cfg(feature = "eppo")]
        eppo::Eppo::new(catalogue).map(boxed),
        #[cfg(feature = "launchdarkly")]
        launchdarkly::LaunchDarkly::new(catalogue).map(boxed),
        #[cfg(feature = "flagd")]
        flagd::Flagd::new(catalogue).map(boxed),
    ];
    // One that cannot take the catalogue is named and left out; the others are measured.
    peers
        .into_iter()
        .filter_map(|peer| {
            peer.inspect_err(|error| println!("left out: {error}\n"))
                .ok()
        })
        .collect()
}

fn boxed<P: Peer + 'static>(peer: P) -> Box<dyn Peer> {
    Box::new(peer)
}

/// The catalogue as Unleash's client API would answer it.
#[cfg(feature = "yggdrasil")]
pub(crate) fn unleash_features(catalogue: &Catalogue) -> Result<String> {
    yggdrasil::text(catalogue, true)
}

/// Every peer's way of loading; `with_segments` as in [`crate::ours::snapshot`].
pub(crate) fn loadings(catalogue: &Catalogue, with_segments: bool) -> Result<Vec<Loading>> {
    let _ = (catalogue, with_segments);
    Ok(vec![
        #[cfg(feature = "yggdrasil")]
        yggdrasil::loading(catalogue, with_segments)?,
        #[cfg(feature = "eppo")]
        eppo::loading(catalogue, with_segments)?,
        #[cfg(feature = "launchdarkly")]
        launchdarkly::loading(catalogue, with_segments)?,
        #[cfg(feature = "flagd")]
        flagd::loading(catalogue, with_segments)?,
    ])
}
