//! Going on behind a mistake, so that the next one is told too.
//!
//! Where a statement ends that cannot be read, only its indentation says: reading goes on with the
//! next line that stands no further in. What opens and closes is uncertain from then on, so that
//! nothing more is said of it where one mistake may be the reason of another.

use super::{Block, Flaw, Line, Parsed, Parser, TokenKind};

/// Flaws of one script that are told.
const FLAWS_MAX: usize = 20;

/// What is put back when a statement is given up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    line: Line,
    open: usize,
    depth: u32,
}

impl<'s> Parser<'s, '_> {
    /// Reads everything, over what cannot be read.
    pub(super) fn file(&mut self) -> Block<'s> {
        loop {
            let flaw = match self.block() {
                Ok(block) if self.token.kind == TokenKind::End => return block,
                Ok(_) => self.unexpected_at_top(),
                Err(flaw) => flaw,
            };
            if self.note(flaw).is_err() {
                return Block::default();
            }
            self.next_of_its_own();
        }
    }

    /// Notes a flaw behind which reading can go on.
    ///
    /// # Errors
    /// The flaw, when reading must end.
    pub(super) fn note(&mut self, flaw: Box<Flaw>) -> Parsed<()> {
        let line = |flaw: &Flaw| {
            let before = self.source.get(..flaw.span.start as usize).unwrap_or_default();
            before.rfind('\n')
        };
        let told = match self.flaws.last() {
            // A closing word too many is probably what is left of a statement that was given up.
            Some(_) if flaw.structure && (self.lost || flaw.span == self.token.span) => false,
            // More is said of one line only when it was mended.
            Some(_) => self.flaws.iter().all(|known| line(known) != line(&flaw)),
            None => true,
        };
        let ends = flaw.too_deep || self.flaws.len() + 1 >= FLAWS_MAX;
        if told {
            self.flaws.push((*flaw).clone());
        }
        if ends { Err(flaw) } else { Ok(()) }
    }

    pub(super) fn place_to_resume(&self) -> Place {
        Place { line: self.line, open: self.open.len(), depth: self.depth }
    }

    /// Goes on behind a statement of a block that cannot be read.
    ///
    /// # Errors
    /// The flaw, when it cannot be told where that is.
    pub(super) fn resume(&mut self, flaw: Box<Flaw>, place: Place) -> Parsed<()> {
        if flaw.structure || flaw.too_deep {
            return Err(flaw);
        }
        self.note(flaw)?;
        let opened = self.open.len() > place.open;
        let mut closed = !opened;
        while self.token.kind != TokenKind::End {
            let later = self.line.first && self.line.number > place.line.number;
            if later && self.line.indent <= place.line.indent {
                // The statement may have an end of its own.
                let own = opened && self.line.indent == place.line.indent && self.closes();
                if !own {
                    break;
                }
                closed = true;
            }
            self.advance();
        }
        let beside = self.line.indent == place.line.indent || self.closes();
        self.lost |= !(closed && beside);
        self.open.truncate(place.open);
        self.depth = place.depth;
        Ok(())
    }

    /// Reads what stands up to `word`, and that; `None` where it cannot be read, but what follows can.
    pub(super) fn header<T>(
        &mut self,
        word: &'static str,
        what: &str,
        read: impl FnOnce(&mut Self) -> Parsed<T>,
    ) -> Parsed<Option<T>> {
        let place = self.place_to_resume();
        let flaw = match read(self) {
            Ok(header) if self.take(word) => return Ok(Some(header)),
            Ok(_) => self.expected_word(word, what),
            Err(flaw) if flaw.structure => return Err(flaw),
            Err(flaw) => flaw,
        };
        self.note(flaw)?;
        self.open.truncate(place.open);
        self.depth = place.depth;
        let line = self.line.number;
        while self.line.number == line && self.token.kind != TokenKind::End {
            if self.line.first && line > place.line.number {
                break;
            }
            if self.take(word) {
                break;
            }
            self.advance();
        }
        Ok(None)
    }

    /// Leaves out what follows up to a statement that stands at the very left, behind a line that
    /// is empty or closes something there.
    fn next_of_its_own(&mut self) {
        self.open.clear();
        self.depth = 0;
        self.suspect = None;
        self.lost = false;
        while self.token.kind != TokenKind::End {
            self.advance();
            let left = self.line.first && self.line.indent == 0 && !self.closes();
            if left && (self.follows_empty_line() || is_closing(self.begins[0])) {
                break;
            }
        }
    }

    fn closes(&self) -> bool {
        is_closing(self.token.kind)
    }

    fn follows_empty_line(&self) -> bool {
        let between = self.before.end as usize..self.token.span.start as usize;
        let between = self.source.get(between).unwrap_or_default();
        between.lines().skip(1).any(|line| line.trim().is_empty() && between.lines().count() > 2)
    }
}

fn is_closing(token: TokenKind) -> bool {
    match token {
        TokenKind::Word(word) => {
            matches!(word, "end" | "else" | "elseif" | "until" | ")" | "}" | "]")
        }
        TokenKind::Name
        | TokenKind::Number
        | TokenKind::Text
        | TokenKind::Flawed
        | TokenKind::End => false,
    }
}
