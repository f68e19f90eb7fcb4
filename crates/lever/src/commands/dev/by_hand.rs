//! The new checkout is open to a quarter of the visitors and fails too often: a person pulls the lever.

use std::time::Duration;

use jiff::Zoned;
use leverframe_wire::admin::{Confirmation, Position, RecordView};

use super::own_name;
use crate::api::{Client, JournalFilter};
use crate::demo::{self, ENVIRONMENT, FLAG, Scene, Shop, View, lever_block, lever_line};
use crate::exit::Exit;
use crate::failure::Failure;

/// Shows how things are until somebody presses Ctrl-C.
pub(super) async fn watch(api: &Client, shop: &Shop, about: &str) -> Result<Exit, Failure> {
    let mut scene = Scene::of_process();
    scene.say(&welcome(about, &own_name()));
    let mut stopped = std::pin::pin!(crate::host::stop_signal());
    let mut pace = tokio::time::interval(scene.pace());
    loop {
        tokio::select! {
            _ = pace.tick() => {}
            _ = &mut stopped => return Ok(Exit::Done),
        }
        let view = look(api).await?;
        if scene.is_terminal() {
            scene.draw(&shop.metered(|meter| lever_block(&view, meter)));
        } else {
            let now = Zoned::now().strftime("%H:%M:%S").to_string();
            scene.say(&[shop.metered(|meter| lever_line(&view, &meter.last(5), &now))]);
        }
    }
}

async fn look(api: &Client) -> Result<View, Failure> {
    let lever = api.lever(FLAG, ENVIRONMENT).await?;
    let revision = lever.moved_revision.unwrap_or(lever.revision);
    let Confirmation {
        confirmed,
        expected,
        ..
    } = api
        .confirmation(ENVIRONMENT, revision, None, Duration::ZERO)
        .await?;
    let page = api
        .journal(&JournalFilter::default(), None, demo::RECORDS)
        .await?;
    Ok(View {
        position: crate::commands::status::position(&lever.position),
        is_closed: matches!(lever.position, Position::Closed { .. }),
        revision,
        confirmed,
        expected,
        records: page.records.iter().map(record_line).collect(),
    })
}

fn record_line(record: &RecordView) -> String {
    let what: Vec<&str> = record
        .changes
        .iter()
        .map(|change| change.sentence.as_str())
        .collect();
    format!(
        "r{} {} — {} ({})",
        record.revision,
        what.join(", "),
        record.reason,
        record.actor_name
    )
}

fn welcome(about: &str, lever: &str) -> Vec<String> {
    vec![
        about.to_owned(),
        "new-checkout is open to a quarter of the visitors, and it fails too often. In a second terminal:".to_owned(),
        String::new(),
        format!("    {lever} kill {FLAG} -e {ENVIRONMENT} -r \"INC-412 5xx\""),
        format!("    {lever} eval {FLAG} -e {ENVIRONMENT} --user u-123 --explain"),
        format!("    {lever} status -e {ENVIRONMENT}"),
        String::new(),
        "Ctrl-C ends it and leaves nothing behind.".to_owned(),
    ]
}
