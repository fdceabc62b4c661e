//! What can be found, each with a name for good: people write it into comments.

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Certainly or probably not what was meant, but the scripts run.
    Warning,
    /// Cannot work. The scripts are not loaded.
    Error,
}

/// What sort of mistake it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Code(&'static Row);

/// What is known of a sort of mistake.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    name: &'static str,
    severity: Severity,
    doc: &'static str,
}

impl Code {
    /// Its name, as in `-- check: allow unknown-global`.
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// How much it matters.
    pub fn severity(self) -> Severity {
        self.0.severity
    }

    /// What it means, in one sentence.
    pub fn doc(self) -> &'static str {
        self.0.doc
    }

    /// Finds a code by its name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.name() == name)
    }
}

/// Makes a constant for each code, and the list of all.
macro_rules! codes {
    ($($constant:ident $severity:ident $name:literal $doc:literal)*) => {
        impl Code {
            $(
                #[doc = $doc]
                pub const $constant: Self =
                    Self(&Row { name: $name, severity: Severity::$severity, doc: $doc });
            )*

            /// All of them, errors first.
            pub const ALL: &'static [Self] = &[$(Self::$constant),*];
        }
    };
}

codes! {
    SYNTAX Error "syntax"
        "The file is not Lua."
    UNKNOWN_VERB Error "unknown-verb"
        "There is no such method of the call."
    UNKNOWN_FUNCTION Error "unknown-function"
        "Something is called, or reached into, that neither a library nor a script provides."
    UNKNOWN_OPTION Error "unknown-option"
        "A function has no option of that name."
    UNKNOWN_WORD Error "unknown-word"
        "An option takes one of some words, and this is none of them."
    MISSING_ARGUMENT Error "missing-argument"
        "A function is called without something it needs."
    TOO_MANY_ARGUMENTS Error "too-many-arguments"
        "A function is called with more than it takes."
    WRONG_TYPE Error "wrong-type"
        "A function is given another sort of value than it takes."
    WRONG_VALUE Error "wrong-value"
        "A number out of range, or a text that does not say what it should."
    COLON Error "colon"
        "A verb is called with a dot, or a library with a colon."
    READ_ONLY Error "read-only"
        "A value of the call or of a library is set, which cannot be."
    MISSING_PROMPT Error "missing-prompt"
        "There is no prompt of that name."
    BROKEN_PROMPT Error "broken-prompt"
        "The sound file of that name cannot be played."
    NO_SPEECH Error "no-speech"
        "A text is to be spoken, and the configuration names nothing that speaks."
    UNKNOWN_EXTENSION Error "unknown-extension"
        "No account of that name is configured."
    UNKNOWN_MAILBOX Error "unknown-mailbox"
        "No mailbox of that name is configured."
    NO_ROUTE Error "no-route"
        "No route matches a number to which the call is sent."
    UNKNOWN_MODULE Error "unknown-module"
        "There is no script of the name that is required."
    ENDLESS_GO Error "endless-go"
        "Routes send the call to each other without end, and nothing on the way waits."
    UNKNOWN_GLOBAL Warning "unknown-global"
        "A global is read that nothing sets."
    UNKNOWN_FIELD Warning "unknown-field"
        "A value is read that is never there."
    ACCIDENTAL_GLOBAL Warning "accidental-global"
        "A function sets a global, probably because `local` is missing."
    UNUSED_LOCAL Warning "unused-local"
        "A local is given a value that nothing reads."
    UNUSED_FUNCTION Warning "unused-function"
        "Nothing calls the function."
    UNUSED_FILE Warning "unused-file"
        "Nothing requires the file."
    UNREACHABLE_CODE Warning "unreachable-code"
        "What stands there never runs."
    AFTER_THE_END Warning "after-the-end"
        "A verb in a function that runs when the call is over."
    SPLIT_RETURN Warning "split-return"
        "A return stands alone in its line, and runs and gives back what the next one calls."
    NO_ANSWER Warning "no-answer"
        "A route can end without having done anything for the caller."
    WRONG_ORDER Warning "wrong-order"
        "The verb does nothing, or something else, because the call is answered already."
    SHADOWED_ROUTE Warning "shadowed-route"
        "Every number that the route matches goes to another route."
    CIRCULAR_GO Warning "circular-go"
        "Routes can send the call to each other in a circle."
    SHARED_TABLE Warning "shared-table"
        "A call changes a table that all calls have in common."
    NEVER_EQUAL Warning "never-equal"
        "A comparison with a word that the value never is."
    DOUBLE_KEY Warning "double-key"
        "A table is given two values under one key; the last one counts."
    UNUSED_ALLOW Warning "unused-allow"
        "A comment allows what is not found there."
    NOT_CHECKED Warning "not-checked"
        "Part of the scripts is too involved to be checked."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_name_of_its_own_and_errors_come_first() {
        let mut names: Vec<_> = Code::ALL.iter().map(|code| code.name()).collect();
        assert!(Code::ALL.is_sorted_by_key(|code| std::cmp::Reverse(code.severity())));
        for code in Code::ALL {
            assert_eq!(Code::of(code.name()), Some(*code));
            assert!(code.name().chars().all(|c| c.is_ascii_lowercase() || c == '-'));
            assert!(code.doc().ends_with('.'));
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Code::ALL.len());
        assert_eq!(Code::of("unknown"), None);
    }
}
