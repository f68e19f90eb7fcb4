//! One change of the rules: as it was typed, as the definition that it leads to, and as the command.

use leverframe_console::page::{NeedDraft, RuleDraft};
use leverframe_flags::{EnvironmentKey, Expression};
use leverframe_node::Accepted;
use leverframe_wire::admin::{
    AddRule, Arm, EnvironmentRules, FlagDefinition, MoveRule, Prerequisite, PutFlag, Rule, Serve,
    Why,
};

use crate::admin::{flag, rule};
use crate::app::App;
use crate::auth::Authenticated;
use crate::console::form::Form;
use crate::problem::Failure;
use crate::request::Change;

/// A change of a flag's rules in an environment.
pub(super) struct Operation {
    what: What,
    environment: String,
    /// The definition that it leads to, to be shown; what is stored is decided by core.
    pub(super) after: FlagDefinition,
}

enum What {
    Add {
        rule: Rule,
        at: Option<usize>,
    },
    Remove {
        id: String,
    },
    Shift {
        id: String,
        to: usize,
    },
    /// A rule or the prerequisites are replaced, which the API does by the whole definition.
    Edit,
}

/// The rule that was typed, as it was.
pub(super) fn draft(form: &Form) -> RuleDraft {
    let text = |name: &str| form.get(name).to_owned();
    RuleDraft {
        id: text("rule"),
        when: text("when"),
        serve: text("serve"),
        weights: form.all("weight").map(str::to_owned).collect(),
        at: text("at"),
    }
}

/// The prerequisites that were typed, as they were.
pub(super) fn needs(form: &Form) -> Vec<NeedDraft> {
    form.all("need_flag")
        .zip(form.all("need_variants"))
        .filter(|(flag, variants)| !flag.is_empty() || !variants.is_empty())
        .map(|(flag, variants)| NeedDraft {
            flag: flag.to_owned(),
            variants: variants.to_owned(),
        })
        .collect()
}

impl Operation {
    /// The change that was asked for, of a definition as it is stored.
    pub(super) fn read(
        form: &Form,
        stored: &FlagDefinition,
        environment: &EnvironmentKey,
    ) -> Result<Self, Failure> {
        let mut after = stored.clone();
        let inside = after
            .environments
            .entry(environment.to_string())
            .or_default();
        let what = if let Some(id) = form.some("remove") {
            inside.rules.retain(|rule| rule.id != id);
            What::Remove { id }
        } else if let Some(shift) = form.some("shift") {
            shifted(&shift, inside)?
        } else if form.is_ticked("needs") {
            inside.prerequisites = needs(form).iter().map(prerequisite).collect();
            What::Edit
        } else {
            typed(&draft(form), stored, inside)?
        };
        if *inside == EnvironmentRules::default() {
            after.environments.remove(environment.as_str());
        }
        Ok(Self {
            what,
            environment: environment.to_string(),
            after,
        })
    }

    /// Gives the command.
    pub(super) async fn submit(
        &self,
        app: &App,
        who: &Authenticated,
        change: Change<()>,
        why: Why,
    ) -> Result<Accepted, Failure> {
        let key = self.after.key.as_str();
        let place = (key, self.environment.as_str());
        match &self.what {
            What::Add { rule, at } => {
                let wanted = AddRule {
                    rule: rule.clone(),
                    at: *at,
                    why,
                };
                rule::add(app, who, place, wanted, change).await
            }
            What::Remove { id } => rule::remove(app, who, place, id, (why, change)).await,
            What::Shift { id, to } => {
                let wanted = MoveRule { to: *to, why };
                rule::shift(app, who, place, id, wanted, change).await
            }
            What::Edit => {
                let wanted = PutFlag {
                    definition: self.after.clone(),
                    why,
                };
                flag::edit(app, who, key, wanted, change).await
            }
        }
    }
}

/// `2:beta`: the rule `beta` is to be the third.
fn shifted(text: &str, inside: &mut EnvironmentRules) -> Result<What, Failure> {
    let (to, id) = text
        .split_once(':')
        .and_then(|(to, id)| Some((to.parse::<usize>().ok()?, id)))
        .ok_or_else(|| Failure::bad_request("the form does not say which rule goes where"))?;
    if let Some(index) = inside.rules.iter().position(|rule| rule.id == id) {
        let rule = inside.rules.remove(index);
        inside.rules.insert(to.min(inside.rules.len()), rule);
    }
    Ok(What::Shift {
        id: id.to_owned(),
        to,
    })
}

fn typed(
    draft: &RuleDraft,
    stored: &FlagDefinition,
    inside: &mut EnvironmentRules,
) -> Result<What, Failure> {
    let old = inside.rules.iter_mut().find(|rule| rule.id == draft.id);
    let salt = match old.as_ref().map(|rule| &rule.serve) {
        // Everybody stays on their side of a split that only shifts.
        Some(Serve::Split { salt, .. }) => salt.clone(),
        _ => String::new(),
    };
    let rule = Rule {
        id: draft.id.clone(),
        when: draft.when.clone(),
        serve: serve(draft, stored, salt)?,
    };
    match (old, draft.id.is_empty()) {
        (Some(old), false) => {
            *old = rule;
            Ok(What::Edit)
        }
        (_, true) => {
            let at = match draft.at.as_str() {
                "" => None,
                text => Some(text.parse::<usize>().map_err(|_| {
                    Failure::invalid("at", "the place of a rule is a number, from 0")
                })?),
            };
            let index = at.unwrap_or(usize::MAX).min(inside.rules.len());
            inside.rules.insert(index, rule.clone());
            Ok(What::Add { rule, at })
        }
        (None, false) => Err(Failure::not_found("rule", &draft.id)),
    }
}

