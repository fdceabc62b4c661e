//! What a script tells of itself to those who explain calls.

use dialplan::{Deed, Done, Limits, Match, Outcome, Step};

use crate::ladder::{Running, begin, generation, resume, start};

const MAIN: &str = "route('1', function(call)
  call:on_hangup(function() end) call:on('dtmf', function() end)
  call:go('2')
  local nowhere = '3'
  for _ = 1, 100 do call:go(nowhere) end
end)
route('2', function(call)
  race {
    function() call:play('welcome') end,
    function() call:sleep(1) end,
  }
end)";

#[test]
fn routes_that_are_entered_and_functions_for_the_end_are_noted_with_their_lines() {
    let generation = generation(MAIN, Limits::default());
    let mut running = start(&generation, "1");
    until_it_waits(&mut running);
    let at = |line: u32, what: Done| Deed { what, file: "scripts/main.lua".into(), line };
    let Match::Route(route) = generation.match_number("2") else { panic!("no route") };
    assert_eq!(
        running.script.take_deeds(),
        [
            at(2, Done::OnHangup { file: "scripts/main.lua".into(), line: 2 }),
            at(2, Done::On { event: "dtmf", file: "scripts/main.lua".into(), line: 2 }),
            at(3, Done::Went { number: "2".into(), route: Some(route) }),
        ]
    );
    assert_eq!(generation.route(route).map(|route| route.line), Some(7));
    let mut step = resume(&mut running, Outcome::Done);
    while step != Step::Returned {
        step = begin(&mut running);
    }
    let later = running.script.take_deeds();
    assert_eq!(later[0], at(5, Done::Went { number: "3".into(), route: None }));
    assert_eq!(later.len(), 64, "no more are kept");
    assert_eq!(running.script.take_deeds(), []);
}

fn until_it_waits(running: &mut Running) {
    while begin(running) != Step::Waiting {}
}

#[test]
fn each_ask_knows_its_function_and_line() {
    let generation = generation(MAIN, Limits::default());
    let mut running = start(&generation, "2");
    until_it_waits(&mut running);
    let asked: Vec<(&str, u32)> = running
        .waiting
        .iter()
        .map(|ask| running.script.asked(*ask).unwrap())
        .map(|asked| (asked.function, asked.line))
        .collect();
    assert_eq!(asked, [("play", 9), ("sleep", 10)]);
    let waiting = running.script.waiting();
    let waiting: Vec<&str> = waiting.iter().map(|asked| asked.function).collect();
    assert_eq!(waiting, ["play", "sleep"]);
    let over = running.waiting[1];
    resume(&mut running, Outcome::Done);
    assert_eq!(running.script.asked(over), None);
}
