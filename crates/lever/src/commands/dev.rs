//! `lever dev`: the whole thing in one process, to look at and to play with.

use std::time::Duration;

use clap::ValueEnum;
use jiff::{Span, Zoned};
use leverframe_node::Options;
use leverframe_wire::admin::{Confirmation, Position, RecordView};

use crate::api::{Client, Connection, JournalFilter};
use crate::arguments::Format;
use crate::demo::{self, ENVIRONMENT, FLAG, Scene, Shop, View};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::host::{Host, HostOptions};

use crate::profile::Profile;

/// Start a demo: a real server with a temporary store, twelve evaluators, simulated traffic
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where to listen; port 0 takes any free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:5387")]
    listen: std::net::SocketAddr,
    /// What the traffic is made from: the same number, the same visitors
    #[arg(long, value_name = "N", default_value_t = 7)]
    seed: u64,
    /// Requests a second; 200, or 5000 without a person
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rate: Option<u32>,
    /// Run a scenario to its end instead of waiting for a person
    #[arg(long, requires = "scenario")]
    headless: bool,
    /// What happens without a person
    #[arg(long, value_enum, requires = "headless")]
    scenario: Option<Scenario>,
    /// The same as -o json
    #[arg(long)]
    json: bool,
    /// Leave no profile for a second terminal
    #[arg(long)]
    no_profile: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Scenario {
    /// Traffic flows, the lever is pulled, and the evaluators' logs are held against the promise
    Kill,
}

/// How far the new checkout is open when the demo begins, in per cent.
const OPEN_AT: f64 = 25.0;

pub(crate) async fn run(args: Args, format: Format) -> Result<Exit, Failure> {
    let data = tempfile::Builder::new()
        .prefix("lever-dev-")
        .tempdir()
        .map_err(|error| Failure::failed(format!("no temporary directory: {error}")))?;
    let host = Host::start(&HostOptions::temporary(
        data.path(),
        args.listen,
        Options::default(),
    ))
    .await?;
    let outcome = play(&args, &host, args.json || format.is_machine()).await;
    host.stop().await;
    outcome
}

async fn play(args: &Args, host: &Host, is_json: bool) -> Result<Exit, Failure> {
    let admin = host
        .admin_secret()
        .ok_or_else(|| Failure::failed("a fresh store has a first admin"))?;
    let api = api(host.url(), admin)?;
    let sunset = (Zoned::now().date() + Span::new().days(30)).to_string();
    let token = demo::set_up(&api, &sunset, OPEN_AT).await?;
    let rate = args.rate.unwrap_or(if args.headless { 5_000 } else { 200 });
    let shop = Shop::open(host.url(), &token, args.seed, rate).await?;
    let outcome = match args.scenario {
        Some(Scenario::Kill) => kill(&api, &shop, args.seed, is_json).await,
        None => {
            let profile = Profile {
                url: host.url().to_owned(),
                token: admin.to_owned(),
                environment: Some(ENVIRONMENT.to_owned()),
            };
            let left = if args.no_profile {
                None
            } else {
                crate::profile::path()
            };
            // A `lever serve` on this machine gets its own back afterwards.
            let mut before = None;
            if let Some(path) = &left {
                before = crate::profile::read(path).ok().flatten();
                crate::profile::write(path, &profile)
                    .map_err(|error| Failure::file(path, error))?;
            }
            let watched = watch(&api, &shop, host.url(), args.seed, rate).await;
            if let Some(path) = &left {
                crate::profile::give_back(path, &profile, before.as_ref())
                    .map_err(|error| Failure::file(path, error))?;
            }
            watched
        }
    };
    shop.close().await;
    outcome
}

async fn kill(api: &Client, shop: &Shop, seed: u64, is_json: bool) -> Result<Exit, Failure> {
    let report = demo::run_kill_scenario(api, shop, seed).await?;
    let text = if is_json {
        serde_json::to_string_pretty(&report)
            .map_err(|error| Failure::failed(format!("the report cannot be written: {error}")))?
    } else {
        report.sentence()
    };
    Scene::of_process().say(&[text]);
    Ok(if report.kept { Exit::Done } else { Exit::Gate })
}

