//! Values by key, some of which end by themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::SharedLimits;

/// A value that is kept; never one that belongs to a Lua state.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kept {
    Boolean(bool),
    Integer(i64),
    Number(f64),
    Text(Box<[u8]>),
    /// A table, as JSON text.
    Table(Box<[u8]>),
}

/// How long something is kept. Times are milliseconds of the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    /// Until it is removed.
    Unlimited,
    /// Until then.
    Until(i64),
}

/// Values by key. Those that ended are never seen again, and cleared away whenever one is set.
#[derive(Debug)]
pub(crate) struct Values {
    limits: SharedLimits,
    entries: BTreeMap<Rc<str>, Entry>,
    /// When values end, soonest first.
    ends: BTreeSet<(i64, Rc<str>)>,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    value: Kept,
    life: Life,
}

impl Values {
    pub(crate) fn new(limits: SharedLimits) -> Self {
        Self { limits, entries: BTreeMap::new(), ends: BTreeSet::new(), bytes: 0 }
    }

    pub(crate) fn count(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn get(&self, now_ms: i64, key: &str) -> Option<&Kept> {
        self.living(now_ms, key).map(|entry| &entry.value)
    }

    /// Keeps a value in place of the one before.
    ///
    /// # Errors
    /// What is used up, in words; then the one before is still there.
    pub(crate) fn set(
        &mut self,
        now_ms: i64,
        key: &str,
        value: Kept,
        life: Life,
    ) -> Result<(), String> {
        self.clear_ended(now_ms);
        let SharedLimits { keys, bytes, value_bytes, .. } = self.limits;
        if value.bytes() > value_bytes {
            return Err(format!("the value is larger than {value_bytes} bytes"));
        }
        let before = self.entries.get(key).map(|entry| size(key, &entry.value));
        if before.is_none() && self.entries.len() >= keys {
            return Err(format!("{keys} keys are kept already; {ADVICE}"));
        }
        let total = self.bytes - before.unwrap_or_default() + size(key, &value);
        if total > bytes {
            return Err(format!("more than {bytes} bytes would be kept; {ADVICE}"));
        }
        self.remove(key);
        self.bytes = total;
        let key: Rc<str> = key.into();
        if let Life::Until(end) = life {
            self.ends.insert((end, Rc::clone(&key)));
        }
        self.entries.insert(key, Entry { value, life });
        Ok(())
    }

    /// Takes a value away, and gives it back.
    pub(crate) fn take(&mut self, now_ms: i64, key: &str) -> Option<Kept> {
        self.clear_ended(now_ms);
        self.remove(key)
    }

    /// Adds to a number and gives the sum back. Without one it begins at 0, and only then `life` is
    /// its own: adding to a counter does not make it live longer.
    ///
    /// # Errors
    /// In words: it is no number, the sum is beyond all numbers, or what is used up.
    pub(crate) fn add(
        &mut self,
        now_ms: i64,
        key: &str,
        by: Kept,
        life: Life,
    ) -> Result<Kept, String> {
        let (before, life) = match self.living(now_ms, key) {
            Some(entry) => (entry.value.clone(), entry.life),
            None => (Kept::Integer(0), life),
        };
        let sum = match (before, by) {
            (Kept::Integer(one), Kept::Integer(other)) => {
                Kept::Integer(one.checked_add(other).ok_or("the sum is too large")?)
            }
            (one, other) => match (one.number(), other.number()) {
                (Some(one), Some(other)) => Kept::Number(one + other),
                (None, _) => return Err(format!("\"{key}\" holds {}", one.kind())),
                (_, None) => return Err("only numbers can be added".into()),
            },
        };
        self.set(now_ms, key, sum.clone(), life)?;
        Ok(sum)
    }

    fn living(&self, now_ms: i64, key: &str) -> Option<&Entry> {
        self.entries.get(key).filter(|entry| match entry.life {
            Life::Unlimited => true,
            Life::Until(end) => now_ms < end,
        })
    }

    fn clear_ended(&mut self, now_ms: i64) {
        while let Some((end, key)) = self.ends.first() {
            if *end > now_ms {
                return;
            }
            let key = Rc::clone(key);
            self.remove(&key);
        }
    }

    fn remove(&mut self, key: &str) -> Option<Kept> {
        let (key, entry) = self.entries.remove_entry(key)?;
        self.bytes -= size(&key, &entry.value);
        if let Life::Until(end) = entry.life {
            self.ends.remove(&(end, key));
        }
        Some(entry.value)
    }
}

impl Kept {
    fn bytes(&self) -> usize {
        match self {
            Self::Boolean(_) | Self::Integer(_) | Self::Number(_) => 8,
            Self::Text(bytes) | Self::Table(bytes) => bytes.len(),
        }
    }

