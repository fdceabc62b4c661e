//! Texts that are spoken: what a script asks for, what it is told, and what it may not ask for.

use dialplan::{Check, Generation, Limits, Loading, Names};

use crate::ladder::{check_body, check_on, handler, names, now, sources};

#[test]
fn a_text_is_played_as_prompts_are_and_gives_back_the_same() {
    check_body(
        "local spoken = call:speak('Your order\\n  12 is ready.', { barge = true, gain = -3 })
         log.info(spoken.digit, spoken.interrupted, spoken.ms, spoken.why)
         spoken = call:speak(42, { lang = 'de', loop = true })
         log.info(spoken.ms, spoken.why)",
        "
        dial 1
        > play en \"Your order 12 is ready.\"
        < played 1 900
        > log info scripts/main.lua:3 1 true 900 nil
        > play de \"42\"
        < unspoken timeout
        > log info scripts/main.lua:5 0 timeout
        > returns
        ",
    );
}

#[test]
fn a_text_stands_wherever_sounds_are_given() {
    check_body(
        "call:play { 'welcome', { speak = 'Line 2', voice = 'anna' }, 'silence:1', { speak = 7 } }
         call:play { speak = 'alone', lang = 'fr' }
         call:read { prompt = { speak = 'Number?' }, invalid = { 'bye', { speak = 'No.' } }, max = 1 }
         call:menu { prompt = { { speak = 'Press 1' } }, ['1'] = function() end }",
        "
        dial 1
        > play en/welcome Speech(Speech { text: \"Line 2\", language: \"en\", voice: Some(\"anna\") }) Silence(1s) en \"7\"
        < played - 5000
        > play fr \"alone\"
        < played - 1000
        > Read(Read { prompt: [Speech(Speech { text: \"Number?\", language: \"en\", voice: None })], digits_max: 1, timeout: 5s, between: 3s, terminator: Some('#'), tries: 1, accept: [], invalid: [Prompt(\"en/bye\"), Speech(Speech { text: \"No.\", language: \"en\", voice: None })] })
        < read 1
        > Read(Read { prompt: [Speech(Speech { text: \"Press 1\", language: \"en\", voice: None })], digits_max: 1, timeout: 5s, between: 3s, terminator: Some('#'), tries: 1, accept: [\"1\"], invalid: [] })
        < read 1
        > returns
        ",
    );
}

#[test]
fn what_cannot_be_spoken_is_an_error_at_its_line() {
    for (wrong, problem) in [
        ("call:speak()", "text is missing; expected a text to speak"),
        ("call:speak(nil)", "text is missing; expected a text to speak"),
        ("call:speak('')", "text is empty"),
        ("call:speak(' \\n ')", "text is empty"),
        ("call:speak('a\\0b')", "text has a control character in it"),
        ("call:speak('\\xff')", "text is not UTF-8 text"),
        ("call:speak(('x'):rep(4001))", "text is longer than 4000 bytes; speak it in parts"),
        ("call:speak({})", "text: expected a text to speak, got a table"),
        (
            "call:speak('a', { lang = '../x' })",
            "lang must begin with a letter or digit and have only those and -_.+:@ in it, up to 64 of them",
        ),
        (
            "call:speak('a', { voice = '-w/x' })",
            "voice must begin with a letter or digit and have only those and -_.+:@ in it, up to 64 of them",
        ),
        ("call:speak('a', { voice = 5 })", "voice: expected a string, got a number"),
        (
            "call:speak('a', { speed = 5 })",
            "no option \"speed\"; there are lang, voice, loop, barge, from, gain",
        ),
        ("call:play { { speak = 'a', vioce = 'b' } }", "no key \"vioce\"; did you mean \"voice\"?"),
        (
            "call:play { speak = 'a', 'welcome' }",
            "a text to speak stands in a table of its own: { \"welcome\", { speak = \"...\" } }",
        ),
        ("call:play { 'welcome', { 'bye' } }", "sounds has a table in its list"),
        ("call:play { { speak = print } }", "text: expected a text to speak, got a function"),
        (
            "call:queued { music = { speak = 'a' } }",
            "music: expected a prompt name, \"tone:...\" or \"silence:...\", got a table",
        ),
    ] {
        let verb = wrong.split([':', '(', ' ', '{']).nth(1).unwrap();
        check_body(
            &format!("log.info(select(2, pcall(function() {wrong} end)))"),
            &format!(
                "
                dial 1
                > log info scripts/main.lua:2 scripts/main.lua:2: call:{verb}: {problem}
                > returns
                "
            ),
        );
    }
}

#[test]
fn without_a_synthesiser_the_error_names_what_to_configure() {
    let main = handler("call:play('welcome')\ncall:speak('Hello')");
    let loading = Loading { check: Check::Done, ..Loading::default() };
    let names = Names { speech: false, ..names() };
    let sources = sources(&[("main.lua", &main)]);
    let generation =
        Generation::load_as(&sources, names, Limits::default(), loading, &now()).unwrap();
    check_on(
        &generation,
        "
        dial 1
        > play en/welcome
        < played - 100
        > fails scripts/main.lua:3: call:speak: nothing speaks texts: add a section [speech] with `command` or `url` to cordboard.toml
        ",
    );
}
