//! Rows of what has no library.

use super::{
    Kind, Library, LibrarySpec, OptionSpec, OptionsAt, Returns, ValueSpec, VerbSpec, seconds,
};

/// What a script finds by its name alone.
pub const GLOBAL: LibrarySpec = LibrarySpec {
    library: Library::Global,
    summary: "What a script finds by its name alone.",
    doc: "Besides these there is Lua 5.4 itself: its basic functions and the libraries `string`, \
          `table`, `math` and `utf8`. There is no `io`, `os`, `debug`, `load` or `coroutine`: a \
          script reaches nothing but the call.\n\nGlobals that a script sets while it loads are \
          seen by every call. What a call sets is seen by that call alone.",
    fields: &[],
    functions: &[
        VerbSpec {
            name: "all",
            summary: "Runs several functions beside each other and waits until all have ended.",
            doc: "Gives back a list with the first value that each function returned, in the order                   of the functions. When one raises an error, the others are cancelled where they                   stand and the error is raised here.\n\nThe line of the caller serves one verb at                   a time: while one function plays, another that wants to play is told that the                   line is busy, and where. What needs no line, such as `call:sleep`, waits in any                   number of functions.",
            arguments: &[FUNCTIONS],
            returns: Returns::Value(ValueSpec::new(
                "results",
                "any[]",
                "What each function returned; `results.n` is how many there are.",
            )),
            waits: true,
            example: r#"route("702", function(call)
  call:answer()
  local results = all {
    function() return call:read { prompt = "main/enter-digits", max = 4 } end,
    function() call:sleep(1) return "done" end,
  }
  log.info(results[1], results[2])
end)
"#,
            ..FUNCTION
        },
        VerbSpec {
            name: "log",
            summary: "Logs a line, as `log.info` does.",
            doc: "Values are written one after the other with a space between them.",
            arguments: &[WORDS],
            example: r#"route("600", function(call)
  log("an echo test by", call.account)
  call:echo()
end)
"#,
            ..FUNCTION
        },
        VerbSpec {
            name: "print",
            summary: "Logs a line, as `log.info` does.",
            doc: "There for those whose fingers know it. What is printed goes to the log of the \
                  exchange, with the line of the script that printed it.",
            arguments: &[WORDS],
            example: r#"route("600", function(call)
  print("an echo test by", call.account)
  call:echo()
end)
"#,
            ..FUNCTION
        },
        VerbSpec {
            name: "race",
            summary: "Runs several functions beside each other until the first has ended.",
            doc: "Gives back which function was the first, from 1, and what it returned. The others \
                  are cancelled where they stand: a sound stops, ringing phones stop, their \
                  `<close>` values run. If the first ended with an error, that is raised here.",
            arguments: &[FUNCTIONS],
            returns: Returns::Values(&[
                ValueSpec::new("winner", "integer", "Which function was the first, from 1."),
                ValueSpec::new("...", "any", "What it returned."),
            ]),
            waits: true,
            example: r#"route("703", function(call)
  call:answer()
  local winner = race {
    function() call:play("music/waltz", { loop = true, barge = true }) end,
    function() call:sleep(30) end,
  }
  if winner == 1 then call:play("main/goodbye") end
end)
"#,
            ..FUNCTION
        },
        VerbSpec {
            name: "require",
            summary: "Brings in another file of the scripts folder.",
            doc: "`require \"lib.hours\"` runs `scripts/lib/hours.lua` the first time and gives \
                  back what that file returned, or true; later it gives the same value again. \
                  Nothing outside of the scripts folder is reached. Two files that require each \
                  other are an error.",
            arguments: &[OptionSpec::required(
                "name",
                Kind::Module,
                "The file, without `.lua`; a dot stands for a folder.",
            )],
            returns: Returns::Value(ValueSpec::new("module", "any", "What the file returned.")),
            example: r#"-- Every other file of a dialplan is brought in like this:
--   require "extensions"
--   local hours = require "lib.hours"
route("600", function(call)
  call:echo()
end)
"#,
            ..FUNCTION
        },
        VerbSpec {
            name: "route",
            summary: "Says what happens when a number or a name is dialled.",
            doc: "The function is run for each call to a number that the pattern matches, with the \
                  call as its argument. When it returns, the call is hung up; if the last dial \
                  failed and nothing was answered, the caller is told why as the other side told \
                  it.\n\nIn a pattern `X` stands for any digit, `Z` for 1 to 9, `N` for 2 to 9, \
                  `[13-5]` for one of these, `.` at the end for one or more of anything, `!` at the \
                  end for none or more; digits, `*`, `#` and `+` stand for themselves. Whatever \
                  is not made of these alone is a name and matches exactly as written. The most \
                  exact pattern wins, wherever it stands: `123` goes before `12X`, and that before \
                  `1XX`. A number that nothing matches is refused with 404, one that could still \
                  become longer with 484.\n\nOnly callers who proved who they are, or whose address \
                  the configuration trusts, reach a route that is not `public`. Routes are added \
                  while the scripts load, not later.",
            arguments: &[
                OptionSpec::required("pattern", Kind::Pattern, "Which numbers, or which name."),
                OptionSpec::required("handler", Kind::Function, "What happens to such a call.")
                    .typed("fun(call: Call)"),
            ],
            options: &[OptionSpec::optional(
                "public",
                Kind::Flag { default: false },
                "Whether it is open to callers who proved nothing about themselves.",
            )],
            options_at: OptionsAt::BeforeLast,
            example: r#"route("1XX", function(call)
  call:dial("ext/" .. call.to.user, { timeout = 25 })
end)

