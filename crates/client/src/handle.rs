//! Prepared handles: a flag that is asked often.

use std::sync::Arc;

use leverframe_flags::Context;

use crate::ask::{Asked, Place};
use crate::client::Client;
use crate::evaluation::{Evaluation, EvaluationError};
use crate::outcomes::{Guard, Outcome};

/// A flag looked up once, for code that asks it often. Cheap to clone and to share between threads;
/// it follows every change, and may be made before its flag exists.
#[derive(Debug, Clone)]
pub struct Flag {
    client: Client,
    name: Arc<str>,
    place: Arc<Place>,
}

impl Flag {
    pub(crate) fn new(client: Client, name: &str) -> Self {
        Self {
            client,
            name: name.into(),
            place: Arc::new(Place::unknown()),
        }
    }

    /// The flag's key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.name
    }

    #[inline]
    fn asked(&self) -> Asked<'_> {
        Asked::Place(&self.name, &self.place)
    }

    /// [`Client::is_on`].
    #[inline]
    #[must_use]
    pub fn is_on(&self, context: &Context) -> bool {
        self.client.ask_boolean(self.asked(), context, false)
    }

    /// [`Client::boolean`].
    #[inline]
    #[must_use]
    pub fn boolean(&self, context: &Context, default: bool) -> bool {
        self.client.ask_boolean(self.asked(), context, default)
    }

    /// [`Client::integer`].
    #[must_use]
    pub fn integer(&self, context: &Context, default: i64) -> i64 {
        self.client.ask_integer(self.asked(), context, default)
    }

    /// [`Client::float`].
    #[must_use]
    pub fn float(&self, context: &Context, default: f64) -> f64 {
        self.client.ask_float(self.asked(), context, default)
    }

    /// [`Client::string`].
    #[must_use]
    pub fn string(&self, context: &Context, default: &str) -> String {
        self.client.ask_string(self.asked(), context, default)
    }

    /// [`Client::object`].
    #[must_use]
    pub fn object(&self, context: &Context, default: serde_json::Value) -> serde_json::Value {
        self.client.ask_object(self.asked(), context, default)
    }

    /// [`Client::evaluate`].
    ///
    /// # Errors
    /// As [`Client::evaluate`].
    pub fn evaluate(&self, context: &Context) -> Result<Evaluation, EvaluationError> {
        self.client
            .ask_evaluation(self.asked(), &self.name, context)
    }

    /// [`Client::observe`].
    pub fn observe(&self, context: &Context) -> (bool, Guard) {
        self.client.ask_guarded(self.asked(), context)
    }

    /// [`Client::observe_evaluation`].
    ///
    /// # Errors
    /// As [`Client::evaluate`].
    pub fn observe_evaluation(
        &self,
        context: &Context,
    ) -> Result<(Evaluation, Guard), EvaluationError> {
        self.client.ask_guarded_evaluation(self.asked(), context)
    }

    /// [`Client::report`].
    pub fn report(&self, context: &Context, outcome: Outcome<'_>) {
        self.client.ask_report(self.asked(), context, outcome);
    }
}
