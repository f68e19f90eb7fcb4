use std::time::Duration;

use leverframe::{Client, Context, Settings, SettingsError, Source};
use leverframe_wire::frame::Message;
use tokio::time::Instant;

use crate::frames::{boolean, closed, moved, open, snapshot};
use crate::server::{Door, Server, TOKEN};
use crate::{DEADLINE, until};

fn anybody() -> Context {
    Context::new("u-1")
}

#[tokio::test]
async fn with_no_server_it_starts_in_time_and_everything_is_closed() {
    let server = Server::start().await;
    let settings = server.settings().connect_timeout(Duration::from_millis(50));
    server.stop();
    let client = Client::connect(settings).await.unwrap();
    assert!(!client.is_on("a", &anybody()));
    assert!(
        client.boolean("a", &anybody(), true),
        "the caller's default"
    );
    assert_eq!(client.freshness().source, Source::Nothing);
    assert!(!client.freshness().connected);
}

#[tokio::test]
async fn settings_that_cannot_work_are_errors_that_keep_the_token() {
    let settings = Settings::from_lookup(|_| None);
    let error = Client::connect(settings.clone().token(TOKEN)).await;
    assert!(matches!(error, Err(SettingsError::NoUrl)));
    let error = Client::connect(settings.clone().url("http://x.test")).await;
    assert!(matches!(error, Err(SettingsError::NoToken)));
    let error = Client::connect(settings.url("http://x.test").token("lv_secret\u{7f}"))
        .await
        .unwrap_err();
    assert!(matches!(error, SettingsError::Token));
    assert!(!format!("{error} {error:?}").contains("lv_secret"));
}

#[tokio::test]
async fn a_ca_file_that_holds_no_certificate_is_an_error_that_names_it() {
    let directory = tempfile::TempDir::new().unwrap();
    let file = directory.path().join("ca.pem");
    std::fs::write(&file, "not a certificate").unwrap();
    let settings = Settings::from_lookup(|_| None)
        .url("https://x.test")
        .token(TOKEN)
        .ca_file(&file);
    let error = Client::connect(settings).await.unwrap_err();
    assert!(error.to_string().contains("ca.pem"), "{error}");
}

#[tokio::test]
async fn a_refused_token_is_tried_again_slowly() {
    let server = Server::start().await;
    let settings = server
        .settings()
        .token("lv_wrong")
        .connect_timeout(Duration::from_millis(300));
    let client = Client::connect(settings).await.unwrap();
    assert!(!client.is_on("a", &anybody()));
    assert_eq!(server.knocks(), 1);
    tokio::time::pause();
    let began = Instant::now();
    until("it asks again", || server.knocks() > 1).await;
    assert!(
        began.elapsed() > Duration::from_secs(25),
        "{:?}",
        began.elapsed()
    );
    drop(client);
}

#[tokio::test]
async fn a_token_that_is_revoked_midway_leaves_the_last_known_in_place() {
    let mut server = Server::start().await;
    let (client, connection) = server
        .follow(server.settings(), &snapshot(7, &[boolean("a", &open())]))
        .await;
    server.set_door(Door::Shut(401, None));
    connection.close(4401).await;
    until("it notices", || !client.freshness().connected).await;
    assert!(client.is_on("a", &anybody()));
    assert_eq!(server.knocks(), 1, "it does not storm the door");
}

#[tokio::test]
async fn a_busy_server_is_left_alone_for_as_long_as_it_asks() {
    let mut server = Server::start().await;
    let (client, connection) = server
        .follow(server.settings(), &snapshot(7, &[boolean("a", &open())]))
        .await;
    server.set_door(Door::Shut(503, Some("20")));
    drop(connection);
    until("it was turned away", || server.knocks() == 2).await;
    server.set_door(Door::Open);
    tokio::time::pause();
    let began = Instant::now();
    until("it comes again", || server.knocks() == 3).await;
    assert!(
        began.elapsed() >= Duration::from_secs(19),
        "{:?}",
        began.elapsed()
    );
    assert!(
        began.elapsed() <= Duration::from_secs(31),
        "{:?}",
        began.elapsed()
    );
    tokio::time::resume();
    server.connection().await.hello().await;
    drop(client);
}

