//! The client: what an application holds.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use leverframe_flags::{Context, Outcome, RuleSet, Value, ValueType};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::ask::{Asked, ask, ask_observed, typed};
use crate::board::Board;
use crate::builder::Builder;
use crate::evaluation::{Evaluation, EvaluationError};
use crate::fixed;
use crate::freshness::{Freshness, Source, Standing};
use crate::handle::Flag;
use crate::offline::{self, OfflineError};
use crate::outcomes::{self, Guard, Observed};
use crate::settings::{Settings, SettingsError};

/// Longest [`Client::shutdown`] waits for the goodbye to go out.
const GOODBYE_MAX: Duration = Duration::from_secs(3);

/// Decides flags in this process. Cheap to clone; all clones are one client.
///
/// The connection ends, with a goodbye if there is time, when the last clone and the last
/// [`Flag`] are dropped; [`Client::shutdown`] waits for it.
#[derive(Clone)]
pub struct Client {
    board: Arc<Board>,
    life: Arc<Life>,
}

/// What ends with the last clone.
struct Life {
    board: Arc<Board>,
    standing: Arc<Standing>,
    revisions: watch::Sender<u64>,
    stop: watch::Sender<bool>,
    follow: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Life {
    fn drop(&mut self) {
        self.board.retire();
        // The task says goodbye by itself as long as the runtime lives.
        self.stop.send_replace(true);
    }
}

/// The revision that was waited for has not come in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("revision {wanted} has not come in time; this client is at {current}")]
pub struct RevisionTimeout {
    /// What was waited for.
    pub wanted: u64,
    /// What there is.
    pub current: u64,
}

/// How a client comes to life; taken apart by the builder.
pub(crate) struct Parts {
    pub(crate) board: Arc<Board>,
    pub(crate) standing: Arc<Standing>,
    pub(crate) revisions: watch::Sender<u64>,
    pub(crate) stop: watch::Sender<bool>,
    pub(crate) follow: Option<JoinHandle<()>>,
}

impl Client {
    /// Settings from the `LEVER_*` variables, to be completed and connected.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::new(Settings::from_environment())
    }

    /// Follows a server. Waits for the first rule set, but no longer than the settings' time limit:
    /// then it starts anyway, with what the disk cache holds or with everything closed, and goes on
    /// trying.
    ///
    /// # Errors
    /// [`SettingsError`] when the settings themselves cannot be used. A server that cannot be
    /// reached is not an error.
    pub async fn connect(settings: Settings) -> Result<Self, SettingsError> {
        Builder::new(settings).connect().await
    }

    /// Answers from a file and follows nobody. The file is one of a disk cache, or a snapshot frame
    /// as the server sends it (JSON).
    ///
    /// # Errors
    /// [`OfflineError`] when the file cannot be read; a single flag in it that cannot be read is
    /// closed and logged.
    pub fn offline(file: impl AsRef<Path>) -> Result<Self, OfflineError> {
        let (rules, cursor) = offline::read(file.as_ref())?;
        let client = Self::still(&rules, Source::File);
        client.life.standing.set_rules(Source::File, Some(cursor));
        Ok(client)
    }

