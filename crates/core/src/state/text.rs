//! The state as a node keeps it beside its journal: four lines of JSON, so that a start can read
//! them at the same time. The first says what is in the others; they are the flags, the segments
//! and what undo needs.

use std::fmt;
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::history::History;
use super::journeys::KeptJourneys;
use super::repeat::Repeats;
use super::snapshot::{SNAPSHOT_FORMAT, SnapshotError};
use super::thrift::Thrift;
use super::{
    Answered, EnvironmentEntry, Flag, Flags, SegmentEntry, Segments, State, TokenEntry, Touched,
};
use crate::record::Link;
use crate::time::Timestamp;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    format: u32,
    journal: Arc<str>,
    epoch: u64,
    revision: u64,
    head: Link,
    at: Timestamp,
    environments: Vec<EnvironmentEntry>,
    tokens: Vec<Arc<TokenEntry>>,
    answered: Vec<Answered>,
    journeys: KeptJourneys,
}

impl State {
    /// The state in a form that can be stored: UTF-8 text.
    ///
    /// # Errors
    /// When it cannot be written as JSON, which no state made here can cause.
    pub fn to_text(&self) -> Result<Vec<u8>, serde_json::Error> {
        let head = Head {
            format: SNAPSHOT_FORMAT,
            journal: Arc::clone(&self.journal),
            epoch: self.epoch,
            revision: self.revision,
            head: self.head,
            at: self.at,
            environments: self.environments.values().cloned().collect(),
            tokens: self.tokens.values().cloned().collect(),
            answered: self.repeats.iter().cloned().collect(),
            journeys: self.journeys.kept(),
        };
        let mut text = Vec::new();
        serde_json::to_writer(&mut text, &head)?;
        text.push(b'\n');
        list(&mut text, self.flags.values())?;
        text.push(b'\n');
        list(&mut text, self.segments.values())?;
        text.push(b'\n');
        list(&mut text, self.history.iter())?;
        Ok(text)
    }

    /// The state that a text was made of.
    ///
    /// # Errors
    /// [`SnapshotError`] when another version wrote it or it was altered.
    pub fn from_text(text: &[u8]) -> Result<Self, SnapshotError> {
        let mut lines = text.split(|byte| *byte == b'\n');
        let mut line = || lines.next().unwrap_or_default();
        let (head, flags, segments, touched) = (line(), line(), line(), line());
        if lines.next().is_some() {
            let why = "it goes on after its end".to_owned();
            return Err(SnapshotError::Unreadable { why });
        }
        let head: Head = serde_json::from_slice(head)?;
        if head.format != SNAPSHOT_FORMAT {
            return Err(SnapshotError::Format { found: head.format });
        }
        let (flags, others) = std::thread::scope(|scope| {
            let others = scope.spawn(|| Ok((read_segments(segments)?, read_history(touched)?)));
            let flags = read_flags(flags);
            (flags, others.join())
        });
        let others: Result<(Segments, History), serde_json::Error> = match others {
            Ok(others) => others,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        let (segments, mut history) = others?;
        let flags = flags?;
        history.share_keys(&flags);
        let mut repeats = Repeats::default();
        for answered in head.answered {
            repeats.insert(answered);
        }
        let environments = head.environments.into_iter();
        let tokens = head.tokens.into_iter();
        Ok(Self {
            journal: head.journal,
            epoch: head.epoch,
            revision: head.revision,
            head: head.head,
            at: head.at,
            environments: environments
                .map(|entry| (entry.environment.key.clone(), entry))
                .collect(),
            flags,
            segments,
            tokens: tokens
                .map(|entry| (entry.token.id.clone(), entry))
                .collect(),
            repeats,
            history,
            journeys: head.journeys.into(),
        })
    }
}

fn list<T: Serialize>(
    into: &mut Vec<u8>,
    items: impl IntoIterator<Item = T>,
) -> Result<(), serde_json::Error> {
    use serde::Serializer as _;
    serde_json::Serializer::new(into).collect_seq(items)
}

fn read_flags(line: &[u8]) -> Result<Flags, serde_json::Error> {
    let mut flags = Vec::new();
    let mut thrift = Thrift::default();
    each(line, |mut flag: Flag| {
        thrift.flag(&mut flag);
        flags.push((flag.key().clone(), Arc::new(flag)));
    })?;
    Ok(flags.into_iter().collect())
}

fn read_segments(line: &[u8]) -> Result<Segments, serde_json::Error> {
    let mut segments = Vec::new();
    each(line, |entry: SegmentEntry| {
        segments.push((entry.segment.key.clone(), Arc::new(entry)));
    })?;
    Ok(segments.into_iter().collect())
}

fn read_history(line: &[u8]) -> Result<History, serde_json::Error> {
    let mut history = History::default();
    let mut thrift = Thrift::default();
    each(line, |mut touched: Touched| {
        thrift.touched(&mut touched);
        history.push(Arc::new(touched));
    })?;
    Ok(history)
}

/// Hands over the items of a list one by one, as they are read.
fn each<'de, T: Deserialize<'de>>(
    line: &'de [u8],
    take: impl FnMut(T),
) -> Result<(), serde_json::Error> {
    // Checked once, and not for every text in it.
    let line = std::str::from_utf8(line).map_err(serde_json::Error::custom)?;
    let mut reader = serde_json::Deserializer::from_str(line);
    Each(take, std::marker::PhantomData::<T>).deserialize(&mut reader)?;
    reader.end()
}

struct Each<F, T>(F, std::marker::PhantomData<T>);

impl<'de, T: Deserialize<'de>, F: FnMut(T)> DeserializeSeed<'de> for Each<F, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T: Deserialize<'de>, F: FnMut(T)> Visitor<'de> for Each<F, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        while let Some(item) = list.next_element()? {
            (self.0)(item);
        }
        Ok(())
    }
}
