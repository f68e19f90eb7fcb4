//! The page of the evaluators.

use crate::evaluator::Evaluator;
use crate::world::World;

#[tokio::test]
async fn an_evaluator_is_shown_by_name_and_its_name_acts_on_nothing() {
    let world = World::new().await;
    let token = world.token("evaluator", &["prod"], &[]).await;
    let nobody = world.page("/fleet?env=prod").await.is(200);
    assert!(
        nobody.text.contains("Nobody follows prod."),
        "{}",
        nobody.text
    );

    let name = "<img/src=x/onerror=alert(1)>";
    let (_evaluator, _) = Evaluator::follow(&world, &token, name).await;
    world
        .fleet_until("prod", |fleet| fleet["evaluators"][0]["current"] == true)
        .await;
    let page = world.page("/fleet?env=prod").await.is(200).text;
    assert!(
        page.contains("&#60;img/src=x/onerror=alert(1)&#62;"),
        "{page}"
    );
    assert!(!page.contains("<img"), "{page}");
    assert!(page.contains("1 of 1 evaluator at r"), "{page}");

    let behind = world.page("/fleet?env=prod&behind=1").await.is(200).text;
    assert!(behind.contains("None is like this."), "{behind}");
}
