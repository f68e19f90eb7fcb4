//! `ofrep`: deciding over HTTP, with one load generator (wrk, from Debian) on the same cores for
//! everybody: us, a bare handler, and `unleash-edge`.

use std::collections::{HashMap, HashSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::catalogue::{Catalogue, Shape};
use crate::http::Connection;
use crate::process::Process;
use crate::server::{Binary, Data, boolean, open, why};
use crate::table::Table;
use crate::timing::median;

const TOKEN: &str = "*:development.bench";
/// Flags of the small environment.
const FEW: usize = 10;
/// How to get the peer. Its build wants the pages of swagger-ui from a place that not every machine
/// reaches; the same pages are on npm. They have no part in what is measured.
const EDGE_RECIPE: &str = "\
  npm pack swagger-ui-dist@5.17.14 && tar xzf swagger-ui-dist-5.17.14.tgz
  mkdir swagger-ui-5.17.14 && mv package swagger-ui-5.17.14/dist
  python3 -m zipfile -c swagger-ui.zip swagger-ui-5.17.14
  SWAGGER_UI_DOWNLOAD_URL=file://$PWD/swagger-ui.zip cargo install unleash-edge \\
      --version =19.15.1 --locked --no-default-features --root edge
  UNLEASH_EDGE=edge/bin/unleash-edge";

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
    /// Only the comparisons whose title has this in it, such as "one flag"
    #[arg(long, default_value = "")]
    only: String,
    /// The peer's binary; without it, this says how to get one
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
    /// Says what is wrong with an answer.
    judge: Judge,
}

type Judge = Box<dyn Fn(&Value) -> Result<()>>;

/// What one turn of load came to.
#[derive(Debug, Clone, Copy)]
struct Turn {
    per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
}

pub(crate) fn run(args: &Args) -> Result<Vec<Table>> {
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
    let ours = |name, address: &str, token: &str, path: &str, judge| Target {
        name,
        url: format!("http://{address}{path}"),
        method: "POST",
        body: question.clone(),
        headers: vec![
            ("authorization", format!("Bearer {token}")),
            ("content-type", "application/json".to_owned()),
        ],
        judge,
    };
    let one = format!("/ofrep/v1/evaluate/flags/{}", split.key);
    let all = "/ofrep/v1/evaluate/flags";
    let mut single = vec![
        ours(
            "floor: bare axum handler",
            bare_address,
            "none",
            &one,
            is_about(&split.key, "key", "value"),
        ),
        ours(
            "leverframe",
            whole.address(),
            &whole_token,
            &one,
            is_about(&split.key, "key", "value"),
        ),
    ];
    let mut few_bulk = vec![ours(
        "leverframe",
        few.address(),
        &few_token,
        all,
        is_few("flags", "key", "value"),
    )];
    let mut whole_bulk = vec![ours(
        "leverframe",
        whole.address(),
        &whole_token,
        all,
        is_whole(&catalogue, "flags", "key", "value"),
    )];

    let mut edges = Vec::new();
    if let Some(binary) = &args.edge {
        let whole_edge = Edge::start(binary, &edge_text(&catalogue)?)?;
        let few_edge = Edge::start(binary, &edge_few())?;
        let context = json!({"userId": person.unit, "properties": {
            "plan": person.plan, "country": person.country, "appVersion": person.app_version,
        }})
        .to_string();
        let theirs = |edge: &Edge, path: &str, judge| Target {
            name: "unleash-edge 19.15.1",
            url: format!("http://{}{path}", edge.address),
            method: "POST",
            body: context.clone(),
            headers: vec![
                ("authorization", TOKEN.to_owned()),
                ("content-type", "application/json".to_owned()),
            ],
            judge,
        };
        single.push(theirs(
            &whole_edge,
            &format!("/api/frontend/features/{}", split.key),
            is_about(&split.key, "name", "enabled"),
        ));
        few_bulk.push(theirs(
            &few_edge,
            "/api/frontend/all",
            is_few("toggles", "name", "enabled"),
        ));
        whole_bulk.push(theirs(
            &whole_edge,
            "/api/frontend/all",
            is_whole(&catalogue, "toggles", "name", "enabled"),
        ));
        edges.push(whole_edge);
        edges.push(few_edge);
    } else {
        println!("unleash-edge is left out. To have it beside us:\n{EDGE_RECIPE}\n");
    }

    let mut tables = Vec::new();
    for (title, targets) in [
        ("one flag of 10 000", &single),
        ("all of 10 flags", &few_bulk),
        ("all of 10 000 flags", &whole_bulk),
    ] {
        if title.contains(&args.only) {
            tables.push(compare(title, targets, args, scripts.path())?);
        }
    }
    drop(edges);
    few.stop()?;
    whole.stop()?;
    Ok(tables)
}

fn compare(title: &str, targets: &[Target], args: &Args, scripts: &Path) -> Result<Table> {
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
    Ok(table.print())
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
    (target.judge)(&serde_json::from_slice(&answer.body)?)
        .with_context(|| format!("{} answers wrongly", target.name))
}

/// One answer: the flag that was asked for, decided.
fn is_about(key: &str, name: &'static str, value: &'static str) -> Judge {
    let key = key.to_owned();
    Box::new(move |answer| match answer {
        _ if answer[name] == key.as_str() && answer[value].is_boolean() => Ok(()),
        _ => bail!("not about {key}: {answer}"),
    })
}

/// Every flag of the small environment, once.
fn is_few(list: &'static str, name: &'static str, value: &'static str) -> Judge {
    Box::new(move |answer| {
        let flags = answer[list].as_array().context("a list")?;
        let known = |number: usize| {
            let key = format!("few-{number}");
            flags
                .iter()
                .any(|flag| flag[name] == key.as_str() && flag[value].is_boolean())
        };
        match flags.len() == FEW && (0..FEW).all(known) {
            true => Ok(()),
            false => bail!("not every flag once: {answer}"),
        }
    })
}

/// Every flag of the catalogue, once: the plain ones on, the layered one off, about half of the
/// split ones on. Whose half is each engine's own.
fn is_whole(
    catalogue: &Catalogue,
    list: &'static str,
    name: &'static str,
    value: &'static str,
) -> Judge {
    let shapes: HashMap<String, Shape> = catalogue
        .flags
        .iter()
        .map(|flag| (flag.key.clone(), flag.shape))
        .collect();
    Box::new(move |answer| {
        let flags = answer[list].as_array().context("a list")?;
        let mut seen = HashSet::new();
        let (mut split, mut split_on) = (0_usize, 0_usize);
        for flag in flags {
            let key = flag[name].as_str().context("a name")?;
            let is_on = flag[value].as_bool().context("a boolean")?;
            let shape = shapes.get(key).with_context(|| format!("what is {key}?"))?;
            let is_right = match shape {
                Shape::Plain => is_on,
                Shape::Layered => !is_on,
                Shape::Split => {
                    split += 1;
                    split_on += usize::from(is_on);
                    true
                }
                Shape::Listed { .. } => true,
            };
            if !is_right || !seen.insert(key) {
                bail!("{key} is wrong, or there twice: {flag}");
            }
        }
        if seen.len() != shapes.len() || !(split * 4 / 10..split * 6 / 10).contains(&split_on) {
            bail!(
                "{} of {} flags, {split_on} of {split} split ones on",
                seen.len(),
                shapes.len()
            );
        }
        Ok(())
    })
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
