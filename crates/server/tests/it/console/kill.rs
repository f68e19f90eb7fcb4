//! The big lever: what it says before it is pulled, and what became of it.

use serde_json::json;

use super::rollouts;
use crate::world::{Answer, PATIENCE, World};

impl World {
    /// Sends a form and stays: where it leads is in the answer.
    pub(crate) async fn sent(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.sent_as(path, fields, &self.admin).await
    }

    /// The same with a token.
    pub(crate) async fn sent_as(&self, path: &str, fields: &[(&str, &str)], token: &str) -> Answer {
        let stays = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        let url = format!("http://{}{path}", self.address);
        let request = stays.build().unwrap().post(url).bearer_auth(token);
        let request = request.header("accept", super::BROWSER).form(fields);
        let response = request.timeout(PATIENCE).send().await.unwrap();
        Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await.unwrap(),
        }
    }

    /// Follows a redirect of a form to the page that it leads to.
    pub(crate) async fn follow(&self, answer: Answer) -> Answer {
        let place = answer.is(303).header("location").to_owned();
        self.page(&place).await.is(200)
    }
}

/// Flags that are open in prod.
pub(super) async fn opened(world: &World, keys: &[&str]) {
    for key in keys {
        let runbook =
            json!({"runbook": format!("# Pay\n\nBack to the **old** path of {key}. Call pay.")});
        world.flag(key, &runbook).await;
        world.open(key, "prod").await;
    }
}

pub(super) async fn is_killed(world: &World, key: &str) -> bool {
    let path = format!("/api/v1/flags/{key}/environments/prod");
    let lever = world.get(&path).send().await.is(200).json();
    lever["position"]["latched"] == true
}

#[tokio::test]
async fn a_link_from_a_pager_leads_to_what_closing_does_and_one_form_closes_it() {
    let world = World::new().await;
    opened(&world, &["checkout"]).await;
    let page = world
        .page("/kill/checkout?env=prod&inc=INC-412")
        .await
        .is(200);
    for said in [
        "Back to the old path of checkout.",
        "Everybody in prod gets off (false)",
        "value=\"INC-412\"",
        "value=\"errors up\"",
        "Kill checkout in prod",
    ] {
        assert!(page.text.contains(said), "{said}: {}", page.text);
    }
    // No more than the sentence is in sight, and it is no heading.
    assert!(page.text.contains("<h3>Pay</h3>"), "{}", page.text);
    assert!(!page.text.contains("if_match"), "{}", page.text);

    let fields = [
        ("flag", "checkout"),
        ("card", "1"),
        ("chip", "errors up"),
        ("incident", "INC-412"),
    ];
    let answer = world.sent("/kill?env=prod", &fields).await.is(303);
    let place = answer.header("location").to_owned();
    assert!(place.starts_with("/kill/checkout?env=prod&r="), "{place}");
    assert!(place.ends_with("&inc=INC-412"), "{place}");
    let page = world.follow(answer).await;
    for said in [
        "checkout closed in prod",
        "nobody follows prod",
        "STORED",
        "errors up",
        "INC-412",
        "Undo r",
    ] {
        assert!(page.text.contains(said), "{said}: {}", page.text);
    }
    assert!(!page.text.contains("CONFIRMED"), "{}", page.text);
    let newest = world.newest().await;
    assert_eq!(newest["via"], "console");
    assert_eq!(newest["reason"], "errors up");
    assert_eq!(newest["incident"], "INC-412");
    assert!(is_killed(&world, "checkout").await);
}

#[tokio::test]
async fn a_kill_needs_no_reason_and_one_in_words_stands_beside_the_chip() {
    let world = World::new().await;
    opened(&world, &["a", "b"]).await;
    world.sent("/kill?env=prod", &[("flag", "a")]).await.is(303);
    assert_eq!(world.newest().await["reason"], "none given");
    let fields = [("flag", "b"), ("chip", "slow"), ("reason", "p95 is 4 s")];
    world.sent("/kill?env=prod", &fields).await.is(303);
    assert_eq!(world.newest().await["reason"], "slow: p95 is 4 s");
}

