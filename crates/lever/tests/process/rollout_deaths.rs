//! Rollouts whose server dies: SIGKILL at random moments and at chosen ones, from the start of a rollout
//! to the page. Each transition is made once, the rollback still happens, and the page goes out once:
//! told again it has the same id, by which a receiver drops it.

mod receiver;

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::bench::{Bench, Call, Crowd, PATIENCE, Recipe, Start, figure, progress, seed};
use receiver::Receiver;

/// Rollouts of one server; then another begins, so that none is full of them.
const RUNS_PER_SERVER: usize = 20;
/// People who use the flag.
const PEOPLE: usize = 60;
/// A rollout comes to its page in about so long; somewhere in it the server dies.
const COURSE_MS: u64 = 500;
/// Evaluators that follow a conviction.
const EVALUATORS: usize = 1_000;

#[test]
fn a_server_killed_in_a_rollout_makes_each_transition_once_and_pages_once() {
    let tally = deaths(10);
    assert!(tally.deaths >= 10, "{tally:?}");
}

#[test]
#[ignore = "long: cargo xtask soak"]
fn a_server_killed_in_200_rollouts_makes_each_transition_once_and_pages_once() {
    let tally = deaths(200);
    figure(&format!(
        "{} rollouts, {} deaths: {} before the start was answered, {} with the page in the air; each \
         rolled back once, {} pages, {} of them told again under the same id; slowest rollback {:.1} s \
         after the restart",
        tally.runs,
        tally.deaths,
        tally.unanswered,
        tally.in_the_air,
        tally.pages,
        tally.repeats,
        tally.slowest.as_secs_f64()
    ));
}

#[test]
#[ignore = "long: cargo xtask soak"]
fn a_conviction_reaches_a_thousand_evaluators_about_as_soon_as_a_kill() {
    let mut world = World::new();
    let mut run = world.prepare(0);
    let url = world.bench.server().url();
    let recipe = Recipe::new(world.bench.home(), url, &run.token, "crowd");
    let crowd = Crowd::start(&recipe, EVALUATORS);
    // A person's kill on the same machine with the same to do, to hold it against.
    let mut killed_ms = Vec::new();
    for number in 4..=6 {
        let flag = world
            .rolling(number, run.environment.clone(), run.token.clone())
            .flag;
        let open = format!("open {flag} -e {} --to 100 -r x", run.environment);
        crowd.until(world.bench.lever(&open).exits(0).revision());
        let (count, sum_ms) = world.confirmed();
        let path = format!("/api/v1/environments/{}/kill", run.environment);
        let kill = Call::post(&path, json!({"flags": [flag]}));
        world.bench.call(&kill).unwrap().ok();
        let began = Instant::now();
        while world.confirmed().0 == count {
            assert!(began.elapsed() < PATIENCE);
        }
        killed_ms.push(world.confirmed().1 - sum_ms);
    }
    let mut took_ms = Vec::new();
    // A fourth one that went bad would not be started: three freeze the environment.
    for number in 1..=3 {
        let (environment, token) = (run.environment.clone(), run.token.clone());
        run = world.rolling(number, environment, token);
        let started = world.bench.call(&run.start).unwrap().ok();
        crowd.until(started["revision"].as_u64().unwrap());
        run.exposed = world.exposed(&run);
        let id = started["rollout"].as_str().unwrap().to_owned();
        let (count, sum_ms) = world.confirmed();
        let began = Instant::now();
        while world.rollout(&id)["state"] != "rolled-back" {
            world.fail(&run);
            assert!(began.elapsed() < 3 * PATIENCE);
        }
        while world.confirmed().0 == count {
            assert!(began.elapsed() < 3 * PATIENCE);
        }
        let (after, after_ms) = world.confirmed();
        assert_eq!(after, count + 1, "one change was to be confirmed");
        took_ms.push(after_ms - sum_ms);
    }
    took_ms.sort_by(f64::total_cmp);
    killed_ms.sort_by(f64::total_cmp);
    figure(&format!(
        "from the tick that convicts to the last of {EVALUATORS} whole clients confirmed, stored in \
         between: {took_ms:.1?} ms; a kill: {killed_ms:.1?} ms"
    ));
    let allowed_ms = (4.0 * killed_ms[1]).max(100.0);
    assert!(took_ms[1] < allowed_ms, "{took_ms:?} {killed_ms:?}");
}

#[derive(Debug, Default)]
struct Tally {
    runs: usize,
    deaths: usize,
    unanswered: usize,
    in_the_air: usize,
    pages: usize,
    repeats: usize,
    slowest: Duration,
}

/// When the server dies.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// So long after the start was asked for, whether it was answered or not.
    Starting(u64),
    /// So long after people began to fail.
    Failing(u64),
    /// When the rollback can be seen.
    RolledBack,
    /// When the page has arrived and is not answered.
    Paging,
}

