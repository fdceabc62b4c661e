//! What a word that was begun could become: functions, options, prompts, accounts.

use dialplan::{LIBRARIES, Library, VerbSpec};

use crate::Session;
use crate::command::{HELP, word};

impl Session {
    /// What could stand at the cursor, which is `at` bytes from the beginning of `line`: where the
    /// word begins that is to be replaced, and all that it could become, in order.
    pub fn complete(&self, line: &str, at: usize) -> (usize, Vec<String>) {
        let before = line.get(..at).unwrap_or(line);
        if let Some(command) = before.strip_prefix('.') {
            return self.complete_command(command);
        }
        if let Some(start) = open_text(before) {
            return self.complete_text(before, start);
        }
        let start =
            before.rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_').map_or(0, |at| at + 1);
        let begun = before.get(start..).unwrap_or_default();
        let (ahead, sign) = split_sign(before.get(..start).unwrap_or_default());
        let found = match sign {
            Some(sign) => members(ahead, sign),
            None => words(before),
        };
        (start, beginning(found, begun))
    }

    fn complete_command(&self, command: &str) -> (usize, Vec<String>) {
        let Some((name, begun)) = command.rsplit_once(' ') else {
            let names = HELP.iter().map(|(written, _)| word(written).to_owned());
            return (1, beginning(names.collect(), command));
        };
        let start = name.len() + 2;
        let found = match name {
            "answer" | "busy" | "refuse" | "ring" | "leave" | "hangup" => self.accounts(),
            "help" => functions().map(VerbSpec::full_name).collect(),
            _ => Vec::new(),
        };
        (start, beginning(found, begun))
    }

    /// Within quotes: prompts and targets.
    fn complete_text(&self, before: &str, start: usize) -> (usize, Vec<String>) {
        let begun = before.get(start..).unwrap_or_default();
        let office = &self.run().office;
        let prompts = self.opening().sounds.prompts().names();
        let mut found: Vec<String> =
            prompts.iter().map(|name| office.short_name(name).to_owned()).collect();
        found.extend(self.accounts().iter().map(|account| format!("ext/{account}")));
        (start, beginning(found, begun))
    }

    fn accounts(&self) -> Vec<String> {
        self.opening().config.accounts.keys().cloned().collect()
    }
}

/// Where a text begins that is not closed.
fn open_text(line: &str) -> Option<usize> {
    let mut open: Option<(usize, char)> = None;
    let mut escaped = false;
    for (at, c) in line.char_indices() {
        match open {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some((_, quote)) if c == quote => open = None,
            Some(_) => {}
            None if c == '"' || c == '\'' => open = Some((at + 1, c)),
            None => {}
        }
    }
    open.map(|(at, _)| at)
}

/// A name with the sign behind it: `call:`, `time.`.
fn split_sign(before: &str) -> (&str, Option<char>) {
    let Some(sign @ (':' | '.')) = before.chars().next_back() else { return (before, None) };
    let rest = before.get(..before.len() - 1).unwrap_or_default();
    let start = rest.rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_').map_or(0, |at| at + 1);
    (rest.get(start..).unwrap_or_default(), Some(sign))
}

/// Functions and fields of a library.
fn members(name: &str, sign: char) -> Vec<String> {
    let own = LIBRARIES.iter().filter(|library| library.library.word() == name);
    let mut found = Vec::new();
    for library in own {
        if library.library.separator().starts_with(sign) {
            found.extend(library.functions.iter().map(|spec| spec.name.to_owned()));
        }
        if sign == '.' {
            found.extend(library.fields.iter().map(|field| field.name.to_owned()));
        }
    }
    found
}

/// Options of the function whose brackets are open, else names that stand alone.
fn words(before: &str) -> Vec<String> {
    if let Some(spec) = open_function(before)
        && before.contains('{')
    {
        return spec.options.iter().map(|option| format!("{} = ", option.name)).collect();
    }
    let mut found = Vec::new();
    for library in LIBRARIES {
        if library.library == Library::Global {
            found.extend(library.functions.iter().map(|spec| spec.name.to_owned()));
        } else {
            found.push(library.library.word().to_owned());
        }
    }
    found
}

/// The function of the last bracket that is not closed.
fn open_function(before: &str) -> Option<&'static VerbSpec> {
    let mut depth = 0_usize;
    let mut open = None;
    for (at, c) in before.char_indices().rev() {
        match c {
            ')' | '}' => depth += 1,
            '(' | '{' if depth > 0 => depth -= 1,
            '(' | '{' => {
                let ahead = before.get(..at).unwrap_or_default().trim_end();
                let named = functions().find(|spec| {
                    let name = spec.full_name();
                    ahead.ends_with(&name)
                });
                open = open.or(named);
            }
            _ => {}
        }
    }
    open
}

fn functions() -> impl Iterator<Item = &'static VerbSpec> {
    LIBRARIES.iter().flat_map(|library| library.functions)
}

/// Those that begin like this, each once, in order.
fn beginning(found: Vec<String>, begun: &str) -> Vec<String> {
    let mut found: Vec<String> =
        found.into_iter().filter(|name| name.starts_with(begun) && !name.is_empty()).collect();
    found.sort();
    found.dedup();
    found
}
