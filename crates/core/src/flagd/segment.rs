//! Segments as `$evaluators`.

use std::collections::BTreeMap;

use leverframe_flags::{Segment, SegmentKey, TARGETING_KEY};
use serde_json::{Map, Value as Json, json};

use super::print::{Asked, Printer, evaluator, join};

/// Puts every segment that `asked` names, and what those ask about, into evaluators. An evaluator
/// never refers to another: engines put them in as text, in an order of their own.
pub(super) fn evaluators(
    asked: impl IntoIterator<Item = Asked>,
    segments: &BTreeMap<&SegmentKey, &Segment>,
) -> Result<Map<String, Json>, String> {
    let mut evaluators = Map::new();
    for one in asked {
        let condition = inlined(&one, segments, leverframe_flags::limit::SEGMENT_DEPTH_MAX)?;
        evaluators.insert(evaluator(&one), condition);
    }
    Ok(evaluators)
}

fn inlined(
    asked: &Asked,
    segments: &BTreeMap<&SegmentKey, &Segment>,
    depth_left: usize,
) -> Result<Json, String> {
    let (key, belongs) = asked;
    let segment = segments
        .get(key)
        .ok_or_else(|| format!("there is no segment {key}"))?;
    let depth_left = depth_left
        .checked_sub(1)
        .ok_or_else(|| format!("segment {key} asks about segments too deep"))?;
    let mut printer = Printer::default();
    let when = match &segment.when {
        Some(when) => printer
            .condition(when.tree(), *belongs)
            .map_err(|why| format!("segment {key}: {why}"))?,
        None => json!(!belongs),
    };
    if let Some(remark) = printer.remarks.first() {
        return Err(format!("segment {key}: {remark}"));
    }
    let mut inner = Map::new();
    for asked in printer.asked {
        inner.insert(evaluator(&asked), inlined(&asked, segments, depth_left)?);
    }
    let when = replaced(when, &inner);

    let unit = json!({"var": TARGETING_KEY});
    let has_unit = json!({"!!": [unit]});
    let listed = |units: &[Box<str>]| json!({"in": [unit, units]});
    let (included, excluded) = (&segment.include, &segment.exclude);
    // Without a unit the lists cannot be asked, and what they would say is unknown.
    Ok(if *belongs {
        let mut all = Vec::new();
        if !excluded.is_empty() {
            all.extend([has_unit, json!({"!": listed(excluded)})]);
        }
        let mut any = Vec::new();
        if !included.is_empty() {
            any.push(listed(included));
        }
        any.push(when);
        all.push(join("or", any));
        join("and", all)
    } else {
        let mut all = Vec::new();
        if !included.is_empty() {
            all.extend([has_unit, json!({"!": listed(included)})]);
        }
        all.push(when);
        let mut any = Vec::new();
        if !excluded.is_empty() {
            any.push(listed(excluded));
        }
        any.push(join("and", all));
        join("or", any)
    })
}

/// `json` with every `$ref` replaced by what it refers to.
pub(super) fn replaced(json: Json, evaluators: &Map<String, Json>) -> Json {
    match json {
        Json::Object(object) => {
            let referred = (object.len() == 1)
                .then(|| evaluators.get(object.get("$ref")?.as_str()?))
                .flatten();
            match referred {
                Some(evaluator) => evaluator.clone(),
                None => Json::Object(
                    object
                        .into_iter()
                        .map(|(name, value)| (name, replaced(value, evaluators)))
                        .collect(),
                ),
            }
        }
        Json::Array(list) => list
            .into_iter()
            .map(|item| replaced(item, evaluators))
            .collect(),
        scalar => scalar,
    }
}
