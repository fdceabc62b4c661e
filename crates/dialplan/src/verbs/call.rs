//! Rows of `call`: its verbs and its values.

use super::{
    Answer, ClassSpec, Kind, Library, LibrarySpec, OptionSpec, Returns, ValueSpec, VerbSpec,
    seconds,
};

/// The call that a route was given.
pub const CALL: LibrarySpec = LibrarySpec {
    library: Library::Call,
    summary: "The call: what is known of it, and what can be done with it.",
    doc: "The function of a route gets the call and asks for one thing after the other. Each verb \
          returns when it has happened, and other calls go on meanwhile. When the caller hangs up, \
          the function stops where it is: nothing after that line runs but `<close>` variables and \
          the functions given to `call:on_hangup`.\n\nVerbs take what they need as arguments and \
          everything optional as a table with names: `call:dial(\"ext/101\", { timeout = 20 })`. A \
          wrong name is an error that tells the right one, as early as the scripts are loaded if it \
          is written out there.\n\nOne call may use 10,000 verbs, and 5,000,000 Lua instructions \
          between two of them, unless the configuration says otherwise.",
    fields: FIELDS,
    functions: VERBS,
};

/// Plain values of `call`, by name in alphabetical order.
pub const FIELDS: &[ValueSpec] = &[
    ValueSpec::new("account", "string?", "The account that authenticated, or nil."),
    ValueSpec::new("from", "Party", "Who calls: `.user`, `.name`, `.host`."),
    ValueSpec::new(
        "headers",
        "table<string, string?>",
        "Headers of the call by name, in any case; nil when absent.",
    ),
    ValueSpec::new("id", "string", "The call's name in logs and records."),
    ValueSpec::new("source", "string", "The address the call came from."),
    ValueSpec::new("to", "Party", "Who was dialled: `.user`, `.name`, `.host`."),
    ValueSpec::new(
        "transferred_by",
        "string?",
        "Who transferred the caller here, an account or a number; nil if nobody did.",
    ),
    ValueSpec::new("uri", "string", "The request URI as it came."),
    ValueSpec::new("vars", "table<string, any>", "An empty table for the script."),
];

