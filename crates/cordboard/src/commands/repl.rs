//! `cordboard repl`: a Lua prompt whose `call` is a pretend caller.

mod history;
mod line;

use std::cell::RefCell;
use std::fs::OpenOptions;
use std::io::{self, BufRead, ErrorKind, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use clap::Args;
use explain::parse_moment;
use jiff::Zoned;
use repl::{Opening, Part, Prompt, Reply, Session, Task, Trouble};

use self::line::{Editor, Typed};
use crate::config::Settings;
use crate::help::plain;
use crate::prompts::Found;
use crate::rehearse::bench_config;
use crate::{embedded, report, scripts, terminal};

/// Who calls, what is dialled, and when.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Who calls: an account, or a number from a trusted network; the last account if not given.
    #[arg(long)]
    from: Option<String>,
    /// What the script is told that was dialled.
    #[arg(long, default_value = "repl", value_name = "NUMBER")]
    to: String,
    /// When: `2026-12-24 22:10`, `sunday 03:00`, `now+2h`.
    #[arg(long, default_value = "now", value_name = "TIME")]
    at: String,
}

/// Runs a session until its end. The exit code is 1 if something in it was wrong and nobody was there
/// to see it.
pub(crate) fn run(config_path: &Path, options: Options) -> anyhow::Result<ExitCode> {
    let settings = Settings::load(config_path)?;
    let now = Zoned::now().with_time_zone(settings.time_zone.clone());
    let at = match parse_moment(&options.at, &now) {
        Ok(at) => at,
        Err(problem) => {
            eprintln!("error: --at \"{}\": {problem}", options.at);
            return Ok(ExitCode::from(WRONG_ARGUMENT));
        }
    };
    let sources = scripts::read(&settings.scripts)?;
    let sounds = if settings.prompts.exists() {
        Found::in_folder(&settings.prompts)?.measured()
    } else {
        embedded::measured_prompts()
    };
    let last = settings.accounts.keys().next_back().cloned();
    let from = options.from.or(last).unwrap_or_else(|| "anybody".to_owned());
    let opening = Opening {
        config: bench_config(settings),
        sources: sources.clone(),
        sounds: Arc::new(sounds),
        start: Instant::now(),
        wall: at.timestamp(),
        seed: SEED,
        from: from.clone(),
        to: options.to,
    };
    let session = match Session::new(opening) {
        Ok(session) => session,
        Err(Trouble::Scripts(mistakes)) => {
            eprintln!("{}", report::render_scripts(&mistakes, &sources));
            return Ok(ExitCode::FAILURE);
        }
        Err(trouble) => anyhow::bail!("{trouble}"),
    };
    let session = Rc::new(RefCell::new(session));
    let terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
    let mut conversation =
        Conversation { session, colour: terminal::has_colours(&io::stdout()), wrong: false };
    conversation.greet(&from, &at)?;
    if terminal {
        conversation.with_editor()?
    } else {
        conversation.with_pipe()?
    }
    let unseen = conversation.wrong && !terminal;
    Ok(if unseen { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// A session and whoever types.
struct Conversation {
    session: Rc<RefCell<Session>>,
    colour: bool,
    /// Whether anything was wrong.
    wrong: bool,
}

/// Whether more is to be typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Line,
    End,
}

impl Conversation {
    fn greet(&mut self, from: &str, at: &Zoned) -> anyhow::Result<()> {
        let when = at.strftime("%A %-d %B %Y, %H:%M");
        let banner = format!(
            "{from} calls, and what you type is the script. It is {when}; nobody is really called.\n\
             Type Lua such as call:answer() or call:go(\"0\"); a value is shown, a `local` stays.\n\
             .press 1, .answer 100 and .hangup are the world outside; .help tells more, .quit ends.\n"
        );
        self.write(&[Part::Hint(banner)])?;
        let reply = self.session.borrow_mut().begin();
        self.tell(&reply).map(|_| ())
    }

    /// Lines with history and completion.
    fn with_editor(&mut self) -> anyhow::Result<()> {
        let mut editor = Editor::new(Rc::clone(&self.session))?;
        loop {
            let prompt = self.session.borrow().prompt();
            match editor.read(prompt.as_str())? {
                Typed::Line(line) => {
                    let reply = self.session.borrow_mut().enter(&line);
                    if self.tell(&reply)? == Next::End {
                        return Ok(());
                    }
                }
                Typed::Interrupt => self.session.borrow_mut().forget(),
                Typed::End => return Ok(()),
            }
        }
    }

    /// Lines from a pipe or a file, which are shown as if they were typed.
    fn with_pipe(&mut self) -> anyhow::Result<()> {
        for line in io::stdin().lock().lines() {
            let line = line.context("standard input cannot be read")?;
            let shown = format!("{}{line}", self.session.borrow().prompt().as_str());
            self.write(&[Part::Ladder(format!("{}\n", shown.trim_end()))])?;
            let reply = self.session.borrow_mut().enter(&line);
            if self.tell(&reply)? == Next::End {
                return Ok(());
            }
        }
        let unfinished = self.session.borrow().prompt() == Prompt::More;
        if unfinished {
            let reply = self.session.borrow_mut().enter("");
            self.tell(&reply)?;
        }
        Ok(())
    }

    /// Shows a reply, and does what it asks for.
    fn tell(&mut self, reply: &Reply) -> anyhow::Result<Next> {
        self.wrong |= reply.parts.iter().any(|part| matches!(part, Part::Mistake(_)));
        self.write(&reply.parts)?;
        match &reply.task {
            None => {}
            Some(Task::Quit) => return Ok(Next::End),
            Some(Task::Explain(name)) => {
                let part = match plain::about(name) {
                    Some(text) => Part::Hint(text),
                    None => {
                        let near = plain::nearest(name)
                            .map(|near| format!("; did you mean {near}?"))
                            .unwrap_or_default();
                        self.wrong = true;
                        Part::Mistake(format!("there is no function {name}{near}\n"))
                    }
                };
                self.write(&[part])?;
            }
            Some(Task::Save { file, text, needs_route }) => {
                let first =
                    if *needs_route { "with the route at its top in a script, " } else { "" };
                let part = match save(Path::new(file), text) {
                    Ok(()) => {
                        Part::Hint(format!("saved; {first}`cordboard test {file}` runs it\n"))
                    }
                    Err(problem) => {
                        self.wrong = true;
                        Part::Mistake(format!("{problem}\n"))
                    }
                };
                self.write(&[part])?;
            }
        }
        Ok(Next::Line)
    }

    fn write(&self, parts: &[Part]) -> anyhow::Result<()> {
        let mut out = io::stdout().lock();
        for part in parts {
            let (text, code) = match part {
                Part::Ladder(text) => (text, None),
                Part::Value(text) => (text, Some("32")),
                Part::Mistake(text) => (text, Some("31")),
                Part::Hint(text) => (text, Some("2")),
            };
            let written = match code.filter(|_| self.colour) {
                Some(code) => writeln!(out, "\u{1b}[{code}m{}\u{1b}[0m", text.trim_end()),
                None => write!(out, "{text}"),
            };
            match written {
                // Whoever reads it has seen enough.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
                written => written.context("standard output cannot be written")?,
            }
        }
        out.flush().context("standard output cannot be written")
    }
}

/// Writes a new file.
fn save(path: &Path, text: &str) -> Result<(), String> {
    let cannot = |error: io::Error| {
        if error.kind() == ErrorKind::AlreadyExists {
            format!("{} is there already; nothing was written", path.display())
        } else {
            format!("{} cannot be written: {error}", path.display())
        }
    };
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(cannot)
}

/// What clap exits with, too.
const WRONG_ARGUMENT: u8 = 2;
/// The same each time, so that a session can be repeated.
const SEED: u64 = 1;
