//! From what happened to what is drawn.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "of methods, those that nobody would draw need not be named"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use bytes::Bytes;
use sip_syntax::{Message, Method};

use super::{label, length, news};
use crate::{Happening, Heard, Office, PartyId, Traffic, Way, What};

/// One line of a ladder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// Since the office opened.
    pub(super) at: Duration,
    pub(super) what: Drawn,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Drawn {
    Arrow {
        from: Place,
        to: Place,
        label: String,
        arrives: Arrival,
    },
    /// Words beside a column.
    Note {
        place: Place,
        text: String,
    },
    /// What stands above happened so many times more, for the last time then.
    Again {
        times: usize,
        until: Duration,
    },
}

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Party(PartyId),
    Exchange,
    /// An address where nobody is.
    Nowhere,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    Arrives,
    Lost,
}

/// Everything that is worth a line.
pub(super) fn rows(office: &Office) -> Vec<Row> {
    folded(rows_since(office, 0, |_| true).0)
}

/// The same rows with what goes round and round told only a few times.
fn folded(rows: Vec<Row>) -> Vec<Row> {
    let mut kept: Vec<Row> = Vec::with_capacity(rows.len());
    let mut index = 0;
    while let Some(row) = rows.get(index) {
        let Some((period, times)) = round(rows.get(index..).unwrap_or_default()) else {
            kept.push(row.clone());
            index += 1;
            continue;
        };
        let end = index + period * times;
        let shown = index + period * ROUNDS_SHOWN;
        kept.extend(rows.get(index..shown).into_iter().flatten().cloned());
        let last = rows.get(end - period).map(|row| row.at).unwrap_or_default();
        let what = Drawn::Again { times: times - ROUNDS_SHOWN, until: last };
        kept.push(Row { at: rows.get(shown).map(|row| row.at).unwrap_or_default(), what });
        index = end;
    }
    kept
}

/// How many rows the round has that begins here, and how often it is made, if that is worth folding.
fn round(rows: &[Row]) -> Option<(usize, usize)> {
    (1..=ROUND_MAX.min(rows.len() / ROUNDS_FOLDED)).find_map(|period| {
        let same = rows.iter().zip(rows.get(period..)?).take_while(|(a, b)| a.what == b.what);
        let times = same.count() / period + 1;
        (times >= ROUNDS_FOLDED).then_some((period, times))
    })
}

/// Everything that is worth a line and is to be shown, and which of it is the first since there were
/// so many happenings.
pub(super) fn rows_since(
    office: &Office,
    since: usize,
    is_shown: impl Fn(&Happening) -> bool,
) -> (Vec<Row>, usize) {
    let happenings = office.happenings();
    let mut writer = Writer {
        office,
        rows: Vec::new(),
        told: BTreeSet::new(),
        challenged: challenged(happenings),
        invites: BTreeSet::new(),
        hearing: BTreeMap::new(),
        repeated: None,
    };
    let mut first = None;
    for (index, happening) in happenings.iter().enumerate() {
        if index == since {
            // What was shown already does not change any more.
            writer.hearing.clear();
            first = Some(writer.rows.len());
        }
        if is_shown(happening) {
            let rest = happenings.get(index + 1..).unwrap_or_default();
            writer.write(happening, rest);
        }
    }
    let first = first.unwrap_or(writer.rows.len());
    (writer.rows, first)
}

/// Whether this party presses keys or speaks.
fn is_done_by(party: PartyId, happening: &Happening) -> bool {
    matches!(
        &happening.what,
        What::Presses { party: who, .. } | What::Says { party: who, .. } if *who == party
    )
}

struct Writer<'a> {
    office: &'a Office,
    rows: Vec<Row>,
    /// Messages that were drawn, to recognise repeats.
    told: BTreeSet<(Place, Bytes)>,
    challenged: BTreeSet<(PartyId, Bytes, u32)>,
    /// Branches of INVITEs.
    invites: BTreeSet<Bytes>,
    /// The last row of each party that says what it hears, while nothing came between.
    hearing: BTreeMap<PartyId, usize>,
    /// Who heard something last, what that was, and how often one after the other.
    repeated: Option<(PartyId, String, usize)>,
}

