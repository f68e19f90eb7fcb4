//! P1, closed by default, and P7, evaluation needs nobody: evaluators as processes.

use std::path::{Path, PathBuf};

use crate::bench::Bench;

#[test]
fn an_evaluator_without_a_server_a_good_token_or_its_flag_answers_closed_and_says_why() {
    let bench = Bench::with_open_checkout();
    // A port that was free a moment ago.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody_url = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let recipe = bench.recipe("b1");
    let unknown = "lever_0123456789abcdef_00";
    let brake = bench.token("ci --role brake -e prod");
    let cases = [
        (
            recipe.clone().variable("LEVER_URL", &nobody_url),
            "no connection",
        ),
        (
            recipe.clone().variable("LEVER_TOKEN", unknown),
            "refuses the token",
        ),
        (recipe.clone().variable("LEVER_TOKEN", &brake), ""),
        (recipe.clone().flag("no-such-flag"), "no-such-flag"),
        (
            recipe
                .clone()
                .variable("LEVER_FORCE_CLOSED", "new-checkout"),
            "",
        ),
        (recipe.clone().variable("LEVER_FORCE_CLOSED", "*"), ""),
    ];
    // All at once, because each waits for a while before it goes on without.
    for (mut evaluator, why) in cases.map(|(recipe, why)| (recipe.start(), why)) {
        assert!(evaluator.next().ends_with(" false"), "{why}");
        assert!(!evaluator.asked("u-2"), "{why}");
        if !why.is_empty() {
            evaluator.until_logs(why);
        }
        assert!(!evaluator.log().contains("panicked"), "{}", evaluator.log());
        assert!(evaluator.leave().success(), "{why}");
    }
    // The same with nothing wrong, so that the test can fail.
    recipe.start().until(true);
}

#[test]
fn an_evaluator_that_cannot_be_set_up_says_so_and_ends() {
    let bench = Bench::new();
    let recipe = bench.recipe("b1");
    for (name, value) in [
        ("LEVER_URL", ""),
        ("LEVER_TOKEN", ""),
        ("LEVER_URL", "ftp://x"),
    ] {
        let evaluator = recipe.clone().variable(name, value).start();
        evaluator.until_logs("Error: ");
        assert_eq!(evaluator.answers(), "");
    }
}

#[test]
fn evaluators_go_on_deciding_while_the_server_is_away_and_catch_up_when_it_is_back() {
    let mut bench = Bench::with_checkout();
    bench
        .lever("open new-checkout -e prod --to 50 -r half")
        .exits(0);
    let mut evaluator = bench.follow("b1");
    evaluator.next();
    let units: Vec<String> = (0..20).map(|unit| format!("unit-{unit}")).collect();
    let answers: Vec<bool> = units.iter().map(|unit| evaluator.asked(unit)).collect();
    assert!(answers.contains(&true) && answers.contains(&false));
    bench.kill_server();
    evaluator.until_logs("no connection; going on with what is known");
    let again: Vec<bool> = units.iter().map(|unit| evaluator.asked(unit)).collect();
    assert_eq!(again, answers);
    bench.start();
    bench.until_current("b1", 1);
    let killed = bench
        .lever("kill new-checkout -e prod --wait=20s")
        .exits(0)
        .says("1/1 evaluators confirmed")
        .revision();
    assert!(!evaluator.at(killed));
    assert!(!units.iter().any(|unit| evaluator.asked(unit)));
}

#[test]
fn a_new_evaluator_without_a_server_serves_its_disk_cache_and_without_one_is_closed() {
    let mut bench = Bench::with_open_checkout();
    let cache = bench.home().join("cache");
    let recipe = bench.recipe("b1");
    let cached = recipe
        .clone()
        .variable("LEVER_CACHE_DIR", cache.to_str().unwrap());
    let first = cached.start();
    first.until(true);
    assert!(first.leave().success());
    bench.kill_server();

    let second = cached.start();
    let without = recipe.start();
    let forced = cached
        .variable("LEVER_FORCE_CLOSED", "new-checkout")
        .start();
    assert!(second.next().ends_with(" true"));
    assert!(without.next().ends_with(" false"));
    assert!(forced.next().ends_with(" false"));

    // Both are followers like any other once the server is back.
    bench.start();
    bench.eventually("fleet -e prod", |fleet| {
        let evaluators = fleet["evaluators"].as_array().unwrap();
        evaluators
            .iter()
            .filter(|one| one["current"] == true)
            .count()
            >= 3
    });
    without.until(true);
    bench.lever("kill new-checkout -e prod --wait=20s").exits(0);
    second.until(false);
    without.until(false);
}

