//! Where a script can go on in more than one way, and its text with a counter in each of these
//! places.
//!
//! The counters are calls of one function, written into the text where no line begins or ends, so that
//! every line keeps its number: `if x > 3 then` becomes `if count(7, x > 3) then`. What is counted
//! passes through, and so does nothing else: an operand of `and` and `or`, or a condition, is one
//! value in any case.

use super::{Branch, BranchKind};
use crate::syntax::{
    Arguments, BinaryOperator, Block, Expression, ExpressionKind, Field, FieldKey, Function, Span,
    Statement, StatementKind, Suffix, parse,
};

/// The global from which scripts that are watched take their counter.
pub(crate) const COUNTER: &str = "_CORDBOARD_COUNT";

/// A script with its counters.
#[derive(Debug)]
pub(super) struct Marked {
    /// The text to compile.
    pub(super) text: String,
    /// What is counted, in the order of the counters' numbers.
    pub(super) branches: Vec<Branch>,
}

/// Writes counters into a script, numbered from `first`; `None` when it is no Lua.
pub(super) fn mark(text: &str, first: usize) -> Option<Marked> {
    let tree = parse(text).ok()?;
    let mut marker = Marker { text, first, branches: Vec::new(), inserts: Vec::new() };
    marker.block(&tree.block);
    if marker.branches.is_empty() {
        return Some(Marked { text: text.to_owned(), branches: Vec::new() });
    }
    let Marker { branches, mut inserts, .. } = marker;
    // At one place, what was found first stands first: it opens around the others.
    inserts.sort_by_key(|(at, _)| *at);
    let mut marked = format!("local {COUNTER} <const> = {COUNTER} ");
    let mut rest = 0;
    for (at, insert) in inserts {
        marked.push_str(text.get(rest..at)?);
        marked.push_str(&insert);
        rest = at;
    }
    marked.push_str(text.get(rest..)?);
    Some(Marked { text: marked, branches })
}

struct Marker<'s> {
    text: &'s str,
    first: usize,
    branches: Vec<Branch>,
    /// What comes before which byte.
    inserts: Vec<(usize, String)>,
}

impl<'s> Marker<'s> {
    fn block(&mut self, block: &Block<'s>) {
        for statement in &block.statements {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &Statement<'s>) {
        match &statement.kind {
            StatementKind::Local { names, values } => {
                for (index, value) in values.iter().enumerate() {
                    let name = names.get(index).map(|(name, _)| name.text.to_owned());
                    self.named(name, value);
                }
            }
            StatementKind::LocalFunction { name, function } => {
                self.function(name.text.to_owned(), function);
            }
            StatementKind::Function { path, method, function } => {
                let last = method.as_ref().or(path.last()).map(|name| name.span);
                let name = path.first().zip(last).map(|(first, last)| first.span.to(last));
                self.function(name.map(|name| self.words(name)).unwrap_or_default(), function);
            }
            StatementKind::Assign { targets, values } => {
                self.expressions(targets);
                for (index, value) in values.iter().enumerate() {
                    let name = targets.get(index).map(|target| self.words(target.span));
                    self.named(name, value);
                }
            }
            StatementKind::Call(call) => self.expression(call),
            StatementKind::Do(block) => self.block(block),
            StatementKind::While { condition, body } => {
                self.condition(condition);
                self.block(body);
            }
            StatementKind::Repeat { body, until } => {
                self.block(body);
                self.condition(until);
            }
            StatementKind::If { clauses, otherwise } => {
                for clause in clauses {
                    self.condition(&clause.condition);
                    self.block(&clause.body);
                }
                if let Some(otherwise) = otherwise {
                    self.block(otherwise);
                }
            }
            StatementKind::NumericFor { from, to, step, body, .. } => {
                self.expression(from);
                self.expression(to);
                step.iter().for_each(|step| self.expression(step));
                self.body(BranchKind::Loop, String::new(), statement.span, body);
            }
            StatementKind::GenericFor { values, body, .. } => {
                self.expressions(values);
                self.body(BranchKind::Loop, String::new(), statement.span, body);
            }
            StatementKind::Return(values) => self.expressions(values),
            StatementKind::Break | StatementKind::Goto | StatementKind::Label => {}
        }
    }

    fn expressions(&mut self, expressions: &[Expression<'s>]) {
        for expression in expressions {
            self.expression(expression);
        }
    }

    /// A value that is given a name, if it is a function.
    fn named(&mut self, name: Option<String>, value: &Expression<'s>) {
        if let ExpressionKind::Function(function) = &value.kind {
            self.function(name.unwrap_or_default(), function);
        } else {
            self.expression(value);
        }
    }

    fn expression(&mut self, expression: &Expression<'s>) {
        match &expression.kind {
            ExpressionKind::Nil
            | ExpressionKind::Boolean(_)
            | ExpressionKind::Number(_)
            | ExpressionKind::Text(_)
            | ExpressionKind::Variadic
            | ExpressionKind::Name(_) => {}
            ExpressionKind::Function(function) => self.function(String::new(), function),
            ExpressionKind::Table(fields) => fields.iter().for_each(|field| self.field(field)),
            ExpressionKind::Bracketed(inner) => self.expression(inner),
            ExpressionKind::Suffixed { base, suffixes } => {
                self.expression(base);
                let mut reached = base.span;
                for suffix in suffixes {
                    match suffix {
                        Suffix::Field(name) => reached = reached.to(name.span),
                        Suffix::Index(index) => {
                            self.expression(index);
                            reached = reached.to(index.span);
                        }
                        Suffix::Call(arguments) => {
                            self.arguments(reached, arguments);
                            reached = reached.to(arguments.span);
                        }
                        Suffix::Method(name, arguments) => {
                            self.arguments(reached.to(name.span), arguments);
                            reached = reached.to(arguments.span);
                        }
                    }
                }
            }
            ExpressionKind::Unary { operand, .. } => self.expression(operand),
            ExpressionKind::Binary { first, rest } => self.operands(first, rest),
        }
    }

    /// A function that is given to another is called after it: `route("0")`.
    fn arguments(&mut self, called: Span, arguments: &Arguments<'s>) {
        let first = arguments.values.first();
        let text = first.filter(|first| matches!(first.kind, ExpressionKind::Text(_)));
        let text = text.map(|text| format!("({})", self.words(text.span))).unwrap_or_default();
        for value in &arguments.values {
            self.named(Some(format!("{}{text}", self.words(called))), value);
        }
    }

    fn field(&mut self, field: &Field<'s>) {
        let name = match &field.key {
            FieldKey::Position => None,
            FieldKey::Name(name) => Some(name.text.to_owned()),
            FieldKey::Index(index) => {
                self.expression(index);
                Some(format!("[{}]", self.words(index.span)))
            }
        };
        self.named(name, &field.value);
    }

    /// Every operand of `and` and `or` decides whether the next is looked at.
    fn operands(&mut self, first: &Expression<'s>, rest: &[(BinaryOperator, Expression<'s>)]) {
        let operands = std::iter::once(first).chain(rest.iter().map(|(_, operand)| operand));
        let decides = rest.iter().map(|(operator, _)| is_choice(*operator)).chain([false]);
        for (operand, decides) in operands.zip(decides) {
            if decides && !is_settled(operand) {
                self.counted(BranchKind::Operand, operand);
            } else {
                self.expression(operand);
            }
        }
    }

