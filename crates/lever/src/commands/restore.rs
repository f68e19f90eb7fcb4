//! `lever restore`: a backup takes the journal's place, and nothing that was closed since it was
//! taken comes open again.

use std::path::{Path, PathBuf};

use leverframe_core::{Timestamp, Why};
use leverframe_node::{Replaced, Restored, continue_after_restore};
use leverframe_store::sqlite::{self, SqliteReader};
use leverframe_store::{Reader as _, StoreError};
use serde_json::json;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Screen};

/// Put a backup in the place of a data directory's journal
///
/// Stop the server first. The journal that is there now is kept aside, the restored one begins a
/// new epoch, and every lever that was closed since the backup stays closed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The backup
    #[arg(value_name = "FILE")]
    backup: PathBuf,
    /// The data directory, on this machine
    #[arg(
        long,
        value_name = "DIR",
        env = "LEVER_DATA",
        default_value = "./lever-data"
    )]
    data: PathBuf,
    /// Why; goes into the journal
    #[arg(short, long, value_name = "TEXT")]
    reason: Option<String>,
    /// Close every lever that the backup has open
    #[arg(long, conflicts_with = "keep_positions")]
    close_all: bool,
    /// Where the present journal is lost: take the positions as the backup has them, kills since
    /// then undone
    #[arg(long)]
    keep_positions: bool,
}

pub(crate) async fn run(args: Args, screen: &Screen) -> Result<Exit, Failure> {
    screen.note("copying and verifying the backup");
    let done = tokio::task::spawn_blocking(move || restore(&args))
        .await
        .map_err(|error| Failure::failed(error.to_string()))??;
    let kept: Vec<String> = done
        .record
        .kept_closed
        .iter()
        .map(|(flag, environment)| format!("{flag} in {environment}"))
        .collect();
    let document = json!({
        "backup_revision": done.backup_revision,
        "revision": done.record.revision,
        "epoch": done.record.epoch,
        "kept_closed": kept,
        "aside": done.aside,
    });
    let mut human = format!(
        "✓ restored to r{}, which is followed by r{} · epoch {}",
        done.backup_revision, done.record.revision, done.record.epoch
    );
    for lever in &kept {
        human.push_str("\n  ■ ");
        human.push_str(lever);
        human.push_str(" stays closed: it was closed after the backup was taken");
    }
    human.push_str("\n  tokens made after the backup are gone: make them again");
    if let Some(aside) = &done.aside {
        human.push_str("\n  the journal that was there is kept as ");
        human.push_str(&aside.display().to_string());
    }
    screen.answer(&Answer::new(&document, human)?)?;
    Ok(Exit::Done)
}

struct Done {
    backup_revision: u64,
    record: Restored,
    aside: Option<PathBuf>,
}

fn restore(args: &Args) -> Result<Done, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::failed(error.to_string());
    let now = Timestamp::from_ms(jiff::Timestamp::now().as_millisecond());
    let mut restore =
        sqlite::Restore::prepare(&args.backup, &args.data).map_err(|error| failed(&error))?;
    let backup_revision = restore.backup().revision;
    let current = present(&restore, &args.data);
    let replaced = match &current {
        _ if args.close_all => Replaced::CloseAll,
        Ok(_) if args.keep_positions => {
            return Err(Failure::usage(
                "--keep-positions is for a lost journal; the one in place can be read, and what was \
                 closed there stays closed",
            ));
        }
        Ok(reader) => Replaced::Journal(reader),
        Err(_) if args.keep_positions => Replaced::KeepPositions,
        Err(why) => {
            return Err(Failure::usage(format!(
                "{why}, so nobody knows what was closed since the backup: say --close-all to close \
                 every lever, or --keep-positions to take them as the backup has them; nothing \
                 changed"
            )));
        }
    };
    let why = Why {
        reason: args.reason.as_deref().map(Into::into),
        incident: None,
    };
    let via = concat!("lever-restore/", env!("CARGO_PKG_VERSION"));
    let record = continue_after_restore(restore.incoming(), &replaced, now, via, why)
        .map_err(|error| failed(&error))?;
    drop(current);
    let installed = restore.install(now).map_err(|error| failed(&error))?;
    Ok(Done {
        backup_revision,
        record,
        aside: installed.aside,
    })
}

/// The journal in place, if every record of it can be trusted; else why not.
///
/// It is read by a connection of its own, because the incoming journal is written meanwhile.
fn present(restore: &sqlite::Restore, data: &Path) -> Result<SqliteReader, String> {
    match restore.current() {
        Ok(Some(_)) => {}
        Ok(None) => return Err("there is no journal in the data directory".to_owned()),
        Err(error) => return Err(damaged(error)),
    }
    let reader = SqliteReader::open(data).map_err(|error| damaged(&error))?;
    reader
        .verify(None, &mut |_| {})
        .map_err(|error| damaged(&error))?;
    Ok(reader)
}

fn damaged(error: &StoreError) -> String {
    match error {
        StoreError::Corrupt { revision, what, .. } => {
            let place = revision.map_or_else(String::new, |revision| format!(" at r{revision}"));
            format!("the journal in the data directory is damaged{place} ({what})")
        }
        other => format!("the journal in the data directory cannot be read ({other})"),
    }
}
