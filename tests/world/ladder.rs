//! The notation of tests: a time in milliseconds, who, an arrow, what.

/// What a line means for the one who plays it.
pub(crate) enum Step {
    /// A phone does something.
    Do { who: String, what: String },
    /// What does this phone hear now?
    Ask { who: String },
    /// Nothing more happens until then.
    End,
    /// Something the world is expected to do by itself.
    Expect,
}

/// The lines, trimmed, with single spaces.
pub(crate) fn tidy(ladder: &str) -> Vec<String> {
    ladder
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|line| !line.is_empty())
        .collect()
}

/// The time and the meaning of a tidy line.
pub(crate) fn parse(line: &str) -> (u64, Step) {
    let mut words = line.split(' ');
    let at = words.next().and_then(|word| word.parse().ok()).expect("a time in milliseconds");
    let who = words.next().expect("who").to_owned();
    let step = match words.next() {
        Some("->") => Step::Do { who, what: words.collect::<Vec<_>>().join(" ") },
        Some("hears") => Step::Ask { who },
        None if who == "end" => Step::End,
        _ => Step::Expect,
    };
    (at, step)
}

/// Lines of one moment may come in any order: sorted, so that ladders compare.
pub(crate) fn in_order(lines: &[String]) -> Vec<String> {
    let mut keyed: Vec<(u64, String)> = lines
        .iter()
        .map(|line| {
            let at = line.split(' ').next().and_then(|word| word.parse().ok()).unwrap_or(0);
            (at, line.clone())
        })
        .collect();
    keyed.sort();
    keyed.into_iter().map(|(_, line)| line).collect()
}
