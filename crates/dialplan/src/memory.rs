//! Whose memory it is: one Lua state serves many calls, and each must keep to its share.
//!
//! Lua cannot tell what a call holds. Growth while its script runs is charged to it, and what
//! another run's garbage collection frees stays charged; so when somebody's charge gets high,
//! everything unused is freed and all charges shrink in proportion to what is truly left.

use std::cell::Cell;

/// Charges shrink no further than this before old ones are forgotten.
const SCALE_MIN: f64 = 1e-100;

/// All calls of one generation.
#[derive(Debug)]
pub(crate) struct Ledger {
    /// Bytes the scripts use without any call.
    base: Cell<usize>,
    /// Bytes of one unit.
    scale: Cell<f64>,
    /// Units of all calls.
    sum: Cell<f64>,
    /// How often old charges were forgotten.
    epoch: Cell<u32>,
}

/// What one call is charged, in units that shrink together.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Charge {
    units: f64,
    epoch: u32,
}

impl Ledger {
    pub(crate) fn new() -> Self {
        Self { base: Cell::new(0), scale: Cell::new(1.0), sum: Cell::new(0.0), epoch: Cell::new(0) }
    }

    /// Notes what is used before the first call.
    pub(crate) fn set_base(&self, used: usize) {
        self.base.set(used);
    }

    /// Bytes charged to a call.
    pub(crate) fn bytes(&self, charge: Charge) -> usize {
        if charge.epoch == self.epoch.get() {
            (charge.units * self.scale.get()) as usize
        } else {
            0
        }
    }

    /// Adds what a run used, or takes off what it freed; never below nothing.
    pub(crate) fn add(&self, charge: &mut Charge, before: usize, after: usize) {
        let held = if charge.epoch == self.epoch.get() { charge.units } else { 0.0 };
        let grown = (after as f64 - before as f64) / self.scale.get();
        let units = (held + grown).max(0.0);
        self.sum.set((self.sum.get() + units - held).max(0.0));
        *charge = Charge { units, epoch: self.epoch.get() };
    }

    /// Takes a call off that is over.
    pub(crate) fn release(&self, charge: Charge) {
        if charge.epoch == self.epoch.get() {
            self.sum.set((self.sum.get() - charge.units).max(0.0));
        }
    }

    /// Corrects charges after everything unused was freed and `used` bytes are left.
    ///
    /// What others are charged is taken as theirs, so that this call keeps only what is left over;
    /// and when others are charged more than there is, they shrink in proportion.
    pub(crate) fn settle(&self, charge: &mut Charge, used: usize) {
        let held = used.saturating_sub(self.base.get()) as f64;
        let mine = if charge.epoch == self.epoch.get() { charge.units } else { 0.0 };
        let scale = self.scale.get();
        let others = (self.sum.get() - mine).max(0.0);
        let left = (held / scale - others).clamp(0.0, mine);
        *charge = Charge { units: left, epoch: self.epoch.get() };
        self.sum.set(others + left);
        if others * scale > held {
            let shrunk = held / others;
            if shrunk > SCALE_MIN {
                self.scale.set(shrunk);
            } else {
                self.scale.set(1.0);
                self.sum.set(0.0);
                self.epoch.set(self.epoch.get().wrapping_add(1));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn garbage_is_taken_off_and_what_is_kept_stays() {
        let ledger = Ledger::new();
        ledger.set_base(1_000);
        let (mut one, mut other) = (Charge::default(), Charge::default());
        ledger.add(&mut one, 1_000, 4_000);
        ledger.add(&mut other, 4_000, 5_000);
        ledger.settle(&mut one, 3_000);
        assert_eq!((ledger.bytes(one), ledger.bytes(other)), (1_000, 1_000));
        ledger.settle(&mut one, 2_000);
        assert_eq!((ledger.bytes(one), ledger.bytes(other)), (0, 1_000));
        ledger.settle(&mut one, 1_500);
        assert_eq!((ledger.bytes(one), ledger.bytes(other)), (0, 500));
        ledger.add(&mut one, 3_000, 3_100);
        assert_eq!(ledger.bytes(one), 100);
        ledger.add(&mut one, 3_000, 0);
        assert_eq!(ledger.bytes(one), 0);
    }

    #[test]
    fn a_call_that_keeps_much_is_found_beside_many_that_do_not() {
        let ledger = Ledger::new();
        let mut many = [Charge::default(); 100];
        for charge in &mut many {
            ledger.add(charge, 0, 50);
        }
        // The many keep 10 of their 50; the hoarder keeps all of its 1,000 each time.
        let mut hoarder = Charge::default();
        ledger.add(&mut hoarder, 0, 1_000);
        ledger.settle(&mut hoarder, 2_000);
        for round in 1..10 {
            ledger.add(&mut hoarder, 0, 1_000);
            ledger.settle(&mut hoarder, 2_000 + round * 1_000);
        }
        assert!(ledger.bytes(hoarder) >= 9_000, "{}", ledger.bytes(hoarder));
    }

    #[test]
    fn a_thousand_settlings_lose_nothing() {
        let ledger = Ledger::new();
        let (mut charge, mut other) = (Charge::default(), Charge::default());
        for _ in 0..1_000 {
            ledger.add(&mut charge, 0, 1_000_000);
            ledger.settle(&mut other, 1);
        }
        ledger.add(&mut charge, 0, 500);
        assert!((500..=502).contains(&ledger.bytes(charge)), "{}", ledger.bytes(charge));
    }
}
