//! Scripts that try to stop, fill or leave the place they run in. Each ends its own call only.

use dialplan::{Ending, Generation, Limits, Loading, Names, Outcome, Sources, Step, Work};

use crate::ladder::{begin, check_body, generation, handler, now, resume, start};

/// Runs a handler with this body to its end, then another call on the same generation.
#[track_caller]
fn attack(body: &str) -> String {
    let limits = Limits { instructions_per_verb: 1_000_000, ..Limits::default() };
    let main = format!("{}\nroute('2', function(call) call:answer() end)", handler(body));
    let generation = generation(&main, limits);
    let mut script = start(&generation, "1");
    let mut step = begin(&mut script);
    while matches!(step, Step::Ask { .. } | Step::Cancel { .. }) {
        step = begin(&mut script);
    }
    let told = match step {
        Step::Failed(error) => error.to_string(),
        Step::Returned => "returned".into(),
        other => format!("{other:?}"),
    };
    let ending = Ending { cause: "failed".into(), code: 500 };
    script.script.close(ending, &now());
    drop(script);
    let mut other = start(&generation, "2");
    assert!(matches!(begin(&mut other), Step::Ask { .. }), "{body}");
    generation.free_unused();
    assert!(generation.used_memory() < 4 << 20, "{}", generation.used_memory());
    told
}

#[track_caller]
fn check_attack(body: &str, expected: &str) {
    let told = attack(body);
    assert!(told.contains(expected), "{body}\n{told}");
}

const ENDLESS: &str =
    "scripts/main.lua:2: used up its instructions between two verbs; is there an endless loop?";
const MEMORY: &str = "needs more memory than a call may have";
const STUCK: &str = "took too long in a function called by string.gsub";

#[test]
fn endless_loops_end_the_call() {
    check_attack("while true do end", ENDLESS);
    check_attack("while true do pcall(function() while true do end end) end", ENDLESS);
    check_attack("pcall(pcall, pcall, function() while true do end end) return", ENDLESS);
    check_attack(
        "xpcall(function() while true do end end, function() while true do end end)",
        ENDLESS,
    );
    check_attack("local function f() return f() end f()", ENDLESS);
    check_attack("while true do pcall(error) end", ENDLESS);
    check_attack("while true do pcall(call.reject, call) end", "more than 10000 verbs");
    check_attack("while true do local ok = pcall(string.rep, 'x', 1e9) end", ENDLESS);
}

#[test]
fn endless_loops_in_children_end_the_call() {
    check_attack("spawn(function() while true do end end):wait()", ENDLESS);
    check_attack("pcall(within, 1, function() while true do end end)", ENDLESS);
    check_attack("race { function() while true do pcall(error) end end }", ENDLESS);
    check_attack("while true do spawn(function() end):wait() end", ENDLESS);
    check_attack("while true do race { function() end } end", ENDLESS);
    check_attack("while true do pcall(all, { error }) end", ENDLESS);
    check_attack(
        "local function again() spawn(again) end again() call.vars.x:wait()",
        "attempt to index a nil value",
    );
    check_attack("local function again() spawn(again):wait() end again()", "64 functions beside");
    check_attack("local child = spawn(print) while true do child:wait() end", ENDLESS);
}

#[test]
fn thousands_of_children_are_refused_and_cost_little() {
    check_attack(
        "for i = 1, 5000 do spawn(function() call:sleep(i) end) end",
        "spawn: more than 64 functions beside each other in one call",
    );
    check_attack(
        "local many = {} for i = 1, 5000 do many[i] = print end race(many)",
        "race: more than 64 functions beside each other in one call",
    );
    check_attack(
        "for i = 1, 5000 do pcall(spawn, function() call:sleep(i) end) end error('still here')",
        "still here",
    );
}

#[test]
fn what_cancelled_functions_do_in_closing_is_counted() {
    check_attack(
        "while true do
           local child = spawn(function()
             local open <close> = setmetatable({}, { __close = function() while true do end end })
             call:sleep(1)
           end)
           race { function() end, function() end }
           child:cancel()
         end",
        "used up its instructions",
    );
    check_attack(
        "race {
           function()
             local open <close> = setmetatable({}, { __close = function() spawn(print) end })
             call:sleep(1)
           end,
           function() end,
         }",
        "returned",
    );
}