/// Every method of `call`, by name in alphabetical order.
pub const VERBS: &[VerbSpec] = &[
    VerbSpec {
        name: "answer",
        summary: "Answers the call (200); does nothing when it is answered already.",
        doc: "Until a call is answered its caller usually pays nothing and hears what is played as \
              early media, if the network between lets it through. Answer first whenever the caller \
              should hear for certain, or press keys.\n\n`call:record`, `call:voicemail`, \
              `call:mailbox` and `call:echo` answer by themselves, and so does `call:dial` when \
              somebody else answers.",
        answer: Answer::Answers,
        line: false,
        example: r#"route("600", function(call)
  call:answer()
  call:play("main/welcome")
  call:echo()
end)
"#,
        ..VERB
    },
    VerbSpec {
        name: "bridge",
        summary: "Joins the caller and somebody who was called with `pbx.originate`.",
        doc: "As if a dial had been answered: a caller who was not answered yet is answered, the two \
              talk, and the script waits until one of them hangs up. If it is the other, the script \
              goes on with the caller. The status is then `ANSWERED`; it is `CANCEL` if whoever \
              answered has hung up before they could be joined, and `CONGESTION` if the two have no \
              codec in common.",
        arguments: &[OptionSpec::required("leg", Kind::Table, "What `pbx.originate` gave back.")
            .typed("Leg")],
        returns: Returns::Table(&DIALED),
        answer: Answer::Serves,
        example: r#"route("101", function(call)
  call:ringing()
  local leg = pbx.originate { to = "ext/101", timeout = 25 }
  if leg.status == "ANSWERED" then
    local result = call:bridge(leg)
    log.info("they talked for", result.secs, "seconds")
  else
    call:voicemail("101")
  end
end)
"#,
        ..VERB
    },
    VerbSpec {
        name: "busy",
        summary: "Refuses the call as busy (486).",
        doc: "The same as `call:reject(486)`. A caller that was answered already is hung up on. \
              The function ends here.",
        ends: true,
        before_answer: true,
        line: false,
        example: r#"route("104", function(call)
  if call.account ~= "100" then
    call:busy()
  end
  call:dial("ext/104")
end)
"#,
        ..VERB
    },
    VerbSpec {
        name: "dial",
        summary: "Rings somebody and connects the first to answer.",
        doc: "Every phone registered for `ext/101` is rung, and every target of a list together; \
              the first to answer is connected to the caller, the others stop ringing. A list of \
              lists rings one list after the other. While it rings the caller hears ringing, or \
              early media of whom is rung, or the `music`.\n\nThe script waits until the two have \
              talked and the other side has hung up, and then goes on with the caller; if it is \
              the caller who hangs up, the script ends. So what comes after a dial is for those who \
              did not get through, or for what is left to say afterwards.\n\nThe status is \
              `ANSWERED`; `BUSY` for 486 and 600; `NOANSWER` when the time was over; `CHANUNAVAIL` \
              when no phone is registered or nobody has the number; `CONGESTION` when the network \
              or the other side failed. When several were rung, it is that of the most telling \
              answer. Up to 32 targets may be named.\n\nA number that becomes part of a URI, \
              `\"sip:\" .. number .. \"@gw.example.net\"`, cannot lead to another host: a URI with two \
              `@` is an error. What it costs to call it is for the script to judge.",
        arguments: &[OptionSpec::required(
            "to",
            Kind::Targets,
            "A target (`ext/101`, `sip:user@host`), a list to ring together, a list of lists to \
             ring in turn; `{to=, delay=, timeout=}` for a target with times of its own.",
        )],
        options: &[
            OptionSpec::optional(
                "timeout",
                seconds(1.0, 3_600.0, Some(30.0)),
                "How long to ring, each list of a list of lists.",
            ),
            OptionSpec::optional("music", Kind::Sound, "What the caller hears instead of ringing."),
            OptionSpec::optional(
                "caller",
                Kind::Identity,
                "Who is shown as calling: `{user=, name=}`.",
            ),
        ],
        returns: Returns::Table(&DIALED),
        answer: Answer::Serves,
        example: r#"route("200", function(call)
  -- Two phones together for 15 seconds, then a third.
  local result = call:dial({ { "ext/100", "ext/101" }, { "ext/102" } }, { timeout = 15 })
  if result.status == "ANSWERED" then
    log.info("answered by", result.to, "for", result.secs, "seconds")
  else
    call:voicemail("100", { reason = result.status })
  end
end)
"#,
        ..VERB
    },
    VerbSpec {
        name: "dtmf",
        summary: "Presses keys: sends digits to the caller or the callee.",
        doc: "Sent as telephone events (RFC 4733), 100 ms each with 100 ms between, beside whatever \
              the line does: while a sound plays, and while two parties talk. A door opener at the \
              other end hears them as if somebody had pressed the keys. The script goes on at once. \
              When that party is not there, or does not understand telephone events, nothing is \
              sent.",
        arguments: &[OptionSpec::required("digits", Kind::Name, "1 to 32 of 0-9, *, # and A-D.")],
        options: &[OptionSpec::optional(
            "to",
            Kind::Word(&["caller", "callee"]),
            "Who hears them; the caller unless said otherwise.",
        )],
        line: false,
        example: r##"-- The door phone calls; whoever answers presses 9, and the door phone opens on "#".
route("door", function(call)
  call:on("dtmf", function(digit, by)
    if by == "callee" and digit == "9" then call:dtmf("#") end
  end)
  call:dial("ext/100", { timeout = 30 })
end)
"##,
        ..VERB
    },
    VerbSpec {
        name: "echo",
        summary: "Sends the caller's own sound back until `#` or hang-up.",
        doc: "Answers if need be. What the caller hears has gone through the same buffers as any \
              call, so it tells whether sound arrives both ways, and how late.",
        answer: Answer::Answers,
        example: r#"route("600", function(call)
  call:play("main/echo-intro")
  call:echo()
  call:play("main/echo-end")
end)
"#,
        ..VERB
    },
    VerbSpec {
        name: "go",
        summary: "Runs the route of another number, then comes back.",
        doc: "Finds the route as if that number had been dialled, runs its function with the same \
              call, and returns when that returns. Meanwhile `call.to.user` is the other number, for this \
              function and those it begins there; what runs beside it sees its own. If no route matches, it gives back false and `\"NONE\"`, or `\"INCOMPLETE\"` if more \
              digits could match.\n\nUp to 16 routes may run inside each other, so that two that \
              send a call to each other are an error and not an endless loop.",
        arguments: &[OptionSpec::required("number", Kind::Dialled, "As if this had been dialled.")],
        returns: Returns::Values(&[
            ValueSpec::new("found", "boolean", "Whether there is such a route."),
            ValueSpec::new("why", r#""NONE"|"INCOMPLETE"|nil"#, "Why there is none."),
        ]),
        waits: false,
        answer: Answer::Serves,
        line: false,
        example: r#"route("200", function(call)
  call:answer()
  call:go("600")
  call:play("main/goodbye")
end)

route("600", function(call)
  call:echo()
end)
"#,
        ..VERB
    },
    VerbSpec {
        name: "hangup",
        summary: "Ends the call by the right means for its state.",
        doc: "An answered call gets BYE. One that is not answered is refused: with 480, or with \
              486 for `busy`, 503 for `congestion`, 404 for `unallocated`, 603 for `rejected`. The \
              function ends here.",
        arguments: &[OptionSpec::optional(
            "cause",
            Kind::Word(&["normal", "busy", "congestion", "unallocated", "rejected"]),
            "What the other side is told.",
        )],
        ends: true,
        line: false,
        example: r#"route("200", function(call)
  call:answer()
  local digit = call:read { prompt = "main/enter-digits", max = 1 }
  if not digit then
    return call:hangup()
  end
  call:say(digit, { as = "digits" })
end)
"#,
        ..VERB
    },
    VerbSpec {
        name: "mailbox",
        summary: "Lets the caller listen to a mailbox, with its PIN.",
        doc: "Answers, asks for the PIN, and lets the caller hear, delete and bring back messages, \
              change the PIN and record a greeting; the keys are explained as they are needed. \
              Without a name the caller is asked for the number of the mailbox first. What was \
              deleted is gone when the caller leaves with `#` or hangs up, and not before.",
        arguments: &[OptionSpec::optional(
            "box",
            Kind::Mailbox,
            "The mailbox; without it the caller is asked.",
        )
        .typed("MailboxName")],
        returns: Returns::Value(ValueSpec::new(
            "status",
            r#""DONE"|"REFUSED"|"FAILED""#,
            "How it ended: left with `#`, wrong PIN too often, or no such mailbox.",
        )),
        answer: Answer::Answers,
        example: r#"route("*97", function(call)
  if call:mailbox(call.account) == "REFUSED" then
    log.warn("wrong PIN from", call.source)
  end
end)
"#,
        ..VERB
    },
    VerbSpec {
        name: "menu",
        summary: "Asks for a choice and calls the function of the digits typed.",
        doc: "Keys of the table that are digits or patterns are the choices: `[\"1\"] = \
              function() ... end`, or `[\"1\"] = \"700\"` to go on with the route of that number. \
              The prompt stops at the first digit; digits typed ahead count. The function is \
              called with the digits, and the menu returns after it.\n\nWhen nothing is typed within \
              `timeout`, or something that is not a choice, which `invalid` says, it asks again until \
              `tries` is used up. Then `otherwise` happens: a function, called with \"timeout\" or \
              \"invalid\", or the number of a route. A function as `timeout` or as `invalid` happens \
              instead of it in that case.",
        options: &[
            PROMPT,
            OptionSpec::optional(
                "timeout",
                Kind::SecondsOrFunction,
                "Silence allowed after the prompt, in seconds: 5 unless given. Or what happens \
                 after the last silence, in place of `otherwise`.",
            ),
            BETWEEN,
            TERMINATOR,
            TRIES,
            OptionSpec::optional(
                "invalid",
                Kind::SoundsOrFunction,
                "Heard after a wrong choice. Or what happens after the last wrong one, in place of \
                 `otherwise`.",
            ),
            OptionSpec::optional(
                "otherwise",
                Kind::Choice,
                "What happens when nothing was chosen in the end: a function, or a number whose \
                 route is run.",
            )
            .typed("fun(why: string)|string|integer"),
        ],
        open: Some(
            OptionSpec::optional(
                "digits",
                Kind::Choice,
                "What these digits choose: a function, or a number whose route is run.",
            )
            .typed("fun(digits: string)|string|integer"),
        ),
        returns: DIGITS,
        answer: Answer::Serves,
        example: r#"route("0", function(call)
  call:answer()
  call:menu {
    prompt = "main/menu",
    invalid = "main/invalid",
    tries = 3,
    ["1"] = function() call:say(time.now(), { as = "time" }) end,
    ["2"] = function() call:echo() end,
    ["1XX"] = function(digits) call:dial("ext/" .. digits) end,
    otherwise = function() call:play("main/goodbye") end,
  }
end)
"#,
        ..VERB
    },
    VerbSpec {
        name: "on",
        summary: "Calls a function whenever something happens to the call.",
        doc: "`\"dtmf\"`: a key was pressed; the function gets the digit and `\"caller\"` or \
              `\"callee\"`. `\"hold\"` and `\"resume\"`: a party put the other on hold, or came back; \
              the function gets which. `\"answer\"`: somebody answered a dial and is joined to the \
              caller; the function gets the target as it was dialled.\n\nThe function runs beside \
              whatever the script does, as one begun with `spawn`, while phones ring and while two \
              parties talk. It can use what needs no line: `call:sleep`, `call:dtmf`, \
              `call:hangup`, or cancel a function that waits. Each event begins it anew, even while \
              it still runs for the one before. An error in it is logged and ends it alone.\n\nA key \
              is told here and also does what it does otherwise: a `call:read` that waits takes it, \
              a sound with `barge` stops, and between two parties it reaches the other one. Up to \
              16 functions per call; they are called until the call is over.",
        arguments: &[
            OptionSpec::required(
                "event",
                Kind::Word(crate::event::EVENTS),
                "What to wait for: \"answer\", \"dtmf\", \"hold\" or \"resume\".",
            ),
            OptionSpec::required("function", Kind::Function, "Called each time.")
                .typed("fun(what: string, by: string?)"),
        ],
        waits: false,
        line: false,
        example: r##"-- Whoever talks presses ** to be rid of the other and choose again.
route("1XX", function(call)
  local talking = spawn(function() call:dial("ext/" .. call.to.user) end)
  local last
  call:on("dtmf", function(digit, by)
    if by == "caller" and digit == "*" and last == "*" then talking:cancel() end
    last = digit
  end)
  if not pcall(talking.wait, talking) then
    local number = call:read { prompt = "main/enter-digits", max = 3 }
    if number then call:go(number) end
  end
end)
"##,
        ..VERB
    },
    VerbSpec {
        name: "on_hangup",
        summary: "Calls a function with cause and code when the call is over.",
        doc: "However it ends: the caller hangs up, the script does, or an error stops it. The \
              function gets the cause in words and the SIP status, 200 for a normal end.\n\nIt can \
              wait for what needs no call: `http`, `db`, `sleep`, `shared.lock`, \
              `pbx.originate` with `run` or `number`, and `spawn`, `race`, `all` and `within` for \
              several of them. Verbs of the call are an error: there is nobody to hear them. What \
              is known of the call, `call.vars` too, is still there.\n\nUp to 16 functions per \
              call, run one after the other in the order in which they were given; an error in one \
              is logged and does not keep the others from running. Until the first wait they run at \
              the very end of the call, then by themselves: up to 3 minutes for all of one call \
              together, as many calls' at a time as there may be calls (`calls` under `[limits]`), \
              and 2 seconds when the exchange stops. What is ended by these bounds is logged with \
              the line at which it waits.",
        arguments: &[OptionSpec::required(
            "function",
            Kind::Function,
            "Called with (cause, code).",
        )
        .typed("fun(cause: string, code: integer)")],
        waits: false,
        line: false,
        example: r#"route("1XX", function(call)
  local began = time.now()
  call:on_hangup(function(cause, code)
    local seconds = time.now() - began
    log.info(cause, code, "after", seconds, "seconds")
    http.post("https://crm.example.org/calls", {
      json = { from = call.from.user, to = call.to.user, ended = cause, seconds = seconds },
    })
  end)
  call:dial("ext/" .. call.to.user)
end)
"#,
        ..VERB
    },
    VerbSpec {
        name: "play",
        summary: "Plays sounds one after the other, as early media when not answered.",
        doc: "A sound is the name of a file in the folder `prompts` without its ending and, if you \
              like, without its language: `main/welcome`. `tone:440` is a tone in hertz, \
              `tone:440+480/2,4` two together with two seconds on and four off, `tone:1000:0.2` \
              one of a fifth of a second; `silence:1.5` is nothing for that long. `{ speak = \
              \"...\" }` is a text, as with `call:speak`. Up to 64 in a list.\n\nWhile it plays, digits are kept for the next `call:read` or `call:menu`, \
              unless `barge` lets one stop it. A prompt that does not exist is told when the \
              scripts load.",
        arguments: &[OptionSpec::required("sounds", Kind::Sounds, "What to play.")],
        options: &[
            OptionSpec::optional("loop", Kind::Flag { default: false }, "Begin again at the end."),
            BARGE,
            OptionSpec::optional(
                "from",
                seconds(0.0, 86_400.0, Some(0.0)),
                "Start this far into the first sound.",
            ),
            GAIN,
        ],
        returns: PLAYED,
        answer: Answer::Serves,
        example: r#"route("200", function(call)
  call:answer()
  local played = call:play({ "main/welcome", "silence:0.5", "tone:440:0.3" }, { barge = true })
  if played.digit then
    log.info("stopped after", played.ms, "ms")
  end
end)
"#,
        ..VERB
    },
    VerbSpec {
        name: "progress",
        summary: "Opens early media (183).",
        doc: "From here the caller can hear without being answered. `call:play` does this by \
              itself; use it to open the way before a dial whose callee may send announcements. \
              Does nothing when the call is answered.",
        before_answer: true,
        example: r#"route("200", function(call)
  call:progress()
  call:play("main/please-wait")
  call:dial("ext/100")
end)
"#,
        ..VERB
    },
    VerbSpec {
        name: "queued",
        summary: "Tells the caller to wait (182), with music, and goes on.",
        doc: "The caller is not answered, so waiting costs nothing; the music is early media and \
              goes on while the script does something else, such as `call:sleep` or `call:dial`. \
              Phones that know 182 show the place. Call it again to tell a new place; the music \
              goes on as it is.",
        options: &[
            OptionSpec::optional(
                "place",
                Kind::Whole { min: 1, max: 9_999, default: None },
                "The caller's place in the queue, from 1.",
            ),
            OptionSpec::optional(
                "music",
                Kind::Sound,
                "Heard while the script goes on, over and over.",
            ),
        ],
        example: r#"route("700", function(call)
  call:queued { place = 2, music = "music/evening" }
  call:sleep(10)
  call:queued { place = 1 }
  call:dial("ext/100", { timeout = 20, music = "music/evening" })
end)
"#,
        ..VERB
    },
    VerbSpec {
        name: "read",
        summary: "Collects digits.",
        doc: "Plays the prompt, which the first digit stops, and collects until `max` digits are \
              there, the terminator is pressed or it is silent for too long. Digits typed ahead \
              count. With `match` the digits must fit one of the patterns; if `max` is left out it \
              is then the length of the longest, else 64.\n\nWhen nothing came or it did not fit, \
              `invalid` is heard and the prompt again until `tries` is used up; then it gives back \
              nil and `\"timeout\"` or `\"invalid\"`. What was typed never appears in a log.",
        options: &[
            PROMPT,
            OptionSpec::optional(
                "max",
                Kind::Whole { min: 1, max: 64, default: None },
                "Digits at most.",
            ),
            OptionSpec::optional(
                "timeout",
                seconds(0.2, 300.0, Some(5.0)),
                "Silence allowed after the prompt before the first digit.",
            ),
            BETWEEN,
            TERMINATOR,
            TRIES,
            OptionSpec::optional("match", Kind::Patterns, "What is accepted, as patterns."),
            OptionSpec::optional("invalid", Kind::Sounds, "Heard before asking again."),
        ],
        returns: DIGITS,
        answer: Answer::Serves,
        example: r#"route("9", function(call)
  call:answer()
  local extension, why = call:read {
    prompt = "main/enter-digits",
    match = { "1XX", "0" },
    tries = 3,
    invalid = "main/invalid",
  }
  if extension then
    call:dial("ext/" .. extension)
  else
    log.info("no extension:", why)
  end
end)
"#,
        ..VERB
    },
    VerbSpec {
        name: "record",
        summary: "Records the caller.",
        doc: "Answers, beeps and records what the caller says until the terminator is pressed, it \
              is silent for `silence` seconds, or `max` is reached. The recording is a WAV file in \
              the folder `recordings` under the data folder; if the caller hangs up, what was said \
              until then is kept. Without a name it gets one of its own; with one it takes the \
              place of an older recording of that name.\n\nThe `sound` that comes back can be played \
              and asked with, as any prompt: to its speaker at once, and to other callers later, by \
              its name: `call:play(\"recording:greeting\")`.",
        options: &[
            OptionSpec::optional("name", Kind::Text, "File name, without ending."),
            OptionSpec::optional("max", seconds(1.0, 3_600.0, Some(120.0)), "Longest recording."),
            OptionSpec::optional(
                "silence",
                seconds(0.5, 60.0, None),
                "Stop after this much silence.",
            ),
            OptionSpec::optional(
                "beep",
                Kind::Flag { default: true },
                "Whether a beep comes first.",
            ),
            TERMINATOR,
        ],
        returns: Returns::Table(&ClassSpec {
            name: "Recorded",
            doc: "What became of a recording.",
            fields: &[
                ValueSpec::new("ms", "integer", "Its length in milliseconds."),
                ValueSpec::new("path", "string", "Its file; empty if nothing was recorded."),
                ValueSpec::new(
                    "sound",
                    "string?",
                    "What `call:play` takes: `recording:` and its name; nil if nothing was recorded.",
                ),
            ],
        }),
        answer: Answer::Answers,
        example: r#"-- Records an announcement. 1 plays it, 2 records it anew, hanging up keeps it.
route("200", function(call)
  local recording, key
  repeat
    if key ~= "1" then
      recording = call:record { name = "announcement", max = 60, silence = 3 }
    end
    key = call:read { prompt = recording.sound or "main/nothing-pressed", max = 1 }
  until key ~= "1" and key ~= "2"
  log.info("kept as", recording.path)
end)

route("201", function(call)
  call:play("recording:announcement")
end)
"#,
        ..VERB
    },
    VerbSpec {
        name: "redirect",
        summary: "Sends the caller elsewhere (3xx).",
        doc: "The caller's phone is told to try the given addresses by itself, in the order of \
              their preference `q`; this exchange has nothing more to do with the call. Only \
              before the call is answered: after that the caller is hung up on. The function ends \
              here.",
        arguments: &[OptionSpec::required("to", Kind::Redirects, "One URI or several.")],
        options: &[OptionSpec::optional(
            "code",
            Kind::Whole { min: 300, max: 380, default: Some(302) },
            "300, 301, 302, 305 or 380.",
        )],
        ends: true,
        before_answer: true,
        line: false,
        example: r#"route("302", function(call)
  call:redirect({ { uri = "sip:100@example.org", q = 1 }, "tel:+15551234" }, { code = 300 })
end)
"#,
        ..VERB
    },
    VerbSpec {
        name: "reject",
        summary: "Refuses the call with a final 4xx, 5xx or 6xx.",
        doc: "The code, the reason phrase and the extra headers go on the wire as they are; up to \
              16 headers, none of those that carry the protocol. A caller that was answered \
              already is hung up on. The function ends here.",
        arguments: &[
            OptionSpec::required(
                "code",
                Kind::Whole { min: 400, max: 699, default: None },
                "SIP status.",
            ),
            OptionSpec::optional("reason", Kind::Text, "Reason phrase."),
        ],
        options: &[OptionSpec::optional("headers", Kind::Headers, "Extra headers.")],
        ends: true,
        before_answer: true,
        line: false,
        example: r#"route("9.", function(call)
  call:reject(403, "Outside lines are closed", { headers = { ["X-Ask"] = "reception" } })
end)
"#,
        ..VERB
    },
    VerbSpec {
        name: "ringing",
        summary: "Tells the caller that it rings (180).",
        doc: "The caller's phone makes its own ringing tone. `call:dial` does this by itself when \
              somebody rings; use it where the script takes a moment before it answers. Does \
              nothing when the call is answered.",
        before_answer: true,
        line: false,
        example: r#"route("200", function(call)
  call:ringing()
  call:sleep(2)
  call:answer()
  call:play("main/welcome")
end)
"#,
        ..VERB
    },
    VerbSpec {
        name: "say",
        summary: "Speaks a number, digits, letters, a date or a time.",
        doc: "Made of recorded words, in the grammar of the language. `number` says 42 as \
              forty-two, up to nine digits; `digits` one after the other; `spell` letter by \
              letter; `time` and `date` take Unix seconds, or text such as `14:05` and \
              `2026-11-22`. Up to 100 characters.\n\nFor times the time zone is that of the \
              office. There is English.",
        arguments: &[OptionSpec::required(
            "what",
            Kind::Spoken,
            "What to say; times in Unix seconds.",
        )],
        options: &[
            OptionSpec::optional(
                "as",
                Kind::Word(&["number", "digits", "spell", "time", "date"]),
                "How to say it; numbers are said as numbers, strings digit by digit.",
            ),
            OptionSpec::optional("lang", Kind::Language, "Language folder."),
            BARGE,
            GAIN,
        ],
        returns: PLAYED,
        answer: Answer::Serves,
        example: r#"route("123", function(call)
  call:answer()
  call:say(time.now(), { as = "date" })
  call:say("14:05", { as = "time" })
  call:say(42)
  call:say(call.from.user, { as = "digits" })
end)
"#,
        ..VERB
    },
    VerbSpec {
        name: "sleep",
        summary: "Waits.",
        doc: "Costs nothing while it waits. What plays in the background goes on, and digits are \
              kept for the next `call:read` or `call:menu`.",
        arguments: &[OptionSpec::required("seconds", seconds(0.0, 86_400.0, None), "How long.")],
        line: false,
        example: r#"route("200", function(call)
  call:answer()
  call:sleep(0.5)
  call:play("main/welcome")
end)
"#,
        ..VERB
    },
    VerbSpec {
        name: "speak",
        summary: "Speaks a text with the configured synthesiser.",
        doc: "The section `[speech]` of the configuration names a command or an address that turns \
              text into sound. What was spoken once is kept, so the same words come at once the \
              next time; new ones take as long as the synthesiser does, while the caller goes on \
              hearing what they hear. Without that section `cordboard check` tells the line, and so \
              does an error when it runs.\n\nUp to 4,000 bytes; line ends and spaces that follow \
              each other are one space, other control characters an error, and so is an empty \
              text.\n\nA text can stand wherever sounds are given, also in a list: `call:play { \
              \"main/welcome\", { speak = \"You are first in line.\" } }`, or as the `prompt` of \
              `call:read` and `call:menu`, with its own `lang` and `voice` if need be. All texts of \
              a verb are there before it begins.\n\nA synthesiser that fails, or takes longer \
              than its `timeout`, ends no call: nothing is played, the result has `why`, and the \
              log tells the line. A prompt of `call:read` is then left out, and the keys are \
              waited for all the same.",
        arguments: &[OptionSpec::required("text", Kind::Speech, "What to speak.")],
        options: &[
            OptionSpec::optional(
                "lang",
                Kind::Text,
                "The language, as the synthesiser calls it; that of the office unless given.",
            ),
            OptionSpec::optional(
                "voice",
                Kind::Text,
                "Who speaks, as the synthesiser calls it; as configured unless given.",
            ),
            OptionSpec::optional("loop", Kind::Flag { default: false }, "Begin again at the end."),
            BARGE,
            OptionSpec::optional(
                "from",
                seconds(0.0, 86_400.0, Some(0.0)),
                "Start this far into it.",
            ),
            GAIN,
        ],
        returns: PLAYED,
        answer: Answer::Serves,
        example: r#"route("200", function(call)
  call:answer()
  local order = 12
  local spoken = call:speak("Your order " .. order .. " is ready.", { barge = true })
  if spoken.why then
    log.warn("not spoken:", spoken.why)
    call:say(order)
  end
  call:read { prompt = { "main/enter-digits", { speak = "or stay on the line" } }, max = 1 }
end)
"#,
        ..VERB
    },
    VerbSpec {
        name: "voicemail",
        summary: "Takes a message for a mailbox.",
        doc: "Answers, plays the owner's greeting or one made of the number, beeps, and records \
              until `#`, hang-up or the longest time a message may have. A key during the greeting \
              goes straight to the beep. A message is kept whole or not at all, and kept also when \
              the caller simply hangs up.\n\nGive `reason` the status of the dial before: for \
              `BUSY` the greeting says that the person is on another line.",
        arguments: &[
            OptionSpec::required("box", Kind::Mailbox, "The mailbox.").typed("MailboxName")
        ],
        options: &[OptionSpec::optional(
            "reason",
            Kind::Word(&[
                "unavailable",
                "busy",
                "BUSY",
                "NOANSWER",
                "CHANUNAVAIL",
                "CONGESTION",
                "CANCEL",
                "ANSWERED",
            ]),
            "Why nobody answered, as a word or the status of a dial; chooses the greeting.",
        )],
        returns: Returns::Value(ValueSpec::new(
            "status",
            r#""SUCCESS"|"EMPTY"|"FAILED""#,
            "Whether a message was kept; `FAILED` if the mailbox is full or missing.",
        )),
        answer: Answer::Answers,
        example: r#"route("1XX", function(call)
  local result = call:dial("ext/" .. call.to.user, { timeout = 25 })
  if result.status ~= "ANSWERED" then
    call:voicemail(call.to.user, { reason = result.status })
  end
end)
"#,
        ..VERB
    },
];

