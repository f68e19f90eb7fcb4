//! What holds for every page.

use crate::console::BROWSER;
use crate::world::World;

/// A page's address with its names filled in.
fn concrete(path: &str) -> String {
    crate::access::concrete(path, "prod")
}

#[tokio::test]
async fn no_page_answers_somebody_who_is_not_signed_in() {
    let world = World::new().await;
    let browser = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let pages = leverframe_server::console_pages();
    assert!(!pages.is_empty());
    for (method, path) in pages {
        for accept in [BROWSER, "*/*"] {
            let url = format!("http://{}{}", world.address, concrete(path));
            let method = reqwest::Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let answer = browser
                .request(method.clone(), url)
                .header("accept", accept)
                .send()
                .await
                .unwrap();
            let status = answer.status().as_u16();
            // A browser that looks at a page is sent to the door, everything else is refused.
            assert!(matches!(status, 401 | 303), "{method} {path}: {status}");
            let text = answer.text().await.unwrap();
            assert!(!text.contains("prod"), "{method} {path}: {text}");
        }
    }
}

#[tokio::test]
async fn a_page_allows_nothing_from_elsewhere_and_nothing_inline() {
    let world = World::new().await;
    let page = world.page("/fleet").await.is(200);
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'none'"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    for inline in ["<style", "style=", "onclick", "javascript:", "<script>"] {
        assert!(!page.text.contains(inline), "{inline}");
    }
}

#[tokio::test]
async fn what_there_is_not_is_said_as_a_page_to_people_and_as_a_problem_to_programs() {
    let world = World::new().await;
    let page = world.page("/nowhere").await.is(404);
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.text.contains("role=\"alert\""), "{}", page.text);
    world.get("/nowhere").send().await.fails(404, "not-found");
    world.page("/fleet?env=mars").await.is(404);
    let viewer = world.token("viewer", &["dev"], &[]).await;
    world.page_as("/fleet?env=prod", &viewer).await.is(403);
}

#[tokio::test]
async fn style_and_script_are_kept_for_ever_and_found_by_what_is_in_them() {
    let world = World::new().await;
    let page = world.page("/fleet").await.is(200).text;
    for ending in [".css", ".js", ".svg"] {
        let end = page.find(&format!("{ending}\"")).unwrap() + ending.len();
        let start = page[..end].rfind('"').unwrap() + 1;
        let asset = world.get(&page[start..end]).nobody().send().await.is(200);
        assert!(asset.header("cache-control").contains("immutable"));
    }
}
