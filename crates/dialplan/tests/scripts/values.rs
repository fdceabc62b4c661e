//! What scripts see: the call, the time, their globals, Lua's libraries.

use dialplan::{Limits, Outcome, Step};

use crate::ladder::{
    begin, check, check_body, check_on, generation, load, names, now, resume, sources, start,
};

#[test]
fn the_call_tells_who_where_and_what() {
    check_body(
        "log(call.from.user, call.from.name, call.from.host, call.to.user, call.to.name == '')
         log(call.id, call.uri, call.account, call.source)
         log(call.headers['x-room'], call.headers['X-ROOM'], call.headers.Diversion, call.headers.None)
         call.vars.x = 1
         log(call.vars.x)",
        "
        dial 1
        > log info scripts/main.lua:2 102 Bob example.org 1 true
        > log info scripts/main.lua:3 call-1 sip:1@example.org 102 192.0.2.7:5060
        > log info scripts/main.lua:4 12 12 a, b nil
        > log info scripts/main.lua:6 1
        > returns
        ",
    );
}

#[test]
fn a_wrong_value_of_the_call_is_told_with_the_right_one() {
    check_body(
        "local x = call.form.user",
        "dial 1
        > fails scripts/main.lua:2: call has no \"form\"; did you mean \"from\"?",
    );
    check_body(
        "call.x = 1",
        "dial 1
        > fails scripts/main.lua:2: call.x cannot be set; use call.vars",
    );
}

#[test]
fn the_time_is_the_one_passed_in() {
    check_body(
        "log(time.now(), time.hour, time.minute, time.second, time.weekday, time.year)
         log(time.date('%H:%M'), time.date('%F', 0), time.date())
         log(time.open('mon-fri 08:30-17:30'), time.open('sat'))
         log(pcall(time.open, 'nev' .. 'er'))",
        "
        dial 1
        > log info scripts/main.lua:2 1795439109.25 14 5 9 mon 2026
        > log info scripts/main.lua:3 14:05 1970-01-01 2026-11-23 14:05:09
        > log info scripts/main.lua:4 true false
        > log info scripts/main.lua:5 false scripts/main.lua:5: time.open: \"never\" is not a day; days are mon tue wed thu fri sat sun
        > returns
        ",
    );
}

#[test]
fn globals_of_a_call_are_its_own_and_those_of_loading_are_everybodys() {
    let generation = generation(
        "shared = 'all'
         route('1', function(call)
           log(shared, mine)
           shared, mine = 'changed', call.to.user
           call:answer()
           log(shared, mine, _G.mine)
         end)
         route('2', function(call) log(shared, mine) end)",
        Limits::default(),
    );
    let mut first = start(&generation, "1");
    assert!(matches!(begin(&mut first), Step::Ask { .. }));
    assert_eq!(generation.take_logs()[0].text, "all nil");
    check_on(&generation, "dial 2\n> log info scripts/main.lua:8 all nil\n> returns");
    assert_eq!(resume(&mut first, Outcome::Done), Step::Returned);
    let logs: Vec<_> = generation.take_logs().into_iter().map(|line| line.text).collect();
    assert_eq!(logs, ["changed 1 1"]);
}

#[test]
fn logs_are_bounded_clean_and_carry_level_and_call() {
    let limits = Limits { log_lines: 3, ..Limits::default() };
    let generation = generation(
        "route('1', function(call)
           log.debug('a\\r\\n\\27[31mb') log.warn() print(1, nil) log.error('dropped') log 'too'
         end)",
        limits,
    );
    assert_eq!(begin(&mut start(&generation, "1")), Step::Returned);
    let logs = generation.take_logs();
    let texts: Vec<_> = logs.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(
        texts,
        ["a   [31mb", "", "1 nil", "scripts logged too much at once; 2 more lines were dropped"]
    );
    assert_eq!(logs[0].call, "call-1");
    assert!(generation.take_logs().is_empty());
}

#[test]
fn require_finds_scripts_and_runs_each_once() {
    let sources = sources(&[
        ("main.lua", "local hours = require 'lib.hours'\nrequire 'lib.hours'\nhours.add()"),
        ("lib/hours.lua", "log 'once'\nreturn { add = function() route('5', print) end }"),
    ]);
    let generation =
        dialplan::Generation::load(&sources, names(), Limits::default(), &now()).unwrap();
    assert_eq!(generation.take_logs().len(), 1);
    assert_eq!(generation.routes()[0].file, "scripts/lib/hours.lua");
    assert_eq!(generation.routes()[0].line, 2);
}