/// Shows how things are until somebody presses Ctrl-C.
async fn watch(
    api: &Client,
    shop: &Shop,
    url: &str,
    seed: u64,
    rate: u32,
) -> Result<Exit, Failure> {
    let mut screen = Scene::of_process();
    screen.say(&welcome(url, seed, rate, &own_name()));
    let mut stopped = std::pin::pin!(crate::host::stop_signal());
    let mut pace = tokio::time::interval(screen.pace());
    loop {
        tokio::select! {
            _ = pace.tick() => {}
            _ = &mut stopped => return Ok(Exit::Done),
        }
        let view = look(api).await?;
        screen.show(
            &view,
            &shop.meter(),
            &Zoned::now().strftime("%H:%M:%S").to_string(),
        );
    }
}

async fn look(api: &Client) -> Result<View, Failure> {
    let lever = api.lever(FLAG, ENVIRONMENT).await?;
    let revision = lever.moved_revision.unwrap_or(lever.revision);
    let Confirmation {
        confirmed,
        expected,
        ..
    } = api
        .confirmation(ENVIRONMENT, revision, None, Duration::ZERO)
        .await?;
    let page = api
        .journal(&JournalFilter::default(), None, demo::RECORDS)
        .await?;
    Ok(View {
        position: super::status::position(&lever.position),
        is_closed: matches!(lever.position, Position::Closed { .. }),
        revision,
        confirmed,
        expected,
        records: page.records.iter().map(record_line).collect(),
    })
}

fn record_line(record: &RecordView) -> String {
    let what: Vec<&str> = record
        .changes
        .iter()
        .map(|change| change.sentence.as_str())
        .collect();
    format!(
        "r{} {} — {} ({})",
        record.revision,
        what.join(", "),
        record.reason,
        record.actor_name
    )
}

fn welcome(url: &str, seed: u64, rate: u32, lever: &str) -> Vec<String> {
    vec![
        format!("Leverframe dev · {url} · temporary store"),
        format!("A demo shop with twelve evaluators; the traffic ({rate} req/s, seed {seed}) is simulated, the rest is real."),
        "new-checkout is open to a quarter of the visitors, and it fails too often. In a second terminal:".to_owned(),
        String::new(),
        format!("    {lever} kill {FLAG} -e {ENVIRONMENT} -r \"INC-412 5xx\""),
        format!("    {lever} eval {FLAG} -e {ENVIRONMENT} --user u-123 --explain"),
        format!("    {lever} status -e {ENVIRONMENT}"),
        String::new(),
        "Ctrl-C ends it and leaves nothing behind.".to_owned(),
    ]
}

/// How this program is called from here: its name where that finds it, else its path.
fn own_name() -> String {
    let Ok(own) = std::env::current_exe() else {
        return "lever".to_owned();
    };
    let is_on_path = std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|folder| {
            folder
                .join("lever")
                .canonicalize()
                .is_ok_and(|found| own.canonicalize().is_ok_and(|own| own == found))
        })
    });
    if is_on_path {
        return "lever".to_owned();
    }
    let short = std::env::current_dir()
        .ok()
        .and_then(|here| own.strip_prefix(here).ok().map(std::path::Path::to_owned));
    match short {
        Some(short) => format!("./{}", short.display()),
        None => own.display().to_string(),
    }
}

fn api(url: &str, token: &str) -> Result<Client, Failure> {
    let url = url
        .parse()
        .map_err(|error| Failure::failed(format!("{url}: {error}")))?;
    let connection = Connection {
        servers: vec![url],
        token: Some(token.to_owned()),
        ca_file: None,
        trace: None,
    };
    Ok(Client::new(&connection)?)
}
