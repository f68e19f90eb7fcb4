//! Tokens: who may do what.

use askama::Template;
use jiff::Timestamp;
use leverframe_wire::admin::{CreatedToken, Role, Token};

use crate::badge::{Badge, Tone};
use crate::link::Link;
use crate::shell::Shell;
use crate::stored::Stored;

/// Most tokens on one page.
const ROWS_MAX: usize = 100;

/// Tokens, without their secrets; and the one that was just made, with it.
#[derive(Debug, Template)]
#[template(path = "settings_tokens.html")]
pub struct Tokens {
    /// Around it.
    pub shell: Shell,
    /// All of them, in any order.
    pub tokens: Vec<Token>,
    /// The environments that there are.
    pub environments: Vec<String>,
    /// The id of the visitor's own.
    pub own: String,
    /// What name or id have to contain.
    pub search: String,
    /// Whether those that were revoked or have expired are shown as well.
    pub is_whole: bool,
    /// The id of the last one on the page before.
    pub after: String,
    /// The one that was just made. Shown in the answer to the form alone.
    pub created: Option<CreatedToken>,
    /// What was asked for and refused.
    pub asked: AskedToken,
    /// What came of the revocation before this page.
    pub stored: Option<Stored>,
}

/// The token that somebody wants to make, as the form has it.
#[derive(Debug)]
pub struct AskedToken {
    /// What people are to call it.
    pub name: String,
    /// What it may do, as the API writes it.
    pub role: String,
    /// The environments that were ticked.
    pub environments: Vec<String>,
    /// The globs of flag keys, as they were typed.
    pub keys: String,
    /// How long it works, in seconds, or `never`.
    pub ttl: String,
    /// Why.
    pub reason: String,
}

impl AskedToken {
    fn has_role(&self, role: &str) -> bool {
        self.role == role
    }

    fn has_environment(&self, key: &str) -> bool {
        self.environments.iter().any(|one| one == key)
    }

    fn has_ttl(&self, ttl: &str) -> bool {
        self.ttl == ttl
    }
}

impl Default for AskedToken {
    /// What takes the least thought takes the least rights as well.
    fn default() -> Self {
        Self {
            name: String::new(),
            role: "brake".to_owned(),
            environments: Vec::new(),
            keys: String::new(),
            ttl: "7776000".to_owned(),
            reason: String::new(),
        }
    }
}

/// A role with what it may do.
const ROLES: [(&str, &str); 6] = [
    ("viewer", "reads everything but secrets"),
    (
        "brake",
        "reads, and may only close or lower: for automation and agents",
    ),
    ("operator", "everything with flags, levers and rollouts"),
    (
        "admin",
        "everything, tokens and environments as well; for every environment and flag",
    ),
    (
        "evaluator",
        "a server-side application: follows one environment; opens no page",
    ),
    (
        "client-evaluator",
        "a browser or a phone: values of client-visible flags of one environment; opens no page",
    ),
];

/// How long a token may work.
const LIVES: [(&str, &str); 6] = [
    ("86400", "1 day"),
    ("604800", "7 days"),
    ("2592000", "30 days"),
    ("7776000", "90 days"),
    ("31536000", "1 year"),
    ("never", "until it is revoked"),
];

/// Whether a token works, and if not why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Works,
    Expired,
    Revoked,
}

impl Tokens {
    fn standing(&self, token: &Token) -> Standing {
        let is_over = |at: &String| at.parse::<Timestamp>().is_ok_and(|at| at <= self.shell.now);
        if token.revoked_at.is_some() {
            Standing::Revoked
        } else if token.expires_at.as_ref().is_some_and(is_over) {
            Standing::Expired
        } else {
            Standing::Works
        }
    }

    fn badge(&self, token: &Token) -> Badge {
        match self.standing(token) {
            Standing::Works => Badge::new("✓", "works", Tone::Good),
            Standing::Expired => Badge::new("◼", "expired", Tone::Quiet),
            Standing::Revoked => Badge::new("✗", "revoked", Tone::Bad),
        }
    }

    fn is_own(&self, token: &Token) -> bool {
        token.id == self.own
    }