#[tokio::test]
async fn several_flags_are_closed_by_one_record() {
    let world = World::new().await;
    opened(&world, &["cart-a", "cart-b", "cart-c"]).await;
    let fields = [
        ("flag", "cart-a"),
        ("flag", "cart-c"),
        ("chip", "errors up"),
    ];
    let page = world.sent("/kill?env=prod", &fields).await;
    let page = world.follow(page).await;
    assert!(
        page.text.contains("2 levers closed in prod"),
        "{}",
        page.text
    );
    assert!(is_killed(&world, "cart-a").await && is_killed(&world, "cart-c").await);
    assert!(!is_killed(&world, "cart-b").await);
    assert_eq!(world.newest().await["changes"].as_array().unwrap().len(), 2);

    let nothing = world
        .sent("/kill?env=prod", &[("reason", "which?")])
        .await
        .is(422);
    assert!(
        nothing.text.contains("no flag was ticked"),
        "{}",
        nothing.text
    );
    assert!(
        nothing.text.contains("value=\"which?\""),
        "{}",
        nothing.text
    );
}

#[tokio::test]
async fn what_was_opened_in_the_last_half_hour_is_ticked_and_what_is_closed_is_not_among_it() {
    let world = World::new().await;
    opened(&world, &["new-a", "new-b"]).await;
    world.flag("never-moved", &json!({})).await;
    world.kill("new-b", "prod").await;
    let page = world.page("/kill?env=prod&recent=30m").await.is(200).text;
    assert!(page.contains("value=\"new-a\" checked"), "{page}");
    for other in ["value=\"new-b\"", "value=\"never-moved\""] {
        assert!(!page.contains(other), "{page}");
    }
    // Without it, those moved in the last hour come first and nothing is ticked.
    let page = world.page("/kill?env=prod").await.is(200).text;
    let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text}: {page}"));
    assert!(
        at("value=\"new-b\"") < at("value=\"new-a\""),
        "the last moved first"
    );
    assert!(at("value=\"new-a\"") < at("value=\"never-moved\""));
    assert!(!page.contains(" checked"), "{page}");
}

#[tokio::test]
async fn what_a_token_is_not_for_is_not_ticked_for_it_and_does_not_stop_the_others() {
    let world = World::new().await;
    opened(&world, &["checkout", "search"]).await;
    let brake = world.token("brake", &["prod"], &["check*"]).await;
    let page = world.page_as("/kill?env=prod&recent=30m", &brake).await;
    let page = page.is(200).text;
    assert!(page.contains("this token is not for it"), "{page}");
    // Every box that is ticked, as the browser sends it.
    let boxes = page.split("name=\"flag\" value=\"").skip(1);
    let ticked: Vec<_> = boxes
        .filter_map(|one| one.split_once("\" checked"))
        .map(|(key, _)| ("flag", key))
        .collect();
    let sent = world.sent_as("/kill?env=prod", &ticked, &brake).await;
    sent.is(303);
    assert!(is_killed(&world, "checkout").await);
    assert!(!is_killed(&world, "search").await);
}

#[tokio::test]
async fn every_flag_of_an_owner_or_a_tag_is_closed_with_one_pull() {
    let world = World::new().await;
    world
        .flag("one", &json!({"owner": "web", "tags": ["pay"]}))
        .await;
    world.flag("two", &json!({"owner": "web"})).await;
    world
        .flag("three", &json!({"owner": "team-pay", "tags": ["pay"]}))
        .await;
    let page = world.page("/kill?env=prod&owner=web").await.is(200).text;
    assert!(page.contains("Kill 2 flags of web in prod"), "{page}");
    assert!(!page.contains("checkbox"), "{page}");
    world
        .sent("/kill?env=prod", &[("owner", "web")])
        .await
        .is(303);
    assert!(is_killed(&world, "one").await && is_killed(&world, "two").await);
    assert!(!is_killed(&world, "three").await);
    let page = world.page("/kill?env=prod&tag=pay").await.is(200).text;
    assert!(page.contains("Kill 2 flags tagged pay in prod"), "{page}");
    world
        .sent("/kill?env=prod", &[("tag", "pay")])
        .await
        .is(303);
    assert!(is_killed(&world, "three").await);
}

