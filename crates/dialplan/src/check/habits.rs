//! What those who come from another exchange or another language write, and what it is here.

/// Words of other exchanges that are not like ours, in lower case, and what to write.
const HABITS: &[(&str, &str)] = &[
    ("authenticate", "call:read, and if"),
    ("background", "call:menu or call:read"),
    ("bridge", "call:dial or call:bridge"),
    ("congestion", "call:hangup(\"congestion\")"),
    ("get_digits", "call:read"),
    ("getdigits", "call:read"),
    ("gosub", "a function"),
    ("goto", "call:go"),
    ("gotoif", "if ... then ... end"),
    ("macro", "a function"),
    ("noop", "log.info"),
    ("play_and_get_digits", "call:read"),
    ("playandgetdigits", "call:read"),
    ("playback", "call:play"),
    ("playtones", "call:play(\"tone:440\")"),
    ("prompt", "call:read or call:play"),
    ("saydigits", "call:say(..., { as = \"digits\" })"),
    ("saynumber", "call:say"),
    ("set", "call.vars"),
    ("set_variable", "call.vars"),
    ("setvariable", "call.vars"),
    ("stream", "call:play"),
    ("streamfile", "call:play"),
    ("verbose", "log.info"),
    ("voicemailmain", "call:mailbox"),
    ("wait", "call:sleep"),
    ("waitexten", "call:read or call:menu"),
];

/// Globals of other languages and exchanges, and what to write.
const GLOBALS: &[(&str, &str)] = &[
    ("None", "write nil"),
    ("NULL", "write nil"),
    ("null", "write nil"),
    ("undefined", "write nil"),
    ("True", "write true"),
    ("TRUE", "write true"),
    ("False", "write false"),
    ("FALSE", "write false"),
    ("console", "write log.info"),
    ("this", "write call"),
    ("io", "scripts reach no files; db and shared keep things"),
    ("session", "for scripts of FreeSWITCH there is require \"compat.freeswitch\""),
    ("freeswitch", "for scripts of FreeSWITCH there is require \"compat.freeswitch\""),
    ("channel", "write call.vars for values, and call for the rest"),
    ("app", "a verb is a method of the call, such as call:play"),
    ("extensions", "a number is a route: route(\"101\", function(call) ... end)"),
];

/// What to write for a verb or application of another name.
pub(super) fn verb(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    HABITS.iter().find(|(word, _)| *word == name).map(|(_, ours)| *ours)
}

/// What to do about a global that is not there, such as `null` or `Playback`.
pub(super) fn global(name: &str) -> Option<String> {
    if let Some((_, help)) = GLOBALS.iter().find(|(word, _)| *word == name) {
        return Some((*help).to_owned());
    }
    let ours = verb(name);
    let same = || {
        let lower = name.to_ascii_lowercase();
        crate::verbs::verb_spec(&lower).map(|spec| format!("call:{}", spec.name))
    };
    ours.map(str::to_owned).or_else(same).map(|ours| format!("write {ours}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_common_elsewhere_is_known() {
        assert_eq!(global("Answer").as_deref(), Some("write call:answer"));
        assert_eq!(global("Playback").as_deref(), Some("write call:play"));
        assert_eq!(global("null").as_deref(), Some("write nil"));
        assert_eq!(global("whatever"), None);
        assert!(HABITS.is_sorted());
    }
}
