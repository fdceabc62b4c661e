use super::*;

/// Feeds lines `MS ADDRESS [=]`, each a packet in order from its source at that time, and compares
/// what happened: `hear`, `latch` or `refuse`.
#[track_caller]
fn check(described: &str, latch: Latch, ladder: &str) {
    let mut gate = Gate::new();
    gate.describe(Some(described.parse().unwrap()), latch);
    let start = Instant::now();
    for (index, line) in ladder.lines().map(str::trim).filter(|l| !l.is_empty()).enumerate() {
        let words: Vec<_> = line.split_whitespace().collect();
        let now = start + Duration::from_millis(words[0].parse().unwrap());
        let from: SocketAddr = words[1].parse().unwrap();
        let rtp = Rtp {
            marker: false,
            payload_type: 0,
            sequence: index as u16,
            timestamp: 0,
            ssrc: u32::from(from.port()),
            payload: b"",
        };
        let verdict = match gate.admit(now, from, &rtp) {
            Verdict::Hear => "hear",
            Verdict::HearAndLatch => "latch",
            Verdict::Refuse => "refuse",
        };
        assert_eq!(verdict, words[2], "{line}");
        if let Some(target) = words.get(3) {
            assert_eq!(gate.target().unwrap().to_string(), *target, "{line}");
        }
    }
}

#[test]
fn the_described_address_is_heard_at_once_and_then_nobody_else() {
    check(
        "10.0.0.1:4000",
        Latch::Nat,
        "
          0 10.0.0.1:4000 latch  10.0.0.1:4000
         20 10.0.0.1:4000 hear
         21 10.0.0.1:4002 refuse
         22 10.0.0.9:4000 refuse
         40 10.0.0.9:4000 refuse
         60 10.0.0.9:4000 refuse
         80 10.0.0.9:4000 refuse
        100 10.0.0.9:4000 refuse
        120 10.0.0.9:4000 refuse 10.0.0.1:4000
        140 10.0.0.1:4000 hear   10.0.0.1:4000
        ",
    );
}

#[test]
fn a_peer_behind_nat_is_let_in_after_a_few_paced_packets() {
    check(
        "192.168.1.20:4000",
        Latch::Nat,
        "
          0 203.0.113.5:61000 refuse 192.168.1.20:4000
         20 203.0.113.5:61000 refuse
         40 203.0.113.5:61000 refuse
         60 203.0.113.5:61000 refuse 192.168.1.20:4000
         80 203.0.113.5:61000 latch  203.0.113.5:61000
        100 203.0.113.5:61000 hear
        ",
    );
}

#[test]
fn a_stranger_never_gets_in_where_no_nat_is_expected() {
    check(
        "10.0.0.1:4000",
        Latch::SameHost,
        "
          0 10.0.0.9:4000 refuse
         20 10.0.0.9:4000 refuse
         40 10.0.0.9:4000 refuse
         60 10.0.0.9:4000 refuse
         80 10.0.0.9:4000 refuse
        100 10.0.0.9:4000 refuse 10.0.0.1:4000
        120 10.0.0.1:4000 latch  10.0.0.1:4000
        ",
    );
}

#[test]
fn a_burst_from_a_stranger_does_not_overtake_the_peer() {
    check(
        "10.0.0.1:4000",
        Latch::Nat,
        "
          0 10.0.0.9:4000 refuse
          1 10.0.0.9:4000 refuse
          1 10.0.0.9:4000 refuse
          1 10.0.0.9:4000 refuse
          2 10.0.0.9:4000 refuse
          2 10.0.0.9:4000 refuse
         30 10.0.0.1:4000 latch  10.0.0.1:4000
         70 10.0.0.9:4000 refuse
        ",
    );
}

