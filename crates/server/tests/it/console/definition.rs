//! Making flags and editing what they are.

use serde_json::{Value as Json, json};

use crate::world::World;

/// What the form of a flag sends, with some fields otherwise.
pub(super) fn typed<'f>(other: &[(&'f str, &'f str)]) -> Vec<(&'f str, &'f str)> {
    let usual = [
        ("key", "new-checkout"),
        ("kind", "release"),
        ("type", "boolean"),
        ("owner", "team-pay"),
        ("sunset", "2027-01-31"),
        ("variant_name", "on"),
        ("variant_value", "true"),
        ("variant_name", "off"),
        ("variant_value", "false"),
        ("variant_name", ""),
        ("variant_value", ""),
        ("closed", "1"),
        ("open", "0"),
        ("idempotency", "key-1"),
        ("step", "save"),
    ];
    let mut fields: Vec<_> = usual
        .into_iter()
        .filter(|(name, _)| !other.iter().any(|(known, _)| known == name))
        .collect();
    fields.extend(other);
    fields.retain(|(_, value)| *value != "ABSENT");
    fields
}

async fn definition(world: &World, key: &str) -> Json {
    let path = format!("/api/v1/flags/{key}");
    world.get(&path).send().await.is(200).json()
}

async fn revision(world: &World) -> u64 {
    world.newest().await["revision"].as_u64().unwrap()
}

#[tokio::test]
async fn a_flag_with_owner_and_sunset_is_made_in_one_form() {
    let world = World::new().await;
    let blank = world.page("/flags/new?env=prod").await.is(200).text;
    for asked in [
        "name=\"owner\"",
        "type=\"date\"",
        "value=\"true\"",
        "value=\"20",
    ] {
        assert!(blank.contains(asked), "{asked}: {blank}");
    }
    let fields = typed(&[
        ("description", "The new till"),
        ("tags", "money, till,"),
        ("runbook", "Closes the **till**."),
        ("reason", "starts"),
    ]);
    let page = world.form("/flags?env=prod", &fields).await.is(200).text;
    assert!(page.contains("<h1>new-checkout</h1>"), "{page}");
    assert!(page.contains("Stored as"), "{page}");
    let made = definition(&world, "new-checkout").await;
    assert_eq!(made["definition"]["sunset"], "2027-01-31");
    assert_eq!(made["definition"]["owner"], "team-pay");
    assert_eq!(made["definition"]["tags"], json!(["money", "till"]));
    assert_eq!(
        made["definition"]["variants"],
        json!({"on": true, "off": false})
    );
    let newest = world.newest().await;
    assert_eq!(
        (&newest["via"], &newest["reason"]),
        (&json!("console"), &json!("starts"))
    );

    // The same form once more is the same flag, another one of that name is none.
    let before = revision(&world).await;
    world.form("/flags?env=prod", &fields).await.is(200);
    assert_eq!(revision(&world).await, before);
    let again = typed(&[("idempotency", "key-2")]);
    let refused = world.form("/flags?env=prod", &again).await.is(409).text;
    assert!(refused.contains("exists already"), "{refused}");
    assert!(
        refused.contains("value=\"team-pay\""),
        "what was typed is kept"
    );
}

#[tokio::test]
async fn what_is_wrong_is_said_at_its_field_and_what_was_typed_is_kept() {
    let world = World::new().await;
    let before = revision(&world).await;
    for (other, field) in [
        (("sunset", ""), "wrong-sunset"),
        (("sunset", "tomorrow"), "wrong-sunset"),
        (("owner", ""), "wrong-owner"),
        (("key", "a b"), "wrong-key"),
        (("closed", "ABSENT"), "wrong-closed"),
        (("open", "ABSENT"), "wrong-open"),
        (("kind", "banana"), "wrong-kind"),
        (("type", "integer"), "wrong-variants"),
        (("stale_after_s", "soon"), "wrong-stale_after_s"),
        (("closing", "unsafe"), "wrong-closing"),
    ] {
        let fields = typed(&[other, ("description", "\"><b>kept</b>")]);
        let page = world.form("/flags?env=prod", &fields).await.is(422).text;
        assert!(page.contains(&format!("id=\"{field}\"")), "{field}: {page}");
        assert!(
            page.contains("aria-invalid=\"true\"")
                || field.ends_with("s")
                || field.contains("closed")
                || field.contains("open"),
            "{field}: {page}"
        );
        assert!(page.contains("&#34;&#62;&#60;b&#62;kept"), "{page}");
        assert!(!page.contains("<b>kept"), "{page}");
    }
    assert_eq!(revision(&world).await, before);
    let rows = typed(&[("step", "rows")]);
    let page = world.form("/flags?env=prod", &rows).await.is(200).text;
    assert_eq!(page.matches("name=\"variant_name\"").count(), 4);
    let look = typed(&[("step", "preview")]);
    let page = world.form("/flags?env=prod", &look).await.is(200).text;
    assert!(page.contains("What this makes"), "{page}");
    assert_eq!(revision(&world).await, before);
}

