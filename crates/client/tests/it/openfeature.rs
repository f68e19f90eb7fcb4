use leverframe::Client;
use leverframe::openfeature::Provider;
use open_feature::provider::{FeatureProvider, ProviderStatus};
use open_feature::{
    EvaluationContext, EvaluationContextFieldValue, EvaluationErrorCode, EvaluationReason,
    FlagMetadataValue, OpenFeature, StructValue, Value,
};
use serde_json::json;
use tempfile::TempDir;

use crate::frames::{boolean, closed, flag, moved, open, snapshot};
use crate::server::Server;

fn offline(flags: &[serde_json::Value]) -> Client {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("flags.json");
    std::fs::write(&file, snapshot(7, flags).to_string()).unwrap();
    Client::offline(&file).unwrap()
}

async fn open_feature(client: Client) -> open_feature::Client {
    let mut api = OpenFeature::default();
    api.set_provider(Provider::new(client)).await;
    api.create_client()
}

fn every_type() -> Vec<serde_json::Value> {
    let at = open();
    vec![
        boolean("boolean", &at),
        flag(
            "integer",
            &at,
            "integer",
            &json!({"low": 40, "high": 90}),
            "low",
            "high",
        ),
        flag(
            "float",
            &at,
            "float",
            &json!({"low": 0.5, "high": 10.0}),
            "low",
            "high",
        ),
        flag(
            "string",
            &at,
            "string",
            &json!({"a": "blue", "b": "green"}),
            "a",
            "b",
        ),
        flag(
            "object",
            &at,
            "object",
            &json!({"a": {}, "b": {"n": 2, "list": [1, "x"], "none": null}}),
            "a",
            "b",
        ),
        flag(
            "array",
            &at,
            "object",
            &json!({"a": [1], "b": [2]}),
            "a",
            "b",
        ),
    ]
}

#[tokio::test]
async fn every_type_is_resolved() {
    let client = open_feature(offline(&every_type())).await;
    let asked = EvaluationContext::default().with_targeting_key("u-1");
    let context = Some(&asked);
    assert_eq!(
        client.get_bool_value("boolean", context, None).await,
        Ok(true)
    );
    assert_eq!(client.get_int_value("integer", context, None).await, Ok(90));
    assert_eq!(
        client.get_float_value("float", context, None).await,
        Ok(10.0)
    );
    assert_eq!(
        client.get_string_value("string", context, None).await,
        Ok("green".to_owned())
    );
    let details = Provider::new(offline(&every_type()))
        .resolve_struct_value("object", &asked)
        .await
        .unwrap();
    let expected = StructValue::default()
        .with_field("n", 2)
        .with_field("list", Value::Array(vec![1.into(), "x".into()]));
    assert_eq!(details.value, expected);
}

#[tokio::test]
async fn errors_have_openfeatures_codes() {
    let client = open_feature(offline(&every_type())).await;
    let unknown = client.get_bool_value("unknown", None, None).await;
    assert_eq!(unknown.unwrap_err().code, EvaluationErrorCode::FlagNotFound);
    for flag in ["integer", "string", "float", "object"] {
        let wrong = client.get_bool_value(flag, None, None).await;
        assert_eq!(wrong.unwrap_err().code, EvaluationErrorCode::TypeMismatch);
    }
    let wrong = client.get_float_value("integer", None, None).await;
    assert_eq!(wrong.unwrap_err().code, EvaluationErrorCode::TypeMismatch);
    let array = Provider::new(offline(&every_type()))
        .resolve_struct_value("array", &EvaluationContext::default())
        .await;
    assert_eq!(array.unwrap_err().code, EvaluationErrorCode::TypeMismatch);
}

#[tokio::test]
async fn before_the_first_rule_set_the_provider_is_not_ready() {
    let server = Server::start().await;
    let settings = server
        .settings()
        .connect_timeout(std::time::Duration::from_millis(10));
    server.stop();
    let provider = Provider::new(Client::connect(settings).await.unwrap());
    assert_eq!(provider.status(), ProviderStatus::NotReady);
    let answer = provider
        .resolve_bool_value("a", &EvaluationContext::default())
        .await;
    assert_eq!(
        answer.unwrap_err().code,
        EvaluationErrorCode::ProviderNotReady
    );
}

#[tokio::test]
async fn answers_carry_variant_reason_and_metadata() {
    let mut flag = boolean(
        "a",
        &json!({"state": "open", "exposure": {"percentage": 0}}),
    );
    flag["definition"]["rules"] = json!([{"id": "r1", "when": "plan == \"beta\"", "serve": "on"}]);
    let provider = Provider::new(offline(&[flag, boolean("closed", &closed())]));
    let context = EvaluationContext::default()
        .with_targeting_key("u-1")
        .with_custom_field("plan", "beta");
    let details = provider.resolve_bool_value("a", &context).await.unwrap();
    assert!(details.value);
    assert_eq!(details.variant.as_deref(), Some("on"));
    assert_eq!(details.reason, Some(EvaluationReason::TargetingMatch));
    let metadata = details.flag_metadata.unwrap().values;
    assert_eq!(metadata["revision"], FlagMetadataValue::Int(7));
    assert_eq!(metadata["rule"], FlagMetadataValue::String("r1".to_owned()));

    let details = provider
        .resolve_bool_value("closed", &context)
        .await
        .unwrap();
    assert!(!details.value);
    assert_eq!(details.reason, Some(EvaluationReason::Disabled));
    assert_eq!(provider.metadata().name, "leverframe");
}

#[tokio::test]
async fn contexts_reach_the_rules_whatever_their_fields_are() {
    let rule = |when: &str| {
        let mut flag = boolean(
            "a",
            &json!({"state": "open", "exposure": {"percentage": 0}}),
        );
        flag["definition"]["rules"] = json!([{"id": "r1", "when": when, "serve": "on"}]);
        Provider::new(offline(&[flag]))
    };
    let context = || EvaluationContext::default().with_targeting_key("u-1");
    // 2024-02-01 in whole seconds since 1970.
    let date = EvaluationContextFieldValue::DateTime(
        time::OffsetDateTime::from_unix_timestamp(1_706_745_600).unwrap(),
    );
    let cases = [
        ("n == 3", context().with_custom_field("n", 3)),
        ("f > 0.4", context().with_custom_field("f", 0.5)),
        ("b == true", context().with_custom_field("b", true)),
        (
            "at after \"2024-01-31\"",
            context().with_custom_field("at", date),
        ),
        ("targetingKey == \"u-1\"", context()),
    ];
    for (when, context) in cases {
        let details = rule(when).resolve_bool_value("a", &context).await.unwrap();
        assert!(details.value, "{when}");
    }
    let of_no_known_type = context().with_custom_field(
        "n",
        EvaluationContextFieldValue::new_struct(String::from("unreadable")),
    );
    let details = rule("n == 3")
        .resolve_bool_value("a", &of_no_known_type)
        .await
        .unwrap();
    assert!(!details.value);
}

#[tokio::test]
async fn a_kill_is_seen_by_the_next_evaluation() {
    let mut server = Server::start().await;
    let (followed, mut connection) = server
        .follow(server.settings(), &snapshot(7, &[boolean("a", &open())]))
        .await;
    let client = open_feature(followed).await;
    assert_eq!(client.get_bool_value("a", None, None).await, Ok(true));
    connection.send(&moved(7, 8, "a", &closed())).await;
    connection.acknowledge().await;
    assert_eq!(client.get_bool_value("a", None, None).await, Ok(false));
}
