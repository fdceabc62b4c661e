//! Which lines of a compiled script can run, and between which lines it branches.
//!
//! Read from what Lua 5.4 writes with `string.dump` (`ldump.c` of the vendored Lua, whose version is
//! pinned): Lua alone knows at which lines its line hook fires.

use std::collections::{BTreeMap, BTreeSet};

/// Lines of one compiled file, from 1, each with the lines that a condition on it leads to; a line
/// without a condition, or whose ways all begin on one line, leads nowhere.
pub(super) type Lines = BTreeMap<u32, BTreeSet<u32>>;

/// Reads a compiled chunk with its debug information; `None` when it is not Lua 5.4's.
pub(super) fn lines(dump: &[u8]) -> Option<Lines> {
    let rest = dump.strip_prefix(HEADER)?;
    // Lua's check values for whole numbers and fractions, then the count of the main function's
    // upvalues.
    let mut reader = Reader { rest: rest.get(NUMBER_BYTES * 2 + 1..)? };
    let mut lines = Lines::new();
    reader.function(&mut lines, 0)?;
    Some(lines)
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn function(&mut self, lines: &mut Lines, depth: usize) -> Option<()> {
        if depth > DEPTH_MAX {
            return None;
        }
        self.text()?;
        let (first_line, _last_line) = (self.number()?, self.number()?);
        let [_parameters, has_varargs, _stack] = *self.take(3)? else { return None };
        let size = self.number()?;
        let code: Vec<u32> = self
            .take(size.checked_mul(4)?)?
            .chunks_exact(4)
            .filter_map(|bytes| Some(u32::from_ne_bytes(bytes.try_into().ok()?)))
            .collect();
        self.constants()?;
        let upvalues = self.number()?;
        self.take(upvalues.checked_mul(3)?)?;
        for _ in 0..self.number()? {
            self.function(lines, depth + 1)?;
        }
        let at = self.line_numbers(u32::try_from(first_line).ok()?)?;
        // A function with varargs begins with an instruction that no line hook sees.
        for (index, line) in at.iter().enumerate().skip(usize::from(has_varargs != 0)) {
            let leads_to = lines.entry(*line).or_default();
            if let Some(ways) = ways(&code, index, &at) {
                leads_to.extend(ways);
            }
        }
        Some(())
    }

    fn constants(&mut self) -> Option<()> {
        for _ in 0..self.number()? {
            let [kind] = *self.take(1)? else { return None };
            match kind {
                0x00 | 0x01 | 0x11 => {}
                0x03 | 0x13 => drop(self.take(NUMBER_BYTES)?),
                0x04 | 0x14 => self.text()?,
                _ => return None,
            }
        }
        Some(())
    }

    /// The line of each instruction.
    fn line_numbers(&mut self, first_line: u32) -> Option<Vec<u32>> {
        let size = self.number()?;
        let steps = self.take(size)?;
        let mut absolute = BTreeMap::new();
        for _ in 0..self.number()? {
            let index = self.number()?;
            absolute.insert(index, u32::try_from(self.number()?).ok()?);
        }
        let mut line = first_line;
        let mut at = Vec::with_capacity(steps.len());
        for (index, step) in steps.iter().enumerate() {
            line = match step.cast_signed() {
                ABSOLUTE => *absolute.get(&index)?,
                step => line.checked_add_signed(step.into())?,
            };
            at.push(line);
        }
        for _ in 0..self.number()? {
            self.text()?;
            self.number()?;
            self.number()?;
        }
        for _ in 0..self.number()? {
            self.text()?;
        }
        Some(at)
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    /// Seven bits a byte, the highest first; the last byte has its eighth bit set.
    fn number(&mut self) -> Option<usize> {
        let mut number: usize = 0;
        loop {
            let [byte] = *self.take(1)? else { return None };
            number = number.checked_mul(0x80)? | usize::from(byte & 0x7f);
            if byte & 0x80 != 0 {
                return Some(number);
            }
        }
    }

    fn text(&mut self) -> Option<()> {
        let length = self.number()?;
        self.take(length.saturating_sub(1)).map(|_| ())
    }
}

/// The lines at which the two ways of a condition begin, if they are told apart by their lines.
fn ways(code: &[u32], index: usize, at: &[u32]) -> Option<[u32; 2]> {
    let operation = code.get(index)? & OPERATION;
    if !CONDITIONS.contains(&operation) {
        return None;
    }
    let line = *at.get(index)?;
    // A jump follows each condition; when the condition does not hold, the jump is skipped.
    let jumped = *at.get(landing(code, index + 1)?)?;
    let passed = *at.get(landing(code, index + 2)?)?;
    (jumped != passed && jumped != line && passed != line).then_some([jumped, passed])
}

/// Where the code goes on from `index`, jumps followed.
fn landing(code: &[u32], mut index: usize) -> Option<usize> {
    for _ in 0..JUMPS_MAX {
        let instruction = *code.get(index)?;
        if instruction & OPERATION != JUMP {
            break;
        }
        let distance = i64::from(instruction >> OPERATION_BITS) - JUMP_ZERO;
        index = usize::try_from(i64::try_from(index).ok()? + 1 + distance).ok()?;
    }
    Some(index)
}

/// Signature, version 5.4, format 0, the bytes that show damage, the sizes of an instruction, a whole
/// number and a fraction.
const HEADER: &[u8] = b"\x1bLua\x54\x00\x19\x93\r\n\x1a\n\x04\x08\x08";
const NUMBER_BYTES: usize = 8;
/// In place of a step between lines: the line stands in a list of its own.
const ABSOLUTE: i8 = -0x80;
const OPERATION_BITS: u32 = 7;
const OPERATION: u32 = (1 << OPERATION_BITS) - 1;
const JUMP: u32 = 56;
/// Comparisons and tests, each followed by a jump.
const CONDITIONS: std::ops::RangeInclusive<u32> = 57..=67;
/// A distance of zero, as a jump holds it.
const JUMP_ZERO: i64 = (1 << 24) - 1;
/// Jumps to jumps that are followed; a loop without a body jumps to itself.
const JUMPS_MAX: usize = 32;
/// Functions in functions.
const DEPTH_MAX: usize = 200;