#[tokio::test]
async fn the_search_looks_at_key_owner_tag_and_description() {
    let world = World::new().await;
    world
        .flag(
            "checkout",
            &json!({"owner": "pay", "tags": ["Basket"], "description": "The new till"}),
        )
        .await;
    world.flag("pictures", &json!({"owner": "web"})).await;
    for (search, is_found) in [
        ("CHECK", true),
        ("pay", true),
        ("basket", true),
        ("till", true),
        ("web", false),
    ] {
        let page = world
            .page(&format!("/kill?env=prod&q={search}"))
            .await
            .is(200)
            .text;
        assert_eq!(
            page.contains("value=\"checkout\""),
            is_found,
            "{search}: {page}"
        );
    }
    let page = world.page("/kill?env=prod&q=nothing").await.is(200).text;
    assert!(page.contains("No flag is like this."), "{page}");
    // A link that is wrong leads to where the right one is found.
    let page = world.page("/kill/checkouts?env=prod").await.is(404).text;
    assert!(
        page.contains("role=\"alert\"") && page.contains("value=\"checkout\""),
        "{page}"
    );
}

#[tokio::test]
async fn closing_that_does_harm_is_warned_of_and_not_stopped() {
    let world = World::new().await;
    let patch = json!({"closing": "unsafe after 25% — the old till cannot read these orders"});
    world.flag("orders", &patch).await;
    let page = world.page("/kill/orders?env=prod").await.is(200).text;
    assert!(!page.contains("does harm now"), "{page}");
    assert!(
        page.contains("the old till cannot read these orders"),
        "{page}"
    );
    world.open("orders", "prod").await;
    let page = world.page("/kill/orders?env=prod").await.is(200).text;
    assert!(page.contains("Closing does harm now"), "{page}");
    assert!(page.contains("has no runbook"), "{page}");
    world
        .sent("/kill?env=prod", &[("flag", "orders")])
        .await
        .is(303);
    assert!(is_killed(&world, "orders").await);
}

#[tokio::test]
async fn a_brake_pulls_and_a_viewer_is_told_in_words_why_not() {
    let world = World::new().await;
    opened(&world, &["checkout", "search"]).await;
    let viewer = world.token("viewer", &[], &[]).await;
    for path in ["/kill?env=prod", "/kill/checkout?env=prod"] {
        let page = world.page_as(path, &viewer).await.is(200).text;
        assert!(!page.contains("data-hold"), "{page}");
        assert!(
            page.contains("You cannot pull this lever: a token of role viewer"),
            "{page}"
        );
    }
    let fields = [("flag", "checkout"), ("reason", "mine")];
    let page = world
        .sent_as("/kill?env=prod", &fields, &viewer)
        .await
        .is(403)
        .text;
    assert!(page.contains("role=\"alert\""), "{page}");
    assert!(!is_killed(&world, "checkout").await);

    let brake = world.token("brake", &["prod"], &["check*"]).await;
    let page = world
        .page_as("/kill/search?env=prod", &brake)
        .await
        .is(200)
        .text;
    assert!(
        page.contains("this token is not for the flag search"),
        "{page}"
    );
    let page = world
        .page_as("/kill/checkout?env=prod", &brake)
        .await
        .is(200)
        .text;
    assert!(page.contains("data-hold"), "{page}");
    let both = [
        ("flag", "checkout"),
        ("flag", "search"),
        ("incident", "INC-1"),
    ];
    let page = world
        .sent_as("/kill?env=prod", &both, &brake)
        .await
        .is(403)
        .text;
    for kept in ["value=\"checkout\" checked", "value=\"INC-1\""] {
        assert!(page.contains(kept), "{kept}: {page}");
    }
    // What refused it all cannot be ticked again, and says why.
    assert!(!page.contains("value=\"search\""), "{page}");
    assert!(page.contains("this token is not for it"), "{page}");
    assert!(!is_killed(&world, "checkout").await, "nothing was closed");
    let answer = world
        .sent_as("/kill?env=prod", &both[..1], &brake)
        .await
        .is(303);
    assert!(is_killed(&world, "checkout").await);
    // It may not open what it closed, and is told so where the undo would be.
    let place = answer.header("location").to_owned();
    let page = world.page_as(&place, &brake).await.is(200).text;
    assert!(
        page.contains("No undo: ") && page.contains("role operator"),
        "{page}"
    );
}

