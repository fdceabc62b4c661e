//! Which values a local that is given several can have at each place where it is read.
//!
//! Branches are followed and joined. What is given in a loop, in another function or with `goto` about
//! is not known, and where several values meet, one counts only if nothing that is looked at on the
//! way can keep it from the place: a dialplan that sets a word as a mark and looks for it before it
//! plays a prompt is right.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "Lua's kinds of value are not ours; what is not looked at is passed over alike"
)]

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{BindingId, BindingKind, Facts, FileId, FunctionFacts, FunctionId};
use crate::syntax::{
    BinaryOperator, Block, Clause, Expression, ExpressionKind, FieldKey, Name, Statement,
    StatementKind, Suffix,
};

/// Values that may meet at one place.
const MEETING_MAX: usize = 8;
/// Locals of one function that are followed.
const LOCALS_MAX: usize = 64;

/// What a local can be at one place, and whether it surely is that at times.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reach<'t> {
    pub(super) given: Given<'t>,
    pub(super) surely: bool,
}

/// What a local is given.
#[derive(Debug, Clone, Copy)]
pub(super) enum Given<'t> {
    Unknown,
    /// It is declared, and no more.
    Nothing,
    Value(&'t Expression<'t>),
}

/// By file and place, what the local that is read there can be.
pub(super) type Reaching<'t> = BTreeMap<(FileId, u32), Vec<Reach<'t>>>;

/// Follows the locals of all functions.
pub(super) fn follow<'t>(facts: &Facts<'t>) -> Reaching<'t> {
    let mut reaching = Reaching::new();
    let mut locals: BTreeMap<FunctionId, BTreeSet<BindingId>> = BTreeMap::new();
    for (id, binding) in facts.bindings.iter().enumerate() {
        let own = matches!(binding.kind, BindingKind::Local | BindingKind::Parameter(_));
        if own && binding.writes > 0 && !binding.set_elsewhere {
            let locals = locals.entry(binding.function).or_default();
            if locals.len() < LOCALS_MAX {
                locals.insert(id);
            }
        }
    }
    for (function, locals) in &locals {
        let Some(function) = facts.functions.get(*function).filter(|function| !function.jumps)
        else {
            continue;
        };
        let mut walk = Walk {
            facts,
            file: function.file,
            locals,
            definitions: Vec::new(),
            blocks: vec![None],
            block: 0,
            state: Some(State::new()),
            examined: BTreeSet::new(),
            found: Vec::new(),
        };
        walk.function(function);
        walk.finish(&mut reaching);
    }
    reaching
}

/// Where a local gets a value.
struct Definition<'t> {
    given: Given<'t>,
    block: usize,
}

/// By local, the definitions that may count, and whether they surely do at times.
type State = BTreeMap<BindingId, BTreeMap<usize, bool>>;

struct Walk<'w, 't> {
    facts: &'w Facts<'t>,
    file: FileId,
    locals: &'w BTreeSet<BindingId>,
    definitions: Vec<Definition<'t>>,
    /// By block, the one around it.
    blocks: Vec<Option<usize>>,
    block: usize,
    /// `None` where nothing gets to.
    state: Option<State>,
    /// Locals whose values are looked at.
    examined: BTreeSet<BindingId>,
    /// Where a local is read, in which block, and what it can be there.
    found: Vec<(u32, BindingId, usize, BTreeMap<usize, bool>)>,
}

