//! `compat.freeswitch`: scripts as they were written for FreeSWITCH, on the bench.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use bench::{Act, Behaviour, Call, Called, Heard, Office, PartyId, Phone, What};
use pbx::Notice;

use crate::shipped::{dialplan_of, root, setup};

/// What a script becomes here: a route for 5000, and one beside it to go on with.
fn office(script: &str) -> Office {
    let main = format!(
        r#"local freeswitch = require "compat.freeswitch"
freeswitch.sounds["/usr/share/sounds/music.wav"] = "music/river"
route("5000", function(call)
  session = freeswitch.session(call)
{script}
end)
route("1XX", function(call) call:dial("ext/" .. call.to.user) end)
"#
    );
    let compat = fs::read_to_string(root().join("scripts/compat/freeswitch.lua")).unwrap();
    let sources = dialplan_of(&[("main.lua", &main), ("compat/freeswitch.lua", &compat)]);
    let mut setup = setup(sources, "2026-11-23T10:00:00Z");
    let by = pbx::SpeechBy::Command(vec!["speak".to_owned()]);
    setup.config.speech = Some(Arc::new(pbx::Synthesiser::new(by)));
    Office::new(setup).unwrap_or_else(|mistakes| panic!("{}", mistakes[0]))
}

/// Has 105 call 5000 and press these keys so many seconds after the answer, until the call is over.
fn call(office: &mut Office, keys: &[(u64, &str)]) -> PartyId {
    let at = |(at, keys): &(u64, &str)| (Duration::from_secs(*at), Act::Press((*keys).to_owned()));
    let talking = keys.iter().map(at).collect();
    let mut call = Call::of_account("105", "5000");
    call.behaviour = Behaviour { talking, ..Behaviour::default() };
    let caller = office.call(call).unwrap();
    let over = |office: &Office| office.party(caller).unwrap().is_free();
    assert!(office.run_until_that(Duration::from_secs(600), over));
    assert_eq!(office.finish(), Vec::<String>::new());
    caller
}

/// What the caller heard, one thing after the other.
fn heard(office: &Office, caller: PartyId) -> Vec<String> {
    let hearings = office.party(caller).unwrap().hearings().iter();
    let words = hearings.map(|hearing| match &hearing.heard {
        Heard::Prompt(name) => name.trim_start_matches("en/").to_owned(),
        Heard::Party(party) => office.party(*party).unwrap().name().to_owned(),
        Heard::Tone(name) => name.to_string(),
        Heard::Ringing => "ringing".to_owned(),
        Heard::Speech(text) => format!("\"{text}\""),
        other => format!("{other:?}"),
    });
    words.collect()
}

/// What scripts logged, and how they failed.
fn lines(office: &Office) -> Vec<String> {
    let told = office.happenings().iter().filter_map(|happening| match &happening.what {
        What::Exchange(Notice::Script { text, .. }) => Some(text.clone()),
        What::Exchange(Notice::ScriptFailed(failure)) => Some(format!("{}", failure.error)),
        _ => None,
    });
    told.collect()
}

const MENU: &str = r##"
  session:answer()
  session:setAutoHangup(true)
  while session:ready() do
    local digits = session:playAndGetDigits(1, 1, 3, 5000, "#", "main/menu.wav", "main/invalid.wav",
      "^(1|[4-6])$")
    if digits == "1" then
      session:execute("transfer", "101 XML default")
    elseif digits == "5" then
      session:streamFile("main/goodbye.wav")
      session:hangup()
    elseif digits == "" then
      session:hangup("NORMAL_CLEARING")
    end
  end
"##;

#[test]
fn a_menu_asks_again_until_it_is_told_something_that_fits() {
    let mut office = office(MENU);
    let answers = Called::Answers { after: Duration::from_secs(2) };
    let bob = Phone::new("101").called(answers).then(Duration::from_secs(5), Act::Hangup);
    office.add_phone(bob).unwrap();
    let caller = call(&mut office, &[(0, "9"), (4, "1")]);
    let expected = ["main/menu", "main/invalid", "main/menu", "ringback", "101"];
    assert_eq!(heard(&office, caller), expected, "{:?}", lines(&office));
}

#[test]
fn a_menu_ends_when_it_is_told_so_or_nothing_three_times() {
    let mut office = self::office(MENU);
    let caller = call(&mut office, &[(0, "5")]);
    assert_eq!(heard(&office, caller), ["main/menu", "main/goodbye"]);
    let mut office = self::office(MENU);
    let caller = call(&mut office, &[]);
    assert_eq!(heard(&office, caller), ["main/menu", "main/invalid"].repeat(3));
}

