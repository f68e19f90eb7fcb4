//! Making a flag and editing what it is: what was typed becomes the definition that the API takes.

mod draft;

use axum::extract::State;
use axum::response::Response;
use leverframe_console::effect::Preview;
use leverframe_console::page::{self, Draft};
use leverframe_console::{Failing, Place};
use leverframe_core::Timestamp;
use leverframe_core::access::Permission;
use leverframe_node::Accepted;
use leverframe_wire::admin::{Flag, FlagDefinition, PutFlag};

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

/// After how many days a release is usually done with.
const SUNSET_DAYS: i64 = 30;

pub(super) fn pages() -> Pages {
    listed! {
        get "/flags/new" => blank;
        post "/flags" => create;
        get "/flags/{flag}/edit" => show;
        post "/flags/{flag}/edit" => edit;
    }
}

async fn blank(visit: Visit, State(app): State<App>) -> Result<Response, Failure> {
    visit.demand_editor("")?;
    let draft = Draft::new(&sunset(app.node().wall_now()));
    Ok(answer::page(&of_new(&visit, &app, draft)))
}

/// A day by which a release is usually done with.
fn sunset(now: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(now.as_ms()).unwrap_or_default();
    let day = at.to_zoned(jiff::tz::TimeZone::UTC).date();
    let then = day.checked_add(jiff::Span::new().days(SUNSET_DAYS));
    then.unwrap_or(day).to_string()
}

fn of_new(visit: &Visit, app: &App, draft: Draft) -> page::Definition {
    page::Definition {
        shell: visit.shell(app, Place::Flags, "New flag"),
        draft: draft.with_room(),
        stored: None,
        if_match: 0,
        preview: None,
        reason: String::new(),
    }
}

async fn create(visit: Visit, State(app): State<App>, form: Form) -> Result<Response, Failure> {
    visit.permit(&Permission::Change)?;
    let typed = draft::read(&form);
    let mut page = of_new(&visit, &app, typed.clone());
    page.reason = form.get("reason").to_owned();
    if form.get("step") == "rows" {
        return Ok(answer::page(&page));
    }
    let is_preview = form.get("step") == "preview";
    let asked = async {
        let definition = draft::definition(&typed, None)?;
        let change = form.change()?;
        let change = if is_preview { change.dry() } else { change };
        let wanted = PutFlag {
            definition: definition.clone(),
            why: form.why(),
        };
        let accepted = flag::create(&app, &visit, wanted, change).await?;
        Ok((definition, accepted))
    };
    match asked.await {
        Ok((definition, _)) if is_preview => {
            page.preview = Some(Preview::of_new(&definition));
            Ok(answer::page(&page))
        }
        Ok((definition, accepted)) => {
            let page = here(&visit, &definition.key);
            Ok(answer::go(&telling(page, &accepted)))
        }
        Err(failure) => Ok(refused(page, &failure)),
    }
}

async fn show(
    visit: Visit,
    State(app): State<App>,
    Path(key): Path<String>,
) -> Result<Response, Failure> {
    visit.demand_editor(&key)?;
    let flag = flag::read(&app, &visit, &key)?;
    let draft = Draft::of(&flag.definition);
    Ok(answer::page(&of_stored(&visit, &app, &flag, draft)))
}

fn of_stored(visit: &Visit, app: &App, flag: &Flag, draft: Draft) -> page::Definition {
    let mut shell = visit.shell(app, Place::Flags, format!("Edit {}", flag.definition.key));
    // What is being typed is not fetched anew.
    shell.is_live = false;
    page::Definition {
        shell,
        draft: draft.with_room(),
        stored: Some(flag.definition.clone()),
        if_match: flag.defined_revision,
        preview: None,
        reason: String::new(),
    }
}

async fn edit(
    visit: Visit,
    State(app): State<App>,
    Path(key): Path<String>,
    form: Form,
) -> Result<Response, Failure> {
    visit.permit(&Permission::Change)?;
    let flag = flag::read(&app, &visit, &key)?;
    let typed = draft::read(&form);
    let mut page = of_stored(&visit, &app, &flag, typed.clone());
    page.if_match = form.get("if_match").parse().unwrap_or(page.if_match);
    form.get("reason").clone_into(&mut page.reason);
    if form.get("step") == "rows" {
        return Ok(answer::page(&page));
    }
    let is_save = form.get("step") == "save";
    let asked = async {
        let definition = draft::definition(&typed, Some(&flag.definition))?;
        match is_save {
            true => save(&visit, &app, &key, definition, &form)
                .await
                .map(Came::Stored),
            false => preview(&visit, &app, &flag, definition, &form)
                .await
                .map(Came::Preview),
        }
    };
    match asked.await {
        Ok(Came::Stored(accepted)) => Ok(answer::go(&telling(here(&visit, &key), &accepted))),
        Ok(Came::Preview(preview)) => {
            page.preview = Some(preview);
            Ok(answer::page(&page))
        }
        Err(failure) => {
            let code = failure.problem().code.as_str();
            // Whoever was overtaken sees what their version would change of what is there now; a reason
            // that was missing is asked for again where it is typed.
            if is_save
                && matches!(code, "stale" | "reason-required")
                && let Ok(definition) = draft::definition(&typed, Some(&flag.definition))
            {
                page.if_match = flag.defined_revision;
                page.preview = Some(Preview {
                    is_opening: code == "reason-required",
                    ..Preview::new(&flag.definition, &definition, &flag.levers)
                });
            }
            Ok(refused(page, &failure))
        }
    }
}

async fn save(
    visit: &Visit,
    app: &App,
    key: &str,
    definition: FlagDefinition,
    form: &Form,
) -> Result<Accepted, Failure> {
    let wanted = PutFlag {
        definition,
        why: form.why(),
    };
    flag::edit(app, visit, key, wanted, form.change()?).await
}

/// What an edit would change.
async fn preview(
    visit: &Visit,
    app: &App,
    flag: &Flag,
    definition: FlagDefinition,
    form: &Form,
) -> Result<Preview, Failure> {
    let mut preview = Preview::new(&flag.definition, &definition, &flag.levers);
    let tried = tried(form, |change, why| {
        let wanted = PutFlag {
            definition: definition.clone(),
            why,
        };
        flag::edit(app, visit, &flag.definition.key, wanted, change)
    });
    let tried = tried.await?;
    preview.is_opening = tried.is_opening;
    preview.is_unchanged = tried.is_unchanged;
    Ok(preview)
}

fn refused(mut page: page::Definition, failure: &Failure) -> Response {
    page.shell.failing = Some(Failing::from(failure.problem()));
    answer::page_with(failure.status(), &page)
}
