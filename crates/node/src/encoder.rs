//! The port through which the node has frames put into bytes without knowing the wire.

use bytes::Bytes;
use leverframe_flags::Update;

/// Puts an update into the bytes that go to every evaluator. Called once for each frame.
pub trait Encoder: Send + Sync {
    /// The bytes of one frame, shared by all streams as they are.
    ///
    /// # Errors
    /// What could not be encoded, in words.
    fn encode(&self, update: &Update) -> Result<Bytes, String>;
}