const PIN: &str = r##"
  function goodbye(s, status, what)
    freeswitch.consoleLog("NOTICE", what .. " " .. status .. " " .. s:hangupCause() .. "\n")
  end
  session:setHangupHook("goodbye", "line 5000:")
  session:answer()
  session:sleep(500)
  local pin = session:read(4, 4, "main/enter-digits.wav", 5000, "#")
  if pin ~= "4711" then
    session:consoleLog("warning", "wrong PIN from " .. session:getVariable("caller_id_number"))
    session:execute("playback", "main/no-access.wav")
    session:hangup("CALL_REJECTED")
  end
  session:setVariable("effective_caller_id_number", "5000")
  session:execute("set", "call_timeout=10")
  session:execute("bridge", "{ignore_early_media=true}user/101@${domain},[leg_timeout=5]user/102|user/103")
  if session:getVariable("originate_disposition") ~= "SUCCESS" then
    session:execute("say", "en number iterated " .. session:getVariable("destination_number"))
    session:execute("voicemail", "default ${domain} 103")
  end
"##;

#[test]
fn a_pin_opens_the_way_to_phones_in_turn() {
    let mut office = office(PIN);
    office.add_phone(Phone::new("101").called(Called::busy())).unwrap();
    office.add_phone(Phone::new("102")).unwrap();
    let answers = Called::Answers { after: Duration::from_secs(1) };
    let last = Phone::new("103").called(answers).then(Duration::from_secs(5), Act::Hangup);
    let last = office.add_phone(last).unwrap();
    let caller = call(&mut office, &[(2, "4711")]);
    let expected = ["main/enter-digits", "ringback", "103"];
    assert_eq!(heard(&office, caller), expected, "{:?}", lines(&office));
    assert_eq!(heard(&office, last), ["105"]);
    let shown = office.messages(last).find_map(|(_, traffic)| {
        let text = String::from_utf8_lossy(&traffic.bytes).into_owned();
        text.starts_with("INVITE").then_some(text)
    });
    assert!(shown.unwrap().contains("<sip:5000@"));
    assert_eq!(lines(&office), ["line 5000: hangup NORMAL_CLEARING"]);
}

#[test]
fn nobody_there_is_told_by_a_variable_and_the_script_goes_on() {
    let mut office = office(PIN);
    let caller = call(&mut office, &[(2, "4711"), (30, "#")]);
    let heard = heard(&office, caller);
    let digits = ["digits/5", "digits/0", "digits/0", "digits/0", "vm/person-at"];
    assert_eq!(heard[1..6], digits, "{heard:?} {:?}", lines(&office));
}

#[test]
fn a_wrong_pin_is_logged_without_its_digits() {
    let mut office = office(PIN);
    let caller = call(&mut office, &[(2, "1234")]);
    assert_eq!(heard(&office, caller), ["main/enter-digits", "main/no-access"]);
    let expected = ["wrong PIN from 105", "line 5000: hangup CALL_REJECTED"];
    assert_eq!(lines(&office), expected);
}

