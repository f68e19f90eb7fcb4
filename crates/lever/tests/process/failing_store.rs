//! P2 and P5 on a disk that fails: nothing is acknowledged that is not stored, evaluation goes on, and
//! a kill goes out all the same, is confirmed, is told as NOT STORED, survives a restart, and is
//! stored when it can be.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::bench::{Bench, Call, Evaluator, Tracer, figure, kill};

/// What a failing disk says, and to what.
const FAILURES: [(&str, &str); 3] = [
    ("sync", "inject=fsync,fdatasync:error=EIO"),
    ("write", "inject=pwrite64,write:error=ENOSPC"),
    ("both", "inject=pwrite64,fsync,fdatasync:error=EIO"),
];

#[test]
fn where_the_journal_takes_nothing_a_kill_goes_out_and_is_stored_later() {
    for (name, inject) in FAILURES {
        let mut world = World::new();
        let disk = world.fail(inject);
        world.is_refused_and_the_kill_goes_out(name);
        disk.end();
        world.is_stored_later(name);
        world.bench.crash();
        world.is_stored_later(name);
    }
}

#[test]
fn a_kill_that_is_not_stored_survives_a_restart_of_the_server() {
    let mut world = World::new();
    let disk = world.fail("inject=fsync,fdatasync:error=EIO");
    world.is_refused_and_the_kill_goes_out("sync");
    world.until_kept();
    world.bench.kill_server();
    drop(disk);
    world.bench.start();
    // Who comes now hears of it with the first snapshot, stored by then or not.
    let joiner = world.bench.recipe("b-joiner").start();
    assert!(joiner.next().ends_with(" false"));
    world.is_stored_later("sync");
    let answers = world.evaluator.answers();
    let opened = answers.lines().filter(|line| line.ends_with(" true"));
    assert_eq!(opened.count(), 1, "{answers}");
}

#[test]
#[ignore = "long: cargo xtask soak"]
fn a_store_that_takes_two_seconds_a_sync_holds_up_neither_evaluations_nor_kills() {
    let mut world = World::new();
    let calm = world.slowest_of(50);
    let disk = world.fail("inject=fsync,fdatasync:delay_enter=2000000");
    let began = Instant::now();
    let address = world.bench.server().address().to_owned();
    let token = world.bench.admin_secret();
    let edit = world.bench.edited("new-checkout", "slow");
    let editing = std::thread::spawn(move || edit.send(&address, &token).unwrap());
    let busy = world.slowest_of(50);
    assert!(!editing.is_finished(), "the disk is not slow");
    let killed = Instant::now();
    let answer = world.bench.call(&kill("new-checkout")).unwrap().ok();
    world.evaluator.until(false);
    let took = killed.elapsed();
    assert!(took < Duration::from_secs(2), "{took:?} {answer:#}");
    editing.join().unwrap().ok();
    let edited = began.elapsed();
    assert!(edited >= Duration::from_secs(2), "{edited:?}");
    disk.end();
    world.is_stored_later("slow");
    let allowed = calm.mul_f64(4.0) + Duration::from_millis(100);
    assert!(busy < allowed, "{busy:?} against {calm:?}");
    figure(&format!(
        "an edit took {} ms, the slowest of 50 evaluations {} ms ({} ms on a good disk), a kill {} ms to the evaluator",
        edited.as_millis(),
        busy.as_millis(),
        calm.as_millis(),
        took.as_millis()
    ));
}

#[test]
#[ignore = "long: cargo xtask soak"]
fn on_a_full_tmpfs_changes_are_refused_and_a_kill_goes_out_and_is_stored_when_there_is_room() {
    let mount = Tmpfs::mount("2m");
    let mut world = World::on(mount.path());
    let data = world.bench.data();
    assert!(data.starts_with(mount.path()));
    let ballast = data.join("ballast");
    fill(&ballast);
    // What SQLite has already may take a few changes more.
    let mut taken = 0;
    while world.edit_status() == 200 {
        taken += 1;
        assert!(taken < 5_000, "the disk is not full");
        fill(&ballast);
    }
    world.is_refused_and_the_kill_goes_out("full");
    let gone_out = world.bench.revision();
    std::fs::remove_file(&ballast).unwrap();
    world.is_stored_later("full");
    figure(&format!(
        "{taken} changes still fitted in 2 MiB; the kill went out at r{gone_out} and was stored with room"
    ));
    drop(world);
}

/// An open flag and an evaluator that has it.
struct World {
    bench: Bench,
    evaluator: Evaluator,
}

impl World {
    fn new() -> Self {
        Self::of(Bench::with_open_checkout())
    }

