//! The evaluator: everything about following that does not depend on how frames travel.

use std::sync::Arc;
use std::time::Duration;

use leverframe_flags::{Acknowledgement, Cursor, FlagKey, Follower, Step, Update};
use leverframe_wire::frame::{Counts, Hello, Refusal, SILENCE_MS_MAX};
use leverframe_wire::outcome::{Grid, Outcomes};
use tokio::sync::watch;
use tokio::time::Instant;

use super::identity::Identity;
use super::outbox::Outbox;
use super::pending::Pending;
use super::saver::Saver;
use crate::acknowledged::Observer;
use crate::board::Board;
use crate::cache::DiskCache;
use crate::decode::{self, Decoded};
use crate::freshness::{Source, Standing};

/// A sign of life this long after the hello means that nothing was missed: a server answers a hello
/// with what is missing before anything else.
const NOTHING_MISSED: Duration = Duration::from_secs(1);
/// Longest that a snapshot may be under way.
const SNAPSHOT_TIME_MAX: Duration = Duration::from_millis(SILENCE_MS_MAX);

/// What to do after a frame.
#[derive(Debug)]
pub(super) enum Reply {
    /// Nothing.
    Silence,
    /// Say that it is applied.
    Acknowledge(Pending),
    /// Ask for a snapshot.
    Resync(String),
    /// Leave this server.
    Leave(String),
}

/// Follows one environment, whatever connection the frames come by.
pub(crate) struct Evaluator {
    identity: Identity,
    board: Arc<Board>,
    standing: Arc<Standing>,
    revisions: watch::Sender<u64>,
    observer: Option<Observer>,
    follower: Option<Follower>,
    source: Source,
    forced: Forced,
    outbox: Outbox,
    saver: Option<Saver>,
    cache: Option<DiskCache>,
    /// Set from the hello until the connection ends.
    hello_at: Option<Instant>,
    /// Since when a snapshot that was asked for has not come.
    resyncing_since: Option<Instant>,
    has_applied_since_hello: bool,
    /// Whether the server of this connection has said how it cuts time.
    is_grid_told: bool,
}

#[derive(Default)]
struct Forced {
    flags: Vec<FlagKey>,
    is_all: bool,
}

impl Evaluator {
    pub(crate) fn new(
        identity: Identity,
        board: Arc<Board>,
        standing: Arc<Standing>,
        revisions: watch::Sender<u64>,
        cache: Option<DiskCache>,
        observer: Option<Observer>,
    ) -> Self {
        Self {
            identity,
            board,
            standing,
            revisions,
            observer,
            follower: None,
            source: Source::Nothing,
            forced: Forced::default(),
            outbox: Outbox::new(),
            saver: cache.clone().map(Saver::new),
            cache,
            hello_at: None,
            resyncing_since: None,
            has_applied_since_hello: false,
            is_grid_told: false,
        }
    }

    /// Keeps these flags closed whatever comes; `*` is all. Before anything is loaded.
    pub(crate) fn force_closed(&mut self, flags: &[String]) {
        for flag in flags {
            if flag == "*" {
                self.forced.is_all = true;
            } else {
                match FlagKey::new(flag) {
                    Ok(key) => self.forced.flags.push(key),
                    Err(error) => {
                        tracing::error!(flag, %error, "cannot be forced closed: not a flag's name");
                    }
                }
            }
        }
    }

    /// Takes what the disk has, newest first, if anything there can be read.
    pub(crate) async fn load_cache(&mut self) {
        let Some(cache) = self.cache.clone() else {
            return;
        };
        let loaded = tokio::task::spawn_blocking(move || cache.load()).await;
        if let Ok(Some(mut follower)) = loaded {
            // How old it is cannot be known by a clock that can be trusted, so flags that
            // close when stale start closed.
            follower.age(u64::MAX);
            self.follower = Some(follower);
            self.source = Source::Disk;
            self.publish(true, true);
        }
    }

    /// The first message of a connection.
    pub(super) fn hello(&self) -> Hello {
        // What came from the disk is asked for anew: this build may read definitions that the one
        // before could not, and the answer proves that it is current.
        let may_resume = self.source == Source::Server && !self.is_resyncing();
        let cursor = self.follower.as_ref().and_then(Follower::cursor);
        self.identity.hello(cursor.filter(|_| may_resume))
    }

    /// A connection stands and the hello is out. Gives the acknowledgement of what was known
    /// before, which may have been lost with the last connection.
    pub(super) fn connected(&mut self) -> Option<Pending> {
        self.hello_at = Some(Instant::now());
        self.has_applied_since_hello = false;
        self.standing.set_connected(true);
        self.hello().cursor?;
        let follower = self.follower.as_ref()?;
        let acknowledgement = follower.acknowledgement()?;
        let cursor = follower.cursor()?;
        Some(Pending::new(cursor, acknowledgement, Vec::new()))
    }

