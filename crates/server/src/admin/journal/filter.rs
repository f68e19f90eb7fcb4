//! Which records are wanted, and the bounded walk back through the journal that finds them.

use std::sync::Arc;

use leverframe_core::access::Token;
use leverframe_core::state::State as Fold;
use leverframe_core::{Entry, Timestamp};
use leverframe_node::StoreError;
use leverframe_wire::admin::{Change, JournalPage, RecordView};
use serde::Deserialize;

use super::sight::{is_of_flag, shown};
use crate::limit::{JOURNAL_CHUNK, JOURNAL_SCAN_MAX};
use crate::problem::Failure;

/// Which records to list.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// None before this, in RFC 3339.
    pub(crate) since: Option<String>,
    /// None after this, in RFC 3339.
    pub(crate) until: Option<String>,
    /// Only what changed this flag.
    pub(crate) flag: Option<String>,
    /// Only what moved a lever in this environment.
    pub(crate) environment: Option<String>,
    /// With `environment`: also what belongs to none, such as definitions.
    #[serde(default)]
    pub(crate) global: bool,
    /// Only what this actor did, by id or name.
    pub(crate) actor: Option<String>,
    /// Only revisions before this one.
    pub(crate) before: Option<u64>,
    /// How many.
    pub(crate) limit: Option<usize>,
}

pub(super) struct Filter {
    state: Arc<Fold>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    wanted: Wanted,
    token: Token,
}

impl Filter {
    pub(super) fn new(wanted: &Wanted, token: &Token, state: Arc<Fold>) -> Result<Self, Failure> {
        let time = |field: &str, text: &Option<String>| {
            text.as_deref()
                .map(|text| {
                    text.parse::<jiff::Timestamp>()
                        .map(|time| Timestamp::from_ms(time.as_millisecond()))
                        .map_err(|error| {
                            Failure::invalid(
                                field,
                                format!("a time is written 2026-12-31T23:59:59Z: {error}"),
                            )
                        })
                })
                .transpose()
        };
        Ok(Self {
            state,
            since: time("since", &wanted.since)?,
            until: time("until", &wanted.until)?,
            wanted: wanted.clone(),
            token: token.clone(),
        })
    }

    /// Goes back from `before` until the page is full, `since` is passed, or enough was looked at.
    pub(super) fn page(
        &self,
        before: u64,
        size: usize,
        read: impl Fn(u64, u64) -> Result<Vec<Entry>, StoreError>,
    ) -> Result<JournalPage, StoreError> {
        let mut records = Vec::new();
        let mut end = before;
        let stop = before.saturating_sub(JOURNAL_SCAN_MAX).max(1);
        while end > stop {
            let begin = end.saturating_sub(JOURNAL_CHUNK).max(stop);
            let entries = read(begin - 1, end - begin)?;
            for entry in entries.iter().rev() {
                if self.since.is_some_and(|since| entry.record.at < since) {
                    return Ok(JournalPage {
                        records,
                        next: None,
                    });
                }
                end = entry.record.revision;
                if let Some(view) = self.view(entry) {
                    records.push(view);
                    if records.len() == size {
                        return Ok(JournalPage {
                            records,
                            next: (end > 1).then_some(end),
                        });
                    }
                }
            }
            end = begin;
        }
        Ok(JournalPage {
            records,
            next: (end > 1).then_some(end),
        })
    }

    pub(super) fn view(&self, entry: &Entry) -> Option<RecordView> {
        let record = &entry.record;
        if self.until.is_some_and(|until| record.at > until) {
            return None;
        }
        let is_actor = |actor: &String| **actor == *record.actor || **actor == *record.actor_name;
        if !self.wanted.actor.as_ref().is_none_or(is_actor) {
            return None;
        }
        let view = shown(entry, &self.token, &self.state)?;
        let concerns = |change: &Change| {
            let is_flag = |flag: &String| is_of_flag(change, flag, &self.state);
            let is_there = |environment: &String| match &change.environment {
                Some(place) => place == environment,
                None => self.wanted.global && is_of_any(change, environment),
            };
            self.wanted.flag.as_ref().is_none_or(is_flag)
                && self.wanted.environment.as_ref().is_none_or(is_there)
        };
        let is_any = self.wanted.flag.is_none() && self.wanted.environment.is_none();
        (is_any || view.changes.iter().any(concerns)).then_some(view)
    }
}

/// Whether what belongs to no environment may concern this one.
fn is_of_any(change: &Change, environment: &str) -> bool {
    change.noun != "environment" || change.key == environment
}
