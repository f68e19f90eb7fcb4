//! An OpenFeature provider: every evaluation is decided in this process.

use std::collections::HashMap;

use async_trait::async_trait;
use leverframe_flags::{Outcome, Value, ValueType};
use open_feature::provider::{
    FeatureProvider, ProviderMetadata, ProviderStatus, ResolutionDetails,
};
use open_feature::{
    EvaluationContext, EvaluationErrorCode, EvaluationReason, EvaluationResult, FlagMetadata,
    FlagMetadataValue, StructValue,
};

use crate::ask::{Asked, typed};
use crate::client::Client;
use crate::evaluation::EvaluationError;
use crate::freshness::Source;

mod convert;

/// The provider of a [`Client`] for the crate `open-feature`.
///
/// The targeting key is the context's unit. Dates become milliseconds since 1970, as the engine
/// reads them. Structures may be an `open_feature::StructValue`, an `open_feature::Value` or a
/// `serde_json::Value`; others are left out, and so unknown to rules.
///
/// Answers carry the revision, the arm, and where there is one the rule and the cause in their
/// metadata.
#[derive(Debug, Clone)]
pub struct Provider {
    client: Client,
    metadata: ProviderMetadata,
}

impl Provider {
    /// Answers by `client`.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self {
            client,
            metadata: ProviderMetadata::new("leverframe"),
        }
    }

    fn resolve<T>(
        &self,
        flag: &str,
        context: &EvaluationContext,
        wanted: ValueType,
        take: impl Fn(&Value) -> Option<T>,
    ) -> EvaluationResult<ResolutionDetails<T>> {
        let context = convert::context(context);
        self.client
            .ask(Asked::Name(flag), &context, |outcome| {
                typed(outcome, wanted, &take).map(|value| ResolutionDetails {
                    value,
                    variant: Some(outcome.variant.to_owned()),
                    reason: Some(reason(outcome)),
                    flag_metadata: Some(metadata(outcome)),
                })
            })
            .map_err(error)
    }
}

#[async_trait]
impl FeatureProvider for Provider {
    fn status(&self) -> ProviderStatus {
        let freshness = self.client.freshness();
        match freshness.source {
            Source::Nothing => ProviderStatus::NotReady,
            Source::Server | Source::Disk if !freshness.connected => ProviderStatus::STALE,
            _ => ProviderStatus::Ready,
        }
    }

    fn metadata(&self) -> &ProviderMetadata {
        &self.metadata
    }

    async fn resolve_bool_value(
        &self,
        flag_key: &str,
        evaluation_context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<bool>> {
        self.resolve(
            flag_key,
            evaluation_context,
            ValueType::Boolean,
            Value::as_bool,
        )
    }

    async fn resolve_int_value(
        &self,
        flag_key: &str,
        evaluation_context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<i64>> {
        self.resolve(
            flag_key,
            evaluation_context,
            ValueType::Integer,
            |value| match value {
                Value::Integer(integer) => Some(*integer),
                _ => None,
            },
        )
    }

    async fn resolve_float_value(
        &self,
        flag_key: &str,
        evaluation_context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<f64>> {
        self.resolve(
            flag_key,
            evaluation_context,
            ValueType::Float,
            |value| match value {
                Value::Float(float) => Some(*float),
                _ => None,
            },
        )
    }

    async fn resolve_string_value(
        &self,
        flag_key: &str,
        evaluation_context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<String>> {
        self.resolve(
            flag_key,
            evaluation_context,
            ValueType::String,
            |value| match value {
                Value::String(text) => Some(text.to_string()),
                _ => None,
            },
        )
    }

    async fn resolve_struct_value(
        &self,
        flag_key: &str,
        evaluation_context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<StructValue>> {
        self.resolve(
            flag_key,
            evaluation_context,
            ValueType::Object,
            |value| match value {
                Value::Object(serde_json::Value::Object(fields)) => Some(convert::fields(fields)),
                _ => None,
            },
        )
    }
}

fn reason(outcome: &Outcome<'_>) -> EvaluationReason {
    use leverframe_flags::Reason;
    match outcome.reason {
        Reason::Static => EvaluationReason::Static,
        Reason::TargetingMatch => EvaluationReason::TargetingMatch,
        Reason::Split => EvaluationReason::Split,
        Reason::Disabled => EvaluationReason::Disabled,
        Reason::Default => EvaluationReason::Default,
    }
}

fn metadata(outcome: &Outcome<'_>) -> FlagMetadata {
    let revision = i64::try_from(outcome.revision).unwrap_or(i64::MAX);
    let mut values = HashMap::from([
        ("revision".to_owned(), FlagMetadataValue::Int(revision)),
        ("arm".to_owned(), outcome.arm.as_str().into()),
    ]);
    if let Some(rule) = outcome.rule {
        values.insert("rule".to_owned(), rule.into());
    }
    if let Some(cause) = outcome.cause {
        values.insert("cause".to_owned(), cause.as_str().into());
    }
    FlagMetadata { values }
}

fn error(error: EvaluationError) -> open_feature::EvaluationError {
    let code = match error {
        EvaluationError::NotReady => EvaluationErrorCode::ProviderNotReady,
        EvaluationError::UnknownFlag => EvaluationErrorCode::FlagNotFound,
        EvaluationError::WrongType { .. } => EvaluationErrorCode::TypeMismatch,
    };
    open_feature::EvaluationError {
        code,
        message: Some(error.to_string()),
    }
}
