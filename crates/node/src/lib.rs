//! The running node without its surfaces: one writer in front of the journal, one feed an
//! environment behind it, and the presence of those who follow. Knows the control domain and the
//! store port; knows nothing of the surfaces, the wire's encoding or who is asking. What it asks and
//! tells other systems goes out by one guarded door.
//!
//! The way of a change: [`Node::submit`] → [`queue`](self) → the writer decides a group against a
//! speculative state → one durable append → the state becomes visible → each environment's [`Feed`]
//! puts the frame into its ring and wakes the streams → the answer. Acknowledgements come back
//! through [`Presence`].
#![deny(missing_docs)]
#![cfg_attr(
    test,
    expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")
)]

mod ahead;
mod brake;
mod caches;
mod canary;
mod channel;
mod clock;
mod controller;
mod counts;
mod drill;
mod effects;
mod encoder;
mod feed;
mod guard;
mod limit;
mod measure;
mod node;
mod outbox;
pub mod outcomes;
mod outgoing;
mod outside;
mod overtaken;
mod place;
mod presence;
mod pull;
mod queue;
mod request;
mod restore;
mod rolls;
mod rules;
mod sessions;
mod shared;
mod snapshots;
mod source;
mod start;
mod submit;
mod survey;
mod watching;
mod writer;

pub use brake::Brake;
pub use caches::{CacheEvidence, Caches};
pub use canary::{CANARY_KEY, Canary};
pub use channel::{
    Channel, ChannelError, ChannelSettings, Channels, Links, Teller, Told, UnknownChannel, Untold,
    Words,
};
pub use clock::Clock;
pub use controller::{Look, Looks};
pub use counts::{EvaluationCount, EvaluationCounts};
pub use drill::{DRILL_TIME_MAX, DrillReport};
pub use effects::{Effects, Outbox, Trouble};
pub use encoder::Encoder;
pub use feed::{Feed, Head, Next};
pub use leverframe_store::{Series, StoreError};
pub use measure::{Durations, DurationsSnapshot, Measurements};
pub use node::{Grid, Health, Node, Options};
pub use outgoing::{Endpoint, EndpointError, OutgoingError, Resolver, Secret, SystemResolver};
pub use outside::{Listed, Outside};
pub use place::Place;
pub use presence::{Confirmed, Presence};
pub use pull::{Propagated, Quantiles, Wanted};
pub use request::{Accepted, Request, SubmitError};
pub use restore::{Replaced, RestoreError, Restored, continue_after_restore};
pub use sessions::{Session, Sessions};
pub use source::{
    Counters, Credentials, Interval, Labels, Question, Sample, Sampler, Shape, Source,
    SourceSettings, Sources, Unusable, WantedSample,
};
pub use start::{FirstStart, StartError, Started};
pub use survey::{Arms, PlanTrouble, Probe};
