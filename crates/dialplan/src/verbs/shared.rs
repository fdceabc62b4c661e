//! Rows of `shared`.

use super::{
    ClassSpec, Kind, Library, LibrarySpec, OptionSpec, Returns, ValueSpec, VerbSpec, seconds,
};

/// What all calls share.
pub const SHARED: LibrarySpec = LibrarySpec {
    library: Library::Shared,
    summary: "Values that all calls share.",
    doc: "What one call sets, every other call finds, on new scripts after a reload too; only a \
          restart forgets it. What must outlive that belongs into the database.\n\nA value is a \
          boolean, a number, a string or a table of these, at most 64 KiB. A table is copied when \
          it is set and again when it is read, so that changing it changes nothing for others. In \
          all there may be 10,000 keys and 8 MiB. What goes beyond is an error, and nothing is \
          thrown out to make room: give keys a `ttl`, so that they end by themselves.\n\nCalls \
          never run at the same moment, so reading a value and setting it again is safe as long as \
          the script does not wait in between.",
    fields: &[],
    functions: &[
        VerbSpec {
            name: "add",
            summary: "Adds to a number and gives back the sum.",
            doc: "A key that is not there begins at 0. The `ttl` counts from there: adding more \
                  does not make a counter live longer, so that it can count what happened in one \
                  minute. It is an error if the key holds something else than a number.",
            arguments: &[
                KEY,
                OptionSpec::optional(
                    "by",
                    Kind::Number { min: f64::MIN, max: f64::MAX, default: Some(1.0) },
                    "How much.",
                ),
            ],
            options: &[TTL],
            returns: Returns::Value(ValueSpec::new("sum", "number", "What it is now.")),
            example: r#"route("1XX", function(call)
  if shared.add("calls from " .. call.from.user, 1, { ttl = 60 }) > 10 then
    call:reject(486, "Too many calls")
    return
  end
  call:dial("ext/" .. call.to.user)
end)
"#,
            ..FUNCTION
        },
        VerbSpec {
            name: "get",
            summary: "Reads a value.",
            doc: "Gives back nil when the key is not there, or not any more.",
            arguments: &[KEY],
            returns: Returns::Value(ValueSpec::new("value", "any", "The value, or nil.")),
            example: r#"route("0", function(call)
  if shared.get("night service") then
    call:voicemail("100")
    return
  end
  call:dial("ext/100")
end)
"#,
            ..FUNCTION
        },
        VerbSpec {
            name: "lock",
            summary: "Waits until nobody else holds a lock, and holds it.",
            doc: "Keep it in a variable marked `<close>`, so that it is free again at the end of \
                  the block whatever happens; or call its `:release()`. Whoever came first is \
                  next. Gives back false if the lock did not become free in time.\n\nA lock is \
                  freed when the call that holds it ends. Two calls that each wait for what the \
                  other holds go on when the time is over. There may be 1,000 locks, held and \
                  waited for, 32 of one call.",
            arguments: &[KEY],
            options: &[OptionSpec::optional(
                "timeout",
                seconds(0.0, 300.0, Some(10.0)),
                "How long to wait, in seconds.",
            )],
            returns: Returns::Value(ValueSpec::new(
                "lock",
                "Lock|false",
                "Something to close or release; false if it was not free in time.",
            )),
            waits: true,
            example: r#"route("704", function(call)
  call:answer()
  local lock <close> = shared.lock("loudspeaker", { timeout = 20 })
  if not lock then
    call:play("main/no-access")
    return
  end
  call:dial("ext/109")
end)
"#,
            ..FUNCTION
        },
        VerbSpec {
            name: "set",
            summary: "Sets a value for all calls; nil removes it.",
            doc: "Setting a value anew forgets the `ttl` it had before.",
            arguments: &[
                KEY,
                OptionSpec::required(
                    "value",
                    Kind::Anything,
                    "A boolean, a number, a string, a table of these, or nil.",
                ),
            ],
            options: &[TTL],
            example: r#"route("*28", function(call)
  local night = not shared.get("night service")
  shared.set("night service", night, { ttl = 12 * 3600 })
  call:answer()
  call:play("main/thank-you")
end)
"#,
            ..FUNCTION
        },
        VerbSpec {
            name: "take",
            summary: "Reads a value and removes it.",
            doc: "For what may be used once, such as a code that somebody was told.",
            arguments: &[KEY],
            returns: Returns::Value(ValueSpec::new("value", "any", "The value, or nil.")),
            example: r#"route("700", function(call)
  call:answer()
  local code = call:read { prompt = "main/enter-digits", max = 6, timeout = 10 }
  if code and shared.take("door code " .. code) then
    call:dial("ext/101")
  end
end)
"#,
            ..FUNCTION
        },
    ],
};

/// What `shared.lock` gives back.
pub(super) const LOCK: ClassSpec = ClassSpec {
    name: "Lock",
    doc: "A lock that is held.",
    fields: &[ValueSpec::new("release", "fun(self: Lock)", "Lets go of it.")],
};

const KEY: OptionSpec = OptionSpec::required("key", Kind::Name, "Its name, up to 255 bytes.");
const TTL: OptionSpec = OptionSpec::optional(
    "ttl",
    seconds(0.001, 366.0 * 86_400.0, None),
    "After how many seconds it ends by itself; without it, it stays.",
);
const FUNCTION: VerbSpec = VerbSpec { library: Library::Shared, ..VerbSpec::FUNCTION };
