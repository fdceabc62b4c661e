//! Rows of `mailbox`.

use dialplan::{Kind, Library, LibrarySpec, OptionSpec, Returns, ValueSpec, VerbSpec};

use super::VOICE_MESSAGE;
use super::t::WITHIN;

/// A voice mailbox.
pub(crate) const MAILBOX: LibrarySpec = LibrarySpec {
    library: Library::Test("mailbox"),
    summary: "A voice mailbox, as `t:mailbox` gives it.",
    doc: "A message is in it once its caller is through with it.",
    fields: &[
        ValueSpec::new("name", "string", "Its name."),
        ValueSpec::new("pin", "string", "Its PIN, as it is configured."),
    ],
    functions: &[
        VerbSpec {
            name: "has",
            summary: "Expects a message with all that is given.",
            doc: "Lengths may differ by half a second: silence at the end is cut.",
            options: &[
                OptionSpec::optional("from", Kind::Name, "Who left it."),
                OptionSpec::optional("name", Kind::Text, "The display name of who left it."),
                OptionSpec::optional(
                    "seconds",
                    dialplan::seconds(0.0, 86_400.0, None),
                    "Its length.",
                ),
                OptionSpec::optional("heard", Kind::Flag { default: false }, "Listened to or not."),
                WITHIN,
            ],
            returns: Returns::Table(&VOICE_MESSAGE),
            example: r##"test("a key ends a message as well", function(t)
  local caller = t:call { from = "+6621234567", to = "101" }
  caller:hears("beep", { wholly = true })
  caller:says(6)
  caller:presses("#")
  caller:hears("vm/message-saved")
  caller:hangs_up()
  t:mailbox("101"):has { from = "+6621234567", seconds = 6, heard = false }
end)
"##,
            ..METHOD
        },
        VerbSpec {
            name: "is_empty",
            summary: "Expects no message in it.",
            doc: "Neither a new one nor one that was listened to.",
            example: r#"test("who says nothing leaves nothing", function(t)
  local caller = t:call { as = "100", to = "101" }
  caller:hears("beep", { wholly = true })
  caller:hangs_up()
  t:wait(5)
  t:mailbox("101"):is_empty()
end)
"#,
            ..METHOD
        },
        VerbSpec {
            name: "messages",
            summary: "Gives back its messages, oldest first.",
            doc: "For what `has` cannot say.",
            returns: Returns::Value(ValueSpec::new("messages", "VoiceMessage[]", "The messages.")),
            example: r#"test("messages are counted", function(t)
  t:equal(#t:mailbox("101"):messages(), 0)
end)
"#,
            ..METHOD
        },
    ],
};

const METHOD: VerbSpec = VerbSpec { library: Library::Test("mailbox"), ..VerbSpec::FUNCTION };
