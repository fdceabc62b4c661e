//! Rows of `t`, the office of a test.

use dialplan::{Kind, Library, LibrarySpec, OptionSpec, Returns, ValueSpec, VerbSpec, seconds};

use super::RECORD;

/// The office of a test.
pub(crate) const T: LibrarySpec = LibrarySpec {
    library: Library::Test("t"),
    summary: "The office of a test: its clock, its phones, what is outside of it.",
    doc: "A whole exchange with the dialplan under test, on a clock that goes on only while \
          something waits. A second there takes no time; a night takes a moment.",
    fields: &[ValueSpec::new("now", "number", "Seconds since the test began.")],
    functions: &[
        VerbSpec {
            name: "asks",
            summary: "Asks a `webhook` of the scripts something, as another program does.",
            doc: "Time goes on until there is an answer. The program has the token of the office \
                  unless `token = false`. The answer has `status`, `headers` by name in lower case, \
                  `body`, and `json` if its body is JSON.",
            arguments: &[
                OptionSpec::required("method", Kind::Text, "`GET`, `POST` and the like."),
                OptionSpec::required("path", Kind::Text, "The path, as in `/click`."),
            ],
            options: &[
                BODY,
                AS_JSON,
                HEADERS,
                OptionSpec::optional("query", Kind::Headers, "What follows the question mark."),
                OptionSpec::optional(
                    "token",
                    Kind::Flag { default: true },
                    "Whether the program knows the token.",
                ),
                OptionSpec::optional(
                    "within",
                    seconds(0.0, 86_400.0, Some(30.0)),
                    "How long to wait for the answer.",
                ),
            ],
            returns: Returns::Value(ValueSpec::new("answer", "table", "What it is answered.")),
            example: r#"test("the demo has nothing for other programs", function(t)
  local answer = t:asks("POST", "/click", { json = { number = "101" } })
  t:equal(answer.status, 404)
end)
"#,
            ..METHOD
        },
        VerbSpec {
            name: "at",
            summary: "Says what time it is.",
            doc: "Before the first phone or call it sets the clock, which else shows ten in the \
                  morning of Monday, 1 June 2026. Later, time goes on until then. Times are of the \
                  office's zone.",
            arguments: &[OptionSpec::required(
                "time",
                Kind::Text,
                "`2026-12-24 22:10`, with seconds if you like.",
            )],
            example: r#"test("the clock tells the time that it is", function(t)
  t:at("2026-12-24 22:15")
  local caller = t:call { as = "100", to = "123" }
  caller:hears { "time/the-time-is", "numbers/10", "numbers/15", "time/pm" }
end)
"#,
            ..METHOD
        },
        VerbSpec {
            name: "call",
            summary: "Has somebody call the exchange.",
            doc: "Without `as`, the call comes as from a provider that the exchange trusts. With \
                  it, it comes from the phone of that account, or from a new one that proves the \
                  account's secret. The call goes on while the test waits for something.",
            options: &[
                OptionSpec::required("to", Kind::Name, "The number, or a whole SIP URI."),
                OptionSpec::optional("from", Kind::Name, "The caller's number."),
                OptionSpec::optional("as", Kind::Name, "The account that calls."),
                OptionSpec::optional(
                    "stranger",
                    Kind::Flag { default: false },
                    "Whether nobody vouches for the caller: only public routes let it in.",
                ),
                OptionSpec::optional("name", Kind::Text, "The display name."),
                LABEL,
                OptionSpec::optional("headers", Kind::Headers, "More headers of the INVITE."),
                OptionSpec::optional(
                    "keys",
                    Kind::Word(&["events", "tones", "info"]),
                    "How keys are sent; as events if nothing is said.",
                ),
                OptionSpec::optional(
                    "late_offer",
                    Kind::Flag { default: false },
                    "Whether the INVITE comes without a session description.",
                ),
                LOSES,
            ],
            returns: Returns::Value(PARTY),
            example: r#"test("a number that is nobody's is refused", function(t)
  local caller = t:call { from = "+6621234567", name = "Somchai", to = "155" }
  caller:is_refused(404)
end)
"#,
            ..METHOD
        },
        VerbSpec {
            name: "db",
            summary: "Asks the scripts' database.",
            doc: "Each test has one of its own, real SQLite in memory, empty at first. Any one \
                  statement will do, also one that makes what the test needs. Values for `?` follow \
                  as a list.",
            arguments: &[
                OptionSpec::required("sql", Kind::Anything, "One statement.").typed("string"),
                OptionSpec::optional("values", Kind::Table, "What to put in for each `?`."),
            ],
            returns: Returns::Value(ValueSpec::new(
                "rows",
                "table<string, any>[]",
                "A table for each row, by the names of its columns.",
            )),
            example: r#"test("a test can look into the database", function(t)
  t:db("CREATE TABLE contact (number TEXT, name TEXT)")
  t:db("INSERT INTO contact VALUES (?, ?)", { "+6621234567", "Somchai" })
  t:equal(t:db("SELECT name FROM contact")[1].name, "Somchai")
end)
"#,
            ..METHOD
        },
        VerbSpec {
            name: "db_fails",
            summary: "Has everything that scripts ask of their database fail from now on.",
            doc: "Without a text it works again.",
            arguments: &[OptionSpec::optional("text", Kind::Text, "What the error says.")],
            example: r#"test("a broken disk is not the test's own", function(t)
  t:db_fails("disk I/O error")
  t:call { as = "100", to = "123" }:hears("time/the-time-is")
  t:db_fails()
end)
"#,
            ..METHOD
        },
        VerbSpec {
            name: "equal",
            summary: "Expects two values to be the same, tables with the same content included.",
            doc: "Plain `assert` does as well; this says what it got instead.",
            arguments: &[
                OptionSpec::required("is", Kind::Anything, "What it is."),
                OptionSpec::required("expected", Kind::Anything, "What it should be."),
                OptionSpec::optional("about", Kind::Text, "What is compared, for the message."),
            ],
            example: r#"test("one and one", function(t)
  t:equal({ 1 + 1, "two" }, { 2, "two" })
end)
"#,
            ..METHOD
        },
        VerbSpec {
            name: "expects_error",
            summary: "Expects a script to fail, which else fails the test.",
            doc: "To be said before it happens. A test that ends without that failure fails.",
            arguments: &[OptionSpec::required(
                "text",
                Kind::Text,
                "A part of the message, as the log would tell it.",
            )],
            example: r#"test("a number with a letter in it is no reason for a script to fail", function(t)
  t:call { as = "100", to = "1a0" }:is_refused(404)
end)

