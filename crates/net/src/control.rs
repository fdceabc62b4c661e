//! The socket by which commands on the same machine talk to a running exchange: a Unix socket that only
//! its owner and root may use. A line comes in, a line goes out, as often as the other side likes.
//!
//! What the lines mean is not known here. Whoever is connected can hold up nobody: lines have a length,
//! connections a number, and every wait an end.

use std::fs::{self, Permissions};
use std::future::Future;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

#[cfg(test)]
mod tests;

/// Listens for commands.
#[derive(Debug)]
pub struct ControlSocket {
    listener: UnixListener,
    file: SocketFile,
    /// Who may connect, besides root.
    owner: u32,
}

/// Why there is no control socket.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Another process answers there.
    #[error("another process listens on it")]
    InUse,
    /// A file of that name is there, and is no socket; it is left alone.
    #[error("there is a file of that name which is no socket")]
    NotASocket,
    /// The system limits names of sockets to about a hundred bytes.
    #[error("its path is longer than the system allows for a socket; choose a shorter data folder")]
    PathTooLong,
    /// The system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl ControlSocket {
    /// Listens on `path`. A socket that was left behind by a process that is gone is replaced.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub fn bind(path: &Path) -> Result<Self, ControlError> {
        make_way(path)?;
        let listener = UnixListener::bind(path).map_err(|error| {
            if error.kind() == ErrorKind::AddrInUse {
                ControlError::InUse
            } else if error.kind() == ErrorKind::InvalidInput {
                // What Rust says of a path that does not fit into a socket's address.
                ControlError::PathTooLong
            } else {
                ControlError::Io(error)
            }
        })?;
        let file = SocketFile { path: path.to_owned(), identity: identity(path)? };
        // Between these two lines others could connect; they are asked who they are all the same.
        fs::set_permissions(path, Permissions::from_mode(0o600))?;
        let owner = rustix::process::geteuid().as_raw();
        Ok(Self { listener, file, owner })
    }

    /// Answers lines with lines until it is dropped. `answer` gets a line without its end and gives
    /// one without any.
    pub async fn serve<A, F>(self, answer: A)
    where
        A: Fn(String) -> F + Clone + 'static,
        F: Future<Output = String> + 'static,
    {
        let mut connections = JoinSet::new();
        loop {
            // Whoever comes beyond the bound waits for one of those before.
            while connections.len() >= CONNECTIONS_MAX {
                connections.join_next().await;
            }
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) if self.may_connect(&stream) => {
                        connections.spawn_local(converse(stream, answer.clone()));
                    }
                    Ok(_) => tracing::warn!("somebody without the right to connected to the control socket"),
                    Err(error) => {
                        tracing::warn!(%error, "the control socket takes no connection at the moment");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
                Some(_) = connections.join_next() => {}
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.file.path
    }

    fn may_connect(&self, stream: &UnixStream) -> bool {
        stream.peer_cred().is_ok_and(|who| who.uid() == self.owner || who.uid() == 0)
    }
}

/// The file of a socket; removed with it, unless somebody else's has taken its place.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let still_ours = identity(&self.path).is_ok_and(|now| now == self.identity);
        if still_ours && let Err(error) = fs::remove_file(&self.path) {
            tracing::debug!(%error, "{} stays behind", self.path.display());
        }
    }
}

/// What tells a file from another one of the same name.
fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|metadata| (metadata.dev(), metadata.ino()))
}

/// Removes a socket that nobody listens on any more.
fn make_way(path: &Path) -> Result<(), ControlError> {
    let Ok(metadata) = fs::symlink_metadata(path) else { return Ok(()) };
    if !metadata.file_type().is_socket() {
        return Err(ControlError::NotASocket);
    }
    match BlockingStream::connect(path) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(ControlError::Io)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        // It answers, or its queue is full, or it is somebody else's: not ours to remove.
        Ok(_) => Err(ControlError::InUse),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Err(ControlError::InUse),
        Err(error) => Err(ControlError::Io(error)),
    }
}

/// Serves one connection. Whatever goes wrong on it is the other side's affair.
async fn converse<A, F>(mut stream: UnixStream, answer: A)
where
    A: Fn(String) -> F,
    F: Future<Output = String>,
{
    let mut unread = Vec::new();
    loop {
        let line = match timeout(LINE_TIME_MAX, read_line(&mut stream, &mut unread)).await {
            Ok(Ok(Some(line))) => line,
            Ok(Ok(None) | Err(_)) | Err(_) => return,
        };
        let mut reply = answer(line).await;
        reply.push('\n');
        match timeout(REPLY_TIME_MAX, stream.write_all(reply.as_bytes())).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return,
        }
    }
}

/// The next line; `None` at the end, or when it is longer than allowed.
async fn read_line(stream: &mut UnixStream, unread: &mut Vec<u8>) -> io::Result<Option<String>> {
    loop {
        if let Some(end) = unread.iter().position(|byte| *byte == b'\n') {
            let rest = unread.split_off(end + 1);
            let mut line = std::mem::replace(unread, rest);
            line.pop();
            return Ok(Some(String::from_utf8_lossy(&line).into_owned()));
        }
        if unread.len() > LINE_BYTES_MAX {
            return Ok(None);
        }
        let mut piece = [0; 1_024];
        match stream.read(&mut piece).await? {
            0 => return Ok(None),
            length => unread.extend(piece.iter().take(length)),
        }
    }
}

/// Asks an exchange that listens on `path`: sends `line`, and waits up to `patience` for the answer,
/// which comes without its end. Blocks; for commands, which have nothing else to do.
///
/// # Errors
/// When nobody listens (`NotFound`, `ConnectionRefused`), it may not be asked (`PermissionDenied`), it
/// does not answer in time (`TimedOut`), or it hangs up (`UnexpectedEof`).
pub fn ask(path: &Path, line: &str, patience: Duration) -> io::Result<String> {
    let until = Instant::now() + patience;
    let mut stream = BlockingStream::connect(path)?;
    stream.set_write_timeout(Some(patience))?;
    stream.write_all(line.as_bytes())?;
    stream.write_all(b"\n")?;
    let mut answer = Vec::new();
    let mut piece = vec![0; 64 * 1_024];
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        let length = match stream.read(&mut piece) {
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                return Err(ErrorKind::TimedOut.into());
            }
            Err(error) => return Err(error),
        };
        let read = piece.get(..length).unwrap_or_default();
        if let Some(end) = read.iter().position(|byte| *byte == b'\n') {
            answer.extend(read.iter().take(end));
            return Ok(String::from_utf8_lossy(&answer).into_owned());
        }
        answer.extend(read);
        if length == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        if answer.len() > ANSWER_BYTES_MAX {
            return Err(io::Error::new(ErrorKind::InvalidData, "the answer is too long"));
        }
    }
}

/// Connections at one time; beyond, they wait until one ends.
const CONNECTIONS_MAX: usize = 16;
/// A line of a command; a longer one ends its connection.
const LINE_BYTES_MAX: usize = 16 * 1_024;
/// Longest wait for a line, whole; then the connection ends.
const LINE_TIME_MAX: Duration = Duration::from_secs(10);
/// Longest wait until the other side has taken its answer; then the connection ends.
const REPLY_TIME_MAX: Duration = Duration::from_secs(10);
/// Longest answer that a command takes.
const ANSWER_BYTES_MAX: usize = 64 << 20;
/// Rest after a connection that could not be taken, say for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
