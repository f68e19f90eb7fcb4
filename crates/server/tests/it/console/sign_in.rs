//! Signing in and out, as a browser does it.

use reqwest::redirect::Policy;
use serde_json::{Value as Json, json};

use crate::console::BROWSER;
use crate::world::{Answer, PATIENCE, World};

/// A browser, as far as cookies and what it says of itself go.
pub(crate) struct Browser {
    http: reqwest::Client,
    base: String,
    cookie: Option<String>,
}

impl Browser {
    pub(crate) fn at(world: &World) -> Self {
        let http = reqwest::Client::builder().redirect(Policy::none());
        Self {
            http: http.build().unwrap(),
            base: format!("{}://{}", world.scheme, world.address),
            cookie: None,
        }
    }

    /// Signed in with a token.
    pub(crate) async fn of(world: &World, token: &str) -> Self {
        let mut browser = Self::at(world);
        let fields = [("token", token)];
        browser.post("/sign-in", &fields).await.is(303);
        assert!(browser.cookie.is_some());
        browser
    }

    /// The same browser, at a server that was started anew.
    fn now_at(self, world: &World) -> Self {
        Self {
            cookie: self.cookie,
            ..Self::at(world)
        }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        let lines = [("sec-fetch-site", "same-origin")];
        self.send("GET", path, &lines, &[]).await
    }

    /// A form of a page of ours.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let origin = self.base.clone();
        let lines = [("origin", &*origin), ("sec-fetch-site", "same-origin")];
        self.send("POST", path, &lines, fields).await
    }

    async fn send(
        &mut self,
        method: &str,
        path: &str,
        lines: &[(&str, &str)],
        fields: &[(&str, &str)],
    ) -> Answer {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self
            .http
            .request(method.clone(), format!("{}{path}", self.base))
            .header("accept", BROWSER)
            .timeout(PATIENCE);
        for (name, value) in lines {
            request = request.header(*name, *value);
        }
        if let Some(cookie) = &self.cookie {
            // Others of the same host come along.
            request = request.header("cookie", format!("theme=dark; __Host-lever={cookie}; x=y"));
        }
        if method == reqwest::Method::POST {
            request = request.form(fields);
        }
        let response = request.send().await.unwrap();
        if let Some(line) = response.headers().get("set-cookie") {
            let line = line.to_str().unwrap();
            let (value, _) = line.split_once(';').unwrap();
            let value = value.strip_prefix("__Host-lever=").unwrap();
            self.cookie = (!value.is_empty()).then(|| value.to_owned());
        }
        Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await.unwrap(),
        }
    }
}

/// The id of the token of this role.
async fn id_of(world: &World, role: &str) -> String {
    let list = world.get("/api/v1/tokens").send().await.is(200).json();
    let tokens = list["tokens"].as_array().unwrap();
    let found = tokens.iter().find(|one| one["role"] == role).unwrap();
    found["id"].as_str().unwrap().to_owned()
}

async fn revoke(world: &World, role: &str) {
    let path = format!("/api/v1/tokens/{}", id_of(world, role).await);
    world.ask("DELETE", &path).send().await.is(200);
}

/// What a link to sign in has in it.
async fn once(world: &World, token: &str) -> String {
    let ask = world.post("/api/v1/sign-in-links", &json!({})).token(token);
    let made: Json = ask.send().await.is(201).json();
    let path = made["path"].as_str().unwrap();
    path.strip_prefix("/sign-in?once=").unwrap().to_owned()
}

