//! The threads that carry voice.

use std::thread::{Builder, JoinHandle};

use anyhow::Context;
use media::{Engine, Event};
use net::rtp::{self, RtpHandle};
use pbx::Input;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

/// Running voice threads. Each ends when its [`RtpHandle`] is dropped.
#[derive(Debug)]
pub(crate) struct MediaThreads(Vec<JoinHandle<()>>);

/// Starts `count` of them; their events go into `inbox`.
///
/// # Errors
/// When the system gives no threads or descriptors.
pub(crate) fn start(
    count: usize,
    seed: u64,
    inbox: &mpsc::Sender<Input>,
) -> anyhow::Result<(Vec<RtpHandle>, MediaThreads)> {
    let (mut handles, mut threads) = (Vec::new(), Vec::new());
    for (number, salt) in (0..count).zip(1_u64..) {
        let engine = Engine::new(seed.wrapping_add(salt));
        let (handle, rtp_loop) = rtp::channel(engine).context("no descriptors for voice")?;
        let inbox = inbox.clone();
        let thread = Builder::new()
            .name(format!("voice-{number}"))
            .spawn(move || {
                let ended = rtp_loop.run(|event| deliver(&inbox, event));
                if let Err(error) = ended {
                    tracing::error!(%error, "voice thread {number} is gone");
                }
            })
            .context("no thread for voice")?;
        handles.push(handle);
        threads.push(thread);
    }
    Ok((handles, MediaThreads(threads)))
}

/// Hands an event over, or gives it back while there is no room.
fn deliver(inbox: &mpsc::Sender<Input>, event: Event) -> Result<(), Event> {
    match inbox.try_send(Input::Media(event)) {
        Ok(()) | Err(TrySendError::Closed(_)) => Ok(()),
        Err(TrySendError::Full(Input::Media(event))) => Err(event),
        // Only what was just put in comes back.
        Err(TrySendError::Full(_)) => Ok(()),
    }
}

impl MediaThreads {
    /// Waits for their end; their handles must be gone.
    pub(crate) fn join(self) {
        for thread in self.0 {
            if thread.join().is_err() {
                tracing::error!("a voice thread ended in a panic");
            }
        }
    }
}
