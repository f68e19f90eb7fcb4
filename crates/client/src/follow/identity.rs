//! Identity: who this process is to the server.

use leverframe_flags::Cursor;
use leverframe_wire::frame::Hello;

use crate::cache::hex;
use crate::encode;
use crate::settings::Settings;

/// Who this process is to the server.
pub(crate) struct Identity {
    instance: String,
    application: String,
    build: String,
    flags: Option<Vec<String>>,
}

impl Identity {
    pub(crate) fn new(settings: &Settings) -> Self {
        let mut id = [0; 16];
        if getrandom::fill(&mut id).is_err() {
            // Two processes must not share an id; this is the next best that differs.
            let pid = u64::from(std::process::id());
            let now = std::time::SystemTime::UNIX_EPOCH
                .elapsed()
                .map_or(0, |since| since.as_nanos() as u64);
            id[..8].copy_from_slice(&pid.to_le_bytes());
            id[8..].copy_from_slice(&now.to_le_bytes());
        }
        let (application, build) = settings.bounded_names();
        Self {
            instance: hex(&id),
            application,
            build,
            flags: settings.declared(),
        }
    }

    /// The first message of a connection. `known` is what need not be sent again.
    pub(super) fn hello(&self, known: Option<&Cursor>) -> Hello {
        Hello {
            instance: self.instance.clone(),
            application: self.application.clone(),
            build: self.build.clone(),
            client: concat!("leverframe-rust/", env!("CARGO_PKG_VERSION")).to_owned(),
            cursor: known.map(encode::cursor),
            outcomes: true,
            flags: self.flags.clone(),
        }
    }
}
