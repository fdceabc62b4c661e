//! Statements (reference manual §3.3), each with its header and its blocks.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "Lua's grammar is not ours; what is not looked at is passed over alike"
)]

use super::mistakes::cannot_be_assigned;
use super::{Parsed, Parser};
use crate::syntax::scanner::TokenKind;
use crate::syntax::tree::{
    Attribute, Block, Clause, Expression, ExpressionKind, Name, Span, StatementKind, Suffix,
};

impl<'s> Parser<'s, '_> {
    pub(super) fn statement(&mut self) -> Parsed<StatementKind<'s>> {
        let TokenKind::Word(word) = self.token.kind else { return self.expression_statement() };
        match word {
            "if" => self.if_statement(),
            "while" => self.while_statement(),
            "for" => self.for_statement(),
            "repeat" => self.repeat_statement(),
            "function" => self.function_statement(),
            "local" => self.local_statement(),
            "return" => self.return_statement(),
            "do" => {
                self.opened("do", self.token.span);
                self.advance();
                Ok(StatementKind::Do(self.body()?))
            }
            "break" => {
                self.advance();
                Ok(StatementKind::Break)
            }
            "goto" => {
                self.advance();
                self.name()?;
                Ok(StatementKind::Goto)
            }
            "::" => {
                self.advance();
                self.name()?;
                self.expect("::")?;
                Ok(StatementKind::Label)
            }
            _ => self.expression_statement(),
        }
    }

    /// Reads what stands up to `end`, behind a `do` that was read.
    fn body(&mut self) -> Parsed<Block<'s>> {
        let block = self.block()?;
        self.close("end")?;
        Ok(block)
    }

    fn if_statement(&mut self) -> Parsed<StatementKind<'s>> {
        self.opened("if", self.token.span);
        let mut clauses = Vec::new();
        loop {
            self.advance();
            let condition = self.header("then", "the condition", |this| this.expression(0))?;
            clauses.push(Clause { condition: or_nothing(condition), body: self.block()? });
            if !self.is("elseif") {
                break;
            }
        }
        let line = self.line.number;
        let otherwise = if self.take("else") {
            self.note_else_if(line);
            Some(self.block()?)
        } else {
            None
        };
        self.close("end")?;
        Ok(StatementKind::If { clauses, otherwise })
    }

    fn while_statement(&mut self) -> Parsed<StatementKind<'s>> {
        self.opened("while", self.token.span);
        self.advance();
        let condition = self.header("do", "the condition", |this| this.expression(0))?;
        Ok(StatementKind::While { condition: or_nothing(condition), body: self.body()? })
    }

    fn repeat_statement(&mut self) -> Parsed<StatementKind<'s>> {
        self.opened("repeat", self.token.span);
        self.advance();
        let body = self.block()?;
        self.close("until")?;
        Ok(StatementKind::Repeat { body, until: self.expression(0)? })
    }

    fn for_statement(&mut self) -> Parsed<StatementKind<'s>> {
        self.opened("for", self.token.span);
        self.advance();
        let header = self.header("do", "what the loop goes through", Self::for_header)?;
        let body = self.body()?;
        Ok(match header {
            Some(ForHeader::Numeric { variable, from, to, step }) => {
                StatementKind::NumericFor { variable, from, to, step, body }
            }
            Some(ForHeader::Generic { names, values }) => {
                StatementKind::GenericFor { names, values, body }
            }
            None => StatementKind::Do(body),
        })
    }

    fn for_header(&mut self) -> Parsed<ForHeader<'s>> {
        let variable = self.name()?;
        if self.take("=") {
            let from = self.expression(0)?;
            self.expect(",")?;
            let to = self.expression(0)?;
            let step = if self.take(",") { Some(self.expression(0)?) } else { None };
            return Ok(ForHeader::Numeric { variable, from, to, step });
        }
        let mut names = vec![variable];
        while self.take(",") {
            names.push(self.name()?);
        }
        if !self.take("in") {
            return Err(self.expected("\"=\" or \"in\""));
        }
        Ok(ForHeader::Generic { names, values: self.expressions()? })
    }

    fn function_statement(&mut self) -> Parsed<StatementKind<'s>> {
        let span = self.token.span;
        self.advance();
        let mut path = vec![self.name()?];
        while self.take(".") {
            path.push(self.name()?);
        }
        let method = if self.take(":") { Some(self.name()?) } else { None };
        let function = Box::new(self.function(span)?);
        Ok(StatementKind::Function { path, method, function })
    }

    fn local_statement(&mut self) -> Parsed<StatementKind<'s>> {
        self.advance();
        let span = self.token.span;
        if self.take("function") {
            let name = self.name()?;
            let function = Box::new(self.function(span)?);
            return Ok(StatementKind::LocalFunction { name, function });
        }
        let mut names = Vec::new();
        loop {
            let name = self.name()?;
            let attribute = self.attribute()?;
            names.push((name, attribute));
            if !self.take(",") {
                break;
            }
        }
        let values = if self.take("=") { self.expressions()? } else { Vec::new() };
        Ok(StatementKind::Local { names, values })
    }

    fn attribute(&mut self) -> Parsed<Attribute> {
        if !self.take("<") {
            return Ok(Attribute::None);
        }
        let attribute = match self.written(self.token.span) {
            "const" => Attribute::Const,
            "close" => Attribute::Close,
            _ => return Err(self.expected("\"const\" or \"close\"")),
        };
        self.advance();
        self.expect(">")?;
        Ok(attribute)
    }

    fn return_statement(&mut self) -> Parsed<StatementKind<'s>> {
        self.advance();
        let none = self.block_ends() || self.is(";");
        let values = if none { Vec::new() } else { self.expressions()? };
        self.take(";");
        if !self.block_ends() {
            return Err(self.after_return());
        }
        Ok(StatementKind::Return(values))
    }

    fn expression_statement(&mut self) -> Parsed<StatementKind<'s>> {
        if let Some(flaw) = self.not_a_beginning() {
            return Err(flaw);
        }
        if self.is(")") || self.is("]") || self.is("}") {
            // What is closed here was opened before this block.
            return Err(if self.open.is_empty() {
                self.unexpected_at_top()
            } else {
                self.not_closed("end")
            });
        }
        let first = self.suffixed()?;
        if self.is("=") || self.is(",") {
            let mut targets = vec![first];
            while self.take(",") {
                targets.push(self.suffixed()?);
            }
            if !self.is("=") {
                return Err(self.expected("\"=\""));
            }
            if let Some(fixed) = targets.iter().find(|target| !is_place(target)) {
                return Err(cannot_be_assigned(fixed));
            }
            self.advance();
            return Ok(StatementKind::Assign { targets, values: self.expressions()? });
        }
        match &first.kind {
            ExpressionKind::Suffixed { suffixes, .. }
                if matches!(suffixes.last(), Some(Suffix::Call(_) | Suffix::Method(..))) =>
            {
                Ok(StatementKind::Call(first))
            }
            _ => Err(self.not_a_statement(&first)),
        }
    }
}

/// What stands between `for` and `do`.
enum ForHeader<'s> {
    Numeric {
        variable: Name<'s>,
        from: Expression<'s>,
        to: Expression<'s>,
        step: Option<Expression<'s>>,
    },
    Generic {
        names: Vec<Name<'s>>,
        values: Vec<Expression<'s>>,
    },
}

/// A condition that could not be read stands for any.
fn or_nothing(condition: Option<Expression<'_>>) -> Expression<'_> {
    condition.unwrap_or(Expression { kind: ExpressionKind::Nil, span: Span::default() })
}

/// Whether it can stand before `=`.
fn is_place(target: &Expression<'_>) -> bool {
    match &target.kind {
        ExpressionKind::Name(_) => true,
        ExpressionKind::Suffixed { suffixes, .. } => {
            matches!(suffixes.last(), Some(Suffix::Field(_) | Suffix::Index(_)))
        }
        _ => false,
    }
}
