//! flagd, as far as the tests need it: JsonLogic as JavaScript evaluates it, and flagd's own
//! operators, written from their documentation.

use leverframe_flags::murmur3_x86_32;
use serde_json::{Value as Json, json};

use super::NOW_MS;

/// The variant that flagd answers for flag `key` of `document`.
pub(crate) fn answer(document: &Json, key: &str, context: &Json) -> String {
    let flag = &document["flags"][key];
    assert_eq!(flag["state"], "ENABLED", "flagd would ask the caller");
    let default = flag["defaultVariant"].as_str().unwrap().to_owned();
    let Some(targeting) = flag.get("targeting") else {
        return default;
    };
    let mut data = context.clone();
    data["$flagd"] = json!({"flagKey": key, "timestamp": NOW_MS / 1_000});
    let engine = Engine {
        document,
        data: &data,
    };
    let variant = match engine.run(targeting) {
        Json::Null => return default,
        answer => text(&answer),
    };
    assert!(
        flag["variants"].get(&variant).is_some(),
        "{variant} is no variant"
    );
    variant
}

struct Engine<'a> {
    document: &'a Json,
    data: &'a Json,
}

impl Engine<'_> {
    fn run(&self, logic: &Json) -> Json {
        let Json::Object(object) = logic else {
            return match logic {
                Json::Array(list) => list.iter().map(|item| self.run(item)).collect(),
                scalar => scalar.clone(),
            };
        };
        let (name, given) = object.iter().next().unwrap();
        let args: Vec<&Json> = match given {
            Json::Array(list) => list.iter().collect(),
            only => vec![only],
        };
        let arg = |index: usize| args.get(index).map_or(Json::Null, |arg| self.run(arg));
        let pair = || (arg(0), arg(1));
        match name.as_str() {
            "$ref" => self.run(&self.document["$evaluators"][given.as_str().unwrap()]),
            "var" => match self.look_up(args[0].as_str().unwrap()) {
                Json::Null => arg(1),
                found => found,
            },
            "if" => self.choose(&args),
            "and" => self.first(&args, false),
            "or" => self.first(&args, true),
            "!" => json!(!truthy(&arg(0))),
            "!!" => json!(truthy(&arg(0))),
            "==" => json!(loosely_equal(&arg(0), &arg(1))),
            "!=" => json!(!loosely_equal(&arg(0), &arg(1))),
            "===" => json!(strictly_equal(&arg(0), &arg(1))),
            "!==" => json!(!strictly_equal(&arg(0), &arg(1))),
            "<" | "<=" | ">" | ">=" => {
                let numbers: Vec<f64> = (0..args.len()).map(|at| number(&arg(at))).collect();
                json!(numbers.windows(2).all(|two| match name.as_str() {
                    "<" => two[0] < two[1],
                    "<=" => two[0] <= two[1],
                    ">" => two[0] > two[1],
                    _ => two[0] >= two[1],
                }))
            }
            "in" => json!(match pair() {
                (needle, Json::Array(list)) =>
                    list.iter().any(|item| strictly_equal(item, &needle)),
                (Json::String(part), Json::String(whole)) => whole.contains(&part),
                _ => false,
            }),
            "merge" => (0..args.len())
                .flat_map(|at| match arg(at) {
                    Json::Array(list) => list,
                    scalar => vec![scalar],
                })
                .collect(),
            "%" => json!(number(&arg(0)) % number(&arg(1))),
            "cat" => json!((0..args.len()).map(|at| text(&arg(at))).collect::<String>()),
            "starts_with" | "ends_with" => match pair() {
                (Json::String(whole), Json::String(part)) => json!(if name == "starts_with" {
                    whole.starts_with(&part)
                } else {
                    whole.ends_with(&part)
                }),
                _ => Json::Null,
            },
            "sem_ver" => versions(&arg(0), &arg(1), &arg(2)),
            "fractional" => {
                let args: Vec<Json> = args.iter().map(|arg| self.run(arg)).collect();
                self.fractional(&args)
            }
            other => panic!("the test's engine has no {other}"),
        }
    }

    fn look_up(&self, path: &str) -> Json {
        path.split('.')
            .try_fold(self.data, |at, step| at.get(step))
            .cloned()
            .unwrap_or_default()
    }

    fn choose(&self, args: &[&Json]) -> Json {
        match args {
            [] => Json::Null,
            [otherwise] => self.run(otherwise),
            [condition, then, rest @ ..] => {
                if truthy(&self.run(condition)) {
                    self.run(then)
                } else {
                    self.choose(rest)
                }
            }
        }
    }

    fn first(&self, args: &[&Json], wanted: bool) -> Json {
        let mut last = Json::Null;
        for arg in args {
            last = self.run(arg);
            if truthy(&last) == wanted {
                break;
            }
        }
        last
    }

    fn fractional(&self, args: &[Json]) -> Json {
        let implicit = || {
            let unit = self.data["targetingKey"].as_str()?;
            let key = self.data["$flagd"]["flagKey"].as_str().unwrap();
            (!unit.is_empty()).then(|| format!("{key}{unit}"))
        };
        let (key, arms) = match &args[0] {
            Json::String(key) => (Some(key.clone()), &args[1..]),
            _ => (implicit(), args),
        };
        let Some(key) = key.filter(|_| arms.iter().all(Json::is_array)) else {
            return Json::Null;
        };
        let weight = |arm: &Json| {
            arm.get(1)
                .map_or(1, |weight| weight.as_i64().unwrap().max(0))
        };
        let total: i64 = arms.iter().map(weight).sum();
        let bucket =
            (u64::from(murmur3_x86_32(key.as_bytes())) * u64::try_from(total).unwrap()) >> 32;
        let mut below = 0;
        for arm in arms {
            below += u64::try_from(weight(arm)).unwrap();
            if bucket < below {
                return arm[0].clone();
            }
        }
        Json::Null
    }
}

