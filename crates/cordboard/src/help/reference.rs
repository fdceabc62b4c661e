//! The reference of all functions, in Markdown.

use std::fmt::Write as _;

use dialplan::{ClassSpec, LibrarySpec, OptionSpec, OptionsAt, Returns, ValueSpec, VerbSpec};

use super::{Language, default_words, kind_words};

/// Writes the whole reference; the same text for the same table.
pub(crate) fn reference(language: Language) -> String {
    let mut text = String::from(match language {
        Language::Scripts => SCRIPTS_HEAD,
        Language::Tests => TESTS_HEAD,
    });
    for library in language.libraries() {
        let names = library.functions.iter().map(|spec| {
            let name = spec.full_name();
            format!("[`{name}`](#{})", anchor(&heading(spec)))
        });
        let names: Vec<String> = names.collect();
        paragraph(&mut text, &format!("**{}**: {}", title(library), names.join(", ")));
    }
    for library in language.libraries() {
        write_library(&mut text, library);
    }
    paragraph(&mut text, "## Tables that many functions share");
    for class in language.classes() {
        paragraph(&mut text, &format!("### {}", class.name));
        paragraph(&mut text, class.doc);
        if !class.fields.is_empty() {
            write_values(&mut text, class.fields);
        }
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn title(library: &LibrarySpec) -> String {
    match library.library.word() {
        "" => "Globals".to_owned(),
        word => format!("`{word}`"),
    }
}

fn write_library(text: &mut String, library: &LibrarySpec) {
    paragraph(text, &format!("## {}", title(library)));
    paragraph(text, library.summary);
    paragraph(text, library.doc);
    if !library.fields.is_empty() {
        paragraph(text, "Values to be read:");
        write_values(text, library.fields);
    }
    for spec in library.functions {
        write_function(text, spec);
    }
}

fn write_function(text: &mut String, spec: &VerbSpec) {
    paragraph(text, &format!("### {}", heading(spec)));
    paragraph(text, spec.summary);
    paragraph(text, spec.doc);
    if !spec.arguments.is_empty() {
        text.push_str("| argument | may be | meaning |\n| --- | --- | --- |\n");
        for argument in spec.arguments {
            write_option(text, argument, None);
        }
        text.push('\n');
    }
    if !spec.options.is_empty() || spec.open.is_some() {
        text.push_str("| option | may be | unless given | meaning |\n| --- | --- | --- | --- |\n");
        for option in spec.options {
            let default = default_words(&option.kind).unwrap_or_default();
            write_option(text, option, Some(&default));
        }
        if let Some(open) = &spec.open {
            let ty = cell(&format!("`{}`", open.ty));
            writeln!(text, "| *{}* | {ty} | | {} |", open.name, cell(open.doc)).unwrap_or_default();
        }
        text.push('\n');
    }
    match &spec.returns {
        Returns::Nothing => {}
        Returns::Value(value) => {
            paragraph(text, &format!("Gives back `{}`: {}", value.ty, decapital(value.doc)));
        }
        Returns::Values(values) => {
            paragraph(text, "Gives back, one after the other:");
            write_values(text, values);
        }
        Returns::Table(class) => write_class(text, class),
    }
    paragraph(text, &format!("```lua\n{}```", spec.example));
}

fn write_class(text: &mut String, class: &ClassSpec) {
    paragraph(text, "Gives back a table:");
    write_values(text, class.fields);
}

fn write_option(text: &mut String, option: &OptionSpec, default: Option<&str>) {
    let name = if option.name == "..." { "`...`".to_owned() } else { format!("`{}`", option.name) };
    let mut may_be = kind_words(&option.kind);
    if default.is_none() && !option.required && option.name != "..." {
        may_be.push_str("; may be left out");
    }
    if default.is_some() && option.required {
        may_be.push_str("; needed");
    }
    let default = match default {
        None => String::new(),
        Some("") => " |".to_owned(),
        Some(default) => format!(" {} |", cell(default)),
    };
    writeln!(text, "| {name} | {} |{default} {} |", cell(&may_be), cell(option.doc))
        .unwrap_or_default();
}

fn write_values(text: &mut String, values: &[ValueSpec]) {
    text.push_str("| | type | |\n| --- | --- | --- |\n");
    for value in values {
        let ty = cell(&format!("`{}`", value.ty));
        writeln!(text, "| `{}` | {ty} | {} |", value.name, cell(value.doc)).unwrap_or_default();
    }
    text.push('\n');
}

/// `call:dial(to, options)`.
pub(super) fn heading(spec: &VerbSpec) -> String {
    let mut names: Vec<&str> = spec.arguments.iter().map(|argument| argument.name).collect();
    if !spec.options.is_empty() || spec.open.is_some() {
        let at = match spec.options_at {
            OptionsAt::Last => names.len(),
            OptionsAt::BeforeLast => names.len().saturating_sub(1),
        };
        names.insert(at, "options");
    }
    format!("{}({})", spec.full_name(), names.join(", "))
}

/// The address of a heading within a page, as readers of Markdown on the web make it.
pub(super) fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn paragraph(text: &mut String, words: &str) {
    text.push_str(words);
    text.push_str("\n\n");
}

/// Text that may stand in a cell of a table.
fn cell(words: &str) -> String {
    words.replace('|', "\\|")
}

fn decapital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

const SCRIPTS_HEAD: &str = "\
# Reference

<!-- Written by `cordboard reference > scripts/docs/reference.md` from the table of
functions; change that. -->

Everything that a dialplan can call, each with a small whole dialplan that shows it. How to write one
from the beginning stands in [Writing a dialplan](../README.md). `cordboard reference dial` shows one function in the
terminal, and `cordboard init` or `cordboard annotations` gives all of this to your editor.

";

const TESTS_HEAD: &str = "\
# Reference of tests

<!-- Written by `cordboard reference --tests > scripts/docs/test-reference.md` from the table of
functions; change that. -->

Everything that a test of a dialplan can call, each with a small whole test file that passes on the
exchange as it ships. Tests stand in `scripts/tests/`, and `cordboard test` runs them.

";
