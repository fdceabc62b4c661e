//! The choices that make one case.

use fastrand::Rng;

/// A sequence of choices: first those that were given, then fresh ones.
#[derive(Debug)]
pub(crate) struct Choices {
    given: Vec<u64>,
    rng: Option<Rng>,
    made: Vec<u64>,
}

impl Choices {
    /// Choices by chance, the same for the same seed.
    pub(crate) fn by_chance(seed: u64) -> Self {
        Self { given: Vec::new(), rng: Some(Rng::with_seed(seed)), made: Vec::new() }
    }

    /// These choices; after them, the least.
    pub(crate) fn given(given: Vec<u64>) -> Self {
        Self { given, rng: None, made: Vec::new() }
    }

    /// A number up to and including `most`; 0 is the simplest. The ends come up more often than
    /// chance would have it, since mistakes like to be there.
    pub(crate) fn up_to(&mut self, most: u64) -> u64 {
        let edge = |rng: &mut Rng| match rng.u8(..) {
            0..=19 => 0,
            20..=39 => most,
            40.. => rng.u64(..=most),
        };
        self.make(most, edge)
    }

    /// Whether to go on with a list of which about `length` entries are wanted; no is simpler.
    pub(crate) fn more(&mut self, length: u64) -> bool {
        self.make(1, |rng| u64::from(rng.u64(..=length) > 0)) == 1
    }

    fn make(&mut self, most: u64, by_chance: impl FnOnce(&mut Rng) -> u64) -> u64 {
        let choice = match (self.given.get(self.made.len()), &mut self.rng) {
            (Some(given), _) => (*given).min(most),
            (None, Some(rng)) if self.made.len() < CHOICES_MAX => by_chance(rng),
            (None, Some(_) | None) => 0,
        };
        self.made.push(choice);
        choice
    }

    /// All that was chosen so far.
    pub(crate) fn into_made(self) -> Vec<u64> {
        self.made
    }
}

/// Choices in one case that are left to chance; beyond, each is the least.
const CHOICES_MAX: usize = 10_000;