#[test]
fn a_disk_cache_that_is_damaged_is_no_crash_and_never_open() {
    let mut bench = Bench::with_open_checkout();
    let cache = bench.home().join("cache");
    let cached = bench
        .recipe("b1")
        .variable("LEVER_CACHE_DIR", cache.to_str().unwrap());
    let first = cached.start();
    first.until(true);
    assert!(first.leave().success());
    bench.kill_server();
    let damages = [&b""[..], b"{", b"\0\0\0\0", &[0xA5; 10_000]];
    let evaluators = damages.map(|damage| {
        let damaged = cache.with_extension(damage.len().to_string());
        std::fs::create_dir(&damaged).unwrap();
        for entry in std::fs::read_dir(&cache).unwrap() {
            std::fs::write(damaged.join(entry.unwrap().file_name()), damage).unwrap();
        }
        assert!(damaged.read_dir().unwrap().count() > 0, "there is a cache");
        let recipe = cached.clone();
        recipe
            .variable("LEVER_CACHE_DIR", damaged.to_str().unwrap())
            .start()
    });
    for evaluator in evaluators {
        assert!(evaluator.next().ends_with(" false"));
        assert!(!evaluator.log().contains("panicked"), "{}", evaluator.log());
        assert!(evaluator.leave().success());
    }
    // The same with nothing damaged, so that the test can fail.
    cached.start().until(true);
}

#[test]
fn a_disk_cache_cut_off_anywhere_is_the_last_good_or_closed_and_a_foreign_or_older_one_never_wins()
{
    let mut bench = Bench::with_open_checkout();
    let cache = bench.home().join("cache");
    let recipe = bench.recipe("b1");
    let at = |cache: &Path| {
        let cache = cache.to_str().unwrap();
        recipe.clone().variable("LEVER_CACHE_DIR", cache)
    };
    let first = at(&cache).start();
    first.until(true);
    assert!(first.leave().success());
    let older = copy(&cache, "older", |bytes| bytes);
    bench.kill("new-checkout");
    let second = at(&cache).start();
    second.until(false);
    assert!(second.leave().success());

    // The server is there: whatever a disk says is older.
    at(&older).start().until(false);
    bench.kill_server();
    let another = Bench::with_open_checkout();
    let foreign = another.home().join("cache");
    let of_another = another
        .recipe("b1")
        .variable("LEVER_CACHE_DIR", foreign.to_str().unwrap())
        .start();
    of_another.until(true);
    assert!(of_another.leave().success());
    let names: Vec<String> = names(&cache);
    let renamed = copy(&foreign, "renamed", |bytes| bytes);
    for (from, to) in self::names(&renamed).iter().zip(names) {
        std::fs::rename(renamed.join(from), renamed.join(to)).unwrap();
    }
    // Closed is what was last good here; only another one's cache says open.
    let mut evaluators = vec![at(&foreign).start(), at(&renamed).start()];
    for eighths in 0..8 {
        let name = format!("cut-{eighths}");
        let cut = copy(&cache, &name, |bytes| {
            bytes[..bytes.len() * eighths / 8].to_vec()
        });
        evaluators.push(at(&cut).start());
    }
    for evaluator in evaluators {
        assert!(evaluator.next().ends_with(" false"));
        assert!(!evaluator.log().contains("panicked"), "{}", evaluator.log());
        assert!(evaluator.leave().success());
    }
}

fn names(directory: &Path) -> Vec<String> {
    let entries = directory.read_dir().unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A copy beside it, each file changed by `change`.
fn copy(directory: &Path, name: &str, change: impl Fn(Vec<u8>) -> Vec<u8>) -> PathBuf {
    let to = directory.with_extension(name);
    std::fs::create_dir(&to).unwrap();
    for name in names(directory) {
        let bytes = std::fs::read(directory.join(&name)).unwrap();
        std::fs::write(to.join(&name), change(bytes)).unwrap();
    }
    to
}

#[test]
fn an_evaluator_whose_token_is_revoked_keeps_what_it_knows_and_is_named() {
    let bench = Bench::with_open_checkout();
    let mut evaluator = bench.follow("b1");
    evaluator.until(true);
    let list = bench.json("token list");
    let tokens = list["tokens"].as_array().unwrap();
    let token = tokens.iter().find(|token| token["name"] == "b1").unwrap();
    bench
        .lever(&format!("token revoke {}", token["id"].as_str().unwrap()))
        .exits(0);
    evaluator.until_logs("refuses the token");
    assert!(evaluator.asked("u-1"), "P7: it goes on with what it knows");
    bench
        .lever("kill new-checkout -e prod --timeout 0s")
        .exits(9)
        .says("build b1");
}
