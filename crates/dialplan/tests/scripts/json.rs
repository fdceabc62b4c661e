//! `json`: what is read, what is written, and what is told when that cannot be.

use crate::ladder::{check, check_body, handler};

/// The text that a handler gets for `json.encode(VALUE)`.
#[track_caller]
fn check_written(value: &str, text: &str) {
    check(
        &handler(&format!("log(json.encode({value}))")),
        &format!("dial 1\n> log info scripts/main.lua:2 {text}\n> returns"),
    );
}

/// What a handler is told for `json.encode(VALUE)`.
#[track_caller]
fn check_refused(value: &str, problem: &str) {
    check_body(
        &format!("log(json.encode({value}))"),
        &format!("dial 1\n> fails scripts/main.lua:2: json.encode: {problem}"),
    );
}

/// What `json.decode(TEXT)` gives besides nil.
#[track_caller]
fn check_unread(text: &str, why: &str) {
    check_body(
        &format!("log(json.decode({text}))"),
        &format!("dial 1\n> log info scripts/main.lua:2 nil {why}\n> returns"),
    );
}

#[test]
fn values_become_text_with_keys_in_order() {
    check_written(
        "{ b = 1, a = { true, false, 'x' }, c = 1.5 }",
        r#"{"a":[true,false,"x"],"b":1,"c":1.5}"#,
    );
    check_written("'\\n\"\\\\ é'", r#""\n\"\\ é""#);
    check_written("9007199254740993", "9007199254740993");
    check_written("nil", "null");
    check_written("{ json.null, 2 }", "[null,2]");
}

#[test]
fn an_empty_table_is_an_object_unless_it_is_said_to_be_a_list() {
    check_written("{}", "{}");
    check_written("json.array {}", "[]");
    check_written("json.array()", "[]");
    check_written("json.array { 1 }", "[1]");
    check_written("json.decode('{\"a\":[],\"b\":{}}')", r#"{"a":[],"b":{}}"#);
}

#[test]
fn pretty_text_has_a_line_for_each_value() {
    check_body(
        "for line in json.encode({ a = { 1, 2 } }, { pretty = true }):gmatch('[^\\n]+') do log(line) end",
        "
        dial 1
        > log info scripts/main.lua:2 {
        > log info scripts/main.lua:2   \"a\": [
        > log info scripts/main.lua:2     1,
        > log info scripts/main.lua:2     2
        > log info scripts/main.lua:2   ]
        > log info scripts/main.lua:2 }
        > returns
        ",
    );
}

#[test]
fn what_cannot_be_written_is_told_with_its_place() {
    check_refused("{ a = { { b = print } } }", ".a[1].b: a function");
    check_refused("{ x = 0 / 0 }", ".x: a number that is infinite or no number");
    check_refused("{ 1, nil, 3, x = 1 }", "a table that is half a list and half an object");
    check_refused(
        "{ [1] = 1, [3] = 3 }",
        "a list has the keys 1, 2, 3 ... without a gap, and an object has strings as keys; write tostring(key)",
    );
    check_refused("{ a = '\\xFF' }", ".a: a string that is not UTF-8 text");
    check_refused("{ [true] = 1 }", "a key is a boolean");
    check_refused("1, { prety = true }", "the only option is pretty");
    check_body(
        "local t = {} t.t = t json.encode(t)",
        &format!(
            "dial 1\n> fails scripts/main.lua:2: json.encode: {}: more than 32 tables inside each other; does one contain itself?",
            ".t".repeat(32)
        ),
    );
}

#[test]
fn text_becomes_values() {
    check_body(
        r#"
        local v = json.decode('{"name":"Ann","n":[1,2.5,-3],"big":18446744073709551615,"t":true,"no":null}')
        log(v.name, #v.n, v.n[1], v.n[2], math.type(v.n[3]), v.big, v.t, v.no)
        log(json.decode('[1,null]')[2] == json.null, tostring(json.null), json.decode('null'))
        log(json.decode('{"no":null}', { nulls = true }).no == json.null)
        log(json.decode('"\\u00e9\\u0041"'), json.decode('  7 '))
        log(getmetatable(json.decode('[]')), getmetatable(json.null))
        "#,
        "
        dial 1
        > log info scripts/main.lua:4 Ann 3 1 2.5 integer 1.844674407371e+19 true nil
        > log info scripts/main.lua:5 true null null
        > log info scripts/main.lua:6 true
        > log info scripts/main.lua:7 éA 7
        > log info scripts/main.lua:8 json.array false
        > returns
        ",
    );
}

#[test]
fn text_that_is_none_gives_nil_and_why_with_line_and_column() {
    check_unread("'{\"a\":1,}'", "trailing comma at line 1 column 8");
    check_unread("'[1,\\n x]'", "expected value at line 2 column 2");
    check_unread("'1 2'", "trailing characters at line 1 column 3");
    check_unread("''", "EOF while parsing a value at line 1 column 0");
    check_unread(
        "('['):rep(33)",
        "more than 32 lists and objects inside each other at line 1 column 33",
    );
    check_unread(
        "'[' .. ('1,'):rep(10000) .. '1]'",
        "more than 10000 values at line 1 column 19999",
    );
    check_unread(
        "('x'):rep(65000) .. ('x'):rep(65000) .. ('x'):rep(65000) .. ('x'):rep(65000) .. ('x'):rep(65000)",
        "the text is longer than 262144 bytes",
    );
    check_body(
        "json.decode(7)",
        "dial 1\n> fails scripts/main.lua:2: json.decode: expected a string, got a number",
    );
}

#[test]
fn the_library_cannot_be_changed_and_shares_nothing_between_calls() {
    check_body("json.null = 1", "dial 1\n> fails scripts/main.lua:2: json cannot be changed");
    check_body(
        "json.array(setmetatable({}, {}))",
        "dial 1\n> fails scripts/main.lua:2: json.array: expected a plain table",
    );
}

#[test]
fn reading_and_writing_without_end_is_stopped() {
    check_body(
        "local t = {} for i = 1, 5000 do t[i] = i end while true do json.encode(t) end",
        "dial 1\n> log warn scripts/main.lua:2 this line holds up all other calls: work worth 2236577 instructions without a pause\n> fails scripts/main.lua:2: used up its instructions between two verbs; is there an endless loop?",
    );
    check_body(
        "local t = '[' .. ('[],'):rep(9000) .. '[]]' local all = {} while true do all[#all + 1] = json.decode(t) end",
        "dial 1\n> fails scripts/main.lua:2: needs more memory than a call may have; is there an endless recursion or a growing table?",
    );
}
