//! The sounds that scripts can name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use media::Sound;

/// Prompts by name: path under the prompts folder without the ending, such as `en/vm/goodbye`.
#[derive(Debug, Default)]
pub struct Prompts {
    sounds: BTreeMap<String, Arc<Sound>>,
}

impl Prompts {
    /// Takes decoded (or soon to be decoded) sounds by name.
    pub fn new(sounds: BTreeMap<String, Arc<Sound>>) -> Self {
        Self { sounds }
    }

    /// The sound of this name.
    pub fn find(&self, name: &str) -> Option<&Arc<Sound>> {
        self.sounds.get(name)
    }

    /// All names.
    pub fn names(&self) -> BTreeSet<String> {
        self.sounds.keys().cloned().collect()
    }
}
