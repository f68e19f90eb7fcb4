//! The console as a browser sees it, without one: pages, forms and notices over HTTP.

mod access;
mod audit;
mod charts;
mod confirmation;
mod definition;
mod flags;
mod fleet;
mod freeze;
mod kill;
mod launch;
mod lever;
mod live;
mod now;
mod page;
mod rollouts;
mod rules;
mod segments;
mod settings;
mod sign_in;
mod texts;

use serde_json::Value as Json;

use crate::world::{Answer, World};

/// What a browser says that it takes.
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

impl World {
    /// A page, with the first admin's token.
    pub(crate) async fn page(&self, path: &str) -> Answer {
        self.page_as(path, &self.admin).await
    }

    /// A page, with a token.
    pub(crate) async fn page_as(&self, path: &str, token: &str) -> Answer {
        let ask = self.get(path).token(token).header("accept", BROWSER);
        ask.send().await
    }

    /// Sends a page's form.
    pub(crate) async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.form_as(path, fields, &self.admin).await
    }

    /// Sends a page's form, with a token.
    pub(crate) async fn form_as(&self, path: &str, fields: &[(&str, &str)], token: &str) -> Answer {
        let ask = self.ask("POST", path).token(token).form(fields);
        ask.header("accept", BROWSER).send().await
    }

    /// The newest record of the journal.
    pub(crate) async fn newest(&self) -> Json {
        let page = self.get("/api/v1/journal?limit=1").send().await.is(200);
        page.json()["records"][0].clone()
    }
}
