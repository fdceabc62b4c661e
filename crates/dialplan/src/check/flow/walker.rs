//! Walks one function along the ways that a call can take through it.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "Lua's kinds of value are not ours; what is not looked at is passed over alike"
)]

use super::super::Report;
use super::super::code::Code;
use super::super::facts::{FileId, FunctionFacts, FunctionId};
use super::super::values::{Possible, Sort, Value};
use super::{Flow, Onward, Passage, State};
use crate::syntax::{
    Arguments, BinaryOperator, Block, Clause, Expression, ExpressionKind, FieldKey, Name, Number,
    Span, Statement, StatementKind, Suffix,
};
use crate::verbs::{Answer, Kind, Library, VerbSpec};

/// Lua's function that ends what it is called in.
const RAISES: &str = "error";

/// Why nothing follows.
#[derive(Debug, Clone)]
struct Stop {
    span: Span,
    /// In words, with `{}` for its line.
    why: String,
}

pub(super) struct Walker<'w, 'f, 'a, 't> {
    flow: &'w Flow<'f, 'a, 't>,
    function: FunctionId,
    file: FileId,
    source: &'t str,
    report: Option<&'w mut Report>,
    /// How things stand where the function returns.
    returned: State<'t>,
    /// How things stand where the loops around are left, innermost last.
    broken: Vec<State<'t>>,
    /// Branches and loops around here.
    branches: u32,
    /// Whether some way has left the function already.
    left: bool,
    stop: Option<Stop>,
    pub(super) passages: Vec<Passage>,
}

impl<'w, 'f, 'a, 't> Walker<'w, 'f, 'a, 't> {
    pub(super) fn new(flow: &'w Flow<'f, 'a, 't>, function: FunctionId, file: FileId) -> Self {
        let source = flow.facts.files.get(file).map_or("", |file| file.text);
        Self {
            flow,
            function,
            file,
            source,
            report: None,
            returned: State::default(),
            broken: Vec::new(),
            branches: 0,
            left: false,
            stop: None,
            passages: Vec::new(),
        }
    }

    /// Tells what is found from now on.
    pub(super) fn tell(&mut self, report: &'w mut Report) {
        self.report = Some(report);
    }

