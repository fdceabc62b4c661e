//! Shows what is wrong in a text at its place; configuration and scripts look alike.

use std::ops::Range;
use std::sync::Arc;

use ariadne::{Color, Config, IndexType, Label, Report, ReportKind, Source};
use serde::{Deserialize, Serialize};

use crate::terminal;

/// A mistake and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// Whether it stops anything.
    pub(crate) severity: Severity,
    /// The file, as its reader knows it.
    pub(crate) file: String,
    /// The text of the file, or of as much as is known; empty when there is none to show.
    pub(crate) text: Arc<str>,
    /// Where in `text`, in bytes.
    pub(crate) span: Range<usize>,
    /// What is wrong.
    pub(crate) message: String,
    /// Written beneath the place; may be empty.
    pub(crate) label: String,
    /// What to do about it.
    pub(crate) help: Option<String>,
}

/// How much a mistake matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Severity {
    /// Worth a look; nothing is stopped by it.
    Warning,
    /// What it is in cannot be used.
    Error,
}

/// Whether what is shown may have colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Colour {
    /// For files and programs.
    #[default]
    Plain,
    /// For a terminal.
    Coloured,
}

impl Colour {
    /// As suits standard error.
    pub(crate) fn of_stderr() -> Self {
        if terminal::has_colours(&std::io::stderr()) { Self::Coloured } else { Self::Plain }
    }
}

impl Place {
    /// A mistake that is in no line of anything.
    pub(crate) fn without_text(file: &str, message: &str) -> Self {
        Self {
            severity: Severity::Error,
            file: file.to_owned(),
            text: Arc::default(),
            span: 0..0,
            message: message.to_owned(),
            label: String::new(),
            help: None,
        }
    }

    /// Line and column, from 1, the column in characters; `None` when there is no text.
    pub(crate) fn line_and_column(&self) -> Option<(usize, usize)> {
        if self.text.is_empty() {
            return None;
        }
        let before = self.text.get(..self.span.start.min(self.text.len()))?;
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = before.get(line_start..)?.chars().count() + 1;
        Some((before.matches('\n').count() + 1, column))
    }
}

/// All mistakes below each other, in colour if standard error is a terminal.
pub(crate) fn render(places: &[Place]) -> String {
    let colour = Colour::of_stderr();
    places.iter().map(|place| render_one(place, colour)).collect::<Vec<_>>().join("\n")
}

/// One mistake with the line it is in.
pub(crate) fn render_one(place: &Place, colour: Colour) -> String {
    let Some((text, span)) = excerpt(place) else { return without_picture(place) };
    let colour = colour == Colour::Coloured;
    let (kind, mark) = match place.severity {
        Severity::Error => (ReportKind::Error, Color::Red),
        Severity::Warning => (ReportKind::Warning, Color::Yellow),
    };
    let config = Config::default().with_color(colour).with_index_type(IndexType::Byte);
    let label = if place.label.is_empty() { "here" } else { &place.label };
    let mut report = Report::build(kind, (&place.file, span.clone()))
        .with_config(config)
        .with_message(&place.message)
        .with_label(Label::new((&place.file, span)).with_message(label).with_color(mark));
    if let Some(help) = &place.help {
        report = report.with_help(help);
    }
    let mut shown = Vec::new();
    let source = (&place.file, Source::from(text));
    match report.finish().write(source, &mut shown) {
        Ok(()) => String::from_utf8_lossy(&shown).trim_end().to_owned(),
        // Without the picture, the words still help.
        Err(_) => without_picture(place),
    }
}

/// The lines that a mistake is in, below as many empty ones as stand above them, and where the mistake
/// is in that; `None` where there is no text, or a line that is too long to be read.
fn excerpt(place: &Place) -> Option<(String, Range<usize>)> {
    let text = place.text.as_bytes();
    let start = place.span.start.min(text.len());
    let end = place.span.end.clamp(start, text.len());
    let is_end = |byte: &u8| *byte == b'\n';
    let (before, after) = (text.get(..start)?, text.get(end..)?);
    // What is missing at the end of a file is missing in its last line.
    let last = if after.is_empty() { before.strip_suffix(b"\n").unwrap_or(before) } else { before };
    let from = last.iter().rposition(is_end).map_or(0, |newline| newline + 1);
    let to = after.iter().position(is_end).map_or(text.len(), |newline| end + newline);
    let lines = place.text.get(from..to)?;
    if text.is_empty() || lines.len() > EXCERPT_BYTES_MAX {
        return None;
    }
    let above = last.iter().filter(|byte| is_end(byte)).count();
    let span = above + start - from..above + end - from;
    Some(("\n".repeat(above) + lines, span))
}

