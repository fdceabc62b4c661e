//! The one table of everything a script can call: names, arguments, options, ranges, results, and
//! the words that explain them.
//!
//! Option checking, `cordboard check`, the editor's annotations and the reference all read it, so
//! that they cannot disagree. Whoever adds a function adds its row, with an example that is run as a
//! test. The rows stand in `verbs/`, a file for each library.

mod call;
mod child;
mod classes;
mod db;
mod global;
mod http;
mod json;
mod log;
mod lua;
mod pbx;
mod shared;
mod time;

#[cfg(test)]
mod tests;

pub use call::{CALL, FIELDS, VERBS};
pub use child::CHILD;
pub use classes::CLASSES;
pub use db::DB;
pub use global::GLOBAL;
pub(crate) use http::BODY_BYTES;
pub use http::HTTP;
pub use json::JSON;
pub use log::LOG;
pub use lua::{LUA_GLOBALS, LUA_LIBRARIES};
pub use pbx::{LEG, PBX};
pub use shared::SHARED;
pub use time::TIME;

/// Every library that scripts find, in the order in which they are explained.
pub const LIBRARIES: &[&LibrarySpec] =
    &[&GLOBAL, &CALL, &CHILD, &TIME, &LOG, &JSON, &SHARED, &HTTP, &DB, &PBX, &LEG];

/// Where a function is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Library {
    /// By its name alone: `route`.
    Global,
    /// A method of the call: `call:answer`.
    Call,
    /// A method of what `spawn` gives back: `child:wait`.
    Child,
    /// `time.now`.
    Time,
    /// `log.info`.
    Log,
    /// `json.encode`.
    Json,
    /// `shared.set`.
    Shared,
    /// `http.get`.
    Http,
    /// `db.query`.
    Db,
    /// `pbx.originate`.
    Pbx,
    /// A method of what `pbx.originate` gives back: `leg:hangup`.
    Leg,
    /// A method of an object that only tests have, by the name of that object: `caller:hears`.
    Test(&'static str),
    /// A library that only tests have, `gen.digits`; with an empty word their globals.
    TestLibrary(&'static str),
}

impl Library {
    /// The word in front of its functions; empty for globals.
    pub fn word(self) -> &'static str {
        match self {
            Self::Global => "",
            Self::Call => "call",
            Self::Child => "child",
            Self::Time => "time",
            Self::Log => "log",
            Self::Json => "json",
            Self::Shared => "shared",
            Self::Http => "http",
            Self::Db => "db",
            Self::Pbx => "pbx",
            Self::Leg => "leg",
            Self::Test(word) | Self::TestLibrary(word) => word,
        }
    }

    /// What stands between that word and a function's name.
    pub fn separator(self) -> &'static str {
        match self {
            Self::Global | Self::TestLibrary("") => "",
            Self::Call | Self::Child | Self::Leg | Self::Test(_) => ":",
            Self::Time
            | Self::Log
            | Self::Json
            | Self::Shared
            | Self::Http
            | Self::Db
            | Self::Pbx
            | Self::TestLibrary(_) => ".",
        }
    }

    /// Its name and what it is for.
    pub fn spec(self) -> Option<&'static LibrarySpec> {
        LIBRARIES.iter().copied().find(|spec| spec.library == self)
    }
}

/// A library: its functions and its plain values.
#[derive(Debug, Clone, Copy)]
pub struct LibrarySpec {
    /// Which one.
    pub library: Library,
    /// What it is for, in one sentence.
    pub summary: &'static str,
    /// More about it: paragraphs of plain English with an empty line between them.
    pub doc: &'static str,
    /// Values that are there to be read, in alphabetical order.
    pub fields: &'static [ValueSpec],
    /// Functions, in alphabetical order.
    pub functions: &'static [VerbSpec],
}

