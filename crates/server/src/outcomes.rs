//! Outcomes over HTTP: for applications in other languages, with an evaluator's token, and for browsers,
//! with a client-side one. Whoever holds a page holds its token, so what browsers say is kept in rows
//! of its own (`browser:…`), which can hold a rollout and neither convict nor advance it.

mod reporters;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use leverframe_core::access::{Permission, Role};
use leverframe_core::rollout::Histogram;
use leverframe_flags::{Context, FlagKey, RuleSet, Side};
use leverframe_node::outcomes::{
    Arm, Batch, Chosen, ERRORS, Origin, Report, ReportedUnit, is_outcome_name,
};
use leverframe_wire::outcome::{OutcomesTaken, ReportOutcomes, ReportedOutcome, Went};

use crate::app::App;
use crate::auth::Authenticated;
use crate::limit::{OUTCOMES_BYTES_MAX, OUTCOMES_MAX};
use crate::problem::Failure;
use crate::request::{Path, parse_json, read_body};
use crate::surface::{Surface, guarded};

pub(crate) use reporters::Reporters;

/// Longest instance, in bytes.
const INSTANCE_BYTES_MAX: usize = 128;

pub(crate) fn routes() -> Surface {
    guarded!(Surface::new(), report_outcomes)
}

/// Say how it went
///
/// For applications without our client. What is counted is the unit: once in an interval, however
/// many outcomes it has. Taken means in memory: what is not folded when the server dies, within
/// about 25 seconds, is lost; our own client says it again.
#[utoipa::path(
    post, path = "/api/v1/environments/{environment}/outcomes", tag = "outcomes",
    params(("environment" = String, Path)),
    request_body = ReportOutcomes,
    responses(
        (status = 200, body = OutcomesTaken),
        (status = 429, description = "A client-side token has said as much as it may; see `Retry-After`"),
    )
)]
async fn report_outcomes(
    who: Authenticated,
    State(app): State<App>,
    Path(environment): Path<String>,
    request: Request,
) -> Result<axum::Json<OutcomesTaken>, Failure> {
    let origin = match who.token().role {
        Role::ClientEvaluator => Origin::Browser,
        _ => Origin::Evaluator,
    };
    let permission = match origin {
        Origin::Browser => Permission::Evaluate,
        Origin::Evaluator => Permission::Follow,
    };
    let environment = who.permit_environment(&app, &environment, permission)?;
    let (parts, body) = request.into_parts();
    let bytes = read_body(&parts.headers, body, OUTCOMES_BYTES_MAX).await?;
    let told = checked(parse_json(&bytes)?)?;
    let token = &who.token().id;
    if origin == Origin::Browser {
        let spent = app
            .reporters
            .spend(token, told.outcomes.len(), Instant::now());
        spent.map_err(Failure::too_many_outcomes)?;
    }
    let rules = app.feed(environment.as_str())?.rules();
    let sees = |flag: &str| {
        rules
            .flag(flag)
            .is_some_and(|view| who.token().sees(flag, view.is_client_visible()))
    };
    let node = app.node();
    let grid = node.outcomes().grid();
    let now = node.steady_now();
    let mut reports: BTreeMap<_, Report> = BTreeMap::new();
    let mut taken = OutcomesTaken::default();
    for (index, outcome) in told.outcomes.iter().enumerate() {
        let context = Context::from_json(&serde_json::Value::Object(outcome.context.clone()))
            .map_err(|error| Failure::invalid(field(index, "context"), error.to_string()))?
            .at(node.wall_now().as_ms());
        let unit = sees(&outcome.flag)
            .then(|| unit(&rules, outcome, &context, told.sequence, index))
            .flatten();
        let Some((flag, unit)) = unit else {
            taken.ignored += 1;
            continue;
        };
        let age_ms = i64::try_from(outcome.age_ms).unwrap_or(i64::MAX);
        let at = grid.begin(now.plus_ms(age_ms.saturating_neg()));
        let name = outcome.name.as_deref().unwrap_or(ERRORS);
        let key = (at, flag.clone(), name.to_owned());
        let report = reports.entry(key).or_insert_with(|| Report {
            at,
            flag,
            threshold: u64::MAX,
            names: names(name),
            units: Vec::new(),
        });
        report.units.push(unit);
    }
    // Only now: what was refused may come again under the same number.
    if !app.reporters.is_first(token, &told.instance, told.sequence) {
        return Ok(axum::Json(OutcomesTaken {
            repeated: true,
            ..OutcomesTaken::default()
        }));
    }
    let batch = Batch {
        instance: [token, "/", &*told.instance].concat().into(),
        sequence: told.sequence,
        origin,
        reports: reports.into_values().collect(),
        gauges: Vec::new(),
    };
    let by_node = node.outcomes().take(&environment, &batch);
    taken.counted = by_node.counted;
    taken.late = by_node.late;
    taken.ignored += by_node.astray + by_node.no_room;
    Ok(axum::Json(taken))
}

