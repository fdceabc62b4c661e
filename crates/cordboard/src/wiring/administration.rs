//! What serves the administrator beside the loop: reloads, commands, and the watch over saved files.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use net::control::{ControlError, ControlSocket};
use pbx::Listener;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle as Task;

use crate::config::Settings;
use crate::control::{Control, Fixed};
use crate::data_folder::CONTROL_SOCKET;
use crate::questions::Questions;
use crate::reload::{self, Aim, Cause, Current, Reloader, Wish};
use crate::watch::{Waited, Watch, WatchHandle};
use crate::web::Token;

/// What the exchange was started with.
pub(super) struct Office {
    /// The configuration file,
    pub(super) config_path: PathBuf,
    /// and the data folder, if it was given on the command line.
    pub(super) data: Option<PathBuf>,
    /// What the file said.
    pub(super) settings: Settings,
    /// The sockets it listens on.
    pub(super) listeners: Vec<Listener>,
    /// What is in use.
    pub(super) current: Current,
    /// Where another token for other programs is taken into use, if any are heard.
    pub(super) token: Option<watch::Sender<Token>>,
}

/// What runs beside the loop, so that the loop need not look after it whenever a packet arrives.
pub(super) struct Administration {
    reloading: Task<()>,
    answering: Option<Task<()>>,
    watching: Option<Watching>,
}

impl Administration {
    /// Starts all of it, and gives back where wishes for a reload go.
    pub(super) fn start(
        office: Office,
        socket: Result<ControlSocket, ControlError>,
        questions: Questions,
    ) -> (Self, mpsc::Sender<Wish>) {
        let Office { config_path, data, settings, listeners, current, token } = office;
        let (wishes, to_meet) = mpsc::channel(reload::WISHES_MAX);
        let (last_failure, seen_failure) = watch::channel(None);
        let watching =
            settings.watch.then(|| Watching::start(&settings, &config_path, &wishes)).flatten();
        let listening = listeners.iter().map(|l| format!("{} {}", l.transport, l.address));
        let http = settings.http.listen.iter().map(|heard| format!("http {}", heard.address));
        let control = Control {
            fixed: Arc::new(Fixed {
                started_at: jiff::Timestamp::now(),
                config: absolute(&config_path),
                data: absolute(&settings.data),
                listening: listening.chain(http).collect(),
            }),
            questions: questions.clone(),
            wishes: wishes.clone(),
            last_failure: seen_failure,
        };
        let reloader = Reloader {
            config_path,
            data,
            started_with: settings,
            listeners,
            current,
            questions,
            last_failure,
            token,
            watched: watching.as_ref().map(|watching| watching.handle.clone()),
        };
        let reloading = tokio::task::spawn_local(reloader.run(to_meet));
        let answering = control_task(socket, control);
        (Self { reloading, answering, watching }, wishes)
    }

    /// Ends all of it.
    pub(super) fn stop(self) {
        self.reloading.abort();
        if let Some(answering) = self.answering {
            answering.abort();
        }
        if let Some(watching) = self.watching {
            watching.stop();
        }
    }
}

/// Answers commands, if there is a socket for them.
fn control_task(socket: Result<ControlSocket, ControlError>, desk: Control) -> Option<Task<()>> {
    match socket {
        Ok(socket) => {
            let answer = move |line| desk.clone().answer(line);
            Some(tokio::task::spawn_local(socket.serve(answer)))
        }
        Err(error) => {
            tracing::warn!(
                "commands such as `cordboard reload` cannot reach this exchange, since \
                 {CONTROL_SOCKET} in the data folder cannot be used: {error}; SIGHUP still reloads"
            );
            None
        }
    }
}

/// The thread that has saved files taken into use.
struct Watching {
    handle: WatchHandle,
    thread: JoinHandle<()>,
}

impl Watching {
    /// `None` where that is not possible, which is told.
    fn start(settings: &Settings, config_path: &Path, wishes: &mpsc::Sender<Wish>) -> Option<Self> {
        let watch = match Watch::new(&reload::watched(settings, config_path)) {
            Ok(watch) => watch,
            Err(error) => {
                tracing::error!("saved files are not taken into use by themselves: {error:#}");
                return None;
            }
        };
        let (handle, wishes) = (watch.handle(), wishes.clone());
        let thread = std::thread::Builder::new()
            .name("watch".into())
            .spawn(move || wish_at_each_change(watch, &wishes));
        match thread {
            Ok(thread) => Some(Self { handle, thread }),
            Err(error) => {
                tracing::error!("no thread for watching files: {error}");
                None
            }
        }
    }

    fn stop(self) {
        self.handle.stop();
        if self.thread.join().is_err() {
            tracing::error!("watching files ended in a panic");
        }
    }
}

fn wish_at_each_change(mut watch: Watch, wishes: &mpsc::Sender<Wish>) {
    loop {
        match watch.wait() {
            Ok(Waited::Changed) => {
                let wish = Wish { cause: Cause::FileChange, aim: Aim::Use, reply: None };
                // While there is no room, a reload that begins later than this is sure to come.
                if let Err(TrySendError::Closed(_)) = wishes.try_send(wish) {
                    return;
                }
            }
            Ok(Waited::Stopped) => return,
            Err(error) => {
                tracing::error!("from now on saved files are not taken into use: {error:#}");
                return;
            }
        }
    }
}

fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}
