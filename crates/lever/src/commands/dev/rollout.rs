//! A rollout that goes its way by itself, with somebody looking on.

use std::time::Duration;

use jiff::Timestamp;
use leverframe_wire::admin::Evidence;

use super::own_name;
use crate::commands::rollout::{news, picture};
use crate::demo::{Demo, ENVIRONMENT, FLAG, Scene, card, traffic, traffic_line};
use crate::exit::Exit;
use crate::failure::Failure;

/// How often the rollout is looked at.
const PAUSE: Duration = Duration::from_millis(250);
/// How often a line says how the traffic is, where nothing can be drawn over.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Shows the rollout to its end and what came of it, and goes on until somebody presses Ctrl-C.
pub(super) async fn watch(
    demo: &Demo<'_>,
    about: &str,
    (scenario, seed): (&'static str, u64),
) -> Result<Exit, Failure> {
    let mut scene = Scene::of_process();
    scene.say(&welcome(about));
    let mut stopped = std::pin::pin!(crate::host::stop_signal());
    let mut journey = std::pin::pin!(demo.run(scenario, seed));
    let mut is_over = false;
    let mut before = None;
    let mut pace = tokio::time::interval(PAUSE);
    let mut line = tokio::time::interval(LINE_EVERY);
    loop {
        tokio::select! {
            _ = line.tick(), if !scene.is_terminal() && !is_over => {
                scene.say(&[demo.shop.metered(|meter| traffic_line(&meter.last(5)))]);
            }
            _ = pace.tick() => before = show(demo, &mut scene, before).await?,
            report = &mut journey, if !is_over => {
                is_over = true;
                before = show(demo, &mut scene, before).await?;
                scene.say(&card(&report?, &demo.pager.pages(), &own_name()));
            }
            () = &mut stopped => return Ok(Exit::Done),
        }
    }
}

/// Draws how it is, or prints what is new.
async fn show(
    demo: &Demo<'_>,
    scene: &mut Scene,
    before: Option<Evidence>,
) -> Result<Option<Evidence>, Failure> {
    let Some(evidence) = demo.evidence().await? else {
        if scene.is_terminal() {
            scene.draw(&dark(demo));
        }
        return Ok(None);
    };
    let is_old = before.as_ref().is_some_and(|before| {
        before.rollout.id == evidence.rollout.id && before.rollout.state.is_over()
    });
    if scene.is_terminal() {
        // What stays of a rollout that is over is the card.
        if is_old {
            let mut lines = vec![String::new()];
            lines.extend(demo.shop.metered(traffic));
            scene.draw(&lines);
        } else {
            let fleet = demo.fleet(&evidence.rollout).await?;
            let mut lines = vec![String::new()];
            lines.extend(picture(&evidence, Some(&fleet), Timestamp::now()));
            lines.push(String::new());
            lines.extend(demo.shop.metered(traffic));
            scene.draw(&lines);
        }
    } else if !is_old {
        let same = before.filter(|before| before.rollout.id == evidence.rollout.id);
        scene.say(&news(same.as_ref(), &evidence));
    }
    Ok(Some(evidence))
}

fn dark(demo: &Demo<'_>) -> Vec<String> {
    let mut lines = vec![
        String::new(),
        format!(
            "  {FLAG}  {ENVIRONMENT}  ■ closed   deployed dark; what comes is compared with the visitors of now"
        ),
    ];
    lines.extend(demo.shop.metered(traffic));
    lines
}

fn welcome(about: &str) -> Vec<String> {
    vec![
        about.to_owned(),
        "The plan is compressed, not the clock: stages of seconds, and with two exposed visitors a second the".to_owned(),
        "first one can rule out only that four in ten of them fail. The levels of proof are those of every plan.".to_owned(),
        "Ctrl-C ends it and leaves nothing behind.".to_owned(),
    ]
}
