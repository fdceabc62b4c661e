//! What parties hear.

mod sought;

use std::ops::RangeInclusive;
use std::time::Duration;

use bench::{Heard, Hearing, Office, PartyId};
use mlua::{Lua, Value};

use super::expect::seconds;
use super::held;
use super::party::Party;
use crate::given::Given;
use crate::session::Problem;
use crate::show::{describe, show};
use sought::{Sought, read_sequence};

pub(super) fn hears(party: &Party, given: &Given) -> Result<(), Problem> {
    let what = given.value("what");
    let sought = read_sequence(party, &what)?;
    let within = given.seconds("within")?.unwrap_or_default();
    let wholly = given.flag("wholly")? == Some(true);
    let (id, from) = (party.id, party.session.marks(party.id).heard);
    let mut found = None;
    let mut begun = None;
    loop {
        let mut heard = 0;
        party.session.until(within, |office| {
            let hearings = office.party(id).map(bench::Party::hearings).unwrap_or_default();
            let gets_through = |hearing: &Hearing| gets_through(office, id, hearing);
            found = find(hearings, from, &sought, &gets_through);
            heard = hearings.len();
            match &found {
                Some(found) if wholly => {
                    hearings.get(*found.end()).is_none_or(|hearing| hearing.until.is_some())
                }
                found => found.is_some(),
            }
        })?;
        // The rest of a row has as much time again, as long as it comes nearer.
        let comes = party.look(|_, party| has_begun(party.hearings(), from, &sought))?;
        if found.is_some() || !comes || begun.replace(heard) == Some(heard) {
            break;
        }
    }
    let gaps = match (&found, wholly) {
        (Some(found), true) => party.look(|office, _| gaps(office, id, found.clone()))?,
        (Some(_) | None, _) => None,
    };
    match found {
        Some(found) if gaps.is_none() => {
            party.session.mark(id, |marks| marks.heard = found.end() + 1);
            Ok(())
        }
        Some(_) | None => Err(Problem::Unmet {
            expected: format!(
                "{} to hear {}{} within {} s",
                party.name(),
                if gaps.is_some() { "all of " } else { "" },
                in_words(party, &what),
                within.as_secs_f64()
            ),
            instead: match gaps {
                Some(gaps) => gaps,
                None => all_it_heard(party, from)?,
            },
        }),
    }
}

/// Whether enough of the beginning gets through to tell what is heard: half of the first second, or of
/// all of it if that is shorter.
fn gets_through(office: &Office, listener: PartyId, hearing: &Hearing) -> bool {
    let lasts = hearing.until.map(|until| until.saturating_duration_since(hearing.since));
    let lasts = lasts.map_or(BEGINNING, |lasts| lasts.min(BEGINNING));
    let missing = office.missing_at_first(listener, hearing, BEGINNING);
    missing.is_zero() || missing * 2 <= lasts
}

/// What is missing of what was heard, in words, if it is too much for having heard it wholly.
fn gaps(office: &Office, listener: PartyId, found: RangeInclusive<usize>) -> Option<String> {
    let hearings = office.party(listener)?.hearings().get(found)?;
    let length = |hearing: &Hearing| {
        hearing.until.unwrap_or(office.now()).saturating_duration_since(hearing.since)
    };
    let whole: Duration = hearings.iter().map(length).sum();
    let missing: Duration = hearings.iter().map(|own| office.missing(listener, own)).sum();
    (missing * WHOLE_PARTS > whole).then(|| {
        let (missing, whole) = (missing.as_secs_f64(), whole.as_secs_f64());
        format!("it heard it with gaps: {missing:.1} of {whole:.1} s got lost in the network")
    })
}

/// The first place where all that is sought comes one after the other, from its first entry to its
/// last; each of them `gets_through`.
fn find(
    hearings: &[Hearing],
    from: usize,
    sought: &[Sought],
    gets_through: &impl Fn(&Hearing) -> bool,
) -> Option<RangeInclusive<usize>> {
    // What goes on by itself may be found again as long as it lasts.
    let current = hearings.last().filter(|last| last.until.is_none() && goes_on(&last.heard));
    if let ([only], Some(current)) = (sought, current)
        && only.fits(&current.heard)
        && gets_through(current)
    {
        return Some(hearings.len() - 1..=hearings.len() - 1);
    }
    (from..hearings.len()).find_map(|start| {
        let mut at = start;
        let mut last = None;
        for one in sought {
            if *one != Sought::Silence {
                while last.is_some() && hearings.get(at)?.heard == Heard::Silence {
                    at += 1;
                }
            }
            let hearing = hearings.get(at)?;
            if !one.fits(&hearing.heard) || !gets_through(hearing) {
                return None;
            }
            last = Some(at);
            at += 1;
        }
        last.map(|last| start..=last)
    })
}