#[test]
fn the_described_address_takes_over_even_from_a_stranger_who_was_let_in() {
    check(
        "10.0.0.1:4000",
        Latch::Nat,
        "
          0 10.0.0.9:4000 refuse
         20 10.0.0.9:4000 refuse
         40 10.0.0.9:4000 refuse
         60 10.0.0.9:4000 refuse
         80 10.0.0.9:4000 latch  10.0.0.9:4000
         90 10.0.0.1:4000 latch  10.0.0.1:4000
        100 10.0.0.9:4000 refuse 10.0.0.1:4000
        ",
    );
}

#[test]
fn another_port_of_the_same_host_is_learnt_and_yields_to_the_described_one() {
    check(
        "10.0.0.1:4000",
        Latch::SameHost,
        "
          0 10.0.0.1:4010 refuse
         20 10.0.0.1:4010 refuse
         40 10.0.0.1:4010 refuse
         60 10.0.0.1:4010 refuse
         80 10.0.0.1:4010 latch  10.0.0.1:4010
        100 10.0.0.1:4020 refuse
        110 10.0.0.1:4000 latch  10.0.0.1:4000
        120 10.0.0.1:4010 refuse
        ",
    );
}

#[test]
fn strangers_who_take_all_places_do_not_keep_the_described_peer_out() {
    check(
        "10.0.0.1:4000",
        Latch::Nat,
        "
          0 10.0.0.9:1 refuse
          1 10.0.0.9:2 refuse
          2 10.0.0.9:3 refuse
          3 10.0.0.9:4 refuse
          4 10.0.0.9:5 refuse
         10 10.0.0.1:4000 latch
        ",
    );
}

#[test]
fn a_jump_or_a_new_source_starts_the_count_again() {
    let mut gate = Gate::new();
    gate.describe(Some("10.0.0.1:4000".parse().unwrap()), Latch::Nat);
    let start = Instant::now();
    let from = "10.0.0.9:9".parse().unwrap();
    let mut admit = |ms, sequence, ssrc| {
        let rtp =
            Rtp { marker: false, payload_type: 0, sequence, timestamp: 0, ssrc, payload: b"" };
        gate.admit(start + Duration::from_millis(ms), from, &rtp)
    };
    for (ms, sequence, ssrc) in [
        (0, 1, 1),
        (20, 2, 1),
        (40, 3, 1),
        (60, 4, 1),
        (80, 900, 1),
        (100, 901, 1),
        (120, 902, 1),
        (140, 903, 1),
        (160, 904, 2),
        (180, 905, 2),
        (200, 905, 2),
        (220, 906, 2),
        (240, 907, 2),
        (260, 908, 2),
    ] {
        assert_eq!(admit(ms, sequence, ssrc), Verdict::Refuse, "{ms}");
    }
    assert_eq!(admit(280, 909, 2), Verdict::HearAndLatch);
}

#[test]
fn only_a_new_description_opens_the_gate_again() {
    let start = Instant::now();
    let rtp =
        Rtp { marker: false, payload_type: 0, sequence: 0, timestamp: 0, ssrc: 0, payload: b"" };
    let old: SocketAddr = "10.0.0.1:4000".parse().unwrap();
    let new: SocketAddr = "10.0.0.2:4000".parse().unwrap();
    let mut gate = Gate::new();
    assert_eq!(gate.admit(start, old, &rtp), Verdict::Refuse, "nobody is described yet");
    assert_eq!(gate.target(), None);
    gate.describe(Some(old), Latch::SameHost);
    assert_eq!(gate.admit(start, old, &rtp), Verdict::HearAndLatch);
    gate.describe(None, Latch::SameHost);
    gate.describe(Some(old), Latch::SameHost);
    assert_eq!(gate.admit(start, old, &rtp), Verdict::Hear, "hold and resume");
    gate.describe(Some(new), Latch::SameHost);
    assert_eq!(gate.target(), Some(new));
    assert_eq!(gate.admit(start, old, &rtp), Verdict::Refuse);
    assert_eq!(gate.admit(start, new, &rtp), Verdict::HearAndLatch);
}
