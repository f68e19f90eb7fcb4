//! The ETag of a bulk answer: it covers everything the answer depends on, because clients drop
//! theirs only when the targeting key changes.

use axum::http::HeaderValue;
use leverframe_flags::{Attribute, Context};
use sha2::{Digest, Sha256};

use crate::convert::hex;

/// What a bulk answer depends on besides the revision.
pub(super) struct Ground<'a> {
    pub(super) journal: &'a str,
    pub(super) epoch: u64,
    pub(super) environment: &'a str,
    pub(super) token: &'a str,
    pub(super) context: Fingerprint,
}

/// Stands for a whole context: two contexts that can be answered differently differ in it. The
/// time is not part of it, because it is another with every question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The same whatever order the names came in.
    pub(super) fn of(context: &Context) -> Self {
        let mut hasher = Sha256::new();
        match context.unit() {
            Some(unit) => text(b'u', unit, &mut hasher),
            None => hasher.update(b"n"),
        }
        for (name, value) in context.attributes() {
            text(b'k', name, &mut hasher);
            digest(value, &mut hasher);
        }
        Self(hasher.finalize().into())
    }
}

/// The ETag of an answer: `"r57.<what it depends on>.<its ticket>"`, and `.<itself>` where that is
/// not all. The revision can be read, so
/// that an `If-None-Match` tells what its sender has applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ETag {
    pub(super) revision: u64,
    ground: String,
    rest: String,
}

impl ETag {
    /// `ticket` is part of it because a 304 cannot carry a new one: a client whose ticket has run
    /// out must be answered in full. So is the `answer` where it depends on more than its ground.
    pub(super) fn new(
        revision: u64,
        ground: &Ground<'_>,
        ticket: Option<&str>,
        answer: Option<&[u8]>,
    ) -> Self {
        let mut hasher = Sha256::new();
        for part in [ground.journal, ground.environment, ground.token] {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        hasher.update(ground.epoch.to_le_bytes());
        hasher.update(revision.to_le_bytes());
        hasher.update(ground.context.0);
        let mut rest = ticket.map_or_else(|| "0".to_owned(), |ticket| hashed(ticket, 4));
        if let Some(answer) = answer {
            rest.push('.');
            rest.push_str(&hashed(answer, 16));
        }
        Self {
            revision,
            ground: first(&hasher.finalize(), 16),
            rest,
        }
    }

    /// As it is sent.
    pub(super) fn to_header(&self) -> Option<HeaderValue> {
        HeaderValue::try_from(format!(
            "\"r{}.{}.{}\"",
            self.revision, self.ground, self.rest
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
        let (ground, rest) = rest.split_once('.')?;
        Some(Self {
            revision: revision.parse().ok()?,
            ground: ground.to_owned(),
            rest: rest.to_owned(),
        })
    }

    /// Whether this is an answer that was really given on this ground, at whatever revision and
    /// with whatever ticket.
    pub(super) fn is_of(&self, ground: &Ground<'_>) -> bool {
        Self::new(self.revision, ground, None, None).ground == self.ground
    }
}

/// Who a caching client is: its token and its context.
pub(super) fn client(ground: &Ground<'_>) -> u64 {
    let mut hasher = Sha256::new();
    hasher.update(ground.token);
    hasher.update([0]);
    hasher.update(ground.context.0);
    let hash: [u8; 32] = hasher.finalize().into();
    hash.first_chunk()
        .map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

fn hashed(what: impl AsRef<[u8]>, bytes: usize) -> String {
    first(&Sha256::digest(what), bytes)
}

fn first(hash: &[u8], bytes: usize) -> String {
    hex(hash.get(..bytes).unwrap_or(hash))
}

/// Feeds a value so that no two different ones are fed the same. As deep as contexts may be.
fn digest(value: &Attribute, hasher: &mut Sha256) {
    match value {
        Attribute::Boolean(value) => hasher.update(if *value { b"t" } else { b"f" }),
        Attribute::Integer(number) => {
            hasher.update(b"i");
            hasher.update(number.to_le_bytes());
        }
        Attribute::Float(number) => {
            hasher.update(b"d");
            hasher.update(number.to_le_bytes());
        }
        Attribute::String(value) => text(b's', value, hasher),
        Attribute::List(items) => {
            hasher.update(b"[");
            for item in items {
                digest(item, hasher);
            }
            hasher.update(b"]");
        }
        Attribute::Object(fields) => {
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
    use serde_json::{Value as Json, json};

    fn ground<'a>(token: &'a str, context: &Json) -> Ground<'a> {
        Ground {
            journal: "j",
            epoch: 1,
            environment: "prod",
            token,
            context: Fingerprint::of(&Context::from_json(context).unwrap()),
        }
    }

    fn of(context: &Json, token: &str, revision: u64, ticket: Option<&str>) -> ETag {
        ETag::new(revision, &ground(token, context), ticket, None)
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
        let told = |answer: &[u8]| ETag::new(5, &ground("t1", &context), Some("x"), Some(answer));
        assert_ne!(one, told(b"a"));
        assert_ne!(told(b"a"), told(b"b"));
        let nested = |json| of(&json, "t1", 5, None);
        assert_ne!(
            nested(json!({"targetingKey": "u"})),
            nested(json!({"k": "u"}))
        );
        assert_ne!(nested(json!({"a": 1})), nested(json!({"a": "1"})));
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
    fn a_revision_that_was_written_in_by_hand_is_no_evidence() {
        let context = json!({});
        let tag = of(&context, "t", 57, None);
        let forged = ETag {
            revision: 58,
            ..tag.clone()
        };
        assert!(tag.is_of(&ground("t", &context)));
        assert!(!forged.is_of(&ground("t", &context)));
    }

    #[test]
    fn it_survives_the_way_there_and_back_even_through_a_proxy() {
        let context = json!({});
        let tag = ETag::new(57, &ground("t", &context), Some("x"), Some(b"told"));
        let header = tag.to_header().unwrap();
        assert_eq!(ETag::parse_all(&header), std::slice::from_ref(&tag));
        let weak = format!("\"other\", W/{}", header.to_str().unwrap());
        assert_eq!(
            ETag::parse_all(&HeaderValue::try_from(weak).unwrap()),
            std::slice::from_ref(&tag)
        );
        assert!(tag.is_of(&ground("t", &context)));
        assert!(
            !tag.is_of(&ground("another", &context)),
            "what another token was told is no evidence"
        );
        let forged = ETag {
            revision: 58,
            ..tag
        };
        assert!(
            !forged.is_of(&ground("t", &context)),
            "a revision that was never told is no evidence"
        );
    }
}
