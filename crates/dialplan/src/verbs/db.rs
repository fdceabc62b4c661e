//! Rows of `db`.

use super::{ClassSpec, Kind, Library, LibrarySpec, OptionSpec, Returns, ValueSpec, VerbSpec};

/// The scripts' own database.
pub const DB: LibrarySpec = LibrarySpec {
    library: Library::Db,
    summary: "The scripts' own database, SQLite in a file of its own.",
    doc: "The file is `scripts.db` in the data folder, unless `database` under `[scripts]` in the \
          configuration names another; it is made when a script first asks for something. \
          Cordboard's own records are elsewhere and out of reach.\n\nValues never belong into the \
          text of a statement: write `?` and give them after it in order, or `:name` and give one \
          table with names. A value is nil, a boolean (kept as 1 or 0), a number or a string; a \
          string that is not UTF-8 is kept as bytes.\n\nThe script waits, the call goes on. A \
          statement that fails is an error at its line; `pcall` catches it. A statement may run \
          for 2 seconds and give 1,000 rows, 256 KiB in all. Whatever takes longer than a tenth \
          of a second is named in the log with its line.",
    fields: &[],
    functions: &[
        VerbSpec {
            name: "execute",
            summary: "Runs a statement that changes something.",
            doc: "Also the way to make tables. A call by itself, it takes place as a whole or not \
                  at all, and has reached the disk when the script goes on.",
            arguments: &[SQL, VALUES],
            returns: Returns::Value(ValueSpec::new("changed", "DbChanged", "What it changed.")),
            example: r#"route("700", function(call)
  db.execute("CREATE TABLE IF NOT EXISTS survey (caller TEXT, mark INTEGER)")
  call:answer()
  local mark = call:read { prompt = "main/enter-digits", max = 1, timeout = 10 }
  if mark then
    db.execute("INSERT INTO survey VALUES (?, ?)", call.from.user, tonumber(mark))
    call:play("main/thank-you")
  end
end)
"#,
            ..FUNCTION
        },
        VerbSpec {
            name: "query",
            summary: "Reads rows.",
            doc: "Gives back a list of rows, each a table by the names of its columns; a column \
                  that is NULL is nil. Give columns names with `AS` where they have none.",
            arguments: &[SQL, VALUES],
            returns: Returns::Value(ValueSpec::new("rows", "table<string, any>[]", "The rows.")),
            example: r#"route("1XX", function(call)
  db.execute("CREATE TABLE IF NOT EXISTS blocked (number TEXT PRIMARY KEY)")
  local found = db.query("SELECT 1 AS yes FROM blocked WHERE number = ?", call.from.user)
  if found[1] then
    call:reject(603)
    return
  end
  call:dial("ext/" .. call.to.user)
end)
"#,
            ..FUNCTION
        },
        VerbSpec {
            name: "transaction",
            summary: "Runs several statements: all of them take place, or none does.",
            doc: "Each statement is a list of its text and its values. Gives back a list of what \
                  each changed, in order. There may be 100.",
            arguments: &[OptionSpec::required(
                "statements",
                Kind::Table,
                "A list of lists: `{ { \"DELETE ...\", 7 }, { \"INSERT ...\", 8 } }`.",
            )],
            returns: Returns::Value(ValueSpec::new(
                "changed",
                "DbChanged[]",
                "What each statement changed.",
            )),
            example: r#"route("701", function(call)
  db.execute("CREATE TABLE IF NOT EXISTS duty (since REAL, extension TEXT)")
  db.transaction {
    { "DELETE FROM duty" },
    { "INSERT INTO duty VALUES (:now, :who)", { now = time.now(), who = call.from.user } },
  }
  call:answer()
  call:play("main/thank-you")
end)
"#,
            ..FUNCTION
        },
    ],
};

const SQL: OptionSpec =
    OptionSpec::required("sql", Kind::Text, "One statement, with `?` or `:name` for values.");
const VALUES: OptionSpec = OptionSpec::optional(
    "...",
    Kind::Anything,
    "Values for `?` in order, or one table with values by name.",
);
/// What a statement changed.
pub(super) const CHANGED: ClassSpec = ClassSpec {
    name: "DbChanged",
    doc: "What a statement changed.",
    fields: &[
        ValueSpec::new("changes", "integer", "How many rows."),
        ValueSpec::new("last_id", "integer", "The row number of the row inserted last."),
    ],
};
const FUNCTION: VerbSpec = VerbSpec { library: Library::Db, waits: true, ..VerbSpec::FUNCTION };