#[test]
fn string_functions_work_as_in_lua() {
    let body = r#"
        local function is(what, ...)
          local got = table.pack(...)
          for i = 1, got.n do got[i] = tostring(got[i]) end
          local text = table.concat(got, ' ')
          if text ~= what then error('expected ' .. what .. ', got ' .. text, 2) end
        end
        is('ababab', ('ab'):rep(3)) is('a,a', ('a'):rep(2, ',')) is('', ('a'):rep(-1))
        is('2 3', ('hello'):find('el')) is('nil', ('hello'):find('xyz')) is('1 0', (''):find(''))
        is('3 3', ('a.b'):find('b', -1)) is('2 2', ('a.b'):find('.', 2, true))
        is('6 5', ('hello'):find('', 6)) is('nil', ('hello'):find('', 7))
        is('ell', ('hello'):match('e(%a-)l?o?$') and ('hello'):match('el+'))
        is('key value', ('key = value'):match('^(%w+)%s*=%s*(%w+)$'))
        is('2 4', ('abc'):match('()bc()')) is('(b(c)d)', ('a(b(c)d)e'):match('%b()'))
        is('THE', ('THE (quick) fox'):match('%f[%a]%a+')) is('aa', ('baab'):match('(a)%1') and 'aa')
        is(']', (']'):match('[]]')) is('^', ('^'):match('[%^]')) is('-', ('a-'):match('[a%-]$'))
        is('x', ('x'):match('[^%d]')) is('5', ('a5'):match('[0-9]'))
        is('hexxo 2', ('hello'):gsub('l', 'x')) is('hexlo 1', ('hello'):gsub('l', 'x', 1))
        is('h-e-l-l-o- 5', ('hello'):gsub('.', '%0-')) is('-a-b- 3', ('ab'):gsub('', '-'))
        is('world hello 1', ('hello world'):gsub('(%w+) (%w+)', '%2 %1'))
        is('1 b 1', ('a b'):gsub('%w', { a = 1 }, 1)) is('A b 2', ('a b'):gsub('%w', function(c)
          if c == 'a' then return 'A' end end))
        is('xello 1', ('hello'):gsub('^h', 'x')) is('%x 1', ('a'):gsub('a', '%%x'))
        local words = {}
        for k, v in ('a=1, b=2'):gmatch('(%w+)=(%w+)') do words[#words + 1] = k .. v end
        is('a1 b2', table.concat(words, ' '))
        words = {} for w in ('one two'):gmatch('%a+') do words[#words + 1] = w end
        is('one two', table.concat(words, ' '))
        is('abc CBA ABC', ('ABC'):lower(), ('ABC'):reverse(), ('abc'):upper())
        is('8 6', '7' + 1, '2' * '3') is('  7', ('%3d'):format(7)) is('b', ('abc'):sub(2, 2)) is('3', #'abc')
        is('3 1 2', table.unpack({ 3, 1, 2 }))
        local t = { 3, 1, 2 } table.sort(t) is('123', table.concat(t))
        table.insert(t, 1, 0) table.insert(t, 9) is('01239', table.concat(t))
        is('9', table.remove(t)) is('0', table.remove(t, 1)) is('1 2', #table.move(t, 1, 2, 2) - 2, t[3])
        log 'done'"#;
    check_body(body, "dial 1\n> log info scripts/main.lua:36 done\n> returns");
}

#[test]
fn malformed_string_patterns_are_told_at_their_line() {
    for (line, problem) in [
        ("('a'):find('[a')", "string.find: malformed pattern (missing ']')"),
        ("('a'):match('%')", "string.match: malformed pattern (ends with '%')"),
        ("('a'):gsub('(a', '')", "string.gsub: unfinished capture"),
        ("('a'):gsub('a', '%2')", "string.gsub: invalid capture index or closing bracket"),
        ("('a'):rep(1e9)", "string.rep: the result is longer than 65536 bytes"),
        ("string.find()", "string.find: argument 1 must be a string, got nil"),
    ] {
        check_body(line, &format!("dial 1\n> fails scripts/main.lua:2: {problem}"));
    }
}

#[test]
fn caught_errors_are_plain_text_with_their_place() {
    check_body(
        "log(pcall(string.rep, 'x', 1e9))
         log(pcall(function() return ('a'):find('[') end))
         log(select(2, xpcall(error, function(e) return 'handled ' .. e end, 'x')))
         log(pcall(setmetatable, '', {}))
         log(select('#', pcall(error)))",
        "
        dial 1
        > log info scripts/main.lua:2 false scripts/main.lua:2: string.rep: the result is longer than 65536 bytes
        > log info scripts/main.lua:3 false scripts/main.lua:3: string.find: malformed pattern (missing ']')
        > log info scripts/main.lua:4 handled x
        > log info scripts/main.lua:5 false bad argument #1 to 'setmetatable' (table expected, got string)
        > log info scripts/main.lua:6 2
        > returns
        ",
    );
}

#[test]
fn the_same_load_gives_the_same_chance() {
    let script = "route('1', function() log(math.random(1000000)) end)";
    let roll = || {
        let generation = load(script).unwrap();
        assert_eq!(begin(&mut start(&generation, "1")), Step::Returned);
        generation.take_logs().remove(0).text
    };
    assert_eq!(roll(), roll());
}

#[test]
fn a_runtime_error_names_file_line_and_the_way_there() {
    check(
        "local function inner(x) return x.y.z end
         local function outer(x) local r = inner(x) return r end
         route('1', function(call) outer({}) end)",
        "dial 1
        > fails scripts/main.lua:1: attempt to index a nil value (field 'y')",
    );
    let generation = load(
        "local function inner(x) local r = x.y.z return r end
         route('1', function(call) call:answer() inner({}) end)",
    )
    .unwrap();
    let mut script = start(&generation, "1");
    begin(&mut script);
    let Step::Failed(error) = resume(&mut script, Outcome::Done) else { panic!() };
    assert_eq!(error.traceback.len(), 2, "{:?}", error.traceback);
    assert!(error.traceback[0].starts_with("scripts/main.lua:1:"));
    assert!(error.traceback[1].starts_with("scripts/main.lua:2:"));
}