impl Writer<'_> {
    fn write(&mut self, happening: &Happening, rest: &[Happening]) {
        let at = happening.at;
        match &happening.what {
            What::Sip(traffic) => self.write_message(at, traffic),
            What::Hears { party, heard } => self.write_hearing(at, *party, heard.as_ref(), rest),
            What::Presses { party, keys } => self.note(at, *party, format!("presses {keys}")),
            What::Says { party, length: time } => {
                self.note(at, *party, format!("speaks for {}", length(*time)));
            }
            What::Party { party, does } => self.note(at, *party, (*does).to_owned()),
            What::Exchange(notice) => {
                if let Some(words) = news::words(notice) {
                    self.row(at, Place::Exchange, words);
                }
            }
            What::Asked(words) => self.row(at, Place::Exchange, format!("is asked {words}")),
            What::Answers(words) => self.row(at, Place::Exchange, format!("answers {words}")),
            What::Asks(words) => self.row(at, Place::Exchange, format!("asks {words}")),
            What::Gets(words) => self.row(at, Place::Exchange, format!("gets {words}")),
            What::Resolved { host, addresses } => {
                let found = match addresses.as_slice() {
                    [] => "cannot find".to_owned(),
                    _ => "finds".to_owned(),
                };
                self.row(at, Place::Exchange, format!("{found} {host}"));
            }
        }
    }

    fn write_message(&mut self, at: Instant, traffic: &Traffic) {
        let Some(message) = traffic.message() else {
            let text = "an unreadable message".to_owned();
            return self.arrow(at, traffic, text);
        };
        let place = traffic.party.map_or(Place::Nowhere, Place::Party);
        if self.is_part_of_a_challenge(traffic, &message) {
            return;
        }
        let Some(mut label) = label::label(&message) else {
            return self.write_registration(at, traffic, &message);
        };
        if let Message::Request(request) = &message
            && let Some(branch) = request.top_via().ok().and_then(|via| via.branch)
        {
            // The ACK of a refusal has the branch of its INVITE, and belongs to the refusal.
            match request.method() {
                Method::Invite => drop(self.invites.insert(branch)),
                Method::Ack if self.invites.contains(&branch) => return,
                _ => {}
            }
        }
        if !self.told.insert((place, traffic.bytes.clone())) {
            label.push_str(" again");
        }
        // Only what takes longer than its network always does.
        let usual = self.office.usual_delay(traffic.party) + Duration::from_millis(1);
        let slow = traffic.arrives.first().map(|then| then.saturating_duration_since(at));
        if let Some(slow) = slow.filter(|slow| *slow >= usual) {
            label.push_str(&format!(" (+{})", length(slow)));
        }
        if traffic.arrives.len() > 1 {
            label.push_str(" twice");
        }
        self.arrow(at, traffic, label);
    }

    /// Whether a request is asked for its proof and comes again, or is the asking.
    fn is_part_of_a_challenge(&self, traffic: &Traffic, message: &Message) -> bool {
        let Some(party) = traffic.party else { return false };
        let Some(key) = key(party, message) else { return false };
        if !self.challenged.contains(&key) {
            return false;
        }
        // The exchange counts its own requests of the same call from 1, too.
        match message {
            Message::Request(_) => traffic.way == Way::ToExchange,
            Message::Response(_) => label::is_challenge(message),
        }
    }

    /// Of a registration, only that it failed is worth a line.
    fn write_registration(&mut self, at: Instant, traffic: &Traffic, message: &Message) {
        if let (Some(party), Message::Response(response)) = (traffic.party, message)
            && response.cseq().is_ok_and(|cseq| cseq.method == Method::Register)
            && response.status().is_failure()
        {
            let words = String::from_utf8_lossy(response.reason()).into_owned();
            let status = response.status().as_u16();
            self.note(at, party, format!("cannot register: {status} {words}"));
        }
    }

    fn write_hearing(
        &mut self,
        at: Instant,
        party: PartyId,
        heard: Option<&Heard>,
        rest: &[Happening],
    ) {
        // Unless the party does something meanwhile: it may do so because of what it heard.
        let changes_at_once = rest
            .iter()
            .take_while(|next| next.at == at && !is_done_by(party, next))
            .any(|next| matches!(&next.what, What::Hears { party: other, .. } if *other == party));
        if changes_at_once {
            return;
        }
        let Some(heard) = heard else {
            // Between two things that are played one after the other there is part of a packet.
            let goes_on = |next: &Happening| matches!(&next.what, What::Hears { party: other, heard: Some(_) } if *other == party);
            let soon = rest.iter().take_while(|next| next.at < at + PACKET);
            if soon.into_iter().any(goes_on) {
                return;
            }
            let in_call = !self.ends_now(party, at);
            if in_call {
                self.note(at, party, "hears nothing".to_owned());
            }
            return;
        };
        let gaps = self.gaps(at, party, heard);
        let words = format!("{}{gaps}", self.office.words_for(heard));
        // What is heard one after the other, with nothing in between, stands in one note.
        if let Some(index) = self.hearing.get(&party).copied()
            && index + 1 == self.rows.len()
            && let Some(Row { what: Drawn::Note { text, .. }, .. }) = self.rows.get_mut(index)
        {
            match &mut self.repeated {
                Some((of, last, times)) if *of == party && *last == words => {
                    let before = repeated(&words, *times);
                    *times += 1;
                    text.truncate(text.len().saturating_sub(before.len()));
                    text.push_str(&repeated(&words, *times));
                }
                other => {
                    text.push_str(", ");
                    text.push_str(&words);
                    *other = Some((party, words, 1));
                }
            }
            return;
        }
        self.note(at, party, format!("hears {words}"));
        self.hearing.insert(party, self.rows.len() - 1);
        self.repeated = Some((party, words, 1));
    }

    /// How much of what a party hears from then on is lost on its way.
    fn gaps(&self, at: Instant, party: PartyId, heard: &Heard) -> String {
        let hearings = self.office.party(party).map(crate::Party::hearings).unwrap_or_default();
        let hearing = hearings.iter().rev().find(|own| own.since == at && own.heard == *heard);
        let Some(hearing) = hearing else { return String::new() };
        let missing = self.office.missing(party, hearing);
        if missing.is_zero() {
            return String::new();
        }
        format!(" ({} lost)", length(missing))
    }

    /// Whether the party is in no call any more at that moment, so that its silence says nothing.
    fn ends_now(&self, party: PartyId, at: Instant) -> bool {
        self.office.party(party).is_none_or(|party| {
            !party.calls().iter().any(|call| call.ended().is_none_or(|ended| ended.at > at))
        })
    }

    fn arrow(&mut self, at: Instant, traffic: &Traffic, label: String) {
        let party = traffic.party.map_or(Place::Nowhere, Place::Party);
        let (from, to) = match traffic.way {
            Way::ToExchange => (party, Place::Exchange),
            Way::FromExchange => (Place::Exchange, party),
        };
        let arrives = if traffic.arrives.is_empty() { Arrival::Lost } else { Arrival::Arrives };
        self.push(at, Drawn::Arrow { from, to, label, arrives });
    }

    fn note(&mut self, at: Instant, party: PartyId, text: String) {
        self.row(at, Place::Party(party), text);
    }

    fn row(&mut self, at: Instant, place: Place, text: String) {
        self.push(at, Drawn::Note { place, text });
    }

    fn push(&mut self, at: Instant, what: Drawn) {
        let at = at.saturating_duration_since(self.office.start());
        self.rows.push(Row { at, what });
    }
}

