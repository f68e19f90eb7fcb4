//! `--dry-run`: the server decides, shows what would change, and stores nothing.

use crate::bench::Bench;

#[test]
fn a_dry_run_of_every_change_changes_nothing() {
    let bench = Bench::with_open_checkout();
    bench
        .lever("flag create unused --owner web --kind ops")
        .exits(0);
    bench.lever("segment create staff --include u-1").exits(0);
    for rule in ["one", "two"] {
        bench
            .lever(&format!(
                "flag rule add new-checkout -e prod --id {rule} --when 'a == 1' --serve on -r x"
            ))
            .exits(0);
    }
    let made = bench.json("token create ci --role brake -e prod");
    let id = made["about"]["id"].as_str().unwrap();
    let last = bench.json("ramp new-checkout -e prod --to 50 -r x")["revision"].clone();
    let files = bench.home().join("files");
    bench.lever("export -o files").exits(0);
    let file = files.join("flags/unused.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("web", "team-web")).unwrap();

    let head = bench.revision();
    let everything = |bench: &Bench| {
        ["flag list", "segment list", "env list", "token list"].map(|line| bench.json(line))
    };
    let before = everything(&bench);
    for line in [
        "kill new-checkout -e prod",
        "open new-checkout -e prod --to 60 -r x",
        "ramp new-checkout -e prod --to 5 -r x",
        "pin new-checkout on -e prod -r x",
        &format!("undo r{last} -r x"),
        "env create qa",
        "env guard staging",
        "flag create another --owner web --kind ops",
        "flag edit new-checkout --owner web -r x",
        "flag archive unused -r x",
        "flag rule add new-checkout -e prod --when 'b == 1' --serve on -r x",
        "flag rule remove new-checkout one -e prod -r x",
        "flag rule move new-checkout two -e prod --to 1 -r x",
        "segment create other --include u-1",
        "segment edit staff --include u-2",
        "segment delete staff -r x",
        "token create more --role viewer",
        &format!("token revoke {id}"),
        "apply -f files/ -r x",
    ] {
        bench
            .lever(&format!("{line} --dry-run"))
            .exits(0)
            .says("○ dry run: ")
            .says("nothing was stored")
            .never_says("nothing would change");
        let document = bench.json(&format!("{line} --dry-run"));
        let receipt = if document["receipt"].is_null() {
            &document
        } else {
            &document["receipt"]
        };
        assert_eq!(receipt["dry_run"], true, "{line}: {document:#}");
        assert!(!receipt["changes"].as_array().unwrap().is_empty(), "{line}");
        if let Some(token) = document["token"].as_str() {
            // Whatever is shown opens nothing.
            bench.lever_as(token, "whoami").exits(4);
        }
        assert_eq!(bench.revision(), head, "{line}");
    }
    assert_eq!(everything(&bench), before);
}

#[test]
fn a_dry_run_is_refused_where_the_change_would_be() {
    let bench = Bench::with_checkout();
    for (line, code) in [
        ("open new-checkout -e prod --to 1", 2),
        ("ramp new-checkout -e prod --to 1 -r x", 6),
        ("kill nothing -e prod", 5),
        ("flag create new-checkout --owner x --kind ops", 6),
    ] {
        bench.lever(&format!("{line} --dry-run")).exits(code);
    }
}
