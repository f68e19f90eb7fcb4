//! The evaluators' stream: a WebSocket that carries frames down and messages up, and a long poll
//! where a WebSocket cannot pass. A stream holds a place in its environment's history and nothing
//! else: frames are encoded once and shared.

mod connection;
mod encoder;
mod follower;
#[cfg(feature = "fuzz")]
pub(crate) mod fuzz;
mod handshake;
mod outcomes;
mod poll;
mod registry;
mod routes;
mod socket;
mod stay;

pub use encoder::FrameEncoder;
pub(crate) use registry::Connections;
pub(crate) use routes::routes;