route("info", { public = true }, function(call)
  call:answer()
  call:play("main/welcome")
end)
"#,
            ..FUNCTION
        },
        VerbSpec {
            name: "schedule",
            summary: "Runs a function by itself at its times.",
            doc: "Times are days and times, `mon-fri 08:30 17:00, sat 10:00`, in the time zone of \
                  the office; a time belongs to the days before it and counts every day where \
                  there are none. When the clock is put forward, a time that it leaves out comes \
                  as much later; when it is put back, a time that comes twice counts once. \
                  `{ every = 60 }` is every 60 seconds, from when the scripts were loaded.\n\nThe \
                  function is given nothing: there is no call. It may use `http`, `db`, `shared`, \
                  `log`, `sleep`, `spawn` and the like, within the same bounds as a call, for an \
                  hour at most. When its time comes while the run before has not ended, that time \
                  is left out and the log says so. Schedules are added while the scripts load, \
                  and those of older scripts do not run any more.",
            arguments: &[
                OptionSpec::required(
                    "when",
                    Kind::Anything,
                    "Times, as in `mon-fri 08:30`, or `{ every = 60 }`.",
                ),
                OptionSpec::required("handler", Kind::Function, "What happens then."),
            ],
            example: r#"schedule("mon-fri 17:30", function()
  shared.set("night service", true, { ttl = 15 * 3600 })
end)

schedule({ every = 300 }, function()
  http.get("https://monitor.example.org/alive")
end)

