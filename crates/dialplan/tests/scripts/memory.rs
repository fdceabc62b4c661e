//! What a waiting script costs.

use dialplan::{Limits, Outcome, Step};

use crate::ladder::{begin, generation, handler, resume, start};

/// A waiting script may hold this much of Lua's memory.
const WAITING_BYTES_MAX: usize = 4 * 1024;

#[test]
fn a_thousand_waiting_scripts_are_small_and_given_back() {
    let generation = generation(
        &handler(
            "local guard <close> = setmetatable({}, { __close = function() end })
             call:on_hangup(function() end)
             call:answer()
             call:play 'welcome'
             local r = call:dial('ext/' .. call.to.user, { timeout = 20 })",
        ),
        Limits::default(),
    );
    generation.free_unused();
    let before = generation.used_memory();
    let mut scripts: Vec<_> = (0..1_000)
        .map(|_| {
            let mut script = start(&generation, "1");
            begin(&mut script);
            resume(&mut script, Outcome::Done);
            let played =
                Outcome::Played { digit: None, heard: std::time::Duration::from_millis(5) };
            assert!(matches!(resume(&mut script, played), Step::Ask { .. }));
            script
        })
        .collect();
    generation.free_unused();
    let each = (generation.used_memory() - before) / scripts.len();
    assert!(each < WAITING_BYTES_MAX, "{each} bytes each");
    println!("{each} bytes of Lua memory for each waiting script");
    scripts.clear();
    generation.free_unused();
    let left = generation.used_memory().saturating_sub(before);
    assert!(left < 256 * 1024, "{left} bytes were not given back");
}

#[test]
fn scripts_with_children_are_small_too_and_what_children_returned_is_given_back() {
    let generation = generation(
        &handler(
            "for i = 1, 2000 do spawn(function() return ('x'):rep(2000) end):wait() end
             spawn(function() call:sleep(1) end)
             within(9, function() call:play('welcome', { loop = true }) end)",
        ),
        Limits::default(),
    );
    generation.free_unused();
    let before = generation.used_memory();
    let mut scripts: Vec<_> = (0..100)
        .map(|_| {
            let mut script = start(&generation, "1");
            while matches!(begin(&mut script), Step::Ask { .. }) {}
            script
        })
        .collect();
    generation.free_unused();
    let each = (generation.used_memory() - before) / scripts.len();
    assert!(each < 3 * WAITING_BYTES_MAX, "{each} bytes each");
    println!("{each} bytes of Lua memory for each waiting script with two children");
    scripts.clear();
    generation.free_unused();
    let left = generation.used_memory().saturating_sub(before);
    assert!(left < 256 * 1024, "{left} bytes were not given back");
}
