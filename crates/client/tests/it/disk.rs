use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use leverframe::{Client, Context, Settings, Source};
use serde_json::json;
use tempfile::TempDir;

use crate::frames::{boolean, closed, cursor_in, moved, open, snapshot};
use crate::server::Server;

fn anybody() -> Context {
    Context::new("u-1")
}

fn slots(directory: &Path) -> Vec<PathBuf> {
    fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "snapshot"))
        .collect()
}

/// A directory as a process leaves it that has followed to revision 8 and ended well. The flag was
/// open at 7 and was killed at 8.
async fn left_behind() -> (TempDir, Settings) {
    let directory = TempDir::new().unwrap();
    let mut server = Server::start().await;
    let settings = server.settings().cache_dir(directory.path());
    let (client, mut connection) = server
        .follow(
            settings.clone(),
            &snapshot(7, &[boolean("a", &open()), boolean("b", &open())]),
        )
        .await;
    connection.send(&moved(7, 8, "a", &closed())).await;
    connection.acknowledge().await;
    tokio::join!(client.shutdown(), connection.until_end());
    server.stop();
    (
        directory,
        settings.connect_timeout(Duration::from_millis(20)),
    )
}

#[tokio::test]
async fn a_process_starts_from_its_disk_while_the_server_is_away() {
    let (_directory, settings) = left_behind().await;
    let client = Client::connect(settings).await.unwrap();
    assert!(!client.is_on("a", &anybody()), "the kill is remembered");
    assert!(client.is_on("b", &anybody()));
    let freshness = client.freshness();
    assert_eq!(freshness.source, Source::Disk);
    assert_eq!(freshness.revision, 8);
    assert_eq!(freshness.age_ms, None, "nobody can say how old it is");
}

#[tokio::test]
async fn no_state_of_the_directory_makes_a_process_fail() {
    let harms: [fn(&Path); 6] = [
        |file| fs::write(file, "").unwrap(),
        |file| fs::write(file, "{}").unwrap(),
        |file| fs::write(file, [0xFF; 64]).unwrap(),
        |file| {
            let bytes = fs::read(file).unwrap();
            fs::write(file, &bytes[..bytes.len() - 1]).unwrap();
        },
        |file| {
            fs::remove_file(file).unwrap();
            fs::create_dir(file).unwrap();
        },
        |file| fs::remove_file(file).unwrap(),
    ];
    for harm in harms {
        let (directory, settings) = left_behind().await;
        for file in slots(directory.path()) {
            harm(&file);
        }
        let client = Client::connect(settings).await.unwrap();
        assert!(!client.is_on("b", &anybody()));
        assert_eq!(client.freshness().source, Source::Nothing);
    }
}

#[tokio::test]
async fn a_directory_that_cannot_be_used_costs_the_cache_and_nothing_else() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("a-file");
    fs::write(&file, "").unwrap();
    let mut server = Server::start().await;
    let settings = server.settings().cache_dir(file.join("below"));
    let (client, _connection) = server
        .follow(settings, &snapshot(7, &[boolean("a", &open())]))
        .await;
    assert!(client.is_on("a", &anybody()));
    client.shutdown().await;
}

#[tokio::test]
async fn a_cache_of_another_token_is_not_served() {
    let (_directory, settings) = left_behind().await;
    let client = Client::connect(settings.token("lv_staging")).await.unwrap();
    assert!(!client.is_on("b", &anybody()));
    assert_eq!(client.freshness().source, Source::Nothing);
}

#[tokio::test]
async fn the_server_is_asked_for_a_snapshot_even_if_the_disk_is_current() {
    let (_directory, settings) = left_behind().await;
    let mut server = Server::start().await;
    let connecting = tokio::spawn(Client::connect(
        settings
            .url(&server.url())
            .connect_timeout(Duration::from_secs(10)),
    ));
    let mut connection = server.connection().await;
    assert_eq!(connection.hello().await.cursor, None);
    connection
        .send(&snapshot(
            8,
            &[boolean("a", &closed()), boolean("b", &open())],
        ))
        .await;
    assert_eq!(connection.acknowledge().await.revision, 8);
    let client = connecting.await.unwrap().unwrap();
    assert_eq!(client.freshness().source, Source::Server);
}

#[tokio::test]
async fn a_server_that_is_behind_the_disk_opens_nothing() {
    let (_directory, settings) = left_behind().await;
    let mut server = Server::start().await;
    let connecting = tokio::spawn(Client::connect(
        settings
            .url(&server.url())
            .connect_timeout(Duration::from_millis(500)),
    ));
    let mut connection = server.connection().await;
    connection.hello().await;
    connection
        .send(&snapshot(7, &[boolean("a", &open())]))
        .await;
    assert_eq!(connection.until_end().await, []);
    let client = connecting.await.unwrap().unwrap();
    assert!(!client.is_on("a", &anybody()));
    assert_eq!(client.freshness().revision, 8);
}

#[tokio::test]
async fn a_disk_of_another_environment_gives_way_to_the_server() {
    let (_directory, settings) = left_behind().await;
    let mut server = Server::start().await;
    let connecting = tokio::spawn(Client::connect(
        settings
            .url(&server.url())
            .connect_timeout(Duration::from_secs(10)),
    ));
    let mut connection = server.connection().await;
    connection.hello().await;
    connection
        .send(&json!({
            "kind": "snapshot",
            "cursor": cursor_in("dev", 1, 0, 2),
            "flags": [boolean("a", &open())],
        }))
        .await;
    connection.acknowledge().await;
    let client = connecting.await.unwrap().unwrap();
    assert!(client.is_on("a", &anybody()));
    assert!(!client.is_on("b", &anybody()), "the other environment's");
    assert_eq!(client.freshness().environment.as_deref(), Some("dev"));
}

#[tokio::test]
async fn a_handle_made_from_the_disk_does_not_mistake_flags_of_the_server() {
    let (_directory, settings) = left_behind().await;
    let mut server = Server::start().await;
    let client = Client::connect(settings.url(&server.url())).await.unwrap();
    let flag = client.flag("b");
    assert!(flag.is_on(&anybody()));
    let mut connection = server.connection().await;
    connection.hello().await;
    // The same number of flags, and others in their places.
    connection
        .send(&snapshot(
            9,
            &[boolean("b", &closed()), boolean("c", &open())],
        ))
        .await;
    connection.acknowledge().await;
    assert!(!flag.is_on(&anybody()));
}

#[tokio::test]
async fn flags_that_close_when_stale_start_closed_from_the_disk() {
    let directory = TempDir::new().unwrap();
    let mut server = Server::start().await;
    let settings = server.settings().cache_dir(directory.path());
    let mut careful = boolean("a", &open());
    careful["definition"]["stale_after_s"] = json!(3600);
    let frame = snapshot(7, &[careful, boolean("b", &open())]);
    let (client, connection) = server.follow(settings.clone(), &frame).await;
    assert!(client.is_on("a", &anybody()));
    tokio::join!(client.shutdown(), connection.until_end());
    server.stop();
    let client = Client::connect(settings.connect_timeout(Duration::from_millis(20)))
        .await
        .unwrap();
    assert!(!client.is_on("a", &anybody()));
    assert!(client.is_on("b", &anybody()));
}
