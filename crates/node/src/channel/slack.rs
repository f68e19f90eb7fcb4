//! Slack, by an incoming webhook. Its address is the secret. What others wrote stands in plain text
//! blocks, in which nothing is a link, a mention or a mark.

use async_trait::async_trait;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Channel, Told, Untold, Words};
use crate::outgoing::Outgoing;

/// Longest header there, in characters.
const HEADER_MAX: usize = 150;
/// Longest text of a block there, in characters.
const SECTION_MAX: usize = 3_000;

/// One room.
pub(super) struct Slack {
    pub(super) outgoing: Outgoing,
}

#[async_trait]
impl Channel for Slack {
    async fn tell(&self, words: &Words) -> Result<Told, Untold> {
        let call = self.outgoing.call(Method::POST, &[]).json(&message(words));
        let answer = self.outgoing.send(call).await?;
        if answer.status == 200 {
            return Ok(Told { read_back: false });
        }
        Err(Untold::status(&self.outgoing, &answer))
    }
}

fn message(words: &Words) -> Value {
    let sign = if words.is_page() { "🔴" } else { "🔵" };
    let title = [sign, " ", &words.title].concat();
    let mut facts = vec![words.sentence.clone()];
    let named = words.facts().into_iter();
    facts.extend(named.map(|(name, text)| [name, ": ", text].concat()));
    let mut blocks = vec![
        json!({ "type": "header", "text": plain(&title, HEADER_MAX) }),
        json!({ "type": "section", "text": plain(&facts.join("\n"), SECTION_MAX) }),
    ];
    let links: Vec<String> = words.links.iter().map(link).collect();
    if !links.is_empty() {
        let text = json!({ "type": "mrkdwn", "text": links.join("  ·  ") });
        blocks.push(json!({ "type": "section", "text": text }));
    }
    let id = ["id ", &words.id].concat();
    blocks.push(json!({ "type": "context", "elements": [plain(&id, SECTION_MAX)] }));
    // What a notification shows, and those who cannot see blocks.
    let text = escaped(&[&title, ": ", &words.sentence].concat());
    json!({ "text": text, "mrkdwn": false, "unfurl_links": false, "blocks": blocks })
}

fn plain(text: &str, max: usize) -> Value {
    let text: String = text.chars().take(max).collect();
    json!({ "type": "plain_text", "text": text, "emoji": false })
}

/// In its marked text a link is `<address|name>`, and a `|` in the address would end it.
fn link((name, address): &(&'static str, String)) -> String {
    let address = escaped(address).replace('|', "%7C");
    ["<", &address, "|", name, ">"].concat()
}

/// The three characters that act in its text.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
