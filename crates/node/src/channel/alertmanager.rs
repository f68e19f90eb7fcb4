//! Alertmanager: `POST /api/v2/alerts`, read back by the labels. Labels are what an alert is there:
//! the same labels are the same alert, so telling it twice is telling it once.

use std::collections::BTreeMap;

use async_trait::async_trait;
use reqwest::Method;
use serde::{Deserialize, Serialize};

use super::{Channel, Told, Untold, Words};
use crate::limit::ALERT_STANDS_MS;
use crate::outgoing::Outgoing;
use crate::source::Credentials;

/// One Alertmanager.
pub(super) struct Alertmanager {
    pub(super) outgoing: Outgoing,
    pub(super) credentials: Option<Credentials>,
}

type Labels = BTreeMap<String, String>;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Alert {
    labels: Labels,
    annotations: Labels,
    starts_at: String,
    ends_at: String,
    #[serde(rename = "generatorURL", skip_serializing_if = "Option::is_none")]
    generator_url: Option<String>,
}

#[derive(Deserialize)]
struct Standing {
    labels: Labels,
}

impl Alertmanager {
    fn signed(&self, method: Method) -> reqwest::RequestBuilder {
        let call = self.outgoing.call(method, &["api", "v2", "alerts"]);
        match &self.credentials {
            Some(credentials) => credentials.sign(call),
            None => call,
        }
    }

    /// Whether the alert stands there; nothing when that cannot be read.
    async fn stands(&self, alert: &Alert) -> Option<bool> {
        let filter = format!("effect={}", quoted(alert.labels.get("effect")?));
        let call = self.signed(Method::GET).query(&[("filter", filter)]);
        let answer = self.outgoing.send(call).await.ok()?;
        if answer.status != 200 {
            return None;
        }
        let standing: Vec<Standing> = serde_json::from_slice(&answer.body).ok()?;
        let is_ours = |standing: &Standing| standing.labels == alert.labels;
        Some(standing.iter().any(is_ours))
    }
}

#[async_trait]
impl Channel for Alertmanager {
    async fn tell(&self, words: &Words) -> Result<Told, Untold> {
        let alert = alert(words);
        let call = self.signed(Method::POST).json(&[&alert]);
        let answer = self.outgoing.send(call).await?;
        if answer.status != 200 {
            return Err(Untold::status(&self.outgoing, &answer));
        }
        match self.stands(&alert).await {
            Some(true) => Ok(Told { read_back: true }),
            Some(false) => {
                let place = self.outgoing.place();
                let why = format!("{place} took the alert and does not have it");
                Err(Untold::passing(why))
            }
            // It was taken; that it may not be read is no reason to wake somebody else.
            None => Ok(Told { read_back: false }),
        }
    }
}

fn alert(words: &Words) -> Alert {
    let (name, severity) = match words.is_page() {
        true => ("LeverframePage", "critical"),
        false => ("LeverframeNotice", "info"),
    };
    let labels = [
        ("alertname", name),
        ("severity", severity),
        ("effect", &words.id),
        ("flag", &words.flag),
        ("environment", &words.environment),
        ("rollout", &words.rollout),
        ("owner", &words.owner),
    ];
    let annotations = [
        ("summary", words.title.as_str()),
        ("description", &words.sentence),
        ("done", &words.done),
        ("undo", &words.undo),
        ("started_by", &words.started_by),
        ("runbook", words.runbook.as_deref().unwrap_or_default()),
        ("kill_url", words.link("kill").unwrap_or_default()),
        ("runbook_url", words.link("runbook").unwrap_or_default()),
    ];
    let ends_at = words.wanted_at.plus_ms(ALERT_STANDS_MS);
    Alert {
        labels: filled(&labels),
        annotations: filled(&annotations),
        starts_at: words.wanted_at.to_string(),
        ends_at: ends_at.to_string(),
        generator_url: words.link("rollout").map(str::to_owned),
    }
}

/// An empty label is the same as none there, and would not be read back.
fn filled(pairs: &[(&str, &str)]) -> Labels {
    let filled = pairs.iter().filter(|(_, text)| !text.is_empty());
    filled
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect()
}

/// A text as a matcher's value.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
