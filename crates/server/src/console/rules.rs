//! The rules of a flag in one environment. Every change is shown before it is saved, and saved by the
//! command that the API would have given.

mod operation;

use axum::extract::State;
use axum::response::Response;
use leverframe_console::effect::Preview;
use leverframe_console::page::{self, RuleDraft};
use leverframe_console::{Failing, Place};
use leverframe_flags::Expression;
use leverframe_wire::admin::Flag;

use super::flag::here;
use super::form::Form;
use super::stored::{Came, telling};
use super::trial::tried;
use super::visit::Visit;
use super::{Pages, answer, listed};
use crate::admin::flag;
use crate::app::App;
use crate::problem::Failure;
use crate::request::Path;

use operation::Operation;

/// What a form says beside what it asks for.
const BESIDE: [&str; 7] = [
    "idempotency",
    "if_match",
    "step",
    "reason",
    "attribute",
    "operator",
    "value",
];

pub(super) fn pages() -> Pages {
    listed! {
        get "/flags/{flag}/rules" => show;
        post "/flags/{flag}/rules" => change;
    }
}

async fn show(
    visit: Visit,
    State(app): State<App>,
    Path(key): Path<String>,
) -> Result<Response, Failure> {
    let flag = flag::read(&app, &visit, &key)?;
    let wanted = visit.parameter("rule").unwrap_or_default();
    let inside = flag.definition.environments.get(visit.environment.as_str());
    let rule = inside.and_then(|inside| inside.rules.iter().find(|rule| rule.id == wanted));
    let draft = rule.map_or_else(RuleDraft::default, |rule| {
        RuleDraft::of(rule, &flag.definition)
    });
    Ok(answer::page(&page_of(&visit, &app, flag, draft)))
}

fn page_of(visit: &Visit, app: &App, flag: Flag, draft: RuleDraft) -> page::Rules {
    let key = &flag.definition.key;
    let mut shell = visit.shell(app, Place::Flags, format!("Rules of {key}"));
    // What is being typed is not fetched anew.
    shell.is_live = false;
    page::Rules {
        shell,
        if_match: flag.defined_revision,
        draft,
        needs: Vec::new(),
        preview: None,
        asked: Vec::new(),
        caret: None,
        reason: String::new(),
        is_editor: !flag.archived && visit.may_edit(key),
        flag,
    }
}

async fn change(
    visit: Visit,
    State(app): State<App>,
    Path(key): Path<String>,
    form: Form,
) -> Result<Response, Failure> {
    visit.named_environment()?;
    let flag = flag::read(&app, &visit, &key)?;
    let draft = operation::draft(&form);
    let mut page = page_of(&visit, &app, flag, draft);
    page.if_match = form.get("if_match").parse().unwrap_or(page.if_match);
    form.get("reason").clone_into(&mut page.reason);
    page.needs = operation::needs(&form);
    let step = form.get("step");
    if step == "compose" {
        return Ok(composed(page, &form));
    }
    let is_save = step == "save";
    let asked = async {
        let operation = Operation::read(&form, &page.flag.definition, &visit.environment)?;
        match is_save {
            true => {
                let (why, change) = (form.why(), form.change()?);
                let accepted = operation.submit(&app, &visit, change, why).await?;
                Ok(Came::Stored(accepted))
            }
            false => preview(&visit, &app, &page.flag, &operation, &form)
                .await
                .map(Came::Preview),
        }
    };
    match asked.await {
        Ok(Came::Stored(accepted)) => Ok(answer::go(&telling(here(&visit, &key), &accepted))),
        Ok(Came::Preview(preview)) => {
            page.preview = Some(preview);
            page.asked = once_more(&form);
            Ok(answer::page(&page))
        }
        Err(failure) => Ok(refused(page, &visit, &form, &failure)),
    }
}

/// What a change would do.
async fn preview(
    visit: &Visit,
    app: &App,
    flag: &Flag,
    operation: &Operation,
    form: &Form,
) -> Result<Preview, Failure> {
    let tried = tried(form, |change, why| {
        operation.submit(app, visit, change, why)
    })
    .await?;
    Ok(Preview {
        is_opening: tried.is_opening,
        is_unchanged: tried.is_unchanged,
        ..Preview::new(&flag.definition, &operation.after, &flag.levers)
    })
}

fn once_more(form: &Form) -> Vec<(String, String)> {
    form.fields()
        .filter(|(name, _)| !BESIDE.contains(name))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// The condition with what was chosen added to it.
fn composed(mut page: page::Rules, form: &Form) -> Response {
    let (attribute, operator) = (form.get("attribute"), form.get("operator"));
    match operation::composed(&page.draft.when, attribute, operator, form.get("value")) {
        Ok(when) => {
            page.draft.when = when;
            answer::page(&page)
        }
        Err(failure) => {
            page.shell.failing = Some(Failing::from(failure.problem()));
            answer::page_with(failure.status(), &page)
        }
    }
}

fn refused(mut page: page::Rules, visit: &Visit, form: &Form, failure: &Failure) -> Response {
    let problem = failure.problem();
    page.shell.failing = Some(Failing::from(problem));
    if problem
        .field
        .as_deref()
        .is_some_and(|field| field.ends_with("when"))
    {
        let error = page.draft.when.parse::<Expression>().err();
        page.caret = error.map(|error| error.render(&page.draft.when));
    }
    // Whoever was overtaken sees what the change does to what is there now; a reason that was missing
    // is asked for again where it is typed.
    let code = problem.code.as_str();
    if matches!(code, "stale" | "reason-required")
        && let Ok(operation) = Operation::read(form, &page.flag.definition, &visit.environment)
    {
        page.if_match = page.flag.defined_revision;
        page.asked = once_more(form);
        page.preview = Some(Preview {
            is_opening: code == "reason-required",
            ..Preview::new(&page.flag.definition, &operation.after, &page.flag.levers)
        });
    }
    answer::page_with(failure.status(), &page)
}
