//! Which prompts there are, what they are called and how long they last.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use media::Sound;
use pbx::Prompts;

/// The prompts of an office, and how long each lasts without decoding it.
///
/// Made once and shared by all offices of a run: what was measured stays measured.
pub struct Sounds {
    prompts: Arc<Prompts>,
    /// By the address of the sound, which is what a playlist holds.
    named: BTreeMap<usize, Named>,
    measure: Option<Measure>,
}

/// Tells the length of the prompt of this name; `None` if it cannot be played.
type Measure = Box<dyn Fn(&str) -> Option<Duration> + Send + Sync>;

struct Named {
    name: Arc<str>,
    length: OnceLock<Duration>,
}

impl Sounds {
    /// Prompts that are decoded already; one that is not lasts no time.
    pub fn decoded(prompts: Arc<Prompts>) -> Self {
        Self::with(prompts, None)
    }

    /// Prompts that need not be decoded: `measure` is asked for the length of each the first time it
    /// is played. One that it cannot tell lasts no time.
    pub fn measured(
        prompts: Arc<Prompts>,
        measure: impl Fn(&str) -> Option<Duration> + Send + Sync + 'static,
    ) -> Self {
        Self::with(prompts, Some(Box::new(measure)))
    }

    /// Prompts that exist in name only, all of this length.
    pub fn made_up<'a>(names: impl IntoIterator<Item = &'a str>, length: Duration) -> Self {
        let sounds = names.into_iter().map(|name| (name.to_owned(), Sound::pending())).collect();
        Self::measured(Arc::new(Prompts::new(sounds)), move |_| Some(length))
    }

    fn with(prompts: Arc<Prompts>, measure: Option<Measure>) -> Self {
        let mut named = BTreeMap::new();
        for name in prompts.names() {
            if let Some(sound) = prompts.find(&name) {
                let entry = Named { name: name.as_str().into(), length: OnceLock::new() };
                named.insert(address(sound), entry);
            }
        }
        Self { prompts, named, measure }
    }

    /// The prompts themselves.
    pub fn prompts(&self) -> &Arc<Prompts> {
        &self.prompts
    }

    /// The name of a prompt, and how long it lasts; `None` if it is none of these.
    pub(crate) fn find(&self, sound: &Arc<Sound>) -> Option<(Arc<str>, Duration)> {
        let named = self.named.get(&address(sound))?;
        let measured = || match &self.measure {
            Some(measure) if sound.is_pending() => measure(&named.name).unwrap_or_default(),
            Some(_) | None => sound.length(),
        };
        Some((named.name.clone(), *named.length.get_or_init(measured)))
    }
}

impl fmt::Debug for Sounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sounds").field("count", &self.named.len()).finish_non_exhaustive()
    }
}

fn address(sound: &Arc<Sound>) -> usize {
    Arc::as_ptr(sound).addr()
}
