//! Who follows an environment, and who is behind.

mod histogram;

use std::collections::BTreeMap;

use askama::Template;
use leverframe_wire::admin::{Confirmation, Evaluator, Fleet as Everybody};

use self::histogram::{Histogram, name};
use crate::badge::{Badge, Tone};
use crate::shell::Shell;
use crate::text::count;

/// Most evaluators on one page, those behind first, and most builds.
const ROWS_MAX: usize = 200;

/// The evaluators of an environment.
#[derive(Debug, Template)]
#[template(path = "fleet.html")]
pub struct Fleet {
    /// Around it.
    pub shell: Shell,
    /// Everybody, those behind first.
    pub fleet: Everybody,
    /// Who has the newest change.
    pub confirmation: Confirmation,
    /// What instance, application or build have to contain.
    pub search: String,
    /// Whether only those behind are shown.
    pub only_behind: bool,
}

/// Evaluators of one application and build.
#[derive(Debug)]
struct Build {
    application: String,
    build: String,
    evaluators: u64,
    behind: u64,
}

/// The first rows of a table, and how many there are in all.
#[derive(Debug)]
struct Rows<T> {
    first: Vec<T>,
    all: usize,
}

impl<T> Rows<T> {
    fn of(mut all: impl Iterator<Item = T>) -> Self {
        let first: Vec<T> = all.by_ref().take(ROWS_MAX).collect();
        Self {
            all: first.len() + all.count(),
            first,
        }
    }

    /// What is said where not all are shown.
    fn short(&self) -> String {
        match self.all > self.first.len() {
            true => format!(", the first {} shown", self.first.len()),
            false => String::new(),
        }
    }
}

impl Fleet {
    fn evaluators(&self) -> Rows<&Evaluator> {
        let search = self.search.to_lowercase();
        let has = |text: &str| text.to_lowercase().contains(&search);
        let is_shown = |one: &&Evaluator| {
            (!self.only_behind || is_behind(one))
                && (search.is_empty()
                    || has(&one.instance)
                    || has(&one.application)
                    || has(&one.build))
        };
        Rows::of(self.fleet.evaluators.iter().filter(is_shown))
    }

    fn builds(&self) -> Rows<Build> {
        let mut builds: BTreeMap<(&str, &str), (u64, u64)> = BTreeMap::new();
        for one in &self.fleet.evaluators {
            let (all, behind) = builds.entry((&one.application, &one.build)).or_default();
            *all += 1;
            *behind += u64::from(is_behind(one));
        }
        let builds = builds.into_iter();
        Rows::of(
            builds.map(|((application, build), (evaluators, behind))| Build {
                application: application.to_owned(),
                build: build.to_owned(),
                evaluators,
                behind,
            }),
        )
    }

    fn histogram(&self) -> Histogram<'_> {
        Histogram(&self.fleet.propagation)
    }

    fn summary(&self) -> String {
        let has = &self.confirmation;
        match has.expected {
            0 => format!("Nobody follows {}.", has.environment),
            _ => format!(
                "{} of {} at r{}.",
                has.confirmed,
                count(&has.expected, "evaluator", "evaluators"),
                has.revision
            ),
        }
    }
}

fn is_behind(evaluator: &Evaluator) -> bool {
    !evaluator.current || !evaluator.connected
}

fn standing(evaluator: &Evaluator) -> Badge {
    match (evaluator.connected, evaluator.current) {
        (true, true) => Badge::new("✓", "current", Tone::Good),
        (true, false) => Badge::new("…", "behind", Tone::Warning),
        (false, _) => Badge::new("!", "silent", Tone::Bad),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fleet(evaluators: usize) -> Fleet {
        let evaluators: Vec<_> = (0..evaluators)
            .map(|number| {
                serde_json::json!({
                    "instance": format!("web-{number:03}"), "application": "shop",
                    "build": format!("b{number:03}"), "client": "c", "connected": true,
                    "current": true, "revision": 7, "last_seen": "2026-11-21T12:00:00Z",
                    "silent_ms": 0, "refused": [],
                })
            })
            .collect();
        let caches = serde_json::json!({"seen": 0, "fetched": 0, "applied": 0});
        let fleet = serde_json::json!({
            "environment": "prod", "revision": 7, "evaluators": evaluators,
            "caches": caches, "propagation": [],
        });
        let confirmation = serde_json::json!({
            "environment": "prod", "revision": 7, "state": "confirmed", "expected": 0,
            "confirmed": 0, "stragglers": [], "caches": caches,
        });
        Fleet {
            shell: Shell::bare("Fleet", "2026-11-21T12:00:00Z".parse().unwrap()),
            fleet: serde_json::from_value(fleet).unwrap(),
            confirmation: serde_json::from_value(confirmation).unwrap(),
            search: String::new(),
            only_behind: false,
        }
    }

    #[test]
    fn however_many_there_are_a_page_shows_some_and_says_of_how_many() {
        let mut many = fleet(ROWS_MAX + 7);
        let page = many.to_string();
        assert_eq!(page.matches("<td>b").count(), 2 * ROWS_MAX);
        for said in [
            "207 evaluators, the first 200 shown",
            "207 builds, the first 200 shown",
        ] {
            assert!(page.contains(said), "{said}: {page}");
        }
        many.search = "WEB-1".to_owned();
        assert_eq!(many.evaluators().all, 100);
        assert!(!fleet(3).to_string().contains("the first"));
    }
}