    /// The connection is over. Whether there was one.
    pub(super) fn disconnected(&mut self) -> bool {
        self.standing.set_connected(false);
        self.is_grid_told = false;
        self.resyncing_since = None;
        self.hello_at.take().is_some()
    }

    /// A sign of life came that says nothing new.
    pub(super) fn heard(&mut self) {
        let is_late_enough = self
            .hello_at
            .is_some_and(|hello| hello.elapsed() >= NOTHING_MISSED);
        if !self.is_resyncing()
            && self.source == Source::Server
            && (self.has_applied_since_hello || is_late_enough)
        {
            self.standing.confirm();
        }
    }

    /// Whether a snapshot was asked for so long ago that the answer must have been lost. Until it
    /// comes nothing can be applied, so only a new connection helps.
    pub(super) fn is_snapshot_overdue(&self) -> bool {
        self.resyncing_since
            .is_some_and(|asked| asked.elapsed() >= SNAPSHOT_TIME_MAX)
    }

    fn is_resyncing(&self) -> bool {
        self.resyncing_since.is_some()
    }

    /// Everything the server had to say has been applied.
    pub(super) fn caught_up(&mut self) {
        if !self.is_resyncing() && self.source == Source::Server {
            self.standing.confirm();
        }
    }

    /// Takes in the text of one frame. When this returns an acknowledgement, every evaluation that
    /// begins from now on uses what the frame said.
    pub(super) fn apply(&mut self, text: &str) -> Reply {
        let Decoded { update, refused } = match decode::frame(text) {
            Ok(decoded) => decoded,
            Err(error) if self.is_resyncing() => {
                return Reply::Leave(format!("it sends what cannot be read: {error}"));
            }
            Err(error) => return self.resync(format!("a frame cannot be read: {error}")),
        };
        let only_positions = match &update {
            Update::Brake { .. } => true,
            Update::Change {
                flags,
                removed_flags,
                ..
            } => flags.is_empty() && removed_flags.is_empty(),
            Update::Snapshot { .. } => false,
        };
        let is_first = self.source != Source::Server && matches!(&update, Update::Snapshot { .. });
        let step = if is_first {
            match self.enter(update) {
                Ok(step) => step,
                Err(why) => return Reply::Leave(why),
            }
        } else {
            match &mut self.follower {
                Some(follower) => follower.apply(update),
                None => Step::Gap {
                    have: 0,
                    previous: 0,
                },
            }
        };
        match step {
            Step::Applied {
                acknowledgement,
                new_history,
            } => {
                if let Some(new_history) = new_history {
                    tracing::error!(%new_history, "the history that is followed has changed");
                }
                self.source = Source::Server;
                self.publish(is_first, !only_positions);
                self.in_step(acknowledgement, refused)
            }
            Step::Duplicate { acknowledgement } => self.in_step(acknowledgement, refused),
            // Frames that were on their way when the snapshot was asked for.
            Step::Gap { .. } if self.is_resyncing() => Reply::Silence,
            Step::Gap { have, previous } => self.resync(format!(
                "gap: at revision {have}, the frame builds on {previous}"
            )),
            Step::Refused { why } => Reply::Leave(why.to_string()),
        }
    }

    /// Starts to follow the server, whatever the disk said, unless the server is behind the disk.
    fn enter(&mut self, update: Update) -> Result<Step, String> {
        let told = cursor_of(&update);
        if let Some(have) = self.follower.as_ref().and_then(Follower::cursor)
            && have.journal == told.journal
            && have.environment == told.environment
            && (have.epoch, have.revision) > (told.epoch, told.revision)
        {
            return Err(format!(
                "it is at revision {} of epoch {}, older than revision {} of epoch {} from the \
                 disk; the last known is kept",
                told.revision, told.epoch, have.revision, have.epoch
            ));
        }
        let mut follower = Follower::new(told.environment.clone());
        let step = follower.apply(update);
        self.follower = Some(follower);
        Ok(step)
    }

    fn resync(&mut self, why: String) -> Reply {
        tracing::info!(why, "asking for a snapshot");
        self.resyncing_since = Some(Instant::now());
        Reply::Resync(why)
    }

    fn in_step(&mut self, acknowledgement: Acknowledgement, more: Vec<Refusal>) -> Reply {
        self.resyncing_since = None;
        self.has_applied_since_hello = true;
        self.standing.confirm();
        match self.follower.as_ref().and_then(Follower::cursor) {
            Some(cursor) => Reply::Acknowledge(Pending::new(cursor, acknowledgement, more)),
            None => Reply::Silence,
        }
    }

