use super::*;
use crate::feature::ladder;

#[test]
fn a_message_is_taken_after_the_standard_greeting() {
    check(
        "
        <- start
        -> store mailbox 101
        <- mailbox new 2 old 1
        -> play person-at digits:101 unavailable leave-message
        <- played
        -> store begin new message for 101 from 100
        <- told
        -> record new max 120000 silence 10000 until #
        <- recorded 4000 silent 100 #
        -> store keep new 4000
        <- done
        -> play to the end message-saved goodbye
        <- played
        -> end Success
        ",
    );
}

#[test]
fn the_greeting_tells_that_the_callee_is_on_another_line() {
    let context = LeaveContext { absence: Absence::Busy, ..context() };
    check_with(
        context,
        "
        <- start
        -> store mailbox 101
        <- mailbox
        -> play person-at digits:101 busy leave-message
        ",
    );
}

#[test]
fn a_mailbox_with_a_name_instead_of_a_number_is_greeted_for_without_it() {
    let context = LeaveContext { mailbox: "sales".into(), ..context() };
    check_with(
        context,
        "
        <- start
        -> store mailbox sales
        <- mailbox
        -> play nobody leave-message
        ",
    );
}

#[test]
fn the_owners_own_greeting_comes_instead() {
    check(
        "
        <- start
        -> store mailbox 101
        <- mailbox greeting 9
        -> store sound 9
        <- sound 16000
        -> play sound:16000
        <- played
        -> store begin new message for 101 from 100
        ",
    );
}

#[test]
fn an_own_greeting_that_cannot_be_read_is_replaced_by_the_standard_one() {
    for reply in ["failed", "no-sound"] {
        check(&format!(
            "
            <- start
            -> store mailbox 101
            <- mailbox greeting 9
            -> store sound 9
            <- {reply}
            -> play person-at digits:101 unavailable leave-message
            "
        ));
    }
}

#[test]
fn a_digit_goes_straight_to_the_beep() {
    check(
        "
        <- start
        -> store mailbox 101
        <- mailbox
        -> play person-at digits:101 unavailable leave-message
        <- played #
        -> store begin new message for 101 from 100
        ",
    );
}

#[test]
fn a_full_mailbox_takes_nothing() {
    check(
        "
        <- start
        -> store mailbox 101
        <- mailbox new 60 old 40
        -> play to the end mailbox-full goodbye
        <- played
        -> end Failed
        ",
    );
}

#[test]
fn a_mailbox_that_holds_one_less_takes_one_more() {
    check(
        "
        <- start
        -> store mailbox 101
        <- mailbox new 60 old 39
        -> play person-at digits:101 unavailable leave-message
        ",
    );
}

#[test]
fn without_such_a_mailbox_nothing_is_taken() {
    let context = LeaveContext { config: None, ..context() };
    check_with(
        context,
        "
        <- start
        -> play to the end cannot-record
        <- played
        -> end Failed
        ",
    );
}

#[test]
fn a_broken_store_is_told_before_the_caller_speaks() {
    for reply in ["failed", "mailbox faulty"] {
        check(&format!(
            "
            <- start
            -> store mailbox 101
            <- {reply}
            -> play to the end cannot-record
            <- played
            -> end Failed
            "
        ));
    }
}

#[test]
fn a_message_that_could_not_be_kept_is_told() {
    check_from_recording(
        "
        <- recorded 4000 silent 0 #
        -> store keep new 4000
        <- failed
        -> play to the end cannot-record
        <- played
        -> end Failed
        ",
    );
}

#[test]
fn silence_at_the_end_is_cut_off_but_for_a_moment() {
    check_from_recording(
        "
        <- recorded 15000 silent 10000 silence
        -> store keep new 5300
        ",
    );
}

#[test]
fn less_than_a_second_is_dropped() {
    check_from_recording(
        "
        <- recorded 1900 silent 901 #
        -> store drop new
        <- told
        -> play to the end too-short goodbye
        <- played
        -> end Empty
        ",
    );
}

