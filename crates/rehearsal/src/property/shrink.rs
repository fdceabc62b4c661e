//! Making a failing case small.

/// Tries simpler cases until none of them fails.
#[derive(Debug)]
struct Shrink<F> {
    /// Tells whether a case still fails in the same way, and of which choices it was really made:
    /// `None` if it does not.
    fails: F,
    best: Vec<u64>,
    /// Cases that may still be tried.
    left: usize,
    /// How often a simpler one was found.
    steps: usize,
}

/// Makes the choices of a failing case smaller, in at most `tries` tries. Gives back the smallest and
/// how often a smaller one was found.
pub(crate) fn shrink(
    failing: Vec<u64>,
    tries: usize,
    fails: impl FnMut(&[u64]) -> Option<Vec<u64>>,
) -> (Vec<u64>, usize) {
    let mut shrink = Shrink { fails, best: failing, left: tries, steps: 0 };
    loop {
        let before = shrink.steps;
        for size in [16, 8, 4, 2, 1] {
            shrink.leave_out(size);
        }
        shrink.lower_lists();
        shrink.lower_each();
        if shrink.steps == before || shrink.left == 0 {
            return (shrink.best, shrink.steps);
        }
    }
}

impl<F: FnMut(&[u64]) -> Option<Vec<u64>>> Shrink<F> {
    /// Leaves out `size` choices at a time, from the end on.
    fn leave_out(&mut self, size: usize) {
        let mut end = self.best.len();
        while end >= size && self.left > 0 {
            let mut shorter = self.best.clone();
            shorter.drain(end - size..end);
            if self.try_case(&shorter) {
                end = end.min(self.best.len());
            } else {
                end -= 1;
            }
        }
    }

    /// Says no to going on with a list, and leaves out the entry that would have followed.
    fn lower_lists(&mut self) {
        let mut index = 0;
        while index < self.best.len() && self.left > 0 {
            if self.best.get(index) == Some(&1) {
                for entry in 1..=ENTRY_MAX {
                    let end = index + 1 + entry;
                    if end > self.best.len() {
                        break;
                    }
                    let mut shorter = self.best.clone();
                    shorter.drain(index..end);
                    if self.try_case(&shorter) {
                        break;
                    }
                }
            }
            index += 1;
        }
    }

    /// Lowers each choice as far as it goes: to nothing, else by halves.
    fn lower_each(&mut self) {
        let mut index = 0;
        while let Some(&choice) = self.best.get(index) {
            if choice > 0 && !self.try_choice(index, 0) {
                // What is known to be too low, and what is known to fail.
                let (mut low, mut high) = (0, choice);
                while high - low > 1 {
                    let middle = low + (high - low) / 2;
                    if self.try_choice(index, middle) {
                        high = middle;
                    } else {
                        low = middle;
                    }
                }
            }
            index += 1;
        }
    }

    fn try_choice(&mut self, index: usize, choice: u64) -> bool {
        let mut lower = self.best.clone();
        let Some(place) = lower.get_mut(index) else { return false };
        *place = choice;
        self.try_case(&lower)
    }

    fn try_case(&mut self, case: &[u64]) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        match (self.fails)(case) {
            Some(made) if is_simpler(&made, &self.best) => {
                self.best = made;
                self.steps += 1;
                true
            }
            Some(_) | None => false,
        }
    }
}

/// Fewer choices are simpler; of as many, those that are lower from the front on.
fn is_simpler(one: &[u64], other: &[u64]) -> bool {
    one.len() < other.len() || (one.len() == other.len() && one < other)
}

/// Choices of one entry of a list that are left out along with it.
const ENTRY_MAX: usize = 4;

#[cfg(test)]
mod tests {
    use super::super::Choices;
    use super::*;

    /// A list of numbers up to 1,000, as generators make it.
    fn list(choices: &mut Choices) -> Vec<u64> {
        let mut list = Vec::new();
        while choices.more(8) {
            list.push(choices.up_to(1_000));
        }
        list
    }

    /// The smallest list that has `fault`, from the first of many that has it.
    #[track_caller]
    fn check(fault: impl Fn(&[u64]) -> bool, expected: &[u64]) {
        let found = (0..1_000).find_map(|seed| {
            let mut choices = Choices::by_chance(seed);
            fault(&list(&mut choices)).then(|| choices.into_made())
        });
        let (smallest, _) = shrink(found.unwrap(), 1_000, |case| {
            let mut choices = Choices::given(case.to_vec());
            fault(&list(&mut choices)).then(|| choices.into_made())
        });
        assert_eq!(list(&mut Choices::given(smallest)), expected);
    }

    #[test]
    fn one_entry_that_is_too_large_remains_alone_and_just_too_large() {
        check(|list| list.iter().any(|entry| *entry > 417), &[418]);
    }

    #[test]
    fn two_entries_that_are_only_wrong_together_both_remain() {
        check(|list| list.windows(2).any(|pair| pair[0] > pair[1]), &[1, 0]);
        check(|list| list.len() > 4, &[0; 5]);
    }

    #[test]
    fn what_always_fails_becomes_the_least_there_is() {
        check(|_| true, &[]);
    }

    #[test]
    fn no_more_cases_are_tried_than_allowed() {
        let mut tried = 0;
        let (smallest, _) = shrink(vec![9; 40], 25, |case| {
            tried += 1;
            (case.len() > 20).then(|| case.to_vec())
        });
        assert_eq!(tried, 25);
        assert!(smallest.len() < 40);
    }
}