const DICTATION: &str = r##"
  local function on_key(s, kind, key, count)
    count.keys = count.keys + 1
    freeswitch.consoleLog("info", kind .. " " .. count.keys)
    if key.digit == "*" then return "break" end
  end
  session:answer()
  session:setInputCallback(on_key, { keys = 0 })
  session:streamFile("file_string:///usr/share/sounds/music.wav!main/thank-you.wav")
  session:unsetInputCallback()
  session:streamFile("tone_stream://%(200,100,800)")
  session:recordFile("/tmp/dictation one.wav", 60, 30, 3)
  session:flushDigits()
  session:execute("send_dtmf", "12@200")
  local done = session:getDigits(1, "#", 3000)
  session:execute("log", "INFO done with " .. #done)
"##;

#[test]
fn keys_reach_the_input_callback_while_sounds_go_on_or_stop() {
    let mut office = office(DICTATION);
    let caller = call(&mut office, &[(0, "1"), (20, "7")]);
    let expected = ["music/river", "main/thank-you", "tone:800:0.2"];
    let mut heard = heard(&office, caller);
    heard.dedup();
    assert_eq!(heard[..3], expected, "{:?}", lines(&office));
    assert_eq!(lines(&office), ["dtmf 1", "done with 0"]);
    let kept: Vec<_> = office.shelf().recordings.keys().collect();
    assert_eq!(kept, ["dictation-one"]);

    let mut office = self::office(DICTATION);
    let caller = call(&mut office, &[(0, "*")]);
    assert_eq!(self::heard(&office, caller)[..2], ["music/river", "tone:800:0.2"]);
}

const SECOND_LEG: &str = r##"
  session:preAnswer()
  local other = freeswitch.Session("{call_timeout=10}user/101", session)
  if other:ready() then
    freeswitch.bridge(session, other)
    freeswitch.consoleLog("info", "they talked, " .. session:getVariable("originate_disposition"))
  else
    freeswitch.consoleLog("info", "nobody: " .. other:hangupCause())
    session:hangup(other:hangupCause())
  end
"##;

#[test]
fn a_second_leg_is_rung_and_joined_to_the_caller() {
    let mut office = office(SECOND_LEG);
    let answers = Called::Answers { after: Duration::from_secs(2) };
    let bob = Phone::new("101").called(answers).then(Duration::from_secs(5), Act::Hangup);
    let bob = office.add_phone(bob).unwrap();
    let caller = call(&mut office, &[]);
    assert_eq!(lines(&office), ["they talked, SUCCESS"]);
    assert_eq!(heard(&office, caller).last().unwrap(), "101");
    assert_eq!(heard(&office, bob), ["105"]);

    let mut office = self::office(SECOND_LEG);
    office.add_phone(Phone::new("101").called(Called::busy())).unwrap();
    call(&mut office, &[]);
    assert_eq!(lines(&office), ["nobody: USER_BUSY"]);
}

#[test]
fn texts_are_spoken_by_whom_the_script_says() {
    let mut office = office(
        r#"  session:answer()
  session:set_tts_params("flite", "kal")
  session:speak("Hello there.")
  session:execute("speak", "flite|slt|Good bye.")
  session:streamFile("file_string://main/thank-you.wav!say:And thanks.")
  session:setInputCallback(function(_, kind, key) log.info(kind, key.digit) return "break" end)
  session:speak("A story that nobody wants to hear to its end.")"#,
    );
    let caller = call(&mut office, &[(5, "7")]);
    assert_eq!(
        heard(&office, caller),
        [
            "\"Hello there.\"",
            "\"Good bye.\"",
            "main/thank-you",
            "\"And thanks.\"",
            "\"A story that nobody wants to hear to its end.\""
        ]
    );
    assert_eq!(lines(&office), ["dtmf 7"]);
}

#[test]
fn what_is_missing_is_told_at_the_line_that_wanted_it_with_the_way_to_go() {
    for (line, expected) in [
        ("freeswitch.API()", "freeswitch.API is not available: there is no command interface"),
        ("freeswitch.Session('user/101'):streamFile('x')", "session:streamFile of a second leg"),
        ("freeswitch.Session('tel:1')", "\"tel:1\" cannot be rung"),
        ("freeswitch.bridge(session, session)", "one of the two must be the caller's session"),
        ("session:sendEvent('x')", "session:sendEvent is not available: there is no event socket"),
        ("session:wiggle()", "session:wiggle is not available: use the verbs of call"),
        ("session:execute('conference', 'x')", "the application conference is not available"),
        ("session:execute('bridge', 'sofia/gateway/x/12')", "there are no gateways"),
        ("session:execute('bridge', 'loopback/12')", "\"loopback/12\" cannot be rung"),
        ("session:streamFile('/tmp/x.wav')", "copy the file to the folder prompts/en/"),
        ("session:streamFile('main/welcom.wav')", "did you mean \"main/welcome\"?"),
        ("session:speak('')", "text is empty"),
        ("session:setAutoHangup(false)", "a call ends with its route"),
        ("session:hangup('WHATEVER')", "\"WHATEVER\" is not known"),
        ("session:setHangupHook('nobody')", "there is no global function nobody"),
        ("session:read(1, 4, nil, 1000, '#*')", "one key can end the input"),
        ("session:setVariable('sip_h_X-A', 'b')", "headers of calls to others cannot be set"),
        ("session:playAndGetDigits(1, 4, 1, 9, '#', nil, nil, '(?=x)')", "is too much for this"),
    ] {
        let mut office = office(line);
        call(&mut office, &[]);
        let told = lines(&office).join("\n");
        assert!(told.contains(expected), "{line}: {told}");
        assert!(told.starts_with("scripts/main.lua:5: "), "{line}: {told}");
    }
}

#[test]
fn regular_expressions_of_digits_are_understood() {
    for (expression, fits, others) in [
        (r"\\d+", "123", &[""][..]),
        (r"^\\d{4}$", "1234", &["123", "12345"]),
        (r"^[1-35]$", "5", &["4", "12"]),
        (r"^[^0]\\d*$", "10", &["01"]),
        (r"^(1|2\\d|33)?$", "27", &["2", "333"]),
        (r"^(?:12){2,3}$", "1212", &["12", "12121212"]),
        (r"^1.\\*$", "12*", &["123"]),
        ("1|2", "31", &["34"]),
    ] {
        for (digits, right) in
            std::iter::once((fits, true)).chain(others.iter().map(|o| (*o, false)))
        {
            let mut office = office(&format!(
                r##"session:answer()
                local digits = session:playAndGetDigits(0, 9, 1, 2000, "#", nil, nil, "{expression}")
                print(digits == "{digits}")"##
            ));
            let keys = format!("{digits}#");
            call(&mut office, &[(0, &keys)]);
            // Nothing typed is the empty text, which is also what a failure gives.
            let expected = if right || digits.is_empty() { "true" } else { "false" };
            assert_eq!(lines(&office), [expected], "{expression} and {digits}");
        }
    }
}
