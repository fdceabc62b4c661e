//! Rows of what callers, phones and targets do, and what is expected of them.

use dialplan::{Kind, Library, LibrarySpec, OptionSpec, Returns, ValueSpec, VerbSpec, seconds};

use super::MESSAGE;
use super::t::WITHIN;

/// A caller, a phone, or somebody outside.
pub(crate) const PARTY: LibrarySpec = LibrarySpec {
    library: Library::Test("party"),
    summary: "A caller, a phone, or somebody outside of the office.",
    doc: "What `t:call`, `t:phone` and `t:target` give. What it does, it does at once. What is \
          expected of it may still be to come: time goes on until it happens, or the time given is \
          over.\n\nA test tells a story: `hears`, `rings` and `sees` look only at what came after \
          that which was found before.",
    fields: &[
        ValueSpec::new("name", "string", "What the ladder calls it."),
        ValueSpec::new("number", "string", "Its number, or the name of its account."),
    ],
    functions: &[
        VerbSpec {
            name: "answers",
            summary: "Answers the call that rings.",
            doc: "Waits for it to ring, if it does not yet.",
            options: &[WITHIN],
            example: r#"test("the phone that is picked up first has the call", function(t)
  local bob = t:phone("101")
  local alice = t:call { as = "100", to = "101" }
  bob:rings()
  bob:answers()
  alice:talks_to(bob)
end)
"#,
            ..METHOD
        },
        VerbSpec {
            name: "hangs_up",
            summary: "Hangs up, gives up calling, or declines: whatever fits.",
            doc: "With BYE, CANCEL or a refusal.",
            example: r#"test("who gives up is gone", function(t)
  local bob = t:phone("101")
  local alice = t:call { as = "100", to = "101" }
  bob:rings()
  alice:hangs_up()
  bob:is_ended { cause = "cancelled" }
end)
"#,
            ..METHOD
        },
        VerbSpec {
            name: "hangup",
            summary: "The same as `hangs_up`.",
            doc: "For those who would say it so.",
            example: r#"test("hanging up ends the call", function(t)
  local caller = t:call { as = "100", to = "600" }
  caller:is_answered()
  caller:hangup()
  caller:is_ended()
end)
"#,
            ..METHOD
        },
        VerbSpec {
            name: "heard",
            summary: "Gives back all that it heard, in order.",
            doc: "Each entry has `what` as a text, `from` and `to` in seconds since the test \
                  began; `to` is nil for what it still hears. `lost` is how many seconds of it \
                  the network lost.",
            returns: Returns::Value(ValueSpec::new("heard", "Heard[]", "All it heard.")),
            example: r#"test("the greeting comes first", function(t)
  local caller = t:call { as = "100", to = "0" }
  caller:hears("main/menu")
  t:equal(caller:heard()[1].what, "en/main/welcome")
end)
"#,
            ..METHOD
        },
        VerbSpec {
            name: "hears",
            summary: "Expects it to hear something.",
            doc: "A text is a prompt with or without its language (`closed`, `en/closed`), music, \
                  a tone as scripts write it (`tone:425:1`), `ringback`, `beep`, the text of \
                  `call:speak` if it has a space in it, or the name of another party. Another party itself will do as \
                  well. `{ say = 42, as = \"number\" }` is what `call:say` speaks. A list is these \
                  one after the other, with nothing in between.\n\nIt is found as soon as it \
                  begins: a key pressed after it interrupts it.\n\nWhere the network loses \
                  sound (`loses`), it counts as heard if half of its first second gets through, \
                  and as heard `wholly` if no more than a tenth of it is missing.",
            arguments: &[OptionSpec::required("what", Kind::Anything, "What it should hear.")
                .typed("string|party|table")],
            options: &[
                WITHIN,
                OptionSpec::optional(
                    "wholly",
                    Kind::Flag { default: false },
                    "Whether to wait until it was heard to its end.",
                ),
            ],
            example: r#"test("a menu asks again", function(t)
  local caller = t:call { as = "100", to = "0" }
  caller:hears { "main/welcome", "main/menu" }
  caller:presses("8")
  caller:hears("main/invalid")
  caller:hears("main/menu")
end)
"#,
            ..METHOD
        },
        VerbSpec {
            name: "hears_nothing",
            summary: "Expects silence for so long from now on.",
            doc: "What other parties' microphones bring counts as something, even while they do \
                  not speak.",
            arguments: &[OptionSpec::required(
                "seconds",
                seconds(0.0, 86_400.0, None),
                "How long.",
            )],
            example: r#"test("between two times there is a pause", function(t)
  local caller = t:call { as = "100", to = "123" }
  caller:hears("time/am", { wholly = true })
  caller:hears_nothing(3)
end)
"#,
            ..METHOD
        },
        VerbSpec {
            name: "holds",
            summary: "Puts its call on hold.",
            doc: "A re-INVITE that only sends.",
            example: r#"test("a call on hold goes on later", function(t)
  local bob = t:phone("101", { answers = 1 })
  local alice = t:call { as = "100", to = "101" }
  alice:talks_to(bob)
  bob:holds()
  t:wait(5)
  bob:resumes()
  alice:talks_to(bob)
end)
"#,
            ..METHOD
        },
        VerbSpec {
            name: "is_answered",
            summary: "Expects its call to be answered.",
            doc: "Whoever answers: a phone, or the exchange itself.",
            options: &[WITHIN],
            example: r#"test("the echo test answers", function(t)
  t:call { as = "100", to = "600" }:is_answered()
end)
"#,
            ..METHOD
        },
        VerbSpec {
            name: "is_ended",
            summary: "Expects its call to be over.",
            doc: "`cause` tells who ended it: `hung up` (this party), `hung up by other`, \
                  `refused`, `gave up`, `declined`, `cancelled` or `lost`.",
            options: &[
                OptionSpec::optional(
                    "cause",
                    Kind::Word(&[
                        "hung up",
                        "hung up by other",
                        "refused",
                        "gave up",
                        "declined",
                        "cancelled",
                        "lost",
                    ]),
                    "By whom; if not given, anyhow.",
                ),
                WITHIN,
            ],
            example: r#"test("the digit test ends by itself", function(t)
  local caller = t:call { as = "100", to = "9" }
  caller:hears("main/nothing-pressed")
  caller:is_ended { cause = "hung up by other" }
end)
"#,
            ..METHOD
        },
        VerbSpec {
            name: "is_redirected",
            summary: "Expects its call to be sent elsewhere.",
            doc: "To this SIP URI, which may be the first of several.",
            arguments: &[OptionSpec::required("to", Kind::Text, "The SIP URI, or its beginning.")],
            options: &[
                OptionSpec::optional(
                    "code",
                    Kind::Whole { min: 300, max: 399, default: None },
                    "The code; if not given, any 3xx.",
                ),
                WITHIN,
            ],
            example: r#"test("302 sends to extension 100", function(t)
  t:call { as = "101", to = "302" }:is_redirected("sip:100@", { code = 302 })
end)
"#,
            ..METHOD
        },
        VerbSpec {
            name: "is_refused",
            summary: "Expects its call to be refused.",
            doc: "With this code, or with any from 400 on.",
            arguments: &[OptionSpec::optional(
                "code",
                Kind::Whole { min: 400, max: 699, default: None },
                "The code.",
            )],
            options: &[
                OptionSpec::optional("reason", Kind::Text, "The words that go with it."),
                WITHIN,
            ],
            example: r#"test("a number without a route is not found", function(t)
  t:call { as = "100", to = "555" }:is_refused(404, { reason = "Not Found" })
end)
"#,
            ..METHOD
        },
        VerbSpec {
            name: "is_ringing",
            summary: "Expects its call to ring at the other end (180).",
            doc: "As the caller sees it; for the phone that is called, see `rings`.",
            options: &[WITHIN],
            example: r#"test("a caller is told that it rings", function(t)
  t:phone("101")
  t:call { as = "100", to = "101" }:is_ringing()
end)
"#,
            ..METHOD
        },
        VerbSpec {
            name: "messages",
            summary: "Gives back every SIP message that it sent or got, in order.",
            doc: "Options choose among them.",
            options: &[
                OptionSpec::optional("method", Kind::Text, "Requests and replies of this one."),
                OptionSpec::optional(
                    "status",
                    Kind::Whole { min: 100, max: 699, default: None },
                    "Replies with this code.",
                ),
                OptionSpec::optional("sent", Kind::Flag { default: false }, "Sent, or not."),
            ],
            returns: Returns::Value(ValueSpec::new("messages", "Message[]", "The messages.")),
            example: r#"test("a phone sees who calls", function(t)
  local bob = t:phone("101")
  t:call { as = "100", to = "101" }
  bob:rings()
  local invite = bob:messages { method = "INVITE", sent = false }[1]
  assert(invite.headers["From"]:find("sip:100@", 1, true))
  assert(invite.body:find("m=audio", 1, true))
end)
"#,
            ..METHOD
        },
        VerbSpec {
            name: "press",
            summary: "The same as `presses`.",
            doc: "For those who would say it so.",
            arguments: &[KEYS],
            example: r##"test("a hash ends the echo test", function(t)
  local caller = t:call { as = "100", to = "600" }
  caller:hears(caller)
  caller:press("#")
  caller:hears("main/echo-end")
end)
"##,
            ..METHOD
        },
        VerbSpec {
            name: "presses",
            summary: "Presses keys.",
            doc: "A tenth of a second each, with a tenth between them.",
            arguments: &[KEYS],
            example: r##"test("digits are read back", function(t)
  local caller = t:call { as = "100", to = "9" }
  caller:hears("main/enter-digits")
  caller:presses("407#")
  caller:hears("main/you-entered")
  caller:hears { say = "407", as = "digits" }
end)
"##,
            ..METHOD
        },
        VerbSpec {
            name: "redirects",
            summary: "Sends the caller of the call that rings elsewhere.",
            doc: "Waits for it to ring, if it does not yet.",
            arguments: &[OptionSpec::required("to", Kind::Text, "A SIP URI, or a number here.")],
            options: &[
                OptionSpec::optional(
                    "code",
                    Kind::Whole { min: 300, max: 399, default: Some(302) },
                    "With this code.",
                ),
                WITHIN,
            ],
            example: r#"test("a phone may send its calls elsewhere", function(t)
  local bob, carol = t:phone("101"), t:phone("102", { answers = 1 })
  local alice = t:call { as = "100", to = "101" }
  bob:redirects("102")
  alice:talks_to(carol)
end)
"#,
            ..METHOD
        },
        VerbSpec {
            name: "refuses",
            summary: "Refuses the call that rings.",
            doc: "Waits for it to ring, if it does not yet.",
            arguments: &[OptionSpec::required(
                "code",
                Kind::Whole { min: 400, max: 699, default: None },
                "With this code.",
            )],
            options: &[OptionSpec::optional("reason", Kind::Text, "And these words."), WITHIN],
            example: r#"test("a call that is declined goes to the mailbox", function(t)
  local bob = t:phone("101")
  local alice = t:call { as = "100", to = "101" }
  bob:refuses(603, { reason = "Not Now" })
  alice:hears("vm/busy")
end)
"#,
            ..METHOD
        },
        VerbSpec {
            name: "registers",
            summary: "Registers, or does so again.",
            doc: "Waits until it is registered.",
            options: &[WITHIN],
            example: r#"test("a phone rings as soon as it has registered", function(t)
  local bob = t:phone("101", { registers = false })
  t:call { as = "100", to = "101" }:hears("vm/unavailable")
  bob:registers()
  t:call { as = "102", to = "101" }
  bob:rings()
end)
"#,
            ..METHOD
        },
        VerbSpec {
            name: "resumes",
            summary: "Takes its call back from hold.",
            doc: "A re-INVITE that sends and receives.",
            example: r#"test("both hear each other again", function(t)
  local bob = t:phone("101", { answers = 1 })
  local alice = t:call { as = "100", to = "101" }
  alice:talks_to(bob)
  alice:holds()
  t:wait(2)
  alice:resumes()
  bob:hears(alice)
end)
"#,
            ..METHOD
        },
        VerbSpec {
            name: "returns",
            summary: "Is connected again, after it vanished.",
            doc: "In the state in which it was: it knows nothing of what it missed.",
            example: r#"test("a phone that was gone for a moment keeps its call", function(t)
  local bob = t:phone("101", { answers = 1 })
  local alice = t:call { as = "100", to = "101" }
  alice:talks_to(bob)
  bob:vanishes()
  t:wait(5)
  bob:returns()
  alice:talks_to(bob)
end)
"#,
            ..METHOD
        },
        VerbSpec {
            name: "rings",
            summary: "Expects it to ring, for a call that came in.",
            doc: "For the caller's side, see `is_ringing`.",
            options: &[
                OptionSpec::optional("from", Kind::Name, "The number it is shown."),
                OptionSpec::optional("name", Kind::Text, "The display name it is shown."),
                WITHIN,
            ],
            example: r#"test("a phone shows who calls", function(t)
  local bob = t:phone("101")
  t:call { from = "+6621234567", name = "Somchai", to = "101" }
  bob:rings { from = "+6621234567", name = "Somchai" }
end)
"#,
            ..METHOD
        },
        VerbSpec {
            name: "says",
            summary: "Speaks for so long.",
            doc: "The test goes on when it has spoken.",
            arguments: &[OptionSpec::required(
                "seconds",
                seconds(0.02, 86_400.0, None),
                "How long.",
            )],
            example: r#"test("a message is kept", function(t)
  local caller = t:call { as = "100", to = "101" }
  caller:hears("beep", { wholly = true })
  caller:says(4)
  caller:hangs_up()
  t:mailbox("101"):has { from = "100", seconds = 4 }
end)
"#,
            ..METHOD
        },
        VerbSpec {
            name: "sees",
            summary: "Expects a SIP message with all that is given.",
            doc: "A reply with `status`, or a request with `method`. Headers are compared as \
                  parts: `{ Contact = \"sip:100@\" }` fits a Contact that has it in it.",
            options: &[
                OptionSpec::optional(
                    "status",
                    Kind::Whole { min: 100, max: 699, default: None },
                    "The code of a reply.",
                ),
                OptionSpec::optional("reason", Kind::Text, "The words of a reply."),
                OptionSpec::optional("method", Kind::Text, "The method of a request."),
                OptionSpec::optional("headers", Kind::Headers, "Parts of headers."),
                OptionSpec::optional("body", Kind::Text, "A part of the body."),
                WITHIN,
            ],
            returns: Returns::Table(&MESSAGE),
            example: r#"test("who waits in line is told so", function(t)
  t:call { as = "101", to = "700" }:sees { status = 182 }
end)
"#,
            ..METHOD
        },
        VerbSpec {
            name: "sends",
            summary: "Sends a request within its call.",
            doc: "As INFO, MESSAGE or OPTIONS; the reply is among its messages.",
            arguments: &[OptionSpec::required("method", Kind::Text, "The method.")],
            options: &[
                OptionSpec::optional("headers", Kind::Headers, "Headers."),
                OptionSpec::optional("type", Kind::Text, "What the body is, such as `text/plain`."),
                OptionSpec::optional("body", Kind::Text, "The body."),
            ],
            example: r#"test("a request that nobody knows does no harm", function(t)
  local caller = t:call { as = "100", to = "600" }
  caller:is_answered()
  caller:sends("SUMMON", { headers = { Subject = "a ghost" } })
  caller:sees { status = 501, method = "SUMMON" }
end)
"#,
            ..METHOD
        },
        VerbSpec {
            name: "talks_to",
            summary: "Expects it and another party to hear each other.",
            doc: "Both must hear the other's microphone, whether anybody speaks or not.",
            arguments: &[
                OptionSpec::required("other", Kind::Anything, "The other party.").typed("party")
            ],
            options: &[WITHIN],
            example: r#"test("extensions call each other", function(t)
  local bob = t:phone("101", { answers = 3 })
  local alice = t:call { as = "100", to = "101" }
  alice:talks_to(bob)
end)
"#,
            ..METHOD
        },
        VerbSpec {
            name: "transfers",
            summary: "Has the exchange connect the other side elsewhere (REFER).",
            doc: "As the transfer key of a phone does. The other side is connected to the number as \
                  if this party had dialled it, and hears it ring meanwhile. Once somebody answers \
                  there, this party is hung up on; if nobody does, the two talk on. Hang up at once \
                  with `party:hangs_up()` to transfer without waiting.\n\nTo ask first, let the \
                  party call somebody else and give that one in place of a number: whom it talked \
                  with before is joined to it (REFER with Replaces).",
            arguments: &[OptionSpec::required(
                "to",
                Kind::Anything,
                "A number, a SIP URI, or a party with whom it talks in another call.",
            )
            .typed("string | party")],
            example: r#"test("the reception passes a caller on", function(t)
  local bob = t:phone("101", { answers = 1 })
  local carol = t:phone("102", { answers = 2 })
  local alice = t:call { as = "100", to = "101" }
  alice:talks_to(bob)
  bob:transfers("102")
  alice:talks_to(carol)
end)

