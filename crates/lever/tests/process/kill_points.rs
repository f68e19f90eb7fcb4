//! P5: no acknowledged change is lost. The server is killed by SIGKILL at every system call of a
//! change that writes, one after another; what it does before, between and after them is all there
//! is to a change.

use std::io::Write as _;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::bench::{
    Answer, Bench, Call, Evaluator, Site, Start, Tracer, WRITE_LIKE, figure, kill, progress,
};

/// Longest from the start of the process to the first answer.
const RESTART_TIME_MAX: Duration = Duration::from_secs(2);

/// A change that can be made again and again.
#[derive(Debug, Clone, Copy)]
enum Change {
    Kill,
    Edit,
}

/// A place in the course of a change: before this thread's n-th call of this kind.
type Point = (Site, usize);

#[test]
fn a_server_killed_at_some_calls_of_a_change_has_lost_nothing_it_acknowledged() {
    for change in [Change::Kill, Change::Edit] {
        // The last write, the sync and the answer, and one on the way there.
        let mut world = World::new();
        let points = world.points(change);
        let sample: Vec<Point> = points
            .iter()
            .enumerate()
            .filter(|(index, ((_, call), _))| {
                index % 5 == 0 || call.contains("sync") || call == "writev" || call == "sendto"
            })
            .map(|(_, point)| point.clone())
            .collect();
        world.die_at_each(change, &sample);
    }
}

#[test]
#[ignore = "long: cargo xtask soak"]
fn a_server_killed_at_every_call_of_a_change_has_lost_nothing_it_acknowledged() {
    let mut told = Vec::new();
    for change in [Change::Kill, Change::Edit] {
        let mut world = World::new();
        let points = world.points(change);
        let tally = world.die_at_each(change, &points);
        told.push(format!("{change:?}: {tally}"));
    }
    figure(&told.join("; "));
}

/// What an answer says was done. Where it has to be waited for is not kept with it: after a restart
/// a repeat names every environment that it may concern.
fn told(answer: &Value) -> Value {
    let mut told = answer.clone();
    told["environments"].take();
    told
}

/// What was seen over many deaths.
#[derive(Debug, Default)]
struct Tally {
    deaths: usize,
    acknowledged: usize,
    stored_unanswered: usize,
    slowest: Duration,
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} deaths, {} of them after the answer, {} stored and not answered; slowest restart {} ms",
            self.deaths,
            self.acknowledged,
            self.stored_unanswered,
            self.slowest.as_millis()
        )
    }
}

/// A server with one evaluator that follows it all along.
struct World {
    bench: Bench,
    evaluator: Evaluator,
    changes: u64,
    _pace: tempfile::NamedTempFile,
}

impl World {
    fn new() -> Self {
        // With one worker the order of the calls is the same every time.
        let mut pace = tempfile::NamedTempFile::new().unwrap();
        // Nothing is rolled out here, and ticks would put calls of their own between those of a change.
        pace.write_all(b"[pace]\ntick = \"1h\"\n").unwrap();
        let start = Start::default().after(&format!(
            "export TOKIO_WORKER_THREADS=1 LEVER_SERVE_CONFIG={}",
            pace.path().display()
        ));
        let bench = Bench::with(start);
        bench
            .lever("flag create new-checkout --owner team-pay --kind ops")
            .exits(0);
        bench
            .lever("open new-checkout -e prod --to 100 -r x")
            .exits(0);
        let evaluator = bench.follow("b1");
        Self {
            bench,
            evaluator,
            changes: 0,
            _pace: pace,
        }
    }

    /// Every point of a change, as one that nobody disturbs goes through them.
    fn points(&mut self, change: Change) -> Vec<Point> {
        let call = self.prepare(change);
        let id = self.bench.server().id();
        let tracer = Tracer::of_process(id, &["-e", &format!("trace={WRITE_LIKE}")]);
        self.bench.call(&call).unwrap().ok();
        self.bench.until_current("b1", 1);
        let counts = tracer.counted(id);
        assert!(
            counts.keys().any(|(_, call)| call.contains("sync")),
            "a change that is not synced: {counts:?}"
        );
        counts
            .into_iter()
            .flat_map(|(site, count)| (1..=count).map(move |nth| (site.clone(), nth)))
            .collect()
    }

