//! The tree for programs.
//!
//! ```json
//! { "from": "101", "to": "0", "at": "2026-11-22T03:00:00+01:00[Europe/Berlin]",
//!   "caller": "an account", "ways": 7, "notes": [],
//!   "routes": [{ "pattern": "0", "file": "scripts/menu.lua", "line": 3, "public": false }],
//!   "tree": NODE, "subject": "call",
//!   "calls": [{ "target": "ext/100", "file": "scripts/menu.lua", "line": 9, "tree": NODE }] }
//! ```
//!
//! `subject` is `call`, `schedule` or `webhook`; `calls` are those that the script begins by itself.
//!
//! A node is `{"steps": [STEP...], "then": NEXT}`. A step is one of
//!
//! - `{"verb", "file", "line", "words", "more", "sounds": [{"name", "text", "seconds"}],
//!   "rings": [{"target", "round", "after", "seconds", "problem"}]}`,
//! - `{"repeated": [STEP...], "times": 20}`.
//!
//! What follows is one of
//!
//! - `{"end": {"how", "code", "or": [CODE...], "cause", "words", "afterwards": [STEP...]}}`, where
//!   `how` is `bye`, `refused`, `redirected`, `caller_hangs_up`, `fault` or `returned`,
//! - `{"choice": {"file", "line", "alternatives": [{"answers": ["busy", ...], "then": NODE}]}}`,
//! - `{"again": {"file", "line", "times": 3, "then": NODE}}`: the choice of that line comes again, so
//!   often in all (`null`: for ever), and then that follows (`null`: nothing),
//! - `{"cut": "why it was not followed"}`.
//!
//! What is not known is `null`. Words are for people and may change; everything else stays.

use serde_json::{Value, json};

use crate::tree::{Begun, Did, End, Explanation, How, Next, Node, Place, Step, Subject};

impl Explanation {
    /// The same for programs; the structure is documented in `scripts/README.md`.
    pub fn to_json(&self) -> Value {
        let routes = self.routes.iter().map(|route| {
            json!({
                "pattern": route.pattern,
                "file": route.place.file,
                "line": route.place.line,
                "public": route.public,
            })
        });
        json!({
            "from": self.from,
            "to": self.to,
            "at": self.at,
            "caller": self.caller,
            "routes": routes.collect::<Vec<_>>(),
            "tree": node(&self.tree),
            "notes": self.notes,
            "ways": self.ways,
            "subject": match self.subject {
                Subject::Call => "call",
                Subject::Schedule => "schedule",
                Subject::Webhook => "webhook",
            },
            "calls": self.calls.iter().map(begun).collect::<Vec<_>>(),
        })
    }
}

fn begun(begun: &Begun) -> Value {
    let (file, line) = place(begun.place.as_ref());
    json!({ "target": begun.target, "file": file, "line": line, "tree": node(&begun.tree) })
}

fn node(node: &Node) -> Value {
    json!({ "steps": steps(&node.steps), "then": next(&node.next) })
}

fn steps(all: &[Step]) -> Vec<Value> {
    all.iter()
        .map(|step| match step {
            Step::Did(done) => did(done),
            Step::Repeated { steps: repeated, times } => {
                json!({ "repeated": steps(repeated), "times": times })
            }
        })
        .collect()
}

fn did(did: &Did) -> Value {
    let (file, line) = place(did.place.as_ref());
    let sounds = did.sounds.iter().map(|sound| {
        json!({
            "name": sound.name,
            "text": sound.text,
            "seconds": sound.length.map(|length| length.as_secs_f64()),
        })
    });
    let rings = did.rings.iter().map(|ring| {
        json!({
            "target": ring.target,
            "round": ring.round,
            "after": ring.after.as_secs_f64(),
            "seconds": ring.length.as_secs_f64(),
            "problem": ring.problem,
        })
    });
    json!({
        "verb": did.verb,
        "file": file,
        "line": line,
        "words": did.words,
        "more": did.more,
        "sounds": sounds.collect::<Vec<_>>(),
        "rings": rings.collect::<Vec<_>>(),
    })
}

fn next(next: &Next) -> Value {
    match next {
        Next::End(end) => json!({ "end": ending(end) }),
        Next::Choice(choice) => {
            let (file, line) = place(choice.place.as_ref());
            let alternatives = choice.alternatives.iter().map(|alternative| {
                json!({ "answers": alternative.answers, "then": node(&alternative.then) })
            });
            let alternatives: Vec<_> = alternatives.collect();
            json!({ "choice": { "file": file, "line": line, "alternatives": alternatives } })
        }
        Next::Again(again) => {
            let (file, line) = place(again.place.as_ref());
            let then = again.then.as_deref().map(node);
            json!({ "again": { "file": file, "line": line, "times": again.times, "then": then } })
        }
        Next::Cut(why) => json!({ "cut": why }),
    }
}

fn ending(end: &End) -> Value {
    let how = match end.how {
        How::Bye => "bye",
        How::Refused => "refused",
        How::Redirected => "redirected",
        How::CallerHangsUp => "caller_hangs_up",
        How::Fault => "fault",
        How::Returned => "returned",
    };
    json!({
        "how": how,
        "code": end.code,
        "or": end.or,
        "cause": end.cause,
        "words": end.words,
        "afterwards": steps(&end.after),
    })
}

fn place(place: Option<&Place>) -> (Option<&str>, Option<u32>) {
    match place {
        Some(place) => (Some(&place.file), Some(place.line)),
        None => (None, None),
    }
}
