use super::*;
use crate::feature::ladder;

#[test]
fn one_new_message_is_heard_and_deleted() {
    check(
        "
        <- start
        -> store mailbox 101
        <- mailbox new 1
        -> enter enter-pin
        <- digits 1234
        -> store messages 101
        <- messages 7 new from 100
        -> choose you-have 1 new-message menu-messages menu-options menu-exit
        <- digits 1
        -> store sound 7
        <- sound 8000
        -> play message 1 from-extension digits:100 received:7
        <- played
        -> play sound:8000
        <- played
        -> store heard 7
        <- told
        -> choose menu-repeat menu-delete menu-next menu-previous menu-options menu-exit menu-help
        <- digits 7
        -> choose deleted menu-help
        <- digits #
        -> store delete 7
        <- done
        -> play to the end goodbye
        <- played
        -> end Done
        ",
    );
}

#[test]
fn the_mailbox_number_is_asked_for() {
    check_as(
        None,
        "
        <- start
        -> enter enter-mailbox
        <- digits 999
        -> enter no-such-mailbox enter-mailbox
        <- nothing
        -> enter enter-mailbox
        <- digits 101
        -> store mailbox 101
        <- mailbox
        -> enter enter-pin
        ",
    );
}

#[test]
fn a_mailbox_number_may_be_wrong_three_times() {
    check_as(
        None,
        "
        <- start
        -> enter enter-mailbox
        <- digits 997
        -> enter no-such-mailbox enter-mailbox
        <- digits 998
        -> enter no-such-mailbox enter-mailbox
        <- digits 999
        -> play to the end too-many
        <- played
        -> end Failed
        ",
    );
}

#[test]
fn a_mailbox_that_a_script_names_must_exist() {
    check_as(
        Some("555"),
        "
        <- start
        -> play to the end no-such-mailbox
        <- played
        -> end Failed
        ",
    );
}

#[test]
fn a_pin_may_be_wrong_three_times() {
    check(
        "
        <- start
        -> store mailbox 101
        <- mailbox new 1
        -> enter enter-pin
        <- digits 4321
        -> enter wrong-pin enter-pin
        <- nothing
        -> enter wrong-pin enter-pin
        <- digits 12345
        -> play to the end too-many
        <- played
        -> end Refused
        ",
    );
}

#[test]
fn the_third_pin_may_be_right() {
    check(
        "
        <- start
        -> store mailbox 101
        <- mailbox new 1
        -> enter enter-pin
        <- digits 4321
        -> enter wrong-pin enter-pin
        <- digits 4322
        -> enter wrong-pin enter-pin
        <- digits 1234
        -> store messages 101
        ",
    );
}

#[test]
fn the_owners_pin_replaces_the_configured_one() {
    check(
        "
        <- start
        -> store mailbox 101
        <- mailbox pin 97531
        -> enter enter-pin
        <- digits 1234
        -> enter wrong-pin enter-pin
        <- digits 97531
        -> store messages 101
        ",
    );
}

#[test]
fn a_broken_store_is_told_at_the_door() {
    check(
        "
        <- start
        -> store mailbox 101
        <- failed
        -> play to the end not-now
        <- played
        -> end Failed
        ",
    );
    check(
        "
        <- start
        -> store mailbox 101
        <- mailbox
        -> enter enter-pin
        <- digits 1234
        -> store messages 101
        <- failed
        -> play to the end not-now
        <- played
        -> end Failed
        ",
    );
}

#[test]
fn counts_are_told_in_good_english() {
    for (messages, said) in [
        ("", "no-messages"),
        ("1 new", "you-have 1 new-message menu-messages"),
        ("1 new, 2 new", "you-have 2 new-messages menu-messages"),
        ("1 old, 2 new, 3 new", "you-have 2 new-messages and 1 old-message menu-messages"),
        ("1 old, 2 old", "no-new-messages you-have 2 old-messages menu-messages"),
    ] {
        check(&format!(
            "
            <- start
            -> store mailbox 101
            <- mailbox
            -> enter enter-pin
            <- digits 1234
            -> store messages 101
            <- messages {messages}
            -> choose {said} menu-options menu-exit
            "
        ));
    }
}

#[test]
fn callers_are_told_as_what_they_are() {
    for (caller, said) in [
        ("from 100", "from-extension digits:100"),
        ("from +4930123456", "from digits:+4930123456"),
        ("from anonymous", "from-unknown"),
        ("from +", "from-unknown"),
        ("", "from-unknown"),
    ] {
        check_inside(
            &format!("1 new {caller}"),
            &format!(
                "
                <- digits 1
                -> store sound 1
                <- sound 80
                -> play message 1 {said} received:1
                "
            ),
        );
    }
}

