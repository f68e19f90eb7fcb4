//! The profile a local `lever serve` leaves, so that a second terminal just works.

use std::os::unix::fs::PermissionsExt as _;

use crate::bench::{Bench, Pending, Signal};

#[test]
fn a_local_server_leaves_a_profile_and_takes_it_away() {
    let mut bench = Bench::with_checkout();
    bench.stop_server();
    let line = "serve --data data --listen 127.0.0.1:0";
    let serve = Pending::start(line, bench.bare_command(line));
    serve.until_writes("Leverframe serves on http://127.0.0.1:");
    let profile = bench.home().join(".local/state/lever/profile.toml");
    let mode = std::fs::metadata(&profile).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let kill = "kill new-checkout -e prod";
    let killed = Pending::start(kill, bench.bare_command(kill));
    killed.outcome().exits(0).says("closed in prod");
    serve.signal(Signal::Terminate);
    serve.outcome().exits(0);
    assert!(!profile.exists());
    let killed = Pending::start(kill, bench.bare_command(kill));
    killed.outcome().exits(4);
}

#[test]
fn the_first_start_says_where_the_admin_token_is_and_the_next_does_not() {
    let bench = Bench::new();
    for (start, is_first) in [("first", true), ("second", false)] {
        let line = "serve --data fresh --listen 127.0.0.1:0 --no-profile";
        let serve = Pending::start(line, bench.bare_command(line));
        serve.until_writes("Leverframe serves on");
        serve.signal(Signal::Terminate);
        let outcome = serve.outcome().exits(0);
        let says = outcome
            .stdout
            .contains("The admin token is in fresh/admin-token");
        assert_eq!(says, is_first, "{start}: {outcome}");
    }
    let token = bench.home().join("fresh/admin-token");
    let mode = std::fs::metadata(token).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
