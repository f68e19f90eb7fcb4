//! Who follows an environment, and who is behind.

mod histogram;

use std::collections::BTreeMap;

use askama::Template;
use leverframe_wire::admin::{Confirmation, Evaluator, Fleet as Everybody};

use self::histogram::{Histogram, name};
use crate::badge::{Badge, Tone};
use crate::shell::Shell;
use crate::text::count;

/// Most evaluators on one page; those behind come first.
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

impl Fleet {
    fn is_shown(&self, evaluator: &Evaluator) -> bool {
        let search = self.search.to_lowercase();
        let has = |text: &str| text.to_lowercase().contains(&search);
        (!self.only_behind || is_behind(evaluator))
            && (search.is_empty()
                || has(&evaluator.instance)
                || has(&evaluator.application)
                || has(&evaluator.build))
    }

    fn matching(&self) -> usize {
        let all = self.fleet.evaluators.iter();
        all.filter(|one| self.is_shown(one)).count()
    }

    fn rows(&self) -> Vec<&Evaluator> {
        let all = self.fleet.evaluators.iter();
        all.filter(|one| self.is_shown(one))
            .take(ROWS_MAX)
            .collect()
    }

    fn builds(&self) -> Vec<Build> {
        let mut builds: BTreeMap<(&str, &str), (u64, u64)> = BTreeMap::new();
        for one in &self.fleet.evaluators {
            let (all, behind) = builds.entry((&one.application, &one.build)).or_default();
            *all += 1;
            *behind += u64::from(is_behind(one));
        }
        builds
            .into_iter()
            .map(|((application, build), (evaluators, behind))| Build {
                application: application.to_owned(),
                build: build.to_owned(),
                evaluators,
                behind,
            })
            .collect()
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