#[tokio::test]
async fn an_edit_shows_what_it_changes_and_keeps_what_the_form_does_not_show() {
    let world = World::new().await;
    let rule = json!({"id": "beta", "when": "plan == \"beta\"", "serve": "on"});
    let patch = json!({
        "description": "first\nsecond", "runbook": "One.\n\nTwo.", "salt": "pepper", "tags": ["a"],
        "environments": {"prod": {"rules": [rule]}},
    });
    world.flag("new-checkout", &patch).await;
    let stored = definition(&world, "new-checkout").await;
    let seen = stored["defined_revision"].to_string();
    let before = revision(&world).await;
    let page = world
        .page("/flags/new-checkout/edit?env=prod")
        .await
        .is(200)
        .text;
    assert!(
        page.contains(&format!("name=\"if_match\" value=\"{seen}\"")),
        "{page}"
    );

    let mut fields = typed(&[
        ("kind", "ops"),
        ("sunset", ""),
        ("owner", "team-till"),
        ("description", "firstsecond"),
        ("runbook", "One.\r\n\r\nTwo."),
        ("tags", "a"),
        ("if_match", &seen),
        ("step", "preview"),
    ]);
    let path = "/flags/new-checkout/edit?env=prod";
    let shown = world.form(path, &fields).await.is(200).text;
    assert!(shown.contains("<li class=\"removed\">"), "{shown}");
    assert!(shown.contains("team-till"), "{shown}");
    assert!(!shown.contains("needs a reason"), "{shown}");
    assert_eq!(revision(&world).await, before, "a look changes nothing");

    fields.retain(|(name, _)| *name != "step");
    fields.push(("step", "save"));
    world.form(path, &fields).await.is(200);
    let mut wanted = stored["definition"].clone();
    wanted["owner"] = json!("team-till");
    assert_eq!(
        definition(&world, "new-checkout").await["definition"],
        wanted
    );
    assert_eq!(revision(&world).await, before + 1);
    world.form(path, &fields).await.is(200);
    assert_eq!(
        revision(&world).await,
        before + 1,
        "sent twice, changed once"
    );
}

#[tokio::test]
async fn whoever_was_overtaken_sees_what_is_there_now_and_may_go_on_from_it() {
    let world = World::new().await;
    world.flag("new-checkout", &json!({})).await;
    let seen = definition(&world, "new-checkout").await["defined_revision"].to_string();
    let path = "/flags/new-checkout/edit?env=prod";
    let mine = |seen: &str, key: &str| {
        let fields = typed(&[("kind", "ops"), ("sunset", ""), ("description", "mine")]);
        let mut fields: Vec<(String, String)> = fields
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        fields.retain(|(name, _)| name != "idempotency");
        fields.push(("if_match".to_owned(), seen.to_owned()));
        fields.push(("idempotency".to_owned(), key.to_owned()));
        fields
    };
    let send = async |fields: Vec<(String, String)>| {
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        world.form(path, &fields).await
    };
    let mut theirs = mine(&seen, "theirs");
    theirs.retain(|(name, _)| name != "description");
    theirs.push(("description".to_owned(), "theirs".to_owned()));
    send(theirs).await.is(200);
    let before = revision(&world).await;
    let stale = send(mine(&seen, "mine")).await.is(412).text;
    assert!(stale.contains("it has changed since"), "{stale}");
    assert!(
        stale.contains("theirs") && stale.contains("mine"),
        "{stale}"
    );
    assert_eq!(revision(&world).await, before);
    let (_, rest) = stale.split_once("name=\"if_match\" value=\"").unwrap();
    let now = rest.split_once('"').unwrap().0.to_owned();
    send(mine(&now, "mine-2")).await.is(200);
    let stored = definition(&world, "new-checkout").await;
    assert_eq!(stored["definition"]["description"], "mine");
}

