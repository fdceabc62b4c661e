//! Reads the grammar (reference manual §9) by descent; linear in the number of tokens.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "Lua's grammar is not ours; what is not looked at is passed over alike"
)]

mod mistakes;
mod recovery;
mod statements;

use std::iter::Peekable;
use std::slice::Iter;

use super::DEPTH_MAX;
use super::flaw::Flaw;
use super::literal;
use super::scanner::{Token, TokenKind, scan};
use super::tree::{
    Arguments, BinaryOperator, Block, Expression, ExpressionKind, Field, FieldKey, Function, Name,
    Number, Span, Statement, Suffix, Tree, UNARY_RANK, UnaryOperator,
};

/// Reads a script.
///
/// # Errors
/// The places where it is not Lua, in the order in which they were met and at least one; or that it
/// nests deeper than [`DEPTH_MAX`]. What may be wrong only because of another place is left out.
pub(crate) fn parse(source: &str) -> Result<Tree<'_>, Vec<Flaw>> {
    let scan = scan(source);
    let end = Token {
        kind: TokenKind::End,
        span: Span { start: last(source.len()), end: last(source.len()) },
    };
    let mut parser = Parser {
        source,
        tokens: scan.tokens.iter().peekable(),
        token: Token { kind: TokenKind::End, span: Span::default() },
        before: Span::default(),
        line: Line { number: 1, indent: 0, first: true },
        begins: [TokenKind::End; 2],
        cuts: scan.flaws,
        flaws: Vec::new(),
        lost: false,
        end,
        depth: 0,
        open: Vec::new(),
        suspect: None,
    };
    parser.advance();
    let block = parser.file();
    match parser.flaws.is_empty() {
        true => Ok(Tree { block, comments: scan.comments }),
        false => Err(parser.flaws),
    }
}

