//! Tags, branches and Call-IDs: unguessable without the seed, the same for the same seed.
//!
//! RFC 3261 §19.3 asks for at least 32 bits of cryptographic randomness in a tag; whoever can guess
//! one can hang up other people's calls. So they come from SHA-256 in counter mode, not from a small
//! generator whose state can be worked out from what it gave.

use sha2::{Digest, Sha256};

/// A stream of 64-bit numbers, four to a hash.
#[derive(Debug)]
pub(crate) struct Tokens {
    key: [u8; 32],
    counter: u64,
    ready: [u64; 4],
    left: usize,
}

impl Tokens {
    pub(crate) fn new(seed: u64) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"tokens");
        hash.update(seed.to_be_bytes());
        Tokens { key: hash.finalize().into(), counter: 0, ready: [0; 4], left: 0 }
    }

    pub(crate) fn next_u64(&mut self) -> u64 {
        if self.left == 0 {
            self.ready = self.block(b'c', &self.counter.to_be_bytes());
            self.counter += 1;
            self.left = self.ready.len();
        }
        self.left -= 1;
        self.ready.get(self.left).copied().unwrap_or_default()
    }

    /// A tag for an answer we keep no state for: the same each time the same request comes.
    pub(crate) fn stateless_tag(&self, request: &[&[u8]]) -> String {
        let mut hash = Sha256::new();
        hash.update(self.key);
        hash.update(b"s");
        for part in request {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
        let block = words(&hash.finalize().into());
        format!("{:016x}", block.first().copied().unwrap_or_default())
    }

    fn block(&self, domain: u8, input: &[u8]) -> [u64; 4] {
        let mut hash = Sha256::new();
        hash.update(self.key);
        hash.update([domain]);
        hash.update(input);
        words(&hash.finalize().into())
    }
}

fn words(block: &[u8; 32]) -> [u64; 4] {
    let mut words = [0; 4];
    for (word, bytes) in words.iter_mut().zip(block.as_chunks::<8>().0) {
        *word = u64::from_be_bytes(*bytes);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3261 §19.3: nobody but who knows the seed can tell the next one.
    #[test]
    fn the_same_seed_gives_the_same_tokens_and_another_seed_others() {
        let run = |seed| {
            let mut tokens = Tokens::new(seed);
            (0..9).map(|_| tokens.next_u64()).collect::<Vec<_>>()
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
        let mut all = run(1);
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 9);
    }

    #[test]
    fn a_stateless_tag_depends_on_each_part_of_the_request() {
        let tokens = Tokens::new(1);
        assert_eq!(tokens.stateless_tag(&[b"a", b"b"]), tokens.stateless_tag(&[b"a", b"b"]));
        assert_ne!(tokens.stateless_tag(&[b"a", b"b"]), tokens.stateless_tag(&[b"ab", b""]));
    }
}
