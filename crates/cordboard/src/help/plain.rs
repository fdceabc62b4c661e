//! The reference of single functions, as a terminal shows it best.

use dialplan::{LibrarySpec, OptionSpec, Returns, ValueSpec, VerbSpec};

use super::reference::heading;
use super::{Language, capital, default_words, kind_words};

/// What is known about everything of that name: `call:dial`, `dial`, `time`. `None` if nothing is.
pub(crate) fn about(name: &str) -> Option<String> {
    let wanted = name.trim_end_matches("()");
    let mut parts = Vec::new();
    for library in libraries() {
        if library.library.word() == wanted && !wanted.is_empty() {
            parts.push(overview(library));
        }
        let of_that_name = |spec: &&VerbSpec| spec.name == wanted || spec.full_name() == wanted;
        parts.extend(library.functions.iter().filter(of_that_name).map(function));
    }
    (!parts.is_empty()).then(|| parts.join("\n"))
}

/// The function whose name is most like `wrong`, if one is close enough to have been meant.
pub(crate) fn nearest(wrong: &str) -> Option<String> {
    let functions = libraries().flat_map(|library| library.functions);
    let names = functions.flat_map(|spec| [(spec.name.to_owned(), spec), (spec.full_name(), spec)]);
    names
        .map(|(name, spec)| (strsim::damerau_levenshtein(wrong, &name), spec.full_name()))
        .filter(|(distance, _)| *distance <= (wrong.len() / 3).max(1))
        .min()
        .map(|(_, name)| name)
}

/// What scripts can call, and then what tests can.
fn libraries() -> impl Iterator<Item = &'static LibrarySpec> {
    let scripts = Language::Scripts.libraries().iter().copied();
    scripts.chain(Language::Tests.libraries().iter().copied())
}

/// A library, and what is in it in a line each.
fn overview(library: &LibrarySpec) -> String {
    let mut page = Page::begin(library.library.word());
    page.paragraphs(library.summary);
    page.paragraphs(library.doc);
    if !library.fields.is_empty() {
        page.list("Values", library.fields.iter().map(value));
    }
    let functions = library.functions.iter();
    page.list("Functions", functions.map(|spec| (spec.name.to_owned(), spec.summary.to_owned())));
    page.text
}

fn function(spec: &VerbSpec) -> String {
    let mut page = Page::begin(&heading(spec));
    page.paragraphs(spec.summary);
    page.paragraphs(spec.doc);
    if !spec.arguments.is_empty() {
        page.list(
            "Arguments",
            spec.arguments.iter().map(|argument| option(argument, "may be left out")),
        );
    }
    let open = spec.open.iter().map(|open| (format!("<{}>", open.name), open.doc.to_owned()));
    let options = spec.options.iter().map(|known| option(known, ""));
    if !spec.options.is_empty() || spec.open.is_some() {
        page.list("Options", options.chain(open));
    }
    match &spec.returns {
        Returns::Nothing => {}
        Returns::Value(given) => page.list("Gives back", std::iter::once(value(given))),
        Returns::Values(given) => {
            page.list("Gives back, one after the other", given.iter().map(value))
        }
        Returns::Table(class) => page.list("Gives back a table", class.fields.iter().map(value)),
    }
    page.heading("Example");
    for line in spec.example.lines() {
        page.line(2, line);
    }
    page.text
}

fn option(option: &OptionSpec, if_optional: &str) -> (String, String) {
    let mut words = format!("{} {}", option.doc, capital(&kind_words(&option.kind)));
    match default_words(&option.kind) {
        Some(default) => words.push_str(&format!("; {default} unless given")),
        None if !option.required && !if_optional.is_empty() && option.name != "..." => {
            words.push_str(&format!("; {if_optional}"));
        }
        None => {}
    }
    (option.name.to_owned(), words + ".")
}

fn value(value: &ValueSpec) -> (String, String) {
    let may_be = match value.words() {
        Some(words) => words.join(", "),
        None => value.ty.replace('?', " or nil").replace('|', " or "),
    };
    (value.name.to_owned(), format!("{} {}.", value.doc, capital(&may_be)))
}

/// Text that is indented and wrapped.
struct Page {
    text: String,
}

impl Page {
    fn begin(title: &str) -> Self {
        Self { text: format!("{title}\n") }
    }

    fn line(&mut self, indent: usize, line: &str) {
        let line = format!("{:indent$}{line}", "");
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn heading(&mut self, heading: &str) {
        self.text.push('\n');
        self.line(0, heading);
    }

    fn paragraphs(&mut self, words: &str) {
        for paragraph in words.split("\n\n") {
            self.text.push('\n');
            for line in wrapped(paragraph, WIDTH - 2) {
                self.line(2, &line);
            }
        }
    }

    fn list(&mut self, heading: &str, rows: impl Iterator<Item = (String, String)>) {
        self.heading(heading);
        for (name, words) in rows {
            let mut lines = wrapped(&words, WIDTH - INDENT).into_iter();
            let first = lines.next().unwrap_or_default();
            // A long name has a line of its own.
            if name.chars().count() + 4 > INDENT {
                self.line(2, &name);
                self.line(INDENT, &first);
            } else {
                self.line(2, &format!("{name:<0$}{first}", INDENT - 2));
            }
            lines.for_each(|line| self.line(INDENT, &line));
        }
    }
}

/// Words in lines of at most `width` characters.
fn wrapped(words: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in words.split(' ') {
        let last = lines.last().map_or(0, |line| line.chars().count());
        if last > 0 && last + 1 + word.chars().count() > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

/// Characters in a line.
const WIDTH: usize = 96;
/// Where explanations begin, behind names.
const INDENT: usize = 16;