const VERB: VerbSpec = VerbSpec::VERB;

const BARGE: OptionSpec =
    OptionSpec::optional("barge", Kind::Flag { default: false }, "Whether a digit stops it.");
const GAIN: OptionSpec = OptionSpec::optional(
    "gain",
    Kind::Number { min: -60.0, max: 12.0, default: Some(0.0) },
    "Louder or softer, in decibels.",
);
const PROMPT: OptionSpec =
    OptionSpec::optional("prompt", Kind::Sounds, "Heard first; a digit stops it.");
const BETWEEN: OptionSpec = OptionSpec::optional(
    "between",
    seconds(0.2, 60.0, Some(3.0)),
    "Silence allowed between two digits.",
);
const TERMINATOR: OptionSpec = OptionSpec::optional(
    "terminator",
    Kind::Key { default: Some('#') },
    "The key that ends the input; `false` for none.",
);
const TRIES: OptionSpec = OptionSpec::optional(
    "tries",
    Kind::Whole { min: 1, max: 10, default: Some(1) },
    "How often to ask in all.",
);
const DIALED: ClassSpec = ClassSpec {
    name: "Dialed",
    doc: "How a dial ended.",
    fields: &[
        ValueSpec::new(
            "status",
            r#""ANSWERED"|"BUSY"|"NOANSWER"|"CANCEL"|"CONGESTION"|"CHANUNAVAIL""#,
            "How it ended, in one word.",
        ),
        ValueSpec::new("code", "integer", "The SIP status of the best answer, or 0."),
        ValueSpec::new("reason", "string", "The words that came with that status."),
        ValueSpec::new("secs", "number", "How many seconds the two talked."),
        ValueSpec::new(
            "to",
            "string?",
            "The target that answered, as it was written; nil if nobody did.",
        ),
    ],
};
const PLAYED: Returns = Returns::Table(&ClassSpec {
    name: "Played",
    doc: "How playing ended.",
    fields: &[
        ValueSpec::new("digit", "string?", "The digit that stopped it."),
        ValueSpec::new("interrupted", "boolean", "Whether a digit stopped it."),
        ValueSpec::new("ms", "integer", "How long the caller listened, in milliseconds."),
        ValueSpec::new(
            "why",
            r#""timeout"|"busy"|"broken"|"no recording"|nil"#,
            "Why a text could not be spoken, or a recording not be played; nil if all were.",
        ),
    ],
});
const DIGITS: Returns = Returns::Values(&[
    ValueSpec::new("digits", "string?", "The digits, without the terminator; or nil."),
    ValueSpec::new("why", r#""timeout"|"invalid"|nil"#, "Why there are none."),
]);