route("0", function(call)
  if shared.get("night service") then
    call:voicemail("100")
  else
    call:dial("ext/100")
  end
end)
"#,
            ..FUNCTION
        },
        VerbSpec {
            name: "sleep",
            summary: "Waits, in a call or without one.",
            doc: "As `call:sleep`, for functions that have no call.",
            arguments: &[OptionSpec::required(
                "seconds",
                seconds(0.0, 86_400.0, None),
                "How long.",
            )],
            waits: true,
            example: r#"route("600", function(call)
  call:answer()
  spawn(function()
    sleep(60)
    log.info("still there after a minute:", call.from.user)
  end)
  call:echo()
end)
"#,
            ..FUNCTION
        },
        VerbSpec {
            name: "spawn",
            summary: "Begins a function that runs beside this one.",
            doc: "It begins when this function next waits. Only one function of a call runs at any \
                  moment, from one verb to the next, so what they share needs no locks.\n\nAn error \
                  in it ends it alone: the error is raised where somebody waits for it, and \
                  otherwise written to the log with its line. It is cancelled when the function \
                  that began it ends, and when the call does. `call:hangup()` in it ends the whole \
                  call.\n\nUp to 64 functions of a call can run beside each other. Each one that is \
                  begun counts as a verb, and they share the memory of the call.",
            arguments: &[OptionSpec::required("function", Kind::Function, "What to run.")
                .typed("fun(): any")],
            returns: Returns::Value(ValueSpec::new(
                "child",
                "Child",
                "To wait for it or cancel it.",
            )),
            waits: false,
            example: r#"route("1XX", function(call)
  spawn(function()
    call:sleep(3600)
    call:hangup()
  end)
  call:dial("ext/" .. call.to.user)
end)
"#,
            ..FUNCTION
        },
        VerbSpec {
            name: "webhook",
            summary: "Answers requests of other programs over HTTP.",
            doc: "Another program makes something happen: it asks for this path at the address that \
                  `listen` under `[http]` in the configuration names, with the `token` from there \
                  in its header, `Authorization: Bearer TOKEN`. Without `listen` nobody is heard. \
                  With `public` there is no need for the token.\n\nThe function is given a request \
                  with `method`, `path`, `query` and `headers` by name, `body`, and `:json()`, \
                  which reads the body as `json.decode` does. What it returns is the answer: \
                  nothing (204), a string, or a table with `status`, `headers` and `body`, or \
                  `json` for a value. There is no call in it; it may do what a function of \
                  `schedule` may, for 30 seconds, then the answer is 504. An error is answered \
                  with 500 and stands in the log. What was begun goes on if the program does not \
                  wait for the answer. There may be 64 such functions at one time; beyond, the \
                  answer is 503.",
            arguments: &[
                OptionSpec::required("path", Kind::Text, "The path, as in `/click`."),
                OptionSpec::required("handler", Kind::Function, "Called with the request."),
            ],
            options: &[
                OptionSpec::optional(
                    "methods",
                    Kind::Anything,
                    "A list of methods that it answers; POST alone if left out.",
                ),
                OptionSpec::optional(
                    "public",
                    Kind::Flag { default: false },
                    "Whether it answers programs that have no token.",
                ),
            ],
            options_at: OptionsAt::BeforeLast,
            example: r#"webhook("/click", function(request)
  local wish, why = request:json()
  if not wish then
    return { status = 400, body = why }
  end
  pbx.originate {
    to = "ext/101",
    wait = false,
    run = function(call) call:dial("ext/102") end,
  }
  return { status = 202, json = { calling = "101" } }
end)

route("600", function(call)
  call:echo()
end)
"#,
            ..FUNCTION
        },
        VerbSpec {
            name: "within",
            summary: "Runs a function, but no longer than so many seconds.",
            doc: "Gives back true and what the function returned; or false and \"timeout\" when it \
                  took longer, and then it is cancelled where it stands: ringing phones stop, a \
                  sound stops. An error in it is raised here.",
            arguments: &[
                OptionSpec::required("seconds", seconds(0.0, 86_400.0, None), "How long."),
                OptionSpec::required("function", Kind::Function, "What to run.")
                    .typed("fun(): any"),
            ],
            returns: Returns::Values(&[
                ValueSpec::new("finished", "boolean", "Whether it ended in time."),
                ValueSpec::new("...", "any", "What it returned, or \"timeout\"."),
            ]),
            waits: true,
            example: r#"route("1XX", function(call)
  local finished, result = within(600, function()
    return call:dial("ext/" .. call.to.user)
  end)
  if not finished then log.info("ten minutes are enough") end
end)
"#,
            ..FUNCTION
        },
    ],
};

const WORDS: OptionSpec = OptionSpec::optional("...", Kind::Anything, "What to write.");
const FUNCTIONS: OptionSpec =
    OptionSpec::required("functions", Kind::Table, "A list of functions: `{ f, g }`.")
        .typed("(fun(): any)[]");
const FUNCTION: VerbSpec = VerbSpec { library: Library::Global, ..VerbSpec::FUNCTION };
