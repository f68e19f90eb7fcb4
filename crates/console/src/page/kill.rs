//! The big lever: which flags there are to close, what closing one does, and the pull itself.

use askama::Template;
use leverframe_wire::admin::{FlagDefinition, Freeze, Lever, Position};

use crate::badge::Badge;
use crate::chart::Plot;
use crate::link::Link;
use crate::markdown::{Markdown, first_sentence};
use crate::page::Pulled;
use crate::shell::Shell;
use crate::text::count;

/// What a click says in the place of a reason. The first is the likeliest at night.
const CHIPS: [&str; 6] = [
    "errors up",
    "slow",
    "wrong data",
    "customer report",
    "drill",
    "other",
];

/// Which flags to kill.
#[derive(Debug, Template)]
#[template(path = "kill.html")]
pub struct Kill {
    /// Around it.
    pub shell: Shell,
    /// How they are chosen.
    pub choice: Selected,
    /// What the search has to find.
    pub search: String,
    /// The levers, those that were moved lately first.
    pub rows: Vec<Row>,
    /// How many there are.
    pub matching: usize,
    /// How many of them are not closed.
    pub not_closed: usize,
    /// What was filled in.
    pub filled: Filled,
    /// Why this visitor may not pull, if so.
    pub barred: Option<String>,
    /// Why nothing is opened here now.
    pub freeze: Option<Freeze>,
    /// What became of the last pull; it takes the lever's place.
    pub pulled: Option<Pulled>,
}

/// How the flags of a kill are chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selected {
    /// By ticking boxes.
    Ticked,
    /// By ticking boxes; those opened in the last half hour are ticked already.
    Recent,
    /// Every flag of an owner.
    Owner(String),
    /// Every flag with a tag.
    Tag(String),
}

/// A lever to choose.
#[derive(Debug, Clone)]
pub struct Row {
    /// It.
    pub lever: Lever,
    /// Who answers for the flag.
    pub owner: String,
    /// One line for people.
    pub description: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// Why it stands where it does in the list.
    pub group: Group,
    /// Whether its box is ticked.
    pub is_ticked: bool,
    /// Whether this visitor's token is for it: one that it is not for would have all of them refused,
    /// and so has no box.
    pub is_allowed: bool,
}

/// Where a lever stands in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// It was ticked before the page was made anew.
    Ticked,
    /// It was moved in the last hour.
    JustMoved,
    /// It lets somebody through.
    NotAtRest,
    /// It is closed.
    AtRest,
}

impl Group {
    fn words(self) -> &'static str {
        match self {
            Self::Ticked => "Ticked",
            Self::JustMoved => "Changed in the last hour",
            Self::NotAtRest => "Not at rest",
            Self::AtRest => "At rest",
        }
    }
}

/// What was filled in beside the choice.
#[derive(Debug, Clone, Default)]
pub struct Filled {
    /// The reason's chip.
    pub chip: String,
    /// The reason in words.
    pub reason: String,
    /// The incident.
    pub incident: String,
}

impl Filled {
    /// Every chip, and whether it is chosen.
    pub fn chips(&self) -> impl Iterator<Item = (&'static str, bool)> {
        CHIPS.into_iter().map(|chip| (chip, chip == self.chip))
    }
}

