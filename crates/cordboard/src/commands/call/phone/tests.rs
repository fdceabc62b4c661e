//! Two phones talk to each other on simulated time; what they say is the ladder.

use super::*;

#[test]
fn a_call_is_answered_and_hung_up_by_the_caller() {
    let mut world = World::new(caller(), callee());
    world.run();
    assert_eq!(
        world.said(0),
        "0 call sip:bob@192.0.2.2:5060\n\
         0 180 Ringing\n\
         1500 sound: PCMU with 192.0.2.2:4002\n\
         1500 answered\n\
         3500 hang up\n\
         3500 over"
    );
    assert_eq!(
        world.said(1),
        "0 waiting for a call\n\
         0 alice calls\n\
         1500 sound: PCMU with 192.0.2.1:4000\n\
         1500 answered\n\
         3500 they hung up"
    );
    assert_eq!(world.endings(), [Some(Ending::Well), Some(Ending::Well)]);
}

#[test]
fn keys_are_pressed_when_it_is_their_time() {
    let digits =
        vec![(Duration::from_millis(500), "12".into()), (Duration::from_secs(1), "#".into())];
    let mut world = World::new(Plan { digits, ..caller() }, callee());
    world.run();
    let pressed: Vec<_> =
        world.phones[0].said.lines().filter(|line| line.contains("press")).collect();
    assert_eq!(pressed, ["2000 press 12", "2500 press #"]);
}

#[test]
fn nobody_answers_in_time() {
    let ring_timeout = Duration::from_secs(1);
    let mut world = World::new(Plan { ring_timeout, ..caller() }, callee());
    world.run();
    assert_eq!(world.endings(), [Some(Ending::NoAnswer), Some(Ending::NoAnswer)]);
    assert!(world.said(1).ends_with("1000 they gave up"), "{}", world.said(1));
}

#[test]
fn a_phone_that_does_not_answer_calls_is_busy() {
    let not_answering = Plan { answer: false, ..callee() };
    let mut world = World::new(caller(), not_answering);
    world.run();
    assert_eq!(world.endings()[0], Some(Ending::Refused));
    assert!(world.said(0).contains("486 Busy Here"), "{}", world.said(0));
}

#[test]
fn without_a_common_codec_there_is_no_call() {
    let deaf = Plan { codecs: vec![RtpCodec::pcma()], ..callee() };
    let mut world = World::new(Plan { codecs: vec![RtpCodec::pcmu()], ..caller() }, deaf);
    world.run();
    assert_eq!(world.endings(), [Some(Ending::Refused), Some(Ending::Refused)]);
    assert!(world.said(0).contains("488"), "{}", world.said(0));
}

#[test]
fn a_silent_network_is_told_from_a_refusal() {
    let mut world = World::new(caller(), callee());
    world.broken = true;
    world.run();
    assert_eq!(world.endings()[0], Some(Ending::Network));
}

#[test]
fn nobody_calls() {
    let wait = Some(Duration::from_secs(5));
    let mut world = World::new(Plan { target: None, wait, answer: true, ..caller() }, callee());
    world.run();
    assert_eq!(world.said(0), "0 waiting for a call\n5000 nobody called");
    assert_eq!(world.endings()[0], Some(Ending::NoAnswer));
}

#[test]
fn what_is_played_to_its_end_ends_the_call() {
    let mut world =
        World::new(Plan { hangup_after: None, hangup_at_end: true, ..caller() }, callee());
    world.play_ends_at = Some(Duration::from_millis(2_500));
    world.run();
    assert!(world.said(0).contains("2500 hang up"), "{}", world.said(0));
    assert_eq!(world.endings(), [Some(Ending::Well), Some(Ending::Well)]);
}

