use crate::program::Program;

#[test]
fn what_makes_no_sense_is_exit_2_and_changes_nothing() {
    // Nobody listens: a command that went out would exit 1.
    let program = Program::talking_to("http://127.0.0.1:1");
    for line in [
        "kil x",
        "kill",
        "kill x --owner y -e prod",
        "kill ../x -e prod",
        "kill x",
        "kill x -e prod --wait 5s",
        "kill x -e prod --timeout 5",
        "open x -e prod",
        "open x -e prod --to 101%",
        "ramp x -e prod",
        "ramp x -e prod --to 33.3333",
        "pin x -e prod",
        "undo last",
        "status -e a/b",
        "status -o tabel",
        "eval x -e prod --attr plan",
        "eval x",
        "flag create x",
        "flag create x --owner o --type integer",
        "flag create x --owner o --open a=50,b=49",
        "flag rule add x -e prod --when y --serve on --at 0",
        "segment create x",
        "token create ci",
        "token create ci --role root",
        "diff",
        "diff -f missing",
        "apply -f missing",
        "export",
        "completions tcsh",
        "log --since yesterday",
        "log --follow -o json",
        "",
    ] {
        let arguments: Vec<&str> = line.split_whitespace().collect();
        let run = program.run(&arguments);
        assert_eq!(run.code, 2, "{line}: {run:?}");
        assert_eq!(run.stdout, "", "{line}");
        assert_ne!(run.stderr, "", "{line}");
    }
}

#[test]
fn a_usage_error_is_json_where_json_was_asked_for() {
    let run = Program::new().run(&["kil", "x", "-o", "json"]);
    assert_eq!(run.code, 2, "{run:?}");
    assert_eq!(run.problem()["code"], "usage");
}

#[test]
fn without_a_token_it_says_where_to_put_one_and_exits_4() {
    let run = Program::new().run(&["status", "-e", "prod"]);
    assert_eq!(run.code, 4, "{run:?}");
    assert!(run.stderr.contains("LEVER_TOKEN"), "{run:?}");
}

#[test]
fn help_and_version_are_answers() {
    let program = Program::new();
    let help = program.run(&["--help"]);
    assert_eq!(help.code, 0, "{help:?}");
    for command in [
        "kill",
        "open",
        "ramp",
        "pin",
        "undo",
        "status",
        "doctor",
        "completions",
    ] {
        assert!(
            help.stdout.contains(&format!("\n  {command}")),
            "{command}: {help:?}"
        );
    }
    assert!(!help.stdout.contains("\n  docs"), "{help:?}");
    let version = program.run(&["--version"]);
    assert_eq!(version.code, 0);
    assert_eq!(
        version.stdout.trim(),
        concat!("lever ", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn a_completion_script_is_printed_for_every_shell() {
    for shell in ["bash", "zsh", "fish"] {
        let run = Program::new().run(&["completions", shell]);
        assert_eq!(run.code, 0, "{run:?}");
        assert!(run.stdout.contains("kill"), "{shell}");
    }
}

#[cfg(unix)]
#[test]
fn a_profile_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let program = Program::new();
    let directory = program.path().join(".local/state/lever");
    std::fs::create_dir_all(&directory).unwrap();
    let profile = directory.join("profile.toml");
    std::fs::write(&profile, "url = \"http://127.0.0.1:1\"\ntoken = \"t\"\n").unwrap();
    std::fs::set_permissions(&profile, std::fs::Permissions::from_mode(0o644)).unwrap();
    let run = program.run(&["status", "-e", "prod"]);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("chmod 600"), "{run:?}");
    std::fs::set_permissions(&profile, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(
        program.run(&["status", "-e", "prod"]).code,
        1,
        "now it is used"
    );
}
