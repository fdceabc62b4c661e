//! `call:on`: what happens to a call by itself, told to functions of its script.

use std::time::Duration;

use tests::{Plan, World};

fn office(script: &str) -> World {
    let prompts = ["en/hello", "en/again", "music/evening"].map(str::to_owned).to_vec();
    let mut world = World::new(Plan { script: script.to_owned(), prompts, ..Plan::default() });
    world.phone("alice", "101");
    world.phone("bob", "102");
    world.phone("carol", "103");
    world.register_all();
    world
}

#[test]
fn a_door_phone_opens_when_whoever_answered_presses_the_key() {
    let mut world = office(
        "
route('1XX', function(call)
  call:on('dtmf', function(digit, by)
    if by == 'callee' and digit == '9' then call:dtmf('#') end
  end)
  call:dial('ext/' .. call.to.user)
end)",
    );
    world.check(
        "
           0  alice -> INVITE 102
           0  bob   <- INVITE
        1000  bob   -> 200
        1000  alice <- 200
        2000  bob   -> PRESS 5
        3000  bob   -> PRESS 9
        5000  alice -> BYE
        5000  bob   <- BYE
        5000  record 101 102 answered 4000 ms
    ",
    );
    // Bob's own keys reach the door phone too, as between any two parties.
    assert_eq!(world.named("alice").keys_heard(), "59#");
    assert_eq!(world.named("bob").keys_heard(), "");
    world.assert_all_is_quiet();
}

#[test]
fn a_key_of_the_caller_ends_the_conversation_and_the_script_goes_on() {
    let mut world = office(
        "
route('1XX', function(call)
  local talking = spawn(function() call:dial('ext/' .. call.to.user) end)
  call:on('dtmf', function(digit, by)
    if by == 'caller' and digit == '*' then talking:cancel() end
  end)
  if not pcall(talking.wait, talking) then call:play('hello') end
end)",
    );
    world.check(
        "
           0  alice -> INVITE 102
           0  bob   <- INVITE
        1000  bob   -> 200
        1000  alice <- 200
        3000  alice -> PRESS *
        3020  bob   <- BYE
        3020  plays en/hello
        3520  alice <- BYE
        3520  record 101 102 answered 2520 ms
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn a_key_that_a_read_takes_is_told_as_well() {
    let mut world = office(
        "
route('5', function(call)
  call:answer()
  call:on('dtmf', function(digit, by) log('key', by, digit) end)
  log('read', call:read { max = 2, timeout = 9 })
  call:sleep(5)
  log('read', call:read { max = 1, timeout = 9 })
end)",
    );
    world.act("alice", "INVITE 5");
    world.run_for(Duration::from_secs(1));
    world.act("alice", "PRESS 12");
    world.run_for(Duration::from_secs(2));
    world.act("alice", "PRESS 3");
    world.run_for(Duration::from_secs(5));
    assert_eq!(
        world.logged(),
        ["key caller 1", "read 12", "key caller 2", "key caller 3", "read 3"]
    );
    world.assert_all_is_quiet();
}

#[test]
fn holding_resuming_and_the_answer_are_told() {
    let mut world = office(
        "
route('1XX', function(call)
  for _, event in ipairs { 'answer', 'hold', 'resume' } do
    call:on(event, function(by) log(event, by) end)
  end
  call:dial('ext/' .. call.to.user)
  log('over')
end)",
    );
    world.act("alice", "INVITE 102");
    world.run_for(Duration::from_secs(1));
    world.act("bob", "200");
    for (who, what) in
        [("alice", "HOLD"), ("alice", "RESUME"), ("bob", "HOLD"), ("bob", "RESUME"), ("bob", "BYE")]
    {
        world.run_for(Duration::from_secs(1));
        world.act(who, what);
    }
    world.run_for(Duration::from_secs(1));
    assert_eq!(
        world.logged(),
        ["answer ext/102", "hold caller", "resume caller", "hold callee", "resume callee", "over"]
    );
    world.assert_all_is_quiet();
}

#[test]
fn a_function_may_hang_up_while_phones_ring_while_two_talk_and_while_a_message_is_recorded() {
    let hang_up = "call:on('dtmf', function(digit) if digit == '*' then call:hangup() end end)";
    for (what, answers) in [
        ("call:answer() call:dial('ext/102')", false),
        ("call:dial('ext/102')", true),
        ("call:record { beep = false }", false),
        ("call:answer() call:sleep(60)", false),
        ("call:play('music/evening', { loop = true })", false),
    ] {
        let mut world = office(&format!("route('5', function(call) {hang_up} {what} end)"));
        world.act("alice", "INVITE 5");
        world.run_for(Duration::from_secs(1));
        if answers {
            world.act("bob", "200");
        }
        world.run_for(Duration::from_secs(1));
        world.act("alice", "PRESS *");
        world.run_for(Duration::from_secs(1));
        assert!(!world.named("alice").is_in_call(), "{what}: {}", world.log.join("\n"));
        assert!(!world.named("bob").is_in_call(), "{what}: {}", world.log.join("\n"));
        world.assert_all_is_quiet();
    }
}
