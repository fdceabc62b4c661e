//! Rows of `gen`, of which the cases of properties are made.

use dialplan::{Kind, Library, LibrarySpec, OptionSpec, Returns, ValueSpec, VerbSpec};

/// Generators for `t:forall`.
pub(crate) const GEN: LibrarySpec = LibrarySpec {
    library: Library::TestLibrary("gen"),
    summary: "Generators, of which the cases of `t:forall` are made.",
    doc: "A table of generators makes tables. What a generator lists first, or what is nearest to \
          zero, counts as simplest: failing cases are made simple.",
    fields: &[],
    functions: &[
        VerbSpec {
            name: "boolean",
            summary: "True or false.",
            doc: "False is simpler.",
            returns: GENERATOR,
            example: r#"test("busy or not, a caller is never left alone", function(t)
  t:forall({ busy = gen.boolean() }, function(t, case)
    t:phone("101", { busy = case.busy, answers = not case.busy and 1 or nil })
    t:call { as = "100", to = "101" }:is_answered()
  end, { runs = 4 })
end)
"#,
            ..FUNCTION
        },
        VerbSpec {
            name: "digits",
            summary: "A text of digits.",
            doc: "Fewer are simpler, and zeroes.",
            arguments: &[LEAST, MOST],
            returns: GENERATOR,
            example: r#"test("a number of any length is refused or answered", function(t)
  t:forall({ to = gen.digits(4, 10) }, function(t, case)
    t:call { as = "100", to = case.to }:is_refused(404)
  end, { runs = 5 })
end)
"#,
            ..FUNCTION
        },
        VerbSpec {
            name: "key",
            summary: "One key of a phone.",
            doc: "A digit, `*` or `#`.",
            returns: GENERATOR,
            example: r#"test("no key leaves the menu silent", function(t)
  t:forall({ key = gen.key() }, function(t, case)
    local caller = t:call { as = "100", to = "0" }
    caller:hears("main/menu")
    caller:presses(case.key)
    t:wait(1)
    assert(#caller:heard() > 2)
  end, { runs = 5 })
end)
"#,
            ..FUNCTION
        },
        VerbSpec {
            name: "list",
            summary: "A list of what another generator makes.",
            doc: "Up to ten of them, if nothing is said. Shorter is simpler.",
            arguments: &[
                OptionSpec::required("entry", Kind::Anything, "Makes each entry."),
                LEAST,
                MOST,
            ],
            returns: GENERATOR,
            example: r#"test("a menu bears any row of wrong keys", function(t)
  t:forall({ keys = gen.list(gen.one_of { "6", "7", "8" }, 3) }, function(t, case)
    local caller = t:call { as = "100", to = "0" }
    for _, key in ipairs(case.keys) do
      caller:hears("main/menu")
      caller:presses(key)
    end
    caller:is_ended { within = 60 }
  end, { runs = 3 })
end)
"#,
            ..FUNCTION
        },
        VerbSpec {
            name: "map",
            summary: "What a function makes of what another generator makes.",
            doc: "For values that have a form of their own.",
            arguments: &[
                OptionSpec::required("generator", Kind::Anything, "Makes what the function gets."),
                OptionSpec::required("function", Kind::Function, "Called with it.")
                    .typed("fun(value: any): any"),
            ],
            returns: GENERATOR,
            example: r#"local mobile = gen.map(gen.digits(8), function(digits) return "+668" .. digits end)

test("whoever calls is shown", function(t)
  t:forall({ from = mobile }, function(t, case)
    local bob = t:phone("101")
    t:call { from = case.from, to = "101" }
    bob:rings { from = case.from }
  end, { runs = 3 })
end)
"#,
            ..FUNCTION
        },
        VerbSpec {
            name: "number",
            summary: "A number, with up to three digits after the point.",
            doc: "The nearest to zero is the simplest.",
            arguments: &[
                OptionSpec::required("min", Kind::Anything, "The least.").typed("number"),
                OptionSpec::required("max", Kind::Anything, "The most.").typed("number"),
            ],
            returns: GENERATOR,
            example: r#"test("a number stays within its bounds", function(t)
  t:forall({ n = gen.number(-1, 2.5) }, function(t, case)
    assert(case.n >= -1 and case.n <= 2.5)
  end)
end)
"#,
            ..FUNCTION
        },
        VerbSpec {
            name: "one_of",
            summary: "One of these values, or what one of these generators makes.",
            doc: "The first is the simplest.",
            arguments: &[OptionSpec::required("list", Kind::Table, "The values.").typed("any[]")],
            returns: GENERATOR,
            example: r#"test("a phone that does not answer leads to the mailbox, whatever the reason", function(t)
  t:forall({ code = gen.one_of { 480, 486, 603 } }, function(t, case)
    t:phone("101", { refuses = case.code })
    t:call { as = "100", to = "101" }:hears("beep")
  end, { runs = 4 })
end)
"#,
            ..FUNCTION
        },
        VerbSpec {
            name: "optional",
            summary: "What another generator makes, or nil.",
            doc: "Nil is simpler.",
            arguments: &[OptionSpec::required("generator", Kind::Anything, "Makes the value.")],
            returns: GENERATOR,
            example: r#"test("a caller may have a name or none", function(t)
  t:forall({ name = gen.optional(gen.text(1, 20)) }, function(t, case)
    local bob = t:phone("101")
    t:call { from = "12345", name = case.name, to = "101" }
    bob:rings { from = "12345", name = case.name }
  end, { runs = 5 })
end)
"#,
            ..FUNCTION
        },
        VerbSpec {
            name: "seconds",
            summary: "A time in seconds, to a thousandth.",
            doc: "Shorter is simpler.",
            arguments: &[
                OptionSpec::required("min", Kind::Anything, "The least.").typed("number"),
                OptionSpec::required("max", Kind::Anything, "The most.").typed("number"),
            ],
            returns: GENERATOR,
            example: r#"test("a phone may take its time", function(t)
  t:forall({ after = gen.seconds(0, 24) }, function(t, case)
    local bob = t:phone("101", { answers = case.after })
    t:call { as = "100", to = "101" }:talks_to(bob)
  end, { runs = 5 })
end)
"#,
            ..FUNCTION
        },
        VerbSpec {
            name: "text",
            summary: "A text, with letters that like to break things among others.",
            doc: "Shorter is simpler, and plain letters.",
            arguments: &[LEAST, MOST],
            returns: GENERATOR,
            example: r#"test("texts have the length that was asked for", function(t)
  t:forall({ text = gen.text(1, 5) }, function(t, case)
    local length = utf8.len(case.text)
    assert(length >= 1 and length <= 5)
  end)
end)
"#,
            ..FUNCTION
        },
        VerbSpec {
            name: "time",
            summary: "A time between two, to the minute, as `t:at` takes it.",
            doc: "Earlier is simpler.",
            arguments: &[
                OptionSpec::required("from", Kind::Text, "The earliest: `2026-01-01`."),
                OptionSpec::required("to", Kind::Text, "The latest."),
            ],
            returns: GENERATOR,
            example: r#"test("the clock speaks at any time", function(t)
  t:forall({ at = gen.time("2026-01-01", "2027-12-31 23:59") }, function(t, case)
    t:at(case.at)
    t:call { as = "100", to = "123" }:hears("time/the-time-is")
  end, { runs = 5 })
end)
"#,
            ..FUNCTION
        },
        VerbSpec {
            name: "whole",
            summary: "A whole number.",
            doc: "The nearest to zero is the simplest.",
            arguments: &[
                OptionSpec::required("min", Kind::Anything, "The least.").typed("integer"),
                OptionSpec::required("max", Kind::Anything, "The most.").typed("integer"),
            ],
            returns: GENERATOR,
            example: r#"test("a whole number is one", function(t)
  t:forall({ n = gen.whole(-3, 3) }, function(t, case)
    t:equal(case.n, math.floor(case.n))
  end)
end)
"#,
            ..FUNCTION
        },
    ],
};

const GENERATOR: Returns =
    Returns::Value(ValueSpec::new("generator", "generator", "For `t:forall`."));
const LEAST: OptionSpec =
    OptionSpec::optional("min", Kind::Anything, "The least length; alone, the length.")
        .typed("integer");
const MOST: OptionSpec =
    OptionSpec::optional("max", Kind::Anything, "The greatest length.").typed("integer");

const FUNCTION: VerbSpec = VerbSpec { library: Library::TestLibrary("gen"), ..VerbSpec::FUNCTION };