    /// Puts the follower's rule set where evaluations see it, then tells whoever waits.
    fn publish(&mut self, is_other_follower: bool, is_other_shape: bool) {
        let Some(follower) = &mut self.follower else {
            return;
        };
        if is_other_follower || (is_other_shape && self.forced.is_all) {
            let mut forced = self.forced.flags.clone();
            if self.forced.is_all {
                forced.extend(follower.rule_set().flags().map(|flag| flag.key.clone()));
            }
            follower.force_closed(forced);
        }
        let rules = follower.rule_set();
        if is_other_follower || is_other_shape {
            self.board.publish(rules, is_other_follower);
        } else {
            self.board.publish_positions(rules);
        }
        for (flag, why) in rules.refused() {
            if self.board.complaints.is_first(flag.as_str(), why) {
                tracing::warn!(
                    flag = flag.as_str(),
                    why,
                    "cannot be read, and so is closed"
                );
            }
        }
        let revision = rules.revision();
        self.standing
            .set_rules(self.source, follower.cursor().cloned());
        if self.source == Source::Server
            && let Some(saver) = &mut self.saver
        {
            saver.mark();
        }
        self.revisions.send_replace(revision);
    }

    /// An acknowledgement has been handed to the connection.
    pub(super) fn acknowledged(&self, pending: &Pending) {
        if let Some(observer) = &self.observer {
            observer(&pending.sent());
        }
    }

    /// What is to be done about once a second, connected or not.
    pub(super) async fn tick(&mut self) {
        let age_ms = self.standing.age_ms().unwrap_or(u64::MAX);
        if let Some(follower) = &mut self.follower
            && follower.age(age_ms)
        {
            tracing::info!(age_ms, "flags with stale_after have closed or opened");
            self.publish(false, false);
        }
        self.save().await;
    }

    /// Writes the disk cache if there is something new.
    pub(super) async fn save(&mut self) {
        if let Some(saver) = &mut self.saver {
            let follower = &self.follower;
            saver
                .write_if_due(|| follower.as_ref().and_then(Follower::keepsake))
                .await;
        }
    }

    /// The server says how it cuts time.
    pub(super) fn told(&mut self, grid: &Grid) {
        let is_first = !std::mem::replace(&mut self.is_grid_told, true);
        self.board.recorder.told(grid, is_first);
    }

    /// How often outcomes are to be looked for; none while the server has not said that it takes any.
    pub(super) fn outcomes_every(&self) -> Option<Duration> {
        let every = self.board.recorder.look_every();
        every.filter(|_| self.is_grid_told)
    }

    /// Whether there are outcomes, so that the next poll should not be long.
    pub(super) fn reports_outcomes(&self) -> bool {
        self.board.recorder.is_used()
    }

    /// Outcomes to send: of the intervals that are over, or of all before a goodbye.
    pub(super) fn outcomes_due(&self, is_last: bool) -> Vec<Outcomes> {
        if !self.is_grid_told {
            return Vec::new();
        }
        self.board.recorder.due(is_last)
    }

    /// Counts to send, if it is time.
    pub(super) fn counts_due(&mut self) -> Vec<Counts> {
        self.outbox.due(&self.board.tally)
    }

    /// Counts to send before a goodbye, those that may not have arrived included.
    pub(super) fn counts_now(&mut self) -> Vec<Counts> {
        self.outbox.flush(&self.board.tally);
        self.outbox.unconfirmed()
    }

    /// Counts that may have been lost with the last connection.
    pub(super) fn counts_unconfirmed(&self) -> Vec<Counts> {
        self.outbox.unconfirmed()
    }

    /// The oldest of them.
    pub(super) fn next_counts_unconfirmed(&self) -> Option<Counts> {
        self.outbox.next_unconfirmed()
    }

    /// The server has the counts up to `sequence`.
    pub(super) fn counts_confirmed(&mut self, sequence: u64) {
        self.outbox.confirm(sequence);
    }

    /// The last thing: what is not on disk yet is written.
    pub(super) async fn finish(&mut self) {
        self.standing.set_connected(false);
        if let Some(saver) = &mut self.saver {
            let follower = &self.follower;
            saver
                .finish(|| follower.as_ref().and_then(Follower::keepsake))
                .await;
        }
    }
}

fn cursor_of(update: &Update) -> &Cursor {
    match update {
        Update::Snapshot { cursor, .. }
        | Update::Change { cursor, .. }
        | Update::Brake { cursor, .. } => cursor,
    }
}
