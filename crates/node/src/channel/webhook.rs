//! A webhook as Standard Webhooks describes it: the receiver knows by the signature who says it, by
//! the id whether it has it already, and by the time whether it is being said again by somebody else.

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use sha2::Sha256;

use super::{Channel, Told, Untold, Words};
use crate::clock::Clock;
use crate::outgoing::{Outgoing, Secret};

/// Shortest and longest key, in bytes.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// One receiver.
pub(super) struct Webhook {
    pub(super) outgoing: Outgoing,
    pub(super) signer: Signer,
    pub(super) clock: Clock,
}

/// Signs what is sent.
pub(super) struct Signer {
    key: Vec<u8>,
}

impl Signer {
    /// Takes a key such as `whsec_` and 24 to 64 bytes in Base64; nothing when it is none.
    pub(super) fn new(secret: &Secret) -> Option<Self> {
        let text = secret.expose().strip_prefix("whsec_")?;
        let key = STANDARD.decode(text).ok()?;
        KEY_BYTES.contains(&key.len()).then_some(Self { key })
    }

    /// The signature of a body, as it stands in the header.
    fn sign(&self, id: &str, seconds: i64, body: &[u8]) -> Option<String> {
        // It takes keys of any length; there is no error in practice.
        let mut code = Hmac::<Sha256>::new_from_slice(&self.key).ok()?;
        code.update(id.as_bytes());
        code.update(b".");
        code.update(seconds.to_string().as_bytes());
        code.update(b".");
        code.update(body);
        let code = code.finalize().into_bytes();
        Some(["v1,", &STANDARD.encode(code)].concat())
    }
}

#[async_trait]
impl Channel for Webhook {
    async fn tell(&self, words: &Words) -> Result<Told, Untold> {
        let body = words.json().to_string();
        let seconds = self.clock.wall().as_ms().div_euclid(1_000);
        let signature = self.signer.sign(&words.id, seconds, body.as_bytes());
        let signature = signature.ok_or_else(|| Untold::lasting("the key cannot sign"))?;
        let call = self
            .outgoing
            .call(Method::POST, &[])
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &words.id)
            .header("webhook-timestamp", seconds)
            .header("webhook-signature", signature)
            .body(body);
        let answer = self.outgoing.send(call).await?;
        if (200..300).contains(&answer.status) {
            return Ok(Told { read_back: false });
        }
        Err(Untold::status(&self.outgoing, &answer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_the_one_of_the_public_test_vector() {
        let signer = Signer::new(&Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")).unwrap();
        let body = br#"{"test": 2432232314}"#;
        let signature = signer.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(signature.as_deref(), Some(expected));
    }

    #[test]
    fn a_key_that_is_none_is_refused() {
        for key in [
            "",
            "whsec_",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_c2hvcnQ=",
            "whsec_not base64 at all not base64 at all",
        ] {
            assert!(Signer::new(&Secret::new(key)).is_none(), "{key}");
        }
    }
}