    /// Answers with these values, whatever the context, and follows nobody: for tests. Values of
    /// several types are given as [`Value`]s; every other flag is unknown.
    ///
    /// ```
    /// use leverframe::{Client, Context};
    /// let client = Client::fixed([("new-checkout", true)]);
    /// assert!(client.is_on("new-checkout", &Context::new("u-1")));
    /// ```
    pub fn fixed<K, V>(values: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: AsRef<str>,
        V: Into<fixed::FixedValue>,
    {
        let values = values
            .into_iter()
            .map(|(key, value)| (key.as_ref().to_owned(), value.into()));
        Self::still(&fixed::rules(values), Source::Fixed)
    }

    /// A client that follows nobody.
    fn still(rules: &Arc<RuleSet>, source: Source) -> Self {
        let board = Board::new();
        board.publish(rules, true);
        Self::from_parts(Parts {
            board,
            standing: Arc::new(Standing::new(source)),
            revisions: watch::Sender::new(rules.revision()),
            stop: watch::Sender::new(false),
            follow: None,
        })
    }

    pub(crate) fn from_parts(parts: Parts) -> Self {
        Self {
            board: Arc::clone(&parts.board),
            life: Arc::new(Life {
                board: parts.board,
                standing: parts.standing,
                revisions: parts.revisions,
                stop: parts.stop,
                follow: Mutex::new(parts.follow),
            }),
        }
    }

    /// Whether a boolean flag is on for this context. False on anything wrong: an unknown flag, no
    /// rule set yet, another type; the log says why, once for each flag and cause.
    #[inline]
    #[must_use]
    pub fn is_on(&self, flag: &str, context: &Context) -> bool {
        self.ask_boolean(Asked::Name(flag), context, false)
    }

    /// A boolean flag's value; `default` where there is none.
    #[inline]
    #[must_use]
    pub fn boolean(&self, flag: &str, context: &Context, default: bool) -> bool {
        self.ask_boolean(Asked::Name(flag), context, default)
    }

    /// An integer flag's value; `default` where there is none.
    #[must_use]
    pub fn integer(&self, flag: &str, context: &Context, default: i64) -> i64 {
        self.ask_integer(Asked::Name(flag), context, default)
    }

    /// A float flag's value; `default` where there is none.
    #[must_use]
    pub fn float(&self, flag: &str, context: &Context, default: f64) -> f64 {
        self.ask_float(Asked::Name(flag), context, default)
    }

    /// A string flag's value; `default` where there is none.
    #[must_use]
    pub fn string(&self, flag: &str, context: &Context, default: &str) -> String {
        self.ask_string(Asked::Name(flag), context, default)
    }

    /// An object flag's value; `default` where there is none.
    #[must_use]
    pub fn object(
        &self,
        flag: &str,
        context: &Context,
        default: serde_json::Value,
    ) -> serde_json::Value {
        self.ask_object(Asked::Name(flag), context, default)
    }

    /// A flag's answer with everything that is known of how it came about.
    ///
    /// # Errors
    /// [`EvaluationError::NotReady`] before the first rule set, [`EvaluationError::UnknownFlag`]
    /// where the environment has no such flag.
    pub fn evaluate(&self, flag: &str, context: &Context) -> Result<Evaluation, EvaluationError> {
        self.ask_evaluation(Asked::Name(flag), flag, context)
    }

    /// As [`Client::is_on`], with a guard to say how it went: see [`Guard`].
    pub fn observe(&self, flag: &str, context: &Context) -> (bool, Guard) {
        self.ask_guarded(Asked::Name(flag), context)
    }

    /// As [`Client::evaluate`], with a guard to say how it went: see [`Guard`].
    ///
    /// # Errors
    /// As [`Client::evaluate`].
    pub fn observe_evaluation(
        &self,
        flag: &str,
        context: &Context,
    ) -> Result<(Evaluation, Guard), EvaluationError> {
        self.ask_guarded_evaluation(Asked::Name(flag), context)
    }

    /// Says how something went for which no guard was held. The flag is asked again, to know
    /// on which side the unit is.
    pub fn report(&self, flag: &str, context: &Context, outcome: outcomes::Outcome<'_>) {
        self.ask_report(Asked::Name(flag), context, outcome);
    }

    /// Notes a number that this process measures of itself, such as the length of a queue. A plan
    /// reads the largest of all evaluators in an interval as `queue_depth` of the source `outcomes`,
    /// the smallest as `min(queue_depth)`. A name is 1 to 64 of `a-z 0-9 _ . -`.
    pub fn gauge(&self, name: &str, value: f64) {
        self.board.recorder.gauge(name, value);
    }

    /// Prepares a flag that is asked often.
    #[must_use]
    pub fn flag(&self, key: &str) -> Flag {
        Flag::new(self.clone(), key)
    }

    /// How far what is served can be trusted to be what the server says.
    #[must_use]
    pub fn freshness(&self) -> Freshness {
        self.life.standing.freshness()
    }

    /// The revision in use, and a wake-up whenever the rule set changes, even where the revision
    /// does not (a kill that the journal has not stored yet).
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.life.revisions.subscribe()
    }

    /// Waits until every evaluation uses `revision` or a later one, and says which.
    ///
    /// # Errors
    /// [`RevisionTimeout`] when it takes longer than `timeout`.
    pub async fn wait_for_revision(
        &self,
        revision: u64,
        timeout: Duration,
    ) -> Result<u64, RevisionTimeout> {
        let mut revisions = self.changes();
        let reached = tokio::time::timeout(timeout, revisions.wait_for(|now| *now >= revision));
        match reached.await {
            // The sender lives as long as `self`.
            Ok(Ok(now)) => Ok(*now),
            Ok(Err(_)) | Err(_) => Err(RevisionTimeout {
                wanted: revision,
                current: *self.life.revisions.borrow(),
            }),
        }
    }

