//! As a person reads it.

use super::{RULE, TWELVE, assert_confirmed, assert_unharmed};
use crate::bench::{Bench, Evaluator};

#[test]
fn every_command_of_the_issue_tells_a_person_what_it_did_across_a_crash() {
    let mut bench = Bench::new();
    define(&bench);

    let recipe = bench.recipe("3f2a9c1");
    let evaluators: Vec<Evaluator> = (0..TWELVE).map(|_| recipe.start()).collect();
    bench.until_current("3f2a9c1", TWELVE);
    for evaluator in &evaluators {
        assert!(evaluator.next().ends_with(" new-checkout false"));
    }
    pull(&bench, &evaluators);

    bench.crash();
    let before = bench.revision();
    look(&bench);
    files(&bench);
    tokens(&bench);
    keep(&bench);

    // The evaluators have come back by themselves, and nobody was lost on the way.
    bench.until_current("3f2a9c1", TWELVE);
    let reopened = bench.lever("open new-checkout -e prod --to 100% -r again --wait=20s");
    let revision = reopened.revision();
    assert!(revision > before);
    assert_confirmed(
        reopened.exits(0).stdout.lines().next().unwrap(),
        &format!("▲ new-checkout opened to 100 % in prod · r{revision}"),
        TWELVE,
    );
    assert!(evaluators.iter().all(|one| one.at(revision)));
    bench
        .lever("kill new-checkout -e prod -r over")
        .exits(0)
        .says("12/12 evaluators confirmed");
    // Archived are only flags that are closed everywhere.
    bench.lever("kill img-quality -e prod").exits(0);
    bench
        .lever("flag archive img-quality -r gone")
        .exits(0)
        .says("✓ flag img-quality archived · r")
        .says("  undo: lever undo r");
    assert_unharmed(&bench, bench.revision());
}