impl<'t> Walk<'_, 't> {
    fn function(&mut self, function: &FunctionFacts<'t>) {
        for parameter in &function.parameters {
            self.define(*parameter, Given::Unknown);
        }
        self.statements(function.block);
    }

    fn finish(self, reaching: &mut Reaching<'t>) {
        for (place, binding, block, definitions) in self.found {
            let single = definitions.len() == 1;
            let reach = definitions.into_iter().map(|(id, surely)| {
                let unknown = Reach { given: Given::Unknown, surely: false };
                let Some(definition) = self.definitions.get(id) else { return unknown };
                if single {
                    return Reach { given: definition.given, surely: true };
                }
                let certain = surely
                    && !self.examined.contains(&binding)
                    && is_within(&self.blocks, definition.block, block);
                if certain { Reach { given: definition.given, surely } } else { unknown }
            });
            reaching.insert((self.file, place), reach.collect());
        }
    }

    // Statements --------------------------------------------------------------------------------

    /// Walks what stands in a block of its own, and gives back to the block around.
    fn inner(&mut self, walk: impl FnOnce(&mut Self)) {
        let outer = self.block;
        self.block = self.blocks.len();
        self.blocks.push(Some(outer));
        walk(self);
        self.block = outer;
    }

    fn statements(&mut self, block: &'t Block<'t>) {
        for statement in &block.statements {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &'t Statement<'t>) {
        match &statement.kind {
            StatementKind::Local { names, values } => {
                self.expressions(values);
                for (index, (name, _)) in names.iter().enumerate() {
                    let given = given(values, index);
                    if let Some(id) = self.local(name) {
                        self.define(id, given);
                    }
                }
            }
            StatementKind::LocalFunction { .. } | StatementKind::Goto | StatementKind::Label => {}
            StatementKind::Function { path, method, .. } => {
                if let ([name], None) = (path.as_slice(), method)
                    && let Some(id) = self.local(name)
                {
                    self.define(id, Given::Unknown);
                }
            }
            StatementKind::Assign { targets, values } => {
                self.expressions(values);
                for (index, target) in targets.iter().enumerate() {
                    match &target.kind {
                        ExpressionKind::Name(name) => {
                            if let Some(id) = self.local(name) {
                                self.define(id, given(values, index));
                            }
                        }
                        _ => self.expression(target, false),
                    }
                }
            }
            StatementKind::Call(expression) => self.expression(expression, false),
            StatementKind::Do(body) => self.statements(body),
            StatementKind::If { clauses, otherwise } => self.branches(clauses, otherwise.as_ref()),
            StatementKind::While { condition, body } => self.looped(statement, |walk| {
                walk.expression(condition, true);
                walk.statements(body);
            }),
            StatementKind::Repeat { body, until } => self.looped(statement, |walk| {
                walk.statements(body);
                walk.expression(until, true);
            }),
            StatementKind::NumericFor { from, to, step, body, .. } => {
                self.expression(from, false);
                self.expression(to, false);
                if let Some(step) = step {
                    self.expression(step, false);
                }
                self.looped(statement, |walk| walk.statements(body));
            }
            StatementKind::GenericFor { values, body, .. } => {
                self.expressions(values);
                self.looped(statement, |walk| walk.statements(body));
            }
            StatementKind::Return(values) => {
                self.expressions(values);
                self.state = None;
            }
            StatementKind::Break => self.state = None,
        }
    }

    fn branches(&mut self, clauses: &'t [Clause<'t>], otherwise: Option<&'t Block<'t>>) {
        let mut after: Option<State> = None;
        for Clause { condition, body } in clauses {
            self.expression(condition, true);
            let before = self.state.clone();
            self.branch(body);
            after = join(after, std::mem::replace(&mut self.state, before));
        }
        if let Some(body) = otherwise {
            self.branch(body);
        }
        self.state = join(after, self.state.take());
    }

    fn branch(&mut self, body: &'t Block<'t>) {
        self.inner(|walk| walk.statements(body));
        // What is called last may never come back.
        let called = body.statements.last();
        if called.is_some_and(|last| matches!(last.kind, StatementKind::Call(_)))
            && let Some(state) = &mut self.state
        {
            state.values_mut().flat_map(BTreeMap::values_mut).for_each(|surely| *surely = false);
        }
    }

    /// What is given in a loop is not known in it nor behind it.
    fn looped(&mut self, statement: &Statement<'_>, walk: impl FnOnce(&mut Self)) {
        self.forget(statement);
        self.inner(walk);
        if self.state.is_none() {
            self.state = Some(State::new());
        }
        self.forget(statement);
    }

    fn forget(&mut self, statement: &Statement<'_>) {
        let within = statement.span.start..statement.span.end;
        let set: Vec<BindingId> = self
            .locals
            .iter()
            .copied()
            .filter(|id| {
                let places = self.facts.bindings.get(*id).map(|binding| binding.set_at.as_slice());
                let places = places.unwrap_or_default();
                let next = places.partition_point(|place| *place < within.start);
                places.get(next).is_some_and(|place| within.contains(place))
            })
            .collect();
        for id in set {
            self.define(id, Given::Unknown);
        }
    }

    fn define(&mut self, id: BindingId, given: Given<'t>) {
        if !self.locals.contains(&id) {
            return;
        }
        if let Some(state) = &mut self.state {
            state.insert(id, BTreeMap::from([(self.definitions.len(), true)]));
        }
        self.definitions.push(Definition { given, block: self.block });
    }

    fn local(&self, name: &Name<'_>) -> Option<BindingId> {
        let id = self.facts.binding_of(self.file, name)?;
        self.locals.contains(&id).then_some(id)
    }

    // Expressions -------------------------------------------------------------------------------

    fn expressions(&mut self, all: &'t [Expression<'t>]) {
        for expression in all {
            self.expression(expression, false);
        }
    }

    /// `examined` says that something depends on the value.
    fn expression(&mut self, expression: &'t Expression<'t>, examined: bool) {
        match &expression.kind {
            ExpressionKind::Name(name) => self.name(name, examined),
            ExpressionKind::Bracketed(inner) => self.expression(inner, examined),
            ExpressionKind::Unary { operand, .. } => self.expression(operand, true),
            ExpressionKind::Binary { first, rest } => {
                let joins = |operator| operator == BinaryOperator::Concat;
                let examined = !rest.iter().all(|(operator, _)| joins(*operator));
                self.expression(first, examined);
                for (_, operand) in rest {
                    self.inner(|walk| walk.expression(operand, examined));
                }
            }
            ExpressionKind::Table(fields) => {
                for field in fields {
                    if let FieldKey::Index(key) = &field.key {
                        self.expression(key, true);
                    }
                    self.expression(&field.value, false);
                }
            }
            ExpressionKind::Suffixed { base, suffixes } => {
                // What a function of the scripts or of Lua does with it cannot be seen.
                let examines = matches!(base.kind, ExpressionKind::Name(_))
                    && matches!(suffixes.first(), Some(Suffix::Call(_)));
                self.expression(base, false);
                for suffix in suffixes {
                    match suffix {
                        Suffix::Field(_) => {}
                        Suffix::Index(key) => self.expression(key, true),
                        Suffix::Call(arguments) | Suffix::Method(_, arguments) => {
                            for argument in &arguments.values {
                                self.expression(argument, examines);
                            }
                        }
                    }
                }
            }
            ExpressionKind::Function(_)
            | ExpressionKind::Nil
            | ExpressionKind::Boolean(_)
            | ExpressionKind::Number(_)
            | ExpressionKind::Text(_)
            | ExpressionKind::Variadic => {}
        }
    }

    fn name(&mut self, name: &Name<'t>, examined: bool) {
        let Some(id) = self.local(name) else { return };
        if examined {
            self.examined.insert(id);
        }
        let known = self.state.as_ref().and_then(|state| state.get(&id));
        if let Some(definitions) = known.filter(|definitions| definitions.len() <= MEETING_MAX) {
            self.found.push((name.span.start, id, self.block, definitions.clone()));
        }
    }
}

/// What the name at an index is given by a list of values.
fn given<'t>(values: &'t [Expression<'t>], index: usize) -> Given<'t> {
    match values.get(index) {
        Some(value) => Given::Value(value),
        None if values.is_empty() => Given::Nothing,
        None => Given::Unknown,
    }
}

fn join(one: Option<State>, other: Option<State>) -> Option<State> {
    let (mut one, other) = match (one, other) {
        (Some(one), Some(other)) => (one, other),
        (one, other) => return one.or(other),
    };
    for (id, definitions) in other {
        let known = one.entry(id).or_default();
        for (definition, surely) in definitions {
            *known.entry(definition).or_default() |= surely;
        }
    }
    Some(one)
}

fn is_within(blocks: &[Option<usize>], inner: usize, outer: usize) -> bool {
    let mut at = Some(inner);
    while let Some(block) = at {
        if block == outer {
            return true;
        }
        at = blocks.get(block).copied().flatten();
    }
    false
}
