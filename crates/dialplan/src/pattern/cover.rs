//! Whether some patterns together match every number that another one matches.

use std::collections::BTreeSet;

use super::{Class, Fit, Kind, Pattern, Tail};

/// Every dialling character, and one that stands for all others.
const EVERYTHING: u16 = 0b11_1111_1111_1111;

/// Whether each number that `pattern` matches is matched by one of `others` too; `None` when `steps`
/// are used up before that is known, since the question is as hard as any when many patterns overlap
/// a little.
pub(crate) fn covered(pattern: &Pattern, others: &[&Pattern], steps: &mut u32) -> Option<bool> {
    if let Kind::Name(name) = &pattern.kind {
        return Some(others.iter().any(|other| other.fit(name) == Fit::Full));
    }
    let Some(whole) = Shape::of(pattern) else { return Some(false) };
    // A name among the others is never the one that is missing: where letters can stand, any can.
    let others: Vec<Shape<'_>> = others.iter().filter_map(|other| Shape::of(other)).collect();
    let lengths = others.iter().map(|other| other.classes.len());
    let settled = lengths.chain([whole.classes.len()]).max().unwrap_or_default() + 1;
    let mut seen = BTreeSet::new();
    let mut waiting = vec![(0, (0..others.len()).collect::<Vec<usize>>())];
    while let Some((at, alive)) = waiting.pop() {
        let cost = u32::try_from(alive.len()).unwrap_or(u32::MAX).saturating_add(1);
        *steps = steps.checked_sub(cost)?;
        if !seen.insert((at, alive.clone())) {
            continue;
        }
        let shapes = alive.iter().filter_map(|index| Some((*index, others.get(*index)?)));
        if whole.ends_at(at) && !shapes.clone().any(|(_, shape)| shape.ends_at(at)) {
            return Some(false);
        }
        let next = whole.next(at);
        if next == 0 || at > settled {
            continue;
        }
        // Characters after which the same patterns are alive need to be followed once.
        let mut branches = BTreeSet::new();
        for bit in (0..16).map(|shift| 1_u16 << shift).filter(|bit| next & bit != 0) {
            let alive = shapes.clone().filter(|(_, shape)| shape.next(at) & bit != 0);
            branches.insert(alive.map(|(index, _)| index).collect::<Vec<_>>());
        }
        waiting.extend(branches.into_iter().map(|alive| (at + 1, alive)));
    }
    Some(true)
}

/// Whether some number may be matched by both.
pub(crate) fn meet(one: &Pattern, other: &Pattern) -> bool {
    let (Some(one), Some(other)) = (Shape::of(one), Shape::of(other)) else {
        let name = |pattern: &Pattern, other: &Pattern| match &pattern.kind {
            Kind::Name(name) => other.fit(name) == Fit::Full,
            Kind::Number { .. } => false,
        };
        return name(one, other) || name(other, one);
    };
    let longest = one.classes.len().max(other.classes.len());
    (0..longest).all(|at| {
        let (one, other) = (one.next(at), other.next(at));
        one & other != 0
    })
}

/// A number pattern, position by position.
struct Shape<'p> {
    classes: &'p [Class],
    tail: Tail,
}

impl<'p> Shape<'p> {
    fn of(pattern: &'p Pattern) -> Option<Self> {
        match &pattern.kind {
            Kind::Name(_) => None,
            Kind::Number { classes, tail } => Some(Self { classes, tail: *tail }),
        }
    }

    /// Whether it matches something of that length.
    fn ends_at(&self, length: usize) -> bool {
        match self.tail {
            Tail::Nothing => length == self.classes.len(),
            Tail::OneOrMore => length > self.classes.len(),
            Tail::ZeroOrMore => length >= self.classes.len(),
        }
    }

    /// What may stand at a position.
    fn next(&self, at: usize) -> u16 {
        match (self.classes.get(at), self.tail) {
            (Some(class), _) => class.0,
            (None, Tail::Nothing) => 0,
            (None, Tail::OneOrMore | Tail::ZeroOrMore) => EVERYTHING,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn patterns(texts: &str) -> Vec<Pattern> {
        texts.split_whitespace().map(|text| Pattern::parse(text).unwrap()).collect()
    }

    #[track_caller]
    fn check(pattern: &str, others: &str, expected: Option<bool>) {
        let others = patterns(others);
        let others: Vec<&Pattern> = others.iter().collect();
        let whole = Pattern::parse(pattern).unwrap();
        assert_eq!(covered(&whole, &others, &mut 100_000), expected, "{pattern}");
    }

    #[test]
    fn several_patterns_can_cover_another_together() {
        for (pattern, others, expected) in [
            ("2XX", "[2-4]XX", true),
            ("[2-4]XX", "2XX 3XX 4XX", true),
            ("[2-4]XX", "2XX 4XX", false),
            ("[2-4]XX", "2XX 3XX 4X[0-8] 4X9", true),
            ("1!", "1 1.", true),
            ("1!", "1.", false),
            ("1.", "1X!", false),
            (".", "X. Z", false),
            ("XX.", "XXX", false),
            ("XX", "X. support", true),
            ("support", "support", true),
            ("support", "suport X.", false),
            ("support", ".", true),
            ("*9[78]", "*97 *98", true),
            ("!", ".", false),
        ] {
            check(pattern, others, Some(expected));
        }
    }

    #[test]
    fn too_many_overlaps_are_given_up() {
        // A 0 at the end; none at all; or one at any place but the end.
        let mut others = format!("{}0 {} ", "X".repeat(19), "Z".repeat(20));
        for place in 0..19 {
            let (before, after) = ("X".repeat(place), "X".repeat(18 - place));
            others.push_str(&format!("{before}0{after}Z "));
        }
        check(&"X".repeat(20), &others, None);
    }

    const PATTERNS: &[&str] =
        &["0", "1", "[01]", "0X", "X0", "[01]1", "XX", "X", "1.", "0!", "X.", ".", "!", "a", "0."];
    /// Every word of up to three of these characters.
    fn words() -> Vec<String> {
        let mut words = vec![String::new()];
        for at in 0..1 + 4 + 16 {
            for c in ["0", "1", "2", "a"] {
                words.push(words[at].clone() + c);
            }
        }
        words
    }

    proptest! {
        #[test]
        fn what_is_covered_has_no_number_that_only_it_matches(
            pattern in prop::sample::select(PATTERNS),
            others in prop::collection::vec(prop::sample::select(PATTERNS), 0..4),
        ) {
            let whole = Pattern::parse(pattern).unwrap();
            let others = patterns(&others.join(" "));
            let full = |pattern: &Pattern, word: &str| pattern.fit(word) == Fit::Full;
            let alone = words().iter().any(|word| {
                full(&whole, word) && !others.iter().any(|other| full(other, word))
            });
            let refs: Vec<&Pattern> = others.iter().collect();
            prop_assert_eq!(
                covered(&whole, &refs, &mut 100_000), Some(!alone), "{} {:?}", pattern, others
            );
            for other in &others {
                let both = words().iter().any(|word| full(&whole, word) && full(other, word));
                prop_assert!(!both || meet(&whole, other), "{} {:?}", pattern, other);
            }
        }
    }
}
