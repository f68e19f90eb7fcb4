//! Systems outside, as the server's file names them.

use axum::extract::State;
use axum::response::Response;
use leverframe_console::Place;
use leverframe_console::page::settings::{Outside, OutsideChannel, OutsideSource};
use leverframe_core::access::Permission;
use leverframe_core::effect::{EffectEntry, Settlement};
use leverframe_node::Listed;

use crate::app::App;
use crate::console::visit::Visit;
use crate::console::{Pages, answer, listed};
use crate::problem::Failure;

pub(super) fn pages() -> Pages {
    listed! {
        get "/settings/outside" => show;
    }
}

async fn show(visit: Visit, State(app): State<App>) -> Result<Response, Failure> {
    visit.permit(&Permission::ReadMetrics)?;
    let outside = app.node().outside();
    let names = |names: &[Box<str>]| names.iter().map(ToString::to_string).collect();
    let state = app.node().state();
    let mut told: Vec<&EffectEntry> = state
        .effects()
        .map(|entry| &**entry)
        .filter(|entry| {
            let environment = &entry.effect.message.environment;
            visit.token().allows_environment(environment.as_str())
        })
        .collect();
    told.sort_by_key(|entry| std::cmp::Reverse(entry.effect.wanted_at));
    Ok(answer::page(&Outside {
        shell: visit.shell(&app, Place::Settings, "Systems outside"),
        sources: outside.sources.listed().map(source).collect(),
        channels: outside
            .channels
            .listed()
            .map(|listed| channel(listed, &told))
            .collect(),
        page: names(&outside.page),
        notify: names(&outside.notify),
    }))
}

fn source(listed: Listed) -> OutsideSource {
    OutsideSource {
        name: listed.name.into(),
        kind: listed.kind.to_owned(),
        place: listed.place,
    }
}

/// A channel with what came of the messages to it; `told` begins with the newest.
fn channel(listed: Listed, told: &[&EffectEntry]) -> OutsideChannel {
    let at = |entry: &EffectEntry| entry.effect.wanted_at.to_string();
    let took = told.iter().find(|entry| {
        matches!(&entry.settlement, Some(Settlement::Delivered { channels, .. })
            if channels.contains(&listed.name))
    });
    let failed = told
        .iter()
        .find_map(|entry| Some((at(entry), why_not(entry, &listed.name)?)));
    OutsideChannel {
        took: took.map(|entry| at(entry)),
        failed,
        name: listed.name.into(),
        kind: listed.kind.to_owned(),
        place: listed.place,
    }
}

/// Why a channel did not take a message, if it did not; each sentence begins with the channel's name.
fn why_not(entry: &EffectEntry, channel: &str) -> Option<String> {
    let (Settlement::Delivered { failed, .. } | Settlement::Failed { why: failed }) =
        entry.settlement.as_ref()?
    else {
        return None;
    };
    failed.iter().find_map(|sentence| {
        let why = sentence.strip_prefix(channel)?.strip_prefix(": ")?;
        Some(why.to_owned())
    })
}
