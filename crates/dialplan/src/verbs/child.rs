//! Rows of what `spawn` gives back.

use super::{Library, LibrarySpec, Returns, ValueSpec, VerbSpec};

/// A function that was begun with `spawn`.
pub const CHILD: LibrarySpec = LibrarySpec {
    library: Library::Child,
    summary: "A function that was begun with `spawn`.",
    doc: "It runs beside the function that began it. When that one ends, or the call does, it is \
          cancelled where it stands: its `<close>` values run, and nothing else of it.",
    fields: &[],
    functions: &[
        VerbSpec {
            name: "cancel",
            summary: "Stops it where it stands.",
            doc: "What it waits for is stopped: a sound, a ringing phone, a conversation that it \
                  had begun. Functions that it began itself are cancelled before it. Then its \
                  `<close>` values run, which can compute and log but use no verbs. A message that \
                  is being recorded is kept as if the caller had hung up.\n\nA `pcall` inside of \
                  it notices nothing. A function may cancel itself, which ends it there.",
            returns: Returns::Value(ValueSpec::new(
                "cancelled",
                "boolean",
                "False if it had ended already.",
            )),
            example: r#"route("700", function(call)
  call:answer()
  local child = spawn(function()
    call:play("music/waltz", { loop = true })
  end)
  call:sleep(10)
  child:cancel()
  call:play("main/goodbye")
end)
"#,
            ..METHOD
        },
        VerbSpec {
            name: "wait",
            summary: "Waits until it has ended.",
            doc: "Gives back what the function returned, as often as it is asked. If the function \
                  raised an error, the error is raised here; if it was cancelled, that is an error \
                  too. A function that waits for itself, or two that wait for each other, are told \
                  so.",
            returns: Returns::Values(&[ValueSpec::new("...", "any", "What it returned.")]),
            example: r#"route("701", function(call)
  call:answer()
  local child = spawn(function()
    call:sleep(2)
    return 42
  end)
  call:play("main/welcome")
  call:say(child:wait())
end)
"#,
            ..METHOD
        },
    ],
};

const METHOD: VerbSpec = VerbSpec { library: Library::Child, waits: true, ..VerbSpec::FUNCTION };