impl Kill {
    fn groups(&self) -> Vec<(&'static str, Vec<&Row>)> {
        let mut groups: Vec<(&'static str, Vec<&Row>)> = Vec::new();
        for row in &self.rows {
            match groups.last_mut() {
                Some((words, rows)) if *words == row.group.words() => rows.push(row),
                _ => groups.push((row.group.words(), vec![row])),
            }
        }
        groups
    }

    /// A flag of the rows is chosen by its box, and not with all the others.
    fn has_boxes(&self) -> bool {
        matches!(self.choice, Selected::Ticked | Selected::Recent)
    }

    fn lever_words(&self) -> String {
        let here = &self.shell.environment;
        let flags = || count(&self.matching, "flag", "flags");
        match &self.choice {
            Selected::Ticked | Selected::Recent => format!("Kill what is ticked in {here}"),
            Selected::Owner(owner) => format!("Kill {} of {owner} in {here}", flags()),
            Selected::Tag(tag) => format!("Kill {} tagged {tag} in {here}", flags()),
        }
    }

    fn action(&self) -> Link {
        self.shell.link(["kill"])
    }

    fn found(&self) -> String {
        let all = count(&self.matching, "lever", "levers");
        let not_closed = match self.not_closed {
            0 => "all closed".to_owned(),
            some => format!("{some} not closed"),
        };
        match self.rows.len() < self.matching {
            true => format!(
                "{all}, {not_closed}; the first {} are shown",
                self.rows.len()
            ),
            false => format!("{all}, {not_closed}"),
        }
    }

    /// The levers that were opened in the last half hour, ticked.
    fn recent_link(&self) -> Link {
        self.action()
            .with("recent", "30m")
            .with_some("inc", Some(&self.filled.incident))
    }

    fn everything_link(&self) -> Link {
        self.action().with_some("inc", Some(&self.filled.incident))
    }

    fn flag_link(&self, key: &str) -> Link {
        let incident = Some(&self.filled.incident);
        self.shell.kill_link(key).with_some("inc", incident)
    }

    fn owner_link(&self, owner: &str) -> Link {
        let incident = Some(&self.filled.incident);
        let link = self.action().with("owner", owner);
        link.with_some("inc", incident)
    }

    fn tag_link(&self, tag: &str) -> Link {
        let incident = Some(&self.filled.incident);
        let link = self.action().with("tag", tag);
        link.with_some("inc", incident)
    }
}

/// One flag to kill.
#[derive(Debug, Template)]
#[template(path = "kill_flag.html")]
pub struct KillFlag {
    /// Around it.
    pub shell: Shell,
    /// Where it stands.
    pub lever: Lever,
    /// What it is.
    pub definition: FlagDefinition,
    /// What closing does to those who have it open this far; nothing where it does no harm.
    pub harm: Option<String>,
    /// What was filled in.
    pub filled: Filled,
    /// Why this visitor may not pull, if so.
    pub barred: Option<String>,
    /// Why nothing is opened here now.
    pub freeze: Option<Freeze>,
    /// What became of the last pull; it takes the lever's place while that is the lever's last move.
    pub pulled: Option<Pulled>,
    /// How its users fail just now; nothing where no outcomes are reported.
    pub errors: Option<Plot>,
}

impl KillFlag {
    fn lever_words(&self) -> String {
        format!("Kill {} in {}", self.lever.flag, self.shell.environment)
    }

    fn action(&self) -> Link {
        self.shell.link(["kill"])
    }

    /// What closing does, in one sentence.
    fn sentence(&self) -> Option<String> {
        first_sentence(&self.definition.runbook)
    }

    /// What everybody gets once it is closed.
    fn outcome(&self) -> String {
        let closed = &self.definition.closed;
        let value = self.definition.variants.get(closed);
        let value = value.map_or_else(String::new, |value| format!(" ({})", clipped(value)));
        format!(
            "Everybody in {} gets {closed}{value}",
            self.shell.environment
        )
    }

    /// Whether the runbook says more than its first sentence.
    fn has_more(&self) -> bool {
        let sentence = self.sentence();
        sentence.is_some_and(|sentence| sentence != self.definition.runbook.trim())
    }

    /// Where the lever was moved to after the pull that is told of.
    fn since(&self) -> Option<u64> {
        let pulled = self.pulled.as_ref()?.revision?;
        self.lever.moved_revision.filter(|moved| *moved > pulled)
    }

    fn is_killed(&self) -> bool {
        matches!(self.lever.position, Position::Closed { latched: true, .. })
    }

    fn runbook(&self) -> Markdown {
        Markdown::new(&self.definition.runbook)
    }

    fn others_link(&self) -> Link {
        let incident = Some(&self.filled.incident);
        self.action().with_some("inc", incident)
    }
}

/// A value as far as it fits into a sentence.
fn clipped(value: &impl std::fmt::Display) -> String {
    const MOST: usize = 60;
    let text = value.to_string();
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