#[tokio::test]
async fn looking_changes_nothing_and_a_form_names_its_environment() {
    let world = World::new().await;
    opened(&world, &["checkout"]).await;
    let revision = world.node.state().revision();
    for path in [
        "/kill?env=prod&flag=checkout",
        "/kill/checkout?env=prod&chip=drill",
        "/kill?env=prod&owner=team-pay",
        "/kill?env=prod&r=1",
    ] {
        world.page(path).await.is(200);
    }
    for path in [
        "/kill?env=prod&r=9999",
        "/kill?env=prod&r=x",
        "/kill?env=prod&brake=7",
    ] {
        world.page(path).await.is(404);
    }
    let page = world.sent("/kill", &[("flag", "checkout")]).await.is(400);
    assert!(page.text.contains("in which environment"), "{}", page.text);
    assert_eq!(world.node.state().revision(), revision);
    assert!(!is_killed(&world, "checkout").await);
}

#[tokio::test]
async fn what_people_wrote_acts_on_nothing() {
    let world = World::new().await;
    let bad = "<script>alert(1)</script>\"'><img src=x>";
    world
        .flag(
            "checkout",
            &json!({"runbook": bad, "description": bad, "owner": bad, "tags": [bad]}),
        )
        .await;
    let encoded = "%3Cscript%3Ealert(1)%3C/script%3E%22";
    let fields = [
        ("flag", "checkout"),
        ("card", "1"),
        ("reason", bad),
        ("incident", bad),
    ];
    let answer = world.sent("/kill?env=prod", &fields).await.is(303);
    let told = answer.header("location").to_owned();
    for path in [
        format!("/kill?env=prod&q={encoded}&inc={encoded}"),
        format!("/kill/checkout?env=prod&inc={encoded}&reason={encoded}"),
        format!("/kill?env=prod&owner={encoded}"),
        "/kill?env=prod".to_owned(),
        "/kill/checkout?env=prod".to_owned(),
        told,
    ] {
        let page = world.page(&path).await.is(200).text;
        for acting in ["<script>", "<img", "\"'><"] {
            assert!(!page.contains(acting), "{path}: {acting}: {page}");
        }
    }
}

#[tokio::test]
async fn the_errors_of_a_flags_users_stand_beside_its_lever() {
    let world = rollouts::compressed().await;
    let quiet = world.page("/kill/checkout?env=prod").await.is(200).text;
    assert!(!quiet.contains("Users of checkout that fail"), "{quiet}");
    let id = rollouts::start(&world, rollouts::quick()).await;
    rollouts::crowd(&world, &id, 40, "rolled-back").await;
    let page = world.page("/kill/checkout?env=prod").await.is(200).text;
    assert!(page.contains("Users of checkout that fail"), "{page}");
    assert!(page.contains("Bad at last: exposed "), "{page}");
}
