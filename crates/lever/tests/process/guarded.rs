//! What a guarded environment asks for, and what a change must say.

use crate::bench::Bench;

#[test]
fn an_opening_in_a_guarded_environment_needs_a_reason() {
    let bench = Bench::with_checkout();
    let head = bench.revision();
    for line in [
        "open new-checkout -e prod --to 1%",
        "open new-checkout -e prod --to 1% -r ''",
        "open new-checkout -e prod --to 1% -r '   '",
        "pin new-checkout on -e prod",
    ] {
        let refused = bench.lever(&format!("{line} -o json")).exits(2);
        assert_eq!(refused.problem()["code"], "reason-required", "{refused}");
    }
    assert_eq!(bench.revision(), head, "nothing changed");
    // Elsewhere it may be without one, and so may every close.
    bench.lever("open new-checkout -e staging --to 1%").exits(0);
    bench
        .lever("open new-checkout -e prod --to 50 -r x")
        .exits(0);
    bench.lever("ramp new-checkout -e prod --to 100").exits(2);
    bench.lever("ramp new-checkout -e prod --to 1").exits(0);
    bench.lever("kill new-checkout -e prod").exits(0);
    bench.lever("log -n 1").exits(0).says("none given");
}

#[test]
fn an_edit_that_an_open_flag_of_a_guarded_environment_uses_is_an_opening() {
    let bench = Bench::with_checkout();
    bench.lever("segment create staff --include u-1").exits(0);
    bench
        .lever("flag rule add new-checkout -e prod --when 'segment staff' --serve on")
        .exits(0);
    bench.lever("segment edit staff --include u-2").exits(0);
    bench
        .lever("open new-checkout -e prod --to 1 -r x")
        .exits(0);
    for line in [
        "segment edit staff --include u-3",
        "flag rule add new-checkout -e prod --when 'a == 1' --serve on",
        "flag edit new-checkout --salt other",
    ] {
        let refused = bench.lever(&format!("{line} -o json")).exits(2);
        assert_eq!(refused.problem()["code"], "reason-required", "{refused}");
        bench.lever(&format!("{line} -r 'all right'")).exits(0);
    }
}

#[test]
fn a_change_says_where_and_a_setting_does_not_say_it_for_a_guarded_environment() {
    let bench = Bench::with_checkout();
    let head = bench.revision();
    let lines = [
        "kill new-checkout",
        "open new-checkout --to 1 -r x",
        "ramp new-checkout --to 1 -r x",
        "pin new-checkout on -r x",
        "flag rule add new-checkout --when 'a == 1' --serve on -r x",
        "flag rule remove new-checkout 1 -r x",
        "flag rule move new-checkout 1 --to 2 -r x",
    ];
    for line in lines {
        let refused = bench.lever(&format!("{line} -o json")).exits(2);
        assert_eq!(
            refused.problem()["code"],
            "environment-required",
            "{refused}"
        );
        for environment in ["prod", "staging"] {
            let mut command = bench.command(&format!("{line} --dry-run"));
            command.env("LEVER_ENV", environment);
            let outcome = crate::bench::Pending::start(line, command).outcome();
            let is_refused = outcome.exit == Some(2) && outcome.stderr.contains("prod is guarded");
            assert_eq!(
                is_refused,
                environment == "prod",
                "{environment}: {outcome}"
            );
        }
    }
    assert_eq!(bench.revision(), head, "nothing changed");
    let mut command = bench.command("kill new-checkout");
    command.env("LEVER_ENV", "staging");
    crate::bench::Pending::start("kill new-checkout", command)
        .outcome()
        .exits(0)
        .says("closed in staging");
}
