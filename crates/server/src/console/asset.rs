//! Style, script and the tab's picture: the same for everybody, kept by browsers for ever.

use axum::Router;
use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use leverframe_console::asset::Asset;

use super::unlisted;
use crate::app::App;
use crate::problem::Failure;

pub(super) fn routes() -> Router<App> {
    unlisted! {
        "the same for everybody; it says nothing of what is in the server";
        get "/assets/{hash}/{name}" => read_asset;
    }
}

async fn read_asset(uri: Uri) -> Result<Response, Failure> {
    let asset = Asset::at(uri.path()).ok_or_else(|| Failure::not_found("asset", uri.path()))?;
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static(asset.media_type),
        ),
        (
            header::CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=31536000, immutable"),
        ),
    ];
    Ok((headers, asset.text).into_response())
}
