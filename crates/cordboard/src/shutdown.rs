//! What the terminal and the system ask of a running exchange.

use std::time::Duration;

use anyhow::Context;
use pbx::{Command, Input};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::reload::{self, Aim, Cause};

/// Signals being listened to.
#[derive(Debug)]
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    Stop,
    Reload,
}

impl Signals {
    /// Listens from now on.
    ///
    /// # Errors
    /// When the system does not allow it.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let listen = |kind| signal(kind).context("signals cannot be listened to");
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hang_up: listen(SignalKind::hangup())?,
        })
    }

    /// Passes wishes on. Ends when it is time to leave at once: some seconds after the first wish to
    /// stop, or at the second.
    pub(crate) async fn obey(
        mut self,
        inbox: mpsc::Sender<Input>,
        reloads: mpsc::Sender<reload::Wish>,
    ) {
        while self.wish().await == Wish::Reload {
            let wish = reload::Wish { cause: Cause::Signal, aim: Aim::Use, reply: None };
            // While there is no room, a reload that begins later than this is sure to come.
            if let Err(TrySendError::Closed(_)) = reloads.try_send(wish) {
                tracing::debug!("nobody is left to reload");
            }
        }
        tracing::info!("ending all calls; once more ends at once");
        send(&inbox, Command::Stop).await;
        tokio::select! {
            () = tokio::time::sleep(STOP_TIME_MAX) => {
                tracing::warn!("some calls did not end in time");
            }
            () = self.stop_wish() => {}
        }
    }

    async fn wish(&mut self) -> Wish {
        tokio::select! {
            _ = self.interrupt.recv() => Wish::Stop,
            _ = self.terminate.recv() => Wish::Stop,
            _ = self.hang_up.recv() => Wish::Reload,
        }
    }

    async fn stop_wish(&mut self) {
        while self.wish().await != Wish::Stop {}
    }
}

/// Has `then` run at the first Ctrl-C, on a thread of its own, instead of ending the program.
///
/// # Errors
/// When the system does not allow it.
pub(crate) fn at_interrupt(then: impl FnOnce() + Send + 'static) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
    let runtime = runtime.context("no runtime")?;
    // Listens before we return: a Ctrl-C in between would end the program.
    let mut interrupt = {
        let _inside = runtime.enter();
        signal(SignalKind::interrupt()).context("signals cannot be listened to")?
    };
    std::thread::Builder::new()
        .name("interrupt".into())
        .spawn(move || {
            if runtime.block_on(interrupt.recv()).is_some() {
                then();
            }
        })
        .context("no thread for Ctrl-C")?;
    Ok(())
}

async fn send(inbox: &mpsc::Sender<Input>, command: Command) {
    if inbox.send(Input::Command(command)).await.is_err() {
        tracing::debug!("nobody is left to obey");
    }
}

/// How long calls have for a polite end.
const STOP_TIME_MAX: Duration = Duration::from_secs(3);
