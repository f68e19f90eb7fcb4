//! Reading a flagd document into definitions.

use std::collections::BTreeMap;

use leverframe_flags::{EnvironmentKey, Expr, Expression, FlagKey, Hash, Rule, Serve, VariantKey};
use serde_json::{Map, Value as Json};

use super::document::Document;
use super::flag::Entry;
use super::node::{Node, Reader};
use super::refusal::{DocumentError, Refusal, Refused, Remark};
use super::targeting::{Decided, Targeting};
use crate::flag::{EnvironmentRules, FlagDefinition, Kind};

/// What a flagd document does not say of its flags.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// Where the rules go.
    pub environments: Vec<EnvironmentKey>,
    /// Who answers for flags whose metadata name no owner.
    pub owner: Option<String>,
    /// What the flags are for.
    pub kind: Kind,
    /// When they should be gone.
    pub sunset: Option<jiff::civil::Date>,
    /// The closed variant of flags where the safe one is another than is guessed.
    pub closed: BTreeMap<FlagKey, VariantKey>,
}

/// What a flagd document is read into.
#[derive(Debug, Clone, Default)]
pub struct Import {
    /// The flags that came through.
    pub flags: Vec<ImportedFlag>,
    /// Those that did not.
    pub refusals: Vec<Refusal>,
    /// What should be known of those that did.
    pub remarks: Vec<Remark>,
}

/// One flag that came through.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedFlag {
    /// Its definition. Opened to 100 % it answers as flagd does.
    pub definition: FlagDefinition,
    /// Whether it was ENABLED. One that was not stays closed.
    pub is_enabled: bool,
}

/// Reads a flagd document.
///
/// # Errors
/// [`DocumentError`] where it is none. What is wrong with single flags is in [`Import::refusals`].
pub fn import(document: &Json, options: &ImportOptions) -> Result<Import, DocumentError> {
    let document = Document::new(document)?;
    let mut import = Import::default();
    let mut strangers = options.closed.clone();
    for (key, json, path) in &document.flags {
        strangers.remove(*key);
        let mut remarks = Vec::new();
        match read(key, json, path, &document, options, &mut remarks) {
            Ok(flag) => {
                import.flags.push(flag);
                import
                    .remarks
                    .extend(remarks.into_iter().map(|what| Remark {
                        flag: (*key).to_owned(),
                        what,
                    }));
            }
            Err(refused) => import.refusals.push(refused.of(key)),
        }
    }
    // A misspelt key would leave a flag with another closed variant than was asked for.
    for flag in strangers.keys() {
        import.refusals.push(
            Refused::at(
                "$.flags",
                "there is no such flag to name a closed variant of",
            )
            .of(flag.as_str()),
        );
    }
    Ok(import)
}

fn read(
    key: &str,
    json: &Json,
    path: &str,
    document: &Document<'_>,
    options: &ImportOptions,
    remarks: &mut Vec<String>,
) -> Result<ImportedFlag, Refused> {
    let entry = Entry::new(key, json, path)?;
    let closed = match options.closed.get(key) {
        Some(named) if !entry.variants.contains_key(named) => {
            return Err(Refused::at(
                format!("{path}.variants"),
                format!("there is no variant {named} to close to"),
            ));
        }
        Some(named) => named,
        None => entry.safe(),
    };
    let mut targeting = Targeting {
        reader: Reader::new(key, document.evaluators),
        variants: &entry.variants,
        default: &entry.default,
        closed,
        decided: Vec::new(),
        bucketing: None,
    };
    if let Some(json) = entry.targeting {
        let node = Node::new(json, format!("{path}.targeting"));
        targeting.decide(&node, &Expr::Constant(true))?;
    }
    let Targeting {
        reader,
        decided,
        bucketing,
        ..
    } = targeting;
    let (rules, open) = Targeting::settled(decided, &entry.default);
    let rules = EnvironmentRules {
        rules: expressions(rules, &format!("{path}.targeting"))?,
        prerequisites: Vec::new(),
    };
    remarks.extend(reader.remarks);
    if !entry.is_enabled {
        remarks.push(
            "it is DISABLED, where flagd leaves the decision to the caller; here it is closed"
                .to_owned(),
        );
    }
    let labels = Labels::of(document.metadata, entry.metadata, remarks);
    let owner = labels
        .owner
        .or_else(|| options.owner.clone())
        .ok_or_else(|| Refused::at(path, "nobody answers for it: say who with --owner"))?;
    // Apart from the split's own salt, so that whom a percentage exposes says nothing about the arm.
    let salt = match &open {
        Serve::Split(_) => format!("{key}/exposure").into(),
        Serve::Variant(_) => key.into(),
    };
    let definition = FlagDefinition {
        unsafe_closing: None,
        key: entry.key.clone(),
        kind: options.kind,
        value_type: entry.value_type,
        closed: closed.clone(),
        variants: entry.variants.clone().into(),
        open,
        owner,
        description: labels.description,
        tags: std::collections::BTreeSet::new(),
        runbook: String::new(),
        sunset: options.sunset,
        client_visible: false,
        stale_after_s: None,
        unit: bucketing
            .as_ref()
            .and_then(|bucketing| bucketing.unit.clone()),
        salt,
        hash: bucketing.map_or(Hash::Native, |bucketing| bucketing.hash),
        environments: options
            .environments
            .iter()
            .filter(|_| !rules.rules.is_empty())
            .map(|environment| (environment.clone(), rules.clone()))
            .collect(),
    };
    demand_valid(&definition, rules, path)?;
    Ok(ImportedFlag {
        definition,
        is_enabled: entry.is_enabled,
    })
}

fn expressions(rules: Vec<Decided>, path: &str) -> Result<Vec<Rule>, Refused> {
    (1..)
        .zip(rules)
        .map(|(number, Decided { when, serve })| {
            let when = Expression::new(when)
                .map_err(|error| Refused::at(path, format!("as a rule: {error}")))?;
            Ok(Rule {
                id: format!("flagd-{number}").into(),
                when,
                serve,
            })
        })
        .collect()
}

fn demand_valid(
    definition: &FlagDefinition,
    rules: EnvironmentRules,
    path: &str,
) -> Result<(), Refused> {
    // Even where no environment gets the rules, they must be such as could be served.
    let mut served = definition.in_environment("");
    served.rules = rules.rules;
    served.validate().map_err(|errors| {
        let why: Vec<String> = errors.iter().map(ToString::to_string).collect();
        Refused::at(path, why.join("; "))
    })
}

/// What metadata say that a definition has a place for.
struct Labels {
    owner: Option<String>,
    description: String,
}

impl Labels {
    fn of(
        set: Option<&Map<String, Json>>,
        flag: Option<&Map<String, Json>>,
        remarks: &mut Vec<String>,
    ) -> Self {
        let text = |of: Option<&Map<String, Json>>, name: &str| {
            Some(of?.get(name)?.as_str()?.to_owned()).filter(|text| !text.trim().is_empty())
        };
        let lost: Vec<&str> = flag
            .into_iter()
            .flatten()
            .map(|(name, _)| name.as_str())
            .filter(|name| !matches!(*name, "owner" | "description"))
            .collect();
        if !lost.is_empty() {
            remarks.push(format!(
                "its metadata {} have no place in a definition and were left out",
                lost.join(", ")
            ));
        }
        Self {
            owner: text(flag, "owner").or_else(|| text(set, "owner")),
            description: text(flag, "description").unwrap_or_default(),
        }
    }
}