    fn works(&self, token: &Token) -> bool {
        self.standing(token) == Standing::Works
    }

    fn matching(&self) -> Vec<&Token> {
        let search = self.search.to_lowercase();
        let has = |text: &str| text.to_lowercase().contains(&search);
        let mut found: Vec<_> = self
            .tokens
            .iter()
            .filter(|token| self.is_whole || self.works(token))
            .filter(|token| search.is_empty() || has(&token.name) || has(&token.id))
            .collect();
        found.sort_by(|one, other| (&other.created_at, &other.id).cmp(&(&one.created_at, &one.id)));
        found
    }

    /// The newest first, beginning after the last one of the page before.
    fn rows(&self) -> Vec<&Token> {
        let matching = self.matching();
        let before = matching.iter().position(|token| token.id == self.after);
        let from = before.map_or(0, |index| index + 1);
        matching.into_iter().skip(from).take(ROWS_MAX).collect()
    }

    fn next_page(&self) -> Option<Link> {
        let last = self.rows().last().map(|token| token.id.clone())?;
        let is_end = self.matching().last().is_none_or(|token| token.id == last);
        let link = self.shell.link(["settings", "tokens"]);
        let link = link.with_some("q", Some(&self.search));
        let link = if self.is_whole {
            link.with("all", 1)
        } else {
            link
        };
        (!is_end).then(|| link.with("after", last))
    }
}

fn role_word(role: &Role) -> &'static str {
    match role {
        Role::Viewer => "viewer",
        Role::Evaluator => "evaluator",
        Role::ClientEvaluator => "client-evaluator",
        Role::Brake => "brake",
        Role::Operator => "operator",
        Role::Admin => "admin",
    }
}

fn or_every(names: &[String]) -> String {
    if names.is_empty() {
        "every one".to_owned()
    } else {
        names.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(number: usize, expires_at: Option<&str>, revoked_at: Option<&str>) -> Token {
        Token {
            id: format!("tok_{number:04}"),
            name: format!("token {number}"),
            role: Role::Viewer,
            environments: Vec::new(),
            keys: Vec::new(),
            created_at: format!("2026-11-21T10:{:02}:{:02}Z", number / 60, number % 60),
            expires_at: expires_at.map(str::to_owned),
            revoked_at: revoked_at.map(str::to_owned),
        }
    }

    fn page(tokens: Vec<Token>) -> Tokens {
        Tokens {
            shell: Shell::bare("Tokens", "2026-11-21T12:00:00Z".parse().unwrap()),
            tokens,
            environments: Vec::new(),
            own: String::new(),
            search: String::new(),
            is_whole: false,
            after: String::new(),
            created: None,
            asked: AskedToken::default(),
            stored: None,
        }
    }

    #[test]
    fn those_that_work_are_shown_and_the_others_when_they_are_asked_for() {
        let mut page = page(vec![
            token(1, None, None),
            token(2, Some("2026-11-21T11:59:59Z"), None),
            token(3, Some("2026-11-21T12:00:01Z"), None),
            token(4, None, Some("2026-11-21T11:00:00Z")),
        ]);
        let ids = |page: &Tokens| -> Vec<String> {
            page.rows().iter().map(|token| token.id.clone()).collect()
        };
        assert_eq!(ids(&page), ["tok_0003", "tok_0001"]);
        page.is_whole = true;
        assert_eq!(ids(&page), ["tok_0004", "tok_0003", "tok_0002", "tok_0001"]);
        page.search = "TOKEN 2".to_owned();
        assert_eq!(ids(&page), ["tok_0002"]);
    }

    #[test]
    fn every_token_is_on_one_page() {
        let mut page = page((0..250).map(|number| token(number, None, None)).collect());
        let mut seen = Vec::new();
        loop {
            seen.extend(page.rows().iter().map(|token| token.id.clone()));
            if page.next_page().is_none() {
                break;
            }
            page.after = seen.last().unwrap().clone();
        }
        assert_eq!(seen.len(), 250);
        seen.dedup();
        assert_eq!(seen.len(), 250);
        assert_eq!(seen[0], "tok_0249");
    }
}
