//! What the demo shop has deployed: two flags, a segment, an evaluator's token. Made through the
//! admin API, as anybody would.

use leverframe_wire::admin::{
    CreateToken, Exposure, FlagDefinition, Open, PutFlag, PutPlan, PutSegment, Role,
    SegmentDefinition, Why,
};
use serde_json::json;

use super::plan::plan;
use crate::api::{Attempt, Client};
use crate::failure::Failure;

/// The flag whose release goes wrong.
pub(crate) const FLAG: &str = "new-checkout";
/// Where the shop runs.
pub(crate) const ENVIRONMENT: &str = "prod";

/// Deploys the shop dark, keeps the demo's plan, and returns a token for the shop's evaluators.
pub(crate) async fn deploy(api: &Client, sunset: &str) -> Result<String, Failure> {
    let staff = SegmentDefinition {
        key: "staff".to_owned(),
        when: Some(r#"email ends_with "@shop.test""#.to_owned()),
        include: Vec::new(),
        exclude: Vec::new(),
    };
    let staff = PutSegment {
        definition: staff,
        why: why("who works here"),
    };
    api.create_segment(&staff, Attempt::default()).await?;
    for (definition, reason) in [
        (new_checkout(sunset), "the new payment path, deployed dark"),
        (img_quality(), "a setting to save bandwidth with"),
    ] {
        let definition: FlagDefinition = serde_json::from_value(definition)
            .map_err(|error| Failure::failed(format!("the demo's own flag is not one: {error}")))?;
        let put = PutFlag {
            definition,
            why: why(reason),
        };
        api.create_flag(&put, Attempt::default()).await?;
    }
    let plan = PutPlan {
        definition: plan(),
        why: why("the stages of `safe`, in seconds"),
    };
    api.put_plan(&plan, Attempt::default()).await?;
    let token = CreateToken {
        name: "demo shop".to_owned(),
        role: Role::Evaluator,
        environments: vec![ENVIRONMENT.to_owned()],
        keys: Vec::new(),
        ttl_s: None,
        why: why("the shop's evaluators"),
    };
    Ok(api.create_token(&token, Attempt::default()).await?.token)
}

/// Opens the new checkout to a share of its users, by hand.
pub(crate) async fn open_to(api: &Client, percentage: f64) -> Result<(), Failure> {
    let lever = api.lever(FLAG, ENVIRONMENT).await?;
    let open = Open {
        exposure: Exposure {
            cohorts: Vec::new(),
            percentage,
        },
        // It is a person's to close here.
        unwatched: true,
        why: why("looked fine in staging"),
    };
    let attempt = Attempt {
        seen: Some(lever.revision),
        ..Attempt::default()
    };
    api.open(FLAG, ENVIRONMENT, &open, attempt).await?;
    Ok(())
}

fn why(reason: &str) -> Why {
    Why {
        reason: Some(reason.to_owned()),
        incident: None,
    }
}

fn new_checkout(sunset: &str) -> serde_json::Value {
    json!({
        "key": FLAG,
        "kind": "release",
        "type": "boolean",
        "variants": {"on": true, "off": false},
        "closed": "off",
        "open": "on",
        "owner": "team-pay",
        "description": "The new payment path",
        "runbook": "Back to the legacy payment path; 3-D Secure off",
        "sunset": sunset,
    })
}

fn img_quality() -> serde_json::Value {
    json!({
        "key": "img-quality",
        "kind": "ops",
        "type": "integer",
        "variants": {"low": 40, "normal": 70, "high": 90},
        "closed": "low",
        "open": "normal",
        "owner": "web",
        "runbook": "Smaller pictures; the CDN bill falls by a third",
    })
}
