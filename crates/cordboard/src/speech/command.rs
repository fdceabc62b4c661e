//! A synthesiser that is a program: the text on its standard input, a sound file on its standard
//! output.
//!
//! It runs without a shell, in a process group of its own that is killed whole when it is not wanted
//! any more, and a little behind everything else, so that voices do not suffer from it.

use std::process::Stdio;

use pbx::{Speech, SpeechError};
use rustix::process::{Pid, Signal, kill_process_group, setpriority_process};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

use super::fill::fill;

/// Runs the program to its end. Dropped before that, it is killed with all that it started, unless
/// that has left its process group.
///
/// # Errors
/// What became of it, in words that hold nothing of the text.
pub(super) async fn run(command: &[String], speech: &Speech) -> Result<Vec<u8>, SpeechError> {
    let (program, arguments) = command.split_first().ok_or_else(|| broken("no program"))?;
    let name = program.rsplit('/').next().unwrap_or(program);
    let value = |placeholder: &str| match placeholder {
        "lang" => speech.language.clone(),
        _ => speech.voice.clone().unwrap_or_default(),
    };
    let child = Command::new(program)
        .args(arguments.iter().map(|argument| fill(argument, value)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| broken(format!("`{name}` cannot be started: {error}")))?;
    let mut group = Group::of(child);
    let (stdin, stdout, stderr) =
        (group.child.stdin.take(), group.child.stdout.take(), group.child.stderr.take());
    let (Some(mut stdin), Some(stdout), Some(stderr)) = (stdin, stdout, stderr) else {
        return Err(broken(format!("`{name}` cannot be reached")));
    };
    let give = async {
        // One that has heard enough is not wrong: what it gives tells.
        if let Err(error) = stdin.write_all(speech.text.as_bytes()).await {
            tracing::debug!(%error, "the synthesiser did not read its text to the end");
        }
        drop(stdin);
        Ok(())
    };
    let take = async {
        let output = read_up_to(stdout, OUTPUT_BYTES_MAX + 1).await;
        if output.len() > OUTPUT_BYTES_MAX {
            let most = OUTPUT_BYTES_MAX >> 20;
            return Err(broken(format!("`{name}` gave more than {most} MiB")));
        }
        Ok(output)
    };
    let complain = async { Ok(complaint(stderr).await) };
    let ((), output, complaint) = tokio::try_join!(give, take, complain)?;
    let status = group.child.wait().await;
    group.is_over = true;
    let status = status.map_err(|error| broken(format!("`{name}` was lost: {error}")))?;
    if !status.success() {
        let complaint = complaint.replace(&speech.text, "…");
        let comma = if complaint.is_empty() { "" } else { ": " };
        return Err(broken(format!("`{name}` ended with {status}{comma}{complaint}")));
    }
    if output.is_empty() {
        return Err(broken(format!("`{name}` gave nothing on standard output")));
    }
    Ok(output)
}

/// A program and what it started.
struct Group {
    child: Child,
    id: Option<Pid>,
    /// It ended by itself, and its number may be another's by now.
    is_over: bool,
}

impl Group {
    fn of(child: Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Err(error) = setpriority_process(id, BEHIND) {
            tracing::debug!(%error, "the synthesiser is as urgent as everything else");
        }
        Self { child, id, is_over: false }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let (Some(id), false) = (self.id, self.is_over)
            && let Err(error) = kill_process_group(id, Signal::KILL)
        {
            tracing::debug!(%error, "the synthesiser was gone already");
        }
    }
}

/// As much as there is, up to a bound; what cannot be read is the end.
async fn read_up_to(mut from: impl AsyncRead + Unpin, bytes_max: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let most = u64::try_from(bytes_max).unwrap_or(u64::MAX);
    if let Err(error) = (&mut from).take(most).read_to_end(&mut bytes).await {
        tracing::debug!(%error, "the synthesiser's output broke off");
    }
    bytes
}

/// The last line that a program complained with, short enough for a log.
async fn complaint(mut stderr: impl AsyncRead + Unpin) -> String {
    let mut kept = Vec::new();
    let mut piece = [0; 1_024];
    // All of it is read, so that nobody has to wait for room; the end is kept.
    while let Ok(read @ 1..) = stderr.read(&mut piece).await {
        kept.extend_from_slice(piece.get(..read).unwrap_or_default());
        if kept.len() > COMPLAINT_BYTES_MAX {
            kept.drain(..kept.len() - COMPLAINT_BYTES_MAX);
        }
    }
    let text = String::from_utf8_lossy(&kept);
    let last = text.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    last.chars().filter(|c| !c.is_control()).take(COMPLAINT_CHARS_MAX).collect()
}

fn broken(what: impl Into<String>) -> SpeechError {
    SpeechError::Broken(what.into())
}

/// Bytes of a sound file: a quarter of an hour at the usual rates.
pub(super) const OUTPUT_BYTES_MAX: usize = 32 << 20;
/// Bytes of complaints that are looked at,
const COMPLAINT_BYTES_MAX: usize = 4_096;
/// and characters that are told.
const COMPLAINT_CHARS_MAX: usize = 200;
/// How far behind other processes it works: about a tenth of the time, when there is too little.
const BEHIND: i32 = 10;