    /// How things stand when the function has come back, from how they stand at its end.
    pub(super) fn returned(self, end: State<'t>) -> State<'t> {
        self.returned.join(end)
    }

    fn found(&mut self, span: Span, code: Code, message: String, help: Option<String>) {
        let file = self.file;
        if let Some(report) = &mut self.report {
            report.tell(file, span, code, message).help = help;
        }
    }

    // Blocks ------------------------------------------------------------------------------------

    pub(super) fn block(&mut self, block: &'t Block<'t>, mut state: State<'t>) -> State<'t> {
        for statement in &block.statements {
            if !state.is_reached() {
                self.unreachable(block, statement);
                return state;
            }
            state = self.statement(statement, state);
        }
        state
    }

    /// Nothing from `statement` on is ever run.
    fn unreachable(&mut self, block: &'t Block<'t>, statement: &'t Statement<'t>) {
        // To return after the end of a call is only careful.
        let rest = block.statements.iter().skip_while(|one| !std::ptr::eq(*one, statement));
        let leaves = |one: &Statement<'_>| {
            matches!(one.kind, StatementKind::Return(_) | StatementKind::Break)
        };
        if rest.clone().all(leaves) {
            return;
        }
        let Some(stop) = self.stop.take() else { return };
        let line = self.source.get(..stop.span.start as usize).unwrap_or_default();
        let line = line.matches('\n').count() + 1;
        let message = "this never runs".to_owned();
        let help = stop.why.replace("{}", &line.to_string());
        self.found(self.first_line(statement.span), Code::UNREACHABLE_CODE, message, Some(help));
    }

    fn first_line(&self, span: Span) -> Span {
        let text = self.source.get(span.start as usize..span.end as usize).unwrap_or_default();
        let length = text.lines().next().unwrap_or_default().trim_end().len();
        Span { end: span.start + u32::try_from(length).unwrap_or_default(), ..span }
    }

    fn statement(&mut self, statement: &'t Statement<'t>, mut state: State<'t>) -> State<'t> {
        match &statement.kind {
            StatementKind::Local { names, values } => {
                self.expressions(values, &mut state);
                for (name, _) in names {
                    change(&mut state, name);
                }
            }
            StatementKind::Assign { targets, values } => {
                self.expressions(values, &mut state);
                for target in targets {
                    self.assigned(target, &mut state);
                }
            }
            StatementKind::LocalFunction { name, .. } => change(&mut state, name),
            StatementKind::Function { .. } => {}
            StatementKind::Call(expression) => self.expression(expression, &mut state),
            StatementKind::Do(body) => return self.block(body, state),
            StatementKind::While { condition, body } => {
                return self.while_loop(condition, body, state);
            }
            StatementKind::Repeat { body, until } => return self.repeat_loop(body, until, state),
            StatementKind::If { clauses, otherwise } => {
                return self.branches(clauses, otherwise.as_ref(), state);
            }
            StatementKind::NumericFor { from, to, step, body, .. } => {
                for bound in [Some(from), Some(to), step.as_ref()].into_iter().flatten() {
                    self.expression(bound, &mut state);
                }
                let certain = step.is_none() && counts_up(from, to);
                return self.for_loop(body, certain, state);
            }
            StatementKind::GenericFor { values, body, .. } => {
                self.expressions(values, &mut state);
                return self.for_loop(body, false, state);
            }
            StatementKind::Return(values) => {
                self.expressions(values, &mut state);
                if state.is_reached() {
                    self.leave(statement.span, &state);
                    self.returned = std::mem::take(&mut self.returned).join(state.clone());
                    self.stop(statement.span, "return", "leaves the function");
                }
                state.end();
            }
            StatementKind::Break => {
                if let Some(broken) = self.broken.last_mut() {
                    *broken = std::mem::take(broken).join(state.clone());
                }
                self.stop(statement.span, "break", "leaves the loop");
                state.end();
            }
            // Functions with labels are not walked.
            StatementKind::Goto | StatementKind::Label => {}
        }
        state
    }

    fn stop(&mut self, span: Span, what: &str, does: &str) {
        self.stop = Some(Stop { span, why: format!("{what} in line {{}} {does}") });
    }

    fn assigned(&mut self, target: &'t Expression<'t>, state: &mut State<'t>) {
        match &target.kind {
            ExpressionKind::Name(name) => change(state, name),
            ExpressionKind::Suffixed { base, suffixes } => {
                self.expression(base, state);
                for suffix in suffixes {
                    if let Suffix::Index(key) = suffix {
                        self.expression(key, state);
                    }
                }
                if let ExpressionKind::Name(name) = &base.kind {
                    change(state, name);
                }
            }
            _ => {}
        }
    }

    fn branches(
        &mut self,
        clauses: &'t [Clause<'t>],
        otherwise: Option<&'t Block<'t>>,
        mut state: State<'t>,
    ) -> State<'t> {
        let mut joined = State::default();
        let mut ended = 0;
        for Clause { condition, body } in clauses {
            self.expression(condition, &mut state);
            if !state.is_reached() {
                return joined.join(state);
            }
            let mut inside = state.clone();
            let idle = state.idle.take();
            inside.idle = idle.as_ref().and_then(|i| i.branch(self.source, condition, true));
            state.idle = idle.as_ref().and_then(|i| i.branch(self.source, condition, false));
            joined = joined.join(self.branch(body, inside, &mut ended));
        }
        let rest = match otherwise {
            Some(body) => self.branch(body, state, &mut ended),
            None => state,
        };
        if ended > 1
            && let Some(stop) = &mut self.stop
        {
            stop.why = "each branch above ends the call or leaves, the last one in line {}".into();
        }
        joined.join(rest)
    }

