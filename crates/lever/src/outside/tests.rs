use super::*;

const EVERYTHING: &str = r#"
public_url = "https://lever.example"
page = ["oncall", "backup"]
notify = ["room"]

[sources.prom]
kind = "prometheus"
url = "http://prometheus.internal:9090"
allow_private = true
timeout = "3s"
bearer = { env = "PROM_TOKEN" }

[sources.shop]
kind = "json"
url = "https://shop.example/health"
user = "lever"
password = { env = "PASSWORD" }

[sources.dd]
kind = "datadog"
site = "datadoghq.eu"
api_key = { env = "PROM_TOKEN" }
application_key = { env = "PASSWORD" }

[channels.oncall]
kind = "alertmanager"
url = "http://alertmanager.internal:9093"
allow_private = true

[channels.backup]
kind = "pagerduty"
routing_key = { env = "PASSWORD" }

[channels.room]
kind = "slack"
webhook = { env = "WEBHOOK" }

[channels.hook]
kind = "webhook"
url = "https://receiver.example/lever"
key = { env = "KEY" }

[channels.script]
kind = "command"
command = ["/usr/local/bin/page", "--team", "shop"]
timeout = "5s"
"#;

fn variable(name: &str) -> Option<String> {
    let value = match name {
        "PROM_TOKEN" => "hunter2-token\n",
        "PASSWORD" => "hunter2-password",
        "WEBHOOK" => "https://hooks.example/services/T0/B0/hunter2",
        "KEY" => "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "EMPTY" => " \n",
        "LINES" => "hunter2\nhunter3",
        _ => return None,
    };
    Some(value.to_owned())
}

fn outside(text: &str) -> Result<Outside, String> {
    let keeper = Keeper {
        variable: &variable,
    };
    parse(text, &keeper).map(|options| options.outside)
}

#[test]
fn every_kind_of_source_and_channel_is_read() {
    let outside = outside(EVERYTHING).unwrap();
    let sources: Vec<_> = outside.sources.names().collect();
    assert_eq!(sources, ["dd", "prom", "shop"]);
    let channels: Vec<_> = outside.channels.names().collect();
    assert_eq!(channels, ["backup", "hook", "oncall", "room", "script"]);
    assert_eq!(outside.page, ["oncall".into(), "backup".into()]);
    assert_eq!(outside.notify, ["room".into()]);
    let shown = format!("{outside:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn an_empty_file_names_nobody() {
    let outside = outside("").unwrap();
    assert_eq!(outside.sources.names().count(), 0);
    assert_eq!(outside.channels.names().count(), 0);
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let prom = |rest: &str| format!("[sources.p]\nkind = \"prometheus\"\n{rest}");
    for (text, said) in [
        (
            "pubic_url = \"x\"".to_owned(),
            "line 1: unknown field `pubic_url`",
        ),
        (
            "public_url = \"lever\"".to_owned(),
            "public_url: it is where",
        ),
        (
            "page = [\"x\"]".to_owned(),
            "page: there is no [channels.x]",
        ),
        ("\n\nx = [".to_owned(), "line 3"),
        (prom(""), "sources.p: missing field `url`"),
        (prom("url = \"prom:9090\""), "sources.p.url: it begins with"),
        (
            prom("url = \"https://a:b@p/\""),
            "sources.p.url: user and password",
        ),
        (
            prom("url = \"https://p\"\ntimeout = \"2h\""),
            "sources.p.timeout: it lasts",
        ),
        (
            prom("url = \"https://p\"\ntimeout = \"soon\""),
            "sources.p.timeout: \"soon\"",
        ),
        (
            prom("url = \"https://p\"\nca_file = \"/no/such\""),
            "sources.p.ca_file: /no/such",
        ),
        (
            prom("url = \"https://p\"\nurls = \"x\""),
            "sources.p: unknown field `urls`",
        ),
        (
            prom("url = \"http://p\"\nbearer = { env = \"PASSWORD\" }"),
            "sources.p: url: a secret goes over https://",
        ),
        (
            prom("url = \"https://p\"\nbearer = { env = \"MISSING\" }"),
            "sources.p.bearer: the environment variable MISSING is not set",
        ),
        (
            prom("url = \"https://p\"\nbearer = { env = \"EMPTY\" }"),
            "sources.p.bearer: the environment variable EMPTY is empty",
        ),
        (
            prom("url = \"https://p\"\nbearer = { env = \"LINES\" }"),
            "sources.p.bearer: the environment variable LINES has more than one line",
        ),
        (
            prom("url = \"https://p\"\nuser = \"a\""),
            "sources.p.bearer: give",
        ),
        (
            "[sources.outcomes]\nkind = \"json\"\nurl = \"https://p\"".to_owned(),
            "report under",
        ),
        (
            "[sources.\"a b\"]\nkind = \"json\"\nurl = \"https://p\"".to_owned(),
            "a name has",
        ),
        (
            "[channels.c]\nkind = \"pigeon\"".to_owned(),
            "channels.c: unknown variant `pigeon`",
        ),
        (
            "[channels.c]\nkind = \"command\"\ncommand = [\"page\"]".to_owned(),
            "whole path",
        ),
    ] {
        let wrong = outside(&text).unwrap_err();
        assert!(wrong.contains(said), "{text}\n{wrong}");
    }
}

#[test]
fn a_secret_that_stands_in_the_file_is_refused_and_not_shown() {
    for value in [
        "\"hunter2\"",
        "1234567890",
        "1.5",
        "{ value = \"hunter2\" }",
    ] {
        let text = format!("[channels.c]\nkind = \"pagerduty\"\nrouting_key = {value}\n");
        let wrong = outside(&text).unwrap_err();
        for shown in ["hunter2", "1234567890", "1.5"] {
            assert!(!wrong.contains(shown), "{wrong}");
        }
        assert!(wrong.starts_with("channels.c: "), "{wrong}");
        assert!(wrong.contains("env"), "{wrong}");
    }
}

#[test]
fn a_secret_is_read_from_a_file_without_its_last_line_break() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("key");
    std::fs::write(&path, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").unwrap();
    let text = format!(
        "[channels.c]\nkind = \"webhook\"\nurl = \"https://r.example\"\nkey = {{ file = {path:?} }}\n"
    );
    assert!(outside(&text).is_ok());
    std::fs::write(&path, "").unwrap();
    let wrong = outside(&text).unwrap_err();
    assert!(wrong.contains("is empty"), "{wrong}");
    std::fs::remove_file(&path).unwrap();
    let wrong = outside(&text).unwrap_err();
    assert!(wrong.contains("channels.c.key"), "{wrong}");
}
