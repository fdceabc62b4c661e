//! `cordboard annotations`: what editors know, written anew.

use std::path::Path;
use std::process::ExitCode;

use crate::config::Settings;
use crate::project::write_annotations;

/// Writes the annotation files beside the configuration file, and says which.
pub(crate) fn run(config_path: &Path) -> anyhow::Result<ExitCode> {
    let settings = if config_path.exists() { Some(Settings::load(config_path)?) } else { None };
    for path in write_annotations(config_path, settings.as_ref())? {
        println!("wrote {}", path.display());
    }
    if settings.is_none() {
        println!(
            "{} does not exist, so the names of extensions and prompts are not among them",
            config_path.display()
        );
    }
    Ok(ExitCode::SUCCESS)
}
