//! `lever serve`: the server.

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::ValueEnum;
use leverframe_node::Options;
use leverframe_server::TlsFiles;
use serde_json::json;

use crate::arguments::Format;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::host::{Host, HostOptions, stop_signal};
use crate::output::raw;
use crate::profile::Profile;

/// Start the server
///
/// The first start makes the environments dev, staging and prod (guarded) and an admin token, which
/// is left in DATA/admin-token, readable by you only.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The directory of the journal; made when it is not there
    #[arg(
        long,
        value_name = "DIR",
        env = "LEVER_DATA",
        default_value = "./lever-data"
    )]
    data: PathBuf,
    /// Where to listen; port 0 takes any free one
    #[arg(
        long,
        value_name = "ADDR:PORT",
        env = "LEVER_LISTEN",
        default_value = "127.0.0.1:5387"
    )]
    listen: SocketAddr,
    /// Serve TLS with this certificate chain (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// A file that names sources of metrics and channels for pages
    #[arg(long, value_name = "FILE", env = "LEVER_SERVE_CONFIG")]
    config: Option<PathBuf>,
    /// Answer /metrics without a token
    #[arg(long)]
    metrics_open: bool,
    /// How log lines on stderr look; LEVER_LOG chooses which (such as debug)
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
    /// Say where it listens as one line of JSON on stdout
    #[arg(long)]
    json: bool,
    /// Leave no profile for a second terminal
    #[arg(long)]
    no_profile: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

pub(crate) async fn run(args: Args, format: Format) -> Result<Exit, Failure> {
    let stop = stop_signal();
    log(args.log_format);
    let tls = args
        .tls_cert
        .zip(args.tls_key)
        .map(|(certificate, key)| TlsFiles { certificate, key });
    let node = match &args.config {
        Some(path) => crate::outside::read(path)?,
        None => Options::default(),
    };
    let options = HostOptions::lasting(args.data, args.listen, tls, args.metrics_open, node);
    let host = Host::start(&options).await?;
    let left = leave_profile(&host, args.no_profile)?;
    say(&host, args.json || format.is_machine())?;
    stop.await;
    tracing::info!("stopping: letting requests end");
    if let Some((path, profile)) = left {
        crate::profile::remove(&path, &profile).map_err(|error| Failure::file(&path, error))?;
    }
    host.stop().await;
    Ok(Exit::Done)
}

fn say(host: &Host, is_json: bool) -> Result<(), Failure> {
    let revision = host.node().state().revision();
    let text = if is_json {
        let line = json!({
            "url": host.url(),
            "revision": revision,
            "first_start": host.admin_secret().is_some(),
            "admin_token_file": host.admin_file(),
        });
        format!("{line}\n")
    } else {
        let url = host.url();
        let mut text = format!(
            "Leverframe serves on {url} · r{revision}\n\
             Console: {url} · a link to sign in: lever console\n"
        );
        if host.admin_secret().is_some() {
            text.push_str("First start: environments dev, staging, prod (guarded).\n");
            text.push_str("The admin token is in ");
            text.push_str(&host.admin_file().display().to_string());
            text.push_str(
                " (readable by you only); make others with: lever token create NAME --role ROLE\n",
            );
        }
        text
    };
    raw(text.as_bytes())
}

/// Leaves a profile, so that a second terminal of the same person needs no settings.
fn leave_profile(host: &Host, is_unwanted: bool) -> Result<Option<(PathBuf, Profile)>, Failure> {
    if is_unwanted {
        return Ok(None);
    }
    let secret = match host.admin_secret() {
        Some(secret) => secret.to_owned(),
        None => match std::fs::read_to_string(host.admin_file()) {
            Ok(secret) => secret.trim().to_owned(),
            // Somebody has put it away, as they should; then there is nothing to leave.
            Err(_) => return Ok(None),
        },
    };
    let Some(path) = crate::profile::path() else {
        return Ok(None);
    };
    let profile = Profile {
        url: host.url().to_owned(),
        token: secret,
        environment: None,
    };
    crate::profile::write(&path, &profile).map_err(|error| Failure::file(&path, error))?;
    Ok(Some((path, profile)))
}

fn log(format: LogFormat) {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_env("LEVER_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let is_coloured = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(is_coloured)
        .with_writer(std::io::stderr);
    // It fails only when somebody has set one up already.
    let _ = match format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
}
