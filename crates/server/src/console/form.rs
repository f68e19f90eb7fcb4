//! What a form sends: fields, bounded, and what a change needs beside them.

use std::time::Instant;

use axum::extract::{FromRequest, Request};
use axum::http::header;
use leverframe_wire::admin::Why;

use crate::app::{App, random};
use crate::convert::hex;
use crate::limit::{FORM_BYTES_MAX, FORM_FIELDS_MAX};
use crate::problem::Failure;
use crate::request::{Change, read_body};

/// A name for a change that a form will ask for, so that sending it twice changes once.
pub(super) fn fresh_key() -> String {
    random::<16>().map(|bytes| hex(&bytes)).unwrap_or_default()
}

/// What a form sent.
pub(super) struct Form {
    fields: Vec<(String, String)>,
    path: String,
    bytes: axum::body::Bytes,
    received: Instant,
}

impl FromRequest<App> for Form {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &App) -> Result<Self, Failure> {
        let received = Instant::now();
        let (parts, body) = request.into_parts();
        let is_form = parts
            .headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next())
            .is_some_and(|mime| {
                mime.trim()
                    .eq_ignore_ascii_case("application/x-www-form-urlencoded")
            });
        if !is_form {
            return Err(Failure::new(
                "unsupported-media-type",
                "a page's form sends application/x-www-form-urlencoded",
            ));
        }
        let bytes = read_body(&parts.headers, body, FORM_BYTES_MAX).await?;
        let fields: Vec<_> = form_urlencoded::parse(&bytes)
            .take(FORM_FIELDS_MAX + 1)
            .map(|(name, value)| (name.into_owned(), value.replace("\r\n", "\n")))
            .collect();
        if fields.len() > FORM_FIELDS_MAX {
            return Err(Failure::new(
                "too-large",
                format!("a form has at most {FORM_FIELDS_MAX} fields"),
            ));
        }
        Ok(Self {
            fields,
            path: parts.uri.path().to_owned(),
            bytes,
            received,
        })
    }
}

impl Form {
    /// A field as it came, without the white space around it; empty when it is absent.
    pub(super) fn get(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or("")
    }

    /// Every field as it came, to be sent once more.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        let fields = self.fields.iter();
        fields.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// A field that says something.
    pub(super) fn some(&self, name: &str) -> Option<String> {
        Some(self.get(name))
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    }

    /// Every field of a name, such as the boxes that were ticked.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.fields
            .iter()
            .filter(move |(known, _)| known == name)
            .map(|(_, value)| value.trim())
    }

    /// Whether a box was ticked.
    pub(super) fn is_ticked(&self, name: &str) -> bool {
        !self.get(name).is_empty()
    }

    /// Why: the chip that was chosen, what was typed, or both; and the incident.
    pub(super) fn why(&self) -> Why {
        let reason = match (self.get("chip"), self.get("reason")) {
            ("", "") => None,
            (one, "") | ("", one) => Some(one.to_owned()),
            (chip, typed) => Some(format!("{chip}: {typed}")),
        };
        Why {
            reason,
            incident: self.some("incident"),
        }
    }

    /// What a change needs beside its command: the revision that was shown, and the name by which
    /// sending twice changes once.
    ///
    /// # Errors
    /// 400 when the revision or the name is none; nothing of the page was ever so.
    pub(super) fn change(&self) -> Result<Change<()>, Failure> {
        self.named_change(self.some("idempotency").as_deref())
    }

    /// The same for one of several places that a form changes, each of which is a change of its own.
    ///
    /// # Errors
    /// As [`Form::change`].
    pub(super) fn change_in(&self, place: &str) -> Result<Change<()>, Failure> {
        let key = self.some("idempotency");
        self.named_change(key.map(|key| format!("{key}-{place}")).as_deref())
    }

    /// What a kill needs beside its command: nothing. A name would have it refused after a chip was
    /// changed, or taken for the one before after somebody reopened; closing twice closes once anyhow.
    ///
    /// # Errors
    /// As [`Form::change`].
    pub(super) fn kill(&self) -> Result<Change<()>, Failure> {
        Change::of_form(None, None, &self.path, &self.bytes, self.received)
    }

    fn named_change(&self, key: Option<&str>) -> Result<Change<()>, Failure> {
        let if_match = match self.get("if_match") {
            "" => None,
            text => Some(text.parse().map_err(|_| {
                Failure::bad_request(
                    "the revision that the page was made from cannot be read; load the page anew",
                )
            })?),
        };
        Change::of_form(if_match, key, &self.path, &self.bytes, self.received)
    }
}
