//! Any arguments to any verb: the call waits for a verb, or fails with the place and what was wrong.

use dialplan::{Ending, Limits, LoadError, Step};
use proptest::prelude::*;

use crate::ladder::{begin, generation, load, now, start};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_argument_is_taken_or_told(verb in verb(), arguments in prop::collection::vec(value(), 0..4)) {
        // Past what loading checks, as a value that only turns up while the call goes on.
        let arguments: String = arguments.iter().map(|one| format!(", {one}")).collect();
        let main = format!(
            "local verb = '{verb}'\nroute('1', function(call) call[verb](call{arguments}) end)\n\
             route('2', function(call) call:answer() end)"
        );
        let generation = generation(&main, Limits::default());
        let mut script = start(&generation, "1");
        if let Step::Failed(error) = begin(&mut script) {
            prop_assert!(error.to_string().contains("main.lua:"), "{main}\n{error}");
        }
        script.script.close(Ending { cause: "failed".into(), code: 500 }, &now());
        let mut other = start(&generation, "2");
        prop_assert!(matches!(begin(&mut other), Step::Ask { .. }), "{}", main);
    }

    #[test]
    fn any_script_loads_or_is_told_where_it_is_wrong(
        function in prop::sample::select(vec![
            "route", "log.info", "log.warn", "time.open", "time.now", "require", "print", "string.rep",
            "string.format", "string.find", "string.gsub", "table.concat", "utf8.char", "error", "setmetatable",
        ]),
        arguments in prop::collection::vec(value(), 0..4),
    ) {
        let main = format!("{function}({})", arguments.join(", "));
        if let Err(errors) = load(&main) {
            let told = errors.iter().map(LoadError::to_string).collect::<Vec<_>>();
            prop_assert!(told.iter().all(|error| error.contains("main.lua")), "{main}\n{told:?}");
        }
    }
}

fn verb() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "ringing",
        "progress",
        "queued",
        "answer",
        "reject",
        "busy",
        "redirect",
        "hangup",
        "play",
        "say",
        "speak",
        "read",
        "menu",
        "record",
        "dial",
        "go",
        "sleep",
        "echo",
        "voicemail",
        "mailbox",
        "on_hangup",
        "no",
    ])
}

/// A Lua expression.
fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        prop::sample::select(vec![
            "nil",
            "true",
            "false",
            "0",
            "-1",
            "1.5",
            "1/0",
            "-1/0",
            "0/0",
            "math.maxinteger",
            "math.mininteger",
            "1e308",
            "486",
            "302",
            "''",
            "'welcome'",
            "'music/evening'",
            "'tone:440'",
            "'tone:'",
            "'silence:1e9'",
            "'ext/101'",
            "'ext/'",
            "'sip:a@b'",
            "'sip:'",
            "'\\0'",
            "'\\xff'",
            "'a\\r\\nb'",
            "'1#*'",
            "print",
            "function() end",
            "coroutine",
            "('x'):rep(5000)",
            "string.rep('9', 200)",
            "setmetatable({}, {__index = function() error('x') end})",
            "setmetatable({}, {__len = function() return 1e9 end, __pairs = error})",
        ])
        .prop_map(str::to_owned),
        any::<f64>()
            .prop_map(|number| format!("({number:e})").replace("inf", "1/0").replace("NaN", "0/0")),
        any::<i64>().prop_map(|number| format!("({number})").replace("-9223372036854775808", "0")),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let key = prop::sample::select(vec![
            "",
            "timeout = ",
            "max = ",
            "prompt = ",
            "loop = ",
            "place = ",
            "headers = ",
            "code = ",
            "to = ",
            "delay = ",
            "as = ",
            "digits = ",
            "barge = ",
            "tries = ",
            "['1'] = ",
            "[1e9] = ",
            "[{}] = ",
            "music = ",
            "caller = ",
            "reason = ",
            "beep = ",
            "silence = ",
            "bogus = ",
        ]);
        prop::collection::vec((key, inner), 0..4).prop_map(|fields| {
            let fields: Vec<String> =
                fields.into_iter().map(|(key, value)| format!("{key}{value}")).collect();
            format!("{{{}}}", fields.join(", "))
        })
    })
}