-- With a route that calls a function which does not exist, this would be:
--   t:expects_error("attempt to call a nil value")
"#,
            ..METHOD
        },
        VerbSpec {
            name: "forall",
            summary: "Runs a function for many made-up cases, and shows the smallest that fails.",
            doc: "`cases` is a table of generators; see `gen`. The function gets a fresh `t`, with \
                  an office of its own, and the case. When one fails, simpler ones are tried until \
                  none of those fails, and the last is shown, with the seed that finds it again.",
            arguments: &[
                OptionSpec::required("cases", Kind::Table, "What the cases are made of."),
                OptionSpec::required("function", Kind::Function, "Called with `t` and a case.")
                    .typed("fun(t: t, case: table)"),
            ],
            options: &[OptionSpec::optional(
                "runs",
                Kind::Whole { min: 1, max: 100_000, default: Some(100) },
                "How many cases.",
            )],
            example: r##"test("whatever is typed is read back", function(t)
  t:forall({ digits = gen.digits(1, 6) }, function(t, case)
    local caller = t:call { as = "100", to = "9" }
    caller:hears("main/enter-digits")
    caller:presses(case.digits .. "#")
    caller:hears("main/you-entered")
    caller:hears { say = case.digits, as = "digits" }
  end, { runs = 5 })
end)
"##,
            ..METHOD
        },
        VerbSpec {
            name: "http",
            summary: "Says how another program answers over HTTP.",
            doc: "Scripts reach nothing real in a test: a request that no `t:http` fits fails it. An \
                  address without a question fits every question, one that ends with `*` all that \
                  begin so; the last that fits counts. Said \
                  before the first phone or call, the address counts as allowed by `[http]` in the \
                  configuration.\n\n`with` is a function that gets `{ method, url, headers, body }` \
                  and gives back a table of the other options.",
            arguments: &[
                OptionSpec::required("method", Kind::Text, "`GET`, `POST` and the like."),
                OptionSpec::required("url", Kind::Text, "The address."),
            ],
            options: &[STATUS, BODY, AS_JSON, HEADERS, DELAY, FAILS, NEVER_ANSWERS, WITH],
            example: r#"test("an answer can be ready, whether it is asked for or not", function(t)
  t:http("GET", "https://crm.example.org/contacts", { json = { name = "Somchai" } })
  t:call { as = "100", to = "123" }:hears("time/the-time-is")
  t:equal(#t:requests(), 0)
end)
"#,
            ..METHOD
        },
        VerbSpec {
            name: "logged",
            summary: "Expects a script to have logged a line with this text in it.",
            doc: "Gives back the whole line.",
            arguments: &[OptionSpec::required("text", Kind::Text, "A part of the line.")],
            options: &[
                OptionSpec::optional(
                    "level",
                    Kind::Word(&["debug", "info", "warn", "error"]),
                    "How much it matters; if not given, any.",
                ),
                WITHIN,
            ],
            returns: Returns::Value(ValueSpec::new("line", "string", "What was logged.")),
            example: r#"test("a script says what it does", function(t)
  t:call { as = "100", to = "9" }:hears("main/enter-digits")
  assert(not pcall(function() t:logged("no script says this", { within = 0 }) end))
end)
"#,
            ..METHOD
        },
        VerbSpec {
            name: "mailbox",
            summary: "Looks into a mailbox.",
            doc: "Nothing is listened to by that, and nothing changes in it.",
            arguments: &[OptionSpec::required("name", Kind::Name, "Its name.")],
            returns: Returns::Value(ValueSpec::new("mailbox", "mailbox", "The mailbox.")),
            example: r#"test("a mailbox begins empty", function(t)
  t:mailbox("101"):is_empty()
end)
"#,
            ..METHOD
        },
        VerbSpec {
            name: "never_logged",
            summary: "Expects no script to have logged a line with this text in it, up to now.",
            doc: "Let time go on before, so that there was time for it.",
            arguments: &[OptionSpec::required("text", Kind::Text, "A part of the line.")],
            options: &[OptionSpec::optional(
                "level",
                Kind::Word(&["debug", "info", "warn", "error"]),
                "How much it matters; if not given, any.",
            )],
            example: r#"test("what was typed is not logged", function(t)
  local caller = t:call { as = "100", to = "9" }
  caller:hears("main/enter-digits")
  caller:presses("4711#")
  caller:hears("main/goodbye")
  t:never_logged("4711")
end)
"#,
            ..METHOD
        },
        VerbSpec {
            name: "phone",
            summary: "Adds a phone of an account, registered, with what it does when it is called.",
            doc: "Without any of the ways to deal with a call it rings until it is told something. \
                  An account may have several phones.",
            arguments: &[OptionSpec::required("account", Kind::Name, "Whose it is.")],
            options: &[
                ANSWERS,
                EARLY,
                BUSY,
                REFUSES,
                REDIRECTS,
                AFTER,
                REASON,
                NEVER,
                OptionSpec::optional(
                    "registers",
                    Kind::Flag { default: true },
                    "Whether it registers at once.",
                ),
                OptionSpec::optional("secret", Kind::Text, "A wrong secret, to be refused with."),
                LABEL,
                OptionSpec::optional(
                    "second_call",
                    Kind::Word(&["busy", "waits"]),
                    "What becomes of a call that comes in during another; busy if not given.",
                ),
                HANGS_UP,
                LOSES,
            ],
            returns: Returns::Value(PARTY),
            example: r#"test("who is busy has a mailbox", function(t)
  t:phone("101", { busy = true })
  local caller = t:call { as = "100", to = "101" }
  caller:hears("vm/busy")
end)
"#,
            ..METHOD
        },
        VerbSpec {
            name: "record",
            summary: "Expects the record of a call that is over.",
            doc: "Of the fields given, all must fit; the last such record is given back. \
                  `t:record()` gives the last of all.",
            options: &[
                OptionSpec::optional("from", Kind::Name, "Who called."),
                OptionSpec::optional("to", Kind::Name, "The number that was dialled."),
                OptionSpec::optional("account", Kind::Name, "The account that called."),
                OptionSpec::optional(
                    "status",
                    Kind::Whole { min: 100, max: 699, default: None },
                    "The final status that the caller saw.",
                ),
                OptionSpec::optional("answered", Kind::Flag { default: false }, "Whether it was."),
                OptionSpec::optional("by", Kind::Name, "Who answered."),
                OptionSpec::optional("ending", Kind::Text, "How it ended, in words."),
                WITHIN,
            ],
            returns: Returns::Table(&RECORD),
            example: r#"test("each call is kept", function(t)
  t:phone("101", { answers = 1 })
  local caller = t:call { as = "100", to = "101" }
  caller:is_answered()
  t:wait(5)
  caller:hangs_up()
  local record = t:record { from = "100", to = "101", answered = true }
  assert(record.talked >= 5)
end)
"#,
            ..METHOD
        },
        VerbSpec {
            name: "requests",
            summary: "Gives back every HTTP request that scripts sent, in order.",
            doc: "Each has `method`, `url`, `headers` by name in lower case, and `body`. Options \
                  choose among them; an address is written as for `t:http`.",
            options: &[
                OptionSpec::optional("method", Kind::Text, "Those with this method."),
                OptionSpec::optional("url", Kind::Text, "Those to this address."),
            ],
            returns: Returns::Value(ValueSpec::new("requests", "table[]", "The requests.")),
            example: r#"test("the clock asks nobody", function(t)
  t:call { as = "100", to = "123" }:hears("time/the-time-is")
  t:equal(t:requests(), {})
end)
"#,
            ..METHOD
        },
        VerbSpec {
            name: "speech",
            summary: "Says how the synthesiser does from now on.",
            doc: "In a test nothing is started: a text of `call:speak` is there at once, lasts 70 ms \
                  for each character, half a second at least and a minute at most, and is heard as \
                  that text. Here it can take its time, or fail. Without options all is well again.",
            options: &[
                OptionSpec::optional(
                    "delay",
                    seconds(0.0, 3_600.0, Some(0.0)),
                    "How long a text takes until it can be heard.",
                ),
                OptionSpec::optional(
                    "fails",
                    Kind::Word(&["timeout", "busy", "broken"]),
                    "Nothing is spoken, for this reason.",
                ),
            ],
            example: r#"test("who asks for the time does not need the synthesiser", function(t)
  t:speech { fails = "timeout" }
  t:call { as = "100", to = "123" }:hears("time/the-time-is")
  t:speech()
end)
"#,
            ..METHOD
        },
        VerbSpec {
            name: "target",
            summary: "Puts somebody outside of the office, whom scripts can call by a SIP URI.",
            doc: "`sip:gw.example.org` answers for every number there, `sip:17@gw.example.org` for \
                  one. Without any of the ways to deal with a call it rings until it is told \
                  something.",
            arguments: &[OptionSpec::required("uri", Kind::Text, "Its SIP URI.")],
            options: &[
                ANSWERS, EARLY, BUSY, REFUSES, REDIRECTS, AFTER, REASON, NEVER, LABEL, HANGS_UP,
                LOSES,
            ],
            returns: Returns::Value(PARTY),
            example: r#"test("nobody calls the gateway", function(t)
  local gateway = t:target("sip:gw.example.org", { refuses = 503 })
  t:call { as = "100", to = "155" }:is_refused(404)
  t:equal(#gateway:messages(), 0)
end)
"#,
            ..METHOD
        },
        VerbSpec {
            name: "wait",
            summary: "Lets time go on.",
            doc: "All that waits for something lets time go on by itself; this is for the rest.",
            arguments: &[OptionSpec::required("seconds", seconds(0.0, 1e7, None), "How long.")],
            example: r#"test("a queue is patient", function(t)
  local caller = t:call { as = "101", to = "700" }
  t:wait(9)
  caller:hears("music/evening")
end)
"#,
            ..METHOD
        },
        VerbSpec {
            name: "weather",
            summary: "Says how the network treats messages.",
            doc: "To be said before the first phone or call. What is lost follows from the seed of \
                  the run, which a failure tells. A phone may have a network of its own: `loses`.",
            options: &[
                OptionSpec::optional(
                    "loses",
                    Kind::Number { min: 0.0, max: 1.0, default: Some(0.0) },
                    "The share of messages, and of packets of sound, that get lost.",
                ),
                OptionSpec::optional(
                    "repeats",
                    Kind::Number { min: 0.0, max: 1.0, default: Some(0.0) },
                    "The share of messages that come twice.",
                ),
                OptionSpec::optional(
                    "delay",
                    seconds(0.0, 5.0, None),
                    "How long a message takes, at most; later ones may be faster.",
                ),
            ],
            example: r#"test("a call gets through a bad network", function(t)
  t:weather { loses = 0.1, repeats = 0.1, delay = 0.2 }
  local bob = t:phone("101", { answers = 1 })
  t:call { as = "100", to = "101" }:talks_to(bob)
end)
"#,
            ..METHOD
        },
    ],
};

