//! A request that changes something: its body and everything the command needs beside it.

use std::time::Instant;

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, Method, Uri, header};
use leverframe_core::command::Idempotency;
use leverframe_core::limit::IDEMPOTENCY_BYTES_MAX;
use leverframe_core::{Command, Why};
use leverframe_node::Accepted;
use leverframe_wire::admin;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::body::{demand_json, parse_json, read_body};
use crate::app::App;
use crate::auth::Authenticated;
use crate::limit::{BODY_BYTES_MAX, REVISION_DIGITS_MAX, VIA_BYTES_MAX};
use crate::problem::Failure;

/// A request that changes something.
pub(crate) struct Change<T> {
    /// What is wanted.
    pub(crate) body: T,
    asked: Asked,
}

/// What a change from a page came through.
const CONSOLE: &str = "console";

/// A DELETE: its body is optional and says why.
pub(crate) struct Remove {
    why: admin::Why,
    asked: Asked,
}

/// What the command needs beside the body.
struct Asked {
    if_match: Option<u64>,
    idempotency: Option<Idempotency>,
    is_dry_run: bool,
    via: Box<str>,
    received: Instant,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DryRun {
    #[serde(default)]
    dry_run: bool,
}

impl<T: DeserializeOwned> FromRequest<App> for Change<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &App) -> Result<Self, Failure> {
        let received = Instant::now();
        let (parts, body) = request.into_parts();
        demand_json(&parts.headers)?;
        let bytes = read_body(&parts.headers, body, BODY_BYTES_MAX).await?;
        let asked = Asked::read(&parts.method, &parts.uri, &parts.headers, &bytes, received)?;
        Ok(Self {
            body: parse_json(&bytes)?,
            asked,
        })
    }
}

impl FromRequest<App> for Remove {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &App) -> Result<Self, Failure> {
        let received = Instant::now();
        let (parts, body) = request.into_parts();
        let bytes = read_body(&parts.headers, body, BODY_BYTES_MAX).await?;
        let asked = Asked::read(&parts.method, &parts.uri, &parts.headers, &bytes, received)?;
        let why = if bytes.is_empty() {
            admin::Why::default()
        } else {
            demand_json(&parts.headers)?;
            parse_json::<admin::Removal>(&bytes)?.why
        };
        Ok(Self { why, asked })
    }
}

impl Change<()> {
    /// A change that a page's form asks for; `key` names it, so that sending twice changes once.
    pub(crate) fn of_form(
        if_match: Option<u64>,
        key: Option<&str>,
        path: &str,
        body: &[u8],
        received: Instant,
    ) -> Result<Self, Failure> {
        let idempotency = key
            .map(|key| idempotency_of(key, &Method::POST, path, body))
            .transpose()?;
        Ok(Self {
            body: (),
            asked: Asked {
                if_match,
                idempotency,
                is_dry_run: false,
                via: CONSOLE.into(),
                received,
            },
        })
    }

    /// The same, to be decided and not stored.
    pub(crate) fn dry(mut self) -> Self {
        self.asked.is_dry_run = true;
        self.asked.idempotency = None;
        self
    }
}

impl<T> Change<T> {
    pub(crate) fn is_dry_run(&self) -> bool {
        self.asked.is_dry_run
    }

    /// Has the command decided and stored, in the name of who asks.
    pub(crate) async fn submit(
        self,
        app: &App,
        who: &Authenticated,
        command: Command,
        why: admin::Why,
    ) -> Result<Accepted, Failure> {
        self.asked.submit(app, who, command, why).await
    }

    /// The body on its own, and the rest for submitting later.
    pub(crate) fn split(self) -> (T, Change<()>) {
        (
            self.body,
            Change {
                body: (),
                asked: self.asked,
            },
        )
    }
}

impl Remove {
    /// Has the command decided and stored, in the name of who asks.
    pub(crate) async fn submit(
        self,
        app: &App,
        who: &Authenticated,
        command: Command,
    ) -> Result<Accepted, Failure> {
        self.asked.submit(app, who, command, self.why).await
    }
}

impl Asked {
    fn read(
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        body: &[u8],
        received: Instant,
    ) -> Result<Self, Failure> {
        let axum::extract::Query(DryRun { dry_run }) = axum::extract::Query::try_from_uri(uri)
            .map_err(|error| {
                Failure::bad_request(format!("the query cannot be read: {}", error.body_text()))
            })?;
        Ok(Self {
            if_match: headers.get(header::IF_MATCH).map(if_match).transpose()?,
            idempotency: idempotency(method, uri, headers, body)?,
            is_dry_run: dry_run,
            via: via(headers),
            received,
        })
    }

    async fn submit(
        self,
        app: &App,
        who: &Authenticated,
        command: Command,
        why: admin::Why,
    ) -> Result<Accepted, Failure> {
        let request = leverframe_node::Request {
            command,
            actor: who.actor(),
            via: self.via,
            why: Why {
                reason: why.reason.map(String::into_boxed_str),
                incident: why.incident.map(String::into_boxed_str),
            },
            if_match: self.if_match,
            idempotency: self.idempotency,
            dry_run: self.is_dry_run,
            received: self.received,
        };
        Ok(app.node().submit(request).await?)
    }
}

/// `"r57"`, as our ETags are; `r57` is understood too, for people with curl.
fn if_match(value: &header::HeaderValue) -> Result<u64, Failure> {
    value
        .to_str()
        .ok()
        .map(|text| {
            let inside = text
                .strip_prefix('"')
                .and_then(|text| text.strip_suffix('"'));
            inside.unwrap_or(text)
        })
        .and_then(|text| text.strip_prefix('r'))
        .filter(|digits| digits.len() <= REVISION_DIGITS_MAX)
        .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| {
            Failure::bad_request("If-Match is the ETag of what is to be changed, such as \"r57\"")
                .at_field("If-Match")
        })
}

fn idempotency(
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Option<Idempotency>, Failure> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let place = uri
        .path_and_query()
        .map_or(uri.path(), |path| path.as_str());
    // What is not text is no name either.
    idempotency_of(value.to_str().unwrap_or(""), method, place, body).map(Some)
}

fn idempotency_of(
    key: &str,
    method: &Method,
    place: &str,
    body: &[u8],
) -> Result<Idempotency, Failure> {
    let is_name = (1..=IDEMPOTENCY_BYTES_MAX).contains(&key.len())
        && key.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_name {
        return Err(Failure::bad_request(format!(
            "an Idempotency-Key is 1 to {IDEMPOTENCY_BYTES_MAX} visible ASCII characters"
        ))
        .at_field("Idempotency-Key"));
    }
    let mut hasher = Sha256::new();
    hasher.update(method.as_str());
    hasher.update([0]);
    hasher.update(place);
    hasher.update([0]);
    hasher.update(body);
    Ok(Idempotency {
        key: key.into(),
        body_sha256: crate::convert::hex(&hasher.finalize()).into(),
    })
}

/// What the change came through, as the client calls itself.
fn via(headers: &HeaderMap) -> Box<str> {
    let agent = headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("http");
    let end = agent.floor_char_boundary(VIA_BYTES_MAX);
    agent.get(..end).unwrap_or("http").into()
}