    fn number(&self) -> Option<f64> {
        match self {
            Self::Integer(number) => Some(*number as f64),
            Self::Number(number) => Some(*number),
            Self::Boolean(_) | Self::Text(_) | Self::Table(_) => None,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Boolean(_) => "a boolean",
            Self::Integer(_) | Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::Table(_) => "a table",
        }
    }
}

/// What an entry takes, with what it takes to keep it.
fn size(key: &str, value: &Kept) -> usize {
    ENTRY_BYTES + key.len() + value.bytes()
}

const ADVICE: &str = "give keys a ttl, or remove them with shared.set(key, nil)";
/// Of the maps around an entry.
const ENTRY_BYTES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn values(keys: usize, bytes: usize) -> Values {
        Values::new(SharedLimits { keys, bytes, value_bytes: 100, claims: 1 })
    }

    fn text(length: usize) -> Kept {
        Kept::Text(vec![b'x'; length].into())
    }

    #[test]
    fn a_value_ends_at_its_time_and_gives_its_room_back() {
        let mut values = values(1, 1_000);
        values.set(0, "a", Kept::Integer(1), Life::Until(10)).unwrap();
        assert_eq!(values.get(9, "a"), Some(&Kept::Integer(1)));
        assert!(values.set(9, "b", Kept::Integer(2), Life::Unlimited).is_err());
        assert_eq!(values.get(10, "a"), None);
        values.set(10, "b", Kept::Integer(2), Life::Unlimited).unwrap();
        assert_eq!((values.count(), values.ends.len()), (1, 0));
        assert_eq!(values.take(10, "b"), Some(Kept::Integer(2)));
        assert_eq!((values.count(), values.bytes), (0, 0));
    }

    #[test]
    fn a_value_set_anew_has_the_new_life_only() {
        let mut values = values(10, 1_000);
        values.set(0, "a", Kept::Boolean(true), Life::Until(10)).unwrap();
        values.set(5, "a", Kept::Boolean(false), Life::Until(100)).unwrap();
        assert_eq!(values.get(50, "a"), Some(&Kept::Boolean(false)));
        values.set(50, "a", Kept::Boolean(true), Life::Unlimited).unwrap();
        values.set(500, "b", Kept::Boolean(true), Life::Unlimited).unwrap();
        assert_eq!(values.get(500, "a"), Some(&Kept::Boolean(true)));
        assert!(values.ends.is_empty());
    }

    #[test]
    fn a_counter_lives_from_its_first_count() {
        let mut values = values(10, 1_000);
        assert_eq!(values.add(0, "n", Kept::Integer(2), Life::Until(10)), Ok(Kept::Integer(2)));
        assert_eq!(values.add(9, "n", Kept::Integer(3), Life::Until(19)), Ok(Kept::Integer(5)));
        assert_eq!(values.add(9, "n", Kept::Number(0.5), Life::Unlimited), Ok(Kept::Number(5.5)));
        assert_eq!(values.add(10, "n", Kept::Integer(1), Life::Unlimited), Ok(Kept::Integer(1)));
    }

    #[test]
    fn what_goes_beyond_a_bound_is_refused_and_changes_nothing() {
        let mut values = values(2, 300);
        values.set(0, "a", text(100), Life::Unlimited).unwrap();
        for (key, value, why) in [
            ("b", text(101), "the value is larger than 100 bytes"),
            ("b", text(100), "more than 300 bytes"),
        ] {
            let told = values.set(0, key, value, Life::Unlimited).unwrap_err();
            assert!(told.starts_with(why), "{told}");
        }
        values.set(0, "b", text(1), Life::Unlimited).unwrap();
        assert!(values.set(0, "c", text(1), Life::Unlimited).unwrap_err().starts_with("2 keys"));
        assert_eq!((values.get(0, "a"), values.get(0, "c")), (Some(&text(100)), None));
        values.set(0, "a", Kept::Integer(i64::MAX), Life::Unlimited).unwrap();
        let too_large = values.add(0, "a", Kept::Integer(1), Life::Unlimited);
        assert_eq!(too_large, Err("the sum is too large".into()));
        let no_number = values.add(0, "b", Kept::Integer(1), Life::Unlimited);
        assert_eq!(no_number, Err("\"b\" holds a string".into()));
    }
}
