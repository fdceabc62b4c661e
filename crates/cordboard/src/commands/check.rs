//! `cordboard check`: everything that could be wrong, without starting anything.

use std::path::Path;
use std::process::ExitCode;

use dialplan::{Generation, Names};
use jiff::Zoned;
use sip_engine::Transport;

use crate::config::Settings;
use crate::prompts::Found;
use crate::{machine, project, report, scripts, wiring};

/// Checks configuration, scripts and prompts; prints all mistakes, or what was found right.
pub(crate) fn run(config_path: &Path) -> anyhow::Result<ExitCode> {
    if !config_path.exists() {
        anyhow::bail!(
            "{} does not exist; run `cordboard` once and it is written",
            config_path.display()
        );
    }
    let settings = Settings::load(config_path)?;
    let mut faults = Vec::new();

    let machine = machine::addresses()?;
    for (transport, specs) in [(Transport::Udp, &settings.udp), (Transport::Tcp, &settings.tcp)] {
        match wiring::concrete(transport, specs, &machine, config_path) {
            Ok(addresses) => {
                let shown: Vec<_> = addresses.iter().map(ToString::to_string).collect();
                println!("{transport:<8} {}", shown.join(", "));
            }
            Err(error) => faults.push(format!("Error: {error:#}")),
        }
    }
    println!("accounts {}, mailboxes {}", settings.accounts.len(), settings.mailboxes.len());

    let mut names = Names {
        extensions: settings.accounts.keys().cloned().collect(),
        mailboxes: settings.mailboxes.keys().cloned().collect(),
        language: settings.language.clone(),
        ..Names::default()
    };
    match Found::in_folder(&settings.prompts) {
        Ok(found) => {
            faults.extend(found.faults().into_iter().map(|fault| format!("Error: {fault}")));
            println!("prompts  {} in {}", found.count(), settings.prompts.display());
            names.prompts = found.prepare().0.names();
        }
        Err(error) => faults.push(format!("Error: {error:#}")),
    }
    match scripts::read(&settings.scripts) {
        Ok(sources) => {
            let now = Zoned::now().with_time_zone(settings.time_zone.clone());
            match Generation::load(&sources, names, settings.script_limits, &now) {
                Ok(generation) => println!(
                    "scripts  {} routes in {}",
                    generation.routes().len(),
                    settings.scripts.display()
                ),
                Err(mistakes) => faults.push(report::render_scripts(&mistakes, &sources)),
            }
        }
        Err(error) => faults.push(format!("Error: {error:#}")),
    }

    if project::has_old_annotations(config_path) {
        println!("editors know another version; `cordboard annotations` tells them of this one");
    }
    if faults.is_empty() {
        println!("everything is right");
        return Ok(ExitCode::SUCCESS);
    }
    for fault in faults {
        eprintln!("{fault}");
    }
    Ok(ExitCode::FAILURE)
}
