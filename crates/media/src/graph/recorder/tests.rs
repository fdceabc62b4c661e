use std::time::Duration;

use super::*;

const MU_LOUD: u8 = 0x90;

fn limits() -> RecordLimits {
    RecordLimits { max: Duration::from_secs(60), silence: None, terminator: None }
}

/// A recorder on simulated time, with all it handed on.
struct Bench {
    start: Instant,
    recorder: Recorder,
    events: VecDeque<Event>,
}

impl Bench {
    fn new(limits: RecordLimits) -> Self {
        let start = Instant::now();
        let recorder = Recorder::new(start, LegId(1), JobId(2), limits);
        Self { start, recorder, events: VecDeque::new() }
    }

    fn at(&self, ms: u64) -> Instant {
        self.start + Duration::from_millis(ms)
    }

    /// A packet of 20 ms with one value throughout.
    fn packet(&mut self, ms: u64, timestamp: u32, byte: u8) {
        self.packet_of(ms, 1, timestamp, byte);
    }

    fn packet_of(&mut self, ms: u64, ssrc: u32, timestamp: u32, byte: u8) {
        let rtp = Rtp {
            marker: false,
            payload_type: 0,
            sequence: 0,
            timestamp,
            ssrc,
            payload: &[byte; 160],
        };
        self.recorder.handle_packet(self.at(ms), &rtp, Law::Mu);
    }

    /// Runs timers until `ms` or the end, which it returns with its time in ms.
    fn run(&mut self, ms: u64) -> Option<u128> {
        let until = self.at(ms);
        while let Some(due) = self.recorder.poll_timeout().filter(|&due| due <= until) {
            if self.recorder.handle_timeout(due, &mut self.events) == Progress::Ended {
                return Some(due.duration_since(self.start).as_millis());
            }
        }
        None
    }

    fn stop(&mut self, ms: u64) {
        self.recorder.stop(self.at(ms), RecordEnd::Stopped, &mut self.events);
    }

    /// All samples, and how it ended: reason, length and trailing silence in ms.
    fn result(self) -> (Vec<i16>, RecordEnd, u128, u128) {
        let mut all = Vec::new();
        for event in self.events {
            match event {
                Event::RecordChunk { samples, .. } => all.extend(samples),
                Event::RecordEnded { reason, length, trailing_silence, .. } => {
                    assert_eq!(all.len() as u128, length.as_micros() / 125);
                    return (all, reason, length.as_millis(), trailing_silence.as_millis());
                }
                other => panic!("{other:?}"),
            }
        }
        panic!("not ended");
    }
}