    fn die_at_each(&mut self, change: Change, points: &[Point]) -> Tally {
        let mut tally = Tally::default();
        for (index, point) in points.iter().enumerate() {
            self.die_at(change, point, &mut tally);
            progress(&format!("{change:?}: {} of {}", index + 1, points.len()));
        }
        assert!(tally.deaths * 2 >= points.len(), "{tally} of {points:?}");
        assert!(tally.stored_unanswered > 0, "{tally}");
        let seen: Vec<u64> = self
            .evaluator
            .answers()
            .lines()
            .filter_map(|line| line.strip_prefix('r')?.split_once(' ')?.0.parse().ok())
            .collect();
        assert!(seen.is_sorted(), "the evaluator went back: {seen:?}");
        tally
    }

    fn die_at(&mut self, change: Change, point: &Point, tally: &mut Tally) {
        let call = self.prepare(change);
        let before = self.bench.revision();
        let ((thread, name), nth) = point;
        let inject = format!("inject={name}:signal=SIGKILL:when={nth}");
        let id = self.bench.server().id();
        let tracer = Tracer::of_threads(id, thread, &["-e", &inject]);
        let answer = self.bench.call(&call);
        // Where the change went through before that call, the next thing it does brings it down.
        let died = answer.is_err() || self.bench.call(&Call::get("/api/v1/whoami")).is_err();
        drop(tracer);
        tally.deaths += usize::from(died);
        let started = Instant::now();
        self.bench.crash();
        self.bench.call(&Call::get("/api/v1/whoami")).unwrap().ok();
        let took = started.elapsed();
        assert!(took < RESTART_TIME_MAX, "{took:?} at {point:?}");
        tally.slowest = tally.slowest.max(took);

        let after = self.bench.revision();
        assert!([before, before + 1].contains(&after), "{before} {after}");
        let repeat = self.bench.call(&call).unwrap().ok();
        assert_eq!(repeat["revision"], before + 1, "{point:?}: {repeat:#}");
        assert_eq!(self.bench.revision(), before + 1, "{point:?}");
        match answer {
            Ok(Answer { status, body }) => {
                assert_eq!(status, 200, "{point:?}: {body:#}");
                assert_eq!(body["stored"], true, "{point:?}: {body:#}");
                assert_eq!(told(&body), told(&repeat), "{point:?}");
                assert_eq!(after, before + 1, "acknowledged and lost at {point:?}");
                tally.acknowledged += usize::from(died);
            }
            Err(_) => tally.stored_unanswered += usize::from(after > before),
        }
        self.assert_done(change, point);
        let verified = self
            .bench
            .call(&Call::post("/api/v1/journal/verify", json!({})));
        assert_eq!(verified.unwrap().ok()["intact"], true, "{point:?}");
    }

    /// Makes room for the change, and says how it is asked for.
    fn prepare(&mut self, change: Change) -> Call {
        self.changes += 1;
        let description = format!("change {}", self.changes);
        let key = format!("key-{}", self.changes);
        let call = match change {
            Change::Kill => {
                let position = self.bench.position("new-checkout", "prod");
                if position["state"] == "closed" {
                    self.bench.open("new-checkout");
                }
                kill("new-checkout")
            }
            Change::Edit => self.bench.edited("new-checkout", &description),
        };
        self.bench.until_current("b1", 1);
        call.header("idempotency-key", &key)
    }

    fn shown(&self) -> Value {
        self.bench
            .call(&Call::get("/api/v1/flags/new-checkout"))
            .unwrap()
            .ok()
    }

    fn assert_done(&self, change: Change, point: &Point) {
        match change {
            Change::Kill => {
                let position = self.bench.position("new-checkout", "prod");
                assert_eq!(position["state"], "closed", "{point:?}");
            }
            Change::Edit => {
                let description = format!("change {}", self.changes);
                assert_eq!(
                    self.shown()["definition"]["description"],
                    description.as_str(),
                    "{point:?}"
                );
            }
        }
    }
}
