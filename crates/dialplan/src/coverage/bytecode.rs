//! Which lines of a compiled script can run.
//!
//! Read from what Lua 5.4 writes with `string.dump` (`ldump.c` of the vendored Lua, whose version is
//! pinned): Lua alone knows at which lines its line hook fires.

use std::collections::{BTreeMap, BTreeSet};

/// Lines of one compiled file, from 1.
pub(super) type Lines = BTreeSet<u32>;

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
        self.take(size.checked_mul(INSTRUCTION_BYTES)?)?;
        self.constants()?;
        let upvalues = self.number()?;
        self.take(upvalues.checked_mul(3)?)?;
        for _ in 0..self.number()? {
            self.function(lines, depth + 1)?;
        }
        let at = self.line_numbers(u32::try_from(first_line).ok()?)?;
        // A function with varargs begins with an instruction that no line hook sees.
        lines.extend(at.into_iter().skip(usize::from(has_varargs != 0)));
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

/// Signature, version 5.4, format 0, the bytes that show damage, the sizes of an instruction, a whole
/// number and a fraction.
const HEADER: &[u8] = b"\x1bLua\x54\x00\x19\x93\r\n\x1a\n\x04\x08\x08";
const NUMBER_BYTES: usize = 8;
const INSTRUCTION_BYTES: usize = 4;
/// In place of a step between lines: the line stands in a list of its own.
const ABSOLUTE: i8 = -0x80;
/// Functions in functions.
const DEPTH_MAX: usize = 200;
