//! Standard output, whose reader may leave early: `cordboard check | head`.
//!
//! Whoever has seen enough is no fault. The rest is not shown, and the exit code is what it would have
//! been. The macros below take the place of std's in this crate, which would panic.

use std::fmt;
use std::io::{self, ErrorKind, IsTerminal, Write};

/// Standard output, for whatever wants to be given a writer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Out;

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        unless_left(io::stdout().write(bytes), bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        unless_left(io::stdout().flush(), ())
    }
}

/// Where a command says what it has to say, so that its tests can read it.
pub(crate) struct Terminal<'a> {
    /// What was asked for,
    pub(crate) out: &'a mut dyn Write,
    /// and what went wrong.
    pub(crate) err: &'a mut dyn Write,
    /// Whether what was asked for may have colours.
    pub(crate) has_colours: bool,
}

impl fmt::Debug for Terminal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terminal").field("has_colours", &self.has_colours).finish_non_exhaustive()
    }
}

impl Terminal<'_> {
    /// Says it there, or says that this cannot be done and ends the program.
    pub(crate) fn say(&mut self, text: fmt::Arguments<'_>) {
        if let Err(error) = self.out.write_fmt(text) {
            self.complain(format_args!("standard output cannot be written: {error}\n"));
            std::process::exit(1);
        }
    }

    /// Says what went wrong.
    #[expect(clippy::let_underscore_must_use, reason = "there is nowhere left to say it")]
    pub(crate) fn complain(&mut self, text: fmt::Arguments<'_>) {
        let _ = self.err.write_fmt(text);
    }
}

/// Has a command speak on standard output and standard error.
pub(crate) fn on_terminal<T>(command: impl FnOnce(&mut Terminal<'_>) -> T) -> T {
    let has_colours = has_colours(&io::stdout());
    command(&mut Terminal { out: &mut Out, err: &mut io::stderr(), has_colours })
}

/// What a command said, for its tests: on standard output, and on standard error.
#[cfg(test)]
pub(crate) fn overheard<T>(command: impl FnOnce(&mut Terminal<'_>) -> T) -> (T, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut terminal = Terminal { out: &mut out, err: &mut err, has_colours: false };
    let came_of_it = command(&mut terminal);
    let [out, err] = [out, err].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    (came_of_it, out, err)
}

/// What came of writing; `all` when nobody reads any more.
fn unless_left<T>(written: io::Result<T>, all: T) -> io::Result<T> {
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(all),
        written => written,
    }
}

/// Whether what is written there may have colours: it is a terminal that has them, and nobody said
/// that they want none (<https://no-color.org>).
pub(crate) fn has_colours(to: &impl IsTerminal) -> bool {
    let is_set = |name, value: &str| std::env::var_os(name).is_some_and(|set| set == value);
    let unwanted = std::env::var_os("NO_COLOR").is_some_and(|no| !no.is_empty());
    to.is_terminal() && !unwanted && !is_set("TERM", "dumb")
}

/// Writes to standard output, or says that this cannot be done and ends the program.
pub(crate) fn print(text: fmt::Arguments<'_>) {
    if let Err(error) = Out.write_fmt(text) {
        eprint(format_args!("standard output cannot be written: {error}\n"));
        std::process::exit(1);
    }
}

/// Writes to standard error.
#[expect(clippy::let_underscore_must_use, reason = "there is nowhere left to say it")]
pub(crate) fn eprint(text: fmt::Arguments<'_>) {
    let _ = io::stderr().write_fmt(text);
}

/// A part of a line on standard output.
macro_rules! print {
    ($($text:tt)*) => { $crate::terminal::print(format_args!($($text)*)) };
}

/// A line on standard output.
macro_rules! println {
    () => { $crate::terminal::print(format_args!("\n")) };
    ($($text:tt)*) => {{
        $crate::terminal::print(format_args!($($text)*));
        $crate::terminal::print(format_args!("\n"));
    }};
}

/// A line on standard error.
macro_rules! eprintln {
    ($($text:tt)*) => {{
        $crate::terminal::eprint(format_args!($($text)*));
        $crate::terminal::eprint(format_args!("\n"));
    }};
}

/// A line on what stands for standard output.
macro_rules! say {
    ($terminal:expr, $($text:tt)*) => {{
        $terminal.say(format_args!($($text)*));
        $terminal.say(format_args!("\n"));
    }};
}

/// A line on what stands for standard error.
macro_rules! complain {
    ($terminal:expr, $($text:tt)*) => {{
        $terminal.complain(format_args!($($text)*));
        $terminal.complain(format_args!("\n"));
    }};
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_who_left_is_no_fault_and_a_full_disk_is_one() {
        let failed = |kind: ErrorKind| Err(io::Error::from(kind));
        assert_eq!(unless_left(failed(ErrorKind::BrokenPipe), 5).unwrap(), 5);
        let full = unless_left(failed(ErrorKind::StorageFull), 5).unwrap_err();
        assert_eq!(full.kind(), ErrorKind::StorageFull);
        assert_eq!(unless_left(Ok(3), 5).unwrap(), 3);
    }
}