#[test]
fn new_messages_come_before_old_ones_and_next_and_previous_walk_among_them() {
    check_inside(
        "5 old from 100, 6 new from 100",
        "
        <- digits 1
        -> store sound 6
        <- sound 80
        -> play message 1 from-extension digits:100 received:6
        <- played 6
        -> store sound 5
        <- sound 80
        -> play message 2 from-extension digits:100 received:5
        <- played 4
        -> store sound 6
        <- sound 80
        -> play message 1 from-extension digits:100 received:6
        <- played 2
        -> choose no-earlier-messages menu-repeat menu-delete menu-next menu-previous menu-options menu-exit menu-help
        <- digits 3
        -> store sound 5
        <- sound 80
        -> play message 2 from-extension digits:100 received:5
        <- played 9
        -> choose no-more-messages menu-messages menu-options menu-exit
        <- digits 1
        -> store sound 6
        ",
    );
}

#[test]
fn a_message_skipped_before_its_sound_stays_new() {
    check_inside(
        "1 new, 2 new",
        "
        <- digits 1
        -> store sound 1
        <- sound 80
        -> play message 1 from-unknown received:1
        <- played 6
        -> store sound 2
        ",
    );
}

#[test]
fn a_digit_during_the_sound_counts_and_the_message_was_heard() {
    check_inside(
        "1 new, 2 new",
        "
        <- digits 1
        -> store sound 1
        <- sound 80
        -> play message 1 from-unknown received:1
        <- played
        -> play sound:80
        <- played 6
        -> store heard 1
        <- told
        -> store sound 2
        ",
    );
}

#[test]
fn repeating_does_not_mark_twice() {
    check_inside(
        "1 new",
        "
        <- digits 1
        -> store sound 1
        <- sound 80
        -> play message 1 from-unknown received:1
        <- played
        -> play sound:80
        <- played 5
        -> store heard 1
        <- told
        -> store sound 1
        <- sound 80
        -> play message 1 from-unknown received:1
        <- played
        -> play sound:80
        <- played
        -> choose menu-repeat menu-delete menu-next menu-previous menu-options menu-exit menu-help
        <- digits 1
        -> store sound 1
        ",
    );
}

#[test]
fn hanging_up_in_the_middle_of_a_message_leaves_it_new() {
    check_inside(
        "1 new",
        "
        <- digits 1
        -> store sound 1
        <- sound 80
        -> play message 1 from-unknown received:1
        <- played
        -> play sound:80
        <- hung-up
        -> end Done
        ",
    );
}

#[test]
fn deleting_can_be_taken_back() {
    check_inside(
        "1 old, 2 old",
        "
        <- digits 1
        -> store sound 1
        <- sound 80
        -> play message 1 from-unknown received:1
        <- played 7
        -> choose deleted menu-repeat menu-undelete menu-next menu-previous menu-options menu-exit menu-help
        <- digits 7
        -> choose undeleted menu-help
        <- digits 7
        -> choose deleted menu-help
        <- digits 8
        -> choose undeleted menu-help
        <- digits #
        -> play to the end goodbye
        ",
    );
}

#[test]
fn hanging_up_deletes_what_is_marked_in_one_go() {
    check_inside(
        "1 old, 2 old, 3 old",
        "
        <- digits 1
        -> store sound 1
        <- sound 80
        -> play message 1 from-unknown received:1
        <- played 7
        -> choose deleted menu-repeat menu-undelete menu-next menu-previous menu-options menu-exit menu-help
        <- digits 6
        -> store sound 2
        <- sound 80
        -> play message 2 from-unknown received:2
        <- played 6
        -> store sound 3
        <- sound 80
        -> play message 3 from-unknown received:3
        <- played 7
        -> choose deleted menu-help
        <- hung-up
        -> store delete 1 3
        <- done
        -> end Done
        ",
    );
}

#[test]
fn a_deletion_that_failed_is_told() {
    check_inside(
        "1 old",
        "
        <- digits 1
        -> store sound 1
        <- sound 80
        -> play message 1 from-unknown received:1
        <- played 7
        -> choose deleted menu-repeat menu-undelete menu-next menu-previous menu-options menu-exit menu-help
        <- digits #
        -> store delete 1
        <- failed
        -> play to the end not-saved goodbye
        ",
    );
}

#[test]
fn a_marked_message_says_so_when_it_comes_again() {
    check_inside(
        "1 old from 100",
        "
        <- digits 1
        -> store sound 1
        <- sound 80
        -> play message 1 from-extension digits:100 received:1
        <- played 7
        -> choose deleted menu-repeat menu-undelete menu-next menu-previous menu-options menu-exit menu-help
        <- digits 5
        -> store sound 1
        <- sound 80
        -> play message 1 from-extension digits:100 received:1 deleted
        ",
    );
}

