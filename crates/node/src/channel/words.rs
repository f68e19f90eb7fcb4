//! What is said, for any channel: text in which nothing acts, and links.

use leverframe_core::Timestamp;
use leverframe_core::effect::{Effect, Urgency};
use reqwest::Url;
use serde::Serialize;
use serde_json::{Value, json};

use crate::limit::MESSAGE_TEXT_MAX;
use crate::outgoing::inert_within;

/// Where people reach the server, for links.
#[derive(Debug, Clone, Default)]
pub struct Links {
    base: Option<Url>,
}

/// A message, ready to be said. Every text is on one line, bounded, and without characters that act
/// on a terminal or turn the reading direction; each channel escapes what is its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Words {
    /// The id of the effect: the same for the same effect, always.
    pub id: String,
    /// How loud.
    pub urgency: Urgency,
    /// When it was wanted.
    #[serde(skip)]
    pub wanted_at: Timestamp,
    /// What happened, in a few words.
    pub title: String,
    /// The verdict as one sentence with its numbers.
    pub sentence: String,
    /// Whose lever.
    pub flag: String,
    /// Where.
    pub environment: String,
    /// Which rollout.
    pub rollout: String,
    /// Which transition.
    pub revision: u64,
    /// Who started it.
    pub started_by: String,
    /// Who owns the flag.
    pub owner: String,
    /// What was already done.
    pub done: String,
    /// The command that takes it back, or that should be typed now.
    pub undo: String,
    /// The runbook as it was written, if there is one.
    pub runbook: Option<String>,
    /// Name and address of what can be opened, the most urgent first.
    pub links: Vec<(&'static str, String)>,
}

impl Links {
    /// Links to the server at this address; none without it.
    #[must_use]
    pub fn to(public_url: Option<Url>) -> Self {
        Self { base: public_url }
    }

    fn at(&self, path: &[&str], query: Option<(&str, &str)>) -> Option<String> {
        let mut url = self.base.clone()?;
        url.path_segments_mut().ok()?.pop_if_empty().extend(path);
        if let Some((key, value)) = query {
            url.query_pairs_mut().append_pair(key, value);
        }
        Some(url.into())
    }
}

impl Words {
    /// The words of an effect.
    #[must_use]
    pub fn of(effect: &Effect, links: &Links) -> Self {
        let message = &effect.message;
        let text = |text: &str| inert_within(text, MESSAGE_TEXT_MAX);
        let environment = message.environment.as_str();
        let kill = links.at(&["kill", message.flag.as_str()], Some(("env", environment)));
        let rollout = links.at(&["rollouts", &message.rollout], None);
        let mut named = [("rollout", rollout), ("kill", kill)];
        if message.kill_first {
            named.reverse();
        }
        let runbook = message.runbook.as_deref().map(text);
        let runbook_link = runbook.as_deref().and_then(web_address);
        let named = named.into_iter().chain([("runbook", runbook_link)]);
        Self {
            id: text(&effect.id),
            urgency: effect.urgency,
            wanted_at: effect.wanted_at,
            title: text(&message.title),
            sentence: text(&message.sentence),
            flag: message.flag.to_string(),
            environment: environment.to_owned(),
            rollout: text(&message.rollout),
            revision: message.revision,
            started_by: text(&message.started_by),
            owner: text(&message.owner),
            done: text(&message.done),
            undo: text(&message.undo),
            runbook,
            links: named
                .filter_map(|(name, link)| Some((name, link?)))
                .collect(),
        }
    }

    pub(super) fn is_page(&self) -> bool {
        self.urgency == Urgency::Page
    }

    /// The parts beside title and sentence that have something to say, with their names for people.
    pub(super) fn facts(&self) -> Vec<(&'static str, &str)> {
        let facts = [
            ("Done", &self.done),
            ("Undo", &self.undo),
            ("Started by", &self.started_by),
            ("Owner", &self.owner),
            ("Rollout", &self.rollout),
        ];
        let runbook = self.runbook.as_deref().map(|text| ("Runbook", text));
        let facts = facts.into_iter().map(|(name, text)| (name, text.as_str()));
        facts
            .chain(runbook)
            .filter(|(_, text)| !text.is_empty())
            .collect()
    }

    pub(super) fn link(&self, wanted: &str) -> Option<&str> {
        let mut links = self.links.iter();
        links.find_map(|(name, link)| (*name == wanted).then_some(link.as_str()))
    }

    /// The body for receivers that read JSON: `type`, `timestamp` and `data`, as Standard Webhooks
    /// has them. The same bytes for the same effect.
    pub(super) fn json(&self) -> Value {
        let kind = match self.urgency {
            Urgency::Page => "leverframe.page",
            Urgency::Notify => "leverframe.notify",
        };
        let links: serde_json::Map<String, Value> = self
            .links
            .iter()
            .map(|(name, link)| ((*name).to_owned(), link.as_str().into()))
            .collect();
        let mut data = serde_json::to_value(self).unwrap_or_default();
        if let Some(data) = data.as_object_mut() {
            data.insert("links".to_owned(), links.into());
        }
        json!({ "type": kind, "timestamp": self.wanted_at.to_string(), "data": data })
    }
}

/// A text that is the address of a web page, as a link.
fn web_address(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    matches!(url.scheme(), "http" | "https").then(|| url.into())
}
