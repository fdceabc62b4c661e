//! Rows of `log`.

use super::{Kind, Library, LibrarySpec, OptionSpec, VerbSpec};

/// Lines for whoever looks after the exchange.
pub const LOG: LibrarySpec = LibrarySpec {
    library: Library::Log,
    summary: "Lines for whoever looks after the exchange.",
    doc: "Each line carries the call it belongs to, and the file and line that wrote it. Values are \
          written one after the other with a space between them, cut to 1,000 characters. Do not \
          log what callers type: it may be a PIN.\n\n`log(...)` is the same as `log.info(...)`, and \
          so is `print(...)`.",
    fields: &[],
    functions: &[
        VerbSpec {
            name: "debug",
            summary: "Logs something that helps while a script is written.",
            doc: "Shown only when the log is set to that level.",
            arguments: &[WORDS],
            example: r#"route("1XX", function(call)
  log.debug("headers:", call.headers["user-agent"])
  call:dial("ext/" .. call.to.user)
end)
"#,
            ..FUNCTION
        },
        VerbSpec {
            name: "error",
            summary: "Logs that something failed.",
            doc: "The call goes on; use Lua's `error` to end it.",
            arguments: &[WORDS],
            example: r#"route("1XX", function(call)
  if call:voicemail(call.to.user) == "FAILED" then
    log.error("no message could be taken for", call.to.user)
  end
end)
"#,
            ..FUNCTION
        },
        VerbSpec {
            name: "info",
            summary: "Logs something worth keeping.",
            doc: "For what should be known later: who was let in, how a dial ended.",
            arguments: &[WORDS],
            example: r#"route("1XX", function(call)
  local result = call:dial("ext/" .. call.to.user, { timeout = 25 })
  log.info("the dial ended with", result.status, "after", result.secs, "seconds")
end)
"#,
            ..FUNCTION
        },
        VerbSpec {
            name: "warn",
            summary: "Logs that something is not as it should be.",
            doc: "For what somebody should look at, and can wait.",
            arguments: &[WORDS],
            example: r#"route("0", function(call)
  local result = call:dial { "ext/100", "ext/101" }
  if result.status == "CHANUNAVAIL" then
    log.warn("nobody at the reception has a phone registered")
  end
end)
"#,
            ..FUNCTION
        },
    ],
};

const WORDS: OptionSpec = OptionSpec::optional("...", Kind::Anything, "What to write.");
const FUNCTION: VerbSpec = VerbSpec { library: Library::Log, ..VerbSpec::FUNCTION };
