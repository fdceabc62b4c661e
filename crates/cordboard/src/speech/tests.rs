//! The thread for speech against small programs that behave, and many that do not.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use pbx::{Speech, Synthesiser};

use super::*;

/// A speaker with a folder of its own.
struct Office {
    folder: tempfile::TempDir,
    speaker: Speaker,
    answers: mpsc::Receiver<Input>,
    asked: u64,
}

impl Office {
    fn open() -> Self {
        Self::open_in(tempfile::tempdir().unwrap())
    }

    /// Half a second of sound lies ready in `sound.wav`.
    fn open_in(folder: tempfile::TempDir) -> Self {
        fs::write(folder.path().join("sound.wav"), media::wav(&[1_000; 4_000])).unwrap();
        let (inbox, answers) = mpsc::channel(1_000);
        let kept = folder.path().join("speech");
        let speaker = Speaker::start(&Trusted::default(), kept, inbox).unwrap();
        Self { folder, speaker, answers, asked: 0 }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// A shell that runs this; `$0` is the folder.
    fn shell(&self, script: &str) -> Synthesiser {
        let command = ["sh", "-c", script, &self.path("")].map(str::to_owned);
        Synthesiser {
            timeout: Duration::from_secs(60),
            ..Synthesiser::new(SpeechBy::Command(command.into()))
        }
    }

    fn ask(&mut self, text: &str, synthesiser: &Synthesiser) -> Ticket {
        self.asked += 1;
        let ticket = Ticket(self.asked);
        let voice = Some("anna".to_owned());
        let speech = Speech { text: text.to_owned(), language: "de".to_owned(), voice };
        let request = SpeechRequest { speech, synthesiser: Arc::new(synthesiser.clone()) };
        self.speaker.speak(ticket, Box::new(request)).unwrap();
        ticket
    }

    fn answer(&mut self) -> (Ticket, Result<Arc<Sound>, SpeechError>) {
        match self.answers.blocking_recv().unwrap() {
            Input::Spoken { ticket, answer } => (ticket, answer),
            other => panic!("{other:?}"),
        }
    }

    fn speak(&mut self, text: &str, synthesiser: &Synthesiser) -> Result<Arc<Sound>, SpeechError> {
        let asked = self.ask(text, synthesiser);
        let (ticket, answer) = self.answer();
        assert_eq!(ticket, asked);
        answer
    }

    fn broken(&mut self, synthesiser: &Synthesiser) -> String {
        match self.speak("Hello there", synthesiser) {
            Err(SpeechError::Broken(what)) => what,
            other => panic!("{other:?}"),
        }
    }

    fn close(self) -> tempfile::TempDir {
        self.speaker.close();
        self.folder
    }

    fn lines(&self, name: &str) -> Vec<String> {
        let text = fs::read_to_string(self.path(name)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// A pipe in the folder, `$0/alive`: whoever holds it open is alive.
    fn pipe(&self) {
        assert!(Command::new("mkfifo").arg(self.path("alive")).status().unwrap().success());
    }

    /// Waits until somebody holds the pipe open.
    fn until_alive(&self) -> File {
        File::open(self.path("alive")).unwrap()
    }
}

/// Waits until nobody holds the pipe open any more.
fn until_dead(mut pipe: File) {
    pipe.read_to_end(&mut Vec::new()).unwrap();
}

/// Hangs with a child that does, too; both hold the pipe.
const HANGS: &str = "exec 3> $0/alive; sleep 1000 & sleep 1000";

#[test]
fn a_program_hears_the_text_and_its_sound_is_heard() {
    let mut office = Office::open();
    let command = [
        "sh",
        "-c",
        "cat > $0/heard; echo \"$@\" > $0/told; cat $0/sound.wav",
        &office.path(""),
        "{lang}",
        "--voice={voice}",
    ];
    let by = SpeechBy::Command(command.map(str::to_owned).into());
    let sound = office.speak("Grüß Gott; rm -rf $HOME", &Synthesiser::new(by)).unwrap();
    assert_eq!(sound.pcm().len(), 4_000);
    assert_eq!(office.lines("heard"), ["Grüß Gott; rm -rf $HOME"]);
    assert_eq!(office.lines("told"), ["de --voice=anna"]);
    office.close();
}

#[test]
fn the_same_text_is_made_once_and_kept_over_a_new_start() {
    let mut office = Office::open();
    let counts = office.shell("echo made >> $0/log; cat $0/sound.wav");
    for _ in 0..5 {
        office.ask("Hello", &counts);
    }
    for _ in 0..5 {
        assert_eq!(office.answer().1.unwrap().pcm().len(), 4_000);
    }
    assert_eq!(office.lines("log").len(), 1);
    office.speak("Hello", &counts).unwrap();
    office.speak("Hello again", &counts).unwrap();
    assert_eq!(office.lines("log").len(), 2);
    let mut office = Office::open_in(office.close());
    office.speak("Hello", &counts).unwrap();
    office.speak("Hello again", &counts).unwrap();
    assert_eq!(office.lines("log").len(), 2);
    let forgets = Synthesiser { cache_bytes: 0, ..counts };
    office.speak("Hello once more", &forgets).unwrap();
    office.speak("Hello once more", &forgets).unwrap();
    assert_eq!(office.lines("log").len(), 4, "nothing is kept if nothing may be");
    office.close();
}

#[test]
fn whatever_a_program_does_wrong_is_told_in_words() {
    let mut office = Office::open();
    for (script, words) in [
        ("echo no voice anna >&2; exit 3", "`sh` ended with exit status: 3: no voice anna"),
        ("echo bad text: $(cat) >&2; exit 1", "`sh` ended with exit status: 1: bad text: …"),
        ("kill -9 $$", "`sh` ended with signal: 9 (SIGKILL)"),
        ("cat > /dev/null", "`sh` gave nothing on standard output"),
        (
            "echo Hello",
            "what it gave is no sound: the content cannot be read as what the ending says: it \
             begins like no sound file",
        ),
        ("yes", "`sh` gave more than 32 MiB"),
        ("yes >&2 & yes", "`sh` gave more than 32 MiB"),
        ("cat $0/sound.wav; exit 1", "`sh` ended with exit status: 1"),
    ] {
        let shell = office.shell(script);
        assert_eq!(office.broken(&shell), words, "{script}");
    }
    let torn = office.shell("head -c 30 $0/sound.wav");
    assert!(office.broken(&torn).starts_with("what it gave is no sound"));
    let missing = SpeechBy::Command(vec!["/no/such/program".to_owned()]);
    assert_eq!(
        office.broken(&Synthesiser::new(missing)),
        "`program` cannot be started: No such file or directory (os error 2)"
    );
    // What went wrong once is tried again, and one that does not read its text is not wrong.
    let right = office.shell("cat $0/sound.wav");
    office.speak(&"Hello there ".repeat(300), &right).unwrap();
    office.close();
}

#[test]
fn a_program_that_hangs_is_killed_with_its_children_when_its_time_is_over() {
    let mut office = Office::open();
    office.pipe();
    let hangs = Synthesiser { timeout: Duration::from_millis(300), ..office.shell(HANGS) };
    office.ask("Hello", &hangs);
    let pipe = office.until_alive();
    assert_eq!(office.answer().1.unwrap_err(), SpeechError::Timeout);
    until_dead(pipe);
    office.close();
}

#[test]
fn a_text_is_dropped_when_the_last_who_waits_for_it_is_gone() {
    let mut office = Office::open();
    office.pipe();
    let hangs = office.shell(HANGS);
    let (first, second) = (office.ask("Hello", &hangs), office.ask("Hello", &hangs));
    let pipe = office.until_alive();
    office.speaker.abandon(first);
    let shell = office.shell("cat $0/sound.wav");
    office.speak("Another", &shell).unwrap();
    office.speaker.abandon(second);
    until_dead(pipe);
    office.close();
}

#[test]
fn the_end_of_the_exchange_is_the_end_of_what_it_started() {
    let mut office = Office::open();
    office.pipe();
    let hangs = office.shell(HANGS);
    office.ask("Hello", &hangs);
    let pipe = office.until_alive();
    let folder = office.close();
    until_dead(pipe);
    drop(folder);
}

#[test]
fn only_so_many_are_made_at_one_time_and_only_so_many_wait() {
    let mut office = Office::open();
    let script = "echo begins >> $0/log; cat $0/sound.wav; echo ends >> $0/log";
    let one = Synthesiser { at_once: 1, ..office.shell(script) };
    for text in ["one", "two", "three"] {
        office.ask(text, &one);
    }
    for _ in 0..3 {
        office.answer().1.unwrap();
    }
    assert_eq!(office.lines("log"), ["begins", "ends"].repeat(3));
    let hangs = Synthesiser { at_once: 1, ..office.shell("sleep 1000") };
    for number in 0..=JOBS_MAX {
        office.ask(&number.to_string(), &hangs);
    }
    let (ticket, answer) = office.answer();
    assert_eq!((ticket.0, answer.unwrap_err()), (office.asked, SpeechError::Busy));
    office.close();
}

#[test]
fn an_address_is_sent_the_text_with_its_headers_and_answers_with_sound() {
    let mut office = Office::open();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let sound = fs::read(office.path("sound.wav")).unwrap();
    let server = thread::spawn(move || {
        let answers = [("200 OK", sound), ("500 Oh no", b"x".to_vec()), ("200 OK", b"x".to_vec())];
        answers.map(|(status, body)| serve(&listener, status, &body))
    });
    let by = SpeechBy::Url {
        url: format!("http://{address}/say"),
        body: r#"{"input":{text},"voice":{voice},"l":{lang}}"#.to_owned(),
        headers: vec![("Authorization".to_owned(), "Bearer t0ken".to_owned())],
    };
    let synthesiser = Synthesiser::new(by);
    let spoken = office.speak("Say \"{voice}\"", &synthesiser).unwrap();
    assert_eq!(spoken.pcm().len(), 4_000);
    assert_eq!(office.broken(&synthesiser), "the address answers 500");
    assert!(office.broken(&synthesiser).starts_with("what it gave is no sound"));
    let [heard, ..] = server.join().unwrap();
    assert!(heard.starts_with("POST /say HTTP/1.1\r\n"), "{heard}");
    assert!(heard.contains("authorization: Bearer t0ken\r\n"), "{heard}");
    assert!(heard.contains("content-type: application/json\r\n"), "{heard}");
    let body = r#"{"input":"Say \"{voice}\"","voice":"anna","l":"de"}"#;
    assert!(heard.ends_with(body), "{heard}");
    assert_eq!(office.broken(&synthesiser), "the address cannot be asked: refused");
    office.close();
}

/// Answers one request on a connection of its own; gives back what was asked.
fn serve(listener: &TcpListener, status: &str, body: &[u8]) -> String {
    let (mut stream, _) = listener.accept().unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut heard, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        heard.push_str(&if line.starts_with("POST") { line.clone() } else { lower_name(&line) });
        if line == "\r\n" {
            break;
        }
    }
    let mut sent = vec![0; length];
    reader.read_exact(&mut sent).unwrap();
    heard.push_str(&String::from_utf8(sent).unwrap());
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
    heard
}

/// Names of headers are the same in any case.
fn lower_name(line: &str) -> String {
    match line.split_once(':') {
        Some((name, value)) => format!("{}:{value}", name.to_ascii_lowercase()),
        None => line.to_owned(),
    }
}

#[test]
fn what_is_kept_tells_nothing_of_the_texts() {
    let mut office = Office::open();
    let shell = office.shell("cat $0/sound.wav");
    office.speak("Your PIN is 4711", &shell).unwrap();
    let folder = office.close();
    let kept: Vec<_> = fs::read_dir(folder.path().join("speech")).unwrap().flatten().collect();
    assert_eq!(kept.len(), 1);
    let whole = fs::read(kept[0].path()).unwrap();
    assert!(is_wav(&kept[0].path()) && whole.starts_with(b"RIFF"));
    assert!(!String::from_utf8_lossy(&whole).contains("4711"));
}

fn is_wav(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "wav")
}
