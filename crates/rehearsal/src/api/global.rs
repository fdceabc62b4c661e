//! Rows of what a test file finds by its name alone.

use dialplan::{Kind, Library, LibrarySpec, OptionSpec, VerbSpec};

/// What a test file finds by its name alone, beside Lua itself.
pub(crate) const TEST_GLOBAL: LibrarySpec = LibrarySpec {
    library: Library::TestLibrary(""),
    summary: "What a test file finds by its name alone.",
    doc: "Besides these there is what scripts have: Lua 5.4, `time`, `json`, `log` and `require`, \
          which reaches the scripts folder: `require \"tests.support\"`. Reading a global that does \
          not exist is an error.\n\nEach test has an office of its own, and its file is read anew \
          for it: what one test does, no other sees.",
    fields: &[],
    functions: &[
        VerbSpec {
            name: "before",
            summary: "Runs a function before each test of the file.",
            doc: "The function gets the same `t` as the test after it. Several are run in their \
                  order; a property runs them before each of its cases.",
            arguments: &[OptionSpec::required("function", Kind::Function, "Called with `t`.")
                .typed("fun(t: t)")],
            example: r#"before(function(t)
  t:at("2026-12-24 22:10")
end)

test("it is night", function(t)
  t:equal(time.date("%H:%M"), "22:10")
end)
"#,
            ..FUNCTION
        },
        VerbSpec {
            name: "dialplan",
            summary: "Says which script the tests of the file are about.",
            doc: "Without it the dialplan begins in `main.lua`, as in the exchange itself. With it, \
                  it begins in this file of the scripts folder instead, and nothing else is loaded \
                  but what the file requires.",
            arguments: &[OptionSpec::required(
                "name",
                Kind::Module,
                "The script as `require` names it: `cookbook.night_service`.",
            )],
            example: r#"dialplan "clock"

test("the clock alone is there", function(t)
  t:call { as = "100", to = "123" }:hears("time/the-time-is")
  t:call { as = "101", to = "0" }:is_refused(404)
end)
"#,
            ..FUNCTION
        },
        VerbSpec {
            name: "test",
            summary: "Adds a test.",
            doc: "The name is a sentence that says what holds. A test passes when its function \
                  returns, no script failed on the way and nothing of its calls is left over. \
                  Options may stand between name and function.",
            arguments: &[
                OptionSpec::required("name", Kind::Text, "What holds, as a sentence."),
                OptionSpec::required("function", Kind::Function, "Called with `t`.")
                    .typed("fun(t: t)"),
            ],
            options: &[OptionSpec::optional(
                "skip",
                Kind::Text,
                "Leave this test out, for this reason.",
            )],
            options_at: dialplan::OptionsAt::BeforeLast,
            example: r#"test("two phones talk", function(t)
  local bob = t:phone("101", { answers = 2 })
  local alice = t:call { as = "100", to = "101" }
  alice:talks_to(bob)
end)

test("calls to the moon", { skip = "no trunk reaches it yet" }, function(t)
  t:call { as = "100", to = "moon" }:is_answered()
end)
"#,
            ..FUNCTION
        },
    ],
};

const FUNCTION: VerbSpec = VerbSpec { library: Library::TestLibrary(""), ..VerbSpec::FUNCTION };
