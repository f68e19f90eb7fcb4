use serde_json::Value as Json;

use crate::world::World;

#[tokio::test]
async fn the_openapi_document_is_the_one_that_was_reviewed() {
    let world = World::new().await;
    let answer = world.get("/openapi.json").nobody().send().await.is(200);
    assert_eq!(answer.header("content-type"), "application/json");
    let document: Json = answer.json();
    assert_eq!(document["openapi"], "3.1.0");
    insta::with_settings!({sort_maps => false}, {
        insta::assert_json_snapshot!(document);
    });
}

#[test]
fn the_reference_page_lists_every_route() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/http.md");
    let page = std::fs::read_to_string(page).unwrap();
    let document: Json = serde_json::from_str(&leverframe_server::openapi_json()).unwrap();
    let mut rows = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Some(summary) = operation["summary"].as_str() else {
                continue;
            };
            let row = format!("| {} | `{path}` | {summary} |", method.to_uppercase());
            assert!(
                page.contains(&row),
                "docs/reference/http.md lacks the row\n{row}"
            );
            rows += 1;
        }
    }
    let listed = page.lines().filter(|line| line.contains("| `/")).count();
    assert_eq!(
        listed, rows,
        "docs/reference/http.md lists a route that is not there"
    );
}
