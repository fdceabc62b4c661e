use std::os::unix::net::UnixListener as BlockingListener;

use tokio::task::LocalSet;

use super::*;

/// Runs `play` beside a socket that answers each line with itself in capitals.
async fn beside_an_exchange<P: Future<Output = ()>>(path: &Path, play: P) {
    let socket = ControlSocket::bind(path).unwrap();
    let local = LocalSet::new();
    local.spawn_local(socket.serve(|line: String| async move { line.to_uppercase() }));
    local.run_until(play).await;
}

/// What comes back for these bytes until the other side hangs up, or has said nothing for long.
async fn said(path: &Path, bytes: &[u8]) -> String {
    let mut stream = UnixStream::connect(path).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut text = Vec::new();
    let mut piece = [0; 256];
    let long = LINE_TIME_MAX + Duration::from_secs(1);
    while let Ok(Ok(length @ 1..)) = timeout(long, stream.read(&mut piece)).await {
        text.extend(&piece[..length]);
    }
    String::from_utf8(text).unwrap()
}

#[tokio::test(start_paused = true)]
async fn lines_are_answered_with_lines_in_their_order() {
    let folder = Folder::new("order");
    let path = folder.0.join("control.sock");
    beside_an_exchange(&path, async {
        assert_eq!(said(&path, b"one\ntwo\n\n").await, "ONE\nTWO\n\n");
        assert_eq!(said(&path, b"\xff\n").await, "\u{fffd}\n");
        assert_eq!(said(&path, b"not finished").await, "");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_line_without_end_ends_its_connection_and_no_other() {
    let folder = Folder::new("endless");
    let path = folder.0.join("control.sock");
    beside_an_exchange(&path, async {
        let mut endless = UnixStream::connect(&path).await.unwrap();
        let mut refused = false;
        for _ in 0..100 {
            refused |= endless.write_all(&[b'x'; 1_024]).await.is_err();
            tokio::task::yield_now().await;
        }
        let mut rest = Vec::new();
        refused |= endless.read_to_end(&mut rest).await.is_err() || rest.is_empty();
        assert!(refused);
        assert_eq!(said(&path, b"still here\n").await, "STILL HERE\n");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn clients_that_say_nothing_hold_others_up_no_longer_than_a_line_may_take() {
    let folder = Folder::new("silent");
    let path = folder.0.join("control.sock");
    beside_an_exchange(&path, async {
        let mut silent = Vec::new();
        for _ in 0..CONNECTIONS_MAX + 4 {
            silent.push(UnixStream::connect(&path).await.unwrap());
        }
        let started = tokio::time::Instant::now();
        assert_eq!(said(&path, b"me too\n").await, "ME TOO\n");
        assert!(started.elapsed() < 4 * LINE_TIME_MAX, "{:?}", started.elapsed());
    })
    .await;
}

#[tokio::test]
async fn only_its_owner_may_use_the_socket_and_it_goes_with_its_process() {
    let folder = Folder::new("mode");
    let path = folder.0.join("control.sock");
    let socket = ControlSocket::bind(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(socket.path(), path);
    drop(socket);
    assert!(!path.exists());
}

#[tokio::test]
async fn a_socket_left_behind_is_replaced_and_one_in_use_is_not() {
    let folder = Folder::new("stale");
    let path = folder.0.join("control.sock");
    drop(BlockingListener::bind(&path).unwrap());
    assert!(path.exists(), "a process that was killed leaves its socket behind");
    let socket = ControlSocket::bind(&path).unwrap();
    assert!(matches!(ControlSocket::bind(&path), Err(ControlError::InUse)));
    drop(socket);
}

#[tokio::test]
async fn what_is_no_socket_is_left_alone() {
    let folder = Folder::new("file");
    let path = folder.0.join("control.sock");
    fs::write(&path, "precious").unwrap();
    assert!(matches!(ControlSocket::bind(&path), Err(ControlError::NotASocket)));
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    assert!(matches!(
        ControlSocket::bind(&folder.0.join("x".repeat(200))),
        Err(ControlError::PathTooLong)
    ));
    let missing = folder.0.join("missing/control.sock");
    assert!(matches!(ControlSocket::bind(&missing), Err(ControlError::Io(_))));
}

#[tokio::test]
async fn a_socket_that_took_the_place_of_ours_is_not_removed_with_it() {
    let folder = Folder::new("other");
    let path = folder.0.join("control.sock");
    let first = ControlSocket::bind(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let second = ControlSocket::bind(&path).unwrap();
    drop(first);
    assert!(path.exists());
    drop(second);
    assert!(!path.exists());
}

#[test]
fn whoever_asks_is_answered_or_told_why_not() {
    let folder = Folder::new("ask");
    let path = folder.0.join("control.sock");
    let patience = Duration::from_millis(200);
    let fault = |path: &Path| ask(path, "x", patience).unwrap_err().kind();
    assert_eq!(fault(&path), ErrorKind::NotFound);
    drop(BlockingListener::bind(&path).unwrap());
    assert_eq!(fault(&path), ErrorKind::ConnectionRefused);
    fs::remove_file(&path).unwrap();
    let listener = BlockingListener::bind(&path).unwrap();
    assert_eq!(fault(&path), ErrorKind::TimedOut, "nobody answers");
    let server = std::thread::spawn(move || {
        let serve = |answer: &[u8]| {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = [0; 2];
            stream.read_exact(&mut asked).unwrap();
            stream.write_all(answer).unwrap();
        };
        // The one that gave up waits in the queue still.
        drop(listener.accept().unwrap());
        serve(b"half an ans");
        serve(b"an answer\nand more");
    });
    assert_eq!(fault(&path), ErrorKind::UnexpectedEof);
    assert_eq!(ask(&path, "x", patience * 50).unwrap(), "an answer");
    server.join().unwrap();
}

/// A folder of its own for each test, removed with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("cordboard-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}