fn last(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

type Parsed<T> = Result<T, Box<Flaw>>;

struct Parser<'s, 't> {
    source: &'s str,
    tokens: Peekable<Iter<'t, Token>>,
    /// What is read next.
    token: Token,
    /// What was read last.
    before: Span,
    /// The line of the next token.
    line: Line,
    /// What the line before this one begins with, and what this one does.
    begins: [TokenKind; 2],
    /// Why tokens could not be cut.
    cuts: Vec<Flaw>,
    /// What was found so far.
    flaws: Vec<Flaw>,
    /// Whether a statement was given up of which it is not known where it ends.
    lost: bool,
    end: Token,
    depth: u32,
    /// Blocks and brackets that wait to be closed, outermost first.
    open: Vec<Opening>,
    /// Where the indentation says that a block was closed too early or too late.
    suspect: Option<Suspect>,
}

/// The line that a token stands in.
#[derive(Debug, Clone, Copy)]
struct Line {
    /// From 1.
    number: usize,
    /// Spaces before its first token.
    indent: usize,
    /// Whether the token is its first.
    first: bool,
}

/// What opened a block or bracket.
#[derive(Debug, Clone, Copy)]
struct Opening {
    word: &'static str,
    span: Span,
    line: Line,
    /// Whether it is an `if` with an `else if` in one line, which opens another.
    else_if: Option<Span>,
}

/// An `end` that does not stand under what it closes.
#[derive(Debug, Clone, Copy)]
enum Suspect {
    /// The `end` stands further out, so this block lacks its own.
    Unclosed(Opening),
    /// It stands further in, so it is probably one too many.
    Extra { end: Span, closes: Opening },
}

impl<'s> Parser<'s, '_> {
    // Tokens ------------------------------------------------------------------------------------

    fn advance(&mut self) {
        let Token { kind, span } = self.token;
        if kind == TokenKind::Text {
            self.line.number += self.written(span).matches('\n').count();
        }
        self.before = span;
        self.token = self.tokens.next().copied().unwrap_or(self.end);
        let between = span.end as usize..self.token.span.start as usize;
        let between = self.source.get(between).unwrap_or_default();
        self.line.first = span.end == 0;
        if let Some((lines, indent)) = between.rsplit_once('\n') {
            self.line.number += lines.matches('\n').count() + 1;
            self.line.indent = indent.len();
            self.line.first = true;
        }
        if self.line.first {
            self.begins = [self.begins[1], self.token.kind];
        }
    }

    fn written(&self, span: Span) -> &'s str {
        self.source.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    fn is(&self, word: &str) -> bool {
        matches!(self.token.kind, TokenKind::Word(found) if found == word)
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.is(word);
        if found {
            self.advance();
        }
        found
    }

    fn next_is(&mut self, word: &str) -> bool {
        let next = self.tokens.peek();
        next.is_some_and(|token| matches!(token.kind, TokenKind::Word(found) if found == word))
    }

    fn name(&mut self) -> Parsed<Name<'s>> {
        if self.token.kind != TokenKind::Name {
            return Err(self.expected("a name"));
        }
        let span = self.token.span;
        self.advance();
        Ok(Name { text: self.written(span), span })
    }

    fn expect(&mut self, word: &'static str) -> Parsed<()> {
        if self.take(word) { Ok(()) } else { Err(self.expected(&format!("\"{word}\""))) }
    }

    fn enter(&mut self) -> Parsed<()> {
        self.depth += 1;
        if self.depth <= DEPTH_MAX {
            return Ok(());
        }
        Err(Box::new(Flaw {
            span: self.token.span,
            message: format!("this is nested more than {DEPTH_MAX} levels deep"),
            help: Some("move parts of it into functions".into()),
            too_deep: true,
            structure: false,
        }))
    }

    // Blocks ------------------------------------------------------------------------------------

    /// Notes the word that was just read as one that waits for its `end`, `until` or bracket.
    fn opened(&mut self, word: &'static str, span: Span) {
        self.open.push(Opening { word, span, line: self.line, else_if: None });
    }

    /// Reads `word`, which closes what was opened last.
    fn close(&mut self, word: &'static str) -> Parsed<()> {
        if !self.is(word) {
            return Err(self.not_closed(word));
        }
        if matches!(word, "end" | "until") {
            self.compare_indentation();
        }
        self.open.pop();
        self.advance();
        Ok(())
    }

    fn compare_indentation(&mut self) {
        let (Some(opening), None) = (self.open.last().copied(), self.suspect) else { return };
        if !self.line.first || self.line.number == opening.line.number {
            return;
        }
        if self.line.indent < opening.line.indent {
            self.suspect = Some(Suspect::Unclosed(opening));
        } else if self.line.indent > opening.line.indent {
            self.suspect = Some(Suspect::Extra { end: self.token.span, closes: opening });
        }
    }

    fn block(&mut self) -> Parsed<Block<'s>> {
        self.enter()?;
        let mut block = Block { statements: Vec::new(), span: self.token.span };
        loop {
            while self.take(";") {}
            if self.block_ends() {
                break;
            }
            let start = self.token.span;
            let last = self.is("return");
            let place = self.place_to_resume();
            let kind = match self.statement() {
                Ok(kind) => kind,
                Err(flaw) => {
                    self.resume(flaw, place)?;
                    continue;
                }
            };
            block.statements.push(Statement { kind, span: start.to(self.before) });
            if last {
                break;
            }
        }
        block.span = block.span.to(self.before);
        self.depth -= 1;
        Ok(block)
    }

    fn block_ends(&self) -> bool {
        match self.token.kind {
            TokenKind::Word(word) => matches!(word, "end" | "else" | "elseif" | "until"),
            TokenKind::End => true,
            TokenKind::Name | TokenKind::Number | TokenKind::Text | TokenKind::Flawed => false,
        }
    }

    // Expressions -------------------------------------------------------------------------------

    fn expressions(&mut self) -> Parsed<Vec<Expression<'s>>> {
        let mut all = vec![self.expression(0)?];
        while self.take(",") {
            all.push(self.expression(0)?);
        }
        Ok(all)
    }

    /// Reads operators of a higher rank than `above`.
    fn expression(&mut self, above: u8) -> Parsed<Expression<'s>> {
        self.enter()?;
        let mut left = if self.unary_operator().is_some() { self.unary()? } else { self.simple()? };
        while let Some(operator) = self.binary_operator().filter(|op| op.rank() > above) {
            self.advance();
            let right = self.expression(operator.rank())?;
            left = join(left, operator, right);
        }
        self.depth -= 1;
        Ok(left)
    }

    fn unary(&mut self) -> Parsed<Expression<'s>> {
        let start = self.token.span;
        let mut operators = Vec::new();
        while let Some(operator) = self.unary_operator() {
            operators.push(operator);
            self.advance();
        }
        let operand = Box::new(self.expression(UNARY_RANK)?);
        let span = start.to(operand.span);
        Ok(Expression { kind: ExpressionKind::Unary { operators, operand }, span })
    }

    fn unary_operator(&self) -> Option<UnaryOperator> {
        let TokenKind::Word(word) = self.token.kind else { return None };
        Some(match word {
            "not" => UnaryOperator::Not,
            "-" => UnaryOperator::Minus,
            "#" => UnaryOperator::Length,
            "~" => UnaryOperator::BitNot,
            _ => return None,
        })
    }

    fn binary_operator(&self) -> Option<BinaryOperator> {
        let TokenKind::Word(word) = self.token.kind else { return None };
        Some(match word {
            "or" => BinaryOperator::Or,
            "and" => BinaryOperator::And,
            "<" => BinaryOperator::Less,
            ">" => BinaryOperator::Greater,
            "<=" => BinaryOperator::LessOrEqual,
            ">=" => BinaryOperator::GreaterOrEqual,
            "~=" => BinaryOperator::Unequal,
            "==" => BinaryOperator::Equal,
            "|" => BinaryOperator::BitOr,
            "~" => BinaryOperator::BitXor,
            "&" => BinaryOperator::BitAnd,
            "<<" => BinaryOperator::ShiftLeft,
            ">>" => BinaryOperator::ShiftRight,
            ".." => BinaryOperator::Concat,
            "+" => BinaryOperator::Add,
            "-" => BinaryOperator::Subtract,
            "*" => BinaryOperator::Multiply,
            "/" => BinaryOperator::Divide,
            "//" => BinaryOperator::FloorDivide,
            "%" => BinaryOperator::Modulo,
            "^" => BinaryOperator::Power,
            _ => return None,
        })
    }

    fn simple(&mut self) -> Parsed<Expression<'s>> {
        let span = self.token.span;
        let kind = match self.token.kind {
            TokenKind::Number => {
                let number = literal::number(self.written(span)).unwrap_or(Number::Whole(0));
                ExpressionKind::Number(number)
            }
            TokenKind::Text => return self.text(),
            TokenKind::Word("nil") => ExpressionKind::Nil,
            TokenKind::Word("true") => ExpressionKind::Boolean(true),
            TokenKind::Word("false") => ExpressionKind::Boolean(false),
            TokenKind::Word("...") => ExpressionKind::Variadic,
            TokenKind::Word("{") => return self.table(),
            TokenKind::Word("function") => {
                self.advance();
                let function = Box::new(self.function(span)?);
                let span = span.to(self.before);
                return Ok(Expression { kind: ExpressionKind::Function(function), span });
            }
            TokenKind::Word(_) | TokenKind::Name | TokenKind::Flawed | TokenKind::End => {
                return self.suffixed();
            }
        };
        self.advance();
        Ok(Expression { kind, span })
    }

    fn text(&mut self) -> Parsed<Expression<'s>> {
        let span = self.token.span;
        match literal::text(self.written(span)) {
            Ok(text) => {
                self.advance();
                Ok(Expression { kind: ExpressionKind::Text(text), span })
            }
            Err((at, length)) => {
                let start = span.start + last(at);
                let span = Span { start, end: start + last(length) };
                let written = self.written(span);
                Err(Box::new(Flaw {
                    span,
                    message: format!("{written} stands for nothing in a string"),
                    help: Some("a backslash itself is written \\\\".into()),
                    too_deep: false,
                    structure: false,
                }))
            }
        }
    }

    /// Reads parameters and body; `span` is that of the word `function`, which was read.
    fn function(&mut self, span: Span) -> Parsed<Function<'s>> {
        self.opened("function", span);
        let start = self.token.span;
        self.expect("(")?;
        let mut parameters = Vec::new();
        if !self.is(")") {
            loop {
                if self.take("...") {
                    break;
                }
                parameters.push(self.name()?);
                if !self.take(",") {
                    break;
                }
            }
        }
        self.expect(")")?;
        let body = self.block()?;
        self.close("end")?;
        Ok(Function { parameters, body, span: start.to(self.before) })
    }

    fn table(&mut self) -> Parsed<Expression<'s>> {
        let start = self.token.span;
        self.opened("{", start);
        self.advance();
        let mut fields = Vec::new();
        while !self.is("}") {
            let key = if self.token.kind == TokenKind::Name && self.next_is("=") {
                let name = self.name()?;
                self.advance();
                FieldKey::Name(name)
            } else if self.is("[") {
                self.opened("[", self.token.span);
                self.advance();
                let key = self.expression(0)?;
                self.close("]")?;
                self.expect("=")?;
                FieldKey::Index(key)
            } else {
                FieldKey::Position
            };
            fields.push(Field { key, value: self.expression(0)? });
            if self.take(",") || self.take(";") {
                continue;
            }
            match self.comma_is_missing() {
                Some(flaw) => self.note(flaw)?,
                None => break,
            }
        }
        self.close("}")?;
        Ok(Expression { kind: ExpressionKind::Table(fields), span: start.to(self.before) })
    }

    fn suffixed(&mut self) -> Parsed<Expression<'s>> {
        let start = self.token.span;
        let base = if self.is("(") {
            self.opened("(", start);
            self.advance();
            let inner = Box::new(self.expression(0)?);
            self.close(")")?;
            ExpressionKind::Bracketed(inner)
        } else if self.token.kind == TokenKind::Name {
            ExpressionKind::Name(self.name()?)
        } else {
            return Err(self.expected("a value"));
        };
        let base = Expression { kind: base, span: start.to(self.before) };
        let mut suffixes = Vec::new();
        while let Some(suffix) = self.suffix()? {
            suffixes.push(suffix);
        }
        if suffixes.is_empty() {
            return Ok(base);
        }
        let kind = ExpressionKind::Suffixed { base: Box::new(base), suffixes };
        Ok(Expression { kind, span: start.to(self.before) })
    }

    fn suffix(&mut self) -> Parsed<Option<Suffix<'s>>> {
        Ok(Some(match self.token.kind {
            TokenKind::Word(".") => {
                self.advance();
                Suffix::Field(self.name()?)
            }
            TokenKind::Word("[") => {
                self.opened("[", self.token.span);
                self.advance();
                let key = self.expression(0)?;
                self.close("]")?;
                Suffix::Index(key)
            }
            TokenKind::Word(":") => {
                self.advance();
                let name = self.name()?;
                if !matches!(self.token.kind, TokenKind::Text | TokenKind::Word("(" | "{")) {
                    return Err(self.no_arguments(&name));
                }
                Suffix::Method(name, self.arguments()?)
            }
            TokenKind::Text | TokenKind::Word("(" | "{") => Suffix::Call(self.arguments()?),
            TokenKind::Word(_)
            | TokenKind::Name
            | TokenKind::Number
            | TokenKind::Flawed
            | TokenKind::End => return Ok(None),
        }))
    }

    fn arguments(&mut self) -> Parsed<Arguments<'s>> {
        let start = self.token.span;
        let values = match self.token.kind {
            TokenKind::Text => vec![self.text()?],
            TokenKind::Word("{") => vec![self.table()?],
            TokenKind::Word(_)
            | TokenKind::Name
            | TokenKind::Number
            | TokenKind::Flawed
            | TokenKind::End => {
                self.opened("(", start);
                self.advance();
                let values = if self.is(")") { Vec::new() } else { self.expressions()? };
                self.close(")")?;
                values
            }
        };
        Ok(Arguments { values, span: start.to(self.before) })
    }
}

/// Joins operands of one rank in one list.
fn join<'s>(
    left: Expression<'s>,
    operator: BinaryOperator,
    right: Expression<'s>,
) -> Expression<'s> {
    let span = left.span.to(right.span);
    match left.kind {
        ExpressionKind::Binary { first, mut rest }
            if rest.first().is_some_and(|(known, _)| known.rank() == operator.rank()) =>
        {
            rest.push((operator, right));
            Expression { kind: ExpressionKind::Binary { first, rest }, span }
        }
        kind => {
            let first = Box::new(Expression { kind, span: left.span });
            let rest = vec![(operator, right)];
            Expression { kind: ExpressionKind::Binary { first, rest }, span }
        }
    }
}
