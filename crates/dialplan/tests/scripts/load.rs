//! What is found wrong before any call.

use dialplan::{Generation, Limits, Step};

use crate::ladder::{begin, handler, load, names, now, sources, start};

/// Each mistake in a handler, as it is told; the handler's first line is line 2.
#[track_caller]
fn check_mistake(body: &str, expected: &str) {
    let errors = load(&handler(body)).unwrap_err();
    let told: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(told.join("\n"), expected, "{body}");
}

#[test]
fn mistakes_in_names_and_literals_are_found_with_their_line() {
    for (body, problem) in [
        ("call:awnser()", "there is no verb call:awnser (did you mean call:answer?)"),
        ("call:conference()", "there is no verb call:conference"),
        ("call:play 'welcom'", "call:play: no prompt \"welcom\"; did you mean \"welcome\"?"),
        (
            "call:play({ 'welcome', \"nothing\" })",
            "call:play: no prompt \"nothing\" (nor \"en/nothing\") in the prompts folder",
        ),
        (
            "call:play('tone:5')",
            "call:play: \"tone:5\" is not a tone; write tone:HZ, tone:HZ+HZ/ON,OFF or tone:HZ:SECONDS, with 20 to 3900 Hz",
        ),
        (
            "call:read { prompt = 'nothing' }",
            "call:read: no prompt \"nothing\" (nor \"en/nothing\") in the prompts folder",
        ),
        (
            "call:menu { prompt = { 'nothing' }, ['1'] = function() return 1, 2 end }",
            "call:menu: no prompt \"nothing\" (nor \"en/nothing\") in the prompts folder",
        ),
        (
            "call:menu { promt = 'menu', ['1'] = '1' }",
            "call:menu: no option \"promt\"; did you mean \"prompt\"?",
        ),
        (
            "call:dial('ext/103', { timeout = 2 })",
            "call:dial: there is no extension \"103\"; did you mean \"101\"?",
        ),
        ("call:dial { 'ext/101', { to = 'ext/7' } }", "call:dial: there is no extension \"7\""),
        (
            "call:dial { { 'ext/101' }, { '102' } }",
            "call:dial: \"102\" is not a target; did you mean \"ext/102\"?",
        ),
        (
            "call:dial('ext/101', { timout = math.max(1, 2) })",
            "call:dial: no option \"timout\"; did you mean \"timeout\"?",
        ),
        (
            "call:voicemail('105')",
            "call:voicemail: there is no mailbox \"105\"; did you mean \"101\"?",
        ),
        ("call:go('suport')", "call:go: no route matches \"suport\""),
        (
            "call:queued { music = 'music/morning' }",
            "call:queued: no prompt \"music/morning\"; did you mean \"music/evening\"?",
        ),
        (
            "call:play(cond and 'welcome' or 'by')",
            "call:play: no prompt \"by\"; did you mean \"bye\"?",
        ),
        (
            "local office = 7 call:dial('ext/10' .. office)",
            "call:dial: there is no extension \"107\"; did you mean \"101\"?",
        ),
        ("call:menu { ['1'] = '2' }", "call:menu: no route matches \"2\"; did you mean \"1\"?"),
        ("call:hangup 'bussy'", "call:hangup: \"bussy\" is not known here; did you mean \"busy\"?"),
        (
            "call:read { match = { '1xx' } }",
            "call:read: \"1xx\": pattern letters are capitals: write \"1XX\"",
        ),
        (
            "if time.open 'mo 9-12' then end",
            "time.open: \"mo\" is not a day; days are mon tue wed thu fri sat sun",
        ),
    ] {
        check_mistake(body, &format!("scripts/main.lua:2: {problem}"));
    }
}

#[test]
fn what_is_put_together_at_run_time_is_not_judged() {
    for body in [
        "call:play('wel' .. name)",
        "call:play(cond and 'welcome' or 'bye')",
        "call:dial('ext/' .. call.to.user)",
        "call:dial({ 'ext/' .. number, call.vars.targets() })",
        "call:go(digits)",
        "call:menu { ['1'] = function() local t = { promt = 1 } return t end }",
        "-- call:awnser()\nlocal text = 'call:awnser()'",
        "local x = { call = 1 }; x.call:anything()",
    ] {
        assert!(load(&handler(body)).is_ok(), "{body}");
    }
}

#[test]
fn a_mistake_has_its_column_and_the_text_of_its_line() {
    let errors = load("route('1', function(call)\n  call:play 'welcom'\nend)").unwrap_err();
    let error = &errors[0];
    assert_eq!((error.line, error.column, error.length), (Some(2), Some(13), Some(8)));
    assert_eq!(error.source_line.as_deref(), Some("  call:play 'welcom'"));
}

#[test]
fn syntax_errors_of_every_file_are_told() {
    let sources =
        sources(&[("main.lua", "x = = 1"), ("lib/a.lua", "\nfor"), ("lib/b.lua", "\x1bLua")]);
    let errors = Generation::load(&sources, names(), Limits::default(), &now()).unwrap_err();
    let told: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 3, "{told:?}");
    assert_eq!(told[0], "scripts/lib/a.lua:2: a name is missing after for");
    assert!(told[1].starts_with("scripts/lib/b.lua:1: ") && told[1].contains("binary"), "{told:?}");
    assert_eq!(told[2], "scripts/main.lua:1: expected a value, found \"=\" (one = is enough)");
    assert_eq!(errors[2].source_line.as_deref(), Some("x = = 1"));
}

