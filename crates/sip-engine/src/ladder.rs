//! Ladders: tests that are one page of times, arrows and words.
//!
//! ```text
//!     0  -> INVITE       sent by what is tested
//!   120  <- 180          comes from the peer: an input
//!   120  up 180          handed up to the user
//!  9000  do cancel       done by the user: an input
//! 41000  end             nothing is left
//! ```
//!
//! Times are milliseconds. Inputs are played at their times, timers fire in between, and everything
//! that happened is compared with the whole ladder.

use std::time::{Duration, Instant};

/// What a ladder is played to.
pub(crate) trait Subject {
    /// Takes a line without its time: `<- 180` or `do cancel`.
    fn input(&mut self, now: Instant, line: &str);
    fn handle_timeout(&mut self, now: Instant);
    fn poll_timeout(&self) -> Option<Instant>;
    /// What happened since, as lines without time: `-> INVITE`, `up 180`.
    fn drain(&mut self) -> Vec<String>;
    /// Whether nothing is left of it.
    fn is_over(&self) -> bool;
}

/// Plays the inputs of `ladder` to a subject that was just made at `start`, runs it until it waits for
/// nothing, and compares everything that happened with the whole ladder.
#[track_caller]
pub(crate) fn check(start: Instant, subject: &mut impl Subject, ladder: &str) {
    let wanted: Vec<(u64, String)> = ladder.lines().filter_map(read_line).collect();
    let mut inputs = wanted
        .iter()
        .filter(|(_, line)| line.starts_with("<-") || line.starts_with("do "))
        .peekable();
    let mut happened = Vec::new();
    let mut now_ms = 0;
    let mut was_over = false;
    collect(subject, now_ms, &mut happened, &mut was_over);
    for _ in 0..1_000 {
        let timer_ms = subject.poll_timeout().map(|at| millis(at.saturating_duration_since(start)));
        match (inputs.peek(), timer_ms) {
            (Some((at_ms, _)), Some(timer_ms)) if timer_ms < *at_ms => {
                now_ms = timer_ms.max(now_ms);
                subject.handle_timeout(start + Duration::from_millis(now_ms));
            }
            (Some((at_ms, line)), _) => {
                now_ms = *at_ms;
                happened.push((now_ms, line.clone()));
                was_over = false;
                subject.input(start + Duration::from_millis(now_ms), line);
                inputs.next();
            }
            (None, Some(timer_ms)) => {
                now_ms = timer_ms.max(now_ms);
                subject.handle_timeout(start + Duration::from_millis(now_ms));
            }
            (None, None) => break,
        }
        collect(subject, now_ms, &mut happened, &mut was_over);
    }
    let show = |lines: &[(u64, String)]| {
        lines.iter().map(|(at, line)| format!("{at:>8}  {line}\n")).collect::<String>()
    };
    let (wanted, happened) = (show(&wanted), show(&happened));
    assert!(wanted == happened, "wanted:\n{wanted}\nhappened:\n{happened}");
}

fn collect(
    subject: &mut impl Subject,
    now_ms: u64,
    happened: &mut Vec<(u64, String)>,
    was_over: &mut bool,
) {
    happened.extend(subject.drain().into_iter().map(|line| (now_ms, line)));
    if subject.is_over() && !*was_over {
        happened.push((now_ms, "end".to_owned()));
    }
    *was_over = subject.is_over();
}

/// `  120  <- 180` as time and the rest, white space evened out.
fn read_line(line: &str) -> Option<(u64, String)> {
    let mut words = line.split_whitespace();
    let at_ms = words.next()?.parse().unwrap();
    Some((at_ms, words.collect::<Vec<_>>().join(" ")))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros().div_ceil(1_000)).unwrap()
}
