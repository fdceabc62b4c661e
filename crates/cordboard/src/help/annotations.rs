//! The annotation file for editors: every function with its types, in the notation of
//! lua-language-server, which EmmyLua understands too.
//!
//! It is a Lua file that is never run. What a project is made of (its prompts, extensions and
//! mailboxes) stands in a file of its own beside it; see [`names`](super::names).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use dialplan::{
    ClassSpec, Kind, Library, LibrarySpec, OptionSpec, OptionsAt, Returns, ValueSpec, VerbSpec,
};

use super::{Language, capital, default_words, kind_words};

/// Writes the annotations of a language; the same text for the same table.
pub(crate) fn annotations(language: Language) -> String {
    let mut text = String::from(match language {
        Language::Scripts => SCRIPTS_HEAD,
        Language::Tests => TESTS_HEAD,
    });
    for class in classes(language).values() {
        write_class(&mut text, class);
    }
    for library in language.libraries() {
        write_library(&mut text, library);
    }
    text
}

/// Every kind of table, those that one function alone gives back included, by name.
fn classes(language: Language) -> BTreeMap<&'static str, &'static ClassSpec> {
    let functions = language.libraries().iter().flat_map(|library| library.functions);
    let given = functions.filter_map(|spec| match spec.returns {
        Returns::Table(class) => Some(class),
        Returns::Nothing | Returns::Value(_) | Returns::Values(_) => None,
    });
    let all = language.classes().iter().copied().chain(given);
    // Those that have methods are written with them.
    let objects = language.libraries().iter().filter(|library| library.library.separator() == ":");
    let objects: Vec<String> = objects.map(|library| class_name(library.library)).collect();
    let plain = all.filter(|class| !objects.iter().any(|object| object == class.name));
    plain.map(|class| (class.name, class)).collect()
}

fn write_class(text: &mut String, class: &ClassSpec) {
    line(text, &format!("---{}", class.doc));
    line(text, &format!("---@class {}", class.name));
    for value in class.fields {
        write_field(text, value);
    }
    line(text, "");
}

fn write_field(text: &mut String, value: &ValueSpec) {
    line(text, &format!("---@field {} {} {}", value.name, value.ty, value.doc));
}

fn write_library(text: &mut String, library: &LibrarySpec) {
    let word = library.library.word();
    let others = library.functions.iter().filter(|spec| !is_lua(spec) && !is_called(spec));
    for spec in library.functions.iter().filter(|spec| takes_options(spec)) {
        write_options(text, spec);
    }
    let holder = match library.library.separator() {
        "" => String::new(),
        ":" => {
            let class = class_name(library.library);
            write_library_head(text, library, &class);
            line(text, &format!("local {class} = {{}}\n"));
            format!("{class}:")
        }
        _ => {
            write_library_head(text, library, &format!("cordboard.{word}"));
            if dialplan::GLOBAL.functions.iter().any(|spec| spec.name == word) {
                line(text, "---@overload fun(...: any)");
            }
            line(text, &format!("{word} = {{}}\n"));
            format!("{word}.")
        }
    };
    for spec in others {
        write_function(text, spec, &holder);
    }
}

fn write_library_head(text: &mut String, library: &LibrarySpec, class: &str) {
    write_words(text, &format!("{}\n\n{}", library.summary, library.doc));
    line(text, &format!("---@class {class}"));
    for value in library.fields {
        write_field(text, value);
    }
}

fn write_options(text: &mut String, spec: &VerbSpec) {
    line(text, &format!("---What `{}` may be told beside its arguments.", spec.full_name()));
    line(text, &format!("---@class {}", options_class(spec)));
    for option in spec.options {
        let mark = if option.required { "" } else { "?" };
        let words = described(option);
        let name = field(option.name);
        line(text, &format!("---@field {name}{mark} {} {words}", kind_type(option)));
    }
    if let Some(open) = &spec.open {
        line(text, &format!("---@field [string|integer] {} {}", open.ty, open.doc));
    }
    line(text, "");
}

fn write_function(text: &mut String, spec: &VerbSpec, holder: &str) {
    let mut words = format!("{}\n\n{}", spec.summary, spec.doc);
    if !spec.example.is_empty() {
        write!(words, "\n\n```lua\n{}```", spec.example).unwrap_or_default();
    }
    write_words(text, &words);
    let mut parameters: Vec<(String, String, String)> = spec
        .arguments
        .iter()
        .map(|argument| {
            let mark = if argument.required || argument.name == "..." { "" } else { "?" };
            let name = format!("{}{mark}", parameter(argument.name));
            (name, kind_type(argument), described(argument))
        })
        .collect();
    let mut overload = None;
    if takes_options(spec) {
        let needed = spec.open.is_some() || spec.options.iter().any(|option| option.required);
        let mark = if needed { "" } else { "?" };
        let words = "What else there is to say, by name.".to_owned();
        let options = (format!("options{mark}"), options_class(spec), words);
        match spec.options_at {
            OptionsAt::Last => parameters.push(options),
            OptionsAt::BeforeLast => {
                let mut longer = parameters.clone();
                longer.insert(longer.len().saturating_sub(1), options);
                let longer: Vec<_> = longer
                    .iter()
                    .map(|(name, ty, _)| format!("{}: {ty}", name.trim_end_matches('?')))
                    .collect();
                overload = Some(format!("---@overload fun({})", longer.join(", ")));
            }
        }
    }
    for (name, ty, words) in &parameters {
        line(text, &format!("---@param {name} {ty} {words}"));
    }
    write_returns(text, spec);
    if let Some(overload) = overload {
        line(text, &overload);
    }
    let names: Vec<_> = parameters.iter().map(|(name, _, _)| name.trim_end_matches('?')).collect();
    line(text, &format!("function {holder}{}({}) end\n", spec.name, names.join(", ")));
}

