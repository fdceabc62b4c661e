//! Rows of `json`.

use super::{Kind, Library, LibrarySpec, OptionSpec, Returns, ValueSpec, VerbSpec};

/// Text to values, and values to text.
pub const JSON: LibrarySpec = LibrarySpec {
    library: Library::Json,
    summary: "Text to values, and values to text (RFC 8259).",
    doc: "A list is a table with the keys 1, 2, 3 ..., an object any other. A text may be 256 KiB \
          long, with 10,000 values in it and 32 lists and objects inside each other; what goes \
          beyond is refused.",
    fields: &[ValueSpec::new(
        "null",
        "userdata",
        "Stands for `null`, where nil would be no value at all.",
    )],
    functions: &[
        VerbSpec {
            name: "array",
            summary: "Makes a table a list, even while it is empty.",
            doc: "An empty table is written as the object `{}`; one made with this as the list \
                  `[]`. What was read from `[]` is such a list already. Gives back the same table.",
            arguments: &[OptionSpec::optional(
                "list",
                Kind::Table,
                "The table; a new one if left out.",
            )],
            returns: Returns::Value(ValueSpec::new("list", "table", "The same table.")),
            example: r#"route("600", function(call)
  local pressed = json.array()
  log.info("pressed so far:", json.encode(pressed))
  call:echo()
end)
"#,
            ..FUNCTION
        },
        VerbSpec {
            name: "decode",
            summary: "Reads a text.",
            doc: "Gives back nil and why when the text is not JSON, or too large: what comes from \
                  elsewhere may be anything. A `null` in an object is left out, so that its key is \
                  nil, unless `nulls` keeps it; in a list it is `json.null`, since a list cannot \
                  have holes.",
            arguments: &[OptionSpec::required("text", Kind::Text, "What to read.")],
            options: &[OptionSpec::optional(
                "nulls",
                Kind::Flag { default: false },
                "Whether `null` in objects is kept as `json.null`.",
            )],
            returns: Returns::Values(&[
                ValueSpec::new("value", "any", "What it says; nil if it cannot be read."),
                ValueSpec::new("why", "string?", "Why it cannot be read."),
            ]),
            example: r#"route("600", function(call)
  local person, why = json.decode('{ "name": "Ada", "extension": 101 }')
  if not person then
    log.warn("no such person:", why)
    call:reject(500)
  end
  call:dial("ext/" .. person.extension)
end)
"#,
            ..FUNCTION
        },
        VerbSpec {
            name: "encode",
            summary: "Writes a value as text.",
            doc: "Keys of objects are written in order, so that equal values give equal texts. \
                  Functions, numbers that are not finite and tables with mixed keys are an error.",
            arguments: &[OptionSpec::required("value", Kind::Anything, "What to write.")],
            options: &[OptionSpec::optional(
                "pretty",
                Kind::Flag { default: false },
                "Whether it is for people: a line for each value.",
            )],
            returns: Returns::Value(ValueSpec::new("text", "string", "The text.")),
            example: r#"route("600", function(call)
  log.info(json.encode { from = call.from.user, at = time.now() })
  call:echo()
end)
"#,
            ..FUNCTION
        },
    ],
};

const FUNCTION: VerbSpec = VerbSpec { library: Library::Json, ..VerbSpec::FUNCTION };