#[tokio::test]
async fn a_server_that_falls_silent_is_left_within_fifteen_seconds() {
    let mut server = Server::start().await;
    let (client, connection) = server
        .follow(server.settings(), &snapshot(7, &[boolean("a", &open())]))
        .await;
    assert!(client.freshness().connected);
    server.set_door(Door::Silent);
    tokio::time::pause();
    let began = Instant::now();
    until("it notices", || !client.freshness().connected).await;
    assert!(
        began.elapsed() > Duration::from_secs(13),
        "{:?}",
        began.elapsed()
    );
    assert!(
        began.elapsed() <= Duration::from_secs(16),
        "{:?}",
        began.elapsed()
    );
    assert!(client.is_on("a", &anybody()));
    drop(connection);
}

#[tokio::test]
async fn pings_are_answered_and_keep_the_connection() {
    let mut server = Server::start().await;
    let (client, mut connection) = server
        .follow(server.settings(), &snapshot(7, &[boolean("a", &open())]))
        .await;
    tokio::time::pause();
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_secs(5)).await;
        connection.ping().await;
        connection.pong().await;
    }
    assert!(client.freshness().connected);
    assert_eq!(server.knocks(), 1);
}

#[tokio::test]
async fn a_server_that_lives_but_never_sends_the_snapshot_asked_for_is_left() {
    let mut server = Server::start().await;
    let (client, mut connection) = server
        .follow(server.settings(), &snapshot(7, &[boolean("a", &open())]))
        .await;
    connection.send(&moved(8, 9, "a", &closed())).await;
    assert!(matches!(connection.message().await, Message::Resync { .. }));
    tokio::time::pause();
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_secs(4)).await;
        connection.ping().await;
        connection.pong().await;
        assert_eq!(server.knocks(), 1, "a snapshot may take its time");
    }
    until("it comes again", || server.knocks() == 2).await;
    tokio::time::resume();
    let hello = server.connection().await.hello().await;
    assert_eq!(
        hello.cursor.unwrap().revision,
        7,
        "it asks for what is missing"
    );
    assert!(client.is_on("a", &anybody()), "the last good");
}

#[tokio::test]
async fn of_several_servers_the_one_that_answers_is_followed() {
    let gone = Server::start().await;
    let gone_url = gone.url();
    gone.stop();
    let mut server = Server::start().await;
    let url = server.url();
    let settings = server.settings().urls([gone_url.as_str(), url.as_str()]);
    let (client, _connection) = server
        .follow(settings, &snapshot(7, &[boolean("a", &open())]))
        .await;
    assert!(client.is_on("a", &anybody()));
}

#[tokio::test]
async fn what_is_not_a_frame_is_asked_for_anew_once_and_then_left() {
    let mut server = Server::start().await;
    let (client, mut connection) = server
        .follow(server.settings(), &snapshot(7, &[boolean("a", &closed())]))
        .await;
    connection.send_text("{\"kind\":\"snap").await;
    assert!(matches!(connection.message().await, Message::Resync { .. }));
    connection.send_text("[]").await;
    assert_eq!(connection.until_end().await, []);
    assert!(!client.is_on("a", &anybody()));
    let mut connection = server.connection().await;
    connection.hello().await;
    connection.acknowledge().await;
}

#[tokio::test]
async fn connecting_outside_a_runtime_is_an_error_not_a_panic() {
    let result = std::thread::spawn(|| {
        let settings = Settings::from_lookup(|_| None)
            .url("http://127.0.0.1:1")
            .token(TOKEN)
            .connect_timeout(DEADLINE);
        let mut connecting = Box::pin(Client::connect(settings));
        let mut task = std::task::Context::from_waker(std::task::Waker::noop());
        Future::poll(connecting.as_mut(), &mut task)
    })
    .join()
    .unwrap();
    assert!(matches!(
        result,
        std::task::Poll::Ready(Err(SettingsError::NoRuntime))
    ));
}

/// What a SIGSTOP and a SIGCONT an hour later look like from inside: the clock has run on, and what
/// the server said meanwhile is still in the socket.
#[tokio::test]
async fn a_process_that_was_stopped_first_hears_what_it_missed() {
    let mut server = Server::start().await;
    let (client, mut connection) = server
        .follow(server.settings(), &snapshot(7, &[boolean("a", &open())]))
        .await;
    tokio::time::pause();
    connection.send(&moved(7, 8, "a", &closed())).await;
    tokio::time::advance(Duration::from_secs(3_600)).await;
    assert_eq!(connection.acknowledge().await.revision, 8);
    assert!(!client.is_on("a", &anybody()));
    assert_eq!(server.knocks(), 1, "on the same connection");
}