fn serve(draft: &RuleDraft, stored: &FlagDefinition, salt: String) -> Result<Serve, Failure> {
    if draft.serve != "split" {
        let place = draft.serve.parse::<usize>().ok();
        let name = place.and_then(|place| stored.variants.keys().nth(place));
        return name.cloned().map(Serve::Variant).ok_or_else(|| {
            Failure::invalid("rule.serve", "choose what everybody it is true of gets")
        });
    }
    let mut split = Vec::new();
    for (variant, weight) in stored.variants.keys().zip(&draft.weights) {
        let text = weight.trim_end_matches('%').trim().replace(',', ".");
        if text.is_empty() {
            continue;
        }
        let weight = text.parse().map_err(|_| {
            Failure::invalid(
                "rule.serve",
                format!("the weight of {variant}, {weight:?}, is not a number"),
            )
        })?;
        split.push(Arm {
            variant: variant.clone(),
            weight,
        });
    }
    Ok(Serve::Split { split, salt })
}

fn prerequisite(need: &NeedDraft) -> Prerequisite {
    let variants = need.variants.split(',').map(str::trim);
    Prerequisite {
        flag: need.flag.clone(),
        variants: variants
            .filter(|variant| !variant.is_empty())
            .map(str::to_owned)
            .collect(),
    }
}

/// A condition with one more thing that it asks.
pub(super) fn composed(
    when: &str,
    attribute: &str,
    operator: &str,
    value: &str,
) -> Result<String, Failure> {
    if attribute.is_empty() {
        return Err(Failure::invalid(
            "rule.when",
            "name the attribute that is asked for",
        ));
    }
    let values = || {
        value
            .split(',')
            .map(str::trim)
            .filter(|one| !one.is_empty())
    };
    let literal = |one: &str| match one {
        "true" | "false" => one.to_owned(),
        _ if one.parse::<f64>().is_ok() => one.to_owned(),
        _ => format!("{one:?}"),
    };
    let is_networks = values().next().is_some_and(is_network);
    let asked = match operator {
        "missing" => String::new(),
        "in" | "not in" if is_networks => {
            let networks: Vec<&str> = values().collect();
            format!("[{}]", networks.join(", "))
        }
        "in" | "not in" => {
            let items: Vec<String> = values().map(literal).collect();
            format!("[{}]", items.join(", "))
        }
        "==" | "!=" | "<" | ">=" | "contains" => literal(value),
        _ => format!("{value:?}"),
    };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let attribute = match attribute.chars().all(is_plain) {
        true => attribute.to_owned(),
        false => format!("`{}`", attribute.replace('\\', "\\\\").replace('`', "\\`")),
    };
    let one = format!("{attribute} {operator} {asked}")
        .trim_end()
        .to_owned();
    match when.trim() {
        "" => Ok(one),
        when => match when.parse::<Expression>() {
            Ok(_) => Ok(format!("({when}) and {one}")),
            Err(error) => Err(Failure::invalid("rule.when", error.to_string())),
        },
    }
}

/// Whether a text is a network such as `10.0.0.0/8`.
fn is_network(text: &str) -> bool {
    let (address, _) = text.split_once('/').unwrap_or((text, ""));
    address.parse::<std::net::IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_together_is_a_condition() {
        for (attribute, operator, value, wanted) in [
            ("plan", "==", "beta", r#"plan == "beta""#),
            ("age", ">=", "18", "age >= 18"),
            ("vip", "==", "true", "vip == true"),
            ("country", "in", "NO, SE", r#"country in ["NO", "SE"]"#),
            ("ip", "in", "10.0.0.0/8", "ip in 10.0.0.0/8"),
            (
                "user agent",
                "contains",
                "a\"b",
                r#"`user agent` contains "a\"b""#,
            ),
            ("v", "semver >=", "2.4.0", r#"v semver >= "2.4.0""#),
            ("email", "missing", "ignored", "email missing"),
        ] {
            let when = composed("", attribute, operator, value).unwrap();
            let read: Expression = when.parse().unwrap();
            assert_eq!(read.to_string(), wanted);
        }
        assert!(composed("", "", "==", "3").is_err());
    }

    #[test]
    fn what_was_asked_before_is_asked_as_it_was_however_it_was_typed() {
        for before in [
            "a == 1",
            "a == 1 or b == 2",
            "a == 1 or\nb == 2",
            "a == 1\tor\tb == 2",
            "(a == 1) or (b == 2)",
            "not a == 1",
        ] {
            let both: Expression = composed(before, "c", "==", "3").unwrap().parse().unwrap();
            let wanted: Expression = format!("({before}) and (c == 3)").parse().unwrap();
            assert_eq!(both.to_string(), wanted.to_string(), "{before:?}");
        }
        for broken in ["a == 1 or", "a == 1) or (b == 2", "a =="] {
            assert!(composed(broken, "c", "==", "3").is_err(), "{broken}");
        }
    }
}