fn deaths(runs: usize) -> Tally {
    let mut dice = Dice(seed() | 1);
    let mut tally = Tally::default();
    let mut world = World::new();
    for run in 0..runs {
        if run > 0 && run % RUNS_PER_SERVER == 0 {
            world = World::new();
        }
        let moment = match run % 4 {
            0 => Moment::Paging,
            1 => Moment::Failing(dice.below(COURSE_MS)),
            2 => Moment::Starting(dice.below(20)),
            _ if dice.below(2) == 0 => Moment::RolledBack,
            _ => Moment::Failing(dice.below(COURSE_MS)),
        };
        world.run(run, moment, &mut tally);
        if run % 10 == 9 {
            progress(&format!("{} of {runs}", run + 1));
        }
    }
    world.verify();
    tally
}

/// A server that pages a receiver, and people who use its flags.
struct World {
    bench: Bench,
    receiver: Receiver,
    _place: tempfile::TempDir,
    sequence: u64,
}

/// One rollout, and who of the people it lets through.
struct Run {
    environment: String,
    token: String,
    flag: String,
    exposed: BTreeSet<usize>,
    start: Call,
}

impl World {
    fn new() -> Self {
        let receiver = Receiver::start();
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("lever.toml");
        let text = format!(
            "page = [\"pager\"]\n\
             [pace]\ninterval = \"50ms\"\nwatermark = \"50ms\"\ntick = \"10ms\"\ncanary_every = \"never\"\n\
             [channels.pager]\nkind = \"webhook\"\nurl = \"{}\"\nallow_private = true\n\
             key = {{ env = \"PAGER_KEY\" }}\n",
            receiver.url()
        );
        std::fs::write(&file, text).unwrap();
        let start = Start::default().after(&format!(
            "export LEVER_SERVE_CONFIG={}; export PAGER_KEY=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            file.display()
        ));
        Self {
            bench: Bench::with(start),
            receiver,
            _place: place,
            sequence: 0,
        }
    }

    fn run(&mut self, number: usize, moment: Moment, tally: &mut Tally) {
        let mut run = self.prepare(number);
        tally.runs += 1;
        if matches!(moment, Moment::Paging) {
            self.receiver.hold();
        }
        if let Moment::Starting(after_ms) = moment {
            let asked = run
                .start
                .ask(self.bench.server().address(), &self.bench.admin_secret())
                .unwrap();
            std::thread::sleep(Duration::from_millis(after_ms));
            self.bench.crash();
            tally.deaths += 1;
            tally.unanswered += usize::from(asked.answer().is_err());
        }
        // The same request again is the same start.
        let started = self.bench.call(&run.start).unwrap().ok();
        let id = started["rollout"].as_str().unwrap().to_owned();
        run.exposed = self.exposed(&run);
        assert!(run.exposed.len() > 10, "{:?}", run.exposed);

        let began = Instant::now();
        let mut back_at = match moment {
            Moment::Starting(_) => Some(began),
            _ => None,
        };
        let rollout = loop {
            self.fail(&run);
            let rollout = self.rollout(&id);
            let is_over = rollout["state"] == "rolled-back";
            let is_told = is_over
                && rollout["told"].as_array().is_some_and(|told| {
                    told.iter().any(|one| one["page"] == true)
                        && told.iter().all(|one| one["state"] != "pending")
                });
            let is_moment = match moment {
                Moment::Starting(_) => false,
                Moment::Failing(after_ms) => began.elapsed() >= Duration::from_millis(after_ms),
                Moment::RolledBack => is_over,
                Moment::Paging => self.receiver.is_holding(),
            };
            if back_at.is_none() && (is_moment || is_told) {
                self.bench.kill_server();
                tally.in_the_air += usize::from(self.receiver.is_holding());
                self.receiver.release();
                self.bench.start();
                tally.deaths += 1;
                back_at = Some(Instant::now());
                continue;
            }
            if is_told {
                break rollout;
            }
            assert!(
                began.elapsed() < 3 * PATIENCE,
                "{moment:?}: {rollout:#}\n{}",
                self.bench.server().log()
            );
        };
        tally.slowest = tally
            .slowest
            .max(back_at.map_or(Duration::ZERO, |at| at.elapsed()));
        self.assert_once(&run, &rollout, moment, tally);
    }

    /// A flag in a guarded environment of its own: three rollouts that went bad would freeze it.
    fn prepare(&mut self, number: usize) -> Run {
        let environment = format!("prod-{number}");
        self.bench
            .lever(&format!("env create {environment} --guarded"))
            .exits(0);
        let token = self
            .bench
            .token(&format!("t-{number} --role evaluator -e {environment}"));
        self.rolling(number, environment, token)
    }

