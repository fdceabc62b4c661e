//! From rows to text.

use std::collections::BTreeMap;
use std::time::Duration;

use super::clock;
use super::rows::{Arrival, Drawn, Place, Row};
use crate::Office;

/// The ladder as text; every line ends with a line feed.
pub(super) fn draw(office: &Office, rows: &[Row]) -> String {
    let mut out = String::new();
    let wall = office.wall_at_start();
    out.push_str(&format!("Begins {}.\n", wall.strftime("%A, %Y-%m-%d %H:%M:%S")));
    let columns = Columns::of(office, rows);
    match columns {
        Some(columns) if !columns.at.is_empty() => columns.draw(rows, &mut out),
        Some(_) => out.push_str("Nothing happened.\n"),
        None => write_lines(office, rows, &mut out),
    }
    out
}

/// The names of the columns, and the rows from `first` on.
pub(super) fn draw_since(office: &Office, rows: &[Row], first: usize) -> (String, String) {
    let news = rows.get(first..).unwrap_or_default();
    let (mut heads, mut lines) = (String::new(), String::new());
    match Columns::of(office, rows) {
        Some(columns) if !columns.at.is_empty() => {
            columns.draw_heads(&mut heads);
            columns.draw_rows(news, &mut lines);
        }
        Some(_) => {}
        None => write_lines(office, news, &mut lines),
    }
    (heads, lines)
}

/// Where each column stands.
struct Columns {
    at: BTreeMap<Place, usize>,
    names: Vec<(usize, String)>,
}

impl Columns {
    /// Callers to the left of the exchange, in the order of their first line; the others to the right.
    /// `None` if there are too many for the page.
    fn of(office: &Office, rows: &[Row]) -> Option<Self> {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        for row in rows {
            let (place, calls) = match &row.what {
                Drawn::Arrow { from: Place::Exchange, to, .. } => (*to, false),
                Drawn::Arrow { from, .. } => (*from, true),
                Drawn::Note { place, .. } => (*place, true),
                Drawn::Again { .. } => continue,
            };
            if place == Place::Exchange || left.contains(&place) || right.contains(&place) {
                continue;
            }
            if calls { left.push(place) } else { right.push(place) }
        }
        if rows.is_empty() {
            return Some(Self { at: BTreeMap::new(), names: Vec::new() });
        }
        let places: Vec<Place> = left.into_iter().chain([Place::Exchange]).chain(right).collect();
        let step = (WIDTH - FIRST - LAST) / (places.len() - 1).max(1);
        let step = step.min(STEP_MAX);
        if step < STEP_MIN {
            return None;
        }
        let at: BTreeMap<Place, usize> = places
            .iter()
            .enumerate()
            .map(|(index, place)| (*place, FIRST + index * step))
            .collect();
        let names = places
            .iter()
            .filter_map(|place| {
                Some((*at.get(place)?, shortened(&name_of(office, *place), step - 1)))
            })
            .collect();
        Some(Self { at, names })
    }

    fn draw(&self, rows: &[Row], out: &mut String) {
        self.draw_heads(out);
        self.draw_rows(rows, out);
    }

    fn draw_heads(&self, out: &mut String) {
        let mut head = Line::new();
        for (at, name) in &self.names {
            let from = at.saturating_sub(name.chars().count() / 2);
            head.write(from.max(GUTTER), name);
        }
        out.push_str(&head.finish());
    }

    fn draw_rows(&self, rows: &[Row], out: &mut String) {
        let mut last = None;
        let mut index = 0;
        while let Some(row) = rows.get(index) {
            let time = if last == Some(row.at) { String::new() } else { clock(row.at) };
            last = Some(row.at);
            index += 1;
            let mut line = self.line(&time);
            match &row.what {
                Drawn::Arrow { from, to, label, arrives } => {
                    self.draw_arrow(&mut line, (*from, *to), label, *arrives);
                    out.push_str(&line.finish());
                }
                Drawn::Again { times, until } => {
                    line.write(FIRST + 2, &again(*times, *until));
                    out.push_str(&line.finish());
                }
                Drawn::Note { place, text } => {
                    let more = self.draw_note(&mut line, *place, text);
                    // Others to whom something happens at that moment, as far as there is room.
                    while let Some(Row { at, what: Drawn::Note { place, text } }) = rows.get(index)
                        && *at == row.at
                        && more.is_empty()
                        && self.fits(&line, *place, text)
                    {
                        self.draw_note(&mut line, *place, text);
                        index += 1;
                    }
                    out.push_str(&line.finish());
                    for (from, text) in more {
                        let mut line = self.line("");
                        line.write(from, &text);
                        out.push_str(&line.finish());
                    }
                }
            }
        }
    }

    /// A line with nothing but its time and the columns.
    fn line(&self, time: &str) -> Line {
        let mut line = Line::new();
        line.write((GUTTER - 2).saturating_sub(time.len()), time);
        for at in self.at.values() {
            line.write(*at, "│");
        }
        line
    }

