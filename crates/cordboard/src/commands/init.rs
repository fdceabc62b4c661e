//! `cordboard init`: a folder to write a dialplan in.

use std::path::{self, Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use crate::project::{self, Origin};

/// Where to begin.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The project folder; made if it is missing.
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// What the dialplan comes from: puts a file that helps with moving over among the scripts.
    #[arg(long, value_name = "EXCHANGE")]
    from: Option<Origin>,
}

/// Writes what is missing in the folder, and says what to do next.
pub(crate) fn run(config_path: &Path, options: &Options) -> anyhow::Result<ExitCode> {
    let config_path = options.folder.join(config_path);
    let report = project::begin(&config_path, options.from)?;
    for path in &report.written {
        println!("wrote {}", path.display());
    }
    for path in &report.kept {
        println!("kept  {}, as it was there already", path.display());
    }
    let program = std::env::args().next().unwrap_or_else(|| "cordboard".into());
    // As it can be typed in the project folder, too.
    let program = match Path::new(&program).parent() {
        Some(folder) if folder != Path::new("") => path::absolute(&program)?.display().to_string(),
        Some(_) | None => program,
    };
    println!("\nNext:\n");
    if options.folder != Path::new(".") {
        println!("    cd {}", options.folder.display());
    }
    let steps = [
        ("check", "every mistake, without starting anything"),
        ("test", "the tests in scripts/tests, in a moment"),
        ("explain 101 0", "what would happen if 101 dialled 0"),
        ("repl", "try verbs at a prompt, with a pretend caller"),
        ("", "opens for calls; cordboard.toml has the phones and their secrets"),
    ];
    let width = steps.iter().map(|(command, _)| command.len()).max().unwrap_or(0);
    for (command, does) in steps {
        println!("    {program} {command:<width$}  # {does}");
    }
    Ok(ExitCode::SUCCESS)
}
