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

    /// Shrinks all charges to `used` bytes, after everything unused was freed.
    pub(crate) fn settle(&self, used: usize) {
        let held = used.saturating_sub(self.base.get()) as f64;
        let charged = self.sum.get() * self.scale.get();
        if held >= charged {
            return;
        }
        let scale = self.scale.get() * held / charged;
        if scale > SCALE_MIN {
            self.scale.set(scale);
        } else {
            self.scale.set(1.0);
            self.sum.set(0.0);
            self.epoch.set(self.epoch.get().wrapping_add(1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charges_shrink_to_what_is_truly_held() {
        let ledger = Ledger::new();
        ledger.set_base(1_000);
        let (mut one, mut other) = (Charge::default(), Charge::default());
        ledger.add(&mut one, 1_000, 4_000);
        ledger.add(&mut other, 4_000, 5_000);
        ledger.settle(3_000);
        assert_eq!((ledger.bytes(one), ledger.bytes(other)), (1_500, 500));
        ledger.add(&mut one, 3_000, 3_100);
        assert_eq!(ledger.bytes(one), 1_600);
        ledger.add(&mut one, 3_000, 0);
        assert_eq!(ledger.bytes(one), 0);
        ledger.release(other);
        ledger.settle(1_000);
        assert_eq!(ledger.bytes(one), 0);
    }

    #[test]
    fn a_thousand_settlings_lose_nothing() {
        let ledger = Ledger::new();
        let mut charge = Charge::default();
        for _ in 0..1_000 {
            ledger.add(&mut charge, 0, 1_000_000);
            ledger.settle(1);
        }
        ledger.add(&mut charge, 0, 500);
        assert!((500..=501).contains(&ledger.bytes(charge)), "{}", ledger.bytes(charge));
    }
}