fn define(bench: &Bench) {
    bench
        .lever("env list")
        .exits(0)
        .says("ENVIRONMENT  GUARDED")
        .says("prod         ✓ yes")
        .says("dev          · no");
    bench
        .lever("env create qa")
        .exits(0)
        .says("✓ environment qa created · r2");
    bench
        .lever("env guard qa")
        .exits(0)
        .says("✓ environment qa guarded · r3");
    bench
        .lever(
            "flag create new-checkout --owner team-pay --kind release --sunset 30d \
             --runbook 'Legacy payment path; 3-D Secure off'",
        )
        .exits(0)
        .says(
            "✓ flag new-checkout created, closed everywhere · r4\n  undo: lever undo r4 -r \"…\"",
        );
    bench
        .lever(
            "flag create img-quality --type integer --variants low=40,normal=70,high=90 \
             --closed low --open normal --kind ops --owner web",
        )
        .exits(0)
        .says("✓ flag img-quality created, closed everywhere · r5");
    bench
        .lever(r#"segment create staff --when 'email ends_with "@acme.test"'"#)
        .exits(0)
        .says("✓ segment staff created · r6");
    bench
        .lever("segment list")
        .exits(0)
        .says(r#"staff    email ends_with "@acme.test""#);
    bench
        .lever(r#"segment edit staff --when 'email ends_with "@acme.example"'"#)
        .exits(0)
        .says("✓ segment staff edited · r7");
    bench
        .lever("segment show staff")
        .exits(0)
        .says(r#"when      email ends_with "@acme.example""#);
    bench
        .lever(&format!(
            "flag rule add new-checkout -e prod --id beta --when '{RULE}' --serve on"
        ))
        .exits(0)
        .says("✓ flag new-checkout edited · r8");
    bench
        .lever("flag rule add new-checkout -e prod --id staff --when 'segment staff' --serve on")
        .exits(0);
    bench
        .lever("flag rule move new-checkout staff -e prod --to 1")
        .exits(0);
    bench.lever("flag rule list new-checkout").exits(0).says(
        "prod\n  1. when segment staff serve on  (staff)\n  \
         2. when plan == \"beta\" and country in [\"NO\", \"SE\"] serve on  (beta)\n",
    );
    bench
        .lever("flag rule remove new-checkout staff -e prod")
        .exits(0);
    bench
        .lever("flag rule list new-checkout")
        .exits(0)
        .never_says("staff");
}

fn pull(bench: &Bench, evaluators: &[Evaluator]) {
    let mut last = 0;
    for (line, glyph, words) in [
        (
            "open new-checkout -e prod --to 1% -r 'first percent'",
            "▲",
            "new-checkout opened to 1 % in prod",
        ),
        (
            "ramp new-checkout --to 25% -e prod -r 'metrics clean'",
            "▲",
            "new-checkout ramped to 25 % in prod",
        ),
        (
            "pin img-quality low -e prod -r 'CDN cost'",
            "◆",
            "img-quality pinned to low in prod",
        ),
        (
            "open new-checkout -e prod --to 100 -r all",
            "▲",
            "new-checkout opened to 100 % in prod",
        ),
        (
            "kill new-checkout -e prod -r 'INC-412 5xx'",
            "■",
            "new-checkout closed in prod",
        ),
    ] {
        let pulled = bench.lever(line).exits(0);
        let revision = pulled.revision();
        assert!(revision > last, "{pulled}");
        last = revision;
        let lines: Vec<&str> = pulled.stdout.lines().collect();
        assert_confirmed(
            lines.first().unwrap(),
            &format!("{glyph} {words} · r{revision}"),
            TWELVE,
        );
        let undo = format!("  undo: lever undo r{revision} -r \"…\"");
        assert_eq!(lines.get(1..).unwrap(), [undo.as_str()], "{pulled}");
        assert_eq!(pulled.stderr, "", "{pulled}");
    }
    for evaluator in evaluators {
        assert!(evaluator.at(last - 1));
        assert!(!evaluator.at(last));
    }
    bench
        .lever(&format!("undo r{last} -r 'false alarm'"))
        .exits(0)
        .says(&format!(
            "↶ r{last} undone: new-checkout is open to 100 % in prod again · r{}",
            last + 1
        ));
    bench
        .lever(&format!("undo r{} -r 'no, it was real'", last + 1))
        .exits(0)
        .says("new-checkout is closed in prod again");
    for evaluator in evaluators {
        assert!(evaluator.at(last + 1));
        assert!(!evaluator.at(last + 2));
    }
}

fn look(bench: &Bench) {
    bench
        .lever("eval new-checkout -e prod --user u-123 --attr plan=beta --explain")
        .exits(0)
        .says("new-checkout = false · variant off · DISABLED")
        .says("→ decided position");
    bench
        .lever("status -e prod")
        .exits(0)
        .says("prod guarded · r")
        .says("new-checkout  ■ closed")
        .says("img-quality   ◆ pinned to low")
        .says("CDN cost");
    bench
        .lever("log --since 30m")
        .exits(0)
        .says("first admin via lever-cli/")
        .says("INC-412 5xx\n    new-checkout closed in prod · open to 100 % → closed\n")
        .says("first percent\n    new-checkout open to 1 % in prod · closed → open to 1 %\n")
        .says("none given\n    environment qa created\n")
        .says("first start\n");
    bench
        .lever("fleet -e prod")
        .exits(0)
        .says("INSTANCE")
        .says("shop         3f2a9c1  leverframe-rust/");
    bench
        .lever("audit verify")
        .exits(0)
        .says("✓ the journal is whole · ");
    bench
        .lever("flag list")
        .exits(0)
        .says("img-quality   ops      integer  web")
        .says("new-checkout  release  boolean  team-pay");
    bench
        .lever("flag show new-checkout")
        .exits(0)
        .says("runbook      Legacy payment path; 3-D Secure off")
        .says("prod         ■ closed");
    bench
        .lever("flag edit new-checkout --description 'The payment path' --tag pay")
        .exits(0)
        .says("✓ flag new-checkout edited · r");
}

fn files(bench: &Bench) {
    bench
        .lever("export -o flags/")
        .exits(0)
        .says("✓ 2 flags and 1 segment in flags/");
    bench
        .lever("diff -f flags/")
        .exits(0)
        .says("✓ no differences");
    let file = bench.home().join("flags/new-checkout.yaml");
    let file = if file.exists() {
        file
    } else {
        bench.home().join("flags/flags/new-checkout.yaml")
    };
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("team-pay"), "{text}");
    for positional in ["position", "closed in", "percentage", "latched"] {
        assert!(!text.contains(positional), "a position in a file:\n{text}");
    }
    std::fs::write(&file, text.replace("team-pay", "team-shop")).unwrap();
    bench
        .lever("diff -f flags/")
        .exits(10)
        .says("~ edit flag new-checkout\n    owner: \"team-pay\" → \"team-shop\"");
    bench
        .lever("apply -f flags/ -r 'moved teams'")
        .exits(0)
        .says("✓ 1 change applied · r")
        .says("  undo: lever undo r");
    bench.lever("diff -f flags/").exits(0);
}

fn tokens(bench: &Bench) {
    let made = bench
        .lever("token create ci --role brake -e prod --ttl 30d")
        .exits(0)
        .says("token ci (tok_")
        .says("brake · prod · until ")
        .says("shown this once");
    let id = made
        .stdout
        .split(['(', ')'])
        .find(|word| word.starts_with("tok_"))
        .unwrap();
    bench
        .lever("token list")
        .exits(0)
        .says("first admin  admin")
        .says("✓ works, expires in 30 d");
    bench.lever(&format!("token revoke {id}")).exits(0);
    bench.lever("token list").exits(0).says("✗ revoked ");
}

fn keep(bench: &Bench) {
    bench
        .lever("backup --data data -O backup.db")
        .exits(0)
        .says("✓ r")
        .says("backed up to backup.db")
        .says("restore: lever restore backup.db --data ");
    bench
        .lever("restore backup.db --data elsewhere --close-all")
        .exits(0)
        .says("✓ restored to r")
        .says("epoch ");
    bench
        .lever("doctor")
        .exits(0)
        .says("✓ ok    reach")
        .says("✓ ok    clock")
        .never_says("✗");
    bench
        .lever("completions bash")
        .exits(0)
        .says("_lever()")
        .says("complete -F _lever");
}
