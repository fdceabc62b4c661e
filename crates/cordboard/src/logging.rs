//! What happens, one line each, on standard error.
//!
//! A thread of its own writes the lines: a terminal that is stopped, a pipe that nobody reads or a slow
//! disk holds up that thread and no call. Lines beyond a bound are lost, and counted.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use anyhow::Context;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

use crate::terminal;

/// Starts logging. `filter` as `RUST_LOG`, which holds if there is none.
///
/// # Errors
/// When the filter is not one.
pub(crate) fn start(filter: Option<&str>, standard: &str) -> anyhow::Result<Log> {
    let from_environment = std::env::var("RUST_LOG").ok().filter(|filter| !filter.is_empty());
    let filter = filter.map(str::to_owned).or(from_environment).unwrap_or_else(|| standard.into());
    let filter = EnvFilter::try_new(&filter).map_err(|error| {
        anyhow::anyhow!("`{filter}` is no log filter ({error}); try `info` or `pbx=debug,warn`")
    })?;
    let lines = Lines::to(io::stderr()).context("no thread for the log")?;
    let log = Log(lines.clone());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(move || lines.clone())
        .with_ansi(terminal::has_colours(&io::stderr()))
        .with_target(false)
        .with_timer(LocalTime)
        .init();
    Ok(log)
}

/// The log; dropped last, so that its last lines are seen.
#[derive(Debug)]
pub(crate) struct Log(Lines);

impl Drop for Log {
    fn drop(&mut self) {
        let (written, all) = sync_channel(1);
        // Who does not read the log until now will not be waited for.
        if self.0.queue.try_send(Piece::Mark(written)).is_ok() {
            all.recv_timeout(LAST_LINES_TIME_MAX).unwrap_or_default();
        }
    }
}

/// The way of a line to where the log is read. Never waits.
#[derive(Debug, Clone)]
struct Lines {
    queue: SyncSender<Piece>,
    lost: Arc<AtomicU64>,
}

#[derive(Debug)]
enum Piece {
    Line(Vec<u8>),
    /// Everything before it was written.
    Mark(SyncSender<()>),
}

impl Lines {
    fn to(reader: impl Write + Send + 'static) -> io::Result<Self> {
        let (queue, pieces) = sync_channel(LINES_MAX);
        let lost = Arc::new(AtomicU64::new(0));
        let to_tell = Arc::clone(&lost);
        std::thread::Builder::new()
            .name("log".into())
            .spawn(move || write_all(&pieces, &to_tell, reader))?;
        Ok(Self { queue, lost })
    }
}

impl Write for Lines {
    /// A whole line.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.queue.try_send(Piece::Line(line.to_vec())).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write_all(pieces: &Receiver<Piece>, lost: &AtomicU64, mut reader: impl Write) {
    while let Ok(piece) = pieces.recv() {
        let done = match piece {
            Piece::Line(line) => reader.write_all(&line),
            Piece::Mark(written) => {
                // Whoever asked may have gone.
                written.try_send(()).unwrap_or_default();
                Ok(())
            }
        };
        // There is nobody to tell that nobody reads the log; the next line may get through again.
        if done.is_err() {
            lost.fetch_add(1, Ordering::Relaxed);
        }
        let missing = lost.swap(0, Ordering::Relaxed);
        if missing > 0 && writeln!(reader, "{missing} lines of this log were lost").is_err() {
            lost.fetch_add(missing, Ordering::Relaxed);
        }
    }
}

/// Time of day here, to the millisecond.
struct LocalTime;

impl FormatTime for LocalTime {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        write!(writer, "{}", jiff::Zoned::now().strftime("%F %T%.3f"))
    }
}

/// Lines that may wait to be written.
const LINES_MAX: usize = 4_096;
/// How long the last lines may take.
const LAST_LINES_TIME_MAX: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use super::*;

    /// Takes nothing until it is told to, then passes everything on.
    struct Slow(Receiver<()>, Sender<Vec<u8>>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // An error: it may go on for good.
            self.0.recv().unwrap_or_default();
            self.1.send(bytes.to_vec()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_log_that_nobody_reads_holds_nothing_up_and_tells_what_was_lost() {
        let (go, wait) = channel();
        let (passed_on, read) = channel();
        let mut lines = Lines::to(Slow(wait, passed_on)).unwrap();
        for number in 0..LINES_MAX + 100 {
            lines.write_all(format!("{number}\n").as_bytes()).unwrap();
        }
        drop(go);
        drop(Log(lines.clone()));
        drop(lines);
        let text: Vec<u8> = read.iter().flatten().collect();
        let text = String::from_utf8(text).unwrap();
        assert!(text.starts_with("0\n"), "{text}");
        let lost = text.lines().filter_map(|line| line.split_once(" lines of"));
        let lost: usize = lost.map(|(count, _)| count.parse::<usize>().unwrap()).sum();
        let told = text.lines().filter(|line| !line.contains("lost")).count();
        assert!((99..=100).contains(&lost), "{lost}");
        assert_eq!(lost + told, LINES_MAX + 100);
    }
}
