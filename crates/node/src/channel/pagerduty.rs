//! PagerDuty, Events API v2: the id of the effect is the key by which it drops repeats.

use async_trait::async_trait;
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::{Channel, Told, Untold, Words};
use crate::outgoing::{Outgoing, Secret};

/// Longest `summary` there, in characters.
const SUMMARY_MAX: usize = 1_024;
/// Longest `dedup_key` there, in characters.
const KEY_MAX: usize = 255;

/// One service of PagerDuty.
pub(super) struct PagerDuty {
    pub(super) outgoing: Outgoing,
    pub(super) routing_key: Secret,
}

#[async_trait]
impl Channel for PagerDuty {
    async fn tell(&self, words: &Words) -> Result<Told, Untold> {
        let mut event = event(words);
        event["routing_key"] = self.routing_key.expose().into();
        let call = self.outgoing.call(Method::POST, &["v2", "enqueue"]);
        let answer = self.outgoing.send(call.json(&event)).await?;
        // What it took can only be read back with a key of another kind.
        if answer.status == 202 {
            return Ok(Told { read_back: false });
        }
        Err(Untold::status(&self.outgoing, &answer))
    }
}

fn event(words: &Words) -> Value {
    let details: Map<String, Value> = words
        .facts()
        .into_iter()
        .map(|(name, text)| (name.to_owned(), text.into()))
        .chain([("Verdict".to_owned(), words.sentence.as_str().into())])
        .collect();
    let links: Vec<Value> = words
        .links
        .iter()
        .map(|(name, link)| json!({ "href": link, "text": name }))
        .collect();
    let summary = [&words.title, ": ", &words.sentence].concat();
    let severity = if words.is_page() { "critical" } else { "info" };
    let key: String = words.id.chars().take(KEY_MAX).collect();
    let summary: String = summary.chars().take(SUMMARY_MAX).collect();
    let source = [&words.flag, "@", &words.environment].concat();
    let mut event = json!({
        "event_action": "trigger",
        "dedup_key": key,
        "client": "Leverframe",
        "links": links,
        "payload": {
            "summary": summary,
            "source": source,
            "severity": severity,
            "timestamp": words.wanted_at.to_string(),
            "component": words.flag,
            "group": words.environment,
            "class": "rollout",
            "custom_details": details,
        },
    });
    if let Some(link) = words.link("rollout") {
        event["client_url"] = link.into();
    }
    event
}
