//! Typing a line on a terminal, with history and completion.

use std::cell::RefCell;
use std::io::ErrorKind;
use std::rc::Rc;

use repl::Session;
use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::MemHistory;
use rustyline::validate::Validator;
use rustyline::{CompletionType, Config, Context, Helper};

use super::history::{self, Kept};

/// What came of typing a line.
pub(super) enum Typed {
    Line(String),
    /// Ctrl-C: what was begun is forgotten.
    Interrupt,
    /// Ctrl-D.
    End,
}

/// A terminal on which lines are typed.
pub(super) struct Editor {
    editor: rustyline::Editor<Knowing, MemHistory>,
    kept: Kept,
}

/// Knows what a word that was begun could become.
struct Knowing(Rc<RefCell<Session>>);

impl Editor {
    /// # Errors
    /// When the terminal cannot be used.
    pub(super) fn new(session: Rc<RefCell<Session>>) -> anyhow::Result<Self> {
        let config = Config::builder()
            .completion_type(CompletionType::List)
            .max_history_size(history::LINES_MAX)?
            .build();
        let history = MemHistory::with_config(&config);
        let mut editor = rustyline::Editor::with_history(config, history)?;
        editor.set_helper(Some(Knowing(session)));
        let mut kept = Kept::find();
        for line in kept.lines() {
            // A line that cannot be remembered can still be typed.
            drop(editor.add_history_entry(line));
        }
        Ok(Self { editor, kept })
    }

    /// Waits for a line.
    ///
    /// # Errors
    /// When the terminal cannot be read.
    pub(super) fn read(&mut self, prompt: &str) -> anyhow::Result<Typed> {
        match self.editor.readline(prompt) {
            Ok(line) => {
                // A line that cannot be remembered can still be run.
                if self.editor.add_history_entry(&line).unwrap_or(false) {
                    self.kept.add(&line);
                }
                Ok(Typed::Line(line))
            }
            Err(ReadlineError::Interrupted) => Ok(Typed::Interrupt),
            Err(ReadlineError::Eof) => Ok(Typed::End),
            Err(ReadlineError::Io(error)) if error.kind() == ErrorKind::InvalidData => {
                eprintln!("this terminal sends something else than UTF-8");
                Ok(Typed::Interrupt)
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl Helper for Knowing {}
impl Highlighter for Knowing {}
impl Validator for Knowing {}

impl Hinter for Knowing {
    type Hint = String;
}

impl Completer for Knowing {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        at: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let (start, words) = self.0.borrow().complete(line, at);
        let pairs = words.into_iter().map(|word| Pair { display: word.clone(), replacement: word });
        Ok((start, pairs.collect()))
    }
}
