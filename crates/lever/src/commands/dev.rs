//! `lever dev`: the whole thing in one process, to look at and to play with.

mod by_hand;
mod rollout;

use std::time::Duration;

use clap::ValueEnum;
use jiff::{Span, Zoned};
use leverframe_node::{
    ChannelSettings, Channels, Endpoint, Grid, Options, Outside, Resolver, Secret, SystemResolver,
};
use serde::Serialize;

use crate::api::{Client, Connection};
use crate::arguments::Format;
use crate::demo::{self, CHANNEL, Demo, ENVIRONMENT, Pager, Release, Scene, Shop};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::host::{Host, HostOptions};
use crate::profile::Profile;

/// Start a demo: a real server with a temporary store, twelve evaluators, simulated traffic, and a
/// rollout that decides by itself
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where to listen; port 0 takes any free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:5387")]
    listen: std::net::SocketAddr,
    /// What the traffic is made from: the same number, the same visitors
    #[arg(long, value_name = "N", default_value_t = 7)]
    seed: u64,
    /// Requests a second; 200, or 5000 for the kill without a person
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rate: Option<u32>,
    /// Run the scenario to its end instead of waiting for a person; exit 3 when it did not go as it should
    #[arg(long)]
    headless: bool,
    /// What happens
    #[arg(long, value_enum, default_value_t = Scenario::BadRelease)]
    scenario: Scenario,
    /// The same as -o json
    #[arg(long)]
    json: bool,
    /// Leave no profile for a second terminal
    #[arg(long)]
    no_profile: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Scenario {
    /// A release that breaks under load is rolled out, convicted, rolled back, and somebody is paged
    BadRelease,
    /// A release that does no harm is rolled out to everybody, and nobody is paged
    Good,
    /// The release is open by hand, and the lever is pulled: by a person, or without one to hold the
    /// evaluators' logs against the promise
    Kill,
}

/// How far the new checkout is open by hand, in per cent.
const OPEN_AT: f64 = 25.0;

impl Scenario {
    /// As it is typed.
    fn name(self) -> &'static str {
        match self {
            Self::BadRelease => "bad-release",
            Self::Good => "good",
            Self::Kill => "kill",
        }
    }

    fn release(self) -> Release {
        match self {
            Self::BadRelease => Release::Bad,
            Self::Good => Release::Good,
            Self::Kill => Release::Broken,
        }
    }
}

pub(crate) async fn run(args: Args, format: Format) -> Result<Exit, Failure> {
    let data = tempfile::Builder::new()
        .prefix("lever-dev-")
        .tempdir()
        .map_err(|error| Failure::failed(format!("no temporary directory: {error}")))?;
    let pager = Pager::switch_on().await?;
    let options = compressed(&pager)?;
    let host = Host::start(&HostOptions::temporary(data.path(), args.listen, options)).await?;
    let outcome = play(&args, &host, &pager, args.json || format.is_machine()).await;
    host.stop().await;
    outcome
}

/// The plan of the demo has stages of seconds, so outcomes are counted by the half second; and whoever
/// is paged has a pager on loopback.
fn compressed(pager: &Pager) -> Result<Options, Failure> {
    let failed = |error: String| Failure::failed(format!("the demo's pager: {error}"));
    let endpoint = Endpoint::new(&Secret::new(pager.url()))
        .map_err(|error| failed(error.to_string()))?
        .allow_private(true);
    let key = Secret::new(pager.secret());
    let resolver: std::sync::Arc<dyn Resolver> = std::sync::Arc::new(SystemResolver);
    let mut channels = Channels::default();
    channels
        .open(
            CHANNEL,
            ChannelSettings::Webhook { endpoint, key },
            &resolver,
        )
        .map_err(|error| failed(error.to_string()))?;
    Ok(Options {
        tick: Duration::from_millis(100),
        outcomes: Grid {
            length: Duration::from_millis(500),
            // As long as a busy machine may take to bring a report.
            watermark: Duration::from_millis(1_000),
        },
        outside: Outside {
            channels,
            ..Outside::default()
        },
        ..Options::default()
    })
}

async fn play(args: &Args, host: &Host, pager: &Pager, is_json: bool) -> Result<Exit, Failure> {
    let admin = host
        .admin_secret()
        .ok_or_else(|| Failure::failed("a fresh store has a first admin"))?;
    let api = api(host.url(), admin)?;
    let sunset = (Zoned::now().date() + Span::new().days(30)).to_string();
    let token = demo::deploy(&api, &sunset).await?;
    if args.scenario == Scenario::Kill {
        demo::open_to(&api, OPEN_AT).await?;
    }
    let rate = match (args.headless, args.scenario) {
        (true, Scenario::Kill) => args.rate.unwrap_or(5_000),
        _ => args.rate.unwrap_or(200),
    };
    let release = args.scenario.release();
    let shop = Shop::open(host.url(), &token, args.seed, rate, release).await?;
    let demo = Demo {
        api: &api,
        node: host.node(),
        shop: &shop,
        pager,
    };
    let outcome = if args.headless {
        headless(args, &demo, is_json).await
    } else {
        with_person(args, &demo, host, admin, rate).await
    };
    shop.close().await;
    outcome
}

/// Runs the scenario to its end.
async fn headless(args: &Args, demo: &Demo<'_>, is_json: bool) -> Result<Exit, Failure> {
    if args.scenario == Scenario::Kill {
        let report = demo::run_kill_scenario(demo.api, demo.shop, args.seed).await?;
        return say(&report, report.sentence(), report.kept, is_json);
    }
    let report = demo.run(args.scenario.name(), args.seed).await?;
    say(&report, report.line(), report.kept, is_json)
}

fn say(report: &impl Serialize, line: String, kept: bool, is_json: bool) -> Result<Exit, Failure> {
    let text = if is_json {
        serde_json::to_string_pretty(report)
            .map_err(|error| Failure::failed(format!("the report cannot be written: {error}")))?
    } else {
        line
    };
    Scene::of_process().say(&[text]);
    Ok(if kept { Exit::Done } else { Exit::Gate })
}

/// Lets a person look on, with a profile for a second terminal.
async fn with_person(
    args: &Args,
    demo: &Demo<'_>,
    host: &Host,
    admin: &str,
    rate: u32,
) -> Result<Exit, Failure> {
    let url = host.url();
    let profile = Profile {
        url: url.to_owned(),
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
        crate::profile::write(path, &profile).map_err(|error| Failure::file(path, error))?;
    }
    let console = host.invitation().unwrap_or(url);
    let about = format!(
        "Leverframe dev · {url} · temporary store\n\
         A demo shop with twelve evaluators; the traffic ({rate} req/s, seed {}) is simulated, the rest is real.\n\
         Console: {console}\n\
         (signs one browser in, for ten minutes; another link: {} console)",
        args.seed,
        own_name()
    );
    let watched = match args.scenario {
        Scenario::Kill => by_hand::watch(demo.api, demo.shop, &about).await,
        scenario => rollout::watch(demo, &about, (scenario.name(), args.seed)).await,
    };
    if let Some(path) = &left {
        crate::profile::give_back(path, &profile, before.as_ref())
            .map_err(|error| Failure::file(path, error))?;
    }
    watched
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
