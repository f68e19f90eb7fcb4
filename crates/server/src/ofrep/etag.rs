//! The ETag of a bulk answer: it covers everything the answer depends on, because clients drop
//! theirs only when the targeting key changes.

use axum::http::HeaderValue;
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use crate::convert::hex;

/// What a bulk answer depends on besides the revision.
pub(super) struct Ground<'a> {
    pub(super) journal: &'a str,
    pub(super) epoch: u64,
    pub(super) environment: &'a str,
    pub(super) token: &'a str,
    pub(super) context: &'a Json,
}

/// The ETag of an answer: `"r57.<what it depends on>.<its ticket>"`. The revision can be read, so
/// that an `If-None-Match` tells what its sender has applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ETag {
    pub(super) revision: u64,
    ground: String,
    ticket: String,
}

impl ETag {
    /// `ticket` is part of it because a 304 cannot carry a new one: a client whose ticket has run
    /// out must be answered in full.
    pub(super) fn new(revision: u64, ground: &Ground<'_>, ticket: Option<&str>) -> Self {
        let mut hasher = Sha256::new();
        for part in [ground.journal, ground.environment, ground.token] {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        hasher.update(ground.epoch.to_le_bytes());
        hasher.update(revision.to_le_bytes());
        digest(ground.context, &mut hasher);
        let ticket = ticket.map_or_else(|| "0".to_owned(), |ticket| short(ticket.as_bytes()));
        Self {
            revision,
            ground: first(&hasher.finalize(), 16),
            ticket,
        }
    }

    /// As it is sent.
    pub(super) fn to_header(&self) -> Option<HeaderValue> {
        HeaderValue::try_from(format!(
            "\"r{}.{}.{}\"",
            self.revision, self.ground, self.ticket
        ))
        .ok()
    }

    /// The ETags a client sent; a proxy may have marked them weak.
    pub(super) fn parse_all(header: &HeaderValue) -> Vec<Self> {
        let text = header.to_str().unwrap_or_default();
        text.split(',').filter_map(Self::parse).collect()
    }

    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_prefix("W/").unwrap_or(text);
        let text = text
            .strip_prefix('"')?
            .strip_suffix('"')?
            .strip_prefix('r')?;
        let (revision, rest) = text.split_once('.')?;
        let (ground, ticket) = rest.split_once('.')?;
        Some(Self {
            revision: revision.parse().ok()?,
            ground: ground.to_owned(),
            ticket: ticket.to_owned(),
        })
    }

    /// Whether this is an answer that was really given on this ground, at whatever revision and
    /// with whatever ticket.
    pub(super) fn is_of(&self, ground: &Ground<'_>) -> bool {
        Self::new(self.revision, ground, None).ground == self.ground
    }
}

/// Who a caching client is: its token and its context.
pub(super) fn client(ground: &Ground<'_>) -> u64 {
    let mut hasher = Sha256::new();
    hasher.update(ground.token);
    hasher.update([0]);
    digest(ground.context, &mut hasher);
    let hash: [u8; 32] = hasher.finalize().into();
    hash.first_chunk()
        .map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

fn short(bytes: &[u8]) -> String {
    first(&Sha256::digest(bytes), 4)
}

fn first(hash: &[u8], bytes: usize) -> String {
    hex(hash.get(..bytes).unwrap_or(hash))
}

/// Feeds a JSON value in one form whatever order its names came in. Bounded in depth by the parser.
fn digest(json: &Json, hasher: &mut Sha256) {
    match json {
        Json::Null => hasher.update(b"n"),
        Json::Bool(value) => hasher.update(if *value { b"t" } else { b"f" }),
        Json::Number(number) => text(b'd', &number.to_string(), hasher),
        Json::String(value) => text(b's', value, hasher),
        Json::Array(items) => {
            hasher.update(b"[");
            for item in items {
                digest(item, hasher);
            }
            hasher.update(b"]");
        }
        Json::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            hasher.update(b"{");
            for (name, value) in fields {
                text(b'k', name, hasher);
                digest(value, hasher);
            }
            hasher.update(b"}");
        }
    }
}

fn text(mark: u8, text: &str, hasher: &mut Sha256) {
    hasher.update([mark]);
    hasher.update((text.len() as u64).to_le_bytes());
    hasher.update(text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(context: &Json, token: &str, revision: u64, ticket: Option<&str>) -> ETag {
        let ground = Ground {
            journal: "j",
            epoch: 1,
            environment: "prod",
            token,
            context,
        };
        ETag::new(revision, &ground, ticket)
    }

    #[test]
    fn everything_the_answer_depends_on_changes_it() {
        let context = json!({"targetingKey": "u", "plan": "beta"});
        let one = of(&context, "t1", 5, Some("x"));
        assert_eq!(
            one,
            of(
                &json!({"plan": "beta", "targetingKey": "u"}),
                "t1",
                5,
                Some("x")
            )
        );
        for other in [
            of(
                &json!({"targetingKey": "u", "plan": "free"}),
                "t1",
                5,
                Some("x"),
            ),
            of(&json!({"targetingKey": "u"}), "t1", 5, Some("x")),
            of(&context, "t2", 5, Some("x")),
            of(&context, "t1", 6, Some("x")),
            of(&context, "t1", 5, Some("y")),
            of(&context, "t1", 5, None),
        ] {
            assert_ne!(one, other);
        }
        let nested = |json| of(&json, "t1", 5, None);
        assert_ne!(
            nested(json!({"a": ["b", "c"]})),
            nested(json!({"a": ["bc"]}))
        );
        assert_ne!(
            nested(json!({"a": {"b": 1}})),
            nested(json!({"a": 1, "b": 1}))
        );
    }

    #[test]
    fn it_survives_the_way_there_and_back_even_through_a_proxy() {
        let context = json!({});
        let tag = of(&context, "t", 57, Some("x"));
        let header = tag.to_header().unwrap();
        assert_eq!(ETag::parse_all(&header), std::slice::from_ref(&tag));
        let weak = format!("\"other\", W/{}", header.to_str().unwrap());
        assert_eq!(
            ETag::parse_all(&HeaderValue::try_from(weak).unwrap()),
            std::slice::from_ref(&tag)
        );
        let ground = |token| Ground {
            journal: "j",
            epoch: 1,
            environment: "prod",
            token,
            context: &context,
        };
        assert!(tag.is_of(&ground("t")));
        assert!(
            !tag.is_of(&ground("another")),
            "what another token was told is no evidence"
        );
    }
}