#[test]
fn errors_while_loading_are_told_with_their_line() {
    for (main, expected) in [
        ("\nerror('no')", "scripts/main.lua:2: no"),
        ("error({})", "scripts/main.lua:1: table: "),
        (
            "route('1xx', print)",
            "scripts/main.lua:1: route: pattern \"1xx\": pattern letters are capitals: write \"1XX\"",
        ),
        ("route('1')", "scripts/main.lua:1: route: expected a function to handle \"1\", got nil"),
        (
            "route('1', { pubic = true }, print)",
            "scripts/main.lua:1: route: no option \"pubic\"; there is public",
        ),
        (
            "require 'lib.nothing'",
            "scripts/main.lua:1: require \"lib.nothing\": there is no scripts/lib/nothing.lua",
        ),
        ("require 'main'", "scripts/main.lua:1: require \"main\": there is no scripts/main.lua"),
        (
            "while true do pcall(error) end",
            "scripts/main.lua:1: used up its instructions; is there an endless loop?",
        ),
        (
            "local t = {} while true do t[#t + 1] = ('x'):rep(1000) .. #t end",
            "scripts/main.lua:1: the scripts need more memory",
        ),
        ("undefined()", "scripts/main.lua:1: attempt to call a nil value (global 'undefined')"),
        (
            "rout('1', print)",
            "scripts/main.lua:1: attempt to call a nil value (global 'rout') (did you mean route?)",
        ),
    ] {
        let limits =
            Limits { instructions_at_load: 3_000_000, memory_base: 8 << 20, ..Limits::default() };
        let sources = sources(&[("main.lua", main)]);
        let errors = Generation::load(&sources, names(), limits, &now()).unwrap_err();
        assert!(errors[0].to_string().starts_with(expected), "{main}: {}", errors[0]);
    }
}

#[test]
fn a_missing_main_is_told() {
    let errors = Generation::load(&sources(&[]), names(), Limits::default(), &now()).unwrap_err();
    assert_eq!(
        errors[0].to_string(),
        "scripts/main.lua: there is no such file (the dialplan begins there)"
    );
}

#[test]
fn routes_cannot_be_added_later() {
    crate::ladder::check_body(
        "route('2', print)",
        "dial 1
        > fails scripts/main.lua:2: route: routes can only be added while the scripts load",
    );
}

#[test]
fn a_dialplan_checked_before_is_not_checked_again() {
    let sources = sources(&[("main.lua", &handler("call:awnser()"))]);
    let load = |check| {
        let loading = dialplan::Loading { check, ..dialplan::Loading::default() };
        Generation::load_as(&sources, names(), Limits::default(), loading, &now())
    };
    assert!(load(dialplan::Check::Now).is_err());
    assert!(load(dialplan::Check::Done).is_ok());
}

/// Loads and keeps, or loads from what was kept.
fn load_kept(
    kept: &dialplan::Kept,
    files: &[(&str, &str)],
    names: dialplan::Names,
) -> Result<Generation, Vec<dialplan::LoadError>> {
    let loading = dialplan::Loading { kept: Some(kept.clone()), ..dialplan::Loading::default() };
    Generation::load_as(&sources(files), names, Limits::default(), loading, &now())
}

#[test]
fn scripts_that_were_kept_run_as_if_they_were_loaded_from_their_texts() {
    let files = [
        (
            "main.lua",
            "require 'lib.count'\nroute('1', function(call)\n  local nothing\n  nothing.x = 1\nend)",
        ),
        ("lib/count.lua", "count = (count or 0) + 1 log.info('count ' .. count) return {}"),
    ];
    let kept = dialplan::Kept::default();
    for _ in 0..3 {
        let generation = load_kept(&kept, &files, names()).unwrap();
        let logged: Vec<String> =
            generation.take_logs().into_iter().map(|line| line.text).collect();
        assert_eq!(logged, ["count 1"], "each has globals and modules of its own");
        let step = begin(&mut start(&generation, "1"));
        let Step::Failed(error) = step else { panic!("{step:?}") };
        assert_eq!((error.file.as_str(), error.line), ("scripts/main.lua", Some(4)));
        assert!(error.message.contains("local 'nothing'"), "{error}");
    }
}

#[test]
fn other_texts_or_names_are_never_taken_for_what_was_kept() {
    let kept = dialplan::Kept::default();
    let wrong = [("main.lua", "route('1', function(call) call:anser() end)")];
    let right = [("main.lua", "route('1', function(call) call:play('hello') end)")];
    let other = [("main.lua", "route('2', function(call) call:play('hello') end)")];
    let mut with_hello = names();
    with_hello.prompts.insert("en/hello".into());
    assert!(load_kept(&kept, &wrong, names()).is_err());
    assert!(load_kept(&kept, &wrong, names()).is_err(), "what is wrong is not kept");
    assert!(load_kept(&kept, &right, with_hello.clone()).is_ok());
    assert!(load_kept(&kept, &right, names()).is_err(), "the prompt is gone");
    let generation = load_kept(&kept, &other, with_hello.clone()).unwrap();
    assert_eq!(generation.routes()[0].pattern, "2");
    let generation = load_kept(&kept, &right, with_hello).unwrap();
    assert_eq!(generation.routes()[0].pattern, "1");
}