/// Something heard so many times.
fn repeated(words: &str, times: usize) -> String {
    if times == 1 { words.to_owned() } else { format!("{words} ({times} times)") }
}

/// Requests that were challenged and came again.
fn challenged(happenings: &[Happening]) -> BTreeSet<(PartyId, Bytes, u32)> {
    let mut asked = BTreeSet::new();
    let mut again = BTreeSet::new();
    for happening in happenings {
        let What::Sip(traffic) = &happening.what else { continue };
        let (Some(party), Some(message)) = (traffic.party, traffic.message()) else { continue };
        let Some((_, call_id, number)) = key(party, &message) else { continue };
        match &message {
            Message::Response(_) if label::is_challenge(&message) => {
                asked.insert((party, call_id, number));
            }
            Message::Request(request) if *request.method() != Method::Ack => {
                if let Some(before) = number.checked_sub(1)
                    && asked.contains(&(party, call_id.clone(), before))
                {
                    again.insert((party, call_id, before));
                }
            }
            Message::Request(_) | Message::Response(_) => {}
        }
    }
    again
}

fn key(party: PartyId, message: &Message) -> Option<(PartyId, Bytes, u32)> {
    let headers = message.headers();
    let number = headers.cseq().ok()?.number;
    Some((party, Bytes::copy_from_slice(headers.call_id()), number))
}

/// How much sound a packet holds.
const PACKET: Duration = Duration::from_millis(20);
/// A round that is made so often is folded,
const ROUNDS_FOLDED: usize = 4;
/// after it was shown so often.
const ROUNDS_SHOWN: usize = 2;
/// Rows of the longest round.
const ROUND_MAX: usize = 12;
