//! `lever serve --config`: whom the server asks and tells, as a person starts it.

use std::os::unix::fs::OpenOptionsExt as _;

use crate::bench::{Bench, Pending, Signal};

fn write(bench: &Bench, name: &str, text: &str) {
    use std::io::Write as _;
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(bench.home().join(name))
        .unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[test]
fn a_file_that_is_wrong_stops_the_start_and_says_where() {
    let bench = Bench::new();
    write(&bench, "key", "hunter2-in-a-file\n");
    let line = "serve --data fresh --listen 127.0.0.1:0 --no-profile --config lever.toml";
    for (text, said) in [
        (
            "[channels.oncall]\nkind = \"pagerduty\"\nrouting_key = \"hunter2\"\n",
            "channels.oncall: a secret does not stand",
        ),
        (
            "[channels.oncall]\nkind = \"webhook\"\nurl = \"https://r.example\"\nkey = { file = \"key\" }\n",
            "channels.oncall: key: it is whsec_",
        ),
        (
            "[sources.prom]\nkind = \"prometheus\"\nurl = \"prometheus:9090\"\n",
            "sources.prom.url",
        ),
        ("page = [\"nobody\"]\n", "there is no [channels.nobody]"),
    ] {
        write(&bench, "lever.toml", text);
        let outcome = Pending::start(line, bench.bare_command(line)).outcome();
        let outcome = outcome.exits(2);
        assert!(outcome.stderr.contains("lever.toml: "), "{outcome}");
        assert!(outcome.stderr.contains(said), "{outcome}");
        assert!(!outcome.stderr.contains("hunter2"), "{outcome}");
        // Nothing was begun.
        assert!(!bench.home().join("fresh").exists(), "{outcome}");
    }
}

#[test]
fn a_server_with_sources_and_channels_starts_without_calling_any() {
    let bench = Bench::new();
    let text = "public_url = \"https://lever.example\"\npage = [\"oncall\"]\n\
                [sources.prom]\nkind = \"prometheus\"\nurl = \"http://127.0.0.1:1\"\nallow_private = true\n\
                [channels.oncall]\nkind = \"alertmanager\"\nurl = \"http://127.0.0.1:1\"\nallow_private = true\n";
    write(&bench, "lever.toml", text);
    let line = "serve --data fresh --listen 127.0.0.1:0 --no-profile --config lever.toml";
    let serve = Pending::start(line, bench.bare_command(line));
    serve.until_writes("Leverframe serves on");
    serve.signal(Signal::Terminate);
    serve.outcome().exits(0);
}