    fn branch(
        &mut self,
        body: &'t Block<'t>,
        mut state: State<'t>,
        ended: &mut usize,
    ) -> State<'t> {
        // What was asked before can say that no call comes here which nothing was done for. The code
        // is looked at all the same.
        let closed = !state.is_reached();
        state.served |= closed;
        self.branches += 1;
        let after = self.block(body, state);
        self.branches -= 1;
        *ended += usize::from(!after.is_reached());
        if closed { State::default() } else { after }
    }

    fn while_loop(
        &mut self,
        condition: &'t Expression<'t>,
        body: &'t Block<'t>,
        mut state: State<'t>,
    ) -> State<'t> {
        self.expression(condition, &mut state);
        let endless = matches!(condition.kind, ExpressionKind::Boolean(true));
        let entry = state.clone().looped();
        self.broken.push(State::default());
        self.branches += u32::from(!endless);
        let after = self.block(body, entry);
        self.branches -= u32::from(!endless);
        let broken = self.broken.pop().unwrap_or_default();
        if endless {
            self.left = true;
            if !broken.is_reached() {
                self.stop(condition.span, "the loop", "goes on until the call is over");
            }
            return broken;
        }
        state.join(after).looped().join(broken)
    }

    fn repeat_loop(
        &mut self,
        body: &'t Block<'t>,
        until: &'t Expression<'t>,
        state: State<'t>,
    ) -> State<'t> {
        self.broken.push(State::default());
        let mut after = self.block(body, forgetful(state));
        if after.is_reached() {
            self.expression(until, &mut after);
        }
        let broken = self.broken.pop().unwrap_or_default();
        after.join(broken)
    }

    fn for_loop(&mut self, body: &'t Block<'t>, certain: bool, state: State<'t>) -> State<'t> {
        self.broken.push(State::default());
        self.branches += u32::from(!certain);
        let after = self.block(body, state.clone().looped());
        self.branches -= u32::from(!certain);
        let broken = self.broken.pop().unwrap_or_default();
        if certain {
            return after.join(broken);
        }
        forgetful(state).join(after).join(broken)
    }

    /// The function is left here.
    fn leave(&mut self, span: Span, state: &State<'t>) {
        self.left |= self.branches > 0;
        if self.is_handler() {
            self.silent(span, state);
        }
    }

    fn is_handler(&self) -> bool {
        self.flow.handlers.contains(&self.function)
    }

    /// The end of a route's function is reached.
    pub(super) fn tell_silence(&mut self, state: &State<'t>, function: &FunctionFacts<'t>) {
        let Some(node) = function.node else { return };
        let end = node.span.end;
        self.silent(Span { start: end.saturating_sub(3), end }, state);
    }

    fn silent(&mut self, span: Span, state: &State<'t>) {
        let Some(idle) = &state.idle else { return };
        let when = idle.last().map(|condition| format!("when {condition}, "));
        let message = format!(
            "{}the route ends here without having done anything for the caller",
            when.unwrap_or_default()
        );
        let help = "the caller is refused with 480 then; answer, dial, play something, or say why \
                    with call:reject(...)";
        self.found(span, Code::NO_ANSWER, message, Some(help.into()));
    }

    // Expressions -------------------------------------------------------------------------------

    fn expressions(&mut self, all: &'t [Expression<'t>], state: &mut State<'t>) {
        for expression in all {
            self.expression(expression, state);
        }
    }

    fn expression(&mut self, expression: &'t Expression<'t>, state: &mut State<'t>) {
        match &expression.kind {
            ExpressionKind::Bracketed(inner) | ExpressionKind::Unary { operand: inner, .. } => {
                self.expression(inner, state);
            }
            ExpressionKind::Binary { first, rest } => {
                self.expression(first, state);
                for (operator, operand) in rest {
                    if matches!(operator, BinaryOperator::And | BinaryOperator::Or) {
                        // It may not come to that.
                        let mut after = state.clone();
                        self.branches += 1;
                        self.expression(operand, &mut after);
                        self.branches -= 1;
                        *state = std::mem::take(state).join(after);
                    } else {
                        self.expression(operand, state);
                    }
                }
            }
            ExpressionKind::Table(fields) => {
                for field in fields {
                    if let FieldKey::Index(key) = &field.key {
                        self.expression(key, state);
                    }
                    self.expression(&field.value, state);
                }
            }
            ExpressionKind::Suffixed { base, suffixes } => self.suffixed(base, suffixes, state),
            ExpressionKind::Function(node) => {
                // Who runs it, and when, is not followed, except that it may be from here.
                if let Some(inner) = self.flow.facts.function_of(self.file, node) {
                    let to = Onward::Function(inner);
                    self.pass(to, expression.span, false, true);
                }
            }
            ExpressionKind::Nil
            | ExpressionKind::Boolean(_)
            | ExpressionKind::Number(_)
            | ExpressionKind::Text(_)
            | ExpressionKind::Variadic
            | ExpressionKind::Name(_) => {}
        }
    }

    fn pass(&mut self, to: Onward, span: Span, certain: bool, waited: bool) {
        if self.report.is_some() {
            let (from, file) = (self.function, self.file);
            self.passages.push(Passage { from, to, file, span, certain, waited });
        }
    }

    fn suffixed(
        &mut self,
        base: &'t Expression<'t>,
        suffixes: &'t [Suffix<'t>],
        state: &mut State<'t>,
    ) {
        self.expression(base, state);
        let mut values = self.flow.values.of(self.file, base);
        for suffix in suffixes {
            let (callee, given, name) = match suffix {
                Suffix::Field(_) => (None, None, None),
                Suffix::Index(key) => {
                    self.expression(key, state);
                    (None, None, None)
                }
                Suffix::Call(given) => (Some(values.clone()), Some(given), None),
                Suffix::Method(name, given) => {
                    let mut callee =
                        self.flow.values.reach(self.file, &values, name.text, name.span);
                    if let ([Possible { value, .. }], [method]) =
                        (values.as_slice(), callee.as_mut_slice())
                        && value.sort() == Some(Sort::Text)
                    {
                        method.value = Value::Lua("string");
                    }
                    (Some(callee), Some(given), Some(name))
                }
            };
            if let (Some(callee), Some(given)) = (callee, given) {
                self.expressions(&given.values, state);
                if !state.is_reached() {
                    return;
                }
                let span = name.map_or(base.span, |name| name.span);
                match callee.as_slice() {
                    [Possible { value, .. }] => self.call(value, given, span, state),
                    _ => state.serve(),
                }
            }
            values = self.flow.values.after(self.file, &values, suffix);
        }
    }

    fn call(
        &mut self,
        callee: &Value<'t>,
        given: &'t Arguments<'t>,
        span: Span,
        state: &mut State<'t>,
    ) {
        match callee {
            Value::Native(spec) => self.native(spec, given, span, state),
            Value::Function(function) => {
                let certain = self.branches == 0 && !self.left;
                self.pass(Onward::Function(*function), span, certain, state.waited);
                let after = self.flow.called(*function, state);
                // It may have ended the call on one of its ways.
                self.left = true;
                if !after.is_reached() {
                    let written = self.source.get(span.start as usize..span.end as usize);
                    let what = format!("{}()", written.unwrap_or("the function"));
                    self.stop(span, &what, "ends the call");
                }
                *state = after;
            }
            Value::Lua(RAISES) => {
                self.stop(span, &format!("{RAISES}()"), "leaves the function");
                self.left |= self.branches > 0;
                state.end();
            }
            Value::Lua(_) | Value::Library(_) => self.unknown_call(given, state),
            // It may be a function that has the call already.
            _ => {
                self.left = true;
                state.serve();
            }
        }
    }

    /// Something is called that may use the call, if it gets hold of it.
    fn unknown_call(&mut self, given: &'t Arguments<'t>, state: &mut State<'t>) {
        let reaches = given.values.iter().any(|value| {
            self.flow.values.of(self.file, value).iter().any(|possible| match &possible.value {
                Value::Function(function) => self.flow.knows_call(*function),
                Value::Table(table) => table.fields.iter().any(|field| {
                    let values = self.flow.values.of(table.file, &field.value);
                    values.iter().any(|possible| match &possible.value {
                        Value::Function(function) => self.flow.knows_call(*function),
                        value => self.flow.values.is_call(value),
                    })
                }),
                value => self.flow.values.is_call(value),
            })
        });
        if reaches {
            self.left = true;
            state.serve();
        }
    }

    fn native(
        &mut self,
        spec: &'static VerbSpec,
        given: &'t Arguments<'t>,
        span: Span,
        state: &mut State<'t>,
    ) {
        if spec.library != Library::Call {
            // What was begun beside, or is run in the function's stead, may use the call.
            self.unknown_call(given, state);
            state.waited |= spec.waits;
            return;
        }
        if spec.before_answer && state.is_answered() {
            self.too_late(spec, span);
        }
        self.sends_on(spec, given, span, state);
        if spec.ends {
            self.stop(span, &format!("{}()", spec.full_name()), "ends the call");
            self.left |= self.branches > 0;
            state.end();
            return;
        }
        match spec.answer {
            Answer::Waits => {}
            Answer::Serves => state.serve(),
            Answer::Answers => state.answer(),
        }
        state.waited |= spec.waits;
    }

    fn too_late(&mut self, spec: &VerbSpec, span: Span) {
        let name = spec.full_name();
        let (message, help) = if spec.ends {
            (
                format!("{name} comes after the call was answered, so it only hangs up"),
                "write it before the call is answered; to end an answered call, write call:hangup()",
            )
        } else {
            (
                format!("{name} comes after the call was answered, so it does nothing"),
                "write it before the call is answered, or delete it",
            )
        };
        self.found(span, Code::WRONG_ORDER, message, Some(help.into()));
    }

    /// Notes where a verb sends the call on to.
    fn sends_on(
        &mut self,
        spec: &'static VerbSpec,
        given: &'t Arguments<'t>,
        span: Span,
        state: &State<'t>,
    ) {
        for (argument, value) in spec.arguments.iter().zip(&given.values) {
            if argument.kind == Kind::Dialled {
                let certain = self.branches == 0 && !self.left;
                self.routes(value, value.span, certain, state.waited);
            }
        }
        let Some(open) = spec.open.filter(|open| open.kind == Kind::Choice) else { return };
        let Some(options) = given.values.get(spec.arguments.len()) else { return };
        for possible in self.flow.values.of(self.file, options) {
            let Value::Table(table) = possible.value else { continue };
            for field in table.fields {
                let named = matches!(&field.key, FieldKey::Name(name)
                if spec.options.iter().any(|option| {
                    option.name == name.text && option.kind != Kind::Choice
                }));
                if !named && table.file == self.file {
                    debug_assert_eq!(open.kind, Kind::Choice);
                    self.routes(&field.value, span, false, true);
                }
            }
        }
    }

    /// Notes the routes that a written number leads to.
    fn routes(&mut self, value: &'t Expression<'t>, span: Span, certain: bool, waited: bool) {
        let values = self.flow.values.of(self.file, value);
        let certain = certain && values.len() == 1;
        for possible in values {
            let number = match possible.value {
                Value::Text(Some(text)) => text.into_owned(),
                Value::Number(Some(Number::Whole(number))) => number.to_string(),
                _ => continue,
            };
            self.pass(Onward::Route(number), span, certain, waited);
        }
    }
}

/// A name has another value from here on.
fn change(state: &mut State<'_>, name: &Name<'_>) {
    if let Some(idle) = &mut state.idle {
        idle.change(name.text);
    }
}

/// What a loop may have changed is not known after it.
fn forgetful(mut state: State<'_>) -> State<'_> {
    if let Some(idle) = &mut state.idle {
        idle.forget();
    }
    state
}

/// Whether a loop from one number to another is run at least once.
fn counts_up(from: &Expression<'_>, to: &Expression<'_>) -> bool {
    matches!((&from.kind, &to.kind),
        (ExpressionKind::Number(Number::Whole(from)), ExpressionKind::Number(Number::Whole(to)))
            if from <= to)
}