/// Refuses what is out of bounds, and names it.
fn checked(told: ReportOutcomes) -> Result<ReportOutcomes, Failure> {
    let is_instance = (1..=INSTANCE_BYTES_MAX).contains(&told.instance.len())
        && told.instance.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_instance {
        let why = format!("an instance is 1 to {INSTANCE_BYTES_MAX} bytes of visible ASCII");
        return Err(Failure::invalid("instance", why));
    }
    if told.outcomes.len() > OUTCOMES_MAX {
        let why = format!("{OUTCOMES_MAX} are the most; send the others in another request");
        return Err(Failure::invalid("outcomes", why));
    }
    for (index, outcome) in told.outcomes.iter().enumerate() {
        let name = outcome.name.as_deref();
        if name.is_some_and(|name| !is_outcome_name(name)) {
            let why = "a name is 1 to 64 of a-z 0-9 _ . -";
            return Err(Failure::invalid(field(index, "name"), why));
        }
        let time = outcome.duration_ms;
        if time.is_some_and(|ms| !(ms.is_finite() && ms >= 0.0)) {
            let why = "a duration is a number of milliseconds, and not below 0";
            return Err(Failure::invalid(field(index, "duration_ms"), why));
        }
    }
    Ok(told)
}

/// `errors`, and another name beside it.
fn names(name: &str) -> Vec<Box<str>> {
    if name == ERRORS {
        vec![ERRORS.into()]
    } else {
        vec![ERRORS.into(), name.into()]
    }
}

/// The unit of an outcome; none where it is no evidence.
fn unit(
    rules: &RuleSet,
    told: &ReportedOutcome,
    context: &Context,
    sequence: u64,
    index: usize,
) -> Option<(FlagKey, ReportedUnit)> {
    let flag = rules.find(&told.flag)?;
    let answer = rules.evaluate_index(flag, context)?;
    let arm = match rules.side(flag, &answer)? {
        Side::Exposed => Arm::Exposed,
        Side::HeldBack => Arm::HeldBack,
        Side::LetThrough => Arm::Assigned,
    };
    let is_bad = told.outcome == Went::Bad;
    let hash = rules.fingerprint(flag, context)?;
    let latency = told.duration_ms.map(|ms| {
        let time = Duration::try_from_secs_f64(ms / 1_000.0).unwrap_or(Duration::MAX);
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let die =
            (hash ^ sequence.rotate_left(32) ^ index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let [choice @ .., _, _, _, _, _, _] = die.to_be_bytes();
        Chosen {
            choice: u16::from_be_bytes(choice),
            bucket: u8::try_from(Histogram::bucket(micros, is_bad)).unwrap_or(u8::MAX),
        }
    });
    let unit = ReportedUnit {
        hash,
        arm,
        bad: if is_bad { u8::MAX } else { 0 },
        latency,
    };
    Some((FlagKey::new(&told.flag).ok()?, unit))
}

fn field(index: usize, name: &str) -> String {
    format!("outcomes[{index}].{name}")
}
