//! What one scripted call costs in Lua: start, answer, play, hang up, close.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::wildcard_enum_match_arm)]

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use dialplan::{AskId, CallView, Ending, Generation, Limits, Match, Names, Outcome, Sources, Step};
use jiff::Zoned;

const SCRIPT: &str = "
    route('1XX', function(call)
      call:answer()
      call:play('welcome')
      call:hangup()
    end)
    route('2XX', function(call)
      local r = call:dial('ext/' .. call.to.user, { timeout = 25 })
      if r.status ~= 'ANSWERED' then call:voicemail(call.to.user, { reason = r.status }) end
    end)";

fn scripts(c: &mut Criterion) {
    let now: Zoned = "2026-11-23T14:05:09[UTC]".parse().unwrap();
    let sources = Sources { files: [("main.lua".to_owned(), SCRIPT.to_owned())].into() };
    let names = Names {
        prompts: ["en/welcome".to_owned()].into(),
        language: "en".into(),
        ..Names::default()
    };
    let generation = Generation::load(&sources, names, Limits::default(), &now).unwrap();
    let ending = || Ending { cause: "hung up by script".into(), code: 200 };
    let route = |number| match generation.match_number(number) {
        Match::Route(route) => route,
        Match::Incomplete | Match::None => panic!("no route for {number}"),
    };
    let (play, dial) = (route("101"), route("201"));
    c.bench_function("match_number", |b| b.iter(|| generation.match_number("101")));
    c.bench_function("start_answer_play_hangup", |b| {
        b.iter(|| {
            let mut script = generation.start(play, CallView::default());
            let answer = asked(script.go_on(&now));
            let play = asked(script.resume(answer, Outcome::Done, &now));
            let heard = Duration::from_secs(2);
            script.resume(play, Outcome::Played { digit: None, heard }, &now);
            script.close(ending(), &now)
        });
    });
    let waiting: Vec<_> = (0..10_000)
        .map(|_| {
            let mut script = generation.start(dial, CallView::default());
            script.go_on(&now);
            script
        })
        .collect();
    c.bench_function("start_answer_play_hangup_beside_10000", |b| {
        b.iter(|| {
            let mut script = generation.start(play, CallView::default());
            let answer = asked(script.go_on(&now));
            let play = asked(script.resume(answer, Outcome::Done, &now));
            let heard = Duration::from_secs(2);
            script.resume(play, Outcome::Played { digit: None, heard }, &now);
            script.close(ending(), &now)
        });
    });
    drop(waiting);
    c.bench_function("start_dial", |b| {
        b.iter(|| {
            let mut script = generation.start(dial, CallView::default());
            let dial = asked(script.go_on(&now));
            script.resume(
                dial,
                Outcome::Dialed {
                    status: dialplan::DialStatus::Answered,
                    code: 200,
                    reason: "OK".into(),
                    talked: Duration::from_secs(60),
                    answered_by: "ext/201".into(),
                },
                &now,
            );
            script.close(ending(), &now)
        });
    });
}

fn asked(step: Step) -> AskId {
    match step {
        Step::Ask { id, .. } => id,
        other => panic!("{other:?}"),
    }
}

criterion_group!(benches, scripts);
criterion_main!(benches);
