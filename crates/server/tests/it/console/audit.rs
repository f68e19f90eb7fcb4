//! The pages of the journal.

use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn the_journal_says_what_changed_here_and_everywhere_and_in_no_other_environment() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    world.flag("search", &json!({})).await;
    world.kill("checkout", "prod").await;
    world.kill("search", "dev").await;
    let page = world.page("/audit?env=prod").await.is(200).text;
    assert!(page.contains("checkout closed"), "{page}");
    assert!(page.contains("flag search created"), "{page}");
    assert!(page.contains("INC-412"), "{page}");
    assert!(!page.contains("search closed"), "{page}");
    let page = world.page("/audit?env=prod&all=1").await.is(200).text;
    assert!(page.contains("search closed"), "{page}");
}

#[tokio::test]
async fn filters_and_range_are_in_the_address_and_stay_in_the_form() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    world.flag("search", &json!({})).await;
    let page = world
        .page("/audit?env=prod&flag=search&range=30m")
        .await
        .is(200)
        .text;
    assert!(page.contains("flag search created"), "{page}");
    assert!(!page.contains("flag checkout created"), "{page}");
    assert!(page.contains("name=\"flag\" value=\"search\""), "{page}");
    assert!(
        page.contains("/audit?env=prod&amp;flag=search&amp;range=24h"),
        "{page}"
    );
    let page = world.page("/audit?env=prod&until=2020-01-01T00:00").await;
    assert!(page.is(200).text.contains("Nothing changed."));
    let page = world.page("/audit?env=prod&actor=nobody").await.is(200);
    assert!(page.text.contains("Nothing changed."), "{}", page.text);
}

#[tokio::test]
async fn a_time_that_is_none_is_refused_on_the_page_and_stays_in_its_field() {
    let world = World::new().await;
    let page = world.page("/audit?env=prod&since=noon").await.is(422).text;
    assert!(page.contains("role=\"alert\""), "{page}");
    assert!(page.contains("name=\"since\" value=\"noon\""), "{page}");
}

#[tokio::test]
async fn older_records_are_a_press_away() {
    let world = World::new().await;
    for index in 0..60 {
        world.flag(&format!("f{index}"), &json!({})).await;
    }
    let page = world.page("/audit?env=prod").await.is(200).text;
    assert!(page.contains("flag f59 created"), "{page}");
    assert!(!page.contains("flag f1 created"), "{page}");
    let from = page.find("rel=\"next\" href=\"").unwrap() + 17;
    let link = page[from..]
        .split('"')
        .next()
        .unwrap()
        .replace("&amp;", "&");
    let page = world.page(&link).await.is(200).text;
    assert!(page.contains("flag f1 created"), "{page}");
    assert!(!page.contains("rel=\"next\""), "{page}");
}

#[tokio::test]
async fn a_token_of_one_environment_sees_nothing_of_another_in_the_journal() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    world.kill("checkout", "prod").await;
    let viewer = world.token("viewer", &["dev"], &[]).await;
    let page = world.page_as("/audit?env=dev&all=1", &viewer).await.is(200);
    assert!(page.text.contains("flag checkout created"));
    assert!(!page.text.contains("INC-412"), "{}", page.text);
}

/// Changes the owner of a flag; the record's revision.
async fn edit(world: &World, flag: &str, owner: &str) -> u64 {
    let path = format!("/api/v1/flags/{flag}");
    let known = world.get(&path).send().await.is(200);
    let mut definition = known.json()["definition"].clone();
    definition["owner"] = json!(owner);
    let put = world
        .ask("PUT", &path)
        .header("if-match", known.header("etag"));
    let body = json!({"definition": definition, "why": {"reason": "a new owner"}});
    let receipt = put.json(&body).send().await.is(200).json();
    receipt["revision"].as_u64().unwrap()
}

#[tokio::test]
async fn a_record_says_what_changed_in_a_definition() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    let revision = edit(&world, "checkout", "team-<new>").await;
    let record = world.get(&format!("/api/v1/journal/{revision}"));
    let record = record.send().await.is(200).json();
    let lines = record["differences"][0]["lines"].as_array().unwrap();
    let changed: Vec<_> = lines
        .iter()
        .filter(|line| line["sign"] != "kept" && line["sign"] != "gap")
        .collect();
    assert_eq!(changed.len(), 2, "{lines:?}");
    assert_eq!(
        changed[0],
        &json!({"sign": "removed", "text": "owner: team-pay"})
    );
    assert_eq!(record["previous"], world.hash(revision - 1).await);

    let page = world.page(&format!("/audit/{revision}?env=prod")).await;
    let page = page.is(200).text;
    assert!(page.contains("- owner: team-pay</del>"), "{page}");
    assert!(page.contains("team-&#60;new&#62;</ins>"), "{page}");
    assert!(page.contains("a new owner"), "{page}");
    assert!(page.contains("action=\"/undo?env=prod\""), "{page}");
    world.page("/audit/9999").await.is(404);
    world.page("/audit/many").await.is(404);
    world.page(&format!("/audit/r{revision}")).await.is(200);
}

