//! The exit codes of the operator's page, each provoked once. Code 8 belongs to rollouts, which do
//! not exist yet; 3 stands in `directory`, 9 and 130 in `straggler`.

use crate::bench::{Bench, Pending};

#[test]
fn every_exit_code_means_what_the_page_says() {
    let bench = Bench::with_open_checkout();
    bench.lever("export -o files/").exits(0);
    bench
        .lever("flag create other --owner web --kind ops")
        .exits(0);
    let viewer = bench.token("board --role viewer");
    let head = bench.revision();
    let cases: &[(i32, &str, &str)] = &[
        (2, "", "usage"),
        (2, "open other -e prod --to 1", "reason-required"),
        (2, "open new-checkout -e prod --to 101 -r x", "usage"),
        (2, "open new-checkout -e prod --to 33.3333 -r x", "usage"),
        (2, "open new/checkout -e prod --to 1 -r x", "usage"),
        (2, "kill new-checkout", "environment-required"),
        (2, "kill new-checkout -e prod --timeout soon", "usage"),
        (2, "nonsense", "usage"),
        (5, "flag show nothing", "not-found"),
        (5, "kill nothing -e prod", "not-found"),
        (5, "kill new-checkout -e nowhere", "not-found"),
        (5, "segment show nobody", "not-found"),
        (
            5,
            "flag rule remove new-checkout 7 -e prod -r x",
            "not-found",
        ),
        (5, "undo r4711 -r x", "not-found"),
        (6, "flag create new-checkout --owner x --kind ops", ""),
        (6, "flag archive new-checkout -r x", ""),
        (6, "ramp other -e prod --to 5 -r x", ""),
    ];
    for (code, line, problem) in cases {
        let outcome = bench.lever(&format!("{line} -o json")).exits(*code);
        let said = outcome.problem();
        assert!(
            problem.is_empty() || said["code"] == *problem,
            "{problem}: {outcome}"
        );
    }
    bench.lever_as("", "flag list -o json").exits(4).problem();
    bench
        .lever_as(&viewer, "kill new-checkout -e prod -o json")
        .exits(7)
        .problem();
    bench
        .lever("diff -f files/ --prune -o json")
        .exits(10)
        .json();
    let mut command = bench.command("flag list -o json");
    // Nobody listens on the discard port.
    command.env("LEVER_URL", "http://127.0.0.1:9");
    let unreachable = Pending::start("flag list -o json", command)
        .outcome()
        .exits(1);
    assert_eq!(
        unreachable.problem()["code"],
        "unreachable",
        "{unreachable}"
    );
    assert_eq!(bench.revision(), head, "nothing changed");
}

#[test]
fn for_a_person_a_refusal_is_one_line_on_stderr_and_nothing_on_stdout() {
    let bench = Bench::with_checkout();
    for line in [
        "open new-checkout -e prod --to 1",
        "kill nothing -e prod",
        "ramp new-checkout -e prod --to 1 -r x",
        "undo r4711 -r x",
    ] {
        let outcome = bench.lever(line);
        assert_ne!(outcome.exit, Some(0), "{outcome}");
        assert_eq!(outcome.stdout, "", "{outcome}");
        assert!(outcome.stderr.starts_with("✗ error: "), "{outcome}");
        assert!(
            !outcome.stderr.contains('\u{1b}'),
            "no colour without a terminal\n{outcome}"
        );
    }
}

#[test]
fn a_slip_in_a_condition_is_shown_under_its_character() {
    let bench = Bench::with_checkout();
    let refused = bench
        .lever("flag rule add new-checkout -e prod --when 'plan == \"beta\" und x == 1' --serve on")
        .exits(2);
    let lines: Vec<&str> = refused.stderr.lines().collect();
    let condition = lines
        .iter()
        .position(|line| line.starts_with("plan == \"beta\" und"));
    let condition = condition.unwrap_or_else(|| panic!("not shown\n{refused}"));
    let place = lines[condition].find("und").unwrap();
    let mark = lines.get(condition + 1).and_then(|line| line.find('^'));
    assert_eq!(mark, Some(place), "{refused}");
}

#[test]
fn every_format_holds_the_same_names() {
    let bench = Bench::with_open_checkout();
    bench
        .lever("flag list -o name")
        .exits(0)
        .says("new-checkout\n");
    bench
        .lever("flag list -o yaml")
        .exits(0)
        .says("key: new-checkout");
    let lines = bench.lever("flag list -o ndjson").exits(0);
    assert_eq!(lines.stdout.lines().count(), 1, "{lines}");
    assert_eq!(lines.json()["definition"]["key"], "new-checkout");
    let log = bench.lever("log -o ndjson").exits(0);
    assert_eq!(log.stdout.lines().count(), 3, "{log}");
    bench
        .lever("kill new-checkout -e prod -o name")
        .exits(0)
        .says("r4\n");
    bench
        .lever("kill new-checkout -e prod -q")
        .exits(0)
        .never_says("undo");
}