#[test]
fn a_message_deleted_by_another_caller_is_passed_over() {
    check_inside(
        "1 old, 2 old",
        "
        <- digits 1
        -> store sound 1
        <- no-sound
        -> store sound 2
        <- no-sound
        -> choose no-more-messages menu-options menu-exit
        ",
    );
}

#[test]
fn a_store_that_breaks_during_the_session_ends_it() {
    check_inside(
        "1 old",
        "
        <- digits 1
        -> store sound 1
        <- failed
        -> play to the end not-now
        <- played
        -> end Failed
        ",
    );
}

#[test]
fn star_tells_the_digits_again_and_wrong_ones_are_told() {
    check_inside(
        "1 old",
        "
        <- digits 4
        -> choose invalid-choice menu-messages menu-options menu-exit
        <- digits *
        -> choose menu-messages menu-options menu-exit
        <- digits 1
        -> store sound 1
        <- sound 80
        -> play message 1 from-unknown received:1
        <- played A
        -> choose invalid-choice menu-repeat menu-delete menu-next menu-previous menu-options menu-exit menu-help
        <- digits *
        -> choose menu-repeat menu-delete menu-next menu-previous menu-options menu-exit menu-help
        ",
    );
}

#[test]
fn who_presses_nothing_three_times_is_gone() {
    check_inside(
        "",
        "
        <- nothing
        -> choose menu-options menu-exit
        <- nothing
        -> choose menu-options menu-exit
        <- nothing
        -> play to the end goodbye
        <- played
        -> end Done
        ",
    );
}

#[test]
fn the_pin_is_changed() {
    check_inside(
        "",
        "
        <- digits 0
        -> choose menu-change-pin menu-record-greeting menu-back
        <- digits 1
        -> enter enter-new-pin
        <- digits 86420
        -> enter enter-new-pin-again
        <- digits 86420
        -> store pin 101 86420
        <- done
        -> choose pin-changed menu-change-pin menu-record-greeting menu-back
        ",
    );
}

#[test]
fn a_new_pin_is_typed_twice_and_has_four_to_ten_digits() {
    for (typed, said) in [
        ("digits 123", "pin-too-short "),
        ("digits 12345678901", "pin-length "),
        ("digits 12*4", "pin-length "),
        ("nothing", ""),
    ] {
        check_inside(
            "",
            &format!(
                "
                <- digits 0
                -> choose menu-change-pin menu-record-greeting menu-back
                <- digits 1
                -> enter enter-new-pin
                <- {typed}
                -> choose {said}menu-change-pin menu-record-greeting menu-back
                "
            ),
        );
    }
    check_inside(
        "",
        "
        <- digits 0
        -> choose menu-change-pin menu-record-greeting menu-back
        <- digits 1
        -> enter enter-new-pin
        <- digits 1234567890
        -> enter enter-new-pin-again
        <- digits 1234567891
        -> choose pins-differ menu-change-pin menu-record-greeting menu-back
        ",
    );
}

#[test]
fn a_pin_that_could_not_be_kept_is_told() {
    check_inside(
        "",
        "
        <- digits 0
        -> choose menu-change-pin menu-record-greeting menu-back
        <- digits 1
        -> enter enter-new-pin
        <- digits 86420
        -> enter enter-new-pin-again
        <- digits 86420
        -> store pin 101 86420
        <- failed
        -> choose not-saved menu-change-pin menu-record-greeting menu-back
        ",
    );
}

#[test]
fn a_greeting_is_recorded_and_heard_as_callers_will() {
    check_inside(
        "",
        "
        <- digits 0
        -> choose menu-change-pin menu-record-greeting menu-back
        <- digits 2
        -> play record-greeting
        <- played
        -> store begin new greeting for 101
        <- told
        -> record new max 60000 silence 5000 until #
        <- recorded 3000 silent 1000 #
        -> store keep new 2300
        <- done
        -> store sound new
        <- sound 18400
        -> choose greeting-saved your-greeting sound:18400 menu-change-pin menu-record-greeting menu-remove-greeting menu-back
        <- digits 3
        -> store delete new
        <- done
        -> choose greeting-removed menu-change-pin menu-record-greeting menu-back
        <- digits 3
        -> choose invalid-choice menu-change-pin menu-record-greeting menu-back
        ",
    );
}

#[test]
fn a_greeting_too_short_or_cut_off_is_dropped() {
    for recorded in ["recorded 1500 silent 600 #", "recorded 9000 silent 0 stopped"] {
        check_inside(
            "",
            &format!(
                "
                <- digits 0
                -> choose menu-change-pin menu-record-greeting menu-back
                <- digits 2
                -> play record-greeting
                <- played
                -> store begin new greeting for 101
                <- told
                -> record new max 60000 silence 5000 until #
                <- {recorded}
                -> store drop new
                <- told
                -> choose greeting-too-short menu-change-pin menu-record-greeting menu-back
                "
            ),
        );
    }
}