/// One function that scripts can call.
#[derive(Debug, Clone, Copy)]
pub struct VerbSpec {
    /// Where it is found.
    pub library: Library,
    /// Its name.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// What happens in full: on the wire, to the caller's ears, at the limits. Paragraphs of plain
    /// English with an empty line between them.
    pub doc: &'static str,
    /// Positional arguments, in order. One named `...` stands for any number of values.
    pub arguments: &'static [OptionSpec],
    /// Keys of the option table; empty when it takes none.
    pub options: &'static [OptionSpec],
    /// Where that table stands.
    pub options_at: OptionsAt,
    /// What else the option table may have beside [`VerbSpec::options`], under keys of the script's
    /// own choice.
    pub open: Option<OptionSpec>,
    /// What it gives back.
    pub returns: Returns,
    /// Whether the handler ends with it.
    pub ends: bool,
    /// What it makes of a call that nobody has answered; of no weight if it [`VerbSpec::ends`].
    pub answer: Answer,
    /// Whether it does what it says only as long as the call is not answered.
    pub before_answer: bool,
    /// Whether the script waits in it.
    pub waits: bool,
    /// Whether it uses the caller's line, of which there is one: such verbs run one at a time.
    pub line: bool,
    /// A small whole `main.lua` that shows it; run by a test.
    pub example: &'static str,
}

impl VerbSpec {
    /// What most methods of `call` have in common: they use the line, and the script waits.
    pub const VERB: Self =
        Self { library: Library::Call, waits: true, line: true, ..Self::FUNCTION };

    /// What most other functions have in common: they give back a value at once.
    pub const FUNCTION: Self = Self {
        library: Library::Global,
        name: "",
        summary: "",
        doc: "",
        arguments: &[],
        options: &[],
        options_at: OptionsAt::Last,
        open: None,
        returns: Returns::Nothing,
        ends: false,
        answer: Answer::Waits,
        before_answer: false,
        waits: false,
        line: false,
        example: "",
    };

    /// Its name as a script writes it: `call:play`, `time.now`, `route`.
    pub fn full_name(&self) -> String {
        format!("{}{}{}", self.library.word(), self.library.separator(), self.name)
    }
}

/// What a function makes of a call that nobody has answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Nothing: the caller goes on waiting.
    Waits,
    /// Something is done for the caller, who hears something or is connected with somebody; whether
    /// it is answered by that depends.
    Serves,
    /// The call is answered after it.
    Answers,
}

/// Where the option table of a function stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptionsAt {
    /// After all arguments: `call:dial("ext/101", { timeout = 20 })`.
    Last,
    /// Before the last argument, and may be left out there: `route("1XX", { public = true }, f)`.
    BeforeLast,
}