    fn draw_arrow(
        &self,
        line: &mut Line,
        (from, to): (Place, Place),
        label: &str,
        arrives: Arrival,
    ) {
        let (Some(from), Some(to)) = (self.at.get(&from).copied(), self.at.get(&to).copied())
        else {
            return;
        };
        let (start, end) = (from.min(to) + 1, from.max(to));
        let room = end.saturating_sub(start);
        for at in start..end {
            line.write(at, "─");
        }
        let lost = arrives == Arrival::Lost;
        match (from < to, lost) {
            (true, false) => line.write(end - 1, ">"),
            (false, false) => line.write(start, "<"),
            (true, true) => line.write(end - 2, "x "),
            (false, true) => line.write(start, " x"),
        }
        let label = if lost { format!("{label}, lost") } else { label.to_owned() };
        let length = label.chars().count();
        if length + 6 <= room {
            let padded = format!(" {label} ");
            line.write(start + (room - length - 2) / 2, &padded);
        } else if end + 2 + length <= WIDTH {
            line.write(end + 1, &format!(" {label} "));
        } else {
            // Before the arrow, if there is room; over it, if not.
            let before = start.saturating_sub(length + 3);
            if before >= GUTTER {
                line.write(before, &format!(" {label} "));
            } else {
                line.write(start + 1, &format!(" {} ", shortened(&label, room.saturating_sub(5))));
            }
        }
    }

    /// Writes a note beside its column; gives back the lines that did not fit, with their places.
    fn draw_note(&self, line: &mut Line, place: Place, text: &str) -> Vec<(usize, String)> {
        let Some((from, room)) = self.note_place(place, text) else { return Vec::new() };
        let mut lines = wrapped(text, room).into_iter();
        let first = lines.next().unwrap_or_default();
        // Beside the last column, words end at it.
        let shift = |text: &str| match self.at.get(&place) {
            Some(at) if from < *at => at.saturating_sub(text.chars().count() + 1),
            Some(_) | None => from,
        };
        line.write(shift(&first), &first);
        lines.map(|text| (shift(&text), text)).collect()
    }

    /// Where a note begins and how long its lines may be: to the right, or before the column if there
    /// is more room.
    fn note_place(&self, place: Place, text: &str) -> Option<(usize, usize)> {
        let at = *self.at.get(&place)?;
        let (from, room) = (at + 2, WIDTH.saturating_sub(at + 2));
        if room >= text.chars().count().min(NOTE_ROOM) {
            return Some((from, room));
        }
        let room = at.saturating_sub(GUTTER + 1);
        Some((GUTTER, room))
    }

    /// Whether a whole note fits into what is still empty of a line.
    fn fits(&self, line: &Line, place: Place, text: &str) -> bool {
        let Some((from, room)) = self.note_place(place, text) else { return false };
        let length = text.chars().count();
        let from = match self.at.get(&place) {
            Some(at) if from < *at => at.saturating_sub(length + 1),
            Some(_) | None => from,
        };
        length <= room && line.is_free(from, length)
    }
}

/// One line of characters.
struct Line(Vec<char>);

impl Line {
    fn new() -> Self {
        Self(Vec::with_capacity(WIDTH))
    }

    fn write(&mut self, at: usize, text: &str) {
        for (index, letter) in text.chars().enumerate() {
            let place = at + index;
            if self.0.len() <= place {
                self.0.resize(place + 1, ' ');
            }
            if let Some(old) = self.0.get_mut(place) {
                *old = letter;
            }
        }
    }

    /// Whether nothing but columns stands there, and a letter before and after.
    fn is_free(&self, at: usize, length: usize) -> bool {
        let around = at.saturating_sub(1)..at + length + 1;
        around
            .into_iter()
            .all(|place| self.0.get(place).is_none_or(|letter| " │".contains(*letter)))
    }

    fn finish(self) -> String {
        let text: String = self.0.into_iter().collect();
        format!("{}\n", text.trim_end())
    }
}

/// One line for each row, when there are too many columns.
fn write_lines(office: &Office, rows: &[Row], out: &mut String) {
    for row in rows {
        let time = clock(row.at);
        let text = match &row.what {
            Drawn::Arrow { from, to, label, arrives } => {
                let lost = if *arrives == Arrival::Lost { ", lost" } else { "" };
                let (from, to) = (name_of(office, *from), name_of(office, *to));
                format!("{from} -> {to}: {label}{lost}")
            }
            Drawn::Note { place, text } => format!("{} {text}", name_of(office, *place)),
            Drawn::Again { times, until } => again(*times, *until),
        };
        out.push_str(&format!("{time:>width$}  {text}\n", width = GUTTER - 2));
    }
}

/// What stands in the place of what is not drawn again.
fn again(times: usize, until: Duration) -> String {
    let times = if times == 1 { "once".to_owned() } else { format!("{times} times") };
    format!("⋮ the same {times} more, for the last time at {}", clock(until))
}

fn name_of(office: &Office, place: Place) -> String {
    match place {
        Place::Party(id) => office.party(id).map_or("somebody", |party| party.name()).to_owned(),
        Place::Exchange => "exchange".to_owned(),
        Place::Nowhere => "nobody".to_owned(),
    }
}

fn shortened(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(room.saturating_sub(2)).collect();
    short.push_str("..");
    short
}

/// Cut between words into lines of this length; a longer word is cut.
fn wrapped(text: &str, room: usize) -> Vec<String> {
    let room = room.max(8);
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let word = shortened(word, room);
        let Some(line) = lines.last_mut() else { break };
        let needed = line.chars().count() + 1 + word.chars().count();
        if line.is_empty() {
            line.push_str(&word);
        } else if needed <= room {
            line.push(' ');
            line.push_str(&word);
        } else {
            lines.push(word);
        }
    }
    lines
}

/// Longest line.
const WIDTH: usize = 100;
/// Before the first column: the time.
const GUTTER: usize = 10;
/// The first column.
const FIRST: usize = 13;
/// Room after the last column.
const LAST: usize = 12;
/// Columns are not further apart than this,
const STEP_MAX: usize = 30;
/// nor nearer.
const STEP_MIN: usize = 9;
/// Room that a note beside a column is content with.
const NOTE_ROOM: usize = 24;