/// Whether a row of things is being heard whose beginning is what was sought.
fn has_begun(hearings: &[Hearing], from: usize, sought: &[Sought]) -> bool {
    (from..hearings.len()).any(|start| {
        let heard = hearings.get(start..).unwrap_or_default().iter();
        let mut heard = heard.filter(|hearing| hearing.heard != Heard::Silence);
        let mut sought = sought.iter().filter(|one| **one != Sought::Silence);
        heard.all(|hearing| sought.next().is_some_and(|one| one.fits(&hearing.heard)))
    })
}

/// Whether something has no end of its own: a party's microphone, music, ringing.
fn goes_on(heard: &Heard) -> bool {
    match heard {
        Heard::Party(_) | Heard::Itself | Heard::Ringing => true,
        Heard::Prompt(name) => name.starts_with("music/"),
        Heard::Tone(name) => name.contains('/') || &**name == "ringback",
        Heard::Silence | Heard::Recording(_) | Heard::Speech(_) | Heard::Key(_) => false,
    }
}

pub(super) fn hears_nothing(party: &Party, given: &Given) -> Result<(), Problem> {
    let time = given.seconds("seconds")?.unwrap_or_default();
    let id = party.id;
    let is_something = |hearing: &Hearing| hearing.heard != Heard::Silence;
    let mut heard = None;
    party.session.until(time, |office| {
        let party = office.party(id);
        heard = party
            .and_then(bench::Party::hears)
            .filter(|hearing| is_something(hearing))
            .map(|hearing| name_of(office, &hearing.heard));
        heard.is_some()
    })?;
    match heard {
        None => Ok(()),
        Some(heard) => {
            let now = party.look(|office, _| office.elapsed())?;
            Err(Problem::Unmet {
                expected: format!("{} to hear nothing for {} s", party.name(), time.as_secs_f64()),
                instead: format!("it heard {heard} at {}", seconds(now)),
            })
        }
    }
}

pub(super) fn talks_to(party: &Party, given: &Given) -> Result<(), Problem> {
    let other = given.value("other");
    let Some(other) = held::<Party>(&other) else {
        return Err(Problem::Misuse(format!("other must be a party, got {}", describe(&other))));
    };
    let within = given.seconds("within")?.unwrap_or_default();
    let (one, two) = (party.id, other.id);
    let hears = |office: &Office, listener: PartyId, speaker: PartyId| {
        let hearing = office.party(listener).and_then(bench::Party::hears);
        hearing.is_some_and(|hearing| {
            hearing.heard == Heard::Party(speaker) && gets_through(office, listener, hearing)
        })
    };
    let came =
        party.session.until(within, |office| hears(office, one, two) && hears(office, two, one))?;
    if came {
        return Ok(());
    }
    let (name, other_name) = (party.name(), other.name());
    let state = |party: &Party, name: &str| {
        party.look(|office, party| match party.hears() {
            Some(hearing) => format!("{name} hears {}", name_of(office, &hearing.heard)),
            None if party.is_free() => match party.call().and_then(bench::PartyCall::ended) {
                Some(ended) => format!("{name}'s call {}", how_it_ended(office, ended)),
                None => format!("{name} is in no call"),
            },
            None => format!("{name} hears nothing"),
        })
    };
    Err(Problem::Unmet {
        expected: format!(
            "{name} and {other_name} to hear each other within {} s",
            within.as_secs_f64()
        ),
        instead: format!("{}, {}", state(party, &name)?, state(&other, &other_name)?),
    })
}

/// All that a party heard, as a list of tables.
pub(super) fn heard(lua: &Lua, party: &Party) -> Result<Value, Problem> {
    let all = party.look(|office, party| {
        let at =
            |time: std::time::Instant| time.saturating_duration_since(office.start()).as_secs_f64();
        let entries = party.hearings().iter().map(|hearing| {
            let plain = match &hearing.heard {
                Heard::Prompt(name) | Heard::Tone(name) | Heard::Speech(name) => name.to_string(),
                Heard::Silence
                | Heard::Party(_)
                | Heard::Itself
                | Heard::Recording(_)
                | Heard::Key(_)
                | Heard::Ringing => name_of(office, &hearing.heard),
            };
            let lost = office.missing(party.id(), hearing).as_secs_f64();
            (plain, at(hearing.since), hearing.until.map(at), lost)
        });
        entries.collect::<Vec<_>>()
    })?;
    let list = lua.create_table()?;
    for (what, from, to, lost) in all {
        let entry = lua.create_table()?;
        entry.raw_set("what", what)?;
        entry.raw_set("from", from)?;
        entry.raw_set("to", to)?;
        entry.raw_set("lost", lost)?;
        list.raw_push(entry)?;
    }
    Ok(Value::Table(list))
}