/// What a function gives back.
#[derive(Debug, Clone, Copy)]
pub enum Returns {
    /// Nothing.
    Nothing,
    /// One value.
    Value(ValueSpec),
    /// A table with these fields.
    Table(&'static ClassSpec),
    /// Several values, in this order.
    Values(&'static [ValueSpec]),
}

/// A kind of table: what its fields are.
#[derive(Debug, Clone, Copy)]
pub struct ClassSpec {
    /// Its name in annotations: `Dialed`.
    pub name: &'static str,
    /// What it tells, in one sentence.
    pub doc: &'static str,
    /// Its fields.
    pub fields: &'static [ValueSpec],
}

/// A value that a script is given.
#[derive(Debug, Clone, Copy)]
pub struct ValueSpec {
    /// Its name.
    pub name: &'static str,
    /// Its type as Lua annotations write it: `string`, `integer?` when it may be nil,
    /// `"timeout"|"invalid"`, or the name of a [`ClassSpec`].
    pub ty: &'static str,
    /// What it means, in one sentence.
    pub doc: &'static str,
}

impl ValueSpec {
    /// The words that the value can be, if its type is a list of words.
    pub fn words(&self) -> Option<Vec<&'static str>> {
        let types = self.ty.trim_end_matches('?').split('|');
        types.map(|word| word.strip_prefix('"')?.strip_suffix('"')).collect()
    }
}

/// One argument or option.
#[derive(Debug, Clone, Copy)]
pub struct OptionSpec {
    /// Its name.
    pub name: &'static str,
    /// What may be given.
    pub kind: Kind,
    /// Whether it must be given.
    pub required: bool,
    /// What it means, in one sentence.
    pub doc: &'static str,
    /// Its type as Lua annotations write it, where the kind says too little; else empty.
    pub ty: &'static str,
}

/// What an argument or option may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// `true` or `false`.
    Flag {
        /// When not given.
        default: bool,
    },
    /// A string without control characters.
    Text,
    /// A string or a number, for example an extension.
    Name,
    /// The name of a mailbox.
    Mailbox,
    /// A number or name whose route is run, as if it had been dialled.
    Dialled,
    /// What digits choose, in a table whose other keys are patterns of digits: a function, or a number
    /// whose route is run.
    Choice,
    /// A language that can be spoken, by the name of its folder.
    Language,
    /// Seconds, perhaps with a fraction.
    Seconds {
        /// Least.
        min: f64,
        /// Most.
        max: f64,
        /// When not given.
        default: Option<f64>,
    },
    /// A whole number.
    Whole {
        /// Least.
        min: i64,
        /// Most.
        max: i64,
        /// When not given.
        default: Option<i64>,
    },
    /// A number.
    Number {
        /// Least.
        min: f64,
        /// Most.
        max: f64,
        /// When not given.
        default: Option<f64>,
    },
    /// A prompt name, `tone:...` or `silence:...`.
    Sound,
    /// One sound or a list of them.
    Sounds,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A key of the phone, or `false` for none.
    Key {
        /// When not given.
        default: Option<char>,
    },
    /// One pattern or a list of them.
    Patterns,
    /// Whom to ring: a target, a list to ring together, or a list of lists to ring in turn.
    Targets,
    /// A SIP or tel URI, `{uri=, q=}`, or a list of these.
    Redirects,
    /// A table from header name to value.
    Headers,
    /// `{user=, name=}`.
    Identity,
    /// A function.
    Function,
    /// Seconds, or a function to call.
    SecondsOrFunction,
    /// Sounds, or a function to call.
    SoundsOrFunction,
    /// A number or a string to be said with prompts.
    Spoken,
    /// A text for the synthesiser.
    Speech,
    /// Anything at all.
    Anything,
    /// A table.
    Table,
    /// A pattern of numbers, or a name.
    Pattern,
    /// When somebody is there: `mon-fri 08:30-17:30`.
    Hours,
    /// A file of the scripts folder, without `.lua`.
    Module,
}

impl OptionSpec {
    /// One that must be given.
    pub const fn required(name: &'static str, kind: Kind, doc: &'static str) -> Self {
        Self { name, kind, required: true, doc, ty: "" }
    }

    /// One that may be left out.
    pub const fn optional(name: &'static str, kind: Kind, doc: &'static str) -> Self {
        Self { name, kind, required: false, doc, ty: "" }
    }

    /// The same, of this type as Lua annotations write it.
    pub const fn typed(self, ty: &'static str) -> Self {
        Self { ty, ..self }
    }
}

impl ValueSpec {
    /// A value of the type `ty`.
    pub const fn new(name: &'static str, ty: &'static str, doc: &'static str) -> Self {
        Self { name, ty, doc }
    }
}

/// Seconds within these bounds.
pub const fn seconds(min: f64, max: f64, default: Option<f64>) -> Kind {
    Kind::Seconds { min, max, default }
}

/// Every global name that scripts find.
pub fn globals() -> impl Iterator<Item = &'static str> {
    let libraries = LIBRARIES.iter().map(|library| library.library);
    let libraries = libraries.filter(|library| library.separator() == ".");
    LUA_GLOBALS
        .iter()
        .copied()
        .chain(LUA_LIBRARIES.iter().map(|(name, _)| *name))
        .chain(GLOBAL.functions.iter().map(|spec| spec.name).filter(|name| *name != "log"))
        .chain(libraries.map(Library::word))
}

/// Every function of every library.
pub fn functions() -> impl Iterator<Item = &'static VerbSpec> {
    LIBRARIES.iter().flat_map(|library| library.functions)
}

/// Finds a function of a library.
pub fn function_spec(library: Library, name: &str) -> Option<&'static VerbSpec> {
    library.spec()?.functions.iter().find(|spec| spec.name == name)
}

/// Finds a method of `call`.
pub fn verb_spec(name: &str) -> Option<&'static VerbSpec> {
    function_spec(Library::Call, name)
}

/// The known name most like `wrong`, if one is close enough to have been meant.
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = wrong.to_lowercase();
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&lower, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= (name.len().max(wrong.len()) / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}
