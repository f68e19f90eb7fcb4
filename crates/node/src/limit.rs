//! Every bound of the node towards the outside, in one place. The control domain's own bounds are in
//! [`leverframe_core::limit`].

use std::time::Duration;

/// Most bytes read of one answer of a source.
pub(crate) const SOURCE_ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// How long a source or a channel may take when its entry names no `timeout`.
pub(crate) const OUTGOING_TIME: Duration = Duration::from_secs(5);
/// Longest `timeout` that an entry may name.
pub(crate) const OUTGOING_TIME_MAX: Duration = Duration::from_secs(60);
/// Longest wait for a connection.
pub(crate) const CONNECT_TIME_MAX: Duration = Duration::from_secs(3);
/// How long a connection that nobody uses is kept; then the name is looked up anew.
pub(crate) const IDLE_TIME_MAX: Duration = Duration::from_secs(30);
/// Most text of another system that is told on, in characters; the rest is cut off.
pub(crate) const FOREIGN_TEXT_MAX: usize = 300;
/// Most series that one query for counters may give.
pub(crate) const COUNTER_SERIES_MAX: usize = 2_000;
/// How many intervals in a row a source may answer with the same counters; then it is no data.
pub(crate) const SAME_COUNTERS_MAX: u32 = 3;
/// How long a series that is gone is remembered, so that it is not taken for a new one when it comes
/// back, in milliseconds.
pub(crate) const SERIES_REMEMBERED_MS: i64 = 60 * 60 * 1_000;
/// Most series that are so remembered of one query.
pub(crate) const SERIES_REMEMBERED_MAX: usize = 10_000;
/// Most metrics that are sampled at once.
pub(crate) const SAMPLES_AT_ONCE: usize = 32;
/// Longest time for all samples of one interval; what is not answered then is an error.
pub(crate) const SAMPLING_TIME_MAX: Duration = Duration::from_secs(20);
/// Most signals that one query of a JSON source joins.
pub(crate) const SIGNALS_MAX: usize = 50;
/// Most bytes read of one answer of a channel.
pub(crate) const CHANNEL_ANSWER_BYTES_MAX: usize = 256 * 1024;
/// Most bytes read of what a channel's command says on stderr.
pub(crate) const COMMAND_STDERR_BYTES_MAX: u64 = 16 * 1024;
/// Most text of one field of a message, in characters; the rest is cut off.
pub(crate) const MESSAGE_TEXT_MAX: usize = 1_000;
/// How often a channel is tried before the next one is.
pub(crate) const CHANNEL_TRIES_MAX: u32 = 3;
/// First pause between two tries of a channel; each further one is three times as long.
pub(crate) const CHANNEL_PAUSE: Duration = Duration::from_millis(300);
/// How long an alert stands in Alertmanager unless somebody ends it, in milliseconds.
pub(crate) const ALERT_STANDS_MS: i64 = 4 * 60 * 60 * 1_000;
/// Most effects that are being told at once.
pub(crate) const EFFECTS_AT_ONCE: usize = 32;
/// How long an effect is tried again before it is given up.
pub(crate) const EFFECT_TIME_MAX: Duration = Duration::from_secs(60 * 60);
/// First pause before an effect that nobody took is tried again; each further one is twice as long.
pub(crate) const EFFECT_PAUSE: Duration = Duration::from_secs(1);
/// Longest such pause.
pub(crate) const EFFECT_PAUSE_MAX: Duration = Duration::from_secs(60);
/// How long a person's session lasts, in milliseconds.
pub(crate) const SESSION_MS_MAX: i64 = 12 * 60 * 60 * 1_000;
/// Most sessions of one token at once; the one that would end first ends.
pub(crate) const SESSIONS_OF_TOKEN_MAX: usize = 50;
