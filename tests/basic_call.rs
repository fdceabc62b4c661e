//! Two phones and a dialplan: calls answered, refused, given up, held.

use sdp::RtpCodec;
use sip_engine::Transport;
use tests::{Plan, World};

fn office() -> World {
    office_with(Plan::default())
}

fn office_with(plan: Plan) -> World {
    let mut world = World::new(plan);
    world.phone("alice", "101");
    world.phone("bob", "102");
    world.register_all();
    world
}

#[test]
fn a_call_is_answered_and_both_hear_each_other() {
    let mut world = office();
    world.check(
        "
           0  alice -> INVITE 102
           0  bob   <- INVITE
          20  bob   -> 180
          20  alice <- 180
        4000  bob   -> 200
        4000  alice <- 200
        5000  alice hears bob
        5000  bob   hears alice
        9000  alice -> BYE
        9000  bob   <- BYE
        9000  record 101 102 answered 5000 ms
        9500  end
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn the_callee_may_hang_up_first() {
    let mut world = office();
    world.check(
        "
           0  alice -> INVITE 102
           0  bob   <- INVITE
        1000  bob   -> 200
        1000  alice <- 200
        3000  bob   -> BYE
        3000  alice <- BYE
        3000  record 101 102 answered 2000 ms
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn a_busy_phone_is_told_to_the_caller() {
    let mut world = office();
    world.check(
        "
           0  alice -> INVITE 102
           0  bob   <- INVITE
          50  bob   -> 486
          50  alice <- 486
          50  record 101 102 refused 486
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn a_caller_who_gives_up_stops_the_ringing() {
    let mut world = office();
    world.check(
        "
           0  alice -> INVITE 102
           0  bob   <- INVITE
          50  bob   -> 180
          50  alice <- 180
        3000  alice -> CANCEL
        3000  bob   <- CANCEL
        3000  alice <- 487
        3000  record 101 102 refused 487
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn nobody_answering_ends_with_480() {
    let mut world = office();
    world.check(
        "
           0  alice -> INVITE 102
           0  bob   <- INVITE
          50  bob   -> 180
          50  alice <- 180
       20000  bob   <- CANCEL
       20000  alice <- 480
       20000  record 101 102 refused 480
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn numbers_that_lead_nowhere_are_told_apart() {
    let mut world = office();
    world.check(
        "
           0  alice -> INVITE 999
           0  alice <- 404
         100  alice -> INVITE 1
         100  alice <- 484
         200  alice -> INVITE 103
         200  alice <- 480 not registered
         200  record 101 103 refused 480
         300  alice -> INVITE 150
         300  alice <- 404 no such extension
         300  record 101 150 refused 404
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn early_media_of_the_callee_is_heard_before_the_answer() {
    let mut world = office();
    world.check(
        "
           0  alice -> INVITE 102
           0  bob   <- INVITE
          50  bob   -> 183
          50  alice <- 183
        1000  alice hears bob
        2000  bob   -> 200
        2000  alice <- 200
        3000  alice hears bob
        3000  bob   hears alice
        4000  alice -> BYE
        4000  bob   <- BYE
        4000  record 101 102 answered 2000 ms
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn hold_and_resume_are_carried_to_the_other_leg() {
    let mut world = office();
    world.check(
        "
           0  alice -> INVITE 102
           0  bob   <- INVITE
         100  bob   -> 200
         100  alice <- 200
        2000  alice -> HOLD
        2000  bob   <- re-INVITE sendonly
        2000  alice <- re-INVITE 200 sendonly
        4000  alice hears nothing
        5000  alice -> RESUME
        5000  bob   <- re-INVITE sendrecv
        5000  alice <- re-INVITE 200 sendrecv
        6000  alice hears bob
        6000  bob   hears alice
        7000  bob   -> HOLD
        7000  alice <- re-INVITE sendonly
        7000  bob   <- re-INVITE 200 sendonly
        9000  bob   -> BYE
        9000  alice <- BYE
        9000  record 101 102 answered 8900 ms
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn a_law_and_mu_law_are_converted_between_legs() {
    let mut world = office();
    world.phones[0].codecs = vec![RtpCodec::pcmu()];
    world.phones[1].codecs = vec![RtpCodec::pcma()];
    world.check(
        "
           0  alice -> INVITE 102
           0  bob   <- INVITE
         100  bob   -> 200
         100  alice <- 200
        2000  alice hears bob
        2000  bob   hears alice
        3000  alice -> BYE
        3000  bob   <- BYE
        3000  record 101 102 answered 2900 ms
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn codecs_we_do_not_know_are_offered_on_and_relayed() {
    let mut world = office();
    let opus = RtpCodec { channels: 2, ..RtpCodec::new(107, "opus", 48_000) };
    world.phones[0].codecs = vec![opus.clone()];
    world.phones[1].codecs = vec![opus];
    world.check(
        "
           0  alice -> INVITE 102
           0  bob   <- INVITE
         100  bob   -> 200
         100  alice <- 200
        2000  bob   hears alice
        3000  alice -> BYE
        3000  bob   <- BYE
        3000  record 101 102 answered 2900 ms
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn without_a_common_codec_the_caller_gets_488() {
    let script = "route('5', function(call) call:play('tone:425') end)";
    let mut world = office_with(Plan { script: script.to_owned(), ..Plan::default() });
    world.phones[0].codecs = vec![RtpCodec::new(99, "iLBC", 8_000)];
    world.check(
        "
           0  alice -> INVITE 5
           0  alice <- 488
           0  record 101 5 refused 488
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn a_caller_without_an_offer_gets_ours() {
    let mut world = office();
    world.phones[0].offers = false;
    world.check(
        "
           0  alice -> INVITE 102
           0  bob   <- INVITE
         100  bob   -> 200
         100  alice <- 200
        2000  bob   hears alice
        3000  alice -> BYE
        3000  bob   <- BYE
        3000  record 101 102 answered 2900 ms
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn a_phone_on_tcp_calls_one_on_udp() {
    let mut world = World::new(Plan::default());
    world.phone("alice", "101");
    world.phone("bob", "102");
    world.phones[1].transport = Transport::Tcp;
    world.register_all();
    world.check(
        "
           0  alice -> INVITE 102
           0  bob   <- INVITE
         100  bob   -> 200
         100  alice <- 200
        2000  alice hears bob
        2000  bob   hears alice
        3000  bob   -> BYE
        3000  alice <- BYE
        3000  record 101 102 answered 2900 ms
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn all_phones_of_an_extension_ring_and_the_first_to_answer_has_the_call() {
    let mut world = World::new(Plan::default());
    world.phone("alice", "101");
    world.phone("desk", "102");
    world.phone("sofa", "102");
    world.register_all();
    world.check(
        "
           0  alice -> INVITE 102
           0  desk  <- INVITE
           0  sofa  <- INVITE
         100  desk  -> 180
         100  alice <- 180
         200  sofa  -> 180
         200  alice <- 180
        1000  sofa  -> 200
        1000  desk  <- CANCEL
        1000  alice <- 200
        2000  alice hears sofa
        3000  alice -> BYE
        3000  sofa  <- BYE
        3000  record 101 102 answered 2000 ms
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn targets_in_turn_are_rung_one_after_the_other() {
    let script = "
route('8', function(call)
  call:dial({ {'ext/102'}, {'ext/103'} }, { timeout = 5 })
end)";
    let mut world = World::new(Plan { script: script.to_owned(), ..Plan::default() });
    world.phone("alice", "101");
    world.phone("bob", "102");
    world.phone("carol", "103");
    world.register_all();
    world.check(
        "
           0  alice -> INVITE 8
           0  bob   <- INVITE
         100  bob   -> 180
         100  alice <- 180
        5000  bob   <- CANCEL
        5000  carol <- INVITE
        6000  carol -> 200
        6000  alice <- 200
        7000  carol hears alice
        8000  carol -> BYE
        8000  alice <- BYE
        8000  record 101 8 answered 2000 ms
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn a_phone_that_forwards_to_another_extension_is_followed() {
    let mut world = World::new(Plan::default());
    world.phone("alice", "101");
    world.phone("bob", "102");
    world.phone("carol", "103");
    world.register_all();
    world.phones[1].forwards_to = Some("sip:103@office.test".to_owned());
    world.check(
        "
           0  alice -> INVITE 102
           0  bob   <- INVITE
         100  bob   -> 302
         100  carol <- INVITE
         100  alice <- 181
        1000  carol -> 200
        1000  alice <- 200
        2000  alice hears carol
        3000  alice -> BYE
        3000  carol <- BYE
        3000  record 101 102 answered 2000 ms
    ",
    );
    world.assert_all_is_quiet();
}
