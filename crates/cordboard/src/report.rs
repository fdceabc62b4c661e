//! Shows what is wrong in a text at its place; configuration and scripts look alike.

use std::io::IsTerminal;
use std::ops::Range;

use ariadne::{Color, Config, IndexType, Label, Report, ReportKind, Source};

/// A mistake and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The file, as its reader knows it.
    pub(crate) file: String,
    /// The text of the file, or of as much as is known.
    pub(crate) text: String,
    /// Where in `text`, in bytes.
    pub(crate) span: Range<usize>,
    /// What is wrong.
    pub(crate) message: String,
    /// Written beneath the place; may be empty.
    pub(crate) label: String,
    /// What to do about it.
    pub(crate) help: Option<String>,
}

/// All mistakes below each other, in colour if standard error is a terminal.
pub(crate) fn render(places: &[Place]) -> String {
    let colour = std::io::stderr().is_terminal();
    places.iter().map(|place| render_one(place, colour)).collect::<Vec<_>>().join("\n")
}

fn render_one(place: &Place, colour: bool) -> String {
    let end = place.text.len();
    let start = place.span.start.min(end);
    let span = start..place.span.end.clamp(start, end);
    let config = Config::default().with_color(colour).with_index_type(IndexType::Byte);
    let label = if place.label.is_empty() { "here" } else { &place.label };
    let mut report = Report::build(ReportKind::Error, (&place.file, span.clone()))
        .with_config(config)
        .with_message(&place.message)
        .with_label(Label::new((&place.file, span)).with_message(label).with_color(Color::Red));
    if let Some(help) = &place.help {
        report = report.with_help(help);
    }
    let mut shown = Vec::new();
    let source = (&place.file, Source::from(&place.text));
    match report.finish().write(source, &mut shown) {
        Ok(()) => String::from_utf8_lossy(&shown).trim_end().to_owned(),
        // Without the picture, the words still help.
        Err(_) => format!("{}: {}", place.file, place.message),
    }
}

/// Mistakes in scripts, each with the line it is in.
pub(crate) fn render_scripts(
    mistakes: &[dialplan::LoadError],
    sources: &dialplan::Sources,
) -> String {
    let shown: Vec<_> = mistakes.iter().map(|mistake| render_script(mistake, sources)).collect();
    shown.join("\n")
}

fn render_script(mistake: &dialplan::LoadError, sources: &dialplan::Sources) -> String {
    let name = mistake.file.strip_prefix("scripts/").unwrap_or(&mistake.file);
    let (Some(text), Some(line)) = (sources.files.get(name), mistake.line) else {
        return format!("Error: {mistake}");
    };
    let line_start: usize =
        text.split_inclusive('\n').take(line.saturating_sub(1) as usize).map(str::len).sum();
    let line_text = text.get(line_start..).and_then(|rest| rest.lines().next()).unwrap_or("");
    let indent = line_text.len() - line_text.trim_start().len();
    let start = match mistake.column {
        Some(column) => line_start + (column.saturating_sub(1) as usize).min(line_text.len()),
        None => line_start + indent,
    };
    let end = match mistake.length {
        Some(length) => (start + length as usize).min(line_start + line_text.len()),
        None => line_start + line_text.trim_end().len(),
    };
    render(&[Place {
        file: mistake.file.clone(),
        text: text.clone(),
        span: start..end.max(start),
        message: mistake.message.clone(),
        label: String::new(),
        help: mistake.hint.clone(),
    }])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_shows_file_line_and_what_to_do() {
        let shown = render_one(
            &Place {
                file: "cordboard.toml".into(),
                text: "domain = \"x\"\nprot = 3\n".into(),
                span: 13..17,
                message: "unknown key `prot`".into(),
                label: "not known".into(),
                help: Some("did you mean `port`?".into()),
            },
            false,
        );
        for part in ["unknown key `prot`", "cordboard.toml:2:1", "prot = 3", "not known", "`port`"]
        {
            assert!(shown.contains(part), "no {part} in:\n{shown}");
        }
    }

    #[test]
    fn a_script_mistake_shows_its_line() {
        let mut sources = dialplan::Sources::default();
        sources.files.insert("main.lua".into(), "-- one\n  call:anser()\n".into());
        let mistake = dialplan::LoadError {
            file: "scripts/main.lua".into(),
            line: Some(2),
            column: None,
            length: None,
            message: "no verb `anser`".into(),
            hint: Some("did you mean `answer`?".into()),
            source_line: None,
        };
        let shown = render_scripts(&[mistake], &sources);
        for part in ["no verb `anser`", "scripts/main.lua:2:3", "call:anser()", "`answer`"] {
            assert!(shown.contains(part), "no {part} in:\n{shown}");
        }
    }
}
