//! The Cordboard telephone exchange.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::wildcard_enum_match_arm
    )
)]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

// Its macros count from here on.
#[macro_use]
mod terminal;

mod commands;
mod config;
mod control;
mod data_folder;
mod embedded;
mod first_start;
mod help;
mod inspection;
mod logging;
mod machine;
mod media_threads;
mod project;
mod prompts;
mod questions;
mod random;
mod rehearse;
mod reload;
mod report;
mod scripts;
mod shutdown;
mod signalling;
mod speech;
mod watch;
mod web;
mod wiring;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A telephone exchange that Lua tells what to do.
///
/// Without a command it runs until Ctrl-C. The first start writes a configuration with ten phones and
/// says what to type into them.
#[derive(Debug, Parser)]
#[command(name = "cordboard", version, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    place: Place,
    #[command(subcommand)]
    command: Option<Commands>,
}

/// Where things are.
#[derive(Debug, Args)]
struct Place {
    /// The configuration file; written if it is missing.
    #[arg(long, global = true, default_value = "cordboard.toml", value_name = "FILE")]
    config: PathBuf,
    /// The folder of the database and recordings, instead of the one in the configuration.
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    /// What to log: `error`, `warn`, `info`, `debug`, or a filter such as `pbx=debug,warn`.
    #[arg(long, global = true, value_name = "FILTER")]
    log: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Commands {
    /// Check the configuration, scripts, prompts and tests without starting anything.
    ///
    /// Each finding has its line and what to do. Errors are what keeps the exchange from using the
    /// scripts; warnings are what was probably not meant, and `-- check: allow NAME` in the line
    /// allows them. The exit code is 0 when all is right, 1 when not, 2 when nothing could be looked
    /// at.
    Check(commands::check::Options),
    /// Explain what would happen if somebody dialled a number: every way, without calling anybody.
    Explain(Box<commands::explain::Options>),
    /// Try out Lua on a pretend caller: type functions of `call`, and see what happens.
    Repl(Box<commands::repl::Options>),
    /// Make a folder a project: a dialplan with a test, and what editors need; what is there stays.
    Init(commands::init::Options),
    /// Tell editors anew what functions, prompts and extensions there are, after an upgrade or a
    /// change of the configuration.
    Annotations,
    /// Explain every function that scripts can call, or the one that is named.
    Reference(commands::reference::Options),
    /// Make or take a call, as a phone on the command line.
    Call(Box<commands::call::Options>),
    /// Run the tests of the dialplan, on a whole exchange in virtual time.
    ///
    /// Calls nobody, opens no socket and touches no database. The exit code is 0 when all pass, 1 when
    /// one fails, 2 when they cannot be run.
    Test(Box<commands::test::Options>),
    /// Phones that may register and call.
    #[command(subcommand)]
    Account(commands::account::Action),
    /// Have scripts, prompts, accounts and mailboxes read anew by a running exchange.
    ///
    /// All of it is checked first. If anything is wrong, nothing changes, the mistakes are shown and
    /// the exit code is 1; it is 3 if no exchange runs. Calls under way end as they began.
    Reload(commands::running::Reload),
    /// Tell how a running exchange stands; exit code 3 if none runs.
    Status(commands::running::Status),
    /// List the calls under way.
    Calls(commands::running::Calls),
    /// Voice messages.
    #[command(subcommand)]
    Mailbox(commands::mailbox::Action),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    // Commands speak for themselves; only the exchange keeps a log unasked.
    let standard = if cli.command.is_none() { "info" } else { "warn" };
    let ended = logging::start(cli.place.log.as_deref(), standard).and_then(|log| {
        let ended = run(cli);
        // Its last lines come before what is said at the end.
        drop(log);
        ended
    });
    match ended {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let Place { config, data, log: _ } = &cli.place;
    match cli.command {
        None => wiring::run(config, data.as_deref()).map(|()| ExitCode::SUCCESS),
        Some(Commands::Check(options)) => {
            Ok(terminal::on_terminal(|terminal| commands::check::run(config, &options, terminal)))
        }
        Some(Commands::Explain(options)) => commands::explain::run(config, *options),
        Some(Commands::Repl(options)) => commands::repl::run(config, *options),
        Some(Commands::Init(options)) => commands::init::run(config, &options),
        Some(Commands::Annotations) => commands::annotations::run(config),
        Some(Commands::Reference(options)) => commands::reference::run(&options),
        Some(Commands::Call(options)) => commands::call::run(config, *options),
        Some(Commands::Test(options)) => {
            Ok(terminal::on_terminal(|terminal| commands::test::run(config, &options, terminal)))
        }
        Some(Commands::Account(action)) => {
            terminal::on_terminal(|terminal| commands::account::run(config, action, terminal))
        }
        Some(Commands::Reload(options)) => {
            commands::running::reload(config, data.as_deref(), &options)
        }
        Some(Commands::Status(options)) => {
            commands::running::status(config, data.as_deref(), &options)
        }
        Some(Commands::Calls(options)) => {
            commands::running::calls(config, data.as_deref(), &options)
        }
        Some(Commands::Mailbox(action)) => commands::mailbox::run(config, data.as_deref(), action),
    }
}
