//! Segments: listed, looked at, made, edited and deleted.

use axum::extract::State;
use axum::response::Response;
use leverframe_console::page::{self, SegmentDraft, SegmentPreview};
use leverframe_console::{Failing, Link, Place};
use leverframe_flags::Expression;
use leverframe_wire::admin::{PutSegment, Segment, SegmentDefinition};

use super::form::Form;
use super::trial::tried;
use super::visit::Visit;
use super::{Pages, answer, listed};
use crate::admin::segment::{self, Wanted};
use crate::app::App;
use crate::problem::Failure;
use crate::request::Path;

pub(super) fn pages() -> Pages {
    listed! {
        get "/segments" => list;
        get "/segments/new" => blank;
        get "/segments/{segment}" => show;
        post "/segments" => create;
        post "/segments/{segment}" => edit;
        post "/segments/{segment}/delete" => delete;
    }
}

async fn list(visit: Visit, State(app): State<App>) -> Result<Response, Failure> {
    let wanted = Wanted {
        q: visit.parameter("q"),
        after: visit.parameter("after"),
        limit: None,
    };
    let segments = segment::list(&app, &visit, &wanted)?;
    Ok(answer::page(&page::Segments {
        shell: visit.shell(&app, Place::Flags, "Segments"),
        segments,
        search: wanted.q.unwrap_or_default(),
        after: wanted.after.unwrap_or_default(),
        is_editor: visit.is_editor(),
    }))
}

async fn blank(visit: Visit, State(app): State<App>) -> Result<Response, Failure> {
    visit.demand_editor("")?;
    Ok(answer::page(&page_of(
        &visit,
        &app,
        None,
        SegmentDraft::default(),
    )))
}

async fn show(
    visit: Visit,
    State(app): State<App>,
    Path(key): Path<String>,
) -> Result<Response, Failure> {
    let segment = segment::read(&app, &visit, &key)?;
    let draft = SegmentDraft::of(&segment.definition);
    Ok(answer::page(&page_of(&visit, &app, Some(segment), draft)))
}

fn page_of(
    visit: &Visit,
    app: &App,
    stored: Option<Segment>,
    draft: SegmentDraft,
) -> page::Segment {
    let title = stored.as_ref().map_or_else(
        || "New segment".to_owned(),
        |segment| format!("Segment {}", segment.definition.key),
    );
    let mut shell = visit.shell(app, Place::Flags, title);
    // What is being typed is not fetched anew.
    shell.is_live = false;
    page::Segment {
        shell,
        if_match: stored.as_ref().map_or(0, |segment| segment.revision),
        stored,
        draft,
        preview: None,
        caret: None,
        reason: String::new(),
        is_editor: visit.is_editor(),
    }
}

async fn create(visit: Visit, State(app): State<App>, form: Form) -> Result<Response, Failure> {
    put(&visit, &app, None, &form).await
}

async fn edit(
    visit: Visit,
    State(app): State<App>,
    Path(key): Path<String>,
    form: Form,
) -> Result<Response, Failure> {
    let stored = segment::read(&app, &visit, &key)?;
    put(&visit, &app, Some(stored), &form).await
}

/// Shows what was typed, or stores it.
async fn put(
    visit: &Visit,
    app: &App,
    stored: Option<Segment>,
    form: &Form,
) -> Result<Response, Failure> {
    let draft = draft(form);
    let definition = definition(&draft, stored.as_ref().map(|segment| &segment.definition));
    let mut page = page_of(visit, app, stored, draft);
    page.if_match = form.get("if_match").parse().unwrap_or(page.if_match);
    form.get("reason").clone_into(&mut page.reason);
    let key = page
        .stored
        .as_ref()
        .map(|segment| segment.definition.key.clone());
    let submit = |change, why| {
        let (key, definition) = (key.clone(), definition.clone());
        async move {
            let wanted = PutSegment { definition, why };
            match key {
                Some(key) => segment::edit(app, visit, &key, wanted, change).await,
                None => segment::create(app, visit, wanted, change).await,
            }
        }
    };
    let before = page.stored.as_ref().map(|segment| &segment.definition);
    let mut preview = SegmentPreview::new(before, &definition);
    let is_save = form.get("step") == "save";
    let asked = match is_save {
        true => match form.change() {
            Ok(change) => submit(change, form.why()).await.map(|_| None),
            Err(failure) => Err(failure),
        },
        false => tried(form, submit).await.map(Some),
    };
    match asked {
        Ok(None) => Ok(answer::go(&here(visit, &definition.key))),
        Ok(Some(tried)) => {
            preview.is_opening = tried.is_opening;
            preview.is_unchanged = tried.is_unchanged;
            page.preview = Some(preview);
            Ok(answer::page(&page))
        }
        Err(failure) => {
            let problem = failure.problem();
            page.shell.failing = Some(Failing::from(problem));
            if problem.field.as_deref() == Some("definition.when") {
                let error = page.draft.when.parse::<Expression>().err();
                page.caret = error.map(|error| error.render(&page.draft.when));
            }
            // Whoever was overtaken sees what their version would change of what is there now; a
            // reason that was missing is asked for again where it is typed.
            if matches!(problem.code.as_str(), "stale" | "reason-required") {
                page.if_match = page.stored.as_ref().map_or(0, |segment| segment.revision);
                preview.is_opening = problem.code == "reason-required";
                page.preview = Some(preview);
            }
            Ok(answer::page_with(failure.status(), &page))
        }
    }
}

async fn delete(
    visit: Visit,
    State(app): State<App>,
    Path(key): Path<String>,
    form: Form,
) -> Result<Response, Failure> {
    let asked = async {
        let change = form.change()?;
        segment::delete(&app, &visit, &key, (form.why(), change)).await
    };
    let Err(failure) = asked.await else {
        return Ok(answer::go(
            &Link::to(["segments"]).with("env", &visit.environment),
        ));
    };
    let segment = segment::read(&app, &visit, &key)?;
    let draft = SegmentDraft::of(&segment.definition);
    let mut page = page_of(&visit, &app, Some(segment), draft);
    page.shell.failing = Some(Failing::from(failure.problem()));
    Ok(answer::page_with(failure.status(), &page))
}

/// What was typed, as it was.
fn draft(form: &Form) -> SegmentDraft {
    let text = |name: &str| form.get(name).to_owned();
    SegmentDraft {
        key: text("key"),
        when: text("when"),
        include: text("include"),
        exclude: text("exclude"),
        keeps_lists: form.is_ticked("keep"),
    }
}

/// The segment that was meant.
fn definition(draft: &SegmentDraft, stored: Option<&SegmentDefinition>) -> SegmentDefinition {
    let units = |text: &str| -> Vec<String> {
        let lines = text.lines().map(str::trim);
        lines
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let (include, exclude) = match stored {
        Some(stored) if draft.keeps_lists => (stored.include.clone(), stored.exclude.clone()),
        _ => (units(&draft.include), units(&draft.exclude)),
    };
    SegmentDefinition {
        key: draft.key.clone(),
        when: Some(draft.when.clone()).filter(|when| !when.is_empty()),
        include,
        exclude,
    }
}

fn here(visit: &Visit, key: &str) -> Link {
    Link::to(["segments", key]).with("env", &visit.environment)
}