test("the reception asks first, then passes a caller on", function(t)
  local bob = t:phone("101", { answers = 1 })
  local carol = t:phone("102", { answers = 2 })
  local alice = t:call { as = "100", to = "101" }
  alice:talks_to(bob)
  bob:holds()
  t:call { as = "101", to = "102" }:talks_to(carol)
  bob:transfers(carol)
  alice:talks_to(carol)
end)
"#,
            ..METHOD
        },
        VerbSpec {
            name: "unregisters",
            summary: "Takes its registration back.",
            doc: "Waits until that is done.",
            options: &[WITHIN],
            example: r#"test("who left is not called any more", function(t)
  local bob = t:phone("101", { answers = 1 })
  bob:unregisters()
  t:call { as = "100", to = "101" }:hears("vm/unavailable")
end)
"#,
            ..METHOD
        },
        VerbSpec {
            name: "vanishes",
            summary: "Is cut off, as when somebody pulls the plug.",
            doc: "From then on it neither hears nor says anything, and does not know it.",
            example: r#"test("a phone that vanished is given up on", function(t)
  local bob = t:phone("101")
  bob:vanishes()
  t:call { as = "100", to = "101" }:hears("vm/unavailable", { within = 40 })
end)
"#,
            ..METHOD
        },
    ],
};

const KEYS: OptionSpec = OptionSpec::required("keys", Kind::Name, "`0-9`, `A-D`, `*` and `#`.");

const METHOD: VerbSpec = VerbSpec { library: Library::Test("party"), ..VerbSpec::FUNCTION };