#[tokio::test]
async fn a_plan_is_compared_with_the_one_that_was_in_force_before() {
    let world = World::new().await;
    let put = |percentage: u32| {
        let definition = json!({"key": "careful", "stages": [{"percentage": percentage}], "metrics": [{"key": "errors"}]});
        world
            .ask("PUT", "/api/v1/plans/careful")
            .json(&json!({"definition": definition}))
    };
    let made = put(1).send().await.is(200).json()["revision"].to_string();
    let etag = format!("\"r{made}\"");
    let changed = put(2).header("if-match", &etag).send().await.is(200).json();
    for (revision, added, removed) in [(made, 1, false), (changed["revision"].to_string(), 2, true)]
    {
        let record = world.get(&format!("/api/v1/journal/{revision}"));
        let record = record.send().await.is(200).json();
        let lines = record["differences"][0]["lines"].as_array().unwrap();
        let has = |sign: &str, percentage: u32| {
            let text = format!("percentage: {percentage}");
            let is = |line: &serde_json::Value| {
                line["sign"] == sign && line["text"].as_str().unwrap().contains(&text)
            };
            lines.iter().any(is)
        };
        assert!(has("added", added), "{lines:?}");
        assert_eq!(has("removed", 1), removed, "{lines:?}");
    }
}

#[tokio::test]
async fn an_undo_is_offered_to_whoever_may_and_for_what_can_be_taken_back() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    let killed = world.kill("checkout", "prod").await["revision"].clone();
    let path = format!("/audit/{killed}?env=prod");
    let viewer = world.token("viewer", &[], &[]).await;
    assert!(world.page(&path).await.is(200).text.contains("/undo?"));
    let page = world.page_as(&path, &viewer).await.is(200).text;
    assert!(!page.contains("/undo?"), "{page}");
    let start = world.page("/audit/1").await.is(200).text;
    assert!(start.contains("the start of the journal"), "{start}");
}

#[tokio::test]
async fn verifying_says_the_head_and_of_a_broken_journal_where_and_what_to_type() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    let newest = world.newest().await;
    let page = world.form("/audit/verify?env=prod", &[]).await.is(200).text;
    assert!(page.contains(newest["hash"].as_str().unwrap()), "{page}");
    assert!(page.contains("whole"), "{page}");
    world.disk.faults().edit(2, "{}");
    let page = world.form("/audit/verify?env=prod", &[]).await.is(200).text;
    assert!(page.contains("<dd>r2</dd>"), "{page}");
    assert!(page.contains("<code>lever restore"), "{page}");
    assert_eq!(world.newest_known(), newest["revision"].as_u64().unwrap());
}

#[tokio::test]
async fn an_export_has_every_record_of_the_filter_in_a_file_that_no_spreadsheet_computes() {
    let world = World::new().await;
    world.flag("checkout", &json!({})).await;
    let path = "/api/v1/environments/prod/kill";
    let why = json!({"reason": "=cmd|' /C calc'!A0", "incident": "a,\"b\""});
    let kill = world.post(path, &json!({"flags": ["checkout"], "why": why}));
    kill.send().await.is(200);
    // More than are read at once.
    for index in 0..520 {
        world.flag(&format!("f{index}"), &json!({})).await;
    }
    let csv = world.page("/audit/export?env=prod&range=30m").await.is(200);
    let disposition = csv.header("content-disposition");
    assert!(
        disposition.starts_with("attachment; filename=\"leverframe-audit-prod-"),
        "{disposition}"
    );
    let lines: Vec<_> = csv.text.split("\r\n").collect();
    assert!(lines[0].starts_with("revision,at,actor"), "{}", lines[0]);
    let killed = lines.iter().find(|line| line.contains("cmd|")).unwrap();
    assert!(
        killed.contains(",\"'=cmd|' /C calc'!A0\",\"a,\"\"b\"\"\","),
        "{killed}"
    );
    for index in 0..520 {
        assert!(
            csv.text.contains(&format!("flag f{index} created")),
            "{index}"
        );
    }

    let ndjson = world.page("/audit/export?env=prod&format=ndjson").await;
    let ndjson = ndjson.is(200).text;
    let newest = world.newest_known();
    let revisions: Vec<_> = ndjson
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|record| record["revision"].as_u64().unwrap())
        .collect();
    assert!(revisions.is_sorted_by(|a, b| a > b), "{revisions:?}");
    assert_eq!(revisions.first(), Some(&newest));
    assert!(revisions.len() > 521, "{}", revisions.len());
    world.page("/audit/export?format=exe").await.is(422);
    let few = world.page("/audit/export?env=prod&flag=f7").await.is(200);
    assert_eq!(few.text.lines().count(), 2, "{}", few.text);
}

impl World {
    /// The hash of a record.
    async fn hash(&self, revision: u64) -> String {
        let record = self.get(&format!("/api/v1/journal/{revision}"));
        let record = record.send().await.is(200).json();
        record["hash"].as_str().unwrap().to_owned()
    }

    /// The newest revision that the node knows.
    fn newest_known(&self) -> u64 {
        self.node.state().revision()
    }
}
