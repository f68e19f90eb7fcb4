//! Charts are drawn from what is stored, and say what the decision rested on.

use serde_json::json;

use super::rollouts::{compressed, crowd, quick, start};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chart_is_of_the_numbers_that_convicted() {
    let world = compressed().await;
    let id = start(&world, quick()).await;
    crowd(&world, &id, 30, "rolled-back").await;
    let evidence = world.get(&format!("/api/v1/rollouts/{id}/evidence"));
    let evidence = evidence.send().await.is(200).json();
    let kept = world.get(&format!("/api/v1/rollouts/{id}/measurements"));
    let kept = kept.send().await.is(200).json();
    let ratio = &kept["ratios"][0];
    assert_eq!(ratio["metric"], "errors");
    assert!(
        ratio["low"].as_f64() > Some(1.2),
        "it was convicted: {ratio}"
    );
    let all = kept["measurements"].as_array().unwrap();
    let last = all
        .iter()
        .rev()
        .find(|one| one["so_far"].is_object())
        .unwrap();
    let exposed = &last["so_far"]["exposed"];
    let (low, high) = (exposed["low"].as_f64(), exposed["high"].as_f64());
    assert!(low < exposed["percent"].as_f64() && exposed["percent"].as_f64() < high);
    let total = &evidence["metrics"][0]["exposed_total"];
    assert!(total["bad"].as_u64() >= Some(5), "{evidence}");
    let page = world.page(&format!("/rollouts/{id}")).await.is(200).text;
    for wanted in [
        "class=\"line exposed\" d=\"M",
        "class=\"line held-back\" d=\"M",
        "class=\"segment stage\"",
        "class=\"mark page\"",
        "The numbers of errors",
        "times as bad</",
    ] {
        let wanted = wanted.trim_end_matches("</");
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
    for number in ["NaN", "inf\"", "-0\""] {
        assert!(!page.contains(number), "{number}");
    }
}

#[tokio::test]
async fn a_rollout_of_which_nothing_was_measured_is_drawn_without_a_line() {
    let world = compressed().await;
    let id = start(&world, json!({"plan": "safe"})).await;
    let page = world.page(&format!("/rollouts/{id}")).await.is(200).text;
    assert!(page.contains("class=\"line exposed\" d=\"\""), "{page}");
    assert!(page.contains("exposed: nothing yet"), "{page}");
}
