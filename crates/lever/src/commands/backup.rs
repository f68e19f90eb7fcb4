//! `lever backup`: the journal in one file, verified and durable, while the server works on.

use std::path::PathBuf;

use leverframe_store::sqlite::SqliteReader;
use leverframe_store::{Reader as _, StoreError};
use serde_json::json;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Screen};

/// Write the journal of a data directory into one verified file; the server may go on working
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The data directory, on this machine
    #[arg(
        long,
        value_name = "DIR",
        env = "LEVER_DATA",
        default_value = "./lever-data"
    )]
    data: PathBuf,
    /// The file to write; never overwritten [default: lever-backup-<time>.db]
    #[arg(short = 'O', long, value_name = "FILE")]
    to: Option<PathBuf>,
}

pub(crate) async fn run(args: Args, screen: &Screen) -> Result<Exit, Failure> {
    let to = args.to.unwrap_or_else(|| {
        let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
        PathBuf::from(format!("lever-backup-{now}.db"))
    });
    screen.note("copying and verifying the journal");
    let data = args.data.clone();
    let report = tokio::task::spawn_blocking(move || SqliteReader::open(&data)?.backup(&to))
        .await
        .map_err(|error| Failure::failed(error.to_string()))?
        .map_err(|error| Failure::failed(of_journal(error, args.data).to_string()))?;
    let document = json!({
        "file": report.path,
        "revision": report.head.revision,
        "head": report.head.link.to_hex(),
        "bytes": report.bytes,
    });
    let human = format!(
        "✓ r{} backed up to {} ({} bytes, verified)\n  restore: lever restore {} --data DIR",
        report.head.revision,
        report.path.display(),
        report.bytes,
        report.path.display()
    );
    let name = report.path.display().to_string();
    screen.answer(&Answer::new(&document, human)?.named([name]))?;
    Ok(Exit::Done)
}

/// The copy is as damaged as what it is a copy of, and that is what has to be restored.
fn of_journal(error: StoreError, data: PathBuf) -> StoreError {
    match error {
        StoreError::Corrupt { revision, what, .. } => StoreError::Corrupt {
            data,
            revision,
            what,
        },
        other => other,
    }
}