/// What was heard, in words.
fn name_of(office: &Office, heard: &Heard) -> String {
    let name = |party: &PartyId| {
        office.party(*party).map(|party| party.name().to_owned()).unwrap_or_default()
    };
    match heard {
        Heard::Prompt(prompt) => format!("\"{prompt}\""),
        Heard::Tone(tone) if tone.starts_with("tone:") => format!("\"{tone}\""),
        Heard::Tone(tone) => format!("the tone \"{tone}\""),
        Heard::Silence => "a silence".to_owned(),
        Heard::Party(party) => name(party),
        Heard::Itself => "itself".to_owned(),
        Heard::Recording(Some(speaker)) => format!("a recording of {}", name(speaker)),
        Heard::Recording(None) => "a recording".to_owned(),
        Heard::Speech(text) => format!("the words \"{text}\""),
        Heard::Key(key) => format!("the key {key}"),
        Heard::Ringing => "ringing".to_owned(),
    }
}

/// What a party heard after what was found before, in words: a line for each.
fn all_it_heard(party: &Party, from: usize) -> Result<String, Problem> {
    party.look(|office, party| {
        let at = |time: std::time::Instant| {
            format!("{:.3}", time.saturating_duration_since(office.start()).as_secs_f64())
        };
        let hearings = party.hearings().get(from..).unwrap_or_default();
        let lasting = |hearing: &&Hearing| hearing.until != Some(hearing.since);
        // The same thing over and over is one line.
        let mut groups: Vec<Vec<&Hearing>> = Vec::new();
        for hearing in hearings.iter().filter(lasting) {
            match groups.last_mut() {
                Some(group) if group.last().is_some_and(|last| last.heard == hearing.heard) => {
                    group.push(hearing);
                }
                Some(_) | None => groups.push(vec![hearing]),
            }
        }
        let skipped = groups.len().saturating_sub(HEARD_MAX);
        let after = if from > 0 { " after what was found before" } else { "" };
        let mut told = match groups.len() {
            0 => format!("it heard nothing{after}"),
            _ => format!("it heard{after}:"),
        };
        if skipped > 0 {
            told.push_str(&format!("\n  {skipped} things, and then"));
        }
        for group in groups.iter().skip(skipped) {
            let (Some(first), Some(last)) = (group.first(), group.last()) else { continue };
            let (name, since) = (name_of(office, &first.heard), at(first.since));
            match last.until {
                Some(until) => told.push_str(&format!("\n  {since} to {} s  {name}", at(until))),
                None => told.push_str(&format!("\n  since {since} s  {name}")),
            }
            if group.len() > 1 {
                told.push_str(&format!(", {} times", group.len()));
            }
            let lost: Duration = group.iter().map(|own| office.missing(party.id(), own)).sum();
            if !lost.is_zero() {
                told.push_str(&format!(", {:.1} s of it lost", lost.as_secs_f64()));
            }
        }
        if let Some(ended) = party.call().and_then(bench::PartyCall::ended) {
            told.push_str(&format!("\nits call {}", how_it_ended(office, ended)));
        } else if party.is_free() {
            told.push_str("\nit is in no call");
        }
        told
    })
}

/// When and how a call ended, in words.
fn how_it_ended(office: &Office, ended: &bench::Ended) -> String {
    let status = ended.status.map(|status| format!(" with {status}")).unwrap_or_default();
    let at = ended.at.saturating_duration_since(office.start()).as_secs_f64();
    // A script that ends a call leaves a record of it.
    let had_script = office
        .notices()
        .any(|(at, notice)| at == ended.at && matches!(notice, pbx::Notice::CallOver(_)));
    let why = match ended.status {
        Some(404) if !had_script => ": no route is for that number",
        Some(484) if !had_script => ": routes are for longer numbers that begin so",
        Some(_) | None => "",
    };
    format!("ended at {at:.3} s{status}{why}")
}

/// What a test wants to be heard, in words.
fn in_words(party: &Party, what: &Value) -> String {
    match held::<Party>(what) {
        Some(other) if other.id == party.id => "itself".to_owned(),
        Some(other) => other.name(),
        None => show(what),
    }
}

/// What is heard can be told by its beginning, if enough of that gets through.
const BEGINNING: Duration = Duration::from_secs(1);
/// Heard wholly is what misses no more than one of so many parts.
const WHOLE_PARTS: u32 = 10;
/// Entries of what a party heard that a failure shows, the last ones.
const HEARD_MAX: usize = 12;