pub(super) const WITHIN: OptionSpec =
    OptionSpec::optional("within", seconds(0.0, 86_400.0, Some(30.0)), "How long to wait for it.");
const PARTY: ValueSpec = ValueSpec::new("party", "party", "Whom it is about from now on.");
const LABEL: OptionSpec =
    OptionSpec::optional("label", Kind::Text, "What the ladder and messages call it.");
const ANSWERS: OptionSpec =
    OptionSpec::optional("answers", seconds(0.0, 3_600.0, None), "Answers after so long.");
const EARLY: OptionSpec = OptionSpec::optional(
    "early",
    Kind::Flag { default: false },
    "Whether it sends sound before it answers.",
);
const BUSY: OptionSpec =
    OptionSpec::optional("busy", Kind::Flag { default: false }, "Whether it is busy (486).");
const REFUSES: OptionSpec = OptionSpec::optional(
    "refuses",
    Kind::Whole { min: 400, max: 699, default: None },
    "Refuses with this code.",
);
const REDIRECTS: OptionSpec = OptionSpec::optional(
    "redirects",
    Kind::Redirects,
    "Sends the caller to this SIP URI, or these.",
);
const AFTER: OptionSpec = OptionSpec::optional(
    "after",
    seconds(0.0, 3_600.0, Some(0.0)),
    "Rings so long before it refuses or redirects.",
);
const REASON: OptionSpec =
    OptionSpec::optional("reason", Kind::Text, "The words that go with `refuses`.");