    /// A flag that is to be rolled out there.
    fn rolling(&self, number: usize, environment: String, token: String) -> Run {
        let flag = format!("flag-{number}");
        self.bench
            .lever(&format!("flag create {flag} --owner team-pay --kind ops"))
            .exits(0);
        let path = format!("/api/v1/flags/{flag}/environments/{environment}");
        let lever = self.bench.call(&Call::get(&path)).unwrap().ok();
        let body = json!({
            "definition": {
                "key": "quick", "stages": [{"percentage": 50}, {"percentage": 100}],
                "bake": "300ms", "max_hold": "10m", "settle": "0s", "warm": "0s", "hold_back": 0,
                "metrics": [{"key": "errors"}],
            },
            "why": {"reason": "a test"},
        });
        let path = format!("/api/v1/environments/{environment}/flags/{flag}/rollout");
        let start = Call::post(&path, body)
            .header("if-match", &format!("\"r{}\"", lever["revision"]))
            .header("idempotency-key", &format!("start-{number}"));
        Run {
            environment,
            token,
            flag,
            exposed: BTreeSet::new(),
            start,
        }
    }

    /// Whom of the people the flag lets through.
    fn exposed(&self, run: &Run) -> BTreeSet<usize> {
        let path = format!("/ofrep/v1/evaluate/flags/{}", run.flag);
        let is_on = |person: &usize| {
            let body = json!({"context": {"targetingKey": format!("u-{person}")}});
            let answer = Call::post(&path, body).send(self.bench.server().address(), &run.token);
            answer.unwrap().ok()["value"] == true
        };
        (0..PEOPLE).filter(is_on).collect()
    }

    /// Everybody comes; those let through fail.
    fn fail(&mut self, run: &Run) {
        self.sequence += 1;
        let outcomes: Vec<Value> = (0..PEOPLE)
            .map(|person| {
                let outcome = if run.exposed.contains(&person) {
                    "bad"
                } else {
                    "ok"
                };
                json!({
                    "flag": run.flag, "context": {"targetingKey": format!("u-{person}")},
                    "outcome": outcome,
                })
            })
            .collect();
        let body = json!({"instance": "shop", "sequence": self.sequence, "outcomes": outcomes});
        let path = format!("/api/v1/environments/{}/outcomes", run.environment);
        let answer = Call::post(&path, body).send(self.bench.server().address(), &run.token);
        answer.unwrap().ok();
    }

    fn rollout(&self, id: &str) -> Value {
        let path = format!("/api/v1/rollouts/{id}");
        self.bench.call(&Call::get(&path)).unwrap().ok()
    }

    /// How many changes were confirmed by everybody, and after how many milliseconds in sum.
    fn confirmed(&self) -> (u64, f64) {
        let address = self.bench.server().address();
        let mut stream = TcpStream::connect(address).unwrap();
        let token = self.bench.admin_secret();
        write!(
            stream,
            "GET /metrics HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
             connection: close\r\n\r\n"
        )
        .unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let figure = |name: &str| -> f64 {
            let mut lines = text.lines();
            let line = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.unwrap_or_else(|| panic!("{name} is not in {text}"))
                .parse()
                .unwrap()
        };
        (
            figure("lever_confirm_seconds_count") as u64,
            1_000.0 * figure("lever_confirm_seconds_sum"),
        )
    }

    fn assert_once(&self, run: &Run, rollout: &Value, moment: Moment, tally: &mut Tally) {
        let moves = rollout["moves"].as_array().unwrap();
        let count =
            |field: &str, value: &str| moves.iter().filter(|made| made[field] == value).count();
        assert_eq!(count("cause", "started"), 1, "{moment:?}: {rollout:#}");
        assert_eq!(count("to", "rolled-back"), 1, "{moment:?}: {rollout:#}");
        let revisions: BTreeSet<u64> = moves
            .iter()
            .map(|made| made["revision"].as_u64().unwrap())
            .collect();
        assert_eq!(revisions.len(), moves.len(), "{moment:?}: {rollout:#}");
        let position = self.bench.position(&run.flag, &run.environment);
        assert_eq!(position["state"], "closed", "{moment:?}: {position}");
        let id = rollout["id"].as_str().unwrap();
        let pages = self.receiver.pages(id);
        let ids: BTreeSet<&String> = pages.iter().collect();
        assert_eq!(ids.len(), 1, "{moment:?}: {pages:?} {rollout:#}");
        tally.pages += ids.len();
        tally.repeats += pages.len() - ids.len();
    }

    fn verify(&self) {
        let call = Call::post("/api/v1/journal/verify", json!({}));
        assert_eq!(self.bench.call(&call).unwrap().ok()["intact"], true);
    }
}

/// Numbers of a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}