    fn condition(&mut self, condition: &Expression<'s>) {
        if is_constant(condition) {
            self.expression(condition);
        } else {
            self.counted(BranchKind::Condition, condition);
        }
    }

    fn counted(&mut self, kind: BranchKind, expression: &Expression<'s>) {
        let number = self.branch(kind, self.words(expression.span), expression.span);
        self.insert(expression.span.start, format!("{COUNTER}({number}, "));
        self.expression(expression);
        self.insert(expression.span.end, ")".to_owned());
    }

    fn function(&mut self, name: String, function: &Function<'s>) {
        self.body(BranchKind::Function, name, function.span, &function.body);
    }

    /// Counts how often a body is entered, in front of its first statement.
    fn body(&mut self, kind: BranchKind, text: String, span: Span, body: &Block<'s>) {
        if let Some(first) = body.statements.first() {
            let number = self.branch(kind, text, span);
            self.insert(first.span.start, format!("{COUNTER}({number});"));
        }
        self.block(body);
    }

    /// Notes a branch; gives back the number of its counter.
    fn branch(&mut self, kind: BranchKind, text: String, span: Span) -> usize {
        let (line, column) = self.place(span.start);
        let (last_line, _) = self.place(span.end);
        self.branches.push(Branch { kind, line, column, last_line, text, hits: [0, 0] });
        self.first + self.branches.len() - 1
    }

    fn insert(&mut self, at: u32, text: String) {
        self.inserts.push((usize::try_from(at).unwrap_or(usize::MAX), text));
    }

    /// Line and column of a byte, both from 1.
    fn place(&self, at: u32) -> (u32, u32) {
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        let before = self.text.as_bytes().get(..at).unwrap_or_default();
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let lines = before.iter().filter(|byte| **byte == b'\n').count();
        let number = |count: usize| u32::try_from(count + 1).unwrap_or(u32::MAX);
        (number(lines), number(before.len() - line_start))
    }

    /// A part of the text on one line, and not too long.
    fn words(&self, span: Span) -> String {
        let range = usize::try_from(span.start).unwrap_or_default()
            ..usize::try_from(span.end).unwrap_or_default();
        let text = self.text.get(range).unwrap_or_default();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if text.chars().count() <= WORDS_MAX {
            return text;
        }
        let mut short: String = text.chars().take(WORDS_MAX - 2).collect();
        short.push_str("..");
        short
    }
}

fn is_choice(operator: BinaryOperator) -> bool {
    matches!(operator, BinaryOperator::And | BinaryOperator::Or)
}