fn caller() -> Plan {
    Plan {
        target: Some("sip:bob@192.0.2.2:5060".into()),
        from: "<sip:alice@192.0.2.1>".into(),
        registrar: "sip:192.0.2.2".into(),
        user: "alice".into(),
        credentials: None,
        transport: sip_engine::Transport::Udp,
        remote: "192.0.2.2:5060".parse().unwrap(),
        local: "192.0.2.1:5060".parse().unwrap(),
        register: false,
        answer: false,
        answer_after: Duration::ZERO,
        wait: None,
        play: None,
        digits: Vec::new(),
        hangup_after: Some(Duration::from_secs(2)),
        hangup_at_end: false,
        ring_timeout: Duration::from_secs(60),
        codecs: vec![RtpCodec::pcmu(), RtpCodec::pcma()],
        record: None,
        quiet: false,
    }
}

fn callee() -> Plan {
    Plan {
        target: None,
        from: "<sip:bob@192.0.2.2>".into(),
        user: "bob".into(),
        remote: "192.0.2.1:5060".parse().unwrap(),
        local: "192.0.2.2:5060".parse().unwrap(),
        answer: true,
        answer_after: Duration::from_millis(1_500),
        hangup_after: None,
        ..caller()
    }
}

/// Two phones, a network without delay, and voice threads that close when they are told to.
struct World {
    start: Instant,
    now: Instant,
    phones: [Side; 2],
    broken: bool,
    /// When the first phone's sound has been played.
    play_ends_at: Option<Duration>,
}

struct Side {
    phone: Phone,
    said: String,
}

impl World {
    fn new(first: Plan, second: Plan) -> Self {
        let now = Instant::now();
        let side = |plan: Plan, seed: u64, port| {
            let local = plan.local;
            Side { phone: Phone::new(now, seed, plan, local, port), said: String::new() }
        };
        // The callee is there first.
        let second = side(second, 2, 4_002);
        let phones = [side(first, 1, 4_000), second];
        Self { start: now, now, phones, broken: false, play_ends_at: None }
    }

    fn run(&mut self) {
        for _turn in 0..10_000 {
            while self.carry(0) | self.carry(1) {}
            let played_at = self.play_ends_at.map(|after| self.start + after);
            let next = self.phones.iter().filter(|side| side.phone.ended().is_none());
            let next = next.filter_map(|side| side.phone.poll_timeout()).chain(played_at).min();
            let Some(next) = next.filter(|next| *next < self.start + MINUTES) else { return };
            self.now = self.now.max(next);
            if played_at.is_some_and(|at| at <= self.now) {
                self.play_ends_at = None;
                let ended = media::Event::PlayEnded {
                    leg: LEG,
                    job: PLAY,
                    digit: None,
                    heard: Duration::ZERO,
                };
                self.phones[0].phone.handle_media(self.now, ended);
            }
            for side in &mut self.phones {
                side.phone.handle_timeout(self.now);
            }
        }
        panic!("no end");
    }

    /// Carries one action of a phone out; says whether there was one.
    fn carry(&mut self, from: usize) -> bool {
        let Some(action) = self.phones[from].phone.poll_action() else { return false };
        match action {
            Action::Transmit { flow, bytes } => {
                let flow = Flow { local: flow.remote, remote: flow.local, ..flow };
                if !self.broken {
                    self.phones[1 - from].phone.handle_message(self.now, flow, bytes);
                }
            }
            Action::Voice(Command::Close { leg }) => {
                let closed = media::Event::Closed {
                    leg,
                    packets_received: 0,
                    packets_sent: 0,
                    packets_refused: 0,
                };
                self.phones[from].phone.handle_media(self.now, closed);
            }
            Action::Voice(_) => {}
            Action::Say(text) => {
                let at = self.now.duration_since(self.start).as_millis();
                self.phones[from].said.push_str(&format!("{at} {text}\n"));
            }
        }
        true
    }

    /// Everything a phone said but its last line, which counts packets.
    fn said(&self, phone: usize) -> String {
        let lines = self.phones[phone].said.lines().filter(|line| !line.contains(" heard "));
        lines.collect::<Vec<_>>().join("\n")
    }

    fn endings(&self) -> [Option<Ending>; 2] {
        [self.phones[0].phone.ended(), self.phones[1].phone.ended()]
    }
}

const MINUTES: Duration = Duration::from_secs(300);
