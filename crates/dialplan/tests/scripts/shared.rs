//! `shared`: what one call leaves for the others.

use dialplan::{Generation, Limits, Loading, Outcome, Shared, SharedLimits, Step};

use crate::ladder::{begin, check, check_body, check_on, handler, names, now, sources, start};

fn load(main: &str, shared: &Shared) -> Generation {
    let loading = Loading { shared: shared.clone(), ..Loading::default() };
    let sources = sources(&[("main.lua", main)]);
    Generation::load_as(&sources, names(), Limits::default(), loading, &now())
        .unwrap_or_else(|errors| panic!("{}", errors[0]))
}

#[test]
fn what_one_call_sets_every_other_finds() {
    check(
        "
        route('1', function(call)
          shared.set('on', true)
          shared.set('half', 0.5)
          shared.set('text', 'a\\0b')
          shared.set('who', { name = 'Ann', numbers = { 1, 2 }, none = json.array() })
        end)
        route('2', function(call)
          local who = shared.get('who')
          log(shared.get('on'), shared.get('half'), #shared.get('text'), shared.get('nothing'))
          log(who.name, who.numbers[2], json.encode(who))
          who.name = 'changed'
          log(shared.get('who').name)
        end)",
        "
        dial 1
        > returns
        dial 2
        > log info scripts/main.lua:10 true 0.5 3 nil
        > log info scripts/main.lua:11 Ann 2 {\"name\":\"Ann\",\"none\":[],\"numbers\":[1,2]}
        > log info scripts/main.lua:13 Ann
        > returns
        ",
    );
}

#[test]
fn counters_and_things_to_be_used_once() {
    check_body(
        "log(shared.add('n'), shared.add('n', 2), shared.add('n', -0.5))
         shared.set('code', '4711')
         log(shared.take('code'), shared.take('code'), shared.get(7))
         shared.set('n', nil)
         log(shared.get('n'))",
        "
        dial 1
        > log info scripts/main.lua:2 1 3 2.5
        > log info scripts/main.lua:4 4711 nil nil
        > log info scripts/main.lua:6 nil
        > returns
        ",
    );
}

#[test]
fn a_value_with_a_time_to_live_is_gone_after_it() {
    let generation = load(
        "
        route('1', function(call)
          shared.set('a', 1, { ttl = 60 })
          shared.add('n', 1, { ttl = 1.5 })
          call:answer()
          log(shared.get('a'), shared.get('n'))
        end)",
        &Shared::default(),
    );
    let looks = [(1_499, "1 1"), (1_500, "1 nil"), (59_999, "1 nil"), (60_000, "nil nil")];
    for (later_ms, seen) in looks {
        let mut script = start(&generation, "1");
        let Step::Ask { id, .. } = begin(&mut script) else { panic!("waits for the answer") };
        let later = now() + jiff::SignedDuration::from_millis(later_ms);
        assert_eq!(script.script.resume(id, Outcome::Done, &later), Step::Returned);
        assert_eq!(generation.take_logs()[0].text, seen, "{later_ms}");
    }
}

#[test]
fn a_new_generation_finds_what_the_one_before_left() {
    let shared = Shared::default();
    let before = load(&handler("shared.set('a', { 1, json.null })"), &shared);
    check_on(&before, "dial 1\n> returns");
    drop(before);
    let after = load(&handler("local a = shared.get('a') log(a[1], a[2] == json.null)"), &shared);
    check_on(&after, "dial 1\n> log info scripts/main.lua:2 1 true\n> returns");
    assert_eq!(shared.value_count(), 1);
}

#[test]
fn what_cannot_be_shared_is_told_at_its_line() {
    for (body, problem) in [
        ("shared.set('a', print)", "shared.set: a function cannot be shared"),
        ("shared.set('a', { x = print })", "shared.set: .x: a function"),
        ("shared.set('a', json.null)", "shared.set: json.null cannot be shared"),
        ("shared.set({}, 1)", "shared.set: expected a key, got a table"),
        ("shared.set(('k'):rep(256), 1)", "shared.set: key is longer than 255 bytes"),
        ("shared.set('a', 1, { tll = 1 })", "shared.set: the only option is ttl"),
        (
            "shared.set('a', 1, { ttl = 0 })",
            "shared.set: ttl must be 0.001 to 31622400 seconds, not 0",
        ),
        ("shared.set('a', 1, 60)", "shared.set: expected a table of options, got a number"),
        ("shared.get('a', 1)", "shared.get: too many arguments"),
        ("shared.add('a', '1')", "shared.add: expected a number to add, got a string"),
        ("shared.set('a', 'x') shared.add('a')", "shared.add: \"a\" holds a string"),
        ("shared.x = 1", "shared cannot be changed"),
        (
            "shared.set('a', ('x'):rep(60000) .. ('x'):rep(60000))",
            "shared.set: the value is larger than 65536 bytes",
        ),
    ] {
        check_body(body, &format!("dial 1\n> fails scripts/main.lua:2: {problem}"));
    }
}

#[test]
fn when_there_is_no_room_the_script_is_told_and_others_keep_theirs() {
    let shared = Shared::new(SharedLimits { keys: 2, ..SharedLimits::default() });
    let generation = load(
        &handler(
            "shared.set('a', 1) shared.set('b', 2)
             log(pcall(shared.set, 'c', 3))
             log(shared.get('a'), shared.get('b'), shared.get('c'))",
        ),
        &shared,
    );
    check_on(
        &generation,
        "
        dial 1
        > log info scripts/main.lua:3 false scripts/main.lua:3: shared.set: 2 keys are kept already; give keys a ttl, or remove them with shared.set(key, nil)
        > log info scripts/main.lua:4 1 2 nil
        > returns
        ",
    );
}

#[test]
fn nothing_is_shared_while_the_scripts_load() {
    let errors = crate::ladder::load("shared.set('a', 1)").unwrap_err();
    assert_eq!(
        errors[0].to_string(),
        "scripts/main.lua:1: shared.set: works for a call, so use it inside a route, not while the scripts load"
    );
}
