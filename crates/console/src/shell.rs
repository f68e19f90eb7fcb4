//! What is around every page: where one is, who one is, how fresh it is, and what went wrong.

use jiff::Timestamp;
use leverframe_wire::admin::Problem;

use crate::asset::{ICON, SCRIPT, STYLE};
use crate::link::Link;
use crate::text::When;

/// A place in the navigation. Releases and DORA stand between rollouts and audit once they exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// What runs, what is not at rest, what needs somebody.
    Now,
    /// The big lever.
    Kill,
    /// Flags, their rules and segments.
    Flags,
    /// Rollouts and plans.
    Rollouts,
    /// The journal.
    Audit,
    /// Evaluators.
    Fleet,
    /// Environments, tokens and what is outside.
    Settings,
}

impl Place {
    const ALL: [(Self, &'static str, &'static str); 7] = [
        (Self::Now, "now", "Now"),
        (Self::Kill, "kill", "Kill"),
        (Self::Flags, "flags", "Flags"),
        (Self::Rollouts, "rollouts", "Rollouts"),
        (Self::Audit, "audit", "Audit"),
        (Self::Fleet, "fleet", "Fleet"),
        (Self::Settings, "settings", "Settings"),
    ];
}

/// One way to go.
#[derive(Debug, Clone)]
pub struct Choice {
    /// Where to.
    pub link: Link,
    /// What it says.
    pub words: String,
    /// Whether one is there.
    pub is_current: bool,
    /// Whether openings are guarded there.
    pub is_guarded: bool,
}

/// What a refused request was refused for. Shown on top of the page it came from.
#[derive(Debug, Clone)]
pub struct Failing {
    /// What it is called.
    pub title: String,
    /// Which, and what to do.
    pub detail: String,
    /// The field that is wrong, as the API calls it.
    pub field: Option<String>,
}

impl From<&Problem> for Failing {
    fn from(problem: &Problem) -> Self {
        Self {
            title: problem.title.clone(),
            detail: problem.detail.clone(),
            field: problem.field.clone(),
        }
    }
}

/// What is around every page.
#[derive(Debug, Clone)]
pub struct Shell {
    /// What the page is called; the first heading and the tab.
    pub title: String,
    /// Where in the navigation, if anywhere.
    pub place: Option<Place>,
    /// The environment that is looked at; empty on pages that are of none.
    pub environment: String,
    /// Whether openings are guarded there.
    pub is_guarded: bool,
    /// The same page in each environment.
    pub environments: Vec<Choice>,
    /// Who is signed in; empty for nobody.
    pub who: String,
    /// What they are.
    pub role: String,
    /// The journal's revision that the page shows.
    pub revision: u64,
    /// When it was made.
    pub now: Timestamp,
    /// What everybody should know: kills that are not stored, pages that did not go out.
    pub alarms: Vec<String>,
    /// Why what was asked for was not done.
    pub failing: Option<Failing>,
    /// Without a script, after how many seconds the page is fetched again.
    pub refresh_s: Option<u32>,
    /// Whether the script keeps the page live.
    pub is_live: bool,
    /// Names a change that a form of this page asks for, so that asking twice changes once.
    pub idempotency: String,
}

impl Shell {
    /// Around a page of nobody and nothing, such as the one to sign in on.
    #[must_use]
    pub fn bare(title: impl Into<String>, now: Timestamp) -> Self {
        Self {
            title: title.into(),
            place: None,
            environment: String::new(),
            is_guarded: false,
            environments: Vec::new(),
            who: String::new(),
            role: String::new(),
            revision: 0,
            now,
            alarms: Vec::new(),
            failing: None,
            refresh_s: None,
            is_live: false,
            idempotency: String::new(),
        }
    }

    /// Whether somebody is signed in.
    #[must_use]
    pub fn is_signed_in(&self) -> bool {
        !self.who.is_empty()
    }

    /// The navigation.
    #[must_use]
    pub fn places(&self) -> Vec<Choice> {
        Place::ALL
            .iter()
            .map(|(place, path, words)| Choice {
                link: self.link([*path]),
                words: (*words).to_owned(),
                is_current: self.place == Some(*place),
                is_guarded: false,
            })
            .collect()
    }

    /// A page of the same environment.
    pub fn link<S: AsRef<str>>(&self, segments: impl IntoIterator<Item = S>) -> Link {
        Link::to(segments).with_some("env", Some(&self.environment))
    }

    /// The page of a flag, in this environment.
    #[must_use]
    pub fn flag_link(&self, key: &str) -> Link {
        self.link(["flags", key])
    }

    /// Where a flag is killed, in this environment.
    #[must_use]
    pub fn kill_link(&self, key: &str) -> Link {
        self.link(["kill", key])
    }

    /// The page of a rollout.
    #[must_use]
    pub fn rollout_link(&self, id: &str) -> Link {
        self.link(["rollouts", id])
    }

    /// The page of a record.
    #[must_use]
    pub fn record_link(&self, revision: &u64) -> Link {
        self.link(["audit", &revision.to_string()])
    }

    /// A moment in RFC 3339, as people read it.
    #[must_use]
    pub fn when(&self, at: &str) -> When {
        When::new(at, self.now)
    }

    /// The moment the page was made.
    #[must_use]
    pub fn made(&self) -> When {
        When::new(&self.now.to_string(), self.now)
    }

    /// Where the notices come from.
    #[must_use]
    pub fn stream(&self) -> Link {
        self.link(["live"]).with("since", self.revision)
    }

    /// Where the style is.
    #[must_use]
    pub fn style(&self) -> &'static str {
        &STYLE.path
    }

    /// Where the script is.
    #[must_use]
    pub fn script(&self) -> &'static str {
        &SCRIPT.path
    }

    /// Where the tab's picture is.
    #[must_use]
    pub fn icon(&self) -> &'static str {
        &ICON.path
    }
}