const NEVER: OptionSpec = OptionSpec::optional(
    "never",
    Kind::Flag { default: false },
    "Whether it replies nothing at all, as if the network ended there.",
);
const HANGS_UP: OptionSpec = OptionSpec::optional(
    "hangs_up",
    seconds(0.0, 86_400.0, None),
    "Hangs up so long after it answered.",
);
const LOSES: OptionSpec = OptionSpec::optional(
    "loses",
    Kind::Number { min: 0.0, max: 1.0, default: None },
    "The share of its messages, and of the packets of its sound, that get lost, both ways.",
);

const WITH: OptionSpec = OptionSpec::optional("with", Kind::Function, "Answers each request.")
    .typed("fun(request: table): table");

const STATUS: OptionSpec = OptionSpec::optional(
    "status",
    Kind::Whole { min: 200, max: 999, default: Some(200) },
    "The status.",
);
const BODY: OptionSpec = OptionSpec::optional("body", Kind::Anything, "The body.").typed("string");
const AS_JSON: OptionSpec =
    OptionSpec::optional("json", Kind::Anything, "A value to be the body as JSON.");
const HEADERS: OptionSpec = OptionSpec::optional("headers", Kind::Headers, "More headers.");
const DELAY: OptionSpec =
    OptionSpec::optional("delay", seconds(0.0, 3_600.0, Some(0.02)), "How long the answer takes.");
const FAILS: OptionSpec = OptionSpec::optional(
    "fails",
    Kind::Word(&[
        "timeout",
        "refused",
        "no such host",
        "not trusted",
        "too large",
        "busy",
        "broken",
    ]),
    "There is no answer, for this reason.",
);
const NEVER_ANSWERS: OptionSpec = OptionSpec::optional(
    "never",
    Kind::Flag { default: false },
    "Whether there is no answer at all, so that the script waits as long as it likes.",
);

/// How another program answers.
pub(crate) const HTTP_ANSWER: &[OptionSpec] =
    &[STATUS, BODY, AS_JSON, HEADERS, DELAY, FAILS, NEVER_ANSWERS];

const METHOD: VerbSpec = VerbSpec { library: Library::Test("t"), ..VerbSpec::FUNCTION };