fn write_returns(text: &mut String, spec: &VerbSpec) {
    let values = match &spec.returns {
        Returns::Nothing => &[][..],
        Returns::Value(value) => std::slice::from_ref(value),
        Returns::Values(values) => values,
        Returns::Table(class) => {
            line(text, &format!("---@return {} result {}", class.name, class.doc));
            &[]
        }
    };
    for value in values {
        line(text, &format!("---@return {} {} {}", value.ty, value.name, value.doc));
    }
}

/// What the option means, what it may be and what counts when it is left out.
fn described(option: &OptionSpec) -> String {
    let mut words = option.doc.to_owned();
    if let Kind::Seconds { .. } | Kind::Whole { .. } | Kind::Number { .. } = option.kind {
        write!(words, " {}.", capital(&kind_words(&option.kind))).unwrap_or_default();
    }
    if let Some(default) = default_words(&option.kind) {
        write!(words, " Unless given: {default}.").unwrap_or_default();
    }
    words
}

/// The type of an argument or option, as annotations write it.
fn kind_type(option: &OptionSpec) -> String {
    if !option.ty.is_empty() {
        return option.ty.to_owned();
    }
    match option.kind {
        Kind::Flag { .. } => "boolean".into(),
        Kind::Text | Kind::Hours | Kind::Module | Kind::Language => "string".into(),
        Kind::Name | Kind::Pattern | Kind::Dialled => "string|integer".into(),
        Kind::Mailbox => "MailboxName".into(),
        Kind::Choice => "fun(digits: string)|string|integer".into(),
        Kind::Seconds { .. } | Kind::Number { .. } => "number".into(),
        Kind::Whole { .. } => "integer".into(),
        Kind::Sound => "Sound".into(),
        Kind::Sounds => "Sound|Speech|(Sound|Speech)[]".into(),
        Kind::Word(words) => {
            words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join("|")
        }
        Kind::Key { .. } => "string|integer|false".into(),
        Kind::Patterns => "string|string[]".into(),
        Kind::Targets => "Targets".into(),
        Kind::Redirects => "string|Redirect|(string|Redirect)[]".into(),
        Kind::Headers => "table<string, string|integer>".into(),
        Kind::Identity => "Identity".into(),
        Kind::Function => "function".into(),
        Kind::SecondsOrFunction => "number|fun()".into(),
        Kind::SoundsOrFunction => "Sound|Speech|(Sound|Speech)[]|fun()".into(),
        Kind::Spoken | Kind::Speech => "string|number".into(),
        Kind::Anything => "any".into(),
        Kind::Table => "table".into(),
    }
}

/// Whether Lua has it too, so that editors know it already. They find files by the name `require`,
/// which a second description would hide.
fn is_lua(spec: &VerbSpec) -> bool {
    matches!(spec.full_name().as_str(), "print" | "require")
}

/// Whether it is a library that can be called: it is described there.
fn is_called(spec: &VerbSpec) -> bool {
    spec.library == Library::Global
        && dialplan::LIBRARIES.iter().any(|library| library.library.word() == spec.name)
}

fn takes_options(spec: &VerbSpec) -> bool {
    !spec.options.is_empty() || spec.open.is_some()
}

/// The class of an object with methods. Types name those of tests as tests do: `party`.
fn class_name(library: Library) -> String {
    if let Library::Test(word) = library {
        return word.to_owned();
    }
    camel(library.word())
}

/// `DialOptions`, `JsonEncodeOptions`.
fn options_class(spec: &VerbSpec) -> String {
    let library = match spec.library.word() {
        "call" => "",
        word => word,
    };
    format!("{}{}Options", camel(library), camel(spec.name))
}

/// A name as annotations of fields take it: four words would be read as who may see the field.
fn field(name: &str) -> String {
    match name {
        "public" | "private" | "protected" | "package" => format!("[\"{name}\"]"),
        _ => name.to_owned(),
    }
}

/// A name that may stand in a list of parameters.
fn parameter(name: &str) -> &str {
    if name == "function" { "fn" } else { name }
}

/// `on_hangup` becomes `OnHangup`.
fn camel(name: &str) -> String {
    name.split('_').map(capital).collect()
}

/// Paragraphs as a comment that editors show.
fn write_words(text: &mut String, words: &str) {
    for words in words.lines() {
        line(text, &format!("---{words}"));
    }
}

fn line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

const SCRIPTS_HEAD: &str = "\
---@meta cordboard

-- Written by `cordboard annotations`, for editors; it is never run, and changes made here are lost.

---A prompt, `tone:HZ`, `tone:HZ+HZ/ON,OFF`, `tone:HZ:SECONDS` or `silence:SECONDS`.
---@alias Sound PromptName

---Whom to ring: one, a list to ring together, a list of lists to ring in turn.
---@alias Targets Destination|Target|(Destination|Target)[]|(Destination|Target)[][]

";

const TESTS_HEAD: &str = "\
---@meta cordboard.tests

-- Written by `cordboard annotations`, for editors; it is never run, and changes made here are lost.

";