#[test]
fn a_second_is_enough() {
    check_from_recording(
        "
        <- recorded 1000 silent 0 #
        -> store keep new 1000
        ",
    );
}

#[test]
fn silence_is_no_message() {
    check_from_recording(
        "
        <- recorded 10000 silent 10000 silence
        -> store drop new
        <- told
        -> play to the end nothing-heard goodbye
        ",
    );
}

#[test]
fn the_longest_message_is_kept_and_the_caller_told() {
    check_from_recording(
        "
        <- recorded 120000 silent 0 max
        -> store keep new 120000
        <- done
        -> play to the end time-is-up message-saved goodbye
        ",
    );
}

#[test]
fn hanging_up_while_speaking_keeps_the_message() {
    check_from_recording(
        "
        <- recorded 3000 silent 0 stopped
        -> store keep new 3000
        <- done
        -> play to the end message-saved goodbye
        <- hung-up
        -> end Success
        ",
    );
}

#[test]
fn hanging_up_at_once_leaves_nothing() {
    check_from_recording(
        "
        <- recorded 300 silent 0 stopped
        -> store drop new
        <- told
        -> play to the end too-short goodbye
        <- hung-up
        -> end Empty
        ",
    );
}

#[test]
fn a_recording_whose_length_was_lost_is_kept_whole() {
    check_from_recording(
        "
        <- hung-up
        -> store keep new all
        <- done
        -> play to the end message-saved goodbye
        <- hung-up
        -> end Success
        ",
    );
}

#[test]
fn hanging_up_during_the_greeting_leaves_nothing() {
    check(
        "
        <- start
        -> store mailbox 101
        <- mailbox
        -> play person-at digits:101 unavailable leave-message
        <- hung-up
        -> end Empty
        ",
    );
}

#[test]
fn the_draft_says_who_called_and_when() {
    let mut conversation = LeaveMessage::new(context());
    let told = [
        Reply::Start,
        Reply::Stored(StoreReply::Mailbox(Default::default())),
        Reply::Played { digit: None },
    ];
    let ask = told.map(|reply| conversation.next(reply)).into_iter().next_back().unwrap();
    let Ask::Store(StoreRequest::Begin { kind, .. }) = ask else { panic!("{ask:?}") };
    assert_eq!(
        kind,
        DraftKind::Message {
            mailbox: "101".into(),
            caller: "100".into(),
            caller_name: "Ann".into(),
            received_at: UnixMs(1_000),
        }
    );
}

#[test]
fn different_seeds_give_different_names() {
    let name = |seed| LeaveMessage::new(LeaveContext { seed, ..context() }).sound;
    assert_ne!(name(1), name(2));
}

fn context() -> LeaveContext {
    LeaveContext {
        mailbox: "101".into(),
        config: Some(MailboxConfig {
            pin: "1234".into(),
            messages_max: 100,
            message_max: Duration::from_secs(120),
        }),
        caller: "100".into(),
        caller_name: "Ann".into(),
        received_at: UnixMs(1_000),
        absence: Absence::Unavailable,
        language: "en".into(),
        seed: 7,
    }
}

#[track_caller]
fn check(ladder: &str) {
    check_with(context(), ladder);
}

#[track_caller]
fn check_from_recording(ladder: &str) {
    let beginning = "
        <- start
        -> store mailbox 101
        <- mailbox
        -> play person-at digits:101 unavailable leave-message
        <- played
        -> store begin new message for 101 from 100
        <- told
        -> record new max 120000 silence 10000 until #
    ";
    check(&format!("{beginning}{ladder}"));
}

#[track_caller]
fn check_with(context: LeaveContext, ladder: &str) {
    let mut conversation = LeaveMessage::new(context);
    ladder::check(|reply| conversation.next(reply), ladder);
}
