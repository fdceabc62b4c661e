//! How much a script may ask for before others have their turn.
//!
//! What is answered at once needs no waiting, so a script that asks for such things again and again
//! would never let go of the switch. It is the same whether the answer comes back from the verb
//! itself, from another call by post, or with a lock: all of it happens within one turn of the
//! switch, and one allowance is for all of it.

/// Counts the turns of the switch: each time that something is handed to it, or that time passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct SwitchTurn(u64);

impl SwitchTurn {
    /// The one after this.
    pub(crate) fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

/// What a script may still be told and ask for in a turn of the switch.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    /// The turn in which it was told something last.
    turn: SwitchTurn,
    /// Steps taken in that.
    taken: u32,
}

impl Steps {
    /// Takes one more; `false` when its allowance for this turn is used up, and it has to wait for
    /// the next.
    pub(crate) fn take(&mut self, turn: SwitchTurn) -> bool {
        if self.turn != turn {
            *self = Self { turn, taken: 0 };
        }
        if self.taken >= STEPS_PER_TURN {
            return false;
        }
        self.taken += 1;
        true
    }
}

/// Steps of one call or job in one turn of the switch; more than that wait for the next turn, which
/// comes at once.
pub(crate) const STEPS_PER_TURN: u32 = 50;
