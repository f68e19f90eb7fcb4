//! Masks secrets in text that is told on, because the other side may repeat what it was sent.

use base64::Engine as _;
use reqwest::Url;

use super::Secret;

/// What stands where a secret stood.
const MASK: &str = "[secret]";

/// Shortest part of a secret URL that is taken for a secret by itself, in bytes; shorter ones are
/// words such as `services`.
const PART_BYTES_MIN: usize = 9;

/// The texts that are masked: each secret in the spellings in which it may come back.
pub(crate) struct Scrub {
    /// The longest first, so that a part of one does not hide the rest of it.
    texts: Vec<String>,
}

impl Scrub {
    pub(crate) fn of(secrets: &[&Secret]) -> Self {
        let mut texts: Vec<String> = secrets
            .iter()
            .flat_map(|secret| spellings(secret.expose()))
            .filter(|text| !text.is_empty())
            .collect();
        texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
        texts.dedup();
        Self { texts }
    }

    /// `text` without any of the secrets.
    pub(crate) fn clean(&self, text: &str) -> String {
        let mut clean = text.to_owned();
        for secret in &self.texts {
            if clean.contains(secret.as_str()) {
                clean = clean.replace(secret.as_str(), MASK);
            }
        }
        clean
    }
}

fn spellings(secret: &str) -> Vec<String> {
    let quoted = serde_json::Value::from(secret).to_string();
    let mut spellings = vec![
        secret.to_owned(),
        quoted.trim_matches('"').to_owned(),
        secret.replace('/', "\\/"),
        base64::engine::general_purpose::STANDARD.encode(secret),
    ];
    if let Ok(mut url) = Url::parse("http://host") {
        url.query_pairs_mut().append_key_only(secret);
        spellings.extend(url.query().map(str::to_owned));
    }
    // A URL that is a secret is one without its scheme and host, too, and in its longer parts.
    if let Ok(url) = Url::parse(secret) {
        let path = url.path().trim_matches('/');
        let parts = path.split('/').filter(|part| part.len() >= PART_BYTES_MIN);
        spellings.extend(parts.map(str::to_owned));
        spellings.push(path.to_owned());
        spellings.push(path.replace('/', "\\/"));
    }
    spellings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_comes_back_in_any_spelling_is_masked() {
        let key = Secret::new("k3y/with \"quotes\"");
        let hook = Secret::new("https://hooks.example/services/T0/B0/abcdefghij");
        let scrub = Scrub::of(&[&key, &hook]);
        for text in [
            "bad key k3y/with \"quotes\".",
            r#"{"got":"k3y/with \"quotes\""}"#,
            r#"{"got":"k3y\/with "quotes""}"#,
            "?key=k3y%2Fwith+%22quotes%22&x=1",
            "no such path: /services/T0/B0/abcdefghij",
            "no such token: abcdefghij",
            "https://hooks.example/services/T0/B0/abcdefghij is gone",
        ] {
            let clean = scrub.clean(text);
            assert!(clean.contains(MASK), "{text} became {clean}");
            assert!(!clean.contains("k3y"), "{clean}");
            assert!(!clean.contains("abcdef"), "{clean}");
        }
        assert_eq!(scrub.clean("nothing of that"), "nothing of that");
    }
}
