//! `ofrep`: deciding over HTTP, with one load generator (wrk, from Debian) on the same cores for
//! everybody: us, a bare handler, and `unleash-edge`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::catalogue::{Catalogue, Shape};
use crate::http::Connection;
use crate::machine;
use crate::process::Process;
use crate::server::{Binary, Data, boolean, open, why};
use crate::table::Table;
use crate::timing::median;

const TOKEN: &str = "*:development.bench";
/// Flags of the small environment.
const FEW: usize = 10;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Turns each server gets; the median of them counts
    #[arg(long, default_value_t = 5)]
    turns: usize,
    /// Length of one turn, in seconds
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// Connections of the load generator
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// The peer's binary: cargo install unleash-edge --version =19.15.1
    #[arg(long, env = "UNLEASH_EDGE")]
    edge: Option<PathBuf>,
    #[command(flatten)]
    binary: Binary,
}

/// Somebody who answers.
struct Target {
    name: &'static str,
    url: String,
    method: &'static str,
    body: String,
    headers: Vec<(&'static str, String)>,
}

/// What one turn of load came to.
#[derive(Debug, Clone, Copy)]
struct Turn {
    per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    println!("machine: {}\n", machine::describe());
    let scripts = tempfile::tempdir()?;
    let catalogue = Catalogue::new();

    let few_data = Data::new()?;
    let few = few_data.serve(&args.binary)?;
    let mut admin = few.admin()?;
    for number in 0..FEW {
        let key = format!("few-{number}");
        admin.post(
            "/api/v1/flags",
            &json!({"definition": boolean(&key), "why": why()}),
        )?;
        open(&mut admin, &key, 50.0)?;
    }
    let few_token = few.evaluator_token()?;

    let whole_data = Data::new()?;
    let whole = whole_data.serve(&args.binary)?;
    whole.fill(&catalogue)?;
    let whole_token = whole.evaluator_token()?;

    let mut bare = Command::new(std::env::current_exe()?);
    bare.arg("bare-http");
    let (_bare, bare_address) = Process::start(&mut bare)?;
    let bare_address = bare_address.trim();

    let split = catalogue
        .flags
        .iter()
        .find(|flag| flag.shape == Shape::Split)
        .context("a split flag")?;
    let person = &catalogue.people[0];
    let question = json!({"context": {
        "targetingKey": person.unit, "plan": person.plan, "country": person.country,
        "app_version": person.app_version,
    }})
    .to_string();
    let ours = |name, address: &str, token: &str, path: &str| Target {
        name,
        url: format!("http://{address}{path}"),
        method: "POST",
        body: question.clone(),
        headers: vec![
            ("authorization", format!("Bearer {token}")),
            ("content-type", "application/json".to_owned()),
        ],
    };
    let one = format!("/ofrep/v1/evaluate/flags/{}", split.key);
    let all = "/ofrep/v1/evaluate/flags";
    let mut single = vec![
        ours("floor: bare axum handler", bare_address, "none", &one),
        ours("leverframe", whole.address(), &whole_token, &one),
    ];
    let mut few_bulk = vec![ours("leverframe", few.address(), &few_token, all)];
    let mut whole_bulk = vec![ours("leverframe", whole.address(), &whole_token, all)];

    let mut edges = Vec::new();
    if let Some(binary) = &args.edge {
        let whole_edge = Edge::start(binary, &edge_text(&catalogue)?)?;
        let few_edge = Edge::start(binary, &edge_few())?;
        let context = json!({"userId": person.unit, "properties": {
            "plan": person.plan, "country": person.country, "appVersion": person.app_version,
        }})
        .to_string();
        let theirs = |edge: &Edge, path: &str| Target {
            name: "unleash-edge 19.15.1",
            url: format!("http://{}{path}", edge.address),
            method: "POST",
            body: context.clone(),
            headers: vec![
                ("authorization", TOKEN.to_owned()),
                ("content-type", "application/json".to_owned()),
            ],
        };
        single.push(theirs(
            &whole_edge,
            &format!("/api/frontend/features/{}", split.key),
        ));
        few_bulk.push(theirs(&few_edge, "/api/frontend/all"));
        whole_bulk.push(theirs(&whole_edge, "/api/frontend/all"));
        edges.push(whole_edge);
        edges.push(few_edge);
    } else {
        println!("unleash-edge is left out: name its binary with --edge\n");
    }

