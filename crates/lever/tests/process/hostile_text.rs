//! Texts that would drive a terminal, turn the reading direction, or hide: refused, or inert
//! wherever they are shown.

use crate::bench::Bench;

const ESCAPE: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}red\u{1b}[31m";
const REVERSED: &str = "INC-1 \u{202e}dekcah\u{202c} \u{200b}\u{feff}";
const CONTROL: &str = "line\none\rtwo\ttab\u{9b}31m\u{85}";
const MARKUP: &str = "<script>alert(1)</script> & \"quotes\" `x` $(rm -rf /) {{7*7}}";

/// Shows something and does nothing.
#[track_caller]
fn assert_inert(text: &str, line: &str) {
    for c in text.chars().filter(|c| *c != '\n') {
        let is_harmless = !c.is_control()
            && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
        assert!(is_harmless, "lever {line} prints {c:?}:\n{text:?}");
    }
}

#[test]
fn hostile_reasons_names_and_texts_are_refused_or_inert_in_every_format() {
    let bench = Bench::with_checkout();
    let mut stored = Vec::new();
    for (number, text) in [ESCAPE, REVERSED, CONTROL, MARKUP].into_iter().enumerate() {
        for mut words in [
            vec!["kill", "new-checkout", "-e", "prod", "-r", text],
            vec![
                "open",
                "new-checkout",
                "-e",
                "prod",
                "--to",
                "1",
                "-r",
                text,
            ],
            vec!["kill", "new-checkout", "-e", "prod", "--incident", text],
            vec!["flag", "edit", "new-checkout", "--owner", text, "-r", "x"],
            vec!["flag", "edit", "new-checkout", "--runbook", text, "-r", "x"],
            vec![
                "flag",
                "edit",
                "new-checkout",
                "--description",
                text,
                "-r",
                "x",
            ],
            vec!["flag", "edit", "new-checkout", "--tag", text, "-r", "x"],
            vec!["token", "create", text, "--role", "viewer"],
            vec!["segment", "create", "s", "--include", text],
        ] {
            let line = words.join(" ");
            let name = format!("s{number}");
            if words.first() == Some(&"segment") {
                words[2] = &name;
            }
            let mut command = bench.command("");
            command.args(&words);
            let outcome = crate::bench::Pending::start(&line, command).outcome();
            assert!(
                [Some(0), Some(2), Some(6)].contains(&outcome.exit),
                "neither taken nor refused\n{outcome:?}"
            );
            assert_inert(&outcome.stdout, &line);
            assert_inert(&outcome.stderr, &line);
            if outcome.exit == Some(0) {
                stored.push(text);
            }
        }
    }
    assert!(stored.contains(&MARKUP), "plain text is taken as it is");
    for line in [
        "log",
        "status",
        "status -e prod",
        "flag list",
        "flag show new-checkout",
        "token list",
        "segment list",
        "audit verify",
    ] {
        for format in ["table", "json", "yaml", "ndjson", "name"] {
            let shown = bench.lever(&format!("{line} -o {format}")).exits(0);
            assert_inert(&shown.stdout, &shown.line);
            if format == "json" {
                shown.json();
            }
        }
    }
    for log_line in bench.server().log().lines() {
        assert_inert(log_line, "serve");
    }
}

#[test]
fn texts_and_keys_without_measure_are_refused_and_the_server_lives_on() {
    let bench = Bench::with_checkout();
    let head = bench.revision();
    let long = "x".repeat(10_240);
    let huge = "y".repeat(100_000);
    for line in [
        format!("flag create {long} --owner web --kind ops"),
        format!("flag create ok --owner {long} --kind ops"),
        format!("flag edit new-checkout --description {huge}"),
        format!("segment create {long} --include u-1"),
        format!("env create {long}"),
        format!("token create {long} --role viewer"),
        format!("flag rule add new-checkout -e prod --when 'a matches \"{huge}\"' --serve on"),
        format!(
            "flag rule add new-checkout -e prod --when '{}a == 1{}' --serve on",
            "(".repeat(10_000),
            ")".repeat(10_000)
        ),
        "flag rule add new-checkout -e prod --when 'a matches \"(\"' --serve on".to_owned(),
        "flag create ../../etc/passwd --owner web --kind ops".to_owned(),
        "flag create --owner web --kind ops -- --upload-pack=x".to_owned(),
        "flag create \u{202e}evil --owner web --kind ops".to_owned(),
        "flag create caf\u{e9} --owner web --kind ops".to_owned(),
    ] {
        let outcome = bench.lever(&line);
        assert_eq!(outcome.exit, Some(2), "{line:.80}\n{:.400}", outcome.stderr);
    }
    // A close is never refused for its words.
    let kill = bench.lever(&format!("kill new-checkout -e prod -r {long}"));
    assert_eq!(kill.exit, Some(0), "{:.400}", kill.stderr);
    assert_eq!(bench.revision(), head + 1);
    assert_eq!(bench.position("new-checkout", "prod")["state"], "closed");
}
