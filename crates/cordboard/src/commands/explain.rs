//! `cordboard explain`: what would happen if a number were dialled, without calling anybody.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Write;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use dialplan::Names;
use explain::{
    Bounds, Colour, Detail, Given, Office, PromptBook, Question, Style, Unexplained, parse_moment,
};
use jiff::Zoned;

use crate::config::Settings;
use crate::prompts::{Found, Texts};
use crate::terminal::{self, Out};
use crate::{report, scripts};

/// Who dials what, and what is known of the world.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Who calls: an account such as `101`, a number, `NUMBER@PEER`, or a SIP address. Or what runs
    /// without a call: `schedule:FILE:LINE`, `webhook:/PATH`, `webhook:POST:/PATH`.
    from: String,
    /// What is dialled.
    #[arg(default_value = "", hide_default_value = true)]
    to: String,
    /// When: `2026-12-24 22:10`, `sunday 03:00`, `now+2h`.
    #[arg(long, default_value = "now", value_name = "TIME")]
    at: String,
    /// What is known of the world: `ext/101=busy`, `key=1`, `voicemail=full`, `hangup=dial` ...
    ///
    /// `ext/101=` answered, busy, noanswer, refused, unreachable or a SIP status; `key=` or `read=`
    /// what is typed, one for each time that the script asks, `nothing` or `wrong`; `voicemail=` left,
    /// nothing or full; `mailbox=` done, refused or failed; `record=` something or nothing;
    /// `http:URL=200`, `=200:BODY` or `=failed`; `db=` rows, none or failed; `shared:KEY=VALUE`;
    /// `body=TEXT` for a webhook;
    /// `hangup`, `hangup=VERB` or `hangup=FILE:LINE`.
    #[arg(long, value_name = "FACT", value_parser = Given::parse)]
    given: Vec<Given>,
    /// Print the tree for programs.
    #[arg(long)]
    json: bool,
    /// How many choices deep a way is followed.
    #[arg(long, default_value_t = Bounds::default().depth, value_name = "N")]
    depth: usize,
    /// Tell everything: whole texts, lines of the scripts, and what happens when the caller hangs up.
    #[arg(long)]
    all: bool,
}

/// Prints what would happen.
pub(crate) fn run(config_path: &Path, options: Options) -> anyhow::Result<ExitCode> {
    let settings = Settings::load(config_path)?;
    let sources = scripts::read(&settings.scripts)?;
    let found = Found::in_folder(&settings.prompts)?;
    let names = Names {
        prompts: found.names(),
        extensions: settings.accounts.keys().cloned().collect(),
        mailboxes: settings.mailboxes.keys().cloned().collect(),
        language: settings.language.clone(),
        speech: settings.speech.is_some(),
    };
    let book =
        Book { texts: Texts::in_folder(&settings.prompts), found, lengths: RefCell::default() };
    let now = Zoned::now().with_time_zone(settings.time_zone.clone());
    let at = match parse_moment(&options.at, &now) {
        Ok(at) => at,
        Err(problem) => {
            eprintln!("error: --at \"{}\": {problem}", options.at);
            return Ok(ExitCode::from(WRONG_ARGUMENT));
        }
    };
    let mut question = Question::new(options.from, options.to, at);
    question.given = options.given;
    question.hangups = options.all;
    question.bounds.depth = options.depth;
    let config = settings.into_config(Vec::new());
    let office = Office { config: &config, sources: &sources, names: &names, prompts: &book };
    let explanation = match explain::explain(office, &question) {
        Ok(explanation) => explanation,
        Err(Unexplained::Unknown(problem)) => {
            eprintln!("error: {problem}");
            return Ok(ExitCode::from(WRONG_ARGUMENT));
        }
        Err(Unexplained::Scripts(mistakes)) => {
            eprintln!("{}", report::render_scripts(&mistakes, &sources));
            return Ok(ExitCode::FAILURE);
        }
    };
    let mut out = Out;
    let printed = if options.json {
        writeln!(out, "{:#}", explanation.to_json())
    } else {
        let colour =
            if terminal::has_colours(&std::io::stdout()) { Colour::On } else { Colour::Off };
        let detail = if options.all { Detail::Full } else { Detail::Short };
        write!(
            out,
            "{}",
            explanation.draw(Style { colour, detail, columns: columns(&std::io::stdout()) })
        )
    };
    printed.context("standard output cannot be written")?;
    Ok(ExitCode::SUCCESS)
}

/// How wide the terminal is; what is read elsewhere is as wide as a page.
fn columns(out: &impl AsFd) -> usize {
    let size = rustix::termios::tcgetwinsize(out).ok();
    let columns = size.map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0);
    columns.unwrap_or(COLUMNS_MAX).clamp(COLUMNS_MIN, COLUMNS_MAX)
}

/// A line that is wider is harder to read.
const COLUMNS_MAX: usize = 100;
/// A tree in less would be all edges.
const COLUMNS_MIN: usize = 60;

/// What is known of the prompts in the folder.
struct Book {
    texts: Texts,
    found: Found,
    lengths: RefCell<BTreeMap<String, Option<Duration>>>,
}

impl PromptBook for Book {
    fn text(&self, name: &str) -> Option<String> {
        self.texts.find(name).map(str::to_owned)
    }

    fn length(&self, name: &str) -> Option<Duration> {
        if let Some(known) = self.lengths.borrow().get(name) {
            return *known;
        }
        let length = self.found.path(name).and_then(|path| {
            let bytes = std::fs::read(path).ok()?;
            media::measure(&path.file_name()?.to_string_lossy(), bytes).ok()
        });
        self.lengths.borrow_mut().insert(name.to_owned(), length);
        length
    }
}

/// What clap exits with, too.
const WRONG_ARGUMENT: u8 = 2;