    /// With its data on another disk.
    fn on(disk: &Path) -> Self {
        let bench = Bench::on(disk);
        bench
            .lever("flag create new-checkout --owner team-pay --kind ops")
            .exits(0);
        bench.open("new-checkout");
        Self::of(bench)
    }

    fn of(bench: Bench) -> Self {
        let evaluator = bench.follow("b1");
        evaluator.until(true);
        Self { bench, evaluator }
    }

    /// Has the journal's files fail, and no others.
    fn fail(&self, inject: &str) -> Tracer {
        let id = self.bench.server().id();
        let file = |name: &str| self.bench.data().join(name).display().to_string();
        let (journal, log) = (file("lever.db"), file("lever.db-wal"));
        Tracer::of_process(id, &["-P", &journal, "-P", &log, "-e", inject])
    }

    fn edit_status(&self) -> u16 {
        let description = "x".repeat(900);
        let edit = self.bench.edited("new-checkout", &description);
        self.bench.call(&edit).unwrap().status
    }

    #[track_caller]
    fn is_refused_and_the_kill_goes_out(&mut self, name: &str) {
        let bench = &self.bench;
        let before = bench.revision();
        let edit = bench.edited("new-checkout", "refused");
        let refused = bench.call(&edit).unwrap();
        assert_eq!(refused.status, 503, "{name}: {:#}", refused.body);
        assert_eq!(bench.revision(), before, "{name}: nothing of it is visible");
        assert!(self.evaluator.asked("u-2"), "{name}: evaluation goes on");
        assert_eq!(self.evaluates(), true, "{name}");
        bench
            .lever("kill new-checkout -e prod -r INC-412")
            .says("1/1 evaluators confirmed")
            .says("NOT STORED");
        self.evaluator.until(false);
        assert_eq!(self.evaluates(), false, "{name}");
        bench.lever("doctor").exits(1).says("NOT STORED");
    }

    #[track_caller]
    fn is_stored_later(&mut self, name: &str) {
        let bench = &self.bench;
        bench.eventually("flag show new-checkout", |shown| {
            let levers = shown["levers"].as_array().unwrap();
            levers.iter().any(|lever| {
                lever["environment"] == "prod"
                    && lever["position"]["state"] == "closed"
                    && lever["reason"] == "INC-412"
            })
        });
        bench.lever("doctor").never_says("NOT STORED");
        assert_eq!(self.evaluates(), false, "{name}");
        let log = bench.json("log -n 50");
        let records = log["records"].as_array().unwrap();
        let kills = records
            .iter()
            .filter(|record| record["reason"] == "INC-412");
        assert_eq!(kills.count(), 1, "{name}: {log:#}");
        assert_eq!(bench.json("audit verify")["intact"], true, "{name}");
        bench.until_current("b1", 1);
    }

    /// Until the kill is kept beside the journal.
    fn until_kept(&self) {
        let file = self.bench.data().join("lever-beside.db");
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        let connection = rusqlite::Connection::open_with_flags(file, flags).unwrap();
        let deadline = Instant::now() + crate::bench::PATIENCE;
        while !is_kept(&connection) {
            assert!(Instant::now() < deadline, "the kill is not kept");
        }
    }

    /// What the server answers itself.
    fn evaluates(&self) -> Value {
        let body = json!({"flag": "new-checkout", "context": {"targetingKey": "u-1"}});
        let call = Call::post("/api/v1/environments/prod/evaluate", body);
        self.bench.call(&call).unwrap().ok()["value"].clone()
    }

    /// The slowest of many evaluations.
    fn slowest_of(&self, count: usize) -> Duration {
        let took = |_| {
            let asked = Instant::now();
            self.evaluates();
            asked.elapsed()
        };
        (0..count).map(took).max().unwrap()
    }
}

fn is_kept(connection: &rusqlite::Connection) -> bool {
    let kept = connection.query_row("SELECT content FROM brake", [], |row| {
        row.get::<_, Vec<u8>>(0)
    });
    kept.is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains("INC-412"))
}

/// Takes whatever room is left.
fn fill(file: &Path) {
    use std::io::Write as _;
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.create(true).append(true).open(file).unwrap();
    // Large pieces first, then what is left.
    for size in [64 * 1024, 4 * 1024, 512, 1] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
}

/// A small disk of its own.
struct Tmpfs(tempfile::TempDir);

impl Tmpfs {
    #[track_caller]
    fn mount(size: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let size = format!("size={size}");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "none"])
            .arg(directory.path())
            .output()
            .unwrap();
        assert!(
            mounted.status.success(),
            "skipped: a tmpfs cannot be mounted here; run it as root: {}",
            String::from_utf8_lossy(&mounted.stderr)
        );
        Self(directory)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        // Nothing to be done where it does not come off.
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}
