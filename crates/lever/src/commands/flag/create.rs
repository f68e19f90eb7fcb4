//! `lever flag create`.

use std::collections::{BTreeMap, BTreeSet};

use clap::ValueEnum;
use jiff::Timestamp;
use leverframe_wire::admin::{FlagDefinition, Kind, PutFlag, Serve, ValueType};
use serde_json::Value;

use super::definition::DefinitionArgs;
use crate::api::Attempt;
use crate::arguments::{ChangeArgs, flag_key};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::receipt;
use crate::session::Session;

/// Define a new flag; it is closed everywhere.
///
/// Without --type it is boolean: variants on=true and off=false, closed off, open on.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Its name: A-Z a-z 0-9 . _ ~ -
    #[arg(value_name = "FLAG", value_parser = flag_key)]
    key: String,

    /// The type of its values
    #[arg(long = "type", value_name = "TYPE", default_value = "boolean")]
    value_type: TypeName,

    #[command(flatten)]
    definition: DefinitionArgs,
    #[command(flatten)]
    change: ChangeArgs,
}

/// [`ValueType`] as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TypeName {
    Boolean,
    String,
    Integer,
    Float,
    Object,
}

impl From<TypeName> for ValueType {
    fn from(name: TypeName) -> Self {
        match name {
            TypeName::Boolean => Self::Boolean,
            TypeName::String => Self::String,
            TypeName::Integer => Self::Integer,
            TypeName::Float => Self::Float,
            TypeName::Object => Self::Object,
        }
    }
}

pub(crate) async fn run(session: &Session, args: &Args) -> Result<Exit, Failure> {
    let definition = definition(args, Timestamp::now())?;
    let client = session.client()?;
    let attempt = Attempt {
        dry_run: args.change.dry_run,
        seen: None,
    };
    let receipt = session
        .reasoned(args.change.why(), async |why| {
            let flag = PutFlag {
                definition: definition.clone(),
                why,
            };
            client.create_flag(&flag, attempt).await
        })
        .await?;
    receipt::tell(session, &receipt)
}

fn definition(args: &Args, now: Timestamp) -> Result<FlagDefinition, Failure> {
    let given = &args.definition;
    let value_type: ValueType = args.value_type.into();
    if given.owner.is_none() {
        return Err(Failure::usage(
            "a flag needs somebody who answers for it: add --owner",
        ));
    }
    let (variants, closed, open) = if value_type == ValueType::Boolean {
        let variants = BTreeMap::from([
            ("off".to_owned(), Value::Bool(false)),
            ("on".to_owned(), Value::Bool(true)),
        ]);
        (variants, "off".to_owned(), "on".to_owned())
    } else {
        if given.variants.is_empty() || given.closed.is_none() || given.open.is_none() {
            return Err(Failure::usage(
                "a flag that is not boolean needs --variants, --closed and --open, such as \
                 --variants low=40,normal=70 --closed low --open normal",
            ));
        }
        (BTreeMap::new(), String::new(), String::new())
    };
    let mut definition = FlagDefinition {
        closing: None,
        key: args.key.clone(),
        kind: Kind::Release,
        value_type,
        variants,
        closed,
        open: Serve::Variant(open),
        owner: String::new(),
        description: String::new(),
        tags: BTreeSet::new(),
        runbook: String::new(),
        sunset: None,
        client_visible: false,
        stale_after_s: None,
        unit: None,
        salt: None,
        hash: None,
        environments: BTreeMap::new(),
    };
    given.write(&mut definition, now)?;
    Ok(definition)
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use serde_json::json;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn defined(line: &[&str]) -> Result<Value, String> {
        let line = Line::try_parse_from([&["create"], line].concat())
            .map_err(|error| error.to_string())?;
        definition(&line.args, "2026-11-21T12:00:00Z".parse().unwrap())
            .map(|definition| json!(definition))
            .map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_flag_is_boolean_unless_it_says_otherwise() {
        let wanted = json!({
            "key": "new-checkout", "kind": "release", "type": "boolean",
            "variants": {"off": false, "on": true}, "closed": "off", "open": "on",
            "owner": "team-pay", "sunset": "2026-12-21",
            "runbook": "Legacy payment path; 3-D Secure off",
        });
        assert_eq!(
            defined(&[
                "new-checkout",
                "--owner",
                "team-pay",
                "--kind",
                "release",
                "--sunset",
                "30d",
                "--runbook",
                "Legacy payment path; 3-D Secure off",
            ]),
            Ok(wanted)
        );
    }

    #[test]
    fn a_flag_of_another_type_names_its_values() {
        let defined_flag = defined(&[
            "img-quality",
            "--type",
            "integer",
            "--variants",
            "low=40,normal=70,high=90",
            "--closed",
            "low",
            "--open",
            "normal=50,high=50",
            "--kind",
            "ops",
            "--owner",
            "web",
            "--client-visible",
            "--stale-after",
            "5m",
            "--tag",
            "b",
            "--tag",
            "a",
        ])
        .unwrap();
        assert_eq!(
            defined_flag["variants"],
            json!({"low": 40, "normal": 70, "high": 90})
        );
        assert_eq!(
            defined_flag["open"],
            json!({"split": [
                {"variant": "normal", "weight": 50.0},
                {"variant": "high", "weight": 50.0},
            ]})
        );
        assert_eq!(defined_flag["client_visible"], json!(true));
        assert_eq!(defined_flag["stale_after_s"], json!(300));
        assert_eq!(defined_flag["tags"], json!(["a", "b"]));
        assert!(
            defined(&["x", "--owner", "o", "--type", "integer"])
                .unwrap_err()
                .contains("--variants")
        );
    }

    #[test]
    fn a_flag_without_an_owner_is_refused() {
        assert!(defined(&["x"]).unwrap_err().contains("--owner"));
    }
}