/// Whether a value is the same each time.
fn is_constant(expression: &Expression<'_>) -> bool {
    match &expression.kind {
        ExpressionKind::Nil
        | ExpressionKind::Boolean(_)
        | ExpressionKind::Number(_)
        | ExpressionKind::Text(_)
        | ExpressionKind::Table(_)
        | ExpressionKind::Function(_) => true,
        ExpressionKind::Bracketed(inner) => is_constant(inner),
        ExpressionKind::Variadic
        | ExpressionKind::Name(_)
        | ExpressionKind::Suffixed { .. }
        | ExpressionKind::Unary { .. }
        | ExpressionKind::Binary { .. } => false,
    }
}

/// Whether what is counted inside of an operand tells all there is to tell of it: in
/// `x and "yes" or "no"`, the part before `or` is what `x` is.
fn is_settled(operand: &Expression<'_>) -> bool {
    let ends_true = |expression: &Expression<'_>| {
        is_constant(expression)
            && !matches!(expression.kind, ExpressionKind::Nil | ExpressionKind::Boolean(false))
    };
    if let ExpressionKind::Binary { rest, .. } = &operand.kind {
        return rest
            .last()
            .is_some_and(|(last, value)| *last == BinaryOperator::And && ends_true(value));
    }
    is_constant(operand)
}

/// Characters of a condition that are shown.
const WORDS_MAX: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    /// The marked text without its first words, with `#` in the place of the counter.
    fn marked(text: &str) -> String {
        let marked = mark(text, 0).unwrap();
        let text = marked.text.strip_prefix(&format!("local {COUNTER} <const> = {COUNTER} "));
        text.unwrap_or(&marked.text).replace(COUNTER, "#")
    }

    #[test]
    fn conditions_and_operands_pass_through_their_counters() {
        for (text, expected) in [
            ("if x then y() end", "if #(0, x) then y() end"),
            ("if (x) then elseif y then end", "if #(0, (x)) then elseif #(1, y) then end"),
            ("while i < 3 do i = i + 1 end", "while #(0, i < 3) do i = i + 1 end"),
            ("repeat until f()", "repeat until #(0, f())"),
            ("while true do f() end", "while true do f() end"),
            ("return a and b", "return #(0, a) and b"),
            ("return a or b or c", "return #(0, a) or #(1, b) or c"),
            ("return a and b or c", "return #(0, #(1, a) and b) or c"),
            ("return a and 'x' or 'y'", "return #(0, a) and 'x' or 'y'"),
            ("return a and nil or 'y'", "return #(0, #(1, a) and nil) or 'y'"),
            ("if not a and b then end", "if #(0, #(1, not a) and b) then end"),
            ("f(a or 5, ...)", "f(#(0, a) or 5, ...)"),
            (
                "x[a or 1] = { b or 2, c = d or 3 }",
                "x[#(0, a) or 1] = { #(1, b) or 2, c = #(2, d) or 3 }",
            ),
        ] {
            assert_eq!(marked(text), expected);
        }
    }

    #[test]
    fn bodies_of_functions_and_loops_count_where_they_begin() {
        for (text, expected) in [
            ("function a.b:c() return 1 end", "function a.b:c() #(0);return 1 end"),
            ("local function f() end", "local function f() end"),
            ("for i = 1, 3 do\n  f(i)\nend", "for i = 1, 3 do\n  #(0);f(i)\nend"),
            ("r('1', function() g() end)", "r('1', function() #(0);g() end)"),
            ("m { ['1'] = function() g() end }", "m { ['1'] = function() #(0);g() end }"),
            ("f = function() (a or b)() end", "f = function() #(0);(#(1, a) or b)() end"),
        ] {
            assert_eq!(marked(text), expected);
        }
        let names = |text: &str| {
            let branches = mark(text, 0).unwrap().branches.into_iter();
            branches.map(|branch| branch.text).collect::<Vec<_>>()
        };
        assert_eq!(names("route('0', function() f() end)"), ["route('0')"]);
        assert_eq!(names("call:on('dtmf', function() f() end)"), ["call:on('dtmf')"]);
        assert_eq!(names("race { function() f() end, x = function() f() end }"), ["", "x"]);
        assert_eq!(names("a.b = function() spawn(function() f() end) end"), ["a.b", "spawn"]);
        let found = mark("m { ['1'] = function()\n g()\nend }\nfor _ in pairs(x) do y() end", 0);
        let branches = found.unwrap().branches;
        let places: Vec<_> =
            branches.iter().map(|b| (b.line, b.column, b.last_line, &*b.text)).collect();
        assert_eq!(places, [(1, 21, 3, "['1']"), (4, 1, 4, "")]);
    }

    #[test]
    fn a_text_without_branches_stays_as_it_is() {
        assert_eq!(mark("return 1 + 2\n", 0).unwrap().text, "return 1 + 2\n");
        assert!(mark("return = 1", 0).is_none());
    }
}
