#![expect(clippy::unwrap_used, reason = "tests")]

use super::{Endpoint, Settings, SettingsError};

#[test]
fn the_environment_fills_every_setting() {
    let settings = Settings::from_lookup(|name| {
        Some(
            match name {
                "LEVER_URL" => "https://a.test, https://b.test",
                "LEVER_TOKEN" => " secret\n",
                "LEVER_APPLICATION" => "shop",
                "LEVER_BUILD" => "3f2a9c1",
                "LEVER_CACHE_DIR" => "/var/cache/shop",
                "LEVER_FORCE_CLOSED" => "new-checkout,img-quality,",
                "LEVER_CA_FILE" => "/etc/ca.pem",
                _ => return None,
            }
            .to_owned(),
        )
    });
    assert_eq!(settings.endpoints().unwrap().len(), 2);
    assert_eq!(settings.token.as_ref().unwrap().reveal(), "secret");
    assert_eq!(settings.application, "shop");
    assert_eq!(settings.build, "3f2a9c1");
    assert_eq!(settings.force_closed, ["new-checkout", "img-quality"]);
    assert_eq!(settings.ca_file.unwrap().to_str(), Some("/etc/ca.pem"));
    assert_eq!(
        settings.cache_dir.unwrap().to_str(),
        Some("/var/cache/shop")
    );
}

#[test]
fn the_token_is_never_printed() {
    let settings = Settings::from_lookup(|_| None).token("lv_very-secret");
    assert!(!format!("{settings:?}").contains("very-secret"));
    let header = settings.token.unwrap().header().unwrap();
    assert!(!format!("{header:?}").contains("very-secret"));
}

#[test]
fn web_sockets_and_http_share_host_port_and_prefix() {
    let endpoint = Endpoint::new("https://lever.test:8443/base/").unwrap();
    assert_eq!(
        endpoint.web_socket("/api/v1/stream").as_str(),
        "wss://lever.test:8443/base/api/v1/stream"
    );
    assert_eq!(
        endpoint.http("/api/v1/stream/poll").as_str(),
        "https://lever.test:8443/base/api/v1/stream/poll"
    );
    let plain = Endpoint::new("ws://127.0.0.1:5387").unwrap();
    assert_eq!(plain.web_socket("/x").as_str(), "ws://127.0.0.1:5387/x");
    assert!(plain.is_loopback());
    assert!(Endpoint::new("http://[::1]:1").unwrap().is_loopback());
    assert!(!endpoint.is_loopback());
}

#[test]
fn urls_that_cannot_be_used_are_named_by_number_and_never_repeated() {
    for bad in [
        "ftp://x.test",
        "http://user:secret@x.test",
        "not a url",
        "http://x.test/?a=1",
    ] {
        let error = Settings::from_lookup(|_| None)
            .urls(["http://fine.test", bad])
            .endpoints()
            .unwrap_err();
        assert!(
            matches!(error, SettingsError::Url { number: 2, .. }),
            "{error}"
        );
        assert!(!error.to_string().contains("secret"));
    }
    assert!(matches!(
        Settings::from_lookup(|_| None).endpoints(),
        Err(SettingsError::NoUrl)
    ));
}

#[test]
fn long_names_are_cut_between_characters() {
    let name = "é".repeat(100);
    let (application, _) = Settings::from_lookup(|_| None)
        .application(&name)
        .bounded_names();
    assert_eq!(application, "é".repeat(64));
}
