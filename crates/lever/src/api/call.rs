//! One request to the admin API, independent of the server it goes to.

use std::fmt::Write as _;
use std::time::Duration;

use reqwest::Method;
use serde::Serialize;

use super::Attempt;
use super::error::ApiError;
use super::pacing::REQUEST_TIMEOUT;

/// A request that can be sent again as it is: the same bytes, the same idempotency key.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(super) method: Method,
    /// Below the base path, with every part already encoded.
    pub(super) path: String,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) body: Option<Vec<u8>>,
    pub(super) if_match: Option<u64>,
    pub(super) idempotency_key: Option<String>,
    pub(super) timeout: Duration,
}

impl Call {
    pub(crate) fn get(parts: &[&str]) -> Self {
        Self {
            method: Method::GET,
            path: path(parts),
            query: Vec::new(),
            body: None,
            if_match: None,
            idempotency_key: None,
            timeout: REQUEST_TIMEOUT,
        }
    }

    /// A request that changes something, or asks with a body.
    pub(crate) fn send(
        method: Method,
        parts: &[&str],
        body: &impl Serialize,
        attempt: Attempt,
    ) -> Result<Self, ApiError> {
        let body = serde_json::to_vec(body).map_err(|error| ApiError::Unsendable {
            why: error.to_string(),
        })?;
        let mut call = Self::get(parts);
        call.method = method;
        call.body = Some(body);
        call.if_match = attempt.seen;
        call.idempotency_key = Some(idempotency_key()?);
        if attempt.dry_run {
            call = call.with("dry_run", "true");
        }
        Ok(call)
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    pub(crate) fn with_some(self, name: &'static str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    pub(crate) fn within(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

/// A fresh idempotency key: 128 random bits.
fn idempotency_key() -> Result<String, ApiError> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| ApiError::Unsendable {
        why: format!("the operating system gives no random bytes: {error}"),
    })?;
    Ok(format!("{:032x}", u128::from_ne_bytes(bytes)))
}

/// Joins path parts, each encoded so that it stays one part whatever it holds.
fn path(parts: &[&str]) -> String {
    let mut path = String::new();
    for part in parts {
        path.push('/');
        // A client or proxy would resolve `.` and `..` away.
        let is_dots = part.bytes().all(|byte| byte == b'.');
        for byte in part.bytes() {
            let is_plain = byte.is_ascii_alphanumeric() || b"-_~.".contains(&byte);
            if is_plain && !is_dots {
                path.push(char::from(byte));
            } else {
                // Writing to a String cannot fail.
                let _ = write!(path, "%{byte:02X}");
            }
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_path_stays_one_part_whatever_it_holds() {
        assert_eq!(path(&["flags", "new-checkout"]), "/flags/new-checkout");
        assert_eq!(path(&["tokens", "../flags"]), "/tokens/..%2Fflags");
        assert_eq!(path(&["tokens", ".."]), "/tokens/%2E%2E");
        assert_eq!(path(&["a?b#c", "ü"]), "/a%3Fb%23c/%C3%BC");
    }

    #[test]
    fn idempotency_keys_differ_and_are_short() {
        let (one, two) = (idempotency_key().unwrap(), idempotency_key().unwrap());
        assert_ne!(one, two);
        assert_eq!(one.len(), 32);
    }
}