#[test]
fn a_greeting_whose_caller_vanished_is_dropped_before_the_end() {
    check_inside(
        "",
        "
        <- digits 0
        -> choose menu-change-pin menu-record-greeting menu-back
        <- digits 2
        -> play record-greeting
        <- played
        -> store begin new greeting for 101
        <- told
        -> record new max 60000 silence 5000 until #
        <- hung-up
        -> store drop new
        <- told
        -> end Done
        ",
    );
}

#[test]
fn a_greeting_that_could_not_be_kept_is_told() {
    check_inside(
        "",
        "
        <- digits 0
        -> choose menu-change-pin menu-record-greeting menu-back
        <- digits 2
        -> play record-greeting
        <- played
        -> store begin new greeting for 101
        <- told
        -> record new max 60000 silence 5000 until #
        <- recorded 3000 silent 0 #
        -> store keep new 3000
        <- failed
        -> choose not-saved menu-change-pin menu-record-greeting menu-back
        ",
    );
}

#[test]
fn star_leads_back_from_the_options_to_where_the_caller_was() {
    check_inside(
        "1 old",
        "
        <- digits 0
        -> choose menu-change-pin menu-record-greeting menu-back
        <- digits *
        -> choose menu-messages menu-options menu-exit
        <- digits 1
        -> store sound 1
        <- sound 80
        -> play message 1 from-unknown received:1
        <- played 0
        -> choose menu-change-pin menu-record-greeting menu-back
        <- digits *
        -> choose menu-repeat menu-delete menu-next menu-previous menu-options menu-exit menu-help
        ",
    );
}

#[test]
fn hanging_up_anywhere_ends_the_session() {
    let walk = [
        "start",
        "mailbox new 1 greeting 9",
        "digits 1234",
        "messages 1 new",
        "digits 1",
        "sound 80",
        "played",
        "played",
        "told",
        "digits 0",
        "digits 1",
        "digits 86420",
        "digits 86420",
        "done",
        "digits 2",
        "played",
        "told",
        "recorded 3000 silent 0 #",
        "done",
        "sound 80",
        "digits 3",
        "done",
    ];
    for steps in 1..=walk.len() {
        let mut conversation = listen(Some("101"));
        let mut last = None;
        for line in &walk[..steps] {
            last = Some(conversation.next(ladder::reply(line)));
        }
        match last {
            // These get their own reply first.
            Some(Ask::Store(_)) => {}
            // The length was lost: the draft goes, then it is over.
            Some(Ask::Record { .. }) => {
                assert!(matches!(conversation.next(Reply::HungUp), Ask::Store(_)));
                assert!(matches!(conversation.next(Reply::Told), Ask::Done(_)));
            }
            Some(Ask::Play { .. } | Ask::Collect { .. }) => {
                let ask = conversation.next(Reply::HungUp);
                assert!(matches!(ask, Ask::Done(_)), "after {steps} steps: {ask:?}");
            }
            Some(Ask::Done(_)) | None => panic!("over after {steps} steps"),
        }
    }
}

#[test]
fn a_pin_is_never_shown() {
    let mut conversation = listen(Some("101"));
    for line in ["start", "mailbox", "digits 1234", "messages", "digits 0", "digits 1"] {
        conversation.next(ladder::reply(line));
    }
    conversation.next(ladder::reply("digits 86420"));
    let shown = format!("{conversation:?}");
    assert!(!shown.contains("86420") && !shown.contains("1234"), "{shown}");
}

fn listen(mailbox: Option<&str>) -> Listen {
    let config = MailboxConfig {
        pin: "1234".into(),
        messages_max: 100,
        message_max: Duration::from_secs(120),
    };
    Listen::new(ListenContext {
        mailbox: mailbox.map(str::to_owned),
        mailboxes: Arc::new(BTreeMap::from([("101".to_owned(), config)])),
        language: "en".into(),
        seed: 7,
    })
}

#[track_caller]
fn check(ladder: &str) {
    check_as(Some("101"), ladder);
}

#[track_caller]
fn check_as(mailbox: Option<&str>, ladder: &str) {
    let mut conversation = listen(mailbox);
    ladder::check(|reply| conversation.next(reply), ladder);
}

/// Begins after the counts of `messages` were told.
#[track_caller]
fn check_inside(messages: &str, ladder: &str) {
    let mut conversation = listen(Some("101"));
    for line in ["start", "mailbox", "digits 1234", &format!("messages {messages}")] {
        conversation.next(ladder::reply(line));
    }
    ladder::check(|reply| conversation.next(reply), ladder);
}
