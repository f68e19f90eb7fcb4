//! Every flag, as far as it was looked for.

use askama::Template;
use leverframe_wire::admin::{self, FlagList};

use crate::Link;
use crate::badge::Badge;
use crate::shell::Shell;
use crate::sunset::Sunset;
use crate::text::count;
use crate::word::{KINDS, LEVER_STATES};

/// The flags that were looked for, a page of them.
#[derive(Debug, Template)]
#[template(path = "flags.html")]
pub struct Flags {
    /// Around it.
    pub shell: Shell,
    /// This page of them.
    pub flags: FlagList,
    /// How many there are on all pages.
    pub matching: usize,
    /// What was looked for.
    pub search: FlagSearch,
    /// Whether this visitor may create flags.
    pub is_editor: bool,
}

/// What flags are looked for by, as it stands in the address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FlagSearch {
    /// Part of key, description, owner or tag.
    pub q: String,
    /// Who answers for them.
    pub owner: String,
    /// What they are for.
    pub kind: String,
    /// One of their tags.
    pub tag: String,
    /// Where their levers stand, or `archived`.
    pub state: String,
    /// The last key of the page before.
    pub after: String,
}

impl FlagSearch {
    /// Whether something is looked for.
    #[must_use]
    pub fn is_any(&self) -> bool {
        let all = [&self.q, &self.owner, &self.kind, &self.tag, &self.state];
        all.iter().any(|one| !one.is_empty())
    }

    fn link(&self, environment: &str) -> Link {
        Link::to(["flags"])
            .with("env", environment)
            .with_some("q", Some(&self.q))
            .with_some("owner", Some(&self.owner))
            .with_some("kind", Some(&self.kind))
            .with_some("tag", Some(&self.tag))
            .with_some("state", Some(&self.state))
            .with_some("after", Some(&self.after))
    }
}

impl Flags {
    /// The same search with one part of it different.
    fn with(&self, change: impl FnOnce(&mut FlagSearch)) -> Link {
        let mut search = self.search.clone();
        search.after.clear();
        change(&mut search);
        search.link(&self.shell.environment)
    }

    fn owner_link(&self, owner: &str) -> Link {
        self.with(|search| owner.clone_into(&mut search.owner))
    }

    fn tag_link(&self, tag: &str) -> Link {
        self.with(|search| tag.clone_into(&mut search.tag))
    }

    fn all(&self) -> Link {
        self.shell.link(["flags"])
    }

    fn first(&self) -> Link {
        self.with(|_| {})
    }

    fn next(&self) -> Option<Link> {
        let next = self.flags.next.as_ref()?;
        Some(self.with(|search| search.after.clone_from(next)))
    }

    fn lever<'f>(&self, flag: &'f admin::Flag) -> Option<&'f admin::Lever> {
        let mut levers = flag.levers.iter();
        levers.find(|lever| lever.environment == self.shell.environment)
    }

    fn sunset(&self, flag: &admin::Flag) -> Option<Sunset> {
        Sunset::new(flag.definition.sunset.as_deref()?, self.shell.now)
    }

    fn caption(&self) -> String {
        let all = count(&self.matching, "flag", "flags");
        let shown = self.flags.flags.len();
        let what = match self.search.is_any() {
            true => "like this",
            false => "in use",
        };
        match shown == self.matching {
            true => format!("{all} {what}"),
            false => format!("{all} {what}, {shown} of them on this page"),
        }
    }
}