#[test]
fn children_share_the_memory_of_their_call() {
    check_attack(
        "local keep = {}
         for i = 1, 60 do spawn(function() keep[i] = ('x'):rep(50000 + i) call:sleep(1) end) end
         call:sleep(1)
         call:sleep(1)",
        MEMORY,
    );
    check_attack(
        "local keep = {}
         all {
           function() for i = 1, 12 do keep[#keep + 1] = ('x'):rep(50000 + i) end end,
           function() for i = 1, 12 do keep[#keep + 1] = ('y'):rep(50000 + i) end end,
         }",
        MEMORY,
    );
}

#[test]
fn endless_loops_where_nothing_can_pause_end_the_call() {
    check_attack("('a'):gsub('a', function() while true do end end)", STUCK);
    check_attack(
        "pcall(string.gsub, 'a', 'a', function() while true do pcall(error) end end)",
        STUCK,
    );
    check_attack("table.sort({ 3, 2, 1 }, function() while true do end end)", STUCK);
    check_attack(
        "table.sort({ 3, 2, 1 }, function() while true do pcall(function() while true do end end) end end)",
        STUCK,
    );
    check_attack(
        "tostring(setmetatable({}, { __tostring = function() while true do end end }))",
        STUCK,
    );
}

#[test]
fn one_library_call_cannot_run_for_ever() {
    check_attack("('a'):rep(50000):find(('.-'):rep(20) .. 'b')", "takes too long on this text");
    check_attack("('a'):rep(60000):find(('a*'):rep(30) .. 'b')", "takes too long on this text");
    check_attack("('x'):rep(1e12)", "string.rep: the result is longer");
    check_attack("('x'):rep(-1):rep(1e18) return", "returned");
    check_attack("(''):rep(1e18) return", "returned");
    check_attack("table.move({}, 1, 1e15, 2)", "table.move: at most");
    check_attack(
        "table.insert(setmetatable({}, { __len = function() return 1 << 60 end }), 1, 1)",
        "the list must be a plain one",
    );
    check_attack(
        "table.concat(setmetatable({}, { __index = function() return '' end }), '', 1, 1 << 60)",
        "the list must be a plain one",
    );
    check_attack("utf8.len(('x'):rep(60000))", "utf8.len: the text is longer than 10000 bytes");
    check_attack(
        "local t = {} for i = 1, 9000 do t[i] = i end while true do table.sort(t) end",
        ENDLESS,
    );
    check_attack("local s = ('x'):rep(60000) while true do local t = s .. 'y' end", ENDLESS);
    check_attack("while true do ('a'):rep(60000):find('a-b') end", "takes too long on this text");
    check_attack("while true do pcall(string.find, ('a'):rep(60000), 'a-b') end", ENDLESS);
    check_attack("string.format('%s', ('x'):rep(100)) return", "returned");
    check_attack("('(' ):rep(400):match(('('):rep(400))", "too many captures");
    check_attack("('a'):rep(1000):match(('a?'):rep(500))", "pattern too complex");
}

/// Instructions that a handler with this body was charged for.
#[track_caller]
fn work_of(body: &str) -> u64 {
    let work = Work::default();
    let loading = Loading { work: work.clone(), ..Loading::default() };
    // What is left to be charged when the search is over is charged at the next look.
    let main = handler(&format!("{body} for _ = 1, 1000 do end"));
    let sources = Sources { files: [("main.lua".into(), main)].into() };
    let limits = Limits::default();
    let generation =
        Generation::load_as(&sources, Names::default(), limits, loading, &now()).unwrap();
    let mut script = start(&generation, "1");
    let before = work.instructions();
    let mut step = begin(&mut script);
    while step == Step::Slice {
        step = begin(&mut script);
    }
    assert_eq!(step, Step::Returned, "{body}");
    work.instructions() - before
}

#[test]
fn a_search_that_fails_is_charged_like_any_other() {
    let nothing = work_of("local text = ('a'):rep(60000)");
    for (search, expected) in [
        ("pcall(string.find, text, 'a-b')", 200_000),
        ("pcall(string.match, text, 'a-b')", 200_000),
        ("pcall(string.gsub, text, 'a-b', '')", 200_000),
        ("pcall(text:gmatch('a-b'))", 200_000),
        // It finds something after long, and then the replacement fails.
        ("pcall(string.gsub, text:sub(1, 300) .. 'xb', 'a-b', error)", 45_000),
    ] {
        let work = work_of(&format!("local text = ('a'):rep(60000) {search}")) - nothing;
        assert!((expected..expected + 10_000).contains(&work), "{search} {work}");
    }
}

#[test]
fn what_is_skipped_of_a_long_set_is_charged() {
    let search = |set: &str| {
        format!("local text = ('a'):rep(60000) call.vars.found = text:find('[a{set}]b')")
    };
    let long = format!("local set = ('c'):rep(1000) {}", search("' .. set .. '"));
    check_attack(&long, "takes too long on this text");
    check_attack(&search("bcdefghijk"), "returned");
}

#[test]
fn hoarding_memory_ends_the_call() {
    check_attack("local s = 'x' while true do s = s .. s end", MEMORY);
    check_attack("local t = {} while true do t[#t + 1] = {} end", MEMORY);
    check_attack(
        "local t = {} while true do pcall(function() t[#t + 1] = ('x'):rep(9000) .. #t end) end",
        MEMORY,
    );
    check_attack("local function f() return 1 + f() end f()", MEMORY);
    check_attack("local function f() pcall(f) end f()", MEMORY);
    check_attack(
        "call.vars.x = table.pack(table.unpack({}, 1, 900000))",
        "too many results to unpack",
    );
    check_attack("string.rep('x', 2e5, string.rep('y', 2e5))", "string.rep: the result is longer");
    check_attack("for i = 1, 1e9 do call.vars[i] = i end", MEMORY);
    check_attack("for i = 1, 1e9 do _G['x' .. i] = i end", MEMORY);
}

#[test]
fn memory_kept_from_verb_to_verb_is_charged_to_its_call() {
    let generation = generation(
        &handler(
            "local t = {} while true do for i = 1, 100 do t[#t + 1] = { i } end call:answer() end",
        ),
        Limits::default(),
    );
    let mut quiet = start(&generation, "1");
    assert!(matches!(begin(&mut quiet), Step::Ask { .. }));
    let mut script = start(&generation, "1");
    let mut step = begin(&mut script);
    let mut verbs = 0;
    while matches!(step, Step::Ask { .. }) {
        verbs += 1;
        assert!(verbs < 2_000, "nobody was charged");
        step = resume(&mut script, Outcome::Done);
    }
    let Step::Failed(error) = step else { panic!("{step:?}") };
    assert!(error.message.contains(MEMORY), "{error}");
    assert!(matches!(resume(&mut quiet, Outcome::Done), Step::Ask { .. }));
}

#[test]
fn garbage_from_verb_to_verb_is_not() {
    let generation = generation(
        &handler("while true do local t = {} for i = 1, 500 do t[i] = { i } end call:answer() end"),
        Limits::default(),
    );
    let mut others: Vec<_> = (0..500).map(|_| start(&generation, "1")).collect();
    for other in &mut others {
        assert!(matches!(begin(other), Step::Ask { .. }));
    }
    let mut script = start(&generation, "1");
    let mut step = begin(&mut script);
    for _ in 0..1_000 {
        assert!(matches!(step, Step::Ask { .. }), "{step:?}");
        step = resume(&mut script, Outcome::Done);
    }
}

#[test]
fn too_many_verbs_end_the_call_and_pcall_does_not_help() {
    let limits = Limits { verbs_per_call: 5, ..Limits::default() };
    let generation = generation(&handler("while true do pcall(call.answer, call) end"), limits);
    let mut script = start(&generation, "1");
    let mut step = begin(&mut script);
    for _ in 0..4 {
        assert!(matches!(step, Step::Ask { .. }), "{step:?}");
        step = resume(&mut script, Outcome::Done);
    }
    step = resume(&mut script, Outcome::Done);
    let Step::Failed(error) = step else { panic!("{step:?}") };
    assert_eq!(error.to_string(), "scripts/main.lua:2: more than 5 verbs in one call");
}

#[test]
fn a_slice_gives_way_to_others_and_goes_on_where_it_stood() {
    let generation = generation(
        &handler("local n = 0 for i = 1, 20000 do n = n + i end log(n)"),
        Limits::default(),
    );
    let mut script = start(&generation, "1");
    let mut slices = 0;
    let mut step = script.script.go_on(&now());
    while step == Step::Slice {
        slices += 1;
        step = script.script.go_on(&now());
    }
    assert_eq!(step, Step::Returned);
    assert!((10..100).contains(&slices), "{slices}");
    assert_eq!(generation.take_logs()[0].text, "200010000");
}

#[test]
fn what_a_slice_interrupts_is_not_confused_with_a_verb() {
    // A slice that ends in the middle of a verb's own steps: every length is tried.
    for per_slice in [250, 500, 750] {
        for padding in 0..260 {
            let limits = Limits { instructions_per_slice: per_slice, ..Limits::default() };
            let body = format!(
                "for i = 1, {padding} do end
                 local r = call:dial('ext/101') log(r.status, r.code)
                 log(call:read())"
            );
            let generation = generation(&handler(&body), limits);
            let mut script = start(&generation, "1");
            let step = begin(&mut script);
            assert!(matches!(step, Step::Ask { verb: dialplan::Verb::Dial(_), .. }), "{step:?}");
            let step = resume(
                &mut script,
                Outcome::Dialed {
                    status: dialplan::DialStatus::Busy,
                    code: 486,
                    reason: String::new(),
                    talked: std::time::Duration::ZERO,
                    answered_by: String::new(),
                },
            );
            assert!(matches!(step, Step::Ask { verb: dialplan::Verb::Read(_), .. }), "{step:?}");
            assert_eq!(generation.take_logs()[0].text, "BUSY 486");
        }
    }
}

#[test]
fn scripts_whose_slices_end_anywhere_do_not_mix_up_their_verbs() {
    for padding in 0..260 {
        let limits = Limits { instructions_per_slice: 250, ..Limits::default() };
        let body = format!("for i = 1, {padding} do end call:sleep(tonumber(call.to.user))");
        let main = format!("route('X', function(call)\n{body}\nend)");
        let generation = generation(&main, limits);
        let mut scripts: Vec<_> = (1..=3)
            .map(|number| (number, start(&generation, &number.to_string()), Step::Slice))
            .collect();
        for _ in 0..20 {
            for (_, script, step) in &mut scripts {
                if *step == Step::Slice {
                    *step = script.script.go_on(&now());
                }
            }
        }
        for (number, _, step) in scripts {
            let wanted = dialplan::Verb::Sleep(std::time::Duration::from_secs(number));
            assert!(
                matches!(&step, Step::Ask { verb, .. } if *verb == wanted),
                "{padding}: {step:?}"
            );
        }
    }
}

#[test]
fn closing_has_a_budget_of_its_own_and_goes_on_after_an_error() {
    check_body(
        "call:on_hangup(function() while true do pcall(error) end end)
         call:on_hangup(function() log 'still' end)
         local a <close> = setmetatable({}, { __close = function() log 'outer' end })
         local b <close> = setmetatable({}, { __close = function() error('in close') end })
         while true do call:sleep(1) end",
        "
        dial 1
        > Sleep(1s)
        over caller hung up
        > log info scripts/main.lua:4 outer
        > problem scripts/main.lua:5: in close
        > problem scripts/main.lua:2: used up its instructions between two verbs; is there an endless loop?
        > log info scripts/main.lua:3 still
        ",
    );
    check_body(
        "local a <close> = setmetatable({}, { __close = function() while true do end end })
         call:answer()",
        "
        dial 1
        > answer
        over caller hung up
        > problem scripts/main.lua:2: used up its instructions; is there an endless loop?
        ",
    );
    check_body(
        "local a <close> = setmetatable({}, { __close = function() log 'closed' end })
         while true do end",
        "
        dial 1
        > fails scripts/main.lua:3: used up its instructions between two verbs; is there an endless loop?
        over failed
        > log info scripts/main.lua:2 closed
        ",
    );
}

#[test]
fn scripts_reach_nothing_but_what_they_are_given() {
    let body =
        "for _, name in ipairs { 'io', 'os', 'debug', 'package', 'coroutine', 'load', 'loadfile',
           'dofile', 'loadstring', 'collectgarbage', 'warn' } do
           if _G[name] ~= nil then error(name) end
         end
         for _, name in ipairs { 'dump', 'pack', 'unpack' } do
           if string[name] ~= nil then error(name) end
         end
         if math.randomseed then error('seed') end
         if getmetatable('') or getmetatable(call) or getmetatable(_G) or getmetatable(string)
           or getmetatable(call.headers) or getmetatable(log) or getmetatable(time) then
           error('metatable')
         end
         log 'nothing'";
    check_body(body, "dial 1\n> log info scripts/main.lua:14 nothing\n> returns");
}

#[test]
fn what_calls_share_cannot_be_changed_by_one() {
    for (line, problem) in [
        ("string.format = nil", "string cannot be changed"),
        ("time.now = nil", "time cannot be changed"),
        ("log.info = nil", "log cannot be changed"),
        ("rawset(string, 'format', nil)", "rawset: this table cannot be changed"),
        ("rawset(_G, 'route', nil)", "rawset: this table cannot be changed"),
        (
            "setmetatable({}, { __gc = print })",
            "setmetatable: __gc is not available; use a <close> variable",
        ),
    ] {
        check_body(line, &format!("dial 1\n> fails scripts/main.lua:2: {problem}"));
    }
    for line in ["setmetatable(_G, {})", "setmetatable(string, {})", "setmetatable(call, {})"] {
        check_body(line, "dial 1\n> fails scripts/main.lua:2: cannot change a protected metatable");
    }
}