    for (title, targets) in [
        ("one flag of 10 000", &single),
        ("all of 10 flags", &few_bulk),
        ("all of 10 000 flags", &whole_bulk),
    ] {
        compare(title, targets, args, scripts.path())?;
    }
    drop(edges);
    few.stop()?;
    whole.stop()
}

fn compare(title: &str, targets: &[Target], args: &Args, scripts: &Path) -> Result<()> {
    let mut turns = vec![Vec::new(); targets.len()];
    for target in targets {
        check(target)?;
    }
    for _ in 0..args.turns {
        for (target, turns) in targets.iter().zip(&mut turns) {
            turns.push(load(target, args, scripts)?);
        }
    }
    let mut table = Table::new(&[title, "requests/s", "p50 ms", "p99 ms", "of the first"]);
    let mut first = None;
    for (target, turns) in targets.iter().zip(turns) {
        let of = |figure: fn(&Turn) -> f64| median(turns.iter().map(figure).collect());
        let per_second = of(|turn| turn.per_second);
        let first = *first.get_or_insert(per_second);
        table.row([
            target.name.to_owned(),
            format!("{per_second:.0}"),
            format!("{:.2}", of(|turn| turn.p50_ms)),
            format!("{:.2}", of(|turn| turn.p99_ms)),
            format!("{:.2}", per_second / first),
        ]);
    }
    table.print();
    Ok(())
}

/// One answer by hand, so that a wrong one is not counted as fast.
fn check(target: &Target) -> Result<()> {
    let rest = target.url.strip_prefix("http://").context("http")?;
    let (address, path) = rest.split_at(rest.find('/').context("a path")?);
    let mut connection = Connection::open(address, "")?;
    connection.show(&target.headers[0].1);
    let answer = connection.ask(target.method, path, target.body.as_bytes())?;
    if answer.status != 200 {
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        bail!("{} answers {}: {body}", target.name, answer.status);
    }
    let _: Value = serde_json::from_slice(&answer.body)?;
    Ok(())
}

fn load(target: &Target, args: &Args, scripts: &Path) -> Result<Turn> {
    let script = scripts.join("ask.lua");
    let mut text = format!(
        "wrk.method = {:?}\nwrk.body = [==[{}]==]\n",
        target.method, target.body
    );
    for (name, value) in &target.headers {
        text.push_str(&format!("wrk.headers[{name:?}] = {value:?}\n"));
    }
    text.push_str(REPORT);
    std::fs::File::create(&script)?.write_all(text.as_bytes())?;
    let output = Command::new("wrk")
        .args(["-t1", "-c", &args.connections.to_string()])
        .args(["-d", &format!("{}s", args.seconds), "-s"])
        .arg(&script)
        .arg(&target.url)
        .stderr(Stdio::inherit())
        .output()
        .context("wrk: apt-get install wrk")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("figures "))
        .with_context(|| text.clone().into_owned())?;
    let figures: Vec<f64> = line.split(' ').map(str::parse).collect::<Result<_, _>>()?;
    let &[requests, took_us, p50_us, p99_us, failures] = figures.as_slice() else {
        bail!("wrk says {line}");
    };
    if failures > 0.0 {
        bail!("{}: {failures} requests failed", target.name);
    }
    Ok(Turn {
        per_second: requests / took_us * 1e6,
        p50_ms: p50_us / 1e3,
        p99_ms: p99_us / 1e3,
    })
}

const REPORT: &str = r#"
done = function(summary, latency, requests)
  local errors = summary.errors
  print(string.format("figures %d %d %d %d %d", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"#;

/// `unleash-edge`, offline over a file of features.
struct Edge {
    child: std::process::Child,
    address: String,
    _features: tempfile::TempDir,
}

impl Edge {
    fn start(binary: &Path, features: &str) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let file = directory.path().join("features.json");
        std::fs::write(&file, features)?;
        let port = std::net::TcpListener::bind("127.0.0.1:0")?
            .local_addr()?
            .port();
        let child = Command::new(binary)
            .args(["--port", &port.to_string(), "--interface", "127.0.0.1"])
            .args(["offline", "--tokens", TOKEN, "--bootstrap-file"])
            .arg(&file)
            .env("RUST_LOG", "error")
            .stdout(Stdio::null())
            .spawn()?;
        let edge = Self {
            child,
            address: format!("127.0.0.1:{port}"),
            _features: directory,
        };
        let deadline = Instant::now() + Duration::from_secs(60);
        while std::net::TcpStream::connect(&edge.address).is_err() {
            if Instant::now() > deadline {
                bail!("unleash-edge does not listen");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(edge)
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(feature = "yggdrasil")]
fn edge_text(catalogue: &Catalogue) -> Result<String> {
    crate::peers::unleash_features(catalogue)
}

#[cfg(not(feature = "yggdrasil"))]
fn edge_text(_: &Catalogue) -> Result<String> {
    bail!("the features of unleash-edge are written by the feature yggdrasil")
}

fn edge_few() -> String {
    let features: Vec<Value> = (0..FEW)
        .map(|number| {
            let key = format!("few-{number}");
            json!({
                "name": key, "type": "release", "enabled": true, "project": "default",
                "strategies": [{"name": "flexibleRollout", "constraints": [], "parameters": {
                    "rollout": "50", "stickiness": "userId", "groupId": key,
                }}],
            })
        })
        .collect();
    json!({"version": 2, "features": features}).to_string()
}