#[tokio::test]
async fn a_browser_signs_in_with_a_token_and_goes_on_to_what_it_wanted() {
    let world = World::new().await;
    let mut browser = Browser::at(&world);
    let door = browser.get("/fleet?env=prod").await.is(303);
    assert_eq!(
        door.header("location"),
        "/sign-in?next=%2Ffleet%3Fenv%3Dprod"
    );
    let page = browser.get(door.header("location")).await.is(200);
    assert!(page.text.contains("type=\"password\""), "{}", page.text);
    assert!(
        page.text.contains("autocomplete=\"current-password\""),
        "{}",
        page.text
    );
    assert!(
        page.text
            .contains("name=\"next\" value=\"/fleet?env=prod\""),
        "{}",
        page.text
    );
    assert_eq!(page.header("cache-control"), "no-store");

    let fields = [("token", &*world.admin), ("next", "/fleet?env=prod")];
    let entered = browser.post("/sign-in", &fields).await.is(303);
    let cookie = entered.header("set-cookie");
    for attribute in [
        "; Path=/",
        "; Secure",
        "; HttpOnly",
        "; SameSite=Strict",
        "; Max-Age=43200",
    ] {
        assert!(cookie.contains(attribute), "{attribute}: {cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
    let kept = browser.get(entered.header("location")).await.is(303);
    assert_eq!(kept.header("location"), "/fleet?env=prod");
    let page = browser.get("/fleet?env=prod").await.is(200);
    assert!(page.text.contains("first admin (admin)"), "{}", page.text);
    // Whoever is signed in has nothing to do at the door.
    let door = browser.get("/sign-in?next=/fleet").await.is(303);
    assert_eq!(door.header("location"), "/fleet");
}

#[tokio::test]
async fn a_cookie_that_was_not_kept_is_said_in_words() {
    let world = World::new().await;
    let page = Browser::at(&world).get("/sign-in/kept?next=/now").await;
    let page = page.is(401);
    assert!(page.text.contains("https"), "{}", page.text);
    assert!(page.text.contains("http://127.0.0.1"), "{}", page.text);
    assert!(page.text.contains("/sign-in?next=%2Fnow"), "{}", page.text);
}

#[tokio::test]
async fn a_session_survives_a_restart_and_its_secret_is_stored_nowhere() {
    let world = World::new().await;
    let mut browser = Browser::of(&world, &world.admin).await;
    browser.get("/fleet").await.is(200);
    let world = world.restarted().await;
    let mut browser = browser.now_at(&world);
    browser.get("/fleet").await.is(200);

    let secret = browser.cookie.clone().unwrap();
    assert_eq!(secret.len(), 64, "256 bits");
    use leverframe_store::{MemoryStore, Store as _};
    let beside = MemoryStore::open(&world.disk).beside();
    let stored = beside.sessions(world.node.steady_now()).unwrap();
    let [one] = stored.as_slice() else {
        panic!("{stored:?}")
    };
    assert_eq!(
        one.expires_at.ms_since(one.created_at),
        12 * 60 * 60 * 1_000
    );
    assert!(!format!("{stored:?}").contains(&secret));
}

#[tokio::test]
async fn a_session_is_over_after_twelve_hours() {
    use leverframe_store::{MemoryStore, Store as _};
    let world = World::new().await;
    let browser = Browser::of(&world, &world.admin).await;
    let mut world = world;
    world.stop().await;
    world.node.stop().await;
    // It began twelve hours ago.
    let beside = MemoryStore::open(&world.disk).beside();
    let mut stored = beside.sessions(world.node.steady_now()).unwrap().remove(0);
    stored.created_at = stored.created_at.plus_ms(-43_200_000);
    stored.expires_at = stored.expires_at.plus_ms(-43_200_000);
    beside.save_session(&stored).unwrap();
    let world = world.restarted().await;
    let mut browser = browser.now_at(&world);
    browser.get("/fleet").await.is(303);
}

#[tokio::test]
async fn whose_token_is_revoked_is_out_with_the_next_request() {
    let world = World::new().await;
    let viewer = world.token("viewer", &[], &[]).await;
    let mut browser = Browser::of(&world, &viewer).await;
    browser.get("/fleet").await.is(200);
    revoke(&world, "viewer").await;
    browser.get("/fleet").await.is(303);
    let world = world.restarted().await;
    let mut browser = browser.now_at(&world);
    browser.get("/fleet").await.is(303);
}

#[tokio::test]
async fn whose_token_expires_is_out() {
    let world = World::new().await;
    let body = json!({"name": "short", "role": "viewer", "ttl_s": 1});
    let made = world.post("/api/v1/tokens", &body).send().await.is(201);
    let token = made.json()["token"].as_str().unwrap().to_owned();
    let mut browser = Browser::of(&world, &token).await;
    let out = async {
        while browser.get("/fleet").await.status != 303 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, out).await.unwrap();
}

#[tokio::test]
async fn signing_out_ends_the_session_and_the_browser_forgets_it() {
    let world = World::new().await;
    let mut browser = Browser::of(&world, &world.admin).await;
    let secret = browser.cookie.clone();
    let left = browser.post("/sign-out", &[]).await.is(303);
    let cookie = left.header("set-cookie");
    assert!(cookie.starts_with("__Host-lever=;"), "{cookie}");
    assert!(cookie.contains("; Max-Age=0"), "{cookie}");
    // Without these a browser takes no __Host- cookie, not even away.
    assert!(cookie.contains("; Secure"), "{cookie}");
    assert!(cookie.contains("; Path=/"), "{cookie}");
    assert_eq!(left.header("clear-site-data"), "\"cache\", \"storage\"");
    let page = browser.get(left.header("location")).await.is(200);
    assert!(page.text.contains("You are signed out."), "{}", page.text);
    // Somebody who kept the secret has nothing of it, not after a restart either.
    browser.cookie = secret.clone();
    browser.get("/fleet").await.is(303);
    let world = world.restarted().await;
    let mut browser = browser.now_at(&world);
    browser.cookie = secret;
    browser.get("/fleet").await.is(303);
}

#[tokio::test]
async fn signing_in_again_takes_a_new_secret_and_ends_the_old_one() {
    let world = World::new().await;
    let viewer = world.token("viewer", &[], &[]).await;
    let mut browser = Browser::of(&world, &viewer).await;
    let first = browser.cookie.clone();
    let fields = [("token", &*world.admin)];
    browser.post("/sign-in", &fields).await.is(303);
    assert_ne!(browser.cookie, first);
    browser.cookie = first;
    browser.get("/fleet").await.is(303);
}

#[tokio::test]
async fn a_form_that_is_not_of_a_page_of_ours_does_nothing() {
    let world = World::new().await;
    let mut browser = Browser::of(&world, &world.admin).await;
    let own = browser.base.clone();
    let foreign: [&[(&str, &str)]; 8] = [
        &[],
        &[("origin", "null")],
        &[("origin", "null"), ("sec-fetch-site", "same-origin")],
        &[("origin", "https://evil.test")],
        &[("origin", &own), ("sec-fetch-site", "cross-site")],
        &[("origin", &own), ("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "none")],
    ];
    let fields = [("token", &*world.admin)];
    for lines in foreign {
        for path in ["/sign-out", "/sign-in"] {
            let answer = browser.send("POST", path, lines, &fields).await;
            assert_eq!(answer.status, 403, "{path} {lines:?}");
            assert!(
                !answer.headers.contains_key("set-cookie"),
                "{path} {lines:?}"
            );
        }
        browser.get("/fleet").await.is(200);
    }
    for lines in [
        &[("origin", &*own)][..],
        &[("sec-fetch-site", "same-origin")],
    ] {
        browser
            .send("POST", "/sign-in", lines, &fields)
            .await
            .is(303);
        browser.get("/fleet").await.is(200);
    }
}

#[tokio::test]
async fn no_form_of_any_page_is_obeyed_by_cookie_alone() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    let mut browser = Browser::of(&world, &world.admin).await;
    let before = world.newest().await["revision"].clone();
    let forms = leverframe_server::console_pages();
    let forms: Vec<_> = forms
        .iter()
        .filter(|(method, _)| *method == "post")
        .collect();
    assert!(!forms.is_empty());
    for (_, path) in forms {
        let path = crate::access::concrete(path, "prod");
        for lines in [
            &[][..],
            &[("origin", "null")],
            &[("origin", "https://evil.test")],
            &[("sec-fetch-site", "cross-site")],
        ] {
            let answer = browser.send("POST", &path, lines, &[]).await;
            assert_eq!(answer.status, 403, "{path} {lines:?}: {}", answer.text);
        }
    }
    assert_eq!(world.newest().await["revision"], before);
}

#[tokio::test]
async fn a_pull_of_a_browser_whose_session_is_over_is_filled_in_again_once_it_has_signed_in() {
    let world = World::new().await;
    for key in ["checkout", "search"] {
        world.flag(key, &json!({})).await;
    }
    let before = world.newest().await["revision"].clone();
    let mut browser = Browser::at(&world);
    let why = [
        ("chip", "slow"),
        ("reason", "p95 & more"),
        ("incident", "I-1"),
    ];
    let card = [&[("flag", "checkout"), ("card", "1")][..], &why].concat();
    let both = [&[("flag", "checkout"), ("flag", "search")][..], &why].concat();
    for (fields, ticked) in [(&card, &[][..]), (&both, &["checkout", "search"])] {
        let door = browser.post("/kill?env=prod", fields).await.is(303);
        let door = browser.get(door.header("location")).await.is(200).text;
        assert!(door.contains("Nothing was closed"), "{door}");
        let start = door.find("name=\"next\" value=\"").unwrap() + 19;
        let next = &door[start..start + door[start..].find('"').unwrap()];
        let next = next.replace("&#38;", "&").replace("&amp;", "&");
        assert!(next.starts_with("/kill"), "{next}");
        let page = world.page(&next).await.is(200).text;
        for filled in ["value=\"slow\" checked", "p95 &#38; more", "value=\"I-1\""] {
            assert!(page.contains(filled), "{next}: {filled}: {page}");
        }
        for key in ticked {
            let ticked = format!("value=\"{key}\" checked");
            assert!(page.contains(&ticked), "{next}: {page}");
        }
        assert!(page.contains("data-hold"), "{page}");
    }
    // What is not known to be from a page of ours, or is from no browser, is told no more than before.
    browser.send("POST", "/kill", &[], &both).await.is(401);
    world.sent_as("/kill", &both, "lever_0").await.is(401);
    assert_eq!(world.newest().await["revision"], before);
}

#[tokio::test]
async fn one_goes_on_to_pages_of_this_server_and_to_no_other() {
    let world = World::new().await;
    let mut browser = Browser::of(&world, &world.admin).await;
    for next in [
        "//evil.test",
        "https://evil.test",
        "/\\evil.test",
        "\\/evil.test",
        "/\t/evil.test",
        "javascript:alert(1)",
        "now",
        "/now\r\nx: y",
        "/\u{202e}",
    ] {
        let encoded: String = next.bytes().map(|byte| format!("%{byte:02X}")).collect();
        for page in ["/sign-in", "/sign-in/kept"] {
            let answer = browser.get(&format!("{page}?next={encoded}")).await;
            assert_eq!(answer.is(303).header("location"), "/", "{next:?}");
        }
        let fields = [("token", &*world.admin), ("next", next)];
        let answer = browser.post("/sign-in", &fields).await.is(303);
        assert_eq!(answer.header("location"), "/sign-in/kept?next=%2F");
    }
}

#[tokio::test]
async fn a_link_signs_in_once_and_looking_at_it_changes_nothing() {
    let world = World::new().await;
    let brake = world.token("brake", &["prod"], &[]).await;
    let secret = once(&world, &brake).await;
    let path = format!("/sign-in?once={secret}&next=/fleet");
    let mut browser = Browser::at(&world);
    for _ in 0..3 {
        let page = browser.get(&path).await.is(200);
        assert!(page.text.contains("<button class=\"go\">Sign in"));
        assert!(!page.headers.contains_key("set-cookie"));
    }
    let fields = [("once", &*secret), ("next", "/fleet")];
    let entered = browser.post("/sign-in", &fields).await.is(303);
    assert_eq!(entered.header("location"), "/sign-in/kept?next=%2Ffleet");
    let page = browser.get("/fleet").await.is(200);
    assert!(page.text.contains("a brake (brake)"), "{}", page.text);

    let mut second = Browser::at(&world);
    let refused = second.post("/sign-in", &fields).await.is(401);
    assert!(refused.text.contains("lever console"), "{}", refused.text);
    second.get(&path).await.is(401);
    assert!(second.cookie.is_none());
}

#[tokio::test]
async fn a_link_is_worth_as_much_as_its_token() {
    let world = World::new().await;
    let viewer = world.token("viewer", &[], &[]).await;
    let secret = once(&world, &viewer).await;
    revoke(&world, "viewer").await;
    let mut browser = Browser::at(&world);
    browser.post("/sign-in", &[("once", &secret)]).await.is(401);
    let evaluator = world.token("evaluator", &["prod"], &[]).await;
    let ask = world.post("/api/v1/sign-in-links", &json!({}));
    ask.token(&evaluator).send().await.fails(403, "denied");
}

#[tokio::test]
async fn tokens_and_links_that_do_not_work_are_counted() {
    let world = World::with(|settings| settings.bad_tokens_max = 3).await;
    let mut browser = Browser::at(&world);
    for fields in [
        [("token", "lever_0123456789abcdef_00"), ("next", "/fleet")],
        [("token", ""), ("next", "/fleet")],
        [("once", "00"), ("next", "/fleet")],
    ] {
        let page = browser.post("/sign-in", &fields).await.is(401);
        assert!(page.text.contains("role=\"alert\""), "{}", page.text);
        assert!(page.text.contains("value=\"/fleet\""), "{}", page.text);
        assert!(!page.text.contains("0123456789abcdef"), "{}", page.text);
    }
    let slowed = browser.post("/sign-in", &[("token", "lever_0_0")]).await;
    let slowed = slowed.is(429);
    let seconds: u32 = slowed.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    // Nobody is kept out by somebody else's guesses.
    Browser::of(&world, &world.admin).await;
}

#[tokio::test]
async fn a_programs_token_opens_no_page() {
    let world = World::new().await;
    for role in ["evaluator", "client-evaluator"] {
        let token = world.token(role, &["prod"], &[]).await;
        let mut browser = Browser::at(&world);
        let refused = browser.post("/sign-in", &[("token", &token)]).await.is(403);
        assert!(refused.text.contains("is for programs"), "{}", refused.text);
        assert!(browser.cookie.is_none());
        world.page_as("/fleet", &token).await.is(403);
    }
    for role in ["viewer", "brake", "operator"] {
        let token = world.token(role, &["prod"], &[]).await;
        let mut browser = Browser::of(&world, &token).await;
        browser.get("/fleet?env=prod").await.is(200);
        browser.get("/fleet?env=dev").await.is(403);
    }
}

#[tokio::test]
async fn the_admin_api_knows_no_cookie() {
    let world = World::new().await;
    let mut browser = Browser::of(&world, &world.admin).await;
    for path in ["/api/v1/tokens", "/api/v1/whoami", "/metrics"] {
        let answer = browser.get(path).await;
        assert_eq!(answer.status, 401, "{path}: {}", answer.text);
    }
    let undo = browser.post("/api/v1/undo", &[]).await;
    assert_eq!(undo.status, 401, "{}", undo.text);
    let links = browser.post("/api/v1/sign-in-links", &[]).await;
    assert_eq!(links.status, 401, "{}", links.text);
}

#[tokio::test]
async fn a_link_on_another_site_leads_there_by_way_of_a_page_of_ours() {
    let world = World::new().await;
    let mut browser = Browser::of(&world, &world.admin).await;
    let cookie = browser.cookie.take();
    let path = "/fleet?env=prod&q=%22%3E%3Cb%3E";
    let elsewhere = [("sec-fetch-site", "cross-site")];
    let again = browser.send("GET", path, &elsewhere, &[]).await.is(200);
    assert!(
        again
            .text
            .contains("content=\"0;url=/fleet?env=prod&#38;q=%22%3E%3Cb%3E\""),
        "{}",
        again.text
    );
    assert!(!again.text.contains("prod</"), "it shows nothing");
    // Now a page of ours leads there, and the browser sends what it has.
    browser.get(path).await.is(303);
    browser.cookie = cookie;
    browser.get(path).await.is(200);
    // Without a page to show there is nothing to lead to, and a form is never led on.
    browser.cookie = None;
    browser
        .send("POST", "/sign-out", &elsewhere, &[])
        .await
        .is(403);
}

#[tokio::test]
async fn a_page_that_waits_ends_when_somebody_signs_out_elsewhere() {
    use futures_util::StreamExt as _;
    let world = World::new().await;
    let mut browser = Browser::of(&world, &world.admin).await;
    let cookie = format!("__Host-lever={}", browser.cookie.clone().unwrap());
    let live = world.get("/live").nobody().header("cookie", &cookie);
    let mut stream = live.response().await.bytes_stream();
    assert!(stream.next().await.is_some());
    browser.post("/sign-out", &[]).await.is(303);
    let end = async { while stream.next().await.is_some() {} };
    tokio::time::timeout(PATIENCE, end).await.unwrap();
}

#[tokio::test]
async fn secrets_are_on_no_page() {
    let world = World::new().await;
    let mut browser = Browser::of(&world, &world.admin).await;
    let secret = browser.cookie.clone().unwrap();
    let token = world.admin.rsplit('_').next().unwrap().to_owned();
    for path in ["/fleet", "/sign-in/kept", "/nowhere", "/fleet?env=mars"] {
        let page = browser.get(path).await.text;
        assert!(!page.contains(&secret), "{path}");
        assert!(!page.contains(&token), "{path}");
    }
}
