//! What the log of a whole office tells, and what it must never tell.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tests::{ByHand, Plan, World};

/// Everything logged while `play` runs.
pub(crate) fn logged(play: impl FnOnce()) -> String {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = Sink(lines.clone());
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || sink.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, play);
    let bytes = lines.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

#[derive(Clone)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const OFFICE: &str = "
route('*97', function(call) call:mailbox('101') end)
route('5', function(call)
  call:answer()
  local digits = call:read { max = 8, timeout = 5 }
  for name, value in pairs(call.headers) do log.info(name, value) end
  call:dial('ext/102')
end)
route('6', { public = true }, function(call) log.info('from ' .. call.from.user) call:busy() end)";

fn office() -> World {
    let mut world = World::new(Plan {
        script: OFFICE.to_owned(),
        prompts: pbx::prompt_names("en"),
        ..Plan::default()
    });
    world.phone("alice", "101");
    world.phone("bob", "102");
    world.register_all();
    world
}

#[test]
fn secrets_pins_and_keys_are_never_logged() {
    let log = logged(|| {
        let mut world = office();
        world.act("alice", "INVITE 5");
        world.run_for(Duration::from_secs(1));
        world.act("alice", "PRESS 83529174");
        world.run_for(Duration::from_secs(4));
        world.act("bob", "200");
        world.run_for(Duration::from_secs(1));
        world.act("alice", "INFO 7");
        world.run_for(Duration::from_secs(1));
        world.act("alice", "BYE");
        world.act("bob", "INVITE *97");
        world.run_for(Duration::from_secs(1));
        world.act("bob", "PRESS 4711#");
        world.run_for(Duration::from_secs(4));
        for keys in ["0", "1", "97531#", "97531#"] {
            world.act("bob", &format!("PRESS {keys}"));
            world.run_for(Duration::from_secs(3));
        }
        world.act("bob", "BYE");
        world.assert_all_is_quiet();
    });
    assert!(log.contains("caller hung up"), "{log}");
    assert!(log.contains("max-forwards"), "the script's own words: {log}");
    for secret in ["secret-10", "4711", "97531", "83529174", "response=", "Digest "] {
        assert!(!log.contains(secret), "{secret} stands in the log:\n{log}");
    }
}

#[test]
fn a_wrong_secret_is_told_with_account_and_source() {
    let log = logged(|| {
        let mut world = office();
        let mut guesser = ByHand::new(1, "102");
        guesser.secret = "a guess".to_owned();
        guesser.register(&mut world, "Contact: <sip:102@10.9.9.1>\n");
    });
    let line = log.lines().find(|line| line.contains("wrong secret")).unwrap();
    assert!(line.contains("account=102") && line.contains("10.9.9.1:5060"), "{line}");
    assert!(!log.contains("a guess"), "{log}");
}

#[test]
fn nobody_outside_begins_a_line_of_the_log() {
    let log = logged(|| {
        let mut world = office();
        let mut stranger = ByHand::new(1, "x%0d%0aFORGED%20line");
        let contact = "Contact: <sip:x@10.9.9.1>\n";
        let invite = stranger.request("INVITE", "sip:6@office.test", contact, "");
        stranger.send(&mut world, &invite);
        let mut liar = ByHand::new(2, "y%0d%0aFORGED%20line");
        liar.register(&mut world, contact);
        world.run_for(Duration::from_secs(1));
    });
    assert!(log.contains("FORGED"), "it was logged at all: {log}");
    assert!(!log.lines().any(|line| line.starts_with("FORGED")), "{log}");
}