#[tokio::test]
async fn an_edit_that_reaches_people_in_a_guarded_environment_asks_why() {
    let world = World::new().await;
    world
        .flag(
            "new-checkout",
            &json!({"variants": {"on": true, "off": false, "spare": true}}),
        )
        .await;
    world.open("new-checkout", "prod").await;
    let seen = definition(&world, "new-checkout").await["defined_revision"].to_string();
    let path = "/flags/new-checkout/edit?env=prod";
    let with = |step: &'static str, reason: &'static str, key: &'static str| {
        typed(&[
            ("kind", "ops"),
            ("sunset", ""),
            ("unit", "account"),
            ("if_match", "IF"),
            ("step", step),
            ("reason", reason),
            ("idempotency", key),
        ])
    };
    let send = async |step, reason, key| {
        let mut fields = with(step, reason, key);
        for field in &mut fields {
            if field.1 == "IF" {
                field.1 = &seen;
            }
        }
        world.form(path, &fields).await
    };
    let shown = send("preview", "", "a").await.is(200).text;
    assert!(shown.contains("needs a reason"), "{shown}");
    assert!(
        shown.contains("this reaches people as soon as it is stored"),
        "{shown}"
    );
    let refused = send("save", "", "b").await.is(422).text;
    assert!(refused.contains("id=\"wrong-reason\""), "{refused}");
    send("save", "accounts, not people", "c").await.is(200);
    assert_eq!(world.newest().await["reason"], "accounts, not people");
}

#[tokio::test]
async fn who_may_not_edit_gets_no_form_and_is_refused_all_the_same() {
    let world = World::new().await;
    world.flag("new-checkout", &json!({})).await;
    let before = definition(&world, "new-checkout").await;
    for role in ["viewer", "brake"] {
        let token = world.token(role, &[], &[]).await;
        for path in ["/flags/new", "/flags/new-checkout/edit"] {
            world.page_as(path, &token).await.is(403);
        }
        for path in ["/flags?env=prod", "/flags/new-checkout/edit?env=prod"] {
            let fields = typed(&[("if_match", "1"), ("owner", "me")]);
            world.form_as(path, &fields, &token).await.is(403);
        }
    }
    let token = world.token("operator", &[], &["pay-*"]).await;
    world
        .page_as("/flags/new-checkout/edit", &token)
        .await
        .is(403);
    let seen = before["defined_revision"].to_string();
    let fields = typed(&[("if_match", &seen), ("kind", "ops"), ("owner", "me")]);
    world
        .form_as("/flags/new-checkout/edit", &fields, &token)
        .await
        .is(403);
    assert_eq!(definition(&world, "new-checkout").await, before);
}

#[tokio::test]
async fn a_page_says_stored_of_its_own_revision_and_not_what_an_address_says() {
    let world = World::new().await;
    let page = world.form("/flags?env=prod", &typed(&[])).await.is(200);
    let made = revision(&world).await;
    assert!(
        page.text.contains(&format!(">r{made}</a>")),
        "{}",
        page.text
    );
    // The same once more is stored by nobody, and what was stored since is somebody else's.
    world.flag("other", &json!({})).await;
    let others = revision(&world).await;
    let edit = "/flags/new-checkout/edit?env=prod";
    let if_match = made.to_string();
    let again = ("idempotency", "again");
    let fields = typed(&[("step", "save"), ("if_match", &if_match), again]);
    let page = world.form(edit, &fields).await.is(200).text;
    assert_eq!(revision(&world).await, others);
    let said = format!("Nothing to change: it is so since <a href=\"/audit/{made}?env=prod\">");
    assert!(page.contains(&said), "{page}");
    for not_its in [others, 1, 99_999_999] {
        let path = format!("/flags/new-checkout?env=prod&r={not_its}");
        let page = world.page(&path).await.is(200).text;
        assert!(!page.contains("Stored as"), "r{not_its}: {page}");
    }
}
