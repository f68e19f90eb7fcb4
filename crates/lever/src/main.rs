//! `lever`: the server, the command line and the demo of Leverframe in one binary.
//!
//! This page parses, runs and exits; what a command does is in `commands/`, one file each.
#![cfg_attr(
    doc,
    expect(
        rustdoc::invalid_html_tags,
        reason = "the help of a command says <key> where one is to be put in"
    )
)]
#![cfg_attr(
    test,
    expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")
)]

mod api;
mod arguments;
mod commands;
mod config;
mod demo;
mod exit;
mod failure;
mod files;
#[cfg(test)]
mod hints;
mod host;
mod output;
mod outside;
mod plan;
mod profile;
mod pull;
mod receipt;
mod reference;
mod session;
mod simulate;
mod span;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::Cli;
use crate::exit::Exit;
use crate::failure::Failure;

fn main() -> ExitCode {
    // Before anything can open a connection: every TLS user of this process shares this provider.
    // It fails only when one is installed already, and that one serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(refusal) => return output::usage(&refusal, std::env::args_os()).into(),
    };
    let format = cli.global.format();
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("the async runtime does not start: {error}")))
        .and_then(|runtime| runtime.block_on(commands::run(cli)));
    let exit = outcome.unwrap_or_else(|failure| {
        output::failure(&failure, format);
        failure.exit
    });
    exit.into()
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