fn truthy(value: &Json) -> bool {
    match value {
        Json::Null => false,
        Json::Bool(value) => *value,
        Json::Number(_) => number(value) != 0.0,
        Json::String(text) => !text.is_empty(),
        Json::Array(list) => !list.is_empty(),
        Json::Object(object) => !object.is_empty(),
    }
}

fn number(value: &Json) -> f64 {
    match value {
        Json::Null => 0.0,
        Json::Bool(value) => f64::from(u8::from(*value)),
        Json::Number(number) => number.as_f64().unwrap(),
        Json::String(text) if text.trim().is_empty() => 0.0,
        Json::String(text) => text.trim().parse().unwrap_or(f64::NAN),
        _ => f64::NAN,
    }
}

fn text(value: &Json) -> String {
    match value {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        Json::Number(_) => number(value).to_string(),
        other => other.to_string(),
    }
}

fn strictly_equal(one: &Json, other: &Json) -> bool {
    match (one, other) {
        (Json::Number(_), Json::Number(_)) => number(one) == number(other),
        _ => one == other,
    }
}

fn loosely_equal(one: &Json, other: &Json) -> bool {
    match (one, other) {
        (Json::Null, _) | (_, Json::Null) => one == other,
        (Json::String(_), Json::String(_)) => one == other,
        _ => number(one) == number(other),
    }
}

fn versions(left: &Json, sign: &Json, right: &Json) -> Json {
    let read = |value: &Json| -> Option<semver::Version> {
        let text = value.as_str()?.trim_start_matches(['v', 'V']);
        let missing = 2_usize.saturating_sub(text.matches('.').count());
        let is_partial = text.chars().all(|c| c.is_ascii_digit() || c == '.');
        let full = if is_partial {
            format!("{text}{}", ".0".repeat(missing))
        } else {
            text.to_owned()
        };
        full.parse().ok()
    };
    let (Some(left), Some(right)) = (read(left), read(right)) else {
        return Json::Null;
    };
    let order = left.cmp_precedence(&right);
    json!(match sign.as_str().unwrap() {
        "=" => order.is_eq(),
        "!=" => order.is_ne(),
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        ">=" => order.is_ge(),
        "^" => left.major == right.major,
        "~" => (left.major, left.minor) == (right.major, right.minor),
        other => panic!("{other}"),
    })
}
