//! The journal as a file: read piece by piece as fast as it is taken, never whole in memory.

use std::fmt::Write as _;
use std::io;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use leverframe_wire::admin::RecordView;
use tokio::sync::OwnedSemaphorePermit;

use super::csv;
use crate::admin::journal::{self, Wanted};
use crate::app::App;
use crate::console::session::Signed;
use crate::console::visit::{Visit, now};
use crate::limit::PAGE_MAX;
use crate::problem::Failure;

/// How the records are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    Ndjson,
}

/// An export under way.
struct Export {
    app: App,
    who: Signed,
    format: Format,
    /// What is still to come; nothing at the end.
    wanted: Option<Wanted>,
    is_begun: bool,
    _turn: OwnedSemaphorePermit,
}

pub(super) async fn export(visit: Visit, State(app): State<App>) -> Result<Response, Failure> {
    let format = match visit.parameter("format").as_deref() {
        None | Some("csv") => Format::Csv,
        Some("ndjson") => Format::Ndjson,
        Some(_) => return Err(Failure::invalid("format", "a format is csv or ndjson")),
    };
    let mut wanted = super::wanted(&visit, &app, &super::filter(&visit))?;
    wanted.limit = Some(PAGE_MAX);
    let (media_type, ending) = match format {
        Format::Csv => ("text/csv; charset=utf-8; header=present", "csv"),
        Format::Ndjson => ("application/x-ndjson", "ndjson"),
    };
    let at = now(&app).strftime("%Y%m%dT%H%M%SZ");
    let place = wanted.environment.as_deref().unwrap_or("all");
    let disposition = format!("attachment; filename=\"leverframe-audit-{place}-{at}.{ending}\"");
    let disposition = HeaderValue::try_from(disposition)
        .map_err(|error| Failure::new("internal", error.to_string()))?;
    let export = Export {
        _turn: app.journal_turns.export()?,
        who: Signed::clone(&visit),
        app,
        format,
        wanted: Some(wanted),
        is_begun: false,
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(media_type)),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    let body = Body::from_stream(stream::try_unfold(export, Export::next));
    Ok((headers, body).into_response())
}

impl Export {
    /// The next piece. A file that could not be finished ends with an error, so that nobody takes it
    /// for the whole.
    async fn next(mut self) -> io::Result<Option<(Bytes, Self)>> {
        let Some(wanted) = self.wanted.take() else {
            return Ok(None);
        };
        if self.app.draining.is_cancelled() {
            return Err(io::Error::other("the server stops"));
        }
        if !self.who.is_still_in(&self.app) {
            return Err(io::Error::other("the token or the session ended"));
        }
        let page = journal::list(&self.app, &self.who, &wanted).await;
        let page = page.map_err(|failure| io::Error::other(failure.detail().to_owned()))?;
        let mut text = String::new();
        if !self.is_begun && self.format == Format::Csv {
            text.push_str(csv::HEADER);
        }
        self.is_begun = true;
        for record in &page.records {
            self.format.write(record, &mut text)?;
        }
        self.wanted = page.next.map(|next| Wanted {
            before: Some(next),
            ..wanted
        });
        Ok(Some((Bytes::from(text), self)))
    }
}

impl Format {
    fn write(self, record: &RecordView, out: &mut String) -> io::Result<()> {
        match self {
            Self::Csv => csv::write(record, out),
            Self::Ndjson => {
                let json = serde_json::to_string(record)?;
                writeln!(out, "{json}").map_err(io::Error::other)?;
            }
        }
        Ok(())
    }
}