#[test]
fn chunks_of_half_a_second_come_a_tenth_after_they_are_full() {
    let mut bench = Bench::new(limits());
    for n in 0..100_u32 {
        bench.packet(20 * u64::from(n) + 20, 160 * n, MU_LOUD);
        bench.run(20 * u64::from(n) + 20);
    }
    let lengths: Vec<_> = bench
        .events
        .iter()
        .map(|event| match event {
            Event::RecordChunk { samples, .. } => samples.len(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(lengths, [4_000; 3], "the fourth is due at 2,100 ms");
    bench.stop(2_000);
    let (all, reason, length, trailing) = bench.result();
    assert_eq!((reason, length, trailing), (RecordEnd::Stopped, 2_000, 0));
    assert!(all.iter().all(|&sample| sample > 10_000));
}

#[test]
fn packets_out_of_order_are_put_right_and_repeats_change_nothing() {
    let mut bench = Bench::new(limits());
    for (ms, index) in [(20, 0), (60, 2), (65, 1), (66, 1), (80, 3), (81, 0)] {
        bench.packet(ms, 160 * index, 0x80 + 16 * index as u8);
    }
    bench.stop(80);
    let (all, ..) = bench.result();
    let expected: Vec<_> = (0..4_u8)
        .flat_map(|index| std::iter::repeat_n(Law::Mu.decode(0x80 + 16 * index), 160))
        .collect();
    assert_eq!(all, expected);
}

#[test]
fn what_was_lost_or_not_sent_is_silence_of_the_true_length() {
    let mut bench = Bench::new(limits());
    bench.packet(120, 1_000, MU_LOUD);
    bench.packet(140, 1_160, MU_LOUD);
    bench.packet(1_140, 9_160, MU_LOUD);
    bench.run(3_000);
    bench.stop(3_000);
    let (all, _, length, trailing) = bench.result();
    assert_eq!((length, trailing), (3_000, 1_860));
    let loud: Vec<_> = all.chunks(160).map(|block| block.iter().all(|&s| s > 10_000)).collect();
    let expected: Vec<_> = (0..150).map(|n| n == 5 || n == 6 || n == 56).collect();
    assert_eq!(loud, expected);
}

#[test]
fn a_new_source_or_a_jump_in_time_is_placed_by_the_clock() {
    let mut bench = Bench::new(limits());
    bench.packet_of(20, 1, 0, MU_LOUD);
    bench.packet_of(120, 2, 77_777, MU_LOUD);
    bench.packet_of(220, 2, 4_000_000_000, MU_LOUD);
    bench.stop(220);
    let (all, ..) = bench.result();
    let loud: Vec<_> = all.chunks(160).map(|block| block[80] > 10_000).collect();
    let expected: Vec<_> = (0..11).map(|n| [0, 5, 10].contains(&n)).collect();
    assert_eq!(loud, expected);
}

#[test]
fn a_sender_whose_clock_is_one_percent_off_loses_little() {
    for rate in [158.4, 161.6] {
        let mut bench = Bench::new(RecordLimits { max: Duration::from_secs(200), ..limits() });
        for n in 0..6_000_u64 {
            bench.packet(20 * n + 20, (n as f64 * rate) as u32, MU_LOUD);
            bench.run(20 * n + 20);
        }
        bench.stop(120_000);
        let (all, _, length, _) = bench.result();
        assert_eq!(length, 120_000);
        let lost = all.iter().filter(|&&sample| sample == 0).count();
        assert!(lost < all.len() / 30, "{lost} of {} at {rate}", all.len());
    }
}

#[test]
fn it_ends_at_its_greatest_length() {
    let max = Duration::from_millis(1_234);
    let mut bench = Bench::new(RecordLimits { max, ..limits() });
    for n in 0..100 {
        bench.packet(20 * n + 20, 160 * n as u32, MU_LOUD);
    }
    assert_eq!(bench.run(5_000), Some(1_334));
    let (_, reason, length, _) = bench.result();
    assert_eq!((reason, length), (RecordEnd::Max, 1_234));
}

#[test]
fn it_ends_after_silence_and_silence_counts_from_the_last_word() {
    let silence = Some(Duration::from_millis(700));
    let mut bench = Bench::new(RecordLimits { silence, ..limits() });
    for n in 0..50 {
        // Hiss, then a word, then hiss.
        let byte = if (20..30).contains(&n) { MU_LOUD } else { 0xf0 };
        bench.packet(20 * n + 20, 160 * n as u32, byte);
        assert_eq!(bench.run(20 * n + 20), None);
    }
    assert_eq!(bench.run(5_000), Some(1_400));
    let (_, reason, length, trailing) = bench.result();
    assert_eq!((reason, length, trailing), (RecordEnd::Silence, 1_300, 700));
}

#[test]
fn nobody_there_is_silence_from_the_start() {
    let silence = Some(Duration::from_millis(500));
    let mut bench = Bench::new(RecordLimits { silence, ..limits() });
    assert_eq!(bench.run(5_000), Some(600));
    let (_, reason, length, trailing) = bench.result();
    assert_eq!((reason, length, trailing), (RecordEnd::Silence, 500, 500));
}

#[test]
fn its_key_ends_it_and_other_keys_do_not() {
    let mut bench = Bench::new(RecordLimits { terminator: Some('#'), ..limits() });
    bench.packet(20, 0, MU_LOUD);
    let (at, events) = (bench.at(60), &mut bench.events);
    assert_eq!(bench.recorder.handle_digit(at, '*', events), Progress::GoesOn);
    assert_eq!(bench.recorder.handle_digit(at, '#', events), Progress::Ended);
    let (_, reason, length, trailing) = bench.result();
    assert_eq!((reason, length, trailing), (RecordEnd::Digit('#'), 60, 40));
}

#[test]
fn limits_of_zero_end_it_at_once() {
    let mut bench = Bench::new(RecordLimits { max: Duration::ZERO, ..limits() });
    bench.stop(1_000);
    assert_eq!(bench.result().2, 0);
    let mut bench = Bench::new(RecordLimits { silence: Some(Duration::ZERO), ..limits() });
    assert_eq!(bench.run(1_000), Some(100));
}

#[test]
fn a_flood_of_nonsense_stays_within_bounds() {
    let mut bench = Bench::new(limits());
    let mut random = fastrand::Rng::with_seed(11);
    for n in 0..20_000_u64 {
        bench.packet_of(n, random.u32(..3), random.u32(..), random.u8(..));
        assert!(bench.recorder.pending.len() < 20_000);
        if bench.run(n).is_some() {
            break;
        }
    }
}