/// Bytes of lines that are shown; of longer ones it is told where in them a mistake is.
const EXCERPT_BYTES_MAX: usize = 4_096;

fn without_picture(place: &Place) -> String {
    let kind = match place.severity {
        Severity::Error => "Error",
        Severity::Warning => "Warning",
    };
    let help = place.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
    let file = match place.line_and_column() {
        _ if place.file.is_empty() => String::new(),
        Some((line, column)) => format!("{}:{line}:{column}: ", place.file),
        None => format!("{}: ", place.file),
    };
    format!("{kind}: {file}{}{help}", place.message)
}

/// Mistakes in scripts, each with the line it is in.
pub(crate) fn render_scripts(
    mistakes: &[dialplan::LoadError],
    sources: &dialplan::Sources,
) -> String {
    let places: Vec<_> = mistakes.iter().map(|mistake| script_place(mistake, sources)).collect();
    render(&places)
}

/// Where a mistake in a script is.
pub(crate) fn script_place(mistake: &dialplan::LoadError, sources: &dialplan::Sources) -> Place {
    let name = mistake.file.strip_prefix("scripts/").unwrap_or(&mistake.file);
    place_in(mistake, sources.files.get(name).map(String::as_str))
}

/// A mistake in a file with this text, if that is known.
pub(crate) fn place_in(mistake: &dialplan::LoadError, text: Option<&str>) -> Place {
    let mut place = Place {
        severity: Severity::Error,
        file: mistake.file.clone(),
        text: Arc::default(),
        span: 0..0,
        message: mistake.message.clone(),
        label: String::new(),
        help: mistake.hint.clone(),
    };
    let (Some(text), Some(line)) = (text, mistake.line) else {
        return place;
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
    place.text = text.into();
    place.span = start..end.max(start);
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_shows_file_line_and_what_to_do() {
        let shown = render_one(
            &Place {
                severity: Severity::Error,
                file: "cordboard.toml".into(),
                text: "domain = \"x\"\nprot = 3\n".into(),
                span: 13..17,
                message: "unknown key `prot`".into(),
                label: "not known".into(),
                help: Some("did you mean `port`?".into()),
            },
            Colour::Plain,
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

    #[test]
    fn a_line_deep_in_a_file_is_shown_with_its_number() {
        let mut place = Place {
            severity: Severity::Error,
            file: "scripts/main.lua".into(),
            text: format!("{}  odd one\nlast", "x\n".repeat(41)).into(),
            span: 84..87,
            message: "odd".into(),
            label: String::new(),
            help: None,
        };
        let shown = render_one(&place, Colour::Plain);
        assert!(shown.contains("scripts/main.lua:42:3"), "{shown}");
        assert!(shown.contains(" 42 │   odd one") && !shown.contains("last"), "{shown}");
        place.text = "one\ntwo\n".into();
        place.span = 8..8;
        let shown = render_one(&place, Colour::Plain);
        assert!(shown.contains(" 2 │ two"), "{shown}");
    }

    #[test]
    fn a_line_that_nobody_can_read_is_not_shown() {
        let place = Place {
            severity: Severity::Warning,
            file: "scripts/main.lua".into(),
            text: format!("one\n{}", "x ".repeat(EXCERPT_BYTES_MAX)).into(),
            span: 104..105,
            message: "odd".into(),
            label: String::new(),
            help: Some("mend it".into()),
        };
        let shown = render_one(&place, Colour::Plain);
        assert_eq!(shown, "Warning: scripts/main.lua:2:101: odd (mend it)");
    }

    #[test]
    fn a_place_knows_its_line_and_its_column_in_characters() {
        let mut place = Place {
            severity: Severity::Warning,
            file: "scripts/main.lua".into(),
            text: "-- Grüße\nlocal ü = 1 x".into(),
            span: 24..25,
            message: "odd".into(),
            label: String::new(),
            help: None,
        };
        assert_eq!(place.line_and_column(), Some((2, 13)));
        assert!(render_one(&place, Colour::Plain).starts_with("Warning: odd"));
        place.text = Arc::default();
        place.help = Some("mend it".into());
        assert_eq!(place.line_and_column(), None);
        let shown = render_one(&place, Colour::Coloured);
        assert_eq!(shown, "Warning: scripts/main.lua: odd (mend it)");
    }
}
