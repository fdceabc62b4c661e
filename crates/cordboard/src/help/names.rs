//! What a project is made of, for editors: its prompts, extensions and mailboxes as words to choose
//! from.

use std::collections::{BTreeMap, BTreeSet};

use dialplan::Names;

/// Writes the annotations of what exists. `texts` says what is heard in a prompt, by its full name.
pub(crate) fn names(names: &Names, texts: &BTreeMap<String, String>) -> String {
    let mut text = String::from(HEAD);
    let prefix = format!("{}/", names.language);
    // Words that `call:say` strings together are rarely played one by one.
    let spoken: BTreeSet<String> =
        dialplan::say_prompts(&names.language).into_iter().flatten().collect();
    let prompts = names.prompts.iter().filter(|name| !spoken.contains(*name)).map(|name| {
        let words = texts.get(name).map_or("", String::as_str);
        (name.strip_prefix(&prefix).unwrap_or(name).to_owned(), words)
    });
    alias(&mut text, "PromptName", "A file of the prompts folder, without its ending.", prompts);
    let extensions = names.extensions.iter().map(|name| (format!("ext/{name}"), ""));
    alias(&mut text, "Destination", "An extension, or `sip:user@host`.", extensions);
    let mailboxes = names.mailboxes.iter().map(|name| (name.clone(), ""));
    alias(&mut text, "MailboxName", "A mailbox of the configuration.", mailboxes);
    text
}

fn alias<'a>(
    text: &mut String,
    name: &str,
    doc: &str,
    words: impl Iterator<Item = (String, &'a str)>,
) {
    text.push_str(&format!("---{doc}\n---@alias {name}\n---| string\n"));
    for (word, what) in words.filter(|(word, _)| is_plain(word)) {
        text.push_str(&format!("---| \"{word}\""));
        if !what.is_empty() {
            text.push_str(&format!(" # {what}"));
        }
        text.push('\n');
    }
    text.push('\n');
}

/// Whether it can stand between quotes as it is.
fn is_plain(word: &str) -> bool {
    !word.contains(|c: char| c.is_control() || c == '"' || c == '\\')
}

/// Reads what a language's prompts say from its table: a name, a tab, the words.
pub(crate) fn read_texts(language: &str, table: &str) -> BTreeMap<String, String> {
    let rows = table.lines().filter(|line| !line.starts_with('#'));
    rows.filter_map(|row| row.split_once('\t'))
        .filter(|(_, words)| !words.starts_with('/'))
        .map(|(name, words)| (format!("{language}/{name}"), words.to_owned()))
        .collect()
}

const HEAD: &str = "\
---@meta cordboard.names

-- Written by `cordboard annotations` from the configuration and the prompts folder; changes made here
-- are lost.

";
