//! Pages of the reference, made from the program, so that they cannot be wrong.

use std::fmt::Write as _;

use clap::{Arg, ArgAction, Command, CommandFactory as _};

use crate::arguments::Cli;
use crate::exit::Exit;

const NOTE: &str = "<!-- Made by `lever docs`; \
    rewrite with: LEVER_UPDATE_DOCS=1 cargo test -p lever --test it reference -->\n";

/// `docs/reference/exit-codes.md`.
pub(crate) fn exit_codes() -> String {
    let mut page = format!("{NOTE}\n# Exit codes\n\n| code | meaning |\n|---|---|\n");
    for exit in Exit::ALL {
        // Writing to a String cannot fail, here and below.
        let _ = writeln!(page, "| {} | {} |", exit.code(), exit.meaning());
    }
    page.push_str(
        "\nWith `-o json` the answer on stdout is one JSON document, also at exit 3, 9 and 10; \
         every other failure is one RFC 9457 problem on stderr, with a stable `code`.\n",
    );
    page
}

/// `docs/reference/cli.md`.
pub(crate) fn cli() -> String {
    let mut root = Cli::command();
    root.build();
    let mut page = format!("{NOTE}\n# Command line\n\n");
    page.push_str(SETTINGS);
    page.push_str("\n## Options of every command\n\n");
    let mut globals: Vec<&Arg> = root
        .get_arguments()
        .filter(|argument| argument.is_global_set())
        .collect();
    globals.sort_by_key(|argument| argument.get_long());
    options(&mut page, &globals);
    for command in root.get_subcommands() {
        describe(&mut page, command, "lever");
    }
    page
}

const SETTINGS: &str = "\
Servers, token and environment come from the first that names them:

1. the options `--url`, `--token`, `-e`
2. the variables `LEVER_URL`, `LEVER_TOKEN`, `LEVER_ENV` (and `LEVER_CA_FILE`)
3. `.lever.toml` in the current directory, or above it up to the root of the repository
4. `$XDG_CONFIG_HOME/lever/config.toml`
5. the profile that a local `lever dev` or `lever serve` leaves

A configuration file may hold `url` (one, or a list), `token`, `environment` and `ca_file`. One that \
holds a token must be readable by its owner only. A token from a file is sent only to the servers \
which that file names; a token from a file that names none, only to servers given by option or \
variable. The `ca_file` of a `.lever.toml` is trusted only for servers that it names itself, and never \
with a token from another file. An environment from 2 to 5 serves for reading, and for changes where openings are not \
guarded; a change in a guarded environment takes `-e`.

Lengths of time are written `500ms`, `10s`, `30m`, `2h`, `30d`, `1h30m`. \
Colours repeat what a glyph and a word say; `NO_COLOR` and `CLICOLOR_FORCE` are obeyed. \
Exit codes: [exit-codes.md](exit-codes.md).
";

fn describe(page: &mut String, command: &Command, parent: &str) {
    if command.is_hide_set() || command.get_name() == "help" {
        return;
    }
    let name = format!("{parent} {}", command.get_name());
    let about = command
        .get_long_about()
        .or_else(|| command.get_about())
        .map(ToString::to_string)
        .unwrap_or_default();
    let subcommands: Vec<&Command> = command
        .get_subcommands()
        .filter(|subcommand| subcommand.get_name() != "help")
        .collect();
    let _ = write!(page, "\n## `{name}`\n\n{about}\n");
    if subcommands.is_empty() {
        let usage = command.clone().render_usage().to_string();
        let usage = usage.trim_start_matches("Usage:").trim();
        let _ = write!(page, "\n    {usage}\n\n");
        let own: Vec<&Arg> = command
            .get_arguments()
            .filter(|argument| !argument.is_global_set() && !argument.is_hide_set())
            .filter(|argument| !matches!(argument.get_id().as_str(), "help" | "version"))
            .collect();
        options(page, &own);
    }
    for subcommand in subcommands {
        describe(page, subcommand, &name);
    }
}

fn options(page: &mut String, arguments: &[&Arg]) {
    for argument in arguments {
        let help = argument
            .get_long_help()
            .or_else(|| argument.get_help())
            .map(ToString::to_string)
            .unwrap_or_default();
        let mut line = format!("- {}: {help}", spelling(argument));
        let values: Vec<String> = argument
            .get_possible_values()
            .iter()
            .filter(|value| !value.is_hide_set())
            .map(|value| format!("`{}`", value.get_name()))
            .collect();
        if !values.is_empty() && argument.get_action().takes_values() && !is_boolean(argument) {
            let _ = write!(line, " ({})", values.join(", "));
        }
        let defaults: Vec<String> = argument
            .get_default_values()
            .iter()
            .map(|value| format!("`{}`", value.to_string_lossy()))
            .collect();
        if !defaults.is_empty() && argument.get_action().takes_values() {
            let _ = write!(line, " [default: {}]", defaults.join(", "));
        }
        page.push_str(&line);
        page.push('\n');
    }
}

fn is_boolean(argument: &Arg) -> bool {
    argument
        .get_possible_values()
        .iter()
        .all(|value| matches!(value.get_name(), "true" | "false"))
}

/// `-e, --env <ENV>`, or `<FLAG>...`.
fn spelling(argument: &Arg) -> String {
    let value = argument
        .get_value_names()
        .unwrap_or_default()
        .iter()
        .map(|name| format!("<{name}>"))
        .collect::<Vec<_>>()
        .join(" ");
    let takes_value = argument.get_action().takes_values();
    if argument.is_positional() {
        let many = matches!(argument.get_action(), ArgAction::Append);
        return format!("`{value}{}`", if many { "..." } else { "" });
    }
    let mut names = Vec::new();
    names.extend(argument.get_short().map(|short| format!("-{short}")));
    names.extend(argument.get_long().map(|long| format!("--{long}")));
    let names = names.join(", ");
    if !takes_value {
        format!("`{names}`")
    } else if argument.is_require_equals_set() {
        format!("`{names}[={value}]`")
    } else {
        format!("`{names} {value}`")
    }
}
