//! Tokens: who may do what.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use leverframe_console::page::settings::{AskedToken, Tokens};
use leverframe_console::{Failing, Place};
use leverframe_core::access::Permission;
use leverframe_wire::admin::{CreateToken, Role};
use serde::Deserialize as _;
use serde::de::IntoDeserializer as _;
use serde::de::value::{Error, StrDeserializer};

use crate::admin::token;
use crate::app::App;
use crate::console::form::Form;
use crate::console::stored::{telling, told};
use crate::console::visit::Visit;
use crate::console::{Pages, answer, listed};
use crate::problem::Failure;
use crate::request::Path;

pub(super) fn pages() -> Pages {
    listed! {
        get "/settings/tokens" => show;
        post "/settings/tokens" => make;
        post "/settings/tokens/{id}/revoke" => revoke;
    }
}

async fn show(visit: Visit, State(app): State<App>) -> Result<Response, Failure> {
    visit.permit(&Permission::ManageTokens)?;
    Ok(answer::page(&page(&visit, &app)))
}

/// The secret stands in this answer and nowhere else: not in an address, and no browser keeps it.
async fn make(visit: Visit, State(app): State<App>, form: Form) -> Result<Response, Failure> {
    visit.permit(&Permission::ManageTokens)?;
    let asked = asked(&form);
    let made = async {
        let wanted = wanted(&asked, &form)?;
        token::create(&app, &visit, wanted, form.change()?).await
    };
    match made.await {
        Ok(created) => {
            let mut page = page(&visit, &app);
            page.created = Some(created);
            Ok(answer::page_with(StatusCode::CREATED, &page))
        }
        Err(failure) => Ok(refuse(&visit, &app, &failure, asked)),
    }
}

async fn revoke(
    visit: Visit,
    State(app): State<App>,
    Path(id): Path<String>,
    form: Form,
) -> Result<Response, Failure> {
    visit.permit(&Permission::ManageTokens)?;
    let revoked = async {
        let (command, why) = (token::revocation(&id), form.why());
        form.change()?.submit(&app, &visit, command, why).await
    };
    match revoked.await {
        Ok(accepted) => {
            let shell = visit.shell(&app, Place::Settings, "Tokens");
            let page = shell.link(["settings", "tokens"]);
            Ok(answer::go(&telling(page, &accepted)))
        }
        Err(failure) => Ok(refuse(&visit, &app, &failure, AskedToken::default())),
    }
}

fn refuse(visit: &Visit, app: &App, failure: &Failure, asked: AskedToken) -> Response {
    let mut page = page(visit, app);
    page.shell.failing = Some(Failing::from(failure.problem()));
    page.asked = asked;
    answer::page_with(failure.status(), &page)
}

fn asked(form: &Form) -> AskedToken {
    AskedToken {
        name: form.get("name").to_owned(),
        role: form.get("role").to_owned(),
        environments: form.all("environment").map(str::to_owned).collect(),
        keys: form.get("keys").to_owned(),
        ttl: form.get("ttl").to_owned(),
        reason: form.get("reason").to_owned(),
    }
}

/// What the API would have been asked.
fn wanted(asked: &AskedToken, form: &Form) -> Result<CreateToken, Failure> {
    let role: StrDeserializer<'_, Error> = asked.role.as_str().into_deserializer();
    let role =
        Role::deserialize(role).map_err(|_| Failure::invalid("role", "choose what it may do"))?;
    let ttl_s = match asked.ttl.as_str() {
        "never" => None,
        seconds => Some(
            seconds
                .parse()
                .map_err(|_| Failure::invalid("ttl_s", "choose how long it works"))?,
        ),
    };
    let keys = asked.keys.split([' ', ',', '\n', '\t']);
    Ok(CreateToken {
        name: asked.name.clone(),
        role,
        environments: asked.environments.clone(),
        keys: keys
            .filter(|key| !key.is_empty())
            .map(str::to_owned)
            .collect(),
        ttl_s,
        why: form.why(),
    })
}

fn page(visit: &Visit, app: &App) -> Tokens {
    let state = app.node().state();
    let environments = state.environments();
    let is_of_revocation = |revision| {
        let mut tokens = state.tokens();
        tokens.any(|entry| entry.revision == revision && entry.revoked_at.is_some())
    };
    Tokens {
        shell: visit.shell(app, Place::Settings, "Tokens"),
        tokens: token::all(app).tokens,
        environments: environments
            .map(|entry| entry.environment.key.to_string())
            .collect(),
        own: visit.token().id.to_string(),
        search: visit.parameter("q").unwrap_or_default(),
        is_whole: visit.parameter("all").is_some(),
        after: visit.parameter("after").unwrap_or_default(),
        created: None,
        asked: AskedToken::default(),
        stored: told(visit, is_of_revocation),
    }
}