    /// Says goodbye, so that no kill waits for this process, hands over the last counts, writes the
    /// disk cache, and ends the connection. Takes at most three seconds. Evaluation goes on with
    /// what was last known.
    pub async fn shutdown(&self) {
        self.life.stop.send_replace(true);
        let follow = self
            .life
            .follow
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(follow) = follow
            && tokio::time::timeout(GOODBYE_MAX, follow).await.is_err()
        {
            tracing::warn!("the goodbye did not go out in time; kills may wait for this process");
        }
    }

    #[inline]
    pub(crate) fn ask<T>(
        &self,
        asked: Asked<'_>,
        context: &Context,
        take: impl Fn(&Outcome<'_>) -> Result<T, EvaluationError>,
    ) -> Result<T, EvaluationError> {
        ask(&self.board, asked, context, take)
    }

    pub(crate) fn ask_guarded(&self, asked: Asked<'_>, context: &Context) -> (bool, Guard) {
        let answer = ask_observed(&self.board, asked, context, |outcome| {
            typed(outcome, ValueType::Boolean, Value::as_bool)
        });
        let (is_on, observed) = answer.unwrap_or((false, None));
        (is_on, self.guard(asked, observed))
    }

    pub(crate) fn ask_guarded_evaluation(
        &self,
        asked: Asked<'_>,
        context: &Context,
    ) -> Result<(Evaluation, Guard), EvaluationError> {
        let (evaluation, observed) = ask_observed(&self.board, asked, context, |outcome| {
            Ok(Evaluation::of(asked.name(), outcome))
        })?;
        Ok((evaluation, self.guard(asked, observed)))
    }

    pub(crate) fn ask_report(
        &self,
        asked: Asked<'_>,
        context: &Context,
        outcome: outcomes::Outcome<'_>,
    ) {
        if let Ok(((), observed)) = ask_observed(&self.board, asked, context, |_| Ok(())) {
            self.guard(asked, observed).report(outcome);
        }
    }

    fn guard(&self, asked: Asked<'_>, observed: Option<Observed>) -> Guard {
        outcomes::observed(&self.board.recorder, asked.name(), observed)
    }

    #[inline]
    pub(crate) fn ask_boolean(&self, asked: Asked<'_>, context: &Context, default: bool) -> bool {
        self.ask(asked, context, |outcome| {
            typed(outcome, ValueType::Boolean, Value::as_bool)
        })
        .unwrap_or(default)
    }

    pub(crate) fn ask_integer(&self, asked: Asked<'_>, context: &Context, default: i64) -> i64 {
        self.ask(asked, context, |outcome| {
            typed(outcome, ValueType::Integer, |value| match value {
                Value::Integer(integer) => Some(*integer),
                _ => None,
            })
        })
        .unwrap_or(default)
    }

    pub(crate) fn ask_float(&self, asked: Asked<'_>, context: &Context, default: f64) -> f64 {
        self.ask(asked, context, |outcome| {
            typed(outcome, ValueType::Float, |value| match value {
                Value::Float(float) => Some(*float),
                _ => None,
            })
        })
        .unwrap_or(default)
    }

    pub(crate) fn ask_string(&self, asked: Asked<'_>, context: &Context, default: &str) -> String {
        self.ask(asked, context, |outcome| {
            typed(outcome, ValueType::String, |value| match value {
                Value::String(text) => Some(text.to_string()),
                _ => None,
            })
        })
        .unwrap_or_else(|_| default.to_owned())
    }

    pub(crate) fn ask_object(
        &self,
        asked: Asked<'_>,
        context: &Context,
        default: serde_json::Value,
    ) -> serde_json::Value {
        self.ask(asked, context, |outcome| {
            typed(outcome, ValueType::Object, |value| match value {
                Value::Object(object) => Some(object.clone()),
                _ => None,
            })
        })
        .unwrap_or(default)
    }

    pub(crate) fn ask_evaluation(
        &self,
        asked: Asked<'_>,
        flag: &str,
        context: &Context,
    ) -> Result<Evaluation, EvaluationError> {
        self.ask(asked, context, |outcome| Ok(Evaluation::of(flag, outcome)))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("freshness", &self.freshness())
            .finish_non_exhaustive()
    }
}
